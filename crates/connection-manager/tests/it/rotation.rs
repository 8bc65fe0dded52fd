//! Passwords and users change under load, on real servers.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as expected")]

pub(crate) mod accounts;
mod program;
pub(crate) mod source;

use std::sync::Arc;
use std::time::Duration;

use connection_manager::drivers::mysql::MySqlDriver;
use connection_manager::drivers::postgres::PostgresDriver;
use connection_manager::drivers::sqlserver::{SqlServerDriver, SqlServerOptions};
use connection_manager::{ConnectionSettings, Credentials, Driver, PoolSettings, TlsMode};
use shared_kernel::RequestContext;
use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use sqlx::postgres::PgConnectOptions;
use testkit::tds::TdsServer;
use testkit::{OwnServer, Server};

use self::accounts::Accounts;
use self::program::Program;
use self::source::{Secret, Stages};

/// No wait is to be longer; nothing is measured.
const SOON: Duration = Duration::from_secs(30);

pub(crate) fn context() -> RequestContext {
    RequestContext::system().within(SOON)
}

/// Workers and rotations of one test; `cargo xtask soak` asks for more.
pub(crate) fn intensity() -> (u32, u32) {
    #[expect(clippy::disallowed_methods, reason = "xtask tells tests through the environment what it wants of them")]
    let soak = std::env::var_os("BINDERY_TEST_SOAK").is_some();
    if soak { (64, 20) } else { (16, 3) }
}

/// Short lives, so that logins go on all the time.
fn busy() -> PoolSettings {
    PoolSettings {
        max_lifetime: Some(Duration::from_millis(200)),
        acquire_timeout: SOON,
        connect_timeout: SOON,
        ..PoolSettings::sized(2, 8)
    }
}

pub(crate) fn credentials(user: &str, version: u32) -> Credentials {
    Credentials { username: user.to_owned(), password: password(version).into(), version: version.to_string() }
}

pub(crate) fn password(version: u32) -> String {
    format!("pa55word-{version}")
}

/// One user whose password changes: at the server first, and promoted afterwards.
async fn passwords<D: Driver>(accounts: Accounts, programs: usize, driver: impl Fn() -> D) {
    let user = Accounts::name("one");
    let source = Arc::new(Stages::current(credentials(&user, 0)));
    passwords_of(&source, "0".to_owned(), accounts, &user, programs, driver).await;
}

/// As [`passwords`], of a secret whose `first` version is the current one.
pub(crate) async fn passwords_of<D: Driver>(
    secret: &impl Secret,
    first: String,
    accounts: Accounts,
    user: &str,
    programs: usize,
    driver: impl Fn() -> D,
) {
    let (workers, rotations) = intensity();
    accounts.create(user, &password(0)).await;
    let mut running = Vec::new();
    for _ in 0..programs {
        running.push(Program::start(driver(), busy(), secret, workers).await);
    }
    let mut versions = vec![first];
    for number in 1..=rotations {
        let version = secret.add(credentials(user, number)).await;
        accounts.change(user, &password(number)).await;
        for program in &running {
            program.has_logged_in_with(&version).await;
        }
        secret.make_current().await;
        for program in &running {
            program.goes_on().await;
        }
        versions.push(version);
    }
    for program in running {
        let rejected = program.finish().await;
        for version in &versions {
            let times = rejected.iter().filter(|(rejected, _)| rejected == version).count();
            assert_eq!(times, usize::from(Some(version) != versions.last()), "version {version} of {rejected:?}");
        }
        // MariaDB's code for an account that it blocks after too many wrong passwords.
        assert!(rejected.iter().all(|(_, code)| code != "4150"), "{rejected:?}");
    }
    accounts.remove(user).await;
}

