use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use sea_query::{Expr, Query, Value};
use shared_kernel::RequestContext;
use shared_kernel::database::{Access, Connections, DatabaseError, Dialect, Statement, uuid_key};

use crate::domain::{AuditEntry, AuditLog};

const COLUMNS: [&str; 10] =
    ["id", "occurred_at", "actor", "action", "connection_id", "outcome", "status", "duration_ms", "trace_id", "calls"];

/// Entries in the table `connection_audit` of a SQL database, in which rows are added and never changed.
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
    Query::insert().into_table("connection_audit").columns(COLUMNS).values_panic(values).to_owned().into()
}

impl fmt::Debug for SqlAuditLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlAuditLog").field("connection", &self.connection).finish_non_exhaustive()
    }
}
