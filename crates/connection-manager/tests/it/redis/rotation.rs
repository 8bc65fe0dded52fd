use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use connection_manager::{ConnectionFactory, Connector as _, Keyring, connectors::RedisConnector};
use shared_kernel::database::ConnectionName;
use tokio::task::JoinSet;

use super::*;
use crate::rotation::source::Stages;
use crate::rotation::{credentials, intensity, password};

/// How many logins the server has rejected, by its own log of them.
async fn rejected(administrator: &Arc<dyn DatabaseConnection>) -> u64 {
    let log: Vec<std::collections::HashMap<String, connection_manager::redis::driver_crate::Value>> =
        native(administrator).query(cmd("ACL").arg("LOG").take(), &context()).await.unwrap();
    log.into_iter()
        .map(|mut entry| {
            let count = entry.remove("count").expect("each entry counts");
            connection_manager::redis::driver_crate::from_redis_value::<u64>(count).unwrap()
        })
        .sum()
}

/// Gives a user the one password of a version.
async fn set(administrator: &Arc<dyn DatabaseConnection>, user: &str, version: u32) {
    let secret = format!(">{}", password(version));
    let set = cmd("ACL").arg("SETUSER").arg(user).arg(&["on", "resetpass", &secret, "~*", "+@all"]).take();
    native(administrator).query::<()>(set, &context()).await.unwrap();
}

/// Workers on a connection whose logins go on all the time.
struct Program {
    connection: Arc<dyn DatabaseConnection>,
    keyring: Keyring,
    answers: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    workers: JoinSet<Result<(), DatabaseError>>,
}

impl Program {
    async fn start(server: &OwnRedis, source: &Arc<Stages>) -> Self {
        let name: ConnectionName = "rotating".parse().unwrap();
        let pool = PoolSettings {
            max_lifetime: Some(Duration::from_millis(50)),
            acquire_timeout: SOON,
            ..PoolSettings::sized(0, 8)
        };
        let settings = server.settings().with_pool(pool);
        let keyring = Keyring::new(source.clone(), name.clone(), settings.clone());
        let connection = RedisConnector.connect(&name, &settings, keyring.clone().into()).await.unwrap();
        let mut program =
            Self { connection, keyring, answers: Arc::default(), stop: Arc::default(), workers: JoinSet::new() };
        for worker in 0..intensity().0 {
            program.employ(worker);
        }
        program
    }

    fn employ(&mut self, worker: u32) {
        let (connection, stop, answers) = (self.connection.clone(), self.stop.clone(), self.answers.clone());
        self.workers.spawn(async move {
            let key = key(&format!("worker-{worker}"));
            while !stop.load(Ordering::Relaxed) {
                let expiry = Expiry::After(SOON);
                connection.key_value()?.increment(&key, 1, expiry, &context()).await?;
                answers.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        });
    }

    async fn has_logged_in_with(&self, version: u32) {
        eventually(SOON, || self.keyring.version() == Some(version.to_string())).await;
    }

    /// Waits until the workers were answered and new connections were opened.
    async fn goes_on(&self) {
        let (seen, opened) = (self.answers.load(Ordering::Relaxed), self.connection.stats().opened_total);
        eventually(SOON, || self.answers.load(Ordering::Relaxed) > seen + 100).await;
        eventually(SOON, || self.connection.stats().opened_total > opened + 8).await;
    }

    /// Ends the work. None of it has failed.
    async fn finish(self) {
        self.stop.store(true, Ordering::Relaxed);
        for outcome in self.workers.join_all().await {
            outcome.expect("no command fails");
        }
        self.connection.close(SOON).await;
    }
}

#[test]
fn a_password_changes_under_load_without_a_failed_command_and_with_one_rejected_login_a_version() {
    testkit::run(async {
        let (server, rotations) = (OwnRedis::start(&[]).await, intensity().1);
        let administrator = server.connection().await;
        set(&administrator, "svc", 0).await;
        let source = Arc::new(Stages::current(credentials("svc", 0)));
        let program = Program::start(&server, &source).await;
        for version in 1..=rotations {
            source.prepare(credentials("svc", version));
            set(&administrator, "svc", version).await;
            // The server wants the new password already, and it is pending still.
            program.has_logged_in_with(version).await;
            source.promote();
            program.goes_on().await;
        }
        program.finish().await;
        assert_eq!(rejected(&administrator).await, u64::from(rotations));
    });
}

#[test]
fn users_take_turns_under_load_without_a_rejected_login() {
    testkit::run(async {
        let server = OwnRedis::start(&[]).await;
        let administrator = server.connection().await;
        let pair = ["even", "odd"];
        for user in pair {
            set(&administrator, user, 0).await;
        }
        let source = Arc::new(Stages::current(credentials(pair[0], 0)));
        let program = Program::start(&server, &source).await;
        for version in 1..=intensity().1 {
            let user = pair[usize::from(version % 2 == 1)];
            source.prepare(credentials(user, version));
            set(&administrator, user, version).await;
            program.goes_on().await;
            source.promote();
            program.has_logged_in_with(version).await;
            program.goes_on().await;
        }
        program.finish().await;
        assert_eq!(rejected(&administrator).await, 0);
    });
}

/// A version that was promoted before the server has it: the previous one serves until then, and a process that begins in
/// between has nothing else to go by.
#[test]
fn the_previous_version_serves_until_the_server_has_the_promoted_one() {
    testkit::run(async {
        let server = OwnRedis::start(&[]).await;
        let administrator = server.connection().await;
        set(&administrator, "svc", 0).await;
        let source = Arc::new(Stages::current(credentials("svc", 0)));
        source.prepare(credentials("svc", 1));
        source.promote();
        let program = Program::start(&server, &source).await;
        program.has_logged_in_with(0).await;
        program.goes_on().await;
        assert_eq!(rejected(&administrator).await, 1, "the promoted one, once");
        program.finish().await;
    });
}

#[test]
fn a_password_that_stays_wrong_is_tried_once() {
    testkit::run(async {
        let server = OwnRedis::start(&[]).await;
        let administrator = server.connection().await;
        let manager = connection_manager::ConnectionManager::builder(ConnectionFactory::compiled())
            .connection("wrong", with_password(server.settings(), "wr0ng"))
            .build()
            .unwrap();
        for _ in 0..5 {
            use shared_kernel::database::Connections as _;
            let outcome = manager.get("wrong", shared_kernel::database::Access::Read, &context()).await;
            refused(outcome, &DatabaseErrorKind::AuthRejected);
        }
        assert_eq!(rejected(&administrator).await, 1);
    });
}
