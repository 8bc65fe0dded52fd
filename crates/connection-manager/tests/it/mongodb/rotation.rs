use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use async_trait::async_trait;
use connection_manager::mongodb::driver_crate::Client;
use connection_manager::{
    Connector as _, Credentials, Freshness, Keyring, SecretSource, SecretStage, SourceError,
    connectors::MongoDbConnector,
};
use shared_kernel::database::ConnectionName;
use testkit::proxy::Proxy;
use tokio::sync::watch;

use super::*;
use crate::egress::mongodb::{Malice, Rogue};

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

/// After so much time without work a connection of the driver is opened anew: at the next command.
const IDLE: Duration = Duration::from_millis(50);

/// A connection whose user's password changes. On the way to the server, refused logins are counted.
struct Rotation {
    user: User,
    source: Arc<Rotating>,
    keyring: Keyring,
    proxy: Proxy,
    connection: Arc<dyn DatabaseConnection>,
}

impl Rotation {
    async fn begin(pool: PoolSettings) -> Self {
        let user = User::create(&password(0)).await;
        let (proxy, settings) = counting(user.settings(&password(0))).await;
        let settings = settings.with_pool(pool);
        let source = Arc::new(Rotating(user.name().to_owned(), Mutex::default()));
        let name: ConnectionName = "rotating".parse().unwrap();
        let keyring = Keyring::new(source.clone(), name.clone(), settings.clone());
        let connection = MongoDbConnector.connect(&name, &settings, keyring.clone().into()).await.unwrap();
        Self { user, source, keyring, proxy, connection }
    }

    /// The server wants the next password, which is pending.
    async fn change(&self) {
        *self.source.1.lock().unwrap() = (0, Some(1));
        self.user.set_password(&password(1)).await;
    }

    async fn end(self) {
        self.connection.close(SOON).await;
        self.user.remove().await;
    }
}

/// A way to the server on which refused logins are counted.
async fn counting(settings: ConnectionSettings) -> (Proxy, ConnectionSettings) {
    let upstream = format!("{}:{}", settings.host.as_deref().unwrap(), settings.port.unwrap());
    let proxy = Proxy::start(upstream).await.unwrap();
    proxy.count(b"AuthenticationFailed");
    let settings = settings.with_host("127.0.0.1").with_port(proxy.port());
    (proxy, settings)
}

/// Calls that have their places, and wait until they are told to go on.
struct Calls {
    begun: Arc<AtomicU32>,
    go_on: watch::Sender<bool>,
    tasks: tokio::task::JoinSet<Result<(), DatabaseError>>,
}

impl Calls {
    /// So many, each of which does `before`, and a ping after the wait.
    async fn begin<F>(
        connection: &Arc<dyn DatabaseConnection>,
        count: u32,
        before: fn(Client, Collection) -> F,
    ) -> (Self, Collection)
    where
        F: Future<Output = driver_crate::error::Result<()>> + Send + 'static,
    {
        let collection = collection();
        let (go_on, told) = watch::channel(false);
        let waiting = watch::Sender::new(0);
        let mut this = Self { begun: Arc::default(), go_on, tasks: tokio::task::JoinSet::new() };
        for _ in 0..count {
            let (connection, collection) = (Arc::clone(connection), collection.clone());
            let (begun, told, waiting) = (Arc::clone(&this.begun), told.clone(), waiting.clone());
            this.tasks.spawn(async move {
                let work = |client: Client| {
                    begun.fetch_add(1, Ordering::Relaxed);
                    let (collection, mut told, waiting) = (collection.clone(), told.clone(), waiting.clone());
                    async move {
                        before(client.clone(), collection).await?;
                        waiting.send_modify(|waiting| *waiting += 1);
                        told.wait_for(|told| *told).await.unwrap();
                        client.database("admin").run_command(doc! { "ping": 1 }).await.map(drop)
                    }
                };
                native(&connection).with_client(work, &context()).await
            });
        }
        waiting.subscribe().wait_for(|waiting| *waiting == count).await.unwrap();
        (this, collection)
    }

    /// Lets them go on when no connection of the driver is fresh any more.
    fn go_on(&self) {
        self.go_on.send_replace(true);
    }

    fn begun(&self) -> u32 {
        self.begun.load(Ordering::Relaxed)
    }
}

async fn nothing(_: Client, _: Collection) -> driver_crate::error::Result<()> {
    Ok(())
}

async fn insert(client: Client, collection: Collection) -> driver_crate::error::Result<()> {
    let collection_of_client = client.database(collection.database()).collection::<TheirDocument>(collection.name());
    collection_of_client.insert_one(doc! { "written": true }).await.map(drop)
}

