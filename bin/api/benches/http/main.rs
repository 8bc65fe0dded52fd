//! The service beside bare actix-web handlers over sqlx that send the same statements, on the same database with
//! 100,000 books, in alternating rounds. Prints a table; decides nothing.
//!
//! SQLite is always measured, MariaDB when `BINDERY_TEST_MARIADB_URL` names a server. `BINDERY_BENCH_BOOKS` and
//! `BINDERY_BENCH_SECONDS` make a run smaller.

#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

mod load;
mod peer;
mod process;
mod scenario;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};

use crate::load::Measured;
use crate::process::Server;
use crate::scenario::Scenario;

/// Connections that the load generator keeps.
const CLIENTS: usize = 16;
/// Rounds of each kind in each scenario.
const ROUNDS: usize = 5;
/// Connections that each server may open.
const CONNECTIONS: u32 = 16;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "peer") {
        let [engine, database] = &arguments[at + 1..] else { anyhow::bail!("usage: peer ENGINE DATABASE") };
        return peer::serve(engine, database, CONNECTIONS);
    }
    let books = number("BINDERY_BENCH_BOOKS", 100_000)?;
    let round = Duration::from_secs(number("BINDERY_BENCH_SECONDS", 3)?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    println!("{books} books, {CLIENTS} clients, {ROUNDS} alternating rounds of {} s", round.as_secs());
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("books.sqlite");
    let settings = format!("engine = \"sqlite\"\npath = '{}'\npool = {{ max = {CONNECTIONS} }}\n", file.display());
    measure(&runtime, "sqlite", &settings, &file.to_string_lossy(), folder.path(), books, round)?;
    match variable("BINDERY_TEST_MARIADB_URL") {
        Some(url) => {
            let (settings, database) = runtime.block_on(mariadb(&url, folder.path()))?;
            measure(&runtime, "mariadb", &settings, &database, folder.path(), books, round)?;
        }
        None => println!("mariadb: not run, BINDERY_TEST_MARIADB_URL is not set"),
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the benchmark is configured as the tests are")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn number(name: &str, default: u64) -> anyhow::Result<u64> {
    variable(name).map_or(Ok(default), |text| text.parse().with_context(|| format!("{name} is not a number")))
}

/// Makes an empty database and returns the connection's settings and its URL.
async fn mariadb(url: &str, folder: &Path) -> anyhow::Result<(String, String)> {
    use sqlx::{ConnectOptions, Connection, Executor};
    let options: sqlx::mysql::MySqlConnectOptions = url.parse()?;
    let mut connection = options.connect().await?;
    connection.execute("DROP DATABASE IF EXISTS bindery_http_bench").await?;
    connection.execute("CREATE DATABASE bindery_http_bench CHARACTER SET utf8mb4 COLLATE utf8mb4_bin").await?;
    connection.close().await?;
    let url = url.trim_end_matches('/').to_owned() + "/bindery_http_bench";
    let (login, server) = url.split_once("://").and_then(|(_, rest)| rest.split_once('@')).context("no login")?;
    let (user, password) = login.split_once(':').context("no password")?;
    let (address, _) = server.split_once('/').context("no database")?;
    let (host, port) = address.split_once(':').context("no port")?;
    let file = folder.join("password");
    std::fs::write(&file, password)?;
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    let settings = format!(
        "engine = \"mariadb\"\nhost = \"{host}\"\nport = {port}\ndatabase = \"bindery_http_bench\"\n\
         username = \"{user}\"\npassword = {{ file = '{}' }}\ntls = {{ mode = \"disabled\" }}\n\
         pool = {{ max = {CONNECTIONS} }}\n",
        file.display()
    );
    Ok((settings, url))
}

fn measure(
    runtime: &tokio::runtime::Runtime,
    engine: &str,
    settings: &str,
    database: &str,
    folder: &Path,
    books: u64,
    round: Duration,
) -> anyhow::Result<()> {
    let configuration = folder.join(format!("{engine}.toml"));
    std::fs::write(
        &configuration,
        format!("[contexts.books]\nconnection = \"shelf\"\n\n[connections.shelf]\n{settings}"),
    )?;
    let data = folder.join(format!("{engine}-data"));
    let api = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_api"));
        command.env("BINDERY_CONFIG", &configuration).env("BINDERY_DATA", &data);
        command
    };
    run(api().args(["migrate", "up"]))?;
    run(api().args(["seed", "--users", "0", "--books", &books.to_string()]))?;

    let mut serve = api();
    serve.args(["serve", "--listen", "127.0.0.1:0"]);
    let service = Server::start(serve)?;
    let mut bare = Command::new(std::env::current_exe()?);
    bare.args(["peer", engine, database]);
    let bare = Server::start(bare)?;

    let ids = runtime.block_on(scenario::some_ids(service.address))?;
    println!("\n### {engine}\n");
    println!(
        "| scenario | service req/s | bare req/s | ratio | service p50 / p95 / p99 ms | bare p50 / p95 / p99 ms | service CPU s per 10,000 | bare CPU s per 10,000 |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    for scenario in Scenario::ALL {
        let requests = scenario.requests(&ids);
        let mut of_service = Vec::new();
        let mut of_bare = Vec::new();
        for number in 0..2 * ROUNDS {
            let (server, rounds) = if number % 2 == 0 { (&service, &mut of_service) } else { (&bare, &mut of_bare) };
            let before = server.processor_seconds()?;
            let measured = runtime.block_on(load::run(server.address, CLIENTS, round, requests.clone()))?;
            ensure!(measured.refused == 0, "{} answers of {} were not 2xx", measured.refused, scenario.name());
            rounds.push((server.processor_seconds()? - before, measured));
        }
        println!("{}", row(scenario, of_service, of_bare));
    }
    println!("\npeak memory: service {:.0} MiB, bare {:.0} MiB", service.peak_memory()?, bare.peak_memory()?);
    Ok(())
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output()?;
    ensure!(output.status.success(), "{command:?} failed: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}

fn row(scenario: Scenario, service: Vec<(f64, Measured)>, bare: Vec<(f64, Measured)>) -> String {
    let (service_cpu, service) = middle(service);
    let (bare_cpu, bare) = middle(bare);
    let quantiles = |measured: &Measured| {
        let milliseconds = |share| measured.quantile(share).as_secs_f64() * 1000.0;
        format!("{:.2} / {:.2} / {:.2}", milliseconds(0.5), milliseconds(0.95), milliseconds(0.99))
    };
    format!(
        "| {} | {:.0} | {:.0} | {:.2} | {} | {} | {:.2} | {:.2} |",
        scenario.name(),
        service.throughput,
        bare.throughput,
        service.throughput / bare.throughput,
        quantiles(&service),
        quantiles(&bare),
        service_cpu,
        bare_cpu,
    )
}

/// The round with the median throughput, and its processor seconds for 10,000 requests.
fn middle(mut rounds: Vec<(f64, Measured)>) -> (f64, Measured) {
    rounds.sort_by(|(_, one), (_, other)| one.throughput.total_cmp(&other.throughput));
    let (cpu, measured) = rounds.swap_remove(rounds.len() / 2);
    (cpu * 10_000.0 / measured.count(), measured)
}
