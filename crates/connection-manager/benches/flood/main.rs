//! What a flood of calls on one pool costs the quiet pools on the same server: how long their callers wait for a connection
//! alone, and how long while another pool has many more callers than the server's budget has places. Prints a table; decides
//! nothing.
//!
//! A pool stands for a tenant. Servers are named by the variables that the tests use (`BINDERY_TEST_MYSQL_URL` …); one that is
//! not named is left out by name. `cargo bench -p connection-manager --bench flood -- postgres` measures one engine alone.
#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

mod scene;

use std::time::Duration;

use testkit::Server;

use crate::scene::{Figures, Quiet, measure};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Each is measured that often, alone and beside the flood in turns; odd, so that there is a middle one.
const ROUNDS: usize = 3;

const CROWDS: [(&str, Quiet); 3] = [
    ("10, each ten times a second", Quiet { pools: 10, pause: Duration::from_millis(100) }),
    ("10, each every three seconds", Quiet { pools: 10, pause: Duration::from_secs(3) }),
    ("60, each once a second", Quiet { pools: 60, pause: Duration::from_secs(1) }),
];

fn main() -> Result<(), Failure> {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    println!(
        "| engine | quiet pools | alone p50 / p99 ms | beside the flood p50 / p99 ms | p99 ratio | flood's calls a second |"
    );
    println!("| --- | --- | --- | --- | --- | --- |");
    for server in [Server::MySql, Server::MariaDb, Server::Postgres] {
        if !wanted.is_empty() && !wanted.iter().any(|name| server.as_str().contains(name.as_str())) {
            continue;
        }
        let variable = server.variable().unwrap_or_default();
        #[expect(clippy::disallowed_methods, reason = "the benchmark is configured as the tests are")]
        if std::env::var_os(variable).is_none() {
            println!("| {server} | not run: {variable} is not set | | | | |");
            continue;
        }
        for (name, quiet) in &CROWDS {
            runtime.block_on(compare(server, name, quiet))?;
        }
    }
    Ok(())
}

async fn compare(server: Server, name: &str, quiet: &Quiet) -> Result<(), Failure> {
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        alone.push(measure(server, quiet, false).await?);
        beside.push(measure(server, quiet, true).await?);
    }
    let (alone, beside) = (middle(alone), middle(beside));
    let millis = |wait: Duration| wait.as_secs_f64() * 1e3;
    let ratio = beside.p99.as_secs_f64() / alone.p99.as_secs_f64();
    println!(
        "| {server} | {name} | {:.3} / {:.3} | {:.3} / {:.3} | {ratio:.2} | {:.0} |",
        millis(alone.p50),
        millis(alone.p99),
        millis(beside.p50),
        millis(beside.p99),
        beside.flooded,
    );
    Ok(())
}

/// The round whose 99 of 100 is neither the best nor the worst.
fn middle(mut rounds: Vec<Figures>) -> Figures {
    rounds.sort_unstable_by_key(|figures| figures.p99);
    rounds.swap_remove(rounds.len() / 2)
}
