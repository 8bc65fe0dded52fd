//! The table `schema_migrations`: one for each database, shared by the contexts that live in it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_query::{Expr, ExprTrait, Order, Query};
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, Dialect, RawStatement, SqlExecutor, Statement};

const TABLE: &str = "schema_migrations";

/// One row.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) number: u32,
    pub(crate) name: String,
    pub(crate) checksum: String,
    pub(crate) state: State,
    /// When it finished; for one that did not, when it began.
    pub(crate) applied_at: DateTime<Utc>,
    pub(crate) took: Duration,
}

/// How far a migration came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Started,
    Applied,
    Reverting,
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Applied => "applied",
            Self::Reverting => "reverting",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Started, Self::Applied, Self::Reverting].into_iter().find(|state| state.as_str() == word)
    }
}

/// Whether the table is there. A database that was never migrated has none, and asking must not create it.
pub(crate) async fn exists(database: &dyn SqlExecutor, context: &RequestContext) -> Result<bool, DatabaseError> {
    let row = database.query_one(&existence().into(), context).await?;
    row.map_or(Ok(false), |row| row.get::<i64>("found").map(|found| found > 0))
}

fn existence() -> RawStatement {
    RawStatement::per_dialect("SELECT")
        .text(
            Dialect::MySql,
            "SELECT COUNT(*) AS found FROM information_schema.tables \
             WHERE table_schema = DATABASE() AND table_name = 'schema_migrations'",
        )
        .text(Dialect::Postgres, "SELECT COUNT(to_regclass('schema_migrations')) AS found")
        .text(
            Dialect::Sqlite,
            "SELECT COUNT(*) AS found FROM sqlite_master WHERE type = 'table' AND name = 'schema_migrations'",
        )
        .text(Dialect::SqlServer, "SELECT CAST(COUNT(OBJECT_ID(N'schema_migrations', N'U')) AS BIGINT) AS found")
}

/// Creates the table. Only under the lock.
pub(crate) async fn create(database: &dyn SqlExecutor, context: &RequestContext) -> Result<(), DatabaseError> {
    database.run_script(definition(database.dialect()), context).await
}

/// The rows of one context, oldest first.
pub(crate) async fn load(
    database: &dyn SqlExecutor,
    of: &str,
    context: &RequestContext,
) -> Result<Vec<Record>, DatabaseError> {
    let mut records = Vec::new();
    for row in database.query(&rows_of(of), context).await? {
        let state: String = row.get("state")?;
        let (number, duration): (i32, i64) = (row.get("number")?, row.get("duration_ms")?);
        let strange = || {
            let message = format!("schema_migrations holds number {number} in state `{state}`, which no runner writes");
            DatabaseError::new(DatabaseErrorKind::Decode, message)
        };
        records.push(Record {
            number: u32::try_from(number).map_err(|_| strange())?,
            name: row.get("name")?,
            checksum: row.get("checksum")?,
            state: State::parse(&state).ok_or_else(strange)?,
            applied_at: row.get("applied_at")?,
            took: Duration::from_millis(duration.try_into().unwrap_or(0)),
        });
    }
    Ok(records)
}

fn rows_of(context: &str) -> Statement {
    Query::select()
        .columns(["number", "name", "checksum", "state", "applied_at", "duration_ms"])
        .from(TABLE)
        .and_where(Expr::col("context").eq(context))
        .order_by("number", Order::Asc)
        .to_owned()
        .into()
}

/// Adds a row.
pub(crate) async fn insert(
    database: &dyn SqlExecutor,
    of: &str,
    record: &Record,
    context: &RequestContext,
) -> Result<(), DatabaseError> {
    database.execute(&insertion(of, record), context).await.map(drop)
}

