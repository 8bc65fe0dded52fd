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
use crate::stamp::{Wanted, is_unanswered};
use crate::{InspectError, InspectOptions, Inspector, Look, Stamp};

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
        run(connection, options, Wanted::Schema, context).await?.found()
    }

    /// The state is that of the whole database, whichever namespaces are to be looked at.
    async fn look(
        &self,
        connection: &dyn DatabaseConnection,
        options: &InspectOptions,
        known: Option<Stamp>,
        context: &RequestContext,
    ) -> Result<Look, InspectError> {
        run(connection, options, Wanted::StateFirst(known), context).await
    }
}

/// Looks, and looks again where a lock came in between. The state is that before the first try.
async fn run(
    connection: &dyn DatabaseConnection,
    options: &InspectOptions,
    mut wanted: Wanted,
    context: &RequestContext,
) -> Result<Look, InspectError> {
    let (mut stages, mut stamp) = (Stages::new(context), None);
    let sql = connection.sql().map_err(connecting)?;
    let mut tries = [Locks::Seen, Locks::Seen, Locks::Assumed].into_iter();
    let mut next = tries.next();
    while let Some(locks) = next {
        let transaction = stages.timed("begin", sql.begin(TransactionMode::ReadOnly, context)).await?;
        let attempt = attempt(&*transaction, locks, options, wanted, &mut stages).await;
        let ended = stages.timed("end", transaction.rollback(context)).await;
        let attempt = attempt?;
        ended?;
        stamp = stamp.or(attempt.stamp);
        match attempt.outcome {
            Outcome::Unchanged => return Ok(Look::Unchanged(stages.report())),
            Outcome::Read(assembly) => {
                let inspection = Box::new(assembly.inspection(options, stages.report()));
                return Ok(Look::Found { inspection, stamp });
            }
            Outcome::Locked => next = tries.next(),
            Outcome::NoStamp => {}
        }
        wanted = Wanted::Schema;
    }
    let message = "somebody's locks were in the way each time";
    Err(connecting(DatabaseError::new(DatabaseErrorKind::SerializationConflict, message)))
}

/// What became of one transaction.
struct Attempt {
    stamp: Option<Stamp>,
    outcome: Outcome,
}

enum Outcome {
    Read(Box<Assembly>),
    /// The database is in the known state.
    Unchanged,
    /// A lock was met.
    Locked,
    /// The state was not told, and nothing more can be asked in this transaction.
    NoStamp,
}

async fn attempt(
    transaction: &dyn SqlTransaction,
    locks: Locks,
    options: &InspectOptions,
    wanted: Wanted,
    stages: &mut Stages<'_>,
) -> Result<Attempt, InspectError> {
    let mut stamp = None;
    if let Wanted::StateFirst(known) = wanted {
        let executor: &dyn SqlExecutor = transaction;
        match stages.read_one("stamp", executor, stamp::statement(), stamp::read).await {
            Ok(state) if known == Some(state) => {
                return Ok(Attempt { stamp, outcome: Outcome::Unchanged });
            }
            Ok(state) => stamp = Some(state),
            Err(error) if is_unanswered(&error) => return Ok(Attempt { stamp, outcome: Outcome::NoStamp }),
            Err(error) => return Err(error),
        }
    }
    let outcome = match read(transaction, locks, options, stages).await {
        Ok(assembly) => Outcome::Read(Box::new(assembly)),
        Err(InspectError::Database { source, .. }) if locks == Locks::Seen && met_a_lock(&source) => Outcome::Locked,
        Err(error) => return Err(error),
    };
    Ok(Attempt { stamp, outcome })
}

fn connecting(source: DatabaseError) -> InspectError {
    InspectError::Database { stage: "connecting", source }
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
    let routines = texts.routines(facts.has_native_objects);
    let routines = stages.read("routines", transaction, routines, routines::read).await?;
    Ok(Assembly { facts, relations, columns, constraints, indexes, triggers, sequences, types, routines })
}
