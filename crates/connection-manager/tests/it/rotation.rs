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
use connection_manager::{Credentials, Driver, PoolSettings, TlsMode};
use shared_kernel::RequestContext;
use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use sqlx::postgres::PgConnectOptions;
use testkit::Server;
use testkit::tds::TdsServer;

use self::accounts::Accounts;
use self::program::Program;
use self::source::Stages;

/// No wait is to be longer; nothing is measured.
const SOON: Duration = Duration::from_secs(30);

fn context() -> RequestContext {
    RequestContext::system().within(SOON)
}

/// Workers and rotations of one test; `cargo xtask soak` asks for more.
fn intensity() -> (u32, u32) {
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

fn credentials(user: &str, version: u32) -> Credentials {
    Credentials {
        username: user.to_owned(),
        password: format!("pa55word-{version}").into(),
        version: version.to_string(),
    }
}

/// One user whose password changes: at the server first, and promoted afterwards.
async fn passwords<D: Driver>(accounts: Accounts, programs: usize, driver: impl Fn() -> D) {
    let (workers, rotations) = intensity();
    let user = Accounts::name("one");
    accounts.create(&user, "pa55word-0").await;
    let source = Arc::new(Stages::current(credentials(&user, 0)));
    let mut running = Vec::new();
    for _ in 0..programs {
        running.push(Program::start(driver(), busy(), &source, workers).await);
    }
    for version in 1..=rotations {
        source.prepare(credentials(&user, version));
        accounts.change(&user, &format!("pa55word-{version}")).await;
        for program in &running {
            program.has_logged_in_with(&version.to_string()).await;
        }
        source.promote();
        for program in &running {
            program.goes_on().await;
        }
    }
    for program in running {
        let rejected = program.finish().await;
        for version in 0..=rotations {
            let times = rejected.iter().filter(|(rejected, _)| *rejected == version.to_string()).count();
            assert_eq!(times, usize::from(version < rotations), "version {version} of {rejected:?}");
        }
        // MariaDB's code for an account that it blocks after too many wrong passwords.
        assert!(rejected.iter().all(|(_, code)| code != "4150"), "{rejected:?}");
    }
    accounts.remove(&user).await;
}

/// Two users who take turns: the password of the one that rests changes, and then it is promoted.
async fn users<D: Driver>(accounts: Accounts, driver: impl Fn() -> D) {
    let (workers, rotations) = intensity();
    let pair = [Accounts::name("even"), Accounts::name("odd")];
    for user in &pair {
        accounts.create(user, "pa55word-0").await;
    }
    let source = Arc::new(Stages::current(credentials(&pair[0], 0)));
    let program = Program::start(driver(), busy(), &source, workers).await;
    for version in 1..=rotations {
        let user = &pair[usize::from(version % 2 == 1)];
        source.prepare(credentials(user, version));
        accounts.change(user, &format!("pa55word-{version}")).await;
        program.goes_on().await;
        source.promote();
        program.has_logged_in_with(&version.to_string()).await;
        program.goes_on().await;
    }
    assert_eq!(program.finish().await, [], "no login was rejected");
    for user in &pair {
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
    let admin = server.admin();
    let options = MySqlConnectOptions::new()
        .host(admin.host.as_deref().unwrap())
        .port(admin.port.unwrap())
        .ssl_mode(if server == Server::MySql { MySqlSslMode::Required } else { MySqlSslMode::Disabled });
    move || MySqlDriver::new(options.clone())
}

fn postgres() -> impl Fn() -> PostgresDriver {
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
                let accounts = Accounts::of(Server::MariaDb).await;
                accounts.run("SET GLOBAL max_password_errors = 3").await;
                passwords(accounts, 2, super::super::mysql(Server::MariaDb)).await;
            });
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
