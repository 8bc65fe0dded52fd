//! An emulator with secrets of a test's own, and sources that read them.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::{BehaviorVersion, Credentials, Region};
use connection_manager::credentials::ManagedSecrets;
use connection_manager::credentials::aws::{AwsSecrets, AwsSettings};
use connection_manager::credentials::cache::{CacheSettings, SecretCache};
use connection_manager::{ConnectionSettings, PasswordSource};
use shared_kernel::database::{ConnectionName, Engine};
use shared_kernel::{IdGenerator as _, SystemIdGenerator};
use testkit::FakeClock;

use super::front::Front;

/// What must never be seen outside.
pub(super) const CANARY: &str = "canary-5f1c9e";

pub(super) struct Desk {
    pub(super) front: Front,
    pub(super) clock: Arc<FakeClock>,
    /// Goes past the front.
    client: Client,
    prefix: String,
}

impl Desk {
    pub(super) async fn open() -> Self {
        let emulator = emulator();
        Self {
            front: Front::start(&emulator).await,
            clock: Arc::default(),
            client: client(&emulator),
            // Not the number of the process: the emulator may outlive many of them.
            prefix: format!("test/{}", SystemIdGenerator.next().simple()),
        }
    }

    pub(super) fn id(&self, name: &str) -> String {
        format!("{}/{name}", self.prefix)
    }

    /// Makes a secret, and returns its ARN and the name of its first version.
    pub(super) async fn create(&self, name: &str, content: &str) -> (String, String) {
        let made = self.client.create_secret().name(self.id(name)).secret_string(content).send().await.unwrap();
        (made.arn.unwrap(), made.version_id.unwrap())
    }

    /// Adds a version at a stage and returns its name.
    pub(super) async fn put(&self, name: &str, stage: &str, content: &str) -> String {
        let put = self.client.put_secret_value().secret_id(self.id(name)).secret_string(content).version_stages(stage);
        put.send().await.unwrap().version_id.unwrap()
    }

    /// Makes `new` the current version in `old`'s place.
    pub(super) async fn promote(&self, name: &str, old: &str, new: &str) {
        let move_it = self.client.update_secret_version_stage().secret_id(self.id(name)).version_stage("AWSCURRENT");
        move_it.remove_from_version_id(old).move_to_version_id(new).send().await.unwrap();
    }

    pub(super) async fn delete(&self, name: &str) {
        self.client.delete_secret().secret_id(self.id(name)).send().await.unwrap();
    }

    /// A client of Secrets Manager through the front.
    pub(super) fn store(&self) -> AwsSecrets {
        store(self.front.url())
    }

    pub(super) fn cache(&self) -> SecretCache {
        SecretCache::new(Arc::new(self.store()), CacheSettings::default(), self.clock.clone())
    }

    pub(super) fn source(&self) -> ManagedSecrets {
        ManagedSecrets::new(self.cache())
    }
}

/// A client of Secrets Manager at some address, which gives up after two seconds.
pub(super) fn store(url: &str) -> AwsSecrets {
    AwsSecrets::with_client(client(url), AwsSettings { timeout: Duration::from_secs(2), ..AwsSettings::default() })
}

fn client(url: &str) -> Client {
    let config = aws_sdk_secretsmanager::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("emulated", "emulated", None, None, "test"))
        .endpoint_url(url);
    Client::from_conf(config.build())
}

pub(super) fn name() -> ConnectionName {
    "users".parse().unwrap()
}

/// Settings of a connection whose password is a secret and that say nothing else.
pub(super) fn settings(engine: Engine, id: String) -> ConnectionSettings {
    ConnectionSettings::new(engine).with_password(PasswordSource::SecretsManager { id })
}

pub(super) fn emulator() -> String {
    environment("BINDERY_TEST_AWS_URL")
}

pub(super) fn environment(variable: &str) -> String {
    optional(variable).unwrap_or_else(|| panic!("{variable} is not set; run it through `cargo xtask test`"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests are told through the environment where the servers are, and a process of theirs what to do"
)]
pub(super) fn optional(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|value| !value.is_empty())
}