#[test]
fn a_password_changes_under_load_without_a_failed_call() {
    const ROTATIONS: u32 = 3;
    testkit::run(async {
        // Short lives, so that logins go on all the time.
        let pool = PoolSettings { max_lifetime: Some(Duration::from_secs(1)), ..sized(0, 4) };
        let rotation = Rotation::begin(pool).await;
        let Rotation { user, source, keyring, connection, proxy } = &rotation;
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
        // One for each password and client that was logging in just then. As they live so shortly, there may be one for each place.
        let refused = u32::try_from(proxy.counted()).unwrap();
        assert!((ROTATIONS..=4 * ROTATIONS).contains(&refused), "{refused} logins were refused");
        rotation.end().await;
    });
}

#[test]
fn callers_who_wait_for_a_login_that_is_refused_are_served_all_the_same() {
    testkit::run(async {
        let rotation = Rotation::begin(PoolSettings { idle_timeout: Some(IDLE), ..sized(0, 4) }).await;
        let (mut calls, _) = Calls::begin(&rotation.connection, 4, nothing).await;
        rotation.change().await;
        tokio::time::sleep(IDLE * 2).await;
        calls.go_on();
        while let Some(outcome) = calls.tasks.join_next().await {
            outcome.unwrap().expect("no call fails");
        }
        assert!(calls.begun() >= 8, "{} were begun: each of the four anew", calls.begun());
        assert_eq!(rotation.proxy.counted(), 1, "none but the first has tried the old password");
        assert_eq!(rotation.keyring.version().as_deref(), Some("1"));
        rotation.end().await;
    });
}

#[test]
fn a_version_is_not_served_by_the_client_of_another() {
    testkit::run(async {
        let rotation = Rotation::begin(PoolSettings { idle_timeout: Some(IDLE), ..sized(0, 2) }).await;
        // Whoever waits keeps the client of the old password.
        let (mut calls, _) = Calls::begin(&rotation.connection, 1, nothing).await;
        rotation.user.set_password(&password(1)).await;
        *rotation.source.1.lock().unwrap() = (1, None);
        for _ in 0..2 {
            tokio::time::sleep(IDLE * 2).await;
            assert_serves(&rotation.connection).await;
        }
        assert_eq!(rotation.keyring.version().as_deref(), Some("1"));
        assert_eq!(rotation.proxy.counted(), 0, "nobody has tried the old password");
        calls.go_on();
        calls.tasks.join_next().await.unwrap().unwrap().expect("no call fails");
        rotation.end().await;
    });
}

#[test]
fn work_that_has_sent_something_is_not_begun_anew() {
    testkit::run(async {
        let rotation = Rotation::begin(PoolSettings { idle_timeout: Some(IDLE), ..sized(0, 1) }).await;
        let (mut calls, collection) = Calls::begin(&rotation.connection, 1, insert).await;
        rotation.change().await;
        tokio::time::sleep(IDLE * 2).await;
        calls.go_on();
        let outcome = calls.tasks.join_next().await.unwrap().unwrap();
        refused(outcome, &DatabaseErrorKind::AuthRejected);
        assert_eq!(calls.begun(), 1);
        let documents = rotation.connection.documents().unwrap();
        assert_eq!(documents.count(&collection, &Document::new(), &context()).await.unwrap(), 1);
        assert_eq!(rotation.proxy.counted(), 1);
        rotation.end().await;
    });
}

#[test]
fn a_connection_that_cannot_be_opened_fails_the_call_that_it_was_for_alone() {
    testkit::run(async {
        let rogue = Rogue::start(Malice::Stumbles(Arc::default())).await;
        let pool = PoolSettings { idle_timeout: Some(IDLE), ..sized(0, 4) };
        let connection = open(rogue.settings().with_pool(pool)).await;
        let (mut calls, _) = Calls::begin(&connection, 4, nothing).await;
        tokio::time::sleep(IDLE * 2).await;
        rogue.stumble();
        calls.go_on();
        let mut failed = 0;
        while let Some(outcome) = calls.tasks.join_next().await {
            if let Err(error) = outcome.unwrap() {
                assert_eq!((error.kind(), error.code()), (&DatabaseErrorKind::Unreachable, Some("91")), "{error:?}");
                failed += 1;
            }
        }
        assert_eq!(failed, 1, "the others waited for a connection, and had sent nothing");
        connection.close(SOON).await;
    });
}

#[test]
fn a_password_that_is_wrong_is_refused_to_all_and_tried_once() {
    testkit::run(async {
        let user = User::create(&password(0)).await;
        let (proxy, settings) = counting(user.settings("wr0ng").with_pool(sized(0, 8))).await;
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
        assert_eq!(proxy.counted(), 1);
        user.remove().await;
    });
}
