use std::fmt;
use std::sync::Arc;

use shared_kernel::RequestContext;
use shared_kernel::database::DatabaseError;
use shared_kernel::paging::Page;

use crate::domain::{ConnectionId, ConnectionList, ConnectionRepository, StoredConnection};

/// Reads one connection. Its secrets stay sealed.
#[derive(Clone)]
pub struct ReadConnection {
    connections: Arc<dyn ConnectionRepository>,
}

/// Why a connection was not read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReadConnectionError {
    /// There is no connection of this id.
    #[error("there is no connection {0}")]
    NotFound(ConnectionId),
    /// The database failed.
    #[error("the connection could not be read")]
    Database(#[from] DatabaseError),
}

impl ReadConnection {
    /// The use case over its port.
    pub fn new(connections: Arc<dyn ConnectionRepository>) -> Self {
        Self { connections }
    }

    /// Reads the connection.
    ///
    /// # Errors
    /// [`ReadConnectionError`]
    pub async fn execute(
        &self,
        id: ConnectionId,
        context: &RequestContext,
    ) -> Result<StoredConnection, ReadConnectionError> {
        self.connections.find(id, context).await?.ok_or(ReadConnectionError::NotFound(id))
    }
}

impl fmt::Debug for ReadConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadConnection").finish_non_exhaustive()
    }
}

/// Lists connections, a page at a time.
#[derive(Clone)]
pub struct ListConnections {
    connections: Arc<dyn ConnectionRepository>,
}

/// Why connections were not listed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ListConnectionsError {
    /// The position belongs to a list in another order.
    #[error("the position does not belong to this list")]
    ForeignPosition,
    /// The database failed.
    #[error("the connections could not be listed")]
    Database(#[from] DatabaseError),
}

impl ListConnections {
    /// The use case over its port.
    pub fn new(connections: Arc<dyn ConnectionRepository>) -> Self {
        Self { connections }
    }

    /// Reads a page. Connections that are not written meanwhile come exactly once over all pages, whatever becomes of others.
    ///
    /// # Errors
    /// [`ListConnectionsError`]
    pub async fn execute(
        &self,
        list: &ConnectionList,
        context: &RequestContext,
    ) -> Result<Page<StoredConnection>, ListConnectionsError> {
        if list.after.as_ref().is_some_and(|position| !list.sort.accepts(position)) {
            return Err(ListConnectionsError::ForeignPosition);
        }
        Ok(self.connections.list(list, context).await?)
    }
}

impl fmt::Debug for ListConnections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListConnections").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use shared_kernel::paging::{Position, SortKey};
    use uuid::Uuid;

    use super::*;
    use crate::application::test_support::{Bench, Fault};
    use crate::domain::GivenSecrets;

    #[tokio::test]
    async fn what_is_there_is_read_and_listed() {
        let bench = Bench::default();
        let stored = bench.store("Sales", GivenSecrets::default()).await;
        let (read, list) =
            (ReadConnection::new(bench.connections.clone()), ListConnections::new(bench.connections.clone()));
        assert_eq!(read.execute(stored.id(), &bench.context).await.expect("there"), stored);
        let page = list.execute(&ConnectionList::default(), &bench.context).await.expect("a page");
        assert_eq!(page.items, [stored]);
        let absent = ConnectionId::new(Uuid::nil());
        let missing = read.execute(absent, &bench.context).await;
        assert!(matches!(missing, Err(ReadConnectionError::NotFound(id)) if id == absent), "{missing:?}");
        let position = Position { key: Some(SortKey::Integer(1)), id: Uuid::nil() };
        let foreign = ConnectionList { after: Some(position), ..ConnectionList::default() };
        let foreign = list.execute(&foreign, &bench.context).await;
        assert!(matches!(foreign, Err(ListConnectionsError::ForeignPosition)), "{foreign:?}");
        bench.connections.fail_with(Fault::Away);
        let away = read.execute(absent, &bench.context).await;
        assert!(matches!(&away, Err(ReadConnectionError::Database(error)) if error.is_unavailable()), "{away:?}");
        let away = list.execute(&ConnectionList::default(), &bench.context).await;
        assert!(matches!(&away, Err(ListConnectionsError::Database(error)) if error.is_unavailable()), "{away:?}");
        assert_eq!(format!("{read:?} {list:?}"), "ReadConnection { .. } ListConnections { .. }");
    }
}
