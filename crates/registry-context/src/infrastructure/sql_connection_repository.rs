use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use shared_kernel::database::{Access, Connections, DatabaseConnection, DatabaseError, SqlConnection, TransactionMode};
use shared_kernel::idempotency::{Receipt, ReceiptTable, StoreError, Stored, store};
use shared_kernel::paging::{Limit, Page};
use shared_kernel::{RequestContext, Version};

use super::{rows, statements};
use crate::domain::{
    AddConnectionError, ConnectionId, ConnectionList, ConnectionRepository, Resealable, SealedSecrets, SecretsWrite,
    StoredConnection, UpdateConnectionError,
};

/// How many ids one statement asks for. Every engine takes more parameters.
const IDS: usize = 500;

/// Connections in the tables `connections` and `connection_labels` of a SQL database.
///
/// The only unique key of `connections` beside the primary key is the folded name, so that every unique violation is a taken
/// name: engines do not agree on whether and how they tell a constraint's name.
#[derive(Clone)]
pub struct SqlConnectionRepository {
    connections: Arc<dyn Connections>,
    connection: Arc<str>,
}

impl SqlConnectionRepository {
    /// Where the receipts of creations are kept, for whoever sweeps them.
    pub const RECEIPTS: ReceiptTable = ReceiptTable::named("connection_receipts");

    /// A repository over the connection of the given name.
    pub fn new(connections: Arc<dyn Connections>, connection: &str) -> Self {
        Self { connections, connection: connection.into() }
    }

    async fn connection(
        &self,
        access: Access,
        context: &RequestContext,
    ) -> Result<Arc<dyn DatabaseConnection>, DatabaseError> {
        self.connections.get(&self.connection, access, context).await
    }

    async fn read(
        &self,
        id: ConnectionId,
        access: Access,
        context: &RequestContext,
    ) -> Result<Option<StoredConnection>, DatabaseError> {
        let connection = self.connection(access, context).await?;
        let sql = connection.sql()?;
        let row = sql.query_one(&statements::select_by_id(id, sql.dialect()), context).await?;
        row.as_ref().map(rows::connection).transpose()
    }
}

#[async_trait]
impl ConnectionRepository for SqlConnectionRepository {
    async fn find(
        &self,
        id: ConnectionId,
        context: &RequestContext,
    ) -> Result<Option<StoredConnection>, DatabaseError> {
        self.read(id, Access::Read, context).await
    }

    async fn load(
        &self,
        id: ConnectionId,
        context: &RequestContext,
    ) -> Result<Option<StoredConnection>, DatabaseError> {
        self.read(id, Access::Write, context).await
    }

    async fn list(
        &self,
        list: &ConnectionList,
        context: &RequestContext,
    ) -> Result<Page<StoredConnection>, DatabaseError> {
        let connection = self.connection(Access::Read, context).await?;
        let sql = connection.sql()?;
        let dialect = sql.dialect();
        let select = statements::select_list(&list.filter, dialect);
        let rows = statements::keyset(list).read(sql, &select, list.after.as_ref(), list.limit, context).await?;
        Page::cut(rows, list.limit, |last| rows::position(last, list.sort, dialect))
            .try_map(|row| rows::connection(&row))
    }

    async fn versions(
        &self,
        ids: &[ConnectionId],
        context: &RequestContext,
    ) -> Result<Vec<(ConnectionId, Version)>, DatabaseError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let connection = self.connection(Access::Write, context).await?;
        let sql = connection.sql()?;
        let mut versions = Vec::new();
        for ids in ids.chunks(IDS) {
            let rows = sql.query(&statements::select_versions(ids, sql.dialect()), context).await?;
            for row in &rows {
                versions.push(rows::version(row)?);
            }
        }
        Ok(versions)
    }

    async fn add(
        &self,
        connection: &StoredConnection,
        receipt: Option<&Receipt>,
        context: &RequestContext,
    ) -> Result<Stored, AddConnectionError> {
        let database = self.connection(Access::Write, context).await?;
        let sql = database.sql()?;
        let dialect = sql.dialect();
        let mut rows = vec![statements::insert(connection, dialect)];
        rows.extend(statements::insert_labels(connection, dialect));
        let receipt = receipt.map(|receipt| (Self::RECEIPTS, receipt));
        store(sql, receipt, &rows, context).await.map_err(|error| match error {
            StoreError::Database(error) if error.is_unique_violation() => AddConnectionError::NameTaken,
            StoreError::Database(error) => error.into(),
            StoreError::Idempotency(error) => error.into(),
        })
    }

    async fn update(
        &self,
        connection: &StoredConnection,
        secrets: SecretsWrite,
        expected: Version,
        context: &RequestContext,
    ) -> Result<bool, UpdateConnectionError> {
        let database = self.connection(Access::Write, context).await?;
        match update(database.sql()?, connection, secrets, expected, context).await {
            Ok(written) => Ok(written),
            Err(error) if error.is_unique_violation() => Err(UpdateConnectionError::NameTaken),
            Err(error) => Err(error.into()),
        }
    }

    async fn remove(
        &self,
        id: ConnectionId,
        expected: Version,
        context: &RequestContext,
    ) -> Result<bool, DatabaseError> {
        let connection = self.connection(Access::Write, context).await?;
        let sql = connection.sql()?;
        Ok(sql.execute(&statements::delete(id, expected, sql.dialect()), context).await? > 0)
    }

    async fn sealed_otherwise(
        &self,
        key_name: &str,
        after: Option<ConnectionId>,
        limit: Limit,
        context: &RequestContext,
    ) -> Result<Vec<Resealable>, DatabaseError> {
        let connection = self.connection(Access::Write, context).await?;
        let sql = connection.sql()?;
        let select = statements::select_sealed_otherwise(key_name, after, limit, sql.dialect());
        let rows = sql.query(&select, context).await?;
        rows.iter().filter_map(|row| rows::resealable(row).transpose()).collect()
    }

    async fn reseal(
        &self,
        id: ConnectionId,
        version: Version,
        sealed: &SealedSecrets,
        context: &RequestContext,
    ) -> Result<bool, DatabaseError> {
        let connection = self.connection(Access::Write, context).await?;
        let sql = connection.sql()?;
        Ok(sql.execute(&statements::reseal(id, version, sealed, sql.dialect()), context).await? > 0)
    }
}

/// The connection first: its row is locked from then on, and nobody else replaces its labels meanwhile.
async fn update(
    sql: &dyn SqlConnection,
    connection: &StoredConnection,
    secrets: SecretsWrite,
    expected: Version,
    context: &RequestContext,
) -> Result<bool, DatabaseError> {
    let dialect = sql.dialect();
    let transaction = sql.begin(TransactionMode::ReadWrite, context).await?;
    if transaction.execute(&statements::update(connection, secrets, expected, dialect), context).await? == 0 {
        transaction.rollback(context).await?;
        return Ok(false);
    }
    transaction.execute(&statements::delete_labels(connection.id(), dialect), context).await?;
    if let Some(insert) = statements::insert_labels(connection, dialect) {
        transaction.execute(&insert, context).await?;
    }
    transaction.commit(context).await?;
    Ok(true)
}

impl fmt::Debug for SqlConnectionRepository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlConnectionRepository").field("connection", &self.connection).finish_non_exhaustive()
    }
}
