use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use sea_query::{Expr, ExprTrait, Query, SelectStatement, Value};
use shared_kernel::database::keyset::Keyset;
use shared_kernel::database::{
    Access, Connections, DatabaseConnection, DatabaseError, DatabaseErrorKind, Dialect, Row, SqlConnection, Statement,
    uuid_key,
};
use shared_kernel::idempotency::{Claim, Receipt, StoreError, Stored, earlier, store};
use shared_kernel::paging::{Direction, Page, Position, SortKey};
use shared_kernel::{RequestContext, Version};
use uuid::Uuid;

use super::SqlConnectionRepository;
use crate::domain::{
    AddSnapshotError, ConnectionId, Document, EarlierSnapshotError, PartName, Snapshot, SnapshotId, SnapshotLabel,
    SnapshotList, SnapshotRecord, SnapshotRepository,
};

const TABLE: &str = "connection_snapshots";
const ID: &str = "id";
const CONNECTION_ID: &str = "connection_id";
const SLOT: &str = "slot";
const VERSION: &str = "connection_version";
const TAKEN_AT: &str = "taken_at";
const FINGERPRINT: &str = "fingerprint";
const ENGINE: &str = "engine";
const DATABASE: &str = "database_name";
const PART: &str = "part";
const LABEL: &str = "label";
const RELATIONS: &str = "relations";
const DOCUMENT_BYTES: &str = "document_bytes";
const DOCUMENT: &str = "document";
/// What is selected of a snapshot; its document only where that is asked for.
const FACTS: [&str; 11] =
    [ID, CONNECTION_ID, VERSION, TAKEN_AT, FINGERPRINT, ENGINE, DATABASE, PART, LABEL, RELATIONS, DOCUMENT_BYTES];
/// How often a snapshot looks for a place when others take the one that it has found.
const ATTEMPTS: usize = 20;

/// Snapshots in the table `connection_snapshots` of a SQL database; a row goes with its connection.
///
/// Each has one of the places 1 to `most` of its connection. That no two have the same, the database sees to: so that a
/// connection has no more than there are places, without a lock and on every engine.
#[derive(Clone)]
pub struct SqlSnapshotRepository {
    connections: Arc<dyn Connections>,
    connection: Arc<str>,
}

impl SqlSnapshotRepository {
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

    async fn row(
        &self,
        id: SnapshotId,
        further: &[&'static str],
        context: &RequestContext,
    ) -> Result<Option<Row>, DatabaseError> {
        let connection = self.connection(Access::Read, context).await?;
        let sql = connection.sql()?;
        let mut select = select();
        select.columns(further.iter().copied()).and_where(Expr::col(ID).eq(uuid_key(sql.dialect(), id.uuid())));
        sql.query_one(&select.into(), context).await
    }
}

#[async_trait]
impl SnapshotRepository for SqlSnapshotRepository {
    async fn earlier(&self, claim: &Claim, context: &RequestContext) -> Result<Option<Vec<u8>>, EarlierSnapshotError> {
        let connection = self.connection(Access::Write, context).await?;
        let found = earlier(connection.sql()?, SqlConnectionRepository::RECEIPTS, claim, context).await;
        found.map_err(|error| match error {
            StoreError::Idempotency(error) => error.into(),
            StoreError::Database(error) => error.into(),
        })
    }

    async fn count(&self, connection: ConnectionId, context: &RequestContext) -> Result<u64, DatabaseError> {
        let database = self.connection(Access::Write, context).await?;
        Ok(taken(database.sql()?, connection, context).await?.len() as u64)
    }

