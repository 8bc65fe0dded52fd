use std::sync::Arc;

use async_trait::async_trait;
use shared_kernel::Clock;
use shared_kernel::database::{ConnectionName, DatabaseError};

use super::cache::SecretCache;
#[cfg(feature = "aws-rds-iam")]
use super::rds_iam::{RdsTokenSettings, RdsTokens};
use super::{
    Credentials, Freshness, LocalSecrets, ManagedSecrets, PasswordSource, SecretEndpoint, SecretSource, SecretStage,
    SourceError,
};
use crate::config::SecretsConfig;
use crate::settings::ConnectionSettings;

/// Every kind of [`PasswordSource`]: what is local from here, the rest from a secrets manager where there is one.
#[derive(Debug, Clone, Default)]
pub struct ConfiguredSecrets {
    local: LocalSecrets,
    managed: Option<ManagedSecrets>,
    #[cfg(feature = "aws-rds-iam")]
    tokens: Option<RdsTokens>,
}

impl ConfiguredSecrets {
    /// Local ones alone.
    pub fn local() -> Self {
        Self::default()
    }

    /// What a configuration asks for, as far as this program was compiled for it: without the features `aws-secrets` and
    /// `aws-rds-iam`, local ones alone. Asks nobody anything yet.
    ///
    /// The connection to a shared level lives on the runtime that this is called on, or else on that of the first caller.
    ///
    /// # Errors
    /// `Misconfigured` when the connection to the shared level cannot be set up.
    #[cfg_attr(
        not(any(feature = "aws-secrets", feature = "aws-rds-iam")),
        expect(unused_variables, unused_mut, clippy::needless_pass_by_value, reason = "there is nothing to configure")
    )]
    pub fn build(config: &SecretsConfig, clock: Arc<dyn Clock>) -> Result<Self, DatabaseError> {
        let mut secrets = Self::local();
        #[cfg(feature = "aws-rds-iam")]
        {
            let settings = RdsTokenSettings { region: config.region.clone(), timeout: config.cache.timeout };
            secrets = secrets.with_tokens(RdsTokens::new(settings, Arc::clone(&clock)));
        }
        #[cfg(feature = "aws-secrets")]
        {
            let store = Arc::new(super::aws::AwsSecrets::new(super::aws::AwsSettings {
                region: config.region.clone(),
                endpoint_url: config.endpoint_url.clone(),
                timeout: config.cache.timeout,
            }));
            let alone = SecretCache::new(store.clone(), config.cache.clone(), Arc::clone(&clock));
            let cache = match &config.shared {
                None => alone,
                Some(shared) => {
                    let level = super::shared_level::open(shared, alone, Arc::clone(&clock))?;
                    SecretCache::with_shared(store, Arc::new(level), config.cache.clone(), clock)
                }
            };
            secrets = secrets.with_managed(ManagedSecrets::new(cache));
        }
        Ok(secrets)
    }

    /// Takes tokens of AWS's IAM from `tokens`.
    #[cfg(feature = "aws-rds-iam")]
    #[must_use]
    pub fn with_tokens(mut self, tokens: RdsTokens) -> Self {
        self.tokens = Some(tokens);
        self
    }

    /// Takes those of a secrets manager from `managed`.
    #[must_use]
    pub fn with_managed(mut self, managed: ManagedSecrets) -> Self {
        self.managed = Some(managed);
        self
    }

    /// The cache in front of the secrets manager.
    pub fn cache(&self) -> Option<&SecretCache> {
        self.managed.as_ref().map(ManagedSecrets::cache)
    }

    fn source(&self, settings: &ConnectionSettings) -> &dyn SecretSource {
        #[cfg(feature = "aws-rds-iam")]
        if let (PasswordSource::RdsIam { .. }, Some(tokens)) = (&settings.password, &self.tokens) {
            return tokens;
        }
        match (&settings.password, &self.managed) {
            (PasswordSource::SecretsManager { .. }, Some(managed)) => managed,
            _ => &self.local,
        }
    }
}

#[async_trait]
impl SecretSource for ConfiguredSecrets {
    async fn credentials(
        &self,
        name: &ConnectionName,
        settings: &ConnectionSettings,
        stage: SecretStage,
        freshness: Freshness<'_>,
    ) -> Result<Option<Credentials>, SourceError> {
        self.source(settings).credentials(name, settings, stage, freshness).await
    }

    async fn endpoint(
        &self,
        name: &ConnectionName,
        settings: &ConnectionSettings,
    ) -> Result<Option<SecretEndpoint>, DatabaseError> {
        self.source(settings).endpoint(name, settings).await
    }

    fn may_change(&self, settings: &ConnectionSettings) -> bool {
        self.source(settings).may_change(settings)
    }

    fn identity(&self, settings: &ConnectionSettings) -> Option<String> {
        self.source(settings).identity(settings)
    }
}
