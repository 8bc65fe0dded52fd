use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use book_context::infrastructure::SqlBookRepository;
use connection_manager::ConnectionManager;
use registry_context::application::PruneAudit;
use registry_context::infrastructure::{SqlAuditLog, SqlConnectionRepository};
use shared_kernel::database::Connections;
use shared_kernel::idempotency::ReceiptSweeper;
use shared_kernel::{Clock, IdGenerator, RequestContext};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use user_context::infrastructure::SqlUserRepository;

use crate::config::{CONTEXTS, Config, ContextsConfig};
use crate::readiness::Readiness;
use crate::rest::audit::Recorder;
use crate::telemetry::{chain, metrics};

mod tenants;

/// How often measurements are folded together between two looks at `/metrics`.
const UPKEEP: Duration = Duration::from_secs(5);
/// How often the service looks at what it needs, so that it knows without being probed.
const LOOK: Duration = Duration::from_secs(10);
/// How often receipts older than a day and entries of the audit log that are kept long enough are deleted.
const SWEEP: Duration = Duration::from_hours(1);

/// Starts what runs beside the requests. Dropping the set ends it.
pub(super) fn start(
    config: &Config,
    manager: &ConnectionManager,
    connections: &Arc<dyn Connections>,
    readiness: &Data<Readiness>,
    clock: &Arc<dyn Clock>,
    ids: &Arc<dyn IdGenerator>,
    recorder: &Data<Recorder>,
) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    tasks.spawn(async {
        let mut ticks = interval(UPKEEP);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            metrics::recorder().run_upkeep();
        }
    });
    let looking = readiness.clone();
    tasks.spawn(async move {
        let mut ticks = interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            looking.findings().await;
        }
    });
    let recorder = recorder.clone();
    tasks.spawn(async move {
        let mut ticks = interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            recorder.flush().await;
        }
    });
    if let Some(keep) = config.registry.audit_retention {
        let log = Arc::new(SqlAuditLog::new(connections.clone(), &config.contexts.registry));
        tasks.spawn(prune_audit(PruneAudit::new(log.clone(), log, clock.clone(), ids.clone(), keep)));
    }
    if let (Some(_), Some(reload)) = (&config.tenants.file, config.tenants.reload) {
        tasks.spawn(tenants::reload(config.tenants.clone(), reload, manager.clone()));
    }
    // Taken apart by name, so that a new context does not compile until it says where its receipts are.
    let ContextsConfig { users, books, registry } = &config.contexts;
    let [users_name, books_name, registry_name] = CONTEXTS;
    let receipts = [
        (users_name, users, SqlUserRepository::RECEIPTS),
        (books_name, books, SqlBookRepository::RECEIPTS),
        (registry_name, registry, SqlConnectionRepository::RECEIPTS),
    ];
    for (context, connection, table) in receipts {
        let sweeper = ReceiptSweeper::new(connections.clone(), connection, table, clock.clone());
        if config.per_tenant.contains_key(connection) {
            tasks.spawn(tenants::sweep(context, sweeper, manager.clone()));
            continue;
        }
        tasks.spawn(async move {
            let mut ticks = interval(SWEEP);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                let patience = RequestContext::system().within(SWEEP / 2);
                match sweeper.sweep(&patience).await {
                    Ok(receipts) => tracing::debug!(event = "receipts.swept", context, receipts),
                    Err(error) => tracing::warn!(event = "receipts.not_swept", context, error = %chain(&error)),
                }
            }
        });
    }
    tasks
}

/// Lets go of what the audit log has kept long enough, now and then.
async fn prune_audit(prune: PruneAudit) {
    let mut ticks = interval(SWEEP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let patience = RequestContext::system().within(SWEEP / 2);
        match prune.execute(&patience).await {
            Ok(entries) => tracing::debug!(event = "audit.pruned", entries),
            Err(error) => tracing::warn!(event = "audit.not_pruned", error = %chain(&error)),
        }
    }
}
