//! SQL Server 2016 and later, and Azure's databases of it: ten questions to `sys.*` in one transaction.
//!
//! A catalog of SQL Server is tables with locks like any others: a reader waits for the rows that somebody's open transaction has
//! changed. Each question waits for no longer than it may. Where a lock was in the way it is asked once more, reading what
//! is not yet certain (`NOLOCK`), and the answer says so; what even that cannot read, such as texts that the server writes out
//! with the object locked, is left out and told.

mod about;
mod assembly;
mod bounds;
mod columns;
mod constraints;
mod definitions;
mod indexes;
mod namespaces;
mod objects;
mod statistics;
mod texts;
mod triggers;
mod types;

use async_trait::async_trait;
use schema_model::{Inspection, Unavailable};
use shared_kernel::RequestContext;
use shared_kernel::database::{
    DatabaseConnection, DatabaseError, DatabaseErrorKind, Engine, Row, SqlExecutor, TransactionMode,
};

use self::assembly::Assembly;
use self::namespaces::{Facts, Known};
use self::texts::{Reads, Texts};
use crate::stages::Stages;
use crate::{InspectError, InspectOptions, Inspector};

/// Looks at databases of SQL Server 2016 and later, and at those of Azure.
#[derive(Debug, Clone, Copy, Default)]
pub struct SqlServerInspector;

const DATABASE: (&str, &str) = ("database", include_str!("sqlserver/database.sql"));
const NAMESPACES: (&str, &str) = ("namespaces", include_str!("sqlserver/namespaces.sql"));
const OBJECTS: (&str, &str) = ("objects", include_str!("sqlserver/objects.sql"));
const COLUMNS: (&str, &str) = ("columns", include_str!("sqlserver/columns.sql"));
const CONSTRAINTS: (&str, &str) = ("constraints", include_str!("sqlserver/constraints.sql"));
const INDEXES: (&str, &str) = ("indexes", include_str!("sqlserver/indexes.sql"));
const TRIGGERS: (&str, &str) = ("triggers", include_str!("sqlserver/triggers.sql"));
const DEFINITIONS: (&str, &str) = ("definitions", include_str!("sqlserver/definitions.sql"));
const USES: (&str, &str) = ("uses", include_str!("sqlserver/uses.sql"));
const STATISTICS: (&str, &str) = ("statistics", include_str!("sqlserver/statistics.sql"));

/// All that is asked.
#[cfg(test)]
const QUESTIONS: [(&str, &str); 10] =
    [DATABASE, NAMESPACES, OBJECTS, COLUMNS, CONSTRAINTS, INDEXES, TRIGGERS, DEFINITIONS, USES, STATISTICS];

/// How often everything is asked where the server chooses this session to end a deadlock.
const TRIES: u32 = 3;

#[async_trait]
impl Inspector for SqlServerInspector {
    fn engines(&self) -> &[Engine] {
        const { &[Engine::SQLSERVER] }
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
        for tried in 1..=TRIES {
            // It keeps the questions on one session, and one that only reads begins no transaction for each of them.
            let transaction = stages.timed("begin", sql.begin(TransactionMode::ReadOnly, context)).await?;
            let read = read(&*transaction as &dyn SqlExecutor, options, &mut stages).await;
            let ended = stages.timed("end", transaction.rollback(context)).await;
            match read {
                Err(InspectError::Database { source, .. }) if tried < TRIES && was_chosen(&source) => {}
                Err(error) => return Err(error),
                Ok(assembly) => {
                    ended?;
                    return Ok(assembly.inspection(options, stages.report()));
                }
            }
        }
        let message = "the server ended a deadlock with this session each time";
        Err(failed(DatabaseError::new(DatabaseErrorKind::SerializationConflict, message)))
    }
}

/// Whether the server has ended a deadlock, and the transaction with it (error 1205).
fn was_chosen(error: &DatabaseError) -> bool {
    error.code() == Some("1205")
}

/// Why the server does not tell something, where that is no failure of all.
fn refusal(error: &InspectError) -> Option<Unavailable> {
    let InspectError::Database { source, .. } = error else { return None };
    match source.code()? {
        // A lock that did not come in time; rows that moved while they were read without one.
        "1222" | "601" => Some(Unavailable::Locked),
        // No right to a view, to its columns, in the database, to do this at all, on the server.
        "229" | "230" | "262" | "297" | "300" => Some(Unavailable::Forbidden),
        _ => None,
    }
}

