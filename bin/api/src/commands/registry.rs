use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use registry_context::application::{ResealReport, ResealSecrets};
use registry_context::domain::{AuditAction, AuditEntry, AuditLog as _, Sealer as _};
use registry_context::infrastructure::{SqlAuditLog, SqlConnectionRepository};
use shared_kernel::database::Connections;
use shared_kernel::{Clock as _, IdGenerator as _, RequestContext, SystemClock, SystemIdGenerator};

use crate::Plugins;
use crate::application::manager_of_command;
use crate::cli::{RegistryArgs, RegistryCommand};
use crate::commands::say;
use crate::config::Config;
use crate::registry::{EnvelopeSealer, prepare};

/// How long closing the connections may take at the end.
const CLOSE_GRACE: Duration = Duration::from_secs(5);

/// Looks after the secrets of stored connections.
pub(super) async fn run(arguments: RegistryArgs, plugins: &Plugins) -> anyhow::Result<()> {
    let config = Config::load(&arguments.source, None, &plugins.connectors)?;
    match arguments.command {
        RegistryCommand::RotateKey => rotate(&config, plugins).await,
    }
}

async fn rotate(config: &Config, plugins: &Plugins) -> anyhow::Result<()> {
    let _data = crate::application::open_data_folder(config)?;
    let sealer = Arc::new(EnvelopeSealer::new(prepare(config)?.keys));
    let manager = manager_of_command(config, &plugins.connectors)?;
    let connections: Arc<dyn Connections> = Arc::new(manager.clone());
    let done = reseal(config, &connections, sealer).await;
    manager.close(CLOSE_GRACE).await;
    done
}

async fn reseal(
    config: &Config,
    connections: &Arc<dyn Connections>,
    sealer: Arc<EnvelopeSealer>,
) -> anyhow::Result<()> {
    let (registry, key, context) = (&config.contexts.registry, sealer.key_name().to_owned(), RequestContext::system());
    let repository = Arc::new(SqlConnectionRepository::new(connections.clone(), registry));
    let started = Instant::now();
    let report = ResealSecrets::new(repository, sealer).execute(&context).await;
    let report = report.context("the stored connections cannot be sealed anew")?;
    let ResealReport { resealed, unreadable, left } = &report;
    let outcome = if unreadable.is_empty() && *left == 0 { "ok" } else { "incomplete" };
    let entry = AuditEntry {
        id: SystemIdGenerator.next(),
        occurred_at: SystemClock.now(),
        actor: Some("command".to_owned()),
        action: AuditAction::Reseal,
        connection: None,
        outcome,
        status: 0,
        duration_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        trace_id: context.trace.trace_id_hex(),
        calls: 1,
    };
    let log = SqlAuditLog::new(connections.clone(), registry);
    log.append(&entry, &context).await.context("the audit log cannot be written")?;
    let noun = if *resealed == 1 { "connection" } else { "connections" };
    say(format_args!("{resealed} {noun} sealed anew with the key `{key}`"));
    for error in unreadable {
        say(error);
    }
    match (unreadable.len(), left) {
        (0, 0) => Ok(()),
        (0, left) => {
            bail!("{left} keep being written with another key; give every instance the new one, and run this again")
        }
        (lost, _) => bail!("the secrets of {lost} do not open with any key of the configuration"),
    }
}
