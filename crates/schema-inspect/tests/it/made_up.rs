//! Schemas that nobody thought of: made up, created by statements that are written here, and found as they were meant.

mod in_mysql;
mod in_postgres;
mod in_sqlite;
mod parts;
mod plan;

use std::sync::Arc;
use std::time::Duration;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use schema_export::Exporters;
use schema_inspect::{InspectOptions, Inspectors};
use schema_model::{Inspection, Namespace};
use shared_kernel::database::DatabaseConnection;
use shared_kernel::{IdGenerator, RequestContext, SystemIdGenerator};
use testkit::{Server, TestDatabase};
use tokio::runtime::Handle;

use self::parts::MadeUp;
use self::plan::Plan;

macro_rules! on {
    ($($module:ident $server:ident),+ $(,)?) => {
        $(mod $module {
            #[test]
            fn whatever_is_made_up_is_found_as_it_was_meant() {
                testkit::run(super::whatever_is_made_up_is_found_as_it_was_meant(testkit::Server::$server));
            }
        })+
    };
}
on!(postgres Postgres, mysql MySql, mariadb MariaDb, sqlite Sqlite);

/// What the schemas are made up from, each from one number. The same ones each time, so that what nobody changed turns nothing red;
/// `cargo xtask soak` has others and more of them each time. `BINDERY_TEST_SEED` is the only one where it is set.
fn seeds() -> std::ops::Range<u64> {
    #[expect(clippy::disallowed_methods, reason = "xtask and people tell tests through the environment what they want")]
    let (seed, soak) = (std::env::var("BINDERY_TEST_SEED"), std::env::var_os("BINDERY_TEST_SOAK").is_some());
    match seed.ok().map(|seed| seed.parse().expect("BINDERY_TEST_SEED is a whole number")) {
        Some(seed) => seed..seed + 1,
        None if soak => {
            let first =
                u64::from_be_bytes(SystemIdGenerator.next().into_bytes()[8..].try_into().expect("8 bytes")) >> 1;
            first..first + 200
        }
        None => 0..16,
    }
}

async fn whatever_is_made_up_is_found_as_it_was_meant(server: Server) {
    let database = TestDatabase::create(server).await;
    let place = Place { server, connection: database.connection().await };
    let runtime = Handle::current();
    for seed in seeds() {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let config = Config { cases: 1, max_shrink_iters: 200, failure_persistence: None, ..Config::default() };
        let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
        let outcome = tokio::task::block_in_place(|| {
            runner.run(&plan::plan(), |plan| runtime.block_on(place.check(&plan)).map_err(TestCaseError::fail))
        });
        match outcome {
            Ok(()) => {}
            Err(TestError::Fail(reason, _)) => panic!("the schema of BINDERY_TEST_SEED={seed}: {reason}"),
            Err(error) => panic!("the schema of BINDERY_TEST_SEED={seed}: {error}"),
        }
    }
}

/// Where schemas are made.
struct Place {
    server: Server,
    connection: Arc<dyn DatabaseConnection>,
}

impl Place {
    async fn check(&self, plan: &Plan) -> Result<(), String> {
        let made = match self.server {
            Server::Postgres => in_postgres::made_up(plan),
            Server::Sqlite => in_sqlite::made_up(plan),
            server => in_mysql::made_up(plan, server),
        };
        let found = self.with(&made.statements, &made.name).await?;
        same(&made, &found)?;
        // And what is written of it makes it again.
        let export = Exporters::builtin().export("sql", &found.database).map_err(|error| error.to_string())?;
        if !export.omissions.is_empty() {
            return Err(format!("left out of the SQL: {:?}", export.omissions));
        }
        let again = self.with(&[export.text], &made.name).await?;
        same(&made, &again).map_err(|error| format!("of the SQL that was written: {error}"))
    }

    /// What is found of the namespace where these statements were carried out. Nothing is left of it afterwards.
    async fn with(&self, statements: &[String], name: &str) -> Result<Inspection, String> {
        let connection =
            if self.server == Server::Sqlite { testkit::in_memory().await } else { self.connection.clone() };
        let made = run(&*connection, statements).await;
        let found = match made {
            Ok(()) => {
                let options = InspectOptions { lock_wait: Duration::from_secs(10), ..InspectOptions::default() };
                let (options, context) = (options.only([name]), RequestContext::system());
                let found = Inspectors::builtin().inspect(&*connection, &options, &context).await;
                found.map_err(|error| format!("{error:?}"))
            }
            Err(error) => Err(error),
        };
        let removal = match self.server {
            Server::Postgres => format!("DROP SCHEMA IF EXISTS {} CASCADE", in_postgres::quoted(name)),
            Server::Sqlite => return found,
            _ => format!("DROP DATABASE IF EXISTS {}", in_mysql::quoted(name)),
        };
        let removed = run(&*connection, &[removal]).await;
        found.and_then(|found| removed.map(|()| found))
    }
}

async fn run(connection: &dyn DatabaseConnection, statements: &[String]) -> Result<(), String> {
    let context = RequestContext::system();
    let sql = connection.sql().map_err(|error| format!("{error:?}"))?;
    let session = sql.session(&context).await.map_err(|error| format!("{error:?}"))?;
    for statement in statements {
        session.run_script(statement, &context).await.map_err(|error| format!("{error:?}\n{statement}"))?;
    }
    session.release().await.map_err(|error| format!("{error:?}"))
}

/// Whether it was found as it was meant, apart from whose it is and what the namespace itself is.
fn same(made: &MadeUp, found: &Inspection) -> Result<(), String> {
    let Some(namespace) = found.database.namespace(&made.name) else { return Err("there is nothing".to_owned()) };
    let mut namespace = namespace.clone();
    namespace.relations.iter_mut().for_each(|relation| relation.owner = None);
    let meant = Namespace { relations: made.relations.clone(), ..Namespace::new(&*made.name) };
    let meant = Namespace { owner: namespace.owner.clone(), native: namespace.native.clone(), ..meant };
    let [meant, told] = [&meant, &namespace].map(|one| serde_json::to_string_pretty(one).expect("JSON"));
    if !found.report.gaps.is_empty() {
        return Err(format!("there are gaps: {:?}", found.report.gaps));
    }
    if meant == told {
        return Ok(());
    }
    let first = meant.lines().zip(told.lines()).position(|(one, other)| one != other).unwrap_or_default();
    let around = |text: &str| text.lines().skip(first.saturating_sub(8)).take(16).collect::<Vec<_>>().join("\n");
    let statements = made.statements.join(";\n");
    Err(format!("meant:\n{}\nfound:\n{}\nof:\n{statements}", around(&meant), around(&told)))
}
