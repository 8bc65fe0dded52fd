use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use connection_manager::{
    ConnectionFactory, Connector as _, Credentials, Freshness, Keyring, SecretSource, SecretStage, SourceError,
    connectors::RedisConnector,
};
use shared_kernel::database::ConnectionName;

use super::*;

/// A secret of the test's own: what is current, and what is pending while a rotation is under way.
#[derive(Debug, Default)]
struct Rotating(Mutex<(u32, Option<u32>)>);

fn password(version: u32) -> String {
    format!("pa55word-{version}")
}

#[async_trait]
impl SecretSource for Rotating {
    async fn credentials(
        &self,
        _: &ConnectionName,
        _: &ConnectionSettings,
        stage: SecretStage,
        _: Freshness<'_>,
    ) -> Result<Option<Credentials>, SourceError> {
        let (current, pending) = *self.0.lock().unwrap();
        let version = match stage {
            SecretStage::Current => Some(current),
            SecretStage::Pending => pending,
            SecretStage::Previous => None,
        };
        Ok(version.map(|version| Credentials {
            username: "svc".to_owned(),
            password: SecretString::from(password(version)),
            version: version.to_string(),
        }))
    }

    fn may_change(&self, _: &ConnectionSettings) -> bool {
        true
    }
}

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

#[test]
fn a_password_changes_under_load_without_a_failed_command_and_with_one_rejected_login_a_version() {
    const ROTATIONS: u32 = 4;
    testkit::run(async {
        let server = OwnRedis::start(&[]).await;
        let administrator = server.connection().await;
        let set = |version: u32| {
            let secret = format!(">{}", password(version));
            cmd("ACL").arg("SETUSER").arg("svc").arg(&["on", "resetpass", &secret, "~*", "+@all"]).take()
        };
        native(&administrator).query::<()>(set(0), &context()).await.unwrap();
        let source = Arc::new(Rotating::default());
        let name: ConnectionName = "rotating".parse().unwrap();
        // Short lives, so that logins go on all the time.
        let pool = PoolSettings {
            max_lifetime: Some(Duration::from_millis(50)),
            acquire_timeout: SOON,
            ..PoolSettings::sized(0, 8)
        };
        let settings = server.settings().with_pool(pool);
        let keyring = Keyring::new(source.clone(), name.clone(), settings.clone());
        let connection = RedisConnector.connect(&name, &settings, keyring.clone().into()).await.unwrap();
        let (stop, answers) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut workers = tokio::task::JoinSet::new();
        for worker in 0..16 {
            let (connection, stop, answers) = (connection.clone(), stop.clone(), answers.clone());
            workers.spawn(async move {
                let key = key(&format!("worker-{worker}"));
                while !stop.load(Ordering::Relaxed) {
                    let expiry = Expiry::After(SOON);
                    connection.key_value().unwrap().increment(&key, 1, expiry, &context()).await?;
                    answers.fetch_add(1, Ordering::Relaxed);
                }
                Ok::<_, DatabaseError>(())
            });
        }
        for version in 1..=ROTATIONS {
            *source.0.lock().unwrap() = (version - 1, Some(version));
            native(&administrator).query::<()>(set(version), &context()).await.unwrap();
            // The server wants the new password already, and it is pending still.
            eventually(SOON, || keyring.version() == Some(version.to_string())).await;
            *source.0.lock().unwrap() = (version, None);
            let (seen, opened) = (answers.load(Ordering::Relaxed), connection.stats().opened_total);
            eventually(SOON, || answers.load(Ordering::Relaxed) > seen + 100).await;
            eventually(SOON, || connection.stats().opened_total > opened + 8).await;
        }
        stop.store(true, Ordering::Relaxed);
        for outcome in workers.join_all().await {
            outcome.expect("no command fails");
        }
        assert_eq!(rejected(&administrator).await, u64::from(ROTATIONS));
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
