use std::borrow::Cow;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use connection_manager::probe::{Stage, examine, probe};
use connection_manager::{ConnectionFactory, ConnectionSettings, SecretSource};
use shared_kernel::TenantId;
use shared_kernel::database::ConnectionName;

use crate::Plugins;
use crate::application::{lies_in, secrets};
use crate::cli::{ConnectionsArgs, ConnectionsCommand};
use crate::commands::say;
use crate::config::{Config, describe};
use crate::data_folder;
use crate::gate::prepare_file;

/// Lists connections, or tries them.
pub(super) async fn run(arguments: ConnectionsArgs, plugins: &Plugins) -> anyhow::Result<()> {
    let config = Config::load(&arguments.source, None, &plugins.connectors)?;
    let factory = &plugins.connectors;
    match arguments.command {
        ConnectionsCommand::List => {
            let shared = config.connections.keys().filter(|name| !config.per_tenant.contains_key(*name));
            for name in shared.chain(config.per_tenant.keys()) {
                let used_by: Vec<&str> =
                    config.contexts.iter().filter(|(_, used)| used == name).map(|(context, _)| context).collect();
                let used_by = if used_by.is_empty() { "no context".to_owned() } else { used_by.join(", ") };
                say(format_args!("{name:<16} {:<60} used by {used_by}", config.describe(name)));
            }
            Ok(())
        }
        ConnectionsCommand::Test { name, tenant } => {
            test(&config, factory, name.as_deref(), tenant.as_ref(), Depth::ToAnAnswer).await
        }
        ConnectionsCommand::Doctor { name, tenant } => {
            test(&config, factory, Some(&name), tenant.as_ref(), Depth::AllAround).await
        }
    }
}

/// How closely a connection is looked at.
#[derive(Debug, Clone, Copy)]
enum Depth {
    /// `test`.
    ToAnAnswer,
    /// `doctor`.
    AllAround,
}

/// A connection to try.
pub(super) struct Target<'a> {
    name: &'a str,
    /// The name, and whose it is.
    label: String,
    pub(super) settings: Cow<'a, ConnectionSettings>,
}

async fn test(
    config: &Config,
    factory: &ConnectionFactory,
    only: Option<&str>,
    tenant: Option<&TenantId>,
    depth: Depth,
) -> anyhow::Result<()> {
    let targets = targets(config, only, tenant)?;
    // Before the first start the folder of embedded databases is not there yet, which is no fault of the connection.
    data_folder::create(&config.data).with_context(|| format!("cannot make {}", config.data.display()))?;
    let secrets: Arc<dyn SecretSource> = Arc::new(secrets(config)?);
    let mut failed = Vec::new();
    for Target { name, label, settings } in targets {
        say(format_args!("{label}: {}", describe(&settings)));
        if settings.path.as_ref().is_some_and(|path| lies_in(&config.data, path)) {
            prepare_file(&settings)?;
        }
        let name: ConnectionName = name.parse()?;
        let stages = match depth {
            Depth::ToAnAnswer => probe(factory, &secrets, &name, &settings).await,
            Depth::AllAround => examine(factory, &secrets, &name, &settings).await,
        };
        for stage in &stages {
            say(line(stage));
        }
        if !stages.iter().all(Stage::passed) {
            failed.push(label);
        }
    }
    if failed.is_empty() { Ok(()) } else { bail!("no answer from {}", failed.join(", ")) }
}

/// What everybody shares, or with a tenant what is the tenant's; of one name or of all. Replicas come behind the connection that
/// they are of.
pub(super) fn targets<'a>(
    config: &'a Config,
    only: Option<&'a str>,
    tenant: Option<&TenantId>,
) -> anyhow::Result<Vec<Target<'a>>> {
    let per_tenant = |name: &str| config.per_tenant.contains_key(name);
    if let Some(only) = only.filter(|only| !config.connections.contains_key(*only) && !per_tenant(only)) {
        let known = config.connections.keys().chain(config.per_tenant.keys());
        bail!("there is no connection `{only}`, only {}", known.map(String::as_str).collect::<Vec<_>>().join(", "));
    }
    let is_meant = |name: &str| only.is_none_or(|only| only == name);
    let Some(tenant) = tenant else {
        if let Some(only) = only.filter(|only| per_tenant(only)) {
            bail!("`{only}` is kept per tenant: say whose with `--tenant NAME`");
        }
        let shared = config.connections.iter().filter(|(name, _)| !per_tenant(name) && is_meant(name));
        return Ok(shared.flat_map(|(name, settings)| with_replicas(name, settings)).collect());
    };
    if !config.tenants.list()?.contains(tenant) {
        bail!("there is no tenant `{tenant}`");
    }
    let own = config.per_tenant.iter().filter(|(name, _)| is_meant(name));
    let own: Vec<_> = own
        .map(|(name, settings)| Target {
            name,
            label: format!("{name} of {tenant}"),
            settings: Cow::Owned(settings.of(tenant)),
        })
        .collect();
    match only {
        Some(only) if own.is_empty() => bail!("`{only}` is not kept per tenant"),
        None if own.is_empty() => bail!("no connection is kept per tenant"),
        _ => Ok(own),
    }
}

/// A connection that everybody shares, and each of its replicas.
fn with_replicas<'a>(name: &'a str, settings: &'a ConnectionSettings) -> impl Iterator<Item = Target<'a>> {
    let replicas = settings.replicas.hosts.iter().zip(settings.of_replicas()).map(move |(host, settings)| Target {
        name,
        label: format!("{name} at its replica {host}"),
        settings: Cow::Owned(settings),
    });
    std::iter::once(Target { name, label: name.to_owned(), settings: Cow::Borrowed(settings) }).chain(replicas)
}

/// A stage on a line of its own, and what to do about it on another.
fn line(stage: &Stage) -> String {
    let (name, took) = (stage.name, stage.duration);
    let (word, text) = match &stage.outcome {
        Ok(text) => ("ok", text),
        Err(text) => ("failed", text),
    };
    let remedy = stage.remedy.as_ref().map(|remedy| format!("\n            {remedy}")).unwrap_or_default();
    format!("  {word:<7} {name:<10} {text} ({took:.1?}){remedy}")
}
