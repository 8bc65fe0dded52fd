//! SQLite. Seven questions to its pragmas, which answer for all tables at once, in one transaction. What no pragma tells is read from
//! the statements that the file keeps: SQLite has understood them once.

mod relations;
mod rows;
mod text;
mod tokens;

use async_trait::async_trait;
use schema_model::{Database, Inspection, Namespace, Native, Report};
use shared_kernel::RequestContext;
use shared_kernel::database::{
    DatabaseConnection, DatabaseError, DatabaseErrorKind, Dialect, Engine, Row, SqlTransaction, Statement,
    TransactionMode,
};

use self::rows::Found;
use crate::stages::Stages;
use crate::statement::select;
use crate::{InspectError, InspectOptions, Inspector, gaps};

/// Looks at SQLite files. The one namespace is `main`.
#[derive(Debug, Clone, Copy, Default)]
pub struct SqliteInspector;

const MAIN: &str = "main";

#[async_trait]
impl Inspector for SqliteInspector {
    fn engines(&self) -> &[Engine] {
        const { &[Engine::SQLITE] }
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
        let read = read(&*transaction, &mut stages).await;
        let ended = stages.timed("end", transaction.rollback(context)).await;
        let (facts, found) = read?;
        ended?;
        let mut namespace = Namespace::new(MAIN);
        if options.namespaces.as_ref().is_none_or(|names| names.iter().any(|name| name == MAIN)) {
            namespace.relations = relations::assembled(found);
        }
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
            namespaces: vec![namespace],
            extensions: Vec::new(),
            native,
        };
        let gaps = gaps::of(&mut database, options.longest_definition);
        Ok(Inspection { database, statistics: Vec::new(), report: Report { gaps, ..stages.report() } })
    }
}

async fn read(transaction: &dyn SqlTransaction, stages: &mut Stages<'_>) -> Result<(rows::Facts, Found), InspectError> {
    let rows = stages.query("database", transaction, statement(include_str!("sqlite/database.sql"))).await?;
    let facts = decoded("database", &rows, rows::facts)?.into_iter().next();
    let facts = facts.ok_or_else(|| InspectError::Database {
        stage: "database",
        source: DatabaseError::new(DatabaseErrorKind::Decode, "nothing is known of the database"),
    })?;
    let rows = stages.query("relations", transaction, statement(include_str!("sqlite/relations.sql"))).await?;
    let relations = decoded("relations", &rows, rows::relation)?;
    let rows = stages.query("columns", transaction, statement(include_str!("sqlite/columns.sql"))).await?;
    let columns = decoded("columns", &rows, rows::column)?;
    let rows = stages.query("indexes", transaction, statement(include_str!("sqlite/indexes.sql"))).await?;
    let indexes = decoded("indexes", &rows, rows::index_part)?;
    let rows = stages.query("foreign keys", transaction, statement(include_str!("sqlite/foreign_keys.sql"))).await?;
    let foreign_keys = decoded("foreign keys", &rows, rows::foreign_key_part)?;
    let rows = stages.query("triggers", transaction, statement(include_str!("sqlite/triggers.sql"))).await?;
    let triggers = decoded("triggers", &rows, rows::trigger)?;
    Ok((facts, Found { relations, columns, indexes, foreign_keys, triggers }))
}

fn statement(text: &'static str) -> Statement {
    select(Dialect::Sqlite, text).into()
}

fn decoded<T>(
    stage: &'static str,
    rows: &[Row],
    read: impl Fn(&Row) -> Result<T, DatabaseError>,
) -> Result<Vec<T>, InspectError> {
    rows.iter().map(read).collect::<Result<_, _>>().map_err(|source| InspectError::Database { stage, source })
}