/// Two users who take turns: the password of the one that rests changes, and then it is promoted.
async fn users<D: Driver>(accounts: Accounts, driver: impl Fn() -> D) {
    let pair = [Accounts::name("even"), Accounts::name("odd")];
    let source = Arc::new(Stages::current(credentials(&pair[0], 0)));
    users_of(&source, accounts, &pair, driver).await;
}

/// As [`users`], of a secret whose current version is the first user's, with password number 0.
pub(crate) async fn users_of<D: Driver>(
    secret: &impl Secret,
    accounts: Accounts,
    pair: &[String; 2],
    driver: impl Fn() -> D,
) {
    let (workers, rotations) = intensity();
    for user in pair {
        accounts.create(user, &password(0)).await;
    }
    let program = Program::start(driver(), busy(), secret, workers).await;
    for number in 1..=rotations {
        let user = &pair[usize::from(number % 2 == 1)];
        let version = secret.add(credentials(user, number)).await;
        accounts.change(user, &password(number)).await;
        program.goes_on().await;
        secret.make_current().await;
        if secret.is_cached() {
            // The old user is let in as before, so that nothing else tells of the new one than the copy's renewal.
            let before = program.version();
            program.goes_on().await;
            assert_eq!(program.version(), before);
            secret.outlast();
        }
        program.has_logged_in_with(&version).await;
        program.goes_on().await;
    }
    assert_eq!(program.finish().await, [], "no login was rejected");
    for user in pair {
        accounts.remove(user).await;
    }
}

/// A version is promoted while nobody asks for anything: all connections are the new user's soon after.
async fn at_rest<D: Driver>(accounts: Accounts, driver: impl Fn() -> D) {
    let pair = [Accounts::name("old"), Accounts::name("new")];
    for (version, user) in (0..).zip(&pair) {
        accounts.create(user, &format!("pa55word-{version}")).await;
    }
    let source = Arc::new(Stages::current(credentials(&pair[0], 0)));
    // The source is asked as often as the shortest limit wants the pool to be looked after.
    let settings = PoolSettings {
        idle_timeout: Some(Duration::from_millis(400)),
        max_lifetime: None,
        connect_timeout: SOON,
        ..PoolSettings::sized(4, 6)
    };
    let program = Program::start(driver(), settings, &source, 0).await;
    let accounts = &accounts;
    let all_of = |user: usize| {
        let pair = &pair;
        testkit::eventually_some(SOON, move || async move {
            let (of, other) = (accounts.sessions(&pair[user]).await, accounts.sessions(&pair[1 - user]).await);
            ((of, other) == (4, 0)).then_some(())
        })
    };
    all_of(0).await;
    source.prepare(credentials(&pair[1], 1));
    source.promote();
    all_of(1).await;
    assert_eq!(program.finish().await, [], "no login was rejected");
    for user in &pair {
        accounts.remove(user).await;
    }
}

fn mysql(server: Server) -> impl Fn() -> MySqlDriver {
    let tls = if server == Server::MySql { MySqlSslMode::Required } else { MySqlSslMode::Disabled };
    mysql_at(&server.admin(), tls)
}

fn mysql_at(admin: &ConnectionSettings, tls: MySqlSslMode) -> impl Fn() -> MySqlDriver + use<> {
    let options =
        MySqlConnectOptions::new().host(admin.host.as_deref().unwrap()).port(admin.port.unwrap()).ssl_mode(tls);
    move || MySqlDriver::new(options.clone())
}

pub(crate) fn postgres() -> impl Fn() -> PostgresDriver {
    let admin = Server::Postgres.admin();
    let options = PgConnectOptions::new_without_pgpass()
        .host(admin.host.as_deref().unwrap())
        .port(admin.port.unwrap())
        .database("postgres");
    move || PostgresDriver::new(options.clone())
}

async fn scripted() -> (Accounts, impl Fn() -> SqlServerDriver) {
    let server = TdsServer::builder().start().await.unwrap();
    let mut options = SqlServerOptions::new("localhost");
    options.port = server.address().port();
    options.tls = TlsMode::Disabled;
    (Accounts::Scripted(server), move || SqlServerDriver::new(options.clone()))
}

