//! Selects through the kernel's trait beside the same selects through the bare driver, on the same server, in
//! alternating rounds: one row by its key, and a thousand rows that are decoded. The cores are kept awake meanwhile, and client and
//! server kept on one of their own. Prints the medians and the ratio; decides nothing.
//!
//! Servers are named by the variables that the tests use (`BINDERY_TEST_MYSQL_URL` …); one that is not named is left
//! out by name. SQLite is always there. Engines named on the command line are measured alone (`-- mariadb`).
#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

mod awake;
mod bare;
mod cores;
mod measure;
mod traited;

use connection_manager::{ConnectionSettings, TlsSettings};

use crate::bare::Bare;
use crate::cores::Apart;
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
    let chosen: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let wanted = |name: &str| chosen.is_empty() || chosen.iter().any(|chosen| chosen == name);
    let mut watched = Vec::new();
    if wanted("sqlite") {
        watched.push(engine("sqlite", ConnectionSettings::sqlite(&file), &file.to_string_lossy()).await?);
    }
    for (name, variable) in [
        ("mysql", "BINDERY_TEST_MYSQL_URL"),
        ("mariadb", "BINDERY_TEST_MARIADB_URL"),
        ("postgres", "BINDERY_TEST_POSTGRES_URL"),
    ]
    .into_iter()
    .filter(|(name, _)| wanted(name))
    {
        #[expect(clippy::disallowed_methods, reason = "the benchmark is configured as the tests are")]
        match std::env::var(variable) {
            Ok(url) => watched.push(engine(name, ConnectionSettings::from_url(&url)?, &url).await?),
            Err(_) => println!("| {name} | not run: {variable} is not set | | | | |"),
        }
    }
    println!("\n| engine | point select, from a template | without µs | with µs | added µs | ratio |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for row in watched {
        println!("{row}");
    }
    Ok(())
}

/// Keeps what has answered to a question on another core than the one that asks.
fn apart(name: &str, answers: &[String]) -> Option<Apart> {
    let apart = Apart::keep(answers);
    if apart.is_none() {
        println!("| {name} | client and server run where the system likes | | | | |");
    }
    apart
}

/// Measures one engine, and returns the row that says what measurements, circuit and deadline cost.
async fn engine(name: &str, mut settings: ConnectionSettings, url: &str) -> Result<String, Failure> {
    if name.starts_with('m') {
        settings.database = Some("bindery_bench".to_owned());
    }
    // As on the bare side.
    settings.tls = if name == "mysql" { TlsSettings::required() } else { TlsSettings::disabled() };
    let mut bare = Bare::connect(name, url).await?;
    bare.prepare().await?;
    let traited = Traited::connect(settings.clone()).await?;
    let question = cores::question(name);
    let mut answers = Vec::new();
    if let Some(question) = question {
        answers.extend([bare.ask(question).await?, traited.ask(question).await?]);
    }
    let one_pair = apart(name, &answers);
    for load in Load::ALL {
        let samples =
            alternate(
                load,
                async |of_bare, calls| {
                    if of_bare { bare.run(load, calls).await } else { traited.run(load, calls).await }
                },
            )
            .await?;
        println!("{}", row(name, load.name(), &samples));
    }
    let (unwatched, watched) = (Traited::unwatched(settings.clone()).await?, Traited::watched(settings).await?);
    drop(one_pair);
    let mut answers = Vec::new();
    if let Some(question) = question {
        answers.extend([unwatched.ask(question).await?, watched.ask(question).await?]);
    }
    let _other_pair = apart(name, &answers);
    let samples = alternate(Load::Template, async |of_unwatched, calls| {
        let side = if of_unwatched { &unwatched } else { &watched };
        side.run(Load::Template, calls).await
    })
    .await?;
    Ok(row(name, "with measurements, circuit and deadline, and without", &samples))
}

#[expect(clippy::cast_precision_loss, reason = "nanoseconds of one call are far below 2^52")]
fn row(name: &str, load: &str, (one, other): &(Samples, Samples)) -> String {
    let (one, other) = (one.median() as f64 / 1000.0, other.median() as f64 / 1000.0);
    let (added, ratio) = (other - one, other / one);
    format!("| {name} | {load} | {one:.2} | {other:.2} | {added:.2} | {ratio:.3} |")
}
