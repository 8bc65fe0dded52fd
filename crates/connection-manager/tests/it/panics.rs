//! A panic while a secret is in hand tells none: not in its message, not in its backtrace, not in a log line of those who hear
//! of it, not in what callers are told.

use std::fmt::Debug;
use std::process::{Command, Stdio};
use std::sync::Arc;

use async_trait::async_trait;
use connection_manager::{
    ConnectionFactory, ConnectionManager, ConnectionSettings, Connector, Credentials, Driver, Endpoint, Freshness,
    PasswordSource, SecretSource, SecretStage, SettingFault, SourceError, SqlPool,
};
use secrecy::SecretString;
use shared_kernel::RequestContext;
use shared_kernel::database::{
    Access, ConnectionName, Connections as _, DatabaseConnection, DatabaseError, Dialect, Engine,
};

use crate::pool::fake::FakeSession;

/// The test that is the program of the process whose output is searched.
const PROGRAM: &str = "panics::everything_that_can_panic";
const VARIABLE: &str = "BINDERY_TEST_PANICS";
const CANARY: &str = "c4nary-in-a-panic";

/// Where it panics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A connector that was given the settings and the endpoint.
    Connecting,
    /// A connector that looks its settings over.
    Validating,
    /// A driver that was given the credentials.
    LoggingIn,
    /// A source that has read them.
    Reading,
}

const PLACES: [Place; 4] = [Place::Connecting, Place::Validating, Place::LoggingIn, Place::Reading];

/// Panics with all that is in hand, as whoever debugs a connector of his own might.
fn panic_with(place: Place, in_hand: &dyn Debug) -> ! {
    panic!("{place:?} with {in_hand:?}\nand at length {in_hand:#?}")
}

#[derive(Debug)]
struct Careless {
    engine: Engine,
    place: Place,
}

#[async_trait]
impl Connector for Careless {
    fn engine(&self) -> &Engine {
        &self.engine
    }

    fn validate(&self, settings: &ConnectionSettings) -> Vec<SettingFault> {
        if self.place == Place::Validating {
            panic_with(self.place, settings);
        }
        Vec::new()
    }

    async fn connect(
        &self,
        name: &ConnectionName,
        settings: &ConnectionSettings,
        endpoint: Endpoint,
    ) -> Result<Arc<dyn DatabaseConnection>, DatabaseError> {
        if self.place == Place::Connecting {
            panic_with(self.place, &(settings, &endpoint));
        }
        let driver = CarelessDriver(self.place);
        Ok(Arc::new(SqlPool::open(name.clone(), self.engine.clone(), settings.pool.clone(), endpoint, driver).await?))
    }
}

struct CarelessDriver(Place);

impl Driver for CarelessDriver {
    type Session = FakeSession;

    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    async fn connect(&self, credentials: &Credentials) -> Result<FakeSession, DatabaseError> {
        panic_with(self.0, credentials)
    }
}

/// Hands every password out that it is asked for, or panics with it.
#[derive(Debug)]
struct CarelessSource(Place);

#[async_trait]
impl SecretSource for CarelessSource {
    async fn credentials(
        &self,
        _: &ConnectionName,
        settings: &ConnectionSettings,
        _: SecretStage,
        _: Freshness<'_>,
    ) -> Result<Option<Credentials>, SourceError> {
        let password = SecretString::from(CANARY);
        let found = Credentials { username: "svc".to_owned(), password, version: "1".to_owned() };
        if self.0 == Place::Reading {
            panic_with(self.0, &(settings, &found));
        }
        Ok(Some(found))
    }

    fn may_change(&self, _: &ConnectionSettings) -> bool {
        false
    }
}

/// The program: opens a connection at each place where it panics, with every log line written. Without an order it has nothing to
/// show.
#[test]
fn everything_that_can_panic() {
    #[expect(clippy::disallowed_methods, reason = "a test's process is told through the environment what to do")]
    if std::env::var_os(VARIABLE).is_none() {
        return;
    }
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    for place in PLACES {
        testkit::run(async move {
            let engine = Engine::from("careless".to_owned());
            let settings = ConnectionSettings::new(engine.clone())
                .with_host("localhost")
                .with_password(PasswordSource::Literal(CANARY.into()));
            let manager =
                ConnectionManager::builder(ConnectionFactory::empty().register(Arc::new(Careless { engine, place })))
                    .connection("books", settings)
                    .secrets(Arc::new(CarelessSource(place)))
                    .build()
                    .unwrap();
            let error = manager.get("books", Access::Read, &RequestContext::system()).await.map(drop).unwrap_err();
            eprintln!("{place:?} told its caller: {error}: {error:?}");
        });
    }
}

#[test]
fn no_panic_tells_the_secret_that_was_in_hand() {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", PROGRAM, "--nocapture"]).env(VARIABLE, "1").env("RUST_BACKTRACE", "full");
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text);
    assert!(output.status.success(), "{text}");
    for place in PLACES {
        for expected in [format!("{place:?} with "), format!("{place:?} told its caller: ")] {
            assert!(text.contains(&expected), "`{expected}` is not in\n{text}");
        }
    }
    assert!(text.contains("stack backtrace") && text.contains("[REDACTED]"), "{text}");
    let bytes: Vec<String> = CANARY.bytes().map(|byte| byte.to_string()).collect();
    for form in [CANARY.to_owned(), bytes.join(", ")] {
        let told = text.lines().find(|line| line.contains(&form));
        assert!(told.is_none(), "a secret is told: {told:?}");
    }
}
