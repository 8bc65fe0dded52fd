//! AWS Secrets Manager.

mod error;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;
use secrecy::SecretString;
use tokio::sync::OnceCell;

use super::SecretStage;
use super::store::{SecretStore, SecretVersion, StoreError, StoreErrorKind};

/// How often one question is tried within its limit, as the SDK does for throttling, 5xx and broken connections.
const ATTEMPTS: u32 = 3;

/// How AWS Secrets Manager is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsSettings {
    /// The region; `None` leaves it to the SDK's usual places (`AWS_REGION`, the profile, the instance).
    pub region: Option<String>,
    /// Another address than AWS's own, such as that of an emulator or a private endpoint.
    pub endpoint_url: Option<String>,
    /// How long one question may take, with all tries.
    pub timeout: Duration,
}

impl Default for AwsSettings {
    fn default() -> Self {
        Self { region: None, endpoint_url: None, timeout: Duration::from_secs(5) }
    }
}

/// AWS Secrets Manager as a [`SecretStore`]. Who the process is, it finds out in the SDK's usual ways.
///
/// Nothing is asked before the first question: a program without such a secret needs no AWS account.
pub struct AwsSecrets {
    settings: AwsSettings,
    client: OnceCell<Client>,
}

impl AwsSecrets {
    /// A client of its own.
    pub fn new(settings: AwsSettings) -> Self {
        Self { settings, client: OnceCell::new() }
    }

    /// A client that the program has already; its time limits are the program's.
    pub fn with_client(client: Client, settings: AwsSettings) -> Self {
        Self { settings, client: OnceCell::new_with(Some(client)) }
    }

    /// The SDK's client, for what is not read through the cache.
    ///
    /// # Errors
    /// [`StoreError`] when there is no region.
    pub async fn client(&self) -> Result<&Client, StoreError> {
        self.client.get_or_try_init(|| self.connect()).await
    }

    async fn connect(&self) -> Result<Client, StoreError> {
        let limit = self.settings.timeout;
        let limits = TimeoutConfig::builder()
            .connect_timeout(limit.min(Duration::from_secs(3)))
            .operation_attempt_timeout(limit)
            .operation_timeout(limit);
        let retries = RetryConfig::standard().with_max_attempts(ATTEMPTS);
        let mut loader = aws_config::defaults(BehaviorVersion::latest());
        loader = loader.timeout_config(limits.build()).retry_config(retries);
        if let Some(region) = &self.settings.region {
            loader = loader.region(Region::new(region.clone()));
        }
        let shared = loader.load().await;
        if shared.region().is_none() {
            let message = "no AWS region is known; set `region` in [secrets], or AWS_REGION";
            return Err(StoreError::new(StoreErrorKind::Refused, message));
        }
        Ok(self.client_of(&shared))
    }

    fn client_of(&self, shared: &SdkConfig) -> Client {
        let mut config = aws_sdk_secretsmanager::config::Builder::from(shared);
        // The address is that of this service; who the process is may have to be found out at another's. Without one, what
        // the SDK found stays, such as `AWS_ENDPOINT_URL`.
        if let Some(url) = &self.settings.endpoint_url {
            config = config.endpoint_url(url);
        }
        Client::from_conf(config.build())
    }

    async fn ask(&self, id: &str, stage: SecretStage) -> Result<Option<SecretVersion>, StoreError> {
        // The stage is always sent: without it, what counts as current is left to the other side.
        let question = self.client().await?.get_secret_value().secret_id(id).version_stage(stage.label());
        match question.send().await {
            Ok(answer) => version(id, answer).map(Some),
            Err(error) => match error::typed(id, stage, &error) {
                // AWS says the same of a secret that it does not have and of a stage that a secret does not have.
                error if error.kind() == StoreErrorKind::NotFound && stage != SecretStage::Current => Ok(None),
                error => Err(error),
            },
        }
    }
}

fn version(id: &str, answer: GetSecretValueOutput) -> Result<SecretVersion, StoreError> {
    let refused = |what: &str| StoreError::new(StoreErrorKind::Refused, format!("the secret `{id}` {what}"));
    let version = answer.version_id.ok_or_else(|| refused("came without the name of its version"))?;
    let content = answer.secret_string.ok_or_else(|| refused("is binary, expected text"))?;
    Ok(SecretVersion { version, content: SecretString::from(content) })
}

#[async_trait]
impl SecretStore for AwsSecrets {
    async fn fetch(&self, id: &str, stage: SecretStage) -> Result<Option<SecretVersion>, StoreError> {
        // The SDK's own limit does not count finding out who the process is and where.
        let limit = self.settings.timeout;
        tokio::time::timeout(limit, self.ask(id, stage)).await.unwrap_or_else(|_| {
            let message = format!("AWS Secrets Manager did not answer about `{id}` within {} ms", limit.as_millis());
            Err(StoreError::new(StoreErrorKind::Unavailable, message))
        })
    }
}

impl fmt::Debug for AwsSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsSecrets").field("settings", &self.settings).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_secretsmanager::config::{Credentials, SharedCredentialsProvider};
    use tokio::net::TcpListener;

    use super::*;

    /// Whose door is knocked on when the SDK has found `found` and the settings say `set`.
    async fn asked(found: &TcpListener, set: Option<&TcpListener>) -> &'static str {
        let url = |listener: &TcpListener| format!("http://{}", listener.local_addr().unwrap());
        let shared = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new("a", "b", None, None, "test")))
            .endpoint_url(url(found))
            .build();
        let settings = AwsSettings { endpoint_url: set.map(url), ..AwsSettings::default() };
        let client = AwsSecrets::new(settings).client_of(&shared);
        let asking = tokio::spawn(async move { client.get_secret_value().secret_id("x").send().await.is_ok() });
        let other = async {
            match set {
                Some(set) => set.accept().await,
                None => std::future::pending().await,
            }
        };
        let door = tokio::select! {
            knock = found.accept() => knock.map(|_| "what the SDK found"),
            knock = other => knock.map(|_| "what the settings say"),
        };
        asking.abort();
        door.unwrap()
    }

    #[tokio::test]
    async fn an_address_that_the_sdk_found_is_kept_unless_the_settings_name_one() {
        let (found, set) =
            (TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap());
        assert_eq!(asked(&found, None).await, "what the SDK found");
        assert_eq!(asked(&found, Some(&set)).await, "what the settings say");
    }
}
