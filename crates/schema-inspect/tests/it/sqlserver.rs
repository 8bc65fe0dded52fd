//! On a real server of T-SQL, where there is one. Nobody has run these yet: see ADR 0056.

mod model;

use std::sync::Arc;

use schema_inspect::{InspectOptions, Inspectors};
use schema_model::{Database, Inspection};
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
        sample.run(include_str!("sqlserver/sample.sql")).await;
        sample
    }

    async fn empty() -> Self {
        let database = TestDatabase::create(Server::SqlServer).await;
        Self { connection: database.connection().await, database }
    }

    /// Runs what stands between lines of `GO`, one after the other.
    async fn run(&self, script: &str) {
        let sql = self.connection.sql().expect("SQL");
        for batch in script.split("\nGO\n").filter(|batch| !batch.trim().is_empty()) {
            sql.run_script(batch, &RequestContext::system()).await.unwrap_or_else(|error| panic!("{error:?}: {batch}"));
        }
    }

    async fn inspect(&self, options: &InspectOptions) -> Inspection {
        let inspectors = Inspectors::builtin();
        inspectors.inspect(&*self.connection, options, &RequestContext::system()).await.expect("it is inspected")
    }
}

/// What is told of the sample, without what differs from server to server.
pub(crate) fn told(mut database: Database) {
    "sample".clone_into(&mut database.name);
    "[version]".clone_into(&mut database.version);
    database.native.clear();
    let text = serde_json::to_string_pretty(&database).expect("JSON");
    insta::with_settings!({ prepend_module_to_snapshot => false, snapshot_path => "sqlserver/snapshots" }, {
        insta::assert_snapshot!("sqlserver_sample", text);
    });
}