    async fn add(
        &self,
        snapshot: &Snapshot,
        document: &Document,
        most: u32,
        receipt: Option<&Receipt>,
        context: &RequestContext,
    ) -> Result<Stored, AddSnapshotError> {
        let database = self.connection(Access::Write, context).await?;
        let sql = database.sql()?;
        let receipt = receipt.map(|receipt| (SqlConnectionRepository::RECEIPTS, receipt));
        let mut attempts = 0;
        loop {
            let taken = taken(sql, snapshot.record().connection, context).await?;
            let slot = free(&taken, most, snapshot.id()).ok_or(AddSnapshotError::Full)?;
            let rows = [insert(snapshot, slot, document, sql.dialect())];
            attempts += 1;
            match store(sql, receipt, &rows, context).await {
                Ok(stored) => return Ok(stored),
                // Somebody else has taken the place meanwhile.
                Err(StoreError::Database(error)) if error.is_unique_violation() && attempts < ATTEMPTS => {}
                Err(StoreError::Database(error))
                    if matches!(error.kind(), DatabaseErrorKind::ForeignKeyViolation { .. }) =>
                {
                    return Err(AddSnapshotError::NoConnection);
                }
                Err(StoreError::Database(error)) if error.is_unique_violation() => {
                    let message = "others took each place that was free for the snapshot";
                    let error =
                        DatabaseError::new(DatabaseErrorKind::SerializationConflict, message).with_source(error);
                    return Err(error.into());
                }
                Err(StoreError::Database(error)) => return Err(error.into()),
                Err(StoreError::Idempotency(error)) => return Err(error.into()),
            }
        }
    }

    async fn list(&self, list: &SnapshotList, context: &RequestContext) -> Result<Page<Snapshot>, DatabaseError> {
        let connection = self.connection(Access::Read, context).await?;
        let sql = connection.sql()?;
        let mut select = select();
        select.and_where(Expr::col(CONNECTION_ID).eq(uuid_key(sql.dialect(), list.connection.uuid())));
        let keyset = Keyset::over(TAKEN_AT, ID, Direction::Descending);
        let rows = keyset.read(sql, &select, list.after.as_ref(), list.limit, context).await?;
        Page::cut(rows, list.limit, position).try_map(|row| snapshot(&row))
    }

    async fn find(&self, id: SnapshotId, context: &RequestContext) -> Result<Option<Snapshot>, DatabaseError> {
        self.row(id, &[], context).await?.as_ref().map(snapshot).transpose()
    }

    async fn read(
        &self,
        id: SnapshotId,
        context: &RequestContext,
    ) -> Result<Option<(Snapshot, Document)>, DatabaseError> {
        let Some(row) = self.row(id, &[DOCUMENT], context).await? else { return Ok(None) };
        let snapshot = snapshot(&row)?;
        let document = Document::new(row.get(DOCUMENT)?, snapshot.record().document_bytes);
        Ok(Some((snapshot, document)))
    }

