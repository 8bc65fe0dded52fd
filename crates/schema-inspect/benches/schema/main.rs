//! How long it takes to read the schema of a database with 16, 250, 1,000 and 5,000 tables of ten columns and four indexes, how many
//! statements that takes, and how long the server computes for it, beside `SQLAlchemy`'s inspector and `reflect` and npm's
//! `@supabase/postgres-meta`; at once, and with 5 and 20 ms from question to answer. The same table says how much of what was created
//! each has told. Prints medians; decides nothing.
//!
//! Servers are named by the variables that the tests use (`BINDERY_TEST_POSTGRES_URL` …), the interpreter that has `SQLAlchemy` by
//! `BINDERY_TEST_PYTHON`; what is not named is left out by name. Words on the command line choose engines, numbers the sizes:
//! `cargo xtask bench schema -- postgres 1000`.
#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

mod figures;
mod link;
mod made;
mod ours;
mod peers;
mod processor;

use std::time::Duration;

use testkit::Server;

use crate::figures::{Figures, middle};
use crate::link::Link;
use crate::made::Made;
use crate::peers::Peer;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// From a question to its answer.
const ROUND_TRIPS: [Duration; 2] = [Duration::from_millis(5), Duration::from_millis(20)];

/// How often everything is done while nothing is delayed.
const ROUNDS: usize = 5;

/// The most tables that are read over a slow link, where some ask for each table by itself.
const MOST_FROM_AFAR: usize = 1000;

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let (sizes, engines): (Vec<&String>, Vec<&String>) = words.iter().partition(|word| word.parse::<usize>().is_ok());
    let mut sizes: Vec<usize> = sizes.into_iter().filter_map(|word| word.parse().ok()).collect();
    if sizes.is_empty() {
        sizes = vec![16, 250, 1000, 5000];
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let peers = Peer::provide();
    println!(
        "| engine | tables | who | statements | server CPU s | s | s at 5 ms | s at 20 ms | told of what was created |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for server in [Server::Postgres, Server::MariaDb, Server::Sqlite] {
        if !engines.is_empty() && !engines.iter().any(|name| server.as_str().contains(name.as_str())) {
            continue;
        }
        let variable = server.variable().unwrap_or_default();
        #[expect(clippy::disallowed_methods, reason = "the benchmark is configured as the tests are")]
        if !variable.is_empty() && std::env::var_os(variable).is_none() {
            println!("| {server} | not run: {variable} is not set | | | | | | | |");
            continue;
        }
        for &tables in &sizes {
            runtime.block_on(measure(server, tables, &peers))?;
        }
    }
    Ok(())
}

/// One database, read by everybody who can, in turn.
async fn measure(server: Server, tables: usize, peers: &[Peer]) -> Result<(), Failure> {
    let made = Made::create(server, tables).await?;
    let peers: Vec<&Peer> = peers.iter().filter(|peer| peer.knows(server)).collect();
    let mut near: Vec<Vec<Figures>> = vec![Vec::new(); peers.len() + 1];
    for round in 0..=ROUNDS {
        let ours = std::iter::once(ours::read(&made, None).await?);
        let mut all: Vec<Figures> = ours.collect();
        for peer in &peers {
            all.push(peer.read(&made, None).await?);
        }
        // The first finds the caches of the server empty.
        if round > 0 {
            near.iter_mut().zip(all).for_each(|(rounds, figures)| rounds.push(figures));
        }
    }
    let mut far: Vec<Vec<String>> = vec![Vec::new(); peers.len() + 1];
    for round_trip in ROUND_TRIPS {
        if server == Server::Sqlite || tables > MOST_FROM_AFAR {
            far.iter_mut().for_each(|times| times.push("–".to_owned()));
            continue;
        }
        let link = Link::start(&made.upstream()?, round_trip / 2).await?;
        let mut times = vec![ours::read(&made, Some(link.port())).await?.seconds];
        for peer in &peers {
            times.push(peer.read(&made, Some(link.port())).await?.seconds);
        }
        far.iter_mut().zip(times).for_each(|(of_one, seconds)| of_one.push(format!("{seconds:.3}")));
    }
    let names = std::iter::once("schema-inspect").chain(peers.iter().map(|peer| peer.name()));
    for ((name, rounds), far) in names.zip(&near).zip(&far) {
        let last = rounds.last().ok_or("nothing was measured")?;
        println!(
            "| {server} | {tables} | {name} | {} | {} | {:.3} | {} | {} |",
            last.statements,
            middle(rounds, |figures| figures.processor)
                .map_or_else(|| "–".to_owned(), |seconds| format!("{seconds:.3}")),
            middle(rounds, |figures| Some(figures.seconds)).unwrap_or_default(),
            far.join(" | "),
            last.facts.beside(&made.facts()),
        );
    }
    Ok(())
}
