use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use connection_manager::{ConnectionFactory, ConnectionManager, ConnectionSettings, PoolSettings, ServerSettings};
use shared_kernel::RequestContext;
use shared_kernel::database::{Access, Connections as _, RawStatement, Statement};
use testkit::Server;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::Failure;

/// What the server allows this process.
const PLACES: u32 = 21;
/// Callers of the flood, who ask again as soon as they are answered.
const FLOOD: usize = 200;
/// How long the flood may go on before anything is measured, and how long it is measured.
const BEFORE: Duration = Duration::from_secs(5);
const MEASURED: Duration = Duration::from_secs(20);
const LONG: Duration = Duration::from_mins(1);

/// The quiet ones.
pub(crate) struct Quiet {
    pub(crate) pools: usize,
    /// From the end of a call to the beginning of the next, a half more or less.
    pub(crate) pause: Duration,
}

/// How long the quiet ones' callers waited for a connection.
pub(crate) struct Figures {
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    /// Calls of the flood that were answered in a second.
    pub(crate) flooded: f64,
}

/// Short, and long enough that what is scarce is places and not processors.
fn statement(server: Server, millis: u32) -> Statement {
    let seconds = f64::from(millis) / 1e3;
    let text = match server {
        Server::Postgres => format!("SELECT pg_sleep({seconds})::text AS slept"),
        _ => format!("SELECT SLEEP({seconds}) AS slept"),
    };
    RawStatement::everywhere("SELECT", text).into()
}

fn manager(server: Server, quiet: &Quiet) -> Result<ConnectionManager, Failure> {
    let pool = |max| PoolSettings { acquire_timeout: LONG, ..PoolSettings::sized(0, max) };
    let settings: ConnectionSettings = server.admin();
    let host = settings.host.clone().ok_or("the server has no host")?;
    let address = format!("{host}:{}", settings.port.ok_or("the server has no port")?);
    let builder = ConnectionManager::builder(ConnectionFactory::compiled())
        .server(&address, ServerSettings::limited(PLACES))
        .connection("flood", settings.clone().with_pool(pool(100)));
    let builder = (0..quiet.pools).fold(builder, |builder, number| {
        builder.connection(format!("quiet-{number}"), settings.clone().with_pool(pool(10)))
    });
    Ok(builder.build()?)
}

/// One call. How long it waited for its connection.
async fn call(manager: &ConnectionManager, name: &str, statement: &Statement) -> Result<Duration, Failure> {
    let context = RequestContext::system().within(LONG);
    let connection = manager.get(name, Access::Read, &context).await?;
    let asked = Instant::now();
    let session = connection.sql()?.session(&context).await?;
    let waited = asked.elapsed();
    session.query(statement, &context).await?;
    Ok(waited)
}

pub(crate) async fn measure(server: Server, quiet: &Quiet, flooded: bool) -> Result<Figures, Failure> {
    let manager = manager(server, quiet)?;
    let (over, count, begun) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)), Instant::now());
    let measured = begun + BEFORE;
    let mut flood = JoinSet::new();
    for _ in 0..if flooded { FLOOD } else { 0 } {
        let (manager, over, count) = (manager.clone(), Arc::clone(&over), Arc::clone(&count));
        let busy = statement(server, 20);
        flood.spawn(async move {
            while !over.load(Ordering::Relaxed) {
                call(&manager, "flood", &busy).await?;
                if Instant::now() >= measured {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }
            Ok::<_, Failure>(())
        });
    }
    let mut callers = JoinSet::new();
    for number in 0..quiet.pools {
        let (manager, over, pause) = (manager.clone(), Arc::clone(&over), quiet.pause);
        let short = statement(server, 5);
        // Not all at the same time.
        #[expect(clippy::cast_precision_loss, reason = "some dozens of pools")]
        let share = number as f64 / quiet.pools as f64;
        callers.spawn(async move {
            let name = format!("quiet-{number}");
            let mut waits = Vec::new();
            sleep(pause.mul_f64(share)).await;
            while !over.load(Ordering::Relaxed) {
                let counts = Instant::now() >= measured;
                let waited = call(&manager, &name, &short).await?;
                if counts {
                    waits.push(waited);
                }
                sleep(pause.mul_f64(0.5 + share)).await;
            }
            Ok::<_, Failure>(waits)
        });
    }
    sleep(BEFORE + MEASURED).await;
    over.store(true, Ordering::Relaxed);
    let mut waits = Vec::new();
    while let Some(caller) = callers.join_next().await {
        waits.extend(caller??);
    }
    while let Some(caller) = flood.join_next().await {
        caller??;
    }
    manager.close(LONG).await;
    waits.sort_unstable();
    let at =
        |share: usize| waits.get((waits.len() * share).div_ceil(100).saturating_sub(1)).copied().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "some tens of thousands of calls")]
    let flooded = count.load(Ordering::Relaxed) as f64 / MEASURED.as_secs_f64();
    Ok(Figures { p50: at(50), p99: at(99), flooded })
}
