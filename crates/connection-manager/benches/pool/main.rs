//! The pool beside deadpool, bb8, `fast_pool` and sqlx's own, in the same run: what it costs to check a connection out
//! and give it back, and how long a thousand tasks wait for fifty connections. The connections do nothing. Prints the
//! medians; decides nothing.
//!
//! sqlx's pool is made for its own drivers: it holds connections to SQLite databases in memory, which are not asked
//! anything.
#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

mod crowd;
mod ours;
mod peers;

use std::time::{Duration, Instant};

use crate::crowd::Waits;
use crate::ours::Ours;
use crate::peers::{Bb8, Deadpool, FastPool, Sqlx};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Connections in each pool.
const CONNECTIONS: u32 = 50;
/// Checkouts in a round, and rounds; odd, so that there is a middle one.
const CALLS: u32 = 50_000;
const ROUNDS: usize = 9;

/// A pool with [`CONNECTIONS`] open connections.
trait Checkout: Clone + Send + Sync + 'static {
    const NAME: &'static str;

    /// A connection, given back when it is dropped.
    type Held<'pool>: Send;

    async fn open() -> Result<Self, Failure>;

    fn checkout(&self) -> impl Future<Output = Result<Self::Held<'_>, Failure>> + Send;
}

/// What was measured of one pool.
#[derive(Default)]
struct Results {
    name: &'static str,
    alone: Vec<Duration>,
    together: Vec<Duration>,
    waits: Waits,
}

fn main() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let pools = (
            opened::<Ours>().await?,
            opened::<Deadpool>().await?,
            opened::<Bb8>().await?,
            opened::<FastPool>().await?,
            opened::<Sqlx>().await?,
        );
        let mut results: [Results; 5] = Default::default();
        // The pools take turns, so that a machine whose speed drifts harms all alike; the first round does not count.
        for number in 0..=ROUNDS {
            let count = number > 0;
            round(&pools.0, &mut results[0], count).await?;
            round(&pools.1, &mut results[1], count).await?;
            round(&pools.2, &mut results[2], count).await?;
            round(&pools.3, &mut results[3], count).await?;
            round(&pools.4, &mut results[4], count).await?;
        }
        print(&mut results);
        Ok(())
    })
}

/// A pool whose connections are all open.
async fn opened<P: Checkout>() -> Result<P, Failure> {
    let pool = P::open().await?;
    let mut held = Vec::new();
    for _ in 0..CONNECTIONS {
        held.push(pool.checkout().await?);
    }
    drop(held);
    Ok(pool)
}

async fn round<P: Checkout>(pool: &P, results: &mut Results, count: bool) -> Result<(), Failure> {
    let alone = busy(pool, 1).await?;
    let together = busy(pool, 2).await?;
    let waits = crowd::waits(pool).await?;
    results.name = P::NAME;
    if count {
        results.alone.push(alone);
        results.together.push(together);
        results.waits.add(waits);
    }
    Ok(())
}

/// The time of one checkout and return, in each of some tasks that do nothing else.
async fn busy<P: Checkout>(pool: &P, tasks: usize) -> Result<Duration, Failure> {
    let began = Instant::now();
    let tasks: Vec<_> = (0..tasks)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move {
                for _ in 0..CALLS {
                    std::hint::black_box(pool.checkout().await?);
                }
                Ok::<(), Failure>(())
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    Ok(began.elapsed() / CALLS)
}

fn print(results: &mut [Results]) {
    println!("| pool | checkout and return, 1 task, ns | 2 tasks, ns each |");
    println!("| --- | --- | --- |");
    for Results { name, alone, together, .. } in &mut *results {
        println!("| {name} | {} | {} |", middle(alone).as_nanos(), middle(together).as_nanos());
    }
    println!("\n| pool | wait p50, ms | p99, ms | p99.99, ms | longest, ms |");
    println!("| --- | --- | --- | --- | --- |");
    for Results { name, waits, .. } in results {
        let at = |share| waits.quantile(share).as_secs_f64() * 1000.0;
        println!("| {name} | {:.2} | {:.2} | {:.2} | {:.2} |", at(0.5), at(0.99), at(0.9999), at(1.0));
    }
}

fn middle(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