    async fn remove(
        &self,
        connection: ConnectionId,
        id: SnapshotId,
        context: &RequestContext,
    ) -> Result<bool, DatabaseError> {
        let database = self.connection(Access::Write, context).await?;
        let sql = database.sql()?;
        let dialect = sql.dialect();
        let delete = Query::delete()
            .from_table(TABLE)
            .and_where(Expr::col(ID).eq(uuid_key(dialect, id.uuid())))
            .and_where(Expr::col(CONNECTION_ID).eq(uuid_key(dialect, connection.uuid())))
            .to_owned();
        Ok(sql.execute(&delete.into(), context).await? > 0)
    }
}

/// The places of a connection that have a snapshot.
async fn taken(
    sql: &dyn SqlConnection,
    connection: ConnectionId,
    context: &RequestContext,
) -> Result<BTreeSet<i32>, DatabaseError> {
    let select = Query::select()
        .column(SLOT)
        .from(TABLE)
        .and_where(Expr::col(CONNECTION_ID).eq(uuid_key(sql.dialect(), connection.uuid())))
        .to_owned();
    sql.query(&select.into(), context).await?.iter().map(|row| row.get(SLOT)).collect()
}

/// One of the places that are free, another for each snapshot so that those which come together do not meet; `None` where there
/// are `most` snapshots or more, also from a time when there were more places.
fn free(taken: &BTreeSet<i32>, most: u32, id: SnapshotId) -> Option<i32> {
    let most = i32::try_from(most).unwrap_or(i32::MAX);
    let left = usize::try_from(most).ok()?.checked_sub(taken.len()).filter(|left| *left > 0)?;
    // The last digits of a UUID of version 7 are random. There are at least as many free places as are left.
    let nth = usize::try_from(id.uuid().as_u128() & 0xffff).ok()? % left;
    (1..=most).filter(|slot| !taken.contains(slot)).nth(nth)
}

fn select() -> SelectStatement {
    Query::select().columns(FACTS).from(TABLE).to_owned()
}

fn insert(snapshot: &Snapshot, slot: i32, document: &Document, dialect: Dialect) -> Statement {
    let whole = |number: u64| Expr::from(i64::try_from(number).unwrap_or(i64::MAX));
    let text = |text: Option<&str>| Expr::from(Value::from(text.map(str::to_owned)));
    let record = snapshot.record();
    let values: [(&str, Expr); 13] = [
        (ID, uuid_key(dialect, record.id.uuid()).into()),
        (CONNECTION_ID, uuid_key(dialect, record.connection.uuid()).into()),
        (SLOT, slot.into()),
        (VERSION, record.connection_version.get().into()),
        (TAKEN_AT, record.taken_at.into()),
        (FINGERPRINT, record.fingerprint.as_str().into()),
        (ENGINE, record.engine.as_str().into()),
        (DATABASE, record.database.as_str().into()),
        (PART, text(record.part.as_ref().map(PartName::as_str))),
        (LABEL, text(record.label.as_ref().map(SnapshotLabel::as_str))),
        (RELATIONS, whole(record.relations)),
        (DOCUMENT_BYTES, whole(record.document_bytes)),
        (DOCUMENT, Value::from(document.packed().to_vec()).into()),
    ];
    let (columns, values): (Vec<&str>, Vec<Expr>) = values.into_iter().unzip();
    Query::insert().into_table(TABLE).columns(columns).values_panic(values).to_owned().into()
}

fn snapshot(row: &Row) -> Result<Snapshot, DatabaseError> {
    let id: Uuid = row.get(ID)?;
    let whole = |column: &str| Ok::<u64, DatabaseError>(row.get::<i64>(column)?.try_into().unwrap_or_default());
    let part = row.get::<Option<String>>(PART)?.map(|part| PartName::parse(&part));
    let label = row.get::<Option<String>>(LABEL)?.map(|label| SnapshotLabel::parse(&label));
    Ok(Snapshot::restore(SnapshotRecord {
        id: SnapshotId::new(id),
        connection: ConnectionId::new(row.get(CONNECTION_ID)?),
        connection_version: Version::try_new(row.get(VERSION)?).map_err(|error| broken(id, error))?,
        taken_at: row.get(TAKEN_AT)?,
        fingerprint: row.get(FINGERPRINT)?,
        engine: row.get(ENGINE)?,
        database: row.get(DATABASE)?,
        part: part.transpose().map_err(|error| broken(id, error))?,
        label: label.transpose().map_err(|error| broken(id, error))?,
        relations: whole(RELATIONS)?,
        document_bytes: whole(DOCUMENT_BYTES)?,
    }))
}

fn broken(id: Uuid, error: impl std::error::Error + Send + Sync + 'static) -> DatabaseError {
    let message = format!("the stored snapshot {id} breaks a rule");
    DatabaseError::new(DatabaseErrorKind::Decode, message).with_source(error)
}

fn position(row: &Row) -> Result<Position, DatabaseError> {
    Ok(Position { key: Some(SortKey::Instant(row.get(TAKEN_AT)?)), id: row.get(ID)? })
}

impl fmt::Debug for SqlSnapshotRepository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlSnapshotRepository").field("connection", &self.connection).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_until_there_are_as_many_as_may_be() {
        let id = |number| SnapshotId::new(Uuid::from_u128(number));
        let taken = |slots: &[i32]| slots.iter().copied().collect::<BTreeSet<_>>();
        assert_eq!(free(&taken(&[]), 0, id(0)), None);
        assert_eq!(free(&taken(&[1, 3]), 3, id(5)), Some(2));
        assert_eq!(free(&taken(&[1, 2, 3]), 3, id(5)), None);
        let found: BTreeSet<_> = (0..9).filter_map(|number| free(&taken(&[2]), 4, id(number))).collect();
        assert_eq!(found, taken(&[1, 3, 4]));
        // There were more places once.
        assert_eq!(free(&taken(&[7, 8]), 2, id(0)), None);
        assert_eq!(free(&taken(&[8]), 2, id(0)), Some(1));
    }
}