fn insertion(of: &str, record: &Record) -> Statement {
    Query::insert()
        .into_table(TABLE)
        .columns(["context", "number", "name", "checksum", "state", "applied_at", "duration_ms"])
        .values_panic([
            of.into(),
            number(record.number).into(),
            record.name.as_str().into(),
            record.checksum.as_str().into(),
            record.state.as_str().into(),
            record.applied_at.into(),
            milliseconds(record.took).into(),
        ])
        .to_owned()
        .into()
}

/// Moves a row to another state.
pub(crate) async fn update(
    database: &dyn SqlExecutor,
    of: &str,
    record: &Record,
    context: &RequestContext,
) -> Result<(), DatabaseError> {
    database.execute(&change(of, record), context).await.map(drop)
}

fn change(of: &str, record: &Record) -> Statement {
    Query::update()
        .table(TABLE)
        .value("state", record.state.as_str())
        .value("applied_at", record.applied_at)
        .value("duration_ms", milliseconds(record.took))
        .and_where(Expr::col("context").eq(of))
        .and_where(Expr::col("number").eq(number(record.number)))
        .to_owned()
        .into()
}

/// Takes a row away.
pub(crate) async fn delete(
    database: &dyn SqlExecutor,
    of: &str,
    which: u32,
    context: &RequestContext,
) -> Result<(), DatabaseError> {
    database.execute(&removal(of, which), context).await.map(drop)
}

fn removal(of: &str, which: u32) -> Statement {
    Query::delete()
        .from_table(TABLE)
        .and_where(Expr::col("context").eq(of))
        .and_where(Expr::col("number").eq(number(which)))
        .to_owned()
        .into()
}

/// Numbers have four digits, so none is cut.
fn number(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn milliseconds(took: Duration) -> i64 {
    i64::try_from(took.as_millis()).unwrap_or(i64::MAX)
}

const fn definition(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::MySql => {
            "CREATE TABLE schema_migrations (
                context VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
                number INT NOT NULL,
                name VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
                checksum CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
                state VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
                applied_at DATETIME(6) NOT NULL,
                duration_ms BIGINT NOT NULL,
                PRIMARY KEY (context, number)
            ) ENGINE = InnoDB"
        }
        Dialect::Postgres => {
            "CREATE TABLE schema_migrations (
                context VARCHAR(64) NOT NULL,
                number INTEGER NOT NULL,
                name VARCHAR(100) NOT NULL,
                checksum CHAR(64) NOT NULL,
                state VARCHAR(16) NOT NULL,
                applied_at TIMESTAMPTZ NOT NULL,
                duration_ms BIGINT NOT NULL,
                PRIMARY KEY (context, number)
            )"
        }
        Dialect::Sqlite => {
            "CREATE TABLE schema_migrations (
                context TEXT NOT NULL,
                number INTEGER NOT NULL,
                name TEXT NOT NULL,
                checksum TEXT NOT NULL,
                state TEXT NOT NULL,
                applied_at TEXT NOT NULL,
                duration_ms INTEGER NOT NULL,
                PRIMARY KEY (context, number)
            )"
        }
        Dialect::SqlServer => {
            "CREATE TABLE schema_migrations (
                context VARCHAR(64) NOT NULL,
                number INT NOT NULL,
                name VARCHAR(100) NOT NULL,
                checksum CHAR(64) NOT NULL,
                state VARCHAR(16) NOT NULL,
                applied_at DATETIME2(6) NOT NULL,
                duration_ms BIGINT NOT NULL,
                PRIMARY KEY (context, number)
            )"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sql_server_is_sent_is_noted_for_a_parser() {
        let record = Record {
            number: 1,
            name: "people".to_owned(),
            checksum: "0".repeat(64),
            state: State::Applied,
            applied_at: DateTime::UNIX_EPOCH,
            took: Duration::ZERO,
        };
        testkit::note_tsql_text("migrations", definition(Dialect::SqlServer));
        testkit::note_tsql("migrations", &existence().into());
        let statements = [rows_of("users"), insertion("users", &record), change("users", &record), removal("users", 1)];
        for statement in statements {
            testkit::note_tsql("migrations", &statement);
        }
    }
}
