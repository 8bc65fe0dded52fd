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

/// Who takes longer than so many seconds does it once.
const SLOW: f64 = 10.0;

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

/// Somebody who reads schemas.
#[derive(Clone, Copy)]
enum Reader<'a> {
    Ours,
    Peer(&'a Peer),
}

impl Reader<'_> {
    fn name(self) -> &'static str {
        match self {
            Self::Ours => "schema-inspect",
            Self::Peer(peer) => peer.name(),
        }
    }

    async fn read(self, made: &Made, port: Option<u16>) -> Result<Figures, Failure> {
        match self {
            Self::Ours => ours::read(made, port).await,
            Self::Peer(peer) => peer.read(made, port).await,
        }
    }
}

/// One database, read by everybody who can, in turn.
async fn measure(server: Server, tables: usize, peers: &[Peer]) -> Result<(), Failure> {
    let made = Made::create(server, tables).await?;
    let peers = peers.iter().filter(|peer| peer.knows(server)).map(Reader::Peer);
    let readers: Vec<Reader<'_>> = std::iter::once(Reader::Ours).chain(peers).collect();
    let is_slow = |rounds: &[Figures]| rounds.first().is_some_and(|first| first.seconds > SLOW);
    let mut near: Vec<Vec<Figures>> = vec![Vec::new(); readers.len()];
    for _ in 0..=ROUNDS {
        for (reader, rounds) in readers.iter().zip(&mut near) {
            if !is_slow(rounds) {
                rounds.push(reader.read(&made, None).await?);
            }
        }
    }
    let mut far: Vec<Vec<String>> = vec![Vec::new(); readers.len()];
    for round_trip in ROUND_TRIPS {
        let link = match server {
            Server::Sqlite => None,
            _ => Some(Link::start(&made.upstream()?, round_trip / 2).await?),
        };
        for ((reader, rounds), times) in readers.iter().zip(&near).zip(&mut far) {
            times.push(match &link {
                Some(link) if tables <= MOST_FROM_AFAR && !is_slow(rounds) => {
                    format!("{:.3}", reader.read(&made, Some(link.port())).await?.seconds)
                }
                _ => "–".to_owned(),
            });
        }
    }
    for ((reader, rounds), far) in readers.iter().zip(&near).zip(&far) {
        let last = rounds.last().ok_or("nothing was measured")?;
        // The first finds the caches of the server empty.
        let counted = if rounds.len() > 1 { rounds.get(1..).unwrap_or_default() } else { rounds };
        println!(
            "| {server} | {tables} | {} | {} | {} | {:.3} | {} | {} |",
            reader.name(),
            last.statements,
            middle(counted, |figures| figures.processor)
                .map_or_else(|| "–".to_owned(), |seconds| format!("{seconds:.3}")),
            middle(counted, |figures| Some(figures.seconds)).unwrap_or_default(),
            far.join(" | "),
            last.facts.beside(&made.facts()),
        );
    }
    Ok(())
}
