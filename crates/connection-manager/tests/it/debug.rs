//! `Debug` of every public type is safe to log.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as expected")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::DateTime;
use connection_manager::config::{CircuitsConfig, ConfigError, ConnectionsConfig, Document, Reader, SecretsConfig};
use connection_manager::credentials::aws::{AwsSecrets, AwsSettings};
use connection_manager::credentials::cache::{
    CacheSettings, SealedLevel, SealedSettings, SealingKey, SealingKeys, SecretCache, SecretCopy,
};
use connection_manager::credentials::rds_iam::{RdsTokenSettings, RdsTokens};
use connection_manager::credentials::store::{SecretStore, SecretVersion, StoreError, StoreErrorKind};
use connection_manager::credentials::{DatabaseSecret, ManagedSecrets};
use connection_manager::drivers::mysql::MySqlDriver;
use connection_manager::drivers::postgres::PostgresDriver;
use connection_manager::{
    ConfiguredSecrets, ConnectionFactory, ConnectionManager, ConnectionSettings, Credentials, Definition, Endpoint,
    Keychain, Keyring, LocalSecrets, PasswordSource, PerTenantSettings, Pool, SecretStage, SourceError,
};
use secrecy::SecretString;
use shared_kernel::SystemClock;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, Engine};
use sqlx::mysql::MySqlConnectOptions;
use sqlx::postgres::PgConnectOptions;

use crate::pool::fake::{FakeDriver, Server, settings as limits};

const CANARY: &str = "c4nary-of-thirty-two-letters-77aa";
/// Every password of the test holds this.
const MARK: &str = "c4nary";

/// What a type is made of that can hold a secret: whoever has a field of one of these has to be printed here.
const HOLDERS: [&str; 9] = [
    "SecretString",
    "SecretBox",
    "SecretVersion",
    "Credentials",
    "PasswordSource",
    "ConnectionSettings",
    "Keyring",
    "dyn SecretSource",
    "NodeValue",
];

/// Such types without `Debug`, or that only carry what a caller put in.
const EXEMPT: [&str; 1] = ["Effective"];

