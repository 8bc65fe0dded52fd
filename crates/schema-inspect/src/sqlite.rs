//! SQLite. Six questions to its pragmas, which answer for all tables at once, in one transaction; one more for each relation whose columns
//! SQLite does not tell together with those of the others, as it looks no further once it has met one that it cannot read. What no pragma tells is read from
//! the statements that the file keeps: SQLite has understood them once.
//!
//! Pragmas are asked for in `temp`, where a file can put nothing: a view of a pragma's name would be asked in its place.

mod relations;
mod rows;
mod text;
mod tokens;

use async_trait::async_trait;
use schema_model::{Database, Gap, Inspection, Namespace, Native, ObjectName, Report, Unavailable};
use shared_kernel::RequestContext;
use shared_kernel::database::{
    DatabaseConnection, DatabaseErrorKind, Dialect, Engine, SqlExecutor, Statement, TransactionMode,
};

use self::rows::{Found, FoundColumn, FoundRelation};
use crate::stages::Stages;
use crate::stamp::{Wanted, is_unanswered};
use crate::statement::select;
use crate::{InspectError, InspectOptions, Inspector, Look, Stamp, gaps};

/// Looks at SQLite files. The one namespace is `main`.
#[derive(Debug, Clone, Copy, Default)]
pub struct SqliteInspector;

const MAIN: &str = "main";

/// How many relations that SQLite has not understood are asked about one by one.
const DOUBTFUL: usize = 500;

#[async_trait]
impl Inspector for SqliteInspector {
    fn engines(&self) -> &[Engine] {
        const { &[Engine::SQLITE] }
    }

    fn only_database(&self) -> Option<&str> {
        Some(MAIN)
    }

