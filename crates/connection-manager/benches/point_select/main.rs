//! A point select through the kernel's trait beside the same select through the bare driver, on the same server, in
//! alternating rounds. Prints the medians and the ratio; decides nothing.
//!
//! Servers are named by the variables that the tests use (`BINDERY_TEST_MYSQL_URL` …); one that is not named is left
//! out by name. SQLite is always there.

mod bare;
mod measure;

use std::sync::Arc;

use connection_manager::{ConnectionFactory, ConnectionManager, ConnectionSettings};
use sea_query::{Expr, ExprTrait, Query};
use shared_kernel::RequestContext;
use shared_kernel::database::{Access, Connections, DatabaseConnection, Dialect, Statement};

use crate::bare::Bare;
use crate::measure::{Samples, alternate};

/// Rows in the table.
const ROWS: i64 = 1000;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run())
}

async fn run() -> Result<(), Failure> {
    println!("| engine | bare driver µs | through the trait µs | added µs | ratio |");
    println!("| --- | --- | --- | --- | --- |");
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("bench.sqlite");
    engine("sqlite", ConnectionSettings::sqlite(&file), &file.to_string_lossy()).await?;
    for (name, variable) in [
        ("mysql", "BINDERY_TEST_MYSQL_URL"),
        ("mariadb", "BINDERY_TEST_MARIADB_URL"),
        ("postgres", "BINDERY_TEST_POSTGRES_URL"),
    ] {
        #[expect(clippy::disallowed_methods, reason = "the benchmark is configured as the tests are")]
        match std::env::var(variable) {
            Ok(url) => engine(name, ConnectionSettings::from_url(&url)?, &url).await?,
            Err(_) => println!("| {name} | not run: {variable} is not set | | | |"),
        }
    }
    Ok(())
}

async fn engine(name: &str, mut settings: ConnectionSettings, url: &str) -> Result<(), Failure> {
    settings.pool.min = 1;
    settings.database = settings.database.or_else(|| (name != "sqlite").then(|| "bindery_bench".to_owned()));
    let mut bare = Bare::connect(name, url).await?;
    bare.prepare(ROWS).await?;
    let manager = ConnectionManager::builder(ConnectionFactory::compiled()).connection("bench", settings).build()?;
    let context = RequestContext::system();
    let connection = manager.get("bench", Access::Read, &context).await?;
    let (bare, traited) = alternate(name == "sqlite", async |round, calls| {
        if round % 2 == 0 { bare.select(calls, ROWS).await } else { through_the_trait(&connection, calls).await }
    })
    .await?;
    report(name, &bare, &traited);
    Ok(())
}

async fn through_the_trait(connection: &Arc<dyn DatabaseConnection>, calls: i64) -> Result<(), Failure> {
    let sql = connection.sql()?;
    let context = RequestContext::system();
    for call in 0..calls {
        let row = sql.query_one(&select(sql.dialect(), call % ROWS), &context).await?.ok_or("the row is missing")?;
        let id: i64 = row.get(0)?;
        let name: String = row.get(1)?;
        std::hint::black_box((id, name));
    }
    Ok(())
}

fn select(_dialect: Dialect, id: i64) -> Statement {
    Query::select().columns(["id", "name"]).from("bindery_bench").and_where(Expr::col("id").eq(id)).take().into()
}

#[expect(clippy::cast_precision_loss, reason = "nanoseconds of one call are far below 2^52")]
fn report(name: &str, bare: &Samples, traited: &Samples) {
    let (bare, traited) = (bare.median() as f64 / 1000.0, traited.median() as f64 / 1000.0);
    println!("| {name} | {bare:.2} | {traited:.2} | {:.2} | {:.3} |", traited - bare, traited / bare);
}
