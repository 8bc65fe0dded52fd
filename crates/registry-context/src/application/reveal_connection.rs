use std::fmt;
use std::sync::Arc;

use shared_kernel::database::DatabaseError;
use shared_kernel::{RequestContext, Version};

use crate::domain::{ConnectionId, ConnectionRepository, Definition, Sealer, SealerError, Secrets};

/// Opens a stored connection's secrets, for what connects to it and for nobody else.
#[derive(Clone)]
pub struct RevealConnection {
    connections: Arc<dyn ConnectionRepository>,
    sealer: Arc<dyn Sealer>,
}

/// A connection as it is needed to connect. `Debug` shows no secret.
#[derive(Debug, Clone)]
pub struct Revealed {
    /// Where it leads.
    pub definition: Definition,
    /// Its secrets.
    pub secrets: Secrets,
    /// The version that this is: whoever keeps it open compares.
    pub version: Version,
}

/// Why a connection was not opened.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RevealConnectionError {
    /// There is no connection of this id.
    #[error("there is no connection {0}")]
    NotFound(ConnectionId),
    /// Its secrets do not open.
    #[error("the secrets could not be opened")]
    Sealing(#[from] SealerError),
    /// The database failed.
    #[error("the connection could not be read")]
    Database(#[from] DatabaseError),
}

impl RevealConnection {
    /// The use case over its ports.
    pub fn new(connections: Arc<dyn ConnectionRepository>, sealer: Arc<dyn Sealer>) -> Self {
        Self { connections, sealer }
    }

    /// Reads the connection in its present state and opens its secrets.
    ///
    /// # Errors
    /// [`RevealConnectionError`]
    pub async fn execute(&self, id: ConnectionId, context: &RequestContext) -> Result<Revealed, RevealConnectionError> {
        let stored = self.connections.load(id, context).await?.ok_or(RevealConnectionError::NotFound(id))?;
        let secrets = match stored.sealed() {
            Some(sealed) => self.sealer.open(id, sealed)?,
            None => Secrets::default(),
        };
        Ok(Revealed { definition: stored.definition().clone(), secrets, version: stored.version() })
    }

    /// The present versions of those of these connections that are still there: whoever keeps connections open learns of
    /// changes and deletions by it.
    ///
    /// # Errors
    /// What the database says.
    pub async fn versions(
        &self,
        ids: &[ConnectionId],
        context: &RequestContext,
    ) -> Result<Vec<(ConnectionId, Version)>, DatabaseError> {
        self.connections.versions(ids, context).await
    }
}

impl fmt::Debug for RevealConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RevealConnection").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use secrecy::{ExposeSecret as _, SecretString};
    use uuid::Uuid;

    use super::*;
    use crate::application::test_support::{Bench, CANARY, password};
    use crate::domain::GivenSecrets;

    #[tokio::test]
    async fn what_connects_gets_the_secrets_and_the_version() {
        let bench = Bench::default();
        let stored = bench.store("Sales", password(CANARY)).await;
        let reveal = RevealConnection::new(bench.connections.clone(), bench.sealer.clone());
        let revealed = reveal.execute(stored.id(), &bench.context).await.expect("it opens");
        let password = revealed.secrets.password.as_ref().map(SecretString::expose_secret);
        assert_eq!(password, Some(CANARY));
        assert_eq!((&revealed.definition, revealed.version), (stored.definition(), stored.version()));
        assert!(!format!("{revealed:?}").contains("p@ss"));
        let plain = bench.store("Plain", GivenSecrets::default()).await;
        assert!(reveal.execute(plain.id(), &bench.context).await.expect("nothing to open").secrets.is_empty());
        let absent = ConnectionId::new(Uuid::nil());
        let versions = reveal.versions(&[stored.id(), absent], &bench.context).await.expect("versions");
        assert_eq!(versions, [(stored.id(), stored.version())]);
        let missing = reveal.execute(absent, &bench.context).await;
        assert!(matches!(missing, Err(RevealConnectionError::NotFound(_))), "{missing:?}");
        bench.sealer.forget();
        let closed = reveal.execute(stored.id(), &bench.context).await;
        assert!(matches!(closed, Err(RevealConnectionError::Sealing(_))), "{closed:?}");
        assert_eq!(format!("{reveal:?}"), "RevealConnection { .. }");
    }
}
