mod arguments;
mod counting;
mod limited;
mod locks;
mod model;
mod reserved;
mod round_trip;
mod second_source;

use std::sync::Arc;
use std::time::Duration;

use schema_inspect::{InspectOptions, Inspectors};
use schema_model::{Inspection, Namespace, ObjectName, Relation};
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseConnection, RawStatement};
use testkit::{Server, TestDatabase};

/// Makes a test of a function for each of the two products.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod mysql {
            $(#[test]
            fn $name() {
                testkit::run(super::$name(testkit::Server::MySql));
            })+
        }

        mod mariadb {
            $(#[test]
            fn $name() {
                testkit::run(super::$name(testkit::Server::MariaDb));
            })+
        }
    };
}
use on_both;

/// A database with the sample in it.
struct Sample {
    // Let go of before the database is dropped.
    connection: Arc<dyn DatabaseConnection>,
    database: TestDatabase,
}

impl Sample {
    async fn new(server: Server) -> Self {
        let sample = Self::empty(server).await;
        sample.run(include_str!("mysql/common.sql")).await;
        sample
            .run(match server {
                Server::MariaDb => include_str!("mysql/mariadb.sql"),
                _ => include_str!("mysql/mysql.sql"),
            })
            .await;
        sample
    }

    async fn empty(server: Server) -> Self {
        let database = TestDatabase::create(server).await;
        Self { connection: database.connection().await, database }
    }

    async fn run(&self, script: &str) {
        let sql = self.connection.sql().expect("SQL");
        sql.run_script(script, &RequestContext::system()).await.expect("the script runs");
    }

    /// What a statement answers in its one row at this place.
    async fn ask(&self, statement: &'static str, place: usize) -> String {
        let sql = self.connection.sql().expect("SQL");
        let statement = RawStatement::everywhere("SELECT", statement).into();
        let row = sql.query_one(&statement, &RequestContext::system()).await.expect("an answer").expect("a row");
        row.get::<Option<String>>(place).expect("a text").unwrap_or_default()
    }

    /// The sample alone: other tests have databases on the same server.
    fn options(&self) -> InspectOptions {
        let options = InspectOptions { lock_wait: Duration::from_secs(10), ..InspectOptions::default() };
        options.only([self.database.name()])
    }

    async fn inspect(&self, options: &InspectOptions) -> Inspection {
        let inspectors = Inspectors::builtin();
        inspectors.inspect(&*self.connection, options, &RequestContext::system()).await.expect("it is inspected")
    }

    #[track_caller]
    fn namespace<'a>(&self, found: &'a Inspection) -> &'a Namespace {
        found.database.namespace(self.database.name()).expect("the database")
    }

    #[track_caller]
    fn relation<'a>(&self, found: &'a Inspection, name: &str) -> &'a Relation {
        found.database.relation(&self.name(name)).unwrap_or_else(|| panic!("there is no {name}"))
    }

    fn name(&self, name: &str) -> ObjectName {
        ObjectName::new(self.database.name(), name)
    }
}
