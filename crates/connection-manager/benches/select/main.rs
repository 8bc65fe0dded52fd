//! Selects through the kernel's trait beside the same selects through the bare driver, on the same server, in
//! alternating rounds: one row by its key, and a thousand rows that are decoded. The cores are kept awake meanwhile. Prints the medians and the ratio;
//! decides nothing.
//!
//! Servers are named by the variables that the tests use (`BINDERY_TEST_MYSQL_URL` …); one that is not named is left
//! out by name. SQLite is always there.
#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

mod awake;
mod bare;
mod measure;
mod traited;

use connection_manager::{ConnectionSettings, TlsSettings};

use crate::bare::Bare;
use crate::measure::{Load, Samples, alternate};
use crate::traited::Traited;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let _awake = awake::Awake::keep()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run())
}

async fn run() -> Result<(), Failure> {
    println!("| engine | load | bare driver µs | through the trait µs | added µs | ratio |");
    println!("| --- | --- | --- | --- | --- | --- |");
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
            Err(_) => println!("| {name} | not run: {variable} is not set | | | | |"),
        }
    }
    Ok(())
}

async fn engine(name: &str, mut settings: ConnectionSettings, url: &str) -> Result<(), Failure> {
    if name.starts_with('m') {
        settings.database = Some("bindery_bench".to_owned());
    }
    // As on the bare side.
    settings.tls = if name == "mysql" { TlsSettings::required() } else { TlsSettings::disabled() };
    let mut bare = Bare::connect(name, url).await?;
    bare.prepare().await?;
    let traited = Traited::connect(settings).await?;
    for load in Load::ALL {
        let samples =
            alternate(
                load,
                async |of_bare, calls| {
                    if of_bare { bare.run(load, calls).await } else { traited.run(load, calls).await }
                },
            )
            .await?;
        report(name, load, &samples.0, &samples.1);
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "nanoseconds of one call are far below 2^52")]
fn report(name: &str, load: Load, bare: &Samples, traited: &Samples) {
    let (bare, traited) = (bare.median() as f64 / 1000.0, traited.median() as f64 / 1000.0);
    let (added, ratio) = (traited - bare, traited / bare);
    println!("| {name} | {} | {bare:.2} | {traited:.2} | {added:.2} | {ratio:.3} |", load.name());
}
