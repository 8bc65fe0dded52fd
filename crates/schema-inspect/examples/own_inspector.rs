//! An inspector of one's own, beside those that are there and before one of them: a team keeps a dictionary of what its programs
//! write, in a table of the very database, and that is what counts as its schema.
//!
//! Run it with `cargo run -p schema-inspect --example own_inspector`.

use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use schema_inspect::{InspectError, InspectOptions, Inspector, Inspectors};
use schema_model::{
    Column, DataType, Database, Inspection, Namespace, Native, Relation, RelationKind, Report, Stage, TypeFamily,
};
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseConnection, DatabaseError, Engine, RawStatement};

/// Reads the dictionary instead of SQLite's catalog.
struct DictionaryInspector;

const DICTIONARY: &str = "SELECT relation, name, position, type FROM dictionary ORDER BY relation, position";

impl DictionaryInspector {
    async fn relations(
        connection: &dyn DatabaseConnection,
        context: &RequestContext,
    ) -> Result<Vec<Relation>, DatabaseError> {
        let rows = connection.sql()?.query(&RawStatement::everywhere("SELECT", DICTIONARY).into(), context).await?;
        let mut relations: Vec<Relation> = Vec::new();
        for row in &rows {
            let (name, text) = (row.get::<String>("relation")?, row.get::<String>("type")?);
            if relations.last().is_none_or(|last| last.name != name) {
                relations.push(Relation::new(name, RelationKind::Table));
            }
            let family = if text == "number" { TypeFamily::Integer } else { TypeFamily::Text };
            let column = Column::new(row.get::<String>("name")?, row.get("position")?, DataType::new(text, family));
            if let Some(relation) = relations.last_mut() {
                relation.columns.push(column);
            }
        }
        Ok(relations)
    }
}

#[async_trait]
impl Inspector for DictionaryInspector {
    fn engines(&self) -> &[Engine] {
        const ENGINES: &[Engine] = &[Engine::SQLITE];
        ENGINES
    }

    async fn inspect(
        &self,
        connection: &dyn DatabaseConnection,
        _options: &InspectOptions,
        context: &RequestContext,
    ) -> Result<Inspection, InspectError> {
        let began = Instant::now();
        let relations = Self::relations(connection, context).await;
        let relations = relations.map_err(|source| InspectError::Database { stage: "dictionary", source })?;
        let stage = Stage { name: "dictionary".to_owned(), milliseconds: began.elapsed().as_secs_f64() * 1000.0 };
        let mut namespace = Namespace::new("main");
        namespace.relations = relations;
        Ok(Inspection {
            database: Database {
                engine: connection.engine().to_string(),
                version: "1".to_owned(),
                name: "main".to_owned(),
                comment: None,
                character_set: None,
                collation: None,
                namespaces: vec![namespace],
                extensions: Vec::new(),
                native_objects: Vec::new(),
                native: Native::new(),
            },
            statistics: Vec::new(),
            samples: Vec::new(),
            key_samples: Vec::new(),
            report: Report { statements: 1, stages: vec![stage], ..Report::default() },
            identities: None,
        })
    }
}

/// What a database is told to have, by whoever was registered last for its engine.
async fn columns_by(inspectors: &Inspectors) -> Result<Vec<String>, Box<dyn Error + Send + Sync>> {
    let (connection, context) = (testkit::in_memory().await, RequestContext::system());
    let script = "CREATE TABLE dictionary (relation TEXT, name TEXT, position INTEGER, type TEXT); \
        INSERT INTO dictionary VALUES ('books', 'pages', 2, 'number'), ('books', 'title', 1, 'text')";
    connection.sql()?.run_script(script, &context).await?;
    let found = inspectors.inspect(connection.as_ref(), &InspectOptions::default(), &context).await?;
    let mut columns = Vec::new();
    for (name, relation) in found.database.relations() {
        columns.extend(relation.columns.iter().map(|column| format!("{}.{}", name.name, column.name)));
    }
    Ok(columns)
}

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::print_stdout, reason = "an example shows what it does")]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let builtin = Inspectors::builtin();
    println!("SQLite's catalog: {:?}", columns_by(&builtin).await?);
    println!("the dictionary: {:?}", columns_by(&builtin.register(Arc::new(DictionaryInspector))).await?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_one_registered_for_an_engine_looks() {
        let builtin = Inspectors::builtin();
        let catalog = ["dictionary.relation", "dictionary.name", "dictionary.position", "dictionary.type"];
        assert_eq!(columns_by(&builtin).await.unwrap(), catalog);
        let own = builtin.register(Arc::new(DictionaryInspector));
        assert_eq!(columns_by(&own).await.unwrap(), ["books.title", "books.pages"]);
    }
}
