//! MySQL and MariaDB, by `information_schema`: ten questions in one transaction.
//!
//! MySQL keeps all that is asked for in its dictionary, and locks of tables are in nobody's way. Row counts and sizes are the
//! exception: what nobody has counted lately is asked of the table itself. They are asked for last and with a limit.
//!
//! MariaDB opens each table to answer, for which somebody's exclusive lock is in the way. It is told not to wait: a table that it
//! cannot open is then left out of the answer. The first question tells which these are, and the others do not touch them. The server
//! counts how often it had to warn; where a lock came in between, everything is asked once more.

mod assembly;
mod columns;
mod constraints;
mod expressions;
mod grants;
mod indexes;
mod partitions;
mod product;
mod programs;
mod reserved;
mod rows;
mod texts;
mod views;

use async_trait::async_trait;
use schema_model::{Inspection, SequenceOptions};
use shared_kernel::RequestContext;
use shared_kernel::database::{
    DatabaseConnection, DatabaseError, DatabaseErrorKind, Engine, Row, SqlExecutor, Statement, TransactionMode,
};

use self::assembly::{Found, unreadable};
use self::product::Product;
use self::rows::{Answer, Facts, FoundDatabase, FoundRelation, Id, Size, told};
use self::texts::Texts;
use crate::cells::Cells;
use crate::stages::Stages;
use crate::{InspectError, InspectOptions, Inspector};

/// Looks at databases of MySQL 8.0.16 and MariaDB 10.5, and later. A namespace is what both call a database.
#[derive(Debug, Clone, Copy, Default)]
pub struct MySqlInspector;

/// How often everything is asked where locks come in between. The last time what is missing is told as a gap.
const TRIES: u32 = 3;

/// How many times as long as one lock may be waited for, MySQL may take for the sizes of all tables.
const STATISTICS_WAIT: u32 = 5;

#[async_trait]
impl Inspector for MySqlInspector {
    fn engines(&self) -> &[Engine] {
        const { &[Engine::MYSQL, Engine::MARIADB] }
    }

    fn namespaces_are_databases(&self) -> bool {
        true
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
        let found = read(&*transaction as &dyn SqlExecutor, options, &mut stages).await;
        let ended = stages.timed("end", transaction.rollback(context)).await;
        let found = found?;
        // A statement that took too long has cost the session.
        if found.is_counted() {
            ended?;
        }
        Ok(found.inspection(options, stages.report()))
    }
}

async fn read(
    transaction: &dyn SqlExecutor,
    options: &InspectOptions,
    stages: &mut Stages<'_>,
) -> Result<Found, InspectError> {
    let databases = stages.read("database", transaction, texts::database(options), rows::database).await?;
    let facts = databases.iter().find_map(|found| match found {
        FoundDatabase::Namespace { facts, .. } => Some(facts.clone()),
        FoundDatabase::Grant(_) => None,
    });
    let facts = facts.unwrap_or_default();
    let product = Product::of(&facts.version);
    if let Some(needed) = product.too_old() {
        let engine = if product.is_mariadb { Engine::MARIADB } else { Engine::MYSQL };
        return Err(InspectError::TooOld { engine, version: facts.version, needed });
    }
    let mut found = read_relations(transaction, product, facts, databases, options, stages).await?;
    for _ in 1..TRIES {
        if !found.is_torn() {
            break;
        }
        let Found { facts, databases, .. } = found;
        found = read_relations(transaction, product, facts, databases, options, stages).await?;
    }
    if product.is_mariadb {
        found.sequences = sequences(transaction, &found.relations, stages).await?;
    } else {
        found.statistics = statistics(transaction, options, stages).await?;
    }
    Ok(found)
}

