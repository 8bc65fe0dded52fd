mod changes;
mod counting;
mod locks;
mod model;
mod round_trip;
mod second_source;
mod stamps;

use std::sync::Arc;

use schema_inspect::{InspectOptions, Inspectors};
use schema_model::{Inspection, ObjectName, Relation};
use shared_kernel::RequestContext;
use shared_kernel::database::DatabaseConnection;
use testkit::{Server, TestDatabase};

/// A database with the sample in it.
struct Sample {
    // Let go of before the database is dropped.
    connection: Arc<dyn DatabaseConnection>,
    database: TestDatabase,
}

impl Sample {
    async fn new() -> Self {
        let sample = Self::empty().await;
        let script = include_str!("postgres/sample.sql").replace("CURRENT_CATALOG_NAME", sample.database.name());
        sample.run(&script).await;
        sample
    }

    async fn empty() -> Self {
        let database = TestDatabase::create(Server::Postgres).await;
        Self { connection: database.connection().await, database }
    }

    async fn run(&self, script: &str) {
        let sql = self.connection.sql().expect("SQL");
        sql.run_script(script, &RequestContext::system()).await.expect("the script runs");
    }

    async fn inspect(&self, options: &InspectOptions) -> Inspection {
        let inspectors = Inspectors::builtin();
        inspectors.inspect(&*self.connection, options, &RequestContext::system()).await.expect("it is inspected")
    }
}

#[track_caller]
fn relation<'a>(found: &'a Inspection, name: &str) -> &'a Relation {
    found.database.relation(&ObjectName::new("shop", name)).unwrap_or_else(|| panic!("there is no {name}"))
}