/// What the server said to a question.
struct Answer<T> {
    rows: Vec<T>,
    /// Why not all of it is there, or certain.
    reason: Option<Unavailable>,
    /// Whether it answered at all.
    is_there: bool,
}

impl<T> Answer<T> {
    fn missing(reason: Unavailable) -> Self {
        Self { rows: Vec::new(), reason: Some(reason), is_there: false }
    }

    /// Where nothing can be told without it.
    fn or_failed(self, (stage, _): (&'static str, &str)) -> Result<Self, InspectError> {
        if self.is_there {
            return Ok(self);
        }
        let (kind, message) = match self.reason {
            Some(Unavailable::Forbidden) => (DatabaseErrorKind::Query, "the login has no right to read the catalog"),
            _ => (DatabaseErrorKind::SerializationConflict, "somebody's locks were in the way"),
        };
        Err(InspectError::Database { stage, source: DatabaseError::new(kind, message) })
    }
}

/// Asks one thing after the other.
struct Asking<'a, 'context> {
    transaction: &'a dyn SqlExecutor,
    texts: Texts,
    stages: &'a mut Stages<'context>,
}

impl Asking<'_, '_> {
    async fn ask<T>(
        &mut self,
        (stage, text): (&'static str, &str),
        read: impl Fn(&Row) -> Result<T, DatabaseError>,
    ) -> Result<Answer<T>, InspectError> {
        for reads in [Reads::Committed, Reads::Uncommitted] {
            let statement = self.texts.statement(text, reads);
            match self.stages.read(stage, self.transaction, statement, &read).await {
                Ok(rows) => {
                    let reason = (reads == Reads::Uncommitted).then_some(Unavailable::Locked);
                    return Ok(Answer { rows, reason, is_there: true });
                }
                Err(error) => match refusal(&error) {
                    Some(Unavailable::Locked) => {}
                    Some(reason) => return Ok(Answer::missing(reason)),
                    None => return Err(error),
                },
            }
        }
        Ok(Answer::missing(Unavailable::Locked))
    }
}

async fn read(
    transaction: &dyn SqlExecutor,
    options: &InspectOptions,
    stages: &mut Stages<'_>,
) -> Result<Assembly, InspectError> {
    let texts = Texts::new(options.lock_wait);
    let (stage, text) = DATABASE;
    let statement = texts.statement(text, Reads::Committed);
    let facts: Facts = stages.read_one(stage, transaction, statement, namespaces::facts).await?;
    if !facts.is_known() {
        return Err(InspectError::TooOld { engine: Engine::SQLSERVER, version: facts.version, needed: "13 (2016)" });
    }
    let mut asking = Asking { transaction, texts, stages };
    let mut assembly = Assembly::new(facts);
    // Without these there is nothing to tell: whoever compares would take what is not listed for dropped.
    let found = asking.ask(NAMESPACES, namespaces::read).await?.or_failed(NAMESPACES)?;
    let known = Known::of(assembly.noted(&["namespaces"], found), options);
    let selected = options.namespaces.as_ref().map(|_| known.selected());
    asking.texts = asking.texts.only(selected.as_deref());
    assembly.known = known;
    let objects = asking.ask(OBJECTS, objects::read).await?.or_failed(OBJECTS)?;
    assembly.objects = assembly.noted(&["objects"], objects);
    let columns = asking.ask(COLUMNS, columns::read).await?.or_failed(COLUMNS)?;
    assembly.columns = assembly.noted(&["columns"], columns);
    let constraints = asking.ask(CONSTRAINTS, constraints::read).await?;
    assembly.constraints = assembly.noted(&["keys", "foreign_keys", "checks", "policies"], constraints);
    let indexes = asking.ask(INDEXES, indexes::read).await?;
    // The columns of keys are told with their indexes.
    assembly.indexes = assembly.noted(&["indexes", "keys", "partitioning"], indexes);
    let triggers = asking.ask(TRIGGERS, triggers::read).await?;
    assembly.triggers = assembly.noted(&["triggers"], triggers);
    let definitions = asking.ask(DEFINITIONS, definitions::read).await?;
    assembly.definitions = definitions::Definitions::of(&mut assembly.gaps, definitions);
    let uses = asking.ask(USES, objects::used).await?;
    assembly.uses = assembly.noted(&["uses"], uses);
    let statistics = asking.ask(STATISTICS, statistics::read).await?;
    assembly.statistics = assembly.noted(&["statistics"], statistics);
    Ok(assembly)
}