async fn read_relations(
    transaction: &dyn SqlExecutor,
    product: Product,
    facts: Facts,
    databases: Vec<FoundDatabase>,
    options: &InspectOptions,
    stages: &mut Stages<'_>,
) -> Result<Found, InspectError> {
    let texts = Texts::new(product, options, &[]);
    let relations = stages.read("relations", transaction, texts.relations(), rows::relation).await?;
    let closed = relations.iter().filter(|found| product.is_mariadb && unreadable(found).is_some());
    let closed: Vec<Id> = closed.map(|found| found.id.clone()).collect();
    let texts = Texts::new(product, options, &closed);
    Ok(Found {
        product,
        facts,
        databases,
        columns: answer("columns", transaction, texts.columns(), rows::column, stages).await?,
        indexes: answer("indexes", transaction, texts.indexes(), rows::index_part, stages).await?,
        constraints: answer("constraints", transaction, texts.constraints(), rows::constraint, stages).await?,
        views: stages.read("views", transaction, texts.views(), rows::view).await?,
        partitions: answer("partitions", transaction, texts.partitions(), rows::partition, stages).await?,
        programs: answer("triggers", transaction, texts.triggers(), rows::program, stages).await?,
        routines: {
            let read = |row: &Row| {
                let mut cells = Cells::of(row);
                let letter: String = cells.next()?;
                rows::routine(&letter, &mut cells)
            };
            stages.read("routines", transaction, texts.routines(), read).await?
        },
        relations,
        statistics: None,
        sequences: None,
    })
}

async fn answer<T>(
    stage: &'static str,
    transaction: &dyn SqlExecutor,
    statement: Statement,
    read: impl Fn(&str, &mut Cells<'_>) -> Result<T, DatabaseError>,
    stages: &mut Stages<'_>,
) -> Result<Answer<T>, InspectError> {
    Ok(Answer::of(stages.read(stage, transaction, statement, |row| told(row, &read)).await?))
}

/// How much is in MySQL's tables; `None` where the server did not get that together in time.
async fn statistics(
    transaction: &dyn SqlExecutor,
    options: &InspectOptions,
    stages: &mut Stages<'_>,
) -> Result<Option<Vec<(Id, Option<Size>)>>, InspectError> {
    let product = Product { is_mariadb: false, version: (0, 0, 0) };
    let limit = (options.lock_wait * STATISTICS_WAIT).as_millis().max(1);
    let statement = Texts::new(product, options, &[]).statistics(limit);
    match stages.read("statistics", transaction, statement, rows::statistics).await {
        Ok(sizes) => Ok(Some(sizes)),
        // 3024: the time that the statement was given is over.
        Err(InspectError::Database { source, .. }) if source.code() == Some("3024") => Ok(None),
        Err(error) => Err(error),
    }
}

/// How MariaDB's sequences count, all in one question; `None` where one of them cannot be read.
async fn sequences(
    transaction: &dyn SqlExecutor,
    relations: &[FoundRelation],
    stages: &mut Stages<'_>,
) -> Result<Option<Vec<(Id, SequenceOptions)>>, InspectError> {
    let sequences = relations.iter().filter(|found| found.kind == "SEQUENCE" && unreadable(found).is_none());
    let names: Vec<Id> = sequences.map(|found| found.id.clone()).collect();
    if names.is_empty() {
        return Ok(Some(Vec::new()));
    }
    let counted = match stages.read("sequences", transaction, texts::sequences(&names), rows::sequence).await {
        Ok(counted) => counted,
        Err(InspectError::Database { source, .. })
            if matches!(source.kind(), DatabaseErrorKind::Query | DatabaseErrorKind::SerializationConflict) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let options = counted.into_iter().filter_map(|(number, [start, increment, minimum, maximum, cache], cycle)| {
        let options = SequenceOptions {
            start: start.into(),
            increment: increment.into(),
            minimum: minimum.into(),
            maximum: maximum.into(),
            cache: cache.into(),
            cycle,
        };
        Some((names.get(number)?.clone(), options))
    });
    Ok(Some(options.collect()))
}
