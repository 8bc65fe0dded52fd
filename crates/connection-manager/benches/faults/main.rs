//! A server that goes silent for half a minute in the middle of statements, behind the fault proxy: how far beyond its
//! deadline a caller is answered, how long after the end of the silence every place of the pool can be had again, and how
//! many never can; and how long it takes until callers are no longer let through, which only a circuit breaker does. A plain
//! sqlx pool of the same size runs beside it, each call under a time-out of the same length.
//! Prints a table; decides nothing.
//!
//! Servers are named by the variables that the tests use (`BINDERY_TEST_MYSQL_URL` …); one that is not named is left out by
//! name. `cargo bench -p connection-manager --bench faults -- postgres` measures one engine alone.
#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

mod ours;
mod peer;
mod run;

use std::time::Duration;

use connection_manager::TlsMode;
use testkit::Server;
use testkit::proxy::Traffic;

use crate::ours::Ours;
use crate::peer::Peer;
use crate::run::{Figures, Scene, Subject};

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    println!(
        "| engine | pool | answered in time | at the deadline | refused at once | overrun p50 / p99 / max ms \
         | all places after ms | places lost | workers stuck | 95 % good answers after ms | circuit open after ms, \
         silent / refusing |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for server in [Server::MySql, Server::MariaDb, Server::Postgres] {
        if !wanted.is_empty() && !wanted.iter().any(|name| server.as_str().contains(name.as_str())) {
            continue;
        }
        let variable = server.variable().unwrap_or_default();
        #[expect(clippy::disallowed_methods, reason = "the benchmark is configured as the tests are")]
        if std::env::var_os(variable).is_none() {
            println!("| {server} | not run: {variable} is not set | | | | | | | | | |");
            continue;
        }
        runtime.block_on(both(server))?;
    }
    Ok(())
}

async fn both(server: Server) -> Result<(), Failure> {
    let mut settings = server.admin();
    let upstream = format!(
        "{}:{}",
        settings.host.clone().ok_or("the server has no host")?,
        settings.port.ok_or("the server has no port")?
    );
    settings = settings.with_host("127.0.0.1");
    // Without TLS, MySQL takes no password that it has not cached.
    settings.tls.mode = if server == Server::MySql { TlsMode::Required } else { TlsMode::Disabled };
    measure(server, "connection-manager", &upstream, async |port| {
        Ours::open(server, settings.clone().with_port(port)).await
    })
    .await?;
    if server == Server::Postgres {
        let open = async |port| Peer::postgres(&settings.clone().with_port(port)).await;
        return measure(server, "sqlx", &upstream, open).await;
    }
    let open = async |port| Peer::mysql(server, &settings.clone().with_port(port)).await;
    measure(server, "sqlx", &upstream, open).await
}

/// Two silences, each of a pool of its own: one after which the places are counted, and one after which callers go on. Then a
/// short one and a server that refuses, to see when callers are no longer let through.
async fn measure<S: Subject>(
    server: Server,
    pool: &str,
    upstream: &str,
    open: impl AsyncFn(u16) -> Result<S, Failure>,
) -> Result<(), Failure> {
    let scene = Scene::start(upstream).await?;
    let figures = scene.run(open(scene.port()).await?).await?;
    let scene = Scene::start(upstream).await?;
    let good = scene.heal(open(scene.port()).await?).await?;
    let mut opened = [None, None];
    for (opened, traffic) in opened.iter_mut().zip([Traffic::Swallow, Traffic::Refuse]) {
        let scene = Scene::start(upstream).await?;
        *opened = scene.opens(open(scene.port()).await?, traffic).await?;
    }
    print(server, pool, &figures, good, opened);
    Ok(())
}

fn print(server: Server, pool: &str, figures: &Figures, good: Option<Duration>, opened: [Option<Duration>; 2]) {
    let [p50, p99, max] = figures.overrun.map(|overrun| overrun.as_millis());
    let millis = |time: Option<Duration>| time.map_or_else(|| "never".to_owned(), |time| time.as_millis().to_string());
    println!(
        "| {server} | {pool} | {} | {} | {} | {p50} / {p99} / {max} | {} | {} | {} | {} | {} / {} |",
        figures.answered,
        figures.late,
        figures.refused,
        millis(figures.recovery),
        figures.lost,
        figures.stuck,
        millis(good),
        millis(opened[0]),
        millis(opened[1]),
    );
}