    async fn inspect(
        &self,
        connection: &dyn DatabaseConnection,
        options: &InspectOptions,
        context: &RequestContext,
    ) -> Result<Inspection, InspectError> {
        run(connection, options, Wanted::Schema, context).await?.found()
    }

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

async fn run(
    connection: &dyn DatabaseConnection,
    options: &InspectOptions,
    wanted: Wanted,
    context: &RequestContext,
) -> Result<Look, InspectError> {
    let mut stages = Stages::new(context);
    let failed = |source| InspectError::Database { stage: "connecting", source };
    let sql = connection.sql().map_err(failed)?;
    let transaction = stages.timed("begin", sql.begin(TransactionMode::ReadOnly, context)).await?;
    let attempt = attempt(&*transaction as &dyn SqlExecutor, wanted, &mut stages).await;
    let ended = stages.timed("end", transaction.rollback(context)).await;
    let (stamp, read) = attempt?;
    ended?;
    Ok(match read {
        None => Look::Unchanged(stages.report()),
        Some((facts, found)) => {
            Look::Found { inspection: Box::new(inspection(facts, found, options, stages.report())), stamp }
        }
    })
}

/// The state, where it is wanted, and what is read unless it is the known one.
///
/// Of all that a look reads, there is nothing that does not follow from the statements that the file keeps, from the numbers in its
/// head and from who reads it. So these are asked for as they are: numbers that count changes are those of one file, and another one
/// may be in its place.
async fn attempt(
    transaction: &dyn SqlExecutor,
    wanted: Wanted,
    stages: &mut Stages<'_>,
) -> Result<(Option<Stamp>, Option<(rows::Facts, Found)>), InspectError> {
    let mut stamp = None;
    if let Wanted::StateFirst(known) = wanted {
        let text = statement(include_str!("sqlite/stamp.sql"));
        match stages.read("stamp", transaction, text, rows::stamp_cells).await {
            Ok(cells) => stamp = Some(Stamp::of(cells.iter().flatten().map(Option::as_deref))),
            Err(error) if is_unanswered(&error) => {}
            Err(error) => return Err(error),
        }
        if stamp.is_some() && stamp == known {
            return Ok((stamp, None));
        }
    }
    Ok((stamp, Some(read(transaction, stages).await?)))
}

fn inspection(facts: rows::Facts, mut found: Found, options: &InspectOptions, report: Report) -> Inspection {
    let is_wanted = options.namespaces.as_ref().is_none_or(|names| names.iter().any(|name| name == MAIN));
    let without_columns = if is_wanted { std::mem::take(&mut found.without_columns) } else { Vec::new() };
    let namespace = is_wanted.then(|| Namespace { relations: relations::assembled(found), ..Namespace::new(MAIN) });
    let mut native = Native::new();
    for (key, number) in [("application_id", facts.application_id), ("user_version", facts.user_version)] {
        if number != 0 {
            native.insert(key.to_owned(), number.into());
        }
    }
    let mut database = Database {
        engine: Engine::SQLITE.to_string(),
        version: facts.version,
        name: MAIN.to_owned(),
        comment: None,
        character_set: Some(facts.encoding),
        collation: None,
        namespaces: namespace.into_iter().collect(),
        extensions: Vec::new(),
        native_objects: Vec::new(),
        native,
    };
    let mut gaps = gaps::of(&mut database, options.longest_definition);
    gaps.extend(without_columns.into_iter().map(|(name, reason)| Gap {
        object: Some(ObjectName::new(MAIN, name)),
        part: "columns".to_owned(),
        reason,
    }));
    gaps.sort_unstable();
    let report = Report { gaps, ..report };
    Inspection {
        database,
        statistics: Vec::new(),
        samples: Vec::new(),
        key_samples: Vec::new(),
        report,
        identities: None,
    }
}

async fn read(transaction: &dyn SqlExecutor, stages: &mut Stages<'_>) -> Result<(rows::Facts, Found), InspectError> {
    let facts = statement(include_str!("sqlite/database.sql"));
    let facts = stages.read_one("database", transaction, facts, rows::facts).await?;
    let relations = statement(include_str!("sqlite/relations.sql"));
    let relations = stages.read("relations", transaction, relations, rows::relation).await?;
    let columns = statement(include_str!("sqlite/columns.sql"));
    let mut columns = stages.read("columns", transaction, columns, rows::column).await?;
    let without_columns = doubtful(transaction, stages, &relations, &mut columns).await?;
    let indexes = statement(include_str!("sqlite/indexes.sql"));
    let indexes = stages.read("indexes", transaction, indexes, rows::index_part).await?;
    let foreign_keys = statement(include_str!("sqlite/foreign_keys.sql"));
    let foreign_keys = stages.read("foreign keys", transaction, foreign_keys, rows::foreign_key_part).await?;
    let triggers = statement(include_str!("sqlite/triggers.sql"));
    let triggers = stages.read("triggers", transaction, triggers, rows::trigger).await?;
    Ok((facts, Found { relations, without_columns, columns, indexes, foreign_keys, triggers }))
}

/// Finds the columns of views and virtual tables that SQLite tells of no columns of, one by one. Either it cannot read them, since a table
/// is gone or a module is missing, or it has met one of those before and looked no further. In a file in which everything can be read there
/// are none, and nothing is asked. Those that remain without are told, with the reason.
async fn doubtful(
    transaction: &dyn SqlExecutor,
    stages: &mut Stages<'_>,
    relations: &[FoundRelation],
    columns: &mut Vec<FoundColumn>,
) -> Result<Vec<(String, Unavailable)>, InspectError> {
    let mut without = Vec::new();
    for (number, relation) in relations.iter().filter(|relation| !relation.has_columns).enumerate() {
        if number >= DOUBTFUL {
            without.push((relation.name.clone(), Unavailable::OverLimit));
            continue;
        }
        let text = include_str!("sqlite/columns_of_one.sql");
        let statement = select(Dialect::Sqlite, text).bind(relation.name.clone()).into();
        match stages.read("columns of one", transaction, statement, rows::column).await {
            Ok(found) => columns.extend(found),
            Err(InspectError::Database { source, .. }) if *source.kind() == DatabaseErrorKind::Query => {
                without.push((relation.name.clone(), Unavailable::Broken));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(without)
}

fn statement(text: &'static str) -> Statement {
    select(Dialect::Sqlite, text).into()
}
