use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use connection_manager::{
    Connector as _, Credentials, Freshness, Keyring, SecretSource, SecretStage, SourceError,
    connectors::MongoDbConnector,
};
use shared_kernel::database::ConnectionName;

use super::*;

/// A secret of the test's own: what is current, and what is pending while a rotation is under way.
#[derive(Debug)]
struct Rotating(String, Mutex<(u32, Option<u32>)>);

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
        let (current, pending) = *self.1.lock().unwrap();
        let version = match stage {
            SecretStage::Current => Some(current),
            SecretStage::Pending => pending,
            SecretStage::Previous => None,
        };
        Ok(version.map(|version| Credentials {
            username: self.0.clone(),
            password: SecretString::from(password(version)),
            version: version.to_string(),
        }))
    }

    fn may_change(&self, _: &ConnectionSettings) -> bool {
        true
    }
}

#[test]
fn a_password_changes_under_load_without_a_failed_call() {
    const ROTATIONS: u32 = 3;
    testkit::run(async {
        let user = User::create(&password(0)).await;
        let source = Arc::new(Rotating(user.name().to_owned(), Mutex::default()));
        let name: ConnectionName = "rotating".parse().unwrap();
        // Short lives, so that logins go on all the time.
        let pool = PoolSettings { max_lifetime: Some(Duration::from_secs(1)), acquire_timeout: SOON, ..sized(0, 4) };
        let settings = user.settings(&password(0)).with_pool(pool);
        let keyring = Keyring::new(source.clone(), name.clone(), settings.clone());
        let connection = MongoDbConnector.connect(&name, &settings, keyring.clone().into()).await.unwrap();
        let (stop, answers) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let mut workers = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let (connection, stop, answers) = (connection.clone(), stop.clone(), answers.clone());
            let collection = collection();
            workers.spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    let document = Document::new().with("written", true);
                    connection.documents().unwrap().insert_one(&collection, &document, &context()).await?;
                    answers.fetch_add(1, Ordering::Relaxed);
                }
                Ok::<_, DatabaseError>(())
            });
        }
        for version in 1..=ROTATIONS {
            *source.1.lock().unwrap() = (version - 1, Some(version));
            user.set_password(&password(version)).await;
            // The server wants the new password already, and it is pending still.
            eventually(SOON, || keyring.version() == Some(version.to_string())).await;
            *source.1.lock().unwrap() = (version, None);
            let (seen, opened) = (answers.load(Ordering::Relaxed), connection.stats().opened_total);
            eventually(SOON, || answers.load(Ordering::Relaxed) > seen + 20).await;
            eventually(SOON, || connection.stats().opened_total > opened + 4).await;
        }
        stop.store(true, Ordering::Relaxed);
        for outcome in workers.join_all().await {
            outcome.expect("no call fails");
        }
        connection.close(SOON).await;
        user.remove().await;
    });
}

#[test]
fn a_connection_that_the_driver_opens_later_with_an_outdated_password_fails_no_call() {
    testkit::run(async {
        let user = User::create(&password(0)).await;
        let source = Arc::new(Rotating(user.name().to_owned(), Mutex::default()));
        let name: ConnectionName = "rotating".parse().unwrap();
        let pool = PoolSettings { acquire_timeout: SOON, ..sized(3, 3) };
        let settings = user.settings(&password(0)).with_pool(pool);
        let keyring = Keyring::new(source.clone(), name.clone(), settings.clone());
        let connection = MongoDbConnector.connect(&name, &settings, keyring.clone().into()).await.unwrap();
        // Three sessions, for which the driver has as many connections as were busy at a time: fewer.
        eventually(SOON, || connection.stats().idle == 3).await;
        let busy = Arc::clone(&connection);
        let busy = tokio::spawn(async move { run_for(busy.as_ref(), "admin", slow(3), &context()).await });
        eventually(SOON, || connection.stats().in_use == 1).await;
        user.set_password(&password(1)).await;
        *source.1.lock().unwrap() = (1, None);
        // No idle connection is left, so this one logs in, and is refused.
        for _ in 0..6 {
            assert_serves(&connection).await;
        }
        busy.await.unwrap().unwrap();
        assert_serves(&connection).await;
        assert_eq!(keyring.version().as_deref(), Some("1"));
        connection.close(SOON).await;
        user.remove().await;
    });
}

#[test]
fn a_password_that_is_wrong_is_refused_to_all_and_tried_once() {
    testkit::run(async {
        let user = User::create(&password(0)).await;
        let settings = user.settings("wr0ng").with_pool(sized(0, 8));
        let name: ConnectionName = "wrong".parse().unwrap();
        let credentials = Credentials {
            username: user.name().to_owned(),
            password: SecretString::from("wr0ng"),
            version: "only".to_owned(),
        };
        let keyring = Keyring::fixed(name.clone(), credentials);
        for _ in 0..3 {
            let outcome = MongoDbConnector.connect(&name, &settings, keyring.clone().into()).await;
            refused(outcome, &DatabaseErrorKind::AuthRejected);
        }
        user.remove().await;
    });
}
