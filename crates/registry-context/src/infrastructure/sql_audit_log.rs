use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_query::{Expr, ExprTrait, Order, Query, SelectStatement, Value};
use shared_kernel::RequestContext;
use shared_kernel::database::keyset::Keyset;
use shared_kernel::database::{
    Access, Connections, DatabaseError, DatabaseErrorKind, Dialect, Row, SqlExecutor, Statement, uuid_key,
};
use shared_kernel::paging::{Page, Position, SortKey};
use uuid::Uuid;

use crate::domain::{AuditEntry, AuditFilter, AuditList, AuditLog, AuditRecord, AuditRetention, ConnectionId};

const TABLE: &str = "connection_audit";
const ID: &str = "id";
const OCCURRED_AT: &str = "occurred_at";
const ACTOR: &str = "actor";
const ACTION: &str = "action";
const CONNECTION_ID: &str = "connection_id";
const OUTCOME: &str = "outcome";
const COLUMNS: [&str; 10] =
    [ID, OCCURRED_AT, ACTOR, ACTION, CONNECTION_ID, OUTCOME, "status", "duration_ms", "trace_id", "calls"];
/// How many entries one statement deletes, about: those of one instant go together.
const BATCH: u64 = 1_000;

/// Entries in the table `connection_audit` of a SQL database, in which rows are added and never changed. They go when they were
/// kept long enough, and in no other way.
#[derive(Clone)]
pub struct SqlAuditLog {
    connections: Arc<dyn Connections>,
    connection: Arc<str>,
}

impl SqlAuditLog {
    /// A log over the connection of the given name.
    pub fn new(connections: Arc<dyn Connections>, connection: &str) -> Self {
        Self { connections, connection: connection.into() }
    }
}

#[async_trait]
impl AuditLog for SqlAuditLog {
    async fn append(&self, entry: &AuditEntry, context: &RequestContext) -> Result<(), DatabaseError> {
        let connection = self.connections.get(&self.connection, Access::Write, context).await?;
        let sql = connection.sql()?;
        sql.execute(&insert(entry, sql.dialect()), context).await?;
        Ok(())
    }

    async fn list(&self, list: &AuditList, context: &RequestContext) -> Result<Page<AuditRecord>, DatabaseError> {
        let connection = self.connections.get(&self.connection, Access::Read, context).await?;
        let sql = connection.sql()?;
        let select = select(&list.filter, sql.dialect());
        let keyset = Keyset::over(OCCURRED_AT, ID, list.direction);
        let rows = keyset.read(sql, &select, list.after.as_ref(), list.limit, context).await?;
        Page::cut(rows, list.limit, position).try_map(|row| record(&row))
    }
}

#[async_trait]
impl AuditRetention for SqlAuditLog {
    async fn prune(&self, horizon: DateTime<Utc>, context: &RequestContext) -> Result<u64, DatabaseError> {
        let mut pruned = 0;
        loop {
            let connection = self.connections.get(&self.connection, Access::Write, context).await?;
            let sql = connection.sql()?;
            let Some(end) = end_of_batch(sql, horizon, context).await? else { return Ok(pruned) };
            let delete = Query::delete().from_table(TABLE).and_where(Expr::col(OCCURRED_AT).lte(end)).to_owned();
            match sql.execute(&delete.into(), context).await {
                Ok(rows) => pruned += rows,
                // Another instance does the same; what it takes is gone for this one as well.
                Err(error) if *error.kind() == DatabaseErrorKind::SerializationConflict => return Ok(pruned),
                Err(error) => return Err(error),
            }
        }
    }
}

/// The instant of the last entry that the next statement shall delete. Not every engine knows DELETE with a limit, but every
/// one deletes up to a value.
async fn end_of_batch(
    sql: &dyn SqlExecutor,
    horizon: DateTime<Utc>,
    context: &RequestContext,
) -> Result<Option<DateTime<Utc>>, DatabaseError> {
    let select = Query::select()
        .column(OCCURRED_AT)
        .from(TABLE)
        .and_where(Expr::col(OCCURRED_AT).lt(horizon))
        .order_by(OCCURRED_AT, Order::Asc)
        .limit(BATCH)
        .to_owned();
    let rows = sql.query(&select.into(), context).await?;
    rows.last().map(|row| row.get(OCCURRED_AT)).transpose()
}

fn select(filter: &AuditFilter, dialect: Dialect) -> SelectStatement {
    let AuditFilter { actor, action, connection, outcome, from, before } = filter;
    let mut select = Query::select().columns(COLUMNS).from(TABLE).to_owned();
    let conditions = [
        actor.as_ref().map(|actor| Expr::col(ACTOR).eq(actor.as_str())),
        action.map(|action| Expr::col(ACTION).eq(action.as_str())),
        connection.map(|id| Expr::col(CONNECTION_ID).eq(uuid_key(dialect, id.uuid()))),
        outcome.as_ref().map(|outcome| Expr::col(OUTCOME).eq(outcome.as_str())),
        from.map(|from| Expr::col(OCCURRED_AT).gte(from)),
        before.map(|before| Expr::col(OCCURRED_AT).lt(before)),
    ];
    for condition in conditions.into_iter().flatten() {
        select.and_where(condition);
    }
    select
}

fn record(row: &Row) -> Result<AuditRecord, DatabaseError> {
    let whole = |column: &str| Ok::<u64, DatabaseError>(row.get::<i64>(column)?.try_into().unwrap_or_default());
    Ok(AuditRecord {
        id: row.get(ID)?,
        occurred_at: row.get(OCCURRED_AT)?,
        actor: row.get(ACTOR)?,
        action: row.get(ACTION)?,
        connection: row.get::<Option<Uuid>>(CONNECTION_ID)?.map(ConnectionId::new),
        outcome: row.get(OUTCOME)?,
        status: row.get::<i32>("status")?.try_into().unwrap_or_default(),
        duration_ms: whole("duration_ms")?,
        trace_id: row.get("trace_id")?,
        calls: whole("calls")?,
    })
}

fn position(row: &Row) -> Result<Position, DatabaseError> {
    Ok(Position { key: Some(SortKey::Instant(row.get(OCCURRED_AT)?)), id: row.get(ID)? })
}

fn insert(entry: &AuditEntry, dialect: Dialect) -> Statement {
    let whole = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let connection = match entry.connection {
        Some(id) => uuid_key(dialect, id.uuid()),
        None if dialect == Dialect::SqlServer => Value::Bytes(None),
        None => Value::Uuid(None),
    };
    let values: [Expr; 10] = [
        uuid_key(dialect, entry.id).into(),
        entry.occurred_at.into(),
        Value::from(entry.actor.clone()).into(),
        entry.action.as_str().into(),
        connection.into(),
        entry.outcome.into(),
        i32::from(entry.status).into(),
        whole(entry.duration_ms).into(),
        entry.trace_id.as_str().into(),
        whole(entry.calls).into(),
    ];
    Query::insert().into_table(TABLE).columns(COLUMNS).values_panic(values).to_owned().into()
}

impl fmt::Debug for SqlAuditLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlAuditLog").field("connection", &self.connection).finish_non_exhaustive()
    }
}
