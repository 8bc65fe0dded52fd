//! What it costs to ask the manager for a live connection, shared or one tenant's: nanoseconds and allocations, alone and
//! with every core asking. Prints the medians; decides nothing.
#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

mod counting;

use std::hint::black_box;
use std::time::Instant;

use connection_manager::{ConnectionFactory, ConnectionManager, ConnectionSettings, PerTenantSettings};
use futures_util::FutureExt;
use shared_kernel::database::{Access, Connections};
use shared_kernel::{RequestContext, TenantId};

type Failure = Box<dyn std::error::Error>;

/// Calls in a round, and rounds; odd, so that there is a middle one.
const CALLS: u32 = 1_000_000;
const ROUNDS: usize = 15;

fn main() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    println!("| connections configured | live tenants | threads | get of a live connection, ns | allocations a call |");
    println!("| --- | --- | --- | --- | --- |");
    for configured in [1, 4, 32] {
        let manager = runtime.block_on(live(configured))?;
        measure(&manager, &configured.to_string(), "–", &|_| RequestContext::system())?;
    }
    for tenants in [1, 100] {
        let manager = runtime.block_on(live_for(tenants))?;
        // Each thread asks for another tenant, where there is one.
        measure(&manager, "1", &tenants.to_string(), &|thread| of(thread % tenants))?;
    }
    Ok(())
}

fn measure(
    manager: &ConnectionManager,
    configured: &str,
    tenants: &str,
    context: &(dyn Fn(usize) -> RequestContext + Sync),
) -> Result<(), Failure> {
    for threads in [1, std::thread::available_parallelism()?.get()] {
        let mut rounds = Vec::new();
        let mut allocations = 0;
        for _ in 0..ROUNDS {
            let (nanoseconds, allocated) = round(manager, threads, context);
            rounds.push(nanoseconds);
            allocations = allocations.max(allocated);
        }
        rounds.sort_by(f64::total_cmp);
        println!("| {configured} | {tenants} | {threads} | {:.1} | {allocations} |", rounds[ROUNDS / 2]);
    }
    Ok(())
}

/// A manager whose connection `users` is live, with others beside it in the configuration.
async fn live(configured: usize) -> Result<ConnectionManager, Failure> {
    let mut builder = ConnectionManager::builder(ConnectionFactory::compiled());
    for number in 1..configured {
        builder = builder.connection(format!("other-{number}"), ConnectionSettings::sqlite(":memory:"));
    }
    let manager = builder.connection("users", ConnectionSettings::sqlite(":memory:")).build()?;
    manager.get("users", Access::Read, &RequestContext::system()).await?;
    Ok(manager)
}

/// A manager whose connection `users` is live for some tenants.
async fn live_for(tenants: usize) -> Result<ConnectionManager, Failure> {
    let settings = PerTenantSettings::new(ConnectionSettings::sqlite(":memory:")).with_max_live(tenants);
    let manager = ConnectionManager::builder(ConnectionFactory::compiled())
        .per_tenant("users", settings)
        .tenants((0..tenants).filter_map(tenant))
        .build()?;
    for number in 0..tenants {
        manager.get("users", Access::Read, &of(number)).await?;
    }
    Ok(manager)
}

fn tenant(number: usize) -> Option<TenantId> {
    format!("tenant-{number}").parse().ok()
}

fn of(number: usize) -> RequestContext {
    RequestContext { tenant: tenant(number), ..RequestContext::system() }
}

/// Nanoseconds of a call, and how many allocations all calls made together.
fn round(
    manager: &ConnectionManager,
    threads: usize,
    context: &(dyn Fn(usize) -> RequestContext + Sync),
) -> (f64, u64) {
    let before = counting::allocations();
    let began = Instant::now();
    // Starting threads allocates; a single caller stays where it is.
    if threads == 1 {
        ask(manager, &context(0));
    } else {
        std::thread::scope(|scope| {
            for thread in 0..threads {
                scope.spawn(move || ask(manager, &context(thread)));
            }
        });
    }
    let nanoseconds = began.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS);
    let allocated = (counting::allocations() - before) / u64::from(CALLS);
    (nanoseconds, allocated)
}

fn ask(manager: &ConnectionManager, context: &RequestContext) {
    for _ in 0..CALLS {
        let connection = manager.get(black_box("users"), Access::Read, context).now_or_never();
        assert!(black_box(connection).is_some_and(|outcome| outcome.is_ok()), "the connection is live");
    }
}
