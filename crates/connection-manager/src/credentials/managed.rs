use async_trait::async_trait;
use shared_kernel::database::{ConnectionName, DatabaseError, DatabaseErrorKind};

use super::cache::SecretCache;
use super::store::{StoreError, StoreErrorKind};
use super::{
    Credentials, DatabaseSecret, Freshness, InvalidSecret, PasswordSource, SecretEndpoint, SecretSource, SecretStage,
    SourceError, default_user,
};
use crate::settings::ConnectionSettings;

/// Credentials out of a secrets manager, through a cache, for connections with [`PasswordSource::SecretsManager`].
#[derive(Debug, Clone)]
pub struct ManagedSecrets {
    cache: SecretCache,
}

impl ManagedSecrets {
    /// Reads through `cache`.
    pub fn new(cache: SecretCache) -> Self {
        Self { cache }
    }

    /// The cache.
    pub fn cache(&self) -> &SecretCache {
        &self.cache
    }

    /// The secret with its id and its version's name.
    async fn secret<'s>(
        &self,
        name: &ConnectionName,
        settings: &'s ConnectionSettings,
        stage: SecretStage,
        freshness: Freshness<'_>,
    ) -> Result<Option<(&'s str, String, DatabaseSecret)>, SourceError> {
        let PasswordSource::SecretsManager { id } = &settings.password else {
            let message = "the password is not kept by a secrets manager";
            return Err(DatabaseError::new(DatabaseErrorKind::SecretUnavailable, message).on(name).into());
        };
        let found = self.cache.get(id, stage, freshness).await;
        let found = found.map_err(|error| {
            let vouched = error.allows_stale() && self.cache.is_vouched_for(id, SecretStage::Current);
            let told = SourceError::from(unanswered(id, stage, error).on(name));
            if vouched { told.earlier_answers_count() } else { told }
        })?;
        let Some(found) = found else { return Ok(None) };
        let secret = DatabaseSecret::parse(&found.content)
            .map_err(|error| invalid(id, stage, &found.version).with_source(error).on(name))?;
        if !secret.is_for(&settings.engine) {
            let message =
                format!("the secret `{id}` names another engine than the connection's, `{}`", settings.engine);
            return Err(DatabaseError::new(DatabaseErrorKind::SecretUnavailable, message).on(name).into());
        }
        Ok(Some((id, found.version, secret)))
    }
}

#[async_trait]
impl SecretSource for ManagedSecrets {
    async fn credentials(
        &self,
        name: &ConnectionName,
        settings: &ConnectionSettings,
        stage: SecretStage,
        freshness: Freshness<'_>,
    ) -> Result<Option<Credentials>, SourceError> {
        let Some((id, version, secret)) = self.secret(name, settings, stage, freshness).await? else { return Ok(None) };
        // The secret's comes first: a rotation may change the user as well.
        let username = secret.username.or_else(|| settings.username.clone());
        let Some(username) = username.or_else(|| default_user(&settings.engine).map(str::to_owned)) else {
            let error = invalid(id, stage, &version).with_source(InvalidSecret::Missing("username"));
            return Err(error.on(name).into());
        };
        Ok(Some(Credentials { username, password: secret.password, version }))
    }

    async fn endpoint(
        &self,
        name: &ConnectionName,
        settings: &ConnectionSettings,
    ) -> Result<Option<SecretEndpoint>, DatabaseError> {
        let found = self.secret(name, settings, SecretStage::Current, Freshness::Cached).await?;
        Ok(found.map(|(.., secret)| secret.endpoint))
    }

    fn may_change(&self, _settings: &ConnectionSettings) -> bool {
        true
    }

    fn identity(&self, settings: &ConnectionSettings) -> Option<String> {
        match &settings.password {
            PasswordSource::SecretsManager { id } => Some(format!("secrets-manager:{id}")),
            _ => None,
        }
    }
}

fn unanswered(id: &str, stage: SecretStage, error: StoreError) -> DatabaseError {
    let message = match error.kind() {
        StoreErrorKind::NotFound => format!("the secret `{id}` ({stage}) does not exist"),
        StoreErrorKind::Denied => format!("the secret `{id}` ({stage}) may not be read"),
        StoreErrorKind::Refused | StoreErrorKind::Unavailable => format!("the secret `{id}` ({stage}) cannot be read"),
    };
    DatabaseError::new(DatabaseErrorKind::SecretUnavailable, message).with_source(error)
}

fn invalid(id: &str, stage: SecretStage, version: &str) -> DatabaseError {
    let message = format!("the secret `{id}` ({stage}, version {version}) is not in the form of a database's secret");
    DatabaseError::new(DatabaseErrorKind::SecretUnavailable, message)
}
