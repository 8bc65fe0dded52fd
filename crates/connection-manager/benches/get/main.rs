//! What it costs to ask the manager for a live connection, shared or one tenant's: nanoseconds and allocations, alone and
//! with every core asking; beside what a map behind a lock would cost, and the reference count that both hand out. Prints the
//! medians; decides nothing.
#![expect(clippy::print_stdout, reason = "a benchmark prints its table")]

mod counting;

use std::collections::HashMap;
use std::hint::black_box;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use connection_manager::{ConnectionFactory, ConnectionManager, ConnectionSettings, PerTenantSettings};
use futures_util::FutureExt;
use futures_util::future::try_join_all;
use shared_kernel::database::{Access, Connections, DatabaseConnection};
use shared_kernel::{RequestContext, TenantId};

type Failure = Box<dyn std::error::Error>;

/// Calls in a round, and rounds; odd, so that there is a middle one.
const CALLS: u32 = 1_000_000;
const ROUNDS: usize = 15;

/// The connections that threads ask for.
const NAMES: [&str; 4] = ["users", "books", "orders", "events"];

fn main() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    println!(
        "| who is asked | live tenants | threads | asking for | get of a live connection, ns in each thread \
         | gets a second against one thread's | allocations a call |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for configured in [1, 4, 32] {
        let manager = runtime.block_on(live(configured))?;
        measure(&manager, &format!("a manager of {configured}"), "–", configured > 1, &by_name)?;
    }
    for tenants in [1, 100] {
        let manager = runtime.block_on(live_for(tenants))?;
        let asked = |thread: usize| (NAMES[0], of(thread % tenants));
        measure(&manager, "a manager of 1", &tenants.to_string(), tenants > 1, &asked)?;
    }
    let manager = runtime.block_on(live(NAMES.len()))?;
    let context = RequestContext::system();
    let gets = NAMES.iter().map(|name| manager.get(name, Access::Read, &context));
    let connections = runtime.block_on(try_join_all(gets))?;
    let map = NAMES.iter().map(|name| (*name).to_owned()).zip(connections.clone()).collect();
    measure(&Map(RwLock::new(map)), "a `HashMap` of 4 behind an `RwLock`", "–", true, &by_name)?;
    measure(&Counts(connections), "the reference count alone", "–", true, &by_name)
}

fn by_name(thread: usize) -> (&'static str, RequestContext) {
    (NAMES[thread % NAMES.len()], RequestContext::system())
}

type Connection = Arc<dyn DatabaseConnection>;

/// Who hands out live connections.
trait Source: Sync {
    fn live(&self, name: &str, context: &RequestContext) -> Option<Connection>;
}

impl Source for ConnectionManager {
    fn live(&self, name: &str, context: &RequestContext) -> Option<Connection> {
        self.get(name, Access::Read, context).now_or_never()?.ok()
    }
}

/// What a service would write that has its connections by name and nothing besides: no tenants, replicas, opening or closing.
struct Map(RwLock<HashMap<String, Connection>>);

impl Source for Map {
    fn live(&self, name: &str, _: &RequestContext) -> Option<Connection> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
}

/// What nobody can be cheaper than who hands out shared connections: each found without a search.
struct Counts(Vec<Connection>);

impl Source for Counts {
    fn live(&self, name: &str, _: &RequestContext) -> Option<Connection> {
        // The names begin with letters that tell them apart, `u` of the first one.
        let place = match name.as_bytes().first()? {
            b'u' => 0,
            b'b' => 1,
            b'o' => 2,
            _ => 3,
        };
        self.0.get(place).cloned()
    }
}

/// Whom a thread asks for.
type Asked<'a> = &'a (dyn Fn(usize) -> (&'static str, RequestContext) + Sync);

fn measure(
    source: &impl Source,
    described: &str,
    tenants: &str,
    several: bool,
    asked: Asked<'_>,
) -> Result<(), Failure> {
    let threads = std::thread::available_parallelism()?.get();
    let same: Asked<'_> = &|_| asked(0);
    let (mut alone, mut together, mut apart) = (Figures::default(), Figures::default(), Figures::default());
    // In turn, so that a machine whose speed drifts harms all alike.
    for _ in 0..ROUNDS {
        alone.add(round(source, 1, same));
        together.add(round(source, threads, same));
        if several {
            apart.add(round(source, threads, asked));
        }
    }
    let single = alone.median();
    let row = |threads: usize, what: &str, figures: &mut Figures| {
        let (each, allocations) = (figures.median(), figures.allocations);
        let against = f64::from(u32::try_from(threads).unwrap_or(u32::MAX)) * single / each;
        println!("| {described} | {tenants} | {threads} | {what} | {each:.1} | {against:.2} | {allocations} |");
    };
    row(1, "one", &mut alone);
    row(threads, "the same", &mut together);
    if several {
        row(threads, "one each", &mut apart);
    }
    Ok(())
}

/// Nanoseconds of a call, one number a round, and the most allocations.
#[derive(Default)]
struct Figures {
    rounds: Vec<f64>,
    allocations: u64,
}

impl Figures {
    fn add(&mut self, (nanoseconds, allocations): (f64, u64)) {
        self.rounds.push(nanoseconds);
        self.allocations = self.allocations.max(allocations);
    }

    fn median(&mut self) -> f64 {
        self.rounds.sort_by(f64::total_cmp);
        self.rounds.get(self.rounds.len() / 2).copied().unwrap_or_default()
    }
}

/// A manager with that many connections in its configuration, of which those that are asked for are live.
async fn live(configured: usize) -> Result<ConnectionManager, Failure> {
    let mut builder = ConnectionManager::builder(ConnectionFactory::compiled());
    let asked = &NAMES[..configured.min(NAMES.len())];
    let names = asked.iter().map(|name| (*name).to_owned());
    for name in names.chain((asked.len()..configured).map(|number| format!("other-{number}"))) {
        builder = builder.connection(name, ConnectionSettings::sqlite(":memory:"));
    }
    let manager = builder.build()?;
    for name in asked {
        manager.get(name, Access::Read, &RequestContext::system()).await?;
    }
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
fn round(source: &impl Source, threads: usize, asked: Asked<'_>) -> (f64, u64) {
    let before = counting::allocations();
    let began = Instant::now();
    // Starting threads allocates; a single caller stays where it is.
    if threads == 1 {
        ask(source, asked(0));
    } else {
        std::thread::scope(|scope| {
            for thread in 0..threads {
                scope.spawn(move || ask(source, asked(thread)));
            }
        });
    }
    let nanoseconds = began.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS);
    let allocated = (counting::allocations() - before) / u64::from(CALLS);
    (nanoseconds, allocated)
}

fn ask(source: &impl Source, (name, context): (&str, RequestContext)) {
    for _ in 0..CALLS {
        assert!(black_box(source.live(black_box(name), &context)).is_some(), "the connection is live");
    }
}
