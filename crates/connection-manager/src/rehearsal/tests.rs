#![expect(clippy::unwrap_used, reason = "a test ends where something is not as expected")]

use std::sync::Mutex;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use shared_kernel::database::{DatabaseConnection, Engine};
use testkit::FakeClock;

use super::*;
use crate::connector::SettingFault;
use crate::connectors::SqliteConnector;
use crate::credentials::PasswordSource;
use crate::credentials::cache::CacheSettings;
use crate::credentials::store::{SecretStore, SecretVersion, StoreErrorKind};
use crate::endpoint::Endpoint;

/// A store with a version at some stages, named as its password is.
#[derive(Debug)]
struct Store(Vec<(SecretStage, &'static str)>);

#[async_trait]
impl SecretStore for Store {
    async fn fetch(&self, _id: &str, stage: SecretStage) -> Result<Option<SecretVersion>, StoreError> {
        let found = self.0.iter().find(|(known, _)| *known == stage).map(|(_, version)| *version);
        if found == Some("away") {
            return Err(StoreError::new(StoreErrorKind::Unavailable, "as planned"));
        }
        Ok(found.map(|version| {
            let content = if version == "torn" { "{".to_owned() } else { format!(r#"{{"password":"{version}"}}"#) };
            SecretVersion { version: version.to_owned(), content: SecretString::from(content) }
        }))
    }
}

/// A server that accepts some passwords and notes every login.
#[derive(Debug)]
struct Server {
    engine: Engine,
    accepts: &'static [&'static str],
    logins: Mutex<Vec<String>>,
}

#[async_trait]
impl Connector for Server {
    fn engine(&self) -> &Engine {
        &self.engine
    }

    fn default_port(&self) -> Option<u16> {
        Some(1)
    }

    fn validate(&self, _settings: &ConnectionSettings) -> Vec<SettingFault> {
        Vec::new()
    }

    async fn connect(
        &self,
        name: &ConnectionName,
        settings: &ConnectionSettings,
        endpoint: Endpoint,
    ) -> Result<Arc<dyn DatabaseConnection>, DatabaseError> {
        let attempt = |credentials: Arc<Credentials>| {
            let password = credentials.password.expose_secret().to_owned();
            self.logins.lock().unwrap().push(format!("{} {password}", credentials.username));
            let known = self.accepts.contains(&password.as_str());
            let rejected = DatabaseError::new(DatabaseErrorKind::AuthRejected, "wrong password");
            std::future::ready(if known { Ok(()) } else { Err(rejected) })
        };
        endpoint.keyring.login(settings.pool.connect_timeout, attempt).await?;
        let nobody = Keyring::fixed(name.clone(), Credentials::none());
        SqliteConnector.connect(name, &ConnectionSettings::sqlite(":memory:"), nobody.into()).await
    }
}

async fn rehearsed(
    accepts: &'static [&'static str],
    versions: &[(SecretStage, &'static str)],
    names: &[&str],
) -> (Rehearsal, Vec<String>) {
    let engine = Engine::from("scripted".to_owned());
    let server = Arc::new(Server { engine: engine.clone(), accepts, logins: Mutex::default() });
    let factory = ConnectionFactory::empty().register(server.clone());
    let cache =
        SecretCache::new(Arc::new(Store(versions.to_vec())), CacheSettings::default(), Arc::new(FakeClock::default()));
    let settings = ConnectionSettings::new(engine)
        .with_host("db.example")
        .with_username("svc")
        .with_password(PasswordSource::SecretsManager { id: "prod".to_owned() });
    let names: Vec<ConnectionName> = names.iter().map(|name| name.parse().unwrap()).collect();
    let found = rehearse(&factory, &cache, "prod", names.iter().map(|name| (name, &settings))).await;
    let logins = server.logins.lock().unwrap().clone();
    (found, logins)
}

use SecretStage::{Current, Pending, Previous};

#[tokio::test]
async fn each_way_that_a_rotation_can_stand_has_its_verdict() {
    for (accepts, versions, verdict) in [
        (&["one"] as &[_], &[(Current, "one")] as &[_], Verdict::Steady),
        (&["two"], &[(Current, "two"), (Previous, "one")], Verdict::Steady),
        (&["one", "two"], &[(Current, "one"), (Pending, "two")], Verdict::Ready),
        (&["two"], &[(Current, "one"), (Pending, "two")], Verdict::Halfway),
        (&["one"], &[(Current, "one"), (Pending, "two"), (Previous, "zero")], Verdict::TooEarly),
        (&["one"], &[(Current, "two"), (Previous, "one")], Verdict::Behind),
        (&["one"], &[(Current, "two"), (Pending, "three"), (Previous, "one")], Verdict::Behind),
        (&[], &[(Current, "two"), (Pending, "three"), (Previous, "one")], Verdict::LockedOut),
        (&[], &[(Current, "one")], Verdict::LockedOut),
        (&["one"], &[(Current, "one"), (Pending, "torn")], Verdict::Unknown),
        (&["one"], &[(Current, "away")], Verdict::Unknown),
    ] {
        let (found, logins) = rehearsed(accepts, versions, &["users"]).await;
        assert_eq!(found.connections[0].verdict(), verdict, "{found:?}");
        let mut once = logins.clone();
        once.dedup();
        assert_eq!(logins, once, "each version is tried once");
    }
}

#[tokio::test]
async fn a_version_at_two_stages_is_tried_once() {
    let (found, logins) = rehearsed(&["one"], &[(Current, "one"), (Pending, "one")], &["users"]).await;
    assert_eq!(logins, ["svc one"]);
    assert_eq!(found.connections[0].verdict(), Verdict::Steady, "a rotation that has ended may leave its label behind");
}

#[tokio::test]
async fn an_account_sees_each_wrong_password_once() {
    let versions = [(Current, "one"), (Pending, "two"), (Previous, "zero")];
    let (found, logins) = rehearsed(&["one"], &versions, &["users", "books"]).await;
    assert_eq!(logins, ["svc one", "svc two", "svc zero", "svc one"]);
    let verdicts: Vec<_> = found.connections.iter().map(Rehearsed::verdict).collect();
    assert_eq!(verdicts, [Verdict::TooEarly, Verdict::TooEarly]);
}

#[tokio::test]
async fn nothing_that_is_told_holds_a_password() {
    let versions = [(Current, "one"), (Pending, "torn"), (Previous, "zero")];
    let (found, _) = rehearsed(&["one"], &versions, &["users"]).await;
    // The versions are called as the passwords are, and stand in the list of stages alone.
    let answers = format!("{:?}", found.connections);
    assert!(answers.contains("it is not JSON") && !answers.contains("\"zero\""), "{answers}");
}