#[derive(Default)]
struct Printed(BTreeMap<&'static str, String>);

impl Printed {
    #[track_caller]
    fn print(&mut self, name: &'static str, value: &impl Debug) {
        let text = format!("{value:?}\n{value:#?}");
        assert!(!text.contains(MARK), "{name} tells a secret: {text}");
        let bytes: Vec<String> = MARK.bytes().map(|byte| byte.to_string()).collect();
        assert!(!text.contains(&bytes.join(", ")), "{name} tells a secret: {text}");
        self.0.insert(name, text);
    }
}

#[tokio::test]
async fn no_public_type_prints_a_secret() {
    let mut printed = Printed::default();
    settings(&mut printed).await;
    configuration(&mut printed);
    sources(&mut printed);

    let holders = holders(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(holders.contains("ConnectionSettings") && holders.contains("Endpoint"), "the search finds what is there");
    let printed = |name: &str| printed.0.contains_key(name) || EXEMPT.contains(&name);
    let unknown: Vec<_> = holders.iter().filter(|name| !printed(name)).collect();
    assert!(unknown.is_empty(), "these can hold a secret: print them above: {unknown:?}");
}

async fn settings(printed: &mut Printed) {
    let literal = PasswordSource::Literal(SecretString::from(CANARY));
    let settings = ConnectionSettings::new(Engine::POSTGRES)
        .with_host("localhost")
        .with_database("{tenant}")
        .with_username("u")
        .with_password(literal.clone());
    let url = ConnectionSettings::from_url(&format!("postgres://u:{CANARY}@localhost/db")).unwrap();
    printed.print("ConnectionSettings", &(&settings, &url));
    printed.print("PasswordSource", &literal);
    printed
        .print("ClientIdentity", &connection_manager::ClientIdentity::new("certificate", SecretString::from(CANARY)));
    let credentials =
        Credentials { username: "u".to_owned(), password: SecretString::from(CANARY), version: "1".to_owned() };
    printed.print("Credentials", &credentials);
    let keyring = Keyring::fixed("a".parse().unwrap(), credentials);
    printed.print("Keyring", &keyring);
    let server = Arc::new(Server::default());
    let pool = Pool::new("a".parse().unwrap(), limits(3), keyring.clone(), FakeDriver(server));
    printed.print("Pool", &pool);
    printed.print("Lease", &pool.acquire(None).await.unwrap());
    printed.print("Endpoint", &Endpoint::from(keyring));
    let keychain = Keychain::default();
    let _ring = keychain.keyring(Arc::new(LocalSecrets), "a".parse().unwrap(), url.clone(), Some(5432));
    printed.print("Keychain", &keychain);
    printed.print("PerTenantSettings", &PerTenantSettings::new(settings.clone()));
    printed.print("Definition", &Definition { revision: 1, settings: url.clone() });
    let builder = ConnectionManager::builder(ConnectionFactory::compiled()).connection("a", url);
    printed.print("ManagerBuilder", &builder);
    printed.print("ConnectionManager", &builder.build().unwrap());
    printed.print("ConnectionFactory", &ConnectionFactory::compiled());
    for url in [
        "mysql://u:c4nary@[bad",
        "postgres://u:c4nary@h:99999/d",
        "mysql://u:c4nary@h/d?tls=none",
        "mysql://u:c4nary%ff@h/d",
    ] {
        let error = ConnectionSettings::from_url(url).unwrap_err();
        printed.print("InvalidUrl", &(&error, error.to_string()));
    }
}

fn configuration(printed: &mut Printed) {
    let text = format!(
        "[connections.a]\nengine = \"mysql\"\nhost = \"h\"\ndatabase = \"d\"\nusername = \"u\"\npassword = \"{CANARY}\"\n\
         options = {{ a = [\"{CANARY}\"] }}\nport = \"{CANARY}\"\n"
    );
    let document = Document::parse("f", &text)
        .unwrap()
        .overlay("P_", [("P_CONNECTIONS__A__PASSWORD".to_owned(), CANARY.to_owned())]);
    printed.print("Document", &document);
    let reader = Reader::new(&document);
    let root = reader.root();
    let connections = ConnectionsConfig::read(&root, &ConnectionFactory::compiled());
    printed.print("ConnectionsConfig", &connections);
    printed.print("SecretsConfig", &SecretsConfig::read(&root, &connections));
    printed.print("Section", &(&root, &root.section("connections").section("a")));
    let error: ConfigError = reader.finish().unwrap_err();
    printed.print("Reader", &reader);
    printed.print("Fault", &error.0);
    printed.print("ConfigError", &(&error, error.to_string().lines().collect::<Vec<_>>()));
    for text in [format!("password = \"{CANARY}"), format!("a = {CANARY}"), format!("a = 1 \"{CANARY}\"")] {
        // The parser's excerpt of the file would show whatever stands there.
        let error = Document::parse("f", &text).unwrap_err();
        printed.print("ConfigError", &(&error, error.to_string()));
    }

    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    fs::write(&key, "YzRuYXJ5LW9mLXRoaXJ0eS10d28tbGV0dGVycy03N2E=").unwrap();
    #[cfg(unix)]
    fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let text = format!(
        "[connections.cache]\nengine = \"redis\"\nhost = \"h\"\n[secrets.shared]\nconnection = \"cache\"\n\
         [circuits]\nconnection = \"cache\"\n[secrets.shared.keys]\none = {{ file = {:?} }}\n",
        key.to_str().unwrap()
    );
    let password = ("P_CONNECTIONS__CACHE__PASSWORD".to_owned(), CANARY.to_owned());
    let document = Document::parse("f", &text).unwrap().overlay("P_", [password]);
    let reader = Reader::new(&document);
    let connections = ConnectionsConfig::read(&reader.root(), &ConnectionFactory::compiled());
    let secrets = SecretsConfig::read(&reader.root(), &connections);
    let shared = secrets.shared.as_ref().expect("a level with a key");
    printed.print("SharedSecretsConfig", shared);
    printed.print("SealingConfig", &shared.sealing);
    printed.print("SecretsConfig", &secrets);
    let circuits = CircuitsConfig::read(&reader.root(), &connections).expect("a board");
    printed.print("CircuitsConfig", &circuits);
    printed.print("CircuitBoard", &circuits.board(Arc::new(LocalSecrets)).unwrap());
}

fn sources(printed: &mut Printed) {
    let key = || SealingKey::try_new("one", &CANARY.as_bytes()[..32]).unwrap();
    printed.print("SealingKey", &key());
    let keys = SealingKeys::try_new(key(), []).unwrap();
    printed.print("SealingKeys", &keys);
    let manager = ConnectionManager::builder(ConnectionFactory::compiled()).build().unwrap();
    let clock = Arc::new(SystemClock);
    let level = SealedLevel::new(Arc::new(manager), keys, SealedSettings::new("cache"), clock.clone());
    printed.print("SealedLevel", &level);
    let version = || SecretVersion { version: "1".to_owned(), content: SecretString::from(CANARY) };
    printed.print("SecretVersion", &version());
    let cache = SecretCache::with_shared(Arc::new(Store(version())), Arc::new(level), CacheSettings::default(), clock);
    printed.print("SecretCache", &cache);
    let source = ManagedSecrets::new(cache);
    printed.print("ManagedSecrets", &source);
    printed.print("ConfiguredSecrets", &ConfiguredSecrets::local().with_managed(source));
    printed.print("LocalSecrets", &LocalSecrets);
    let tokens =
        RdsTokens::new(RdsTokenSettings { region: None, timeout: Duration::from_secs(1) }, Arc::new(SystemClock));
    printed.print("RdsTokens", &tokens);
    printed.print("AwsSecrets", &AwsSecrets::new(AwsSettings::default()));
    for content in [
        format!(r#"{{"username":"u","password":"{CANARY}"}}"#),
        format!(r#"{{"username":"u","password":"{CANARY}"#),
        format!(r#"{{"username":"u","password":["{CANARY}"]}}"#),
        format!(r#"{{"username":"u","password":"p","port":"{CANARY}"}}"#),
        format!(r#"{{"username":"u","pasword":"{CANARY}"}}"#),
        CANARY.to_owned(),
    ] {
        match DatabaseSecret::parse(&SecretString::from(content)) {
            Ok(secret) => printed.print("DatabaseSecret", &secret),
            Err(error) => {
                printed.print("InvalidSecret", &(&error, error.to_string()));
                let told = StoreError::new(StoreErrorKind::Refused, error.to_string());
                printed.print("StoreError", &(&told, told.to_string()));
                let told =
                    DatabaseError::new(DatabaseErrorKind::SecretUnavailable, told.to_string()).with_source(error);
                printed.print("SourceError", &SourceError::from(told));
            }
        }
    }
    let long_ago = DateTime::UNIX_EPOCH;
    let copy = SecretCopy { version: Some(version()), fetched: long_ago, due: long_ago, expires: long_ago };
    printed.print("SecretCopy", &copy);
    // The options themselves print passwords.
    printed.print("MySqlDriver", &MySqlDriver::new(MySqlConnectOptions::new().password(CANARY)));
    printed.print("PostgresDriver", &PostgresDriver::new(PgConnectOptions::new_without_pgpass().password(CANARY)));
}

#[derive(Debug)]
struct Store(SecretVersion);

#[async_trait]
impl SecretStore for Store {
    async fn fetch(&self, _: &str, _: SecretStage) -> Result<Option<SecretVersion>, StoreError> {
        Ok(Some(self.0.clone()))
    }
}

/// The names of the public structs and enums in a folder of sources that have a field of a [holder](HOLDERS).
fn holders(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holders(&path));
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let mut lines = text.lines();
        while let Some(line) = lines.next() {
            let Some(rest) = line.strip_prefix("pub struct ").or_else(|| line.strip_prefix("pub enum ")) else {
                continue;
            };
            let mut body = line.to_owned();
            if !line.ends_with(';') && !line.ends_with("{}") {
                body.extend(
                    lines.by_ref().take_while(|line| *line != "}").filter(|line| !line.trim().starts_with("//")),
                );
            }
            if HOLDERS.iter().any(|holder| body.contains(holder)) {
                found.insert(rest.chars().take_while(|letter| letter.is_alphanumeric()).collect());
            }
        }
    }
    found
}
