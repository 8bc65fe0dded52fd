use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use sea_query::{Expr, ExprTrait, Order, Query, Value};

use super::{IdempotencyKey, RECEIPT_LIFE, Receipt};
use crate::database::{Access, Connections, DatabaseError, DatabaseErrorKind, SqlExecutor, Statement};
use crate::{Clock, RequestContext};

const SCOPE: &str = "scope";
const KEY: &str = "idempotency_key";
const DIGEST: &str = "request_digest";
const ANSWER: &str = "answer";
const CREATED_AT: &str = "created_at";

/// The table that a context keeps its receipts in: each has its own, so that contexts can share a database.
///
/// Columns: `scope` (32 bytes) and `idempotency_key` (255 characters) together the primary key, `request_digest` (32
/// bytes), `answer` (bytes) and `created_at` (an instant, indexed).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceiptTable(&'static str);

impl ReceiptTable {
    /// A table by its name.
    pub const fn named(name: &'static str) -> Self {
        Self(name)
    }
}

/// What a stored receipt says.
pub(super) struct Known {
    pub(super) digest: Vec<u8>,
    pub(super) answer: Vec<u8>,
}

pub(super) fn insert(table: ReceiptTable, receipt: &Receipt) -> Statement {
    let values: [Expr; 5] = [
        Value::from(receipt.scope.to_vec()).into(),
        receipt.key.as_str().into(),
        Value::from(receipt.digest.to_vec()).into(),
        Value::from(receipt.answer.clone()).into(),
        receipt.created_at.into(),
    ];
    Query::insert()
        .into_table(table.0)
        .columns([SCOPE, KEY, DIGEST, ANSWER, CREATED_AT])
        .values_panic(values)
        .to_owned()
        .into()
}

pub(super) async fn find(
    sql: &dyn SqlExecutor,
    table: ReceiptTable,
    (scope, key): (&[u8; 32], &IdempotencyKey),
    context: &RequestContext,
) -> Result<Option<Known>, DatabaseError> {
    let select = Query::select()
        .columns([DIGEST, ANSWER])
        .from(table.0)
        .and_where(Expr::col(SCOPE).eq(scope.to_vec()))
        .and_where(Expr::col(KEY).eq(key.as_str()))
        .to_owned();
    let row = sql.query_one(&select.into(), context).await?;
    row.map(|row| Ok(Known { digest: row.get(DIGEST)?, answer: row.get(ANSWER)? })).transpose()
}

/// Deletes receipts that are older than [`RECEIPT_LIFE`], a bounded number at a time.
pub struct ReceiptSweeper {
    connections: Arc<dyn Connections>,
    connection: String,
    table: ReceiptTable,
    clock: Arc<dyn Clock>,
    batch: u64,
}

impl ReceiptSweeper {
    /// A sweeper for the receipts of one context's database.
    pub fn new(
        connections: Arc<dyn Connections>,
        connection: impl Into<String>,
        table: ReceiptTable,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { connections, connection: connection.into(), table, clock, batch: 1_000 }
    }

    /// How many receipts one statement deletes, about: those with the same instant go together. 1,000 unless told.
    #[must_use]
    pub const fn batch(mut self, receipts: u64) -> Self {
        self.batch = if receipts == 0 { 1 } else { receipts };
        self
    }

    /// Deletes what is too old and returns how many receipts that were. Cancelling keeps the batches done so far.
    ///
    /// # Errors
    /// What the database says; the batches before it stay deleted.
    pub async fn sweep(&self, context: &RequestContext) -> Result<u64, DatabaseError> {
        let life = TimeDelta::from_std(RECEIPT_LIFE).expect("a day is within the range of a time delta");
        let horizon = self.clock.now() - life;
        let mut swept = 0;
        loop {
            let connection = self.connections.get(&self.connection, Access::Write, context).await?;
            let sql = connection.sql()?;
            let Some(end) = self.end_of_batch(sql, horizon, context).await? else { return Ok(swept) };
            let delete = Query::delete().from_table(self.table.0).and_where(Expr::col(CREATED_AT).lte(end)).to_owned();
            match sql.execute(&delete.into(), context).await {
                Ok(rows) => swept += rows,
                // Another instance sweeps too; what it takes is gone for this one as well.
                Err(error) if *error.kind() == DatabaseErrorKind::SerializationConflict => return Ok(swept),
                Err(error) => return Err(error),
            }
        }
    }

    /// The instant of the last receipt that the next statement shall delete. Not every engine knows DELETE with a
    /// limit, but every one deletes up to a value.
    async fn end_of_batch(
        &self,
        sql: &dyn SqlExecutor,
        horizon: DateTime<Utc>,
        context: &RequestContext,
    ) -> Result<Option<DateTime<Utc>>, DatabaseError> {
        let select = Query::select()
            .column(CREATED_AT)
            .from(self.table.0)
            .and_where(Expr::col(CREATED_AT).lt(horizon))
            .order_by(CREATED_AT, Order::Asc)
            .limit(self.batch)
            .to_owned();
        let rows = sql.query(&select.into(), context).await?;
        rows.last().map(|row| row.get(CREATED_AT)).transpose()
    }
}

impl fmt::Debug for ReceiptSweeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReceiptSweeper")
            .field("connection", &self.connection)
            .field("table", &self.table)
            .finish_non_exhaustive()
    }
}
