//! PostgreSQL. Nine questions to the catalogs in one transaction that reads one state of them.
//!
//! The catalogs themselves are never locked by a migration for longer than a moment. The functions that write expressions out as
//! text are: they open the table, and wait where somebody holds, or waits for, an exclusive lock. So each question looks at
//! `pg_locks` first and leaves such tables' expressions out; for what comes in between there is a `lock_timeout`, after which
//! everything is asked once more, the last time without any expression.

mod assembly;
mod columns;
mod constraints;
mod facts;
mod grants;
mod identities;
mod indexes;
mod partitions;
mod parts;
mod qualified;
mod relations;
mod routines;
mod sequences;
mod stamp;
mod texts;
mod triggers;
mod types;

use async_trait::async_trait;
use schema_model::Inspection;
use shared_kernel::RequestContext;
use shared_kernel::database::{
    DatabaseConnection, DatabaseError, DatabaseErrorKind, Engine, SqlExecutor, SqlTransaction, TransactionMode,
};

use self::assembly::Assembly;
use self::texts::Texts;
use crate::stages::Stages;
use crate::{InspectError, InspectOptions, Inspector, Stamp};

/// Looks at databases of PostgreSQL 13 and later.
#[derive(Debug, Clone, Copy, Default)]
pub struct PostgresInspector;

/// Whose locks count as held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Locks {
    /// Those that are.
    Seen,
    /// All there could be.
    Assumed,
}

#[async_trait]
impl Inspector for PostgresInspector {
    fn engines(&self) -> &[Engine] {
        const { &[Engine::POSTGRES] }
    }

    async fn inspect(
        &self,
        connection: &dyn DatabaseConnection,
        options: &InspectOptions,
        context: &RequestContext,
    ) -> Result<Inspection, InspectError> {
        let mut stages = Stages::new(context);
        let failed = |source| InspectError::Database { stage: "connecting", source };
        let sql = connection.sql().map_err(failed)?;
        for locks in [Locks::Seen, Locks::Seen, Locks::Assumed] {
            let transaction = stages.timed("begin", sql.begin(TransactionMode::ReadOnly, context)).await?;
            let read = read(&*transaction, locks, options, &mut stages).await;
            let ended = stages.timed("end", transaction.rollback(context)).await;
            match read {
                Err(InspectError::Database { source, .. }) if locks == Locks::Seen && met_a_lock(&source) => {}
                Err(error) => return Err(error),
                Ok(assembly) => {
                    ended?;
                    return Ok(assembly.inspection(options, stages.report()));
                }
            }
        }
        let message = "somebody's locks were in the way each time";
        Err(failed(DatabaseError::new(DatabaseErrorKind::SerializationConflict, message)))
    }

    /// Of the whole database, whichever namespaces are to be looked at.
    async fn stamp(
        &self,
        connection: &dyn DatabaseConnection,
        _: &InspectOptions,
        context: &RequestContext,
    ) -> Result<Option<Stamp>, InspectError> {
        let failed = |source| InspectError::Database { stage: "stamp", source };
        let sql = connection.sql().map_err(failed)?;
        let row = sql.query_one(&stamp::statement(), context).await.map_err(failed)?;
        row.as_ref().map(stamp::read).transpose().map_err(failed)
    }
}

/// Whether a lock was waited for as long as it may be.
fn met_a_lock(error: &DatabaseError) -> bool {
    error.code() == Some("55P03")
}

async fn read(
    transaction: &dyn SqlTransaction,
    locks: Locks,
    options: &InspectOptions,
    stages: &mut Stages<'_>,
) -> Result<Assembly, InspectError> {
    let transaction: &dyn SqlExecutor = transaction;
    let facts = stages.read_one("database", transaction, texts::database(options), facts::read).await?;
    if facts.version_number < Texts::OLDEST {
        return Err(InspectError::TooOld { engine: Engine::POSTGRES, version: facts.version, needed: "13" });
    }
    let texts = Texts::new(facts.version_number, locks, options);
    let relations = stages.read("relations", transaction, texts.relations(), relations::read).await?;
    let mut columns = stages.read("columns", transaction, texts.columns(), columns::read).await?;
    // The server would take longer for that.
    columns.sort_unstable_by_key(|column| (column.relation, column.number));
    let constraints = stages.read("constraints", transaction, texts.constraints(), constraints::read).await?;
    let indexes = stages.read("indexes", transaction, texts.indexes(), indexes::read).await?;
    let triggers = stages.read("triggers", transaction, texts.triggers(), triggers::read).await?;
    let sequences = stages.read("sequences", transaction, texts.sequences(), sequences::read).await?;
    let types = stages.read("types", transaction, texts.types(), types::read).await?;
    let routines = stages.read("routines", transaction, texts.routines(), routines::read).await?;
    Ok(Assembly { facts, relations, columns, constraints, indexes, triggers, sequences, types, routines })
}
