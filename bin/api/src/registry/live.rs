use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use connection_manager::{ConnectionManager, Definition, Definitions, PasswordSource};
use registry_context::application::{RevealConnection, RevealConnectionError, Revealed};
use registry_context::domain::{self, ConnectionId, Engines, Held};
use secrecy::SecretString;
use shared_kernel::database::{Access, Connections as _, DatabaseError, DatabaseErrorKind};
use shared_kernel::{RequestContext, Version};

use super::{ManagedEngines, quiet_since};

/// Stored connections as the manager asks for them: under `registry/` and the connection's id.
pub(crate) struct StoredDefinitions {
    reveal: RevealConnection,
    engines: Arc<ManagedEngines>,
}

impl StoredDefinitions {
    /// What stands before the ids. No connection of the configuration may be called so.
    pub(crate) const PREFIX: &str = "registry";

    pub(crate) fn new(reveal: RevealConnection, engines: Arc<ManagedEngines>) -> Self {
        Self { reveal, engines }
    }

    /// The name under which the manager has a connection.
    pub(crate) fn name(id: ConnectionId) -> String {
        format!("{}/{id}", Self::PREFIX)
    }
}

#[async_trait]
impl Definitions for StoredDefinitions {
    async fn definition(&self, id: &str) -> Result<Option<Definition>, DatabaseError> {
        // One spelling alone is an id, or one connection would have several pools.
        let Some(id) = id.parse::<ConnectionId>().ok().filter(|parsed| parsed.to_string() == id) else {
            return Ok(None);
        };
        let Revealed { definition, secrets, version } = match self.reveal.execute(id, &RequestContext::system()).await {
            Ok(revealed) => revealed,
            Err(RevealConnectionError::NotFound(_)) => return Ok(None),
            Err(RevealConnectionError::Database(error)) => return Err(error),
            Err(error @ RevealConnectionError::Sealing(_)) => {
                let message = "the secrets of a stored connection do not open";
                return Err(DatabaseError::new(DatabaseErrorKind::SecretUnavailable, message).with_source(error));
            }
        };
        let held = Held { password: secrets.password.is_some(), client_key: secrets.client_key.is_some() };
        self.usable(&definition, held)?;
        let password = password(&definition, secrets.password.as_ref());
        let settings = self.engines.settings(&definition, password, secrets.client_key);
        Ok(Some(Definition { revision: revision(version), settings }))
    }

    async fn revisions(&self, ids: &[&str]) -> Result<HashMap<String, u64>, DatabaseError> {
        let ids: Vec<ConnectionId> = ids.iter().filter_map(|id| id.parse().ok()).collect();
        let versions = self.reveal.versions(&ids, &RequestContext::system()).await?;
        Ok(versions.into_iter().map(|(id, version)| (id.to_string(), revision(version))).collect())
    }
}

impl StoredDefinitions {
    /// What was stored may lack what was dropped since, or what the service's configuration no longer allows. Above all, no
    /// engine logs in with what the service itself is allowed to.
    fn usable(&self, definition: &domain::Definition, held: Held) -> Result<(), DatabaseError> {
        let Some(engine) = self.engines.find(definition.engine.as_str()) else {
            return Err(misconfigured("its engine is none of this service's"));
        };
        let mut violations = definition.faults(held, &engine);
        if violations.is_empty() {
            violations = self.engines.check(definition, held);
        }
        if violations.is_empty() { Ok(()) } else { Err(misconfigured(&violations.to_string())) }
    }
}

impl fmt::Debug for StoredDefinitions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredDefinitions").finish_non_exhaustive()
    }
}

fn misconfigured(what: &str) -> DatabaseError {
    DatabaseError::new(DatabaseErrorKind::Misconfigured, format!("the stored connection cannot be used: {what}"))
}

fn revision(version: Version) -> u64 {
    version.get().unsigned_abs()
}

/// Where a definition has its password.
pub(super) fn password(definition: &domain::Definition, own: Option<&SecretString>) -> PasswordSource {
    match (&definition.secret, own) {
        (Some(secret), _) => PasswordSource::SecretsManager { id: secret.to_string() },
        (None, Some(password)) => PasswordSource::Literal(password.clone()),
        (None, None) => PasswordSource::None,
    }
}

/// The manager's connections to what is stored, as the endpoints use them.
#[derive(Debug, Clone)]
pub(crate) struct LiveConnections(ConnectionManager);

impl LiveConnections {
    pub(crate) fn new(manager: ConnectionManager) -> Self {
        Self(manager)
    }

    /// Has a change count here at once; other instances notice it by themselves.
    pub(crate) fn redefined(&self, id: ConnectionId) {
        self.0.redefined(&StoredDefinitions::name(id));
    }

    /// The databases that a stored connection's user may use.
    pub(crate) async fn databases(
        &self,
        id: ConnectionId,
        limit: usize,
        context: &RequestContext,
    ) -> Result<Vec<String>, DatabaseError> {
        let began = Instant::now();
        let listed = async {
            let connection = self.0.get(&StoredDefinitions::name(id), Access::Read, context).await?;
            connection.catalog()?.databases(limit, context).await
        }
        .await;
        if listed.as_ref().is_err_and(is_unreached) {
            quiet_since(began).await;
        }
        listed
    }
}

fn is_unreached(error: &DatabaseError) -> bool {
    matches!(error.kind(), DatabaseErrorKind::Unreachable | DatabaseErrorKind::CircuitOpen | DatabaseErrorKind::Timeout)
}
