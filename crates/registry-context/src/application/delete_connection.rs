use std::fmt;
use std::sync::Arc;

use shared_kernel::database::DatabaseError;
use shared_kernel::{RequestContext, Version};

use crate::domain::{ConnectionId, ConnectionRepository};

/// Deletes a connection for good, its secrets with it.
#[derive(Clone)]
pub struct DeleteConnection {
    connections: Arc<dyn ConnectionRepository>,
}

/// Which connection, as last read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeleteConnectionCommand {
    /// Which connection.
    pub id: ConnectionId,
    /// The version that the caller read.
    pub expected: Version,
}

/// Why a connection was not deleted.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DeleteConnectionError {
    /// There is no connection of this id.
    #[error("there is no connection {0}")]
    NotFound(ConnectionId),
    /// The connection was written since the caller read it.
    #[error("connection {id} is no longer at version {expected}")]
    Stale {
        /// Which connection.
        id: ConnectionId,
        /// The version that the caller knew.
        expected: Version,
    },
    /// The database failed.
    #[error("the connection could not be deleted")]
    Database(#[from] DatabaseError),
}

impl DeleteConnection {
    /// The use case over its port.
    pub fn new(connections: Arc<dyn ConnectionRepository>) -> Self {
        Self { connections }
    }

    /// Deletes the connection.
    ///
    /// # Errors
    /// [`DeleteConnectionError`]
    pub async fn execute(
        &self,
        command: DeleteConnectionCommand,
        context: &RequestContext,
    ) -> Result<(), DeleteConnectionError> {
        let DeleteConnectionCommand { id, expected } = command;
        if self.connections.remove(id, expected, context).await? {
            return Ok(());
        }
        match self.connections.load(id, context).await? {
            Some(_) => Err(DeleteConnectionError::Stale { id, expected }),
            None => Err(DeleteConnectionError::NotFound(id)),
        }
    }
}

impl fmt::Debug for DeleteConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeleteConnection").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::test_support::Bench;
    use crate::domain::GivenSecrets;

    #[tokio::test]
    async fn whoever_read_an_older_version_deletes_nothing() {
        let bench = Bench::default();
        let stored = bench.store("Sales", GivenSecrets::default()).await;
        let delete = DeleteConnection::new(bench.connections.clone());
        let (id, expected) = (stored.id(), stored.version());
        let stale = DeleteConnectionCommand { id, expected: expected.next() };
        let refused = delete.execute(stale, &bench.context).await;
        assert!(matches!(refused, Err(DeleteConnectionError::Stale { .. })), "{refused:?}");
        let command = DeleteConnectionCommand { id, expected };
        delete.execute(command, &bench.context).await.expect("deleted");
        let gone = delete.execute(command, &bench.context).await;
        assert!(matches!(gone, Err(DeleteConnectionError::NotFound(gone)) if gone == id), "{gone:?}");
        assert_eq!(format!("{delete:?}"), "DeleteConnection { .. }");
    }
}
