//! SQLite. Six questions to its pragmas, which answer for all tables at once, in one transaction. What no pragma tells is read from
//! the statements that the file keeps: SQLite has understood them once.

mod relations;
mod rows;
mod text;
mod tokens;

use async_trait::async_trait;
use schema_model::{Database, Inspection, Namespace, Native, Report};
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseConnection, Dialect, Engine, SqlExecutor, Statement, TransactionMode};

use self::rows::Found;
use crate::stages::Stages;
use crate::statement::select;
use crate::{InspectError, InspectOptions, Inspector, Stamp, gaps};

/// Looks at SQLite files. The one namespace is `main`.
#[derive(Debug, Clone, Copy, Default)]
pub struct SqliteInspector;

const MAIN: &str = "main";

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
        let mut stages = Stages::new(context);
        let failed = |source| InspectError::Database { stage: "connecting", source };
        let sql = connection.sql().map_err(failed)?;
        let transaction = stages.timed("begin", sql.begin(TransactionMode::ReadOnly, context)).await?;
        let read = read(&*transaction as &dyn SqlExecutor, &mut stages).await;
        let ended = stages.timed("end", transaction.rollback(context)).await;
        let (facts, found) = read?;
        ended?;
        let is_wanted = options.namespaces.as_ref().is_none_or(|names| names.iter().any(|name| name == MAIN));
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
            native,
        };
        let gaps = gaps::of(&mut database, options.longest_definition);
        let report = Report { gaps, ..stages.report() };
        Ok(Inspection {
            database,
            statistics: Vec::new(),
            samples: Vec::new(),
            key_samples: Vec::new(),
            report,
            identities: None,
        })
    }

    /// Of all that a look reads, there is nothing that does not follow from the statements that the file keeps, from the numbers in its
    /// head and from who reads it. So these are asked for as they are: numbers that count changes are those of one file, and another one
    /// may be in its place.
    async fn stamp(
        &self,
        connection: &dyn DatabaseConnection,
        _: &InspectOptions,
        context: &RequestContext,
    ) -> Result<Option<Stamp>, InspectError> {
        let failed = |source| InspectError::Database { stage: "stamp", source };
        let sql = connection.sql().map_err(failed)?;
        let rows = sql.query(&statement(include_str!("sqlite/stamp.sql")), context).await.map_err(failed)?;
        let cells = rows.iter().map(rows::stamp_cells).collect::<Result<Vec<_>, _>>().map_err(failed)?;
        Ok(Some(Stamp::of(cells.iter().flatten().map(Option::as_deref))))
    }
}

async fn read(transaction: &dyn SqlExecutor, stages: &mut Stages<'_>) -> Result<(rows::Facts, Found), InspectError> {
    let facts = statement(include_str!("sqlite/database.sql"));
    let facts = stages.read_one("database", transaction, facts, rows::facts).await?;
    let relations = statement(include_str!("sqlite/relations.sql"));
    let relations = stages.read("relations", transaction, relations, rows::relation).await?;
    let columns = statement(include_str!("sqlite/columns.sql"));
    let columns = stages.read("columns", transaction, columns, rows::column).await?;
    let indexes = statement(include_str!("sqlite/indexes.sql"));
    let indexes = stages.read("indexes", transaction, indexes, rows::index_part).await?;
    let foreign_keys = statement(include_str!("sqlite/foreign_keys.sql"));
    let foreign_keys = stages.read("foreign keys", transaction, foreign_keys, rows::foreign_key_part).await?;
    let triggers = statement(include_str!("sqlite/triggers.sql"));
    let triggers = stages.read("triggers", transaction, triggers, rows::trigger).await?;
    Ok((facts, Found { relations, columns, indexes, foreign_keys, triggers }))
}

fn statement(text: &'static str) -> Statement {
    select(Dialect::Sqlite, text).into()
}