mod on_engines {
    use super::*;

    mod mysql {
        use super::*;

        #[test]
        fn a_password_changes_under_load_without_a_failed_statement() {
            testkit::run(async {
                passwords(Accounts::of(Server::MySql).await, 1, super::super::mysql(Server::MySql)).await;
            });
        }

        #[test]
        fn users_take_turns_under_load_without_a_rejected_login() {
            testkit::run(async {
                users(Accounts::of(Server::MySql).await, super::super::mysql(Server::MySql)).await;
            });
        }

        #[test]
        fn a_promoted_version_is_taken_up_at_rest() {
            testkit::run(async {
                at_rest(Accounts::of(Server::MySql).await, super::super::mysql(Server::MySql)).await;
            });
        }
    }

    mod mariadb {
        use super::*;

        /// Two programs, on a server that blocks an account after three wrong passwords in a row.
        #[test]
        fn a_password_changes_under_load_without_a_failed_statement_or_a_blocked_account() {
            testkit::run(async {
                let own = OwnServer::start(Server::MariaDb, &[("max_password_errors", "3")]).await;
                let accounts = Accounts::Real(Server::MariaDb, testkit::connect(own.admin()).await.unwrap());
                let driver = mysql_at(&own.admin(), MySqlSslMode::Disabled);
                blocks_after_three_wrong_passwords(&accounts, driver()).await;
                passwords(accounts, 2, driver).await;
            });
        }

        /// That what the programs avoid would come about: such an account is one that the server counts for.
        async fn blocks_after_three_wrong_passwords(accounts: &Accounts, driver: MySqlDriver) {
            let user = Accounts::name("blocked");
            accounts.create(&user, &password(0)).await;
            let code = async |version| {
                let outcome = driver.connect(&credentials(&user, version)).await;
                outcome.err().map(|error| error.code().unwrap_or_default().to_owned())
            };
            assert_eq!(code(0).await, None);
            for _ in 0..3 {
                assert_eq!(code(1).await.as_deref(), Some("1045"));
            }
            assert_eq!(code(1).await.as_deref(), Some("4150"));
            assert_eq!(code(0).await.as_deref(), Some("4150"), "with the right one too");
            accounts.remove(&user).await;
        }

        #[test]
        fn users_take_turns_under_load_without_a_rejected_login() {
            testkit::run(async {
                users(Accounts::of(Server::MariaDb).await, super::super::mysql(Server::MariaDb)).await;
            });
        }

        #[test]
        fn a_promoted_version_is_taken_up_at_rest() {
            testkit::run(async {
                at_rest(Accounts::of(Server::MariaDb).await, super::super::mysql(Server::MariaDb)).await;
            });
        }
    }

    mod postgres {
        use super::*;

        #[test]
        fn a_password_changes_under_load_without_a_failed_statement() {
            testkit::run(async { passwords(Accounts::of(Server::Postgres).await, 1, super::super::postgres()).await });
        }

        #[test]
        fn users_take_turns_under_load_without_a_rejected_login() {
            testkit::run(async { users(Accounts::of(Server::Postgres).await, super::super::postgres()).await });
        }

        #[test]
        fn a_promoted_version_is_taken_up_at_rest() {
            testkit::run(async { at_rest(Accounts::of(Server::Postgres).await, super::super::postgres()).await });
        }
    }
}

mod tds {
    use super::*;

    #[test]
    fn a_password_changes_under_load_without_a_failed_statement() {
        testkit::run(async {
            let (accounts, driver) = scripted().await;
            passwords(accounts, 1, driver).await;
        });
    }

    #[test]
    fn users_take_turns_under_load_without_a_rejected_login() {
        testkit::run(async {
            let (accounts, driver) = scripted().await;
            users(accounts, driver).await;
        });
    }
}
