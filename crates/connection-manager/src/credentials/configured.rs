use std::sync::Arc;

use async_trait::async_trait;
use shared_kernel::Clock;
use shared_kernel::database::{ConnectionName, DatabaseError};

use super::cache::SecretCache;
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
}

impl ConfiguredSecrets {
    /// Local ones alone.
    pub fn local() -> Self {
        Self::default()
    }

    /// What a configuration asks for, as far as this program was compiled for it: without the feature `aws-secrets`, local
    /// ones alone. Asks nobody anything yet.
    ///
    /// The connection to a shared level lives on the runtime that this is called on, or else on that of the first caller.
    ///
    /// # Errors
    /// `Misconfigured` when the connection to the shared level cannot be set up.
    #[cfg_attr(
        not(feature = "aws-secrets"),
        expect(unused_variables, clippy::needless_pass_by_value, reason = "there is nothing to configure")
    )]
    pub fn build(config: &SecretsConfig, clock: Arc<dyn Clock>) -> Result<Self, DatabaseError> {
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
            Ok(Self::local().with_managed(ManagedSecrets::new(cache)))
        }
        #[cfg(not(feature = "aws-secrets"))]
        Ok(Self::local())
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
