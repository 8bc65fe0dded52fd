use std::sync::Arc;

use anyhow::{Context as _, bail};
use connection_manager::probe::{Stage, examine, probe};
use connection_manager::{ConnectionFactory, SecretSource};

use crate::application::{create_embedded_file, lies_in, secrets};
use crate::cli::{ConnectionsArgs, ConnectionsCommand};
use crate::commands::say;
use crate::config::{Config, describe};
use crate::data_folder;

/// Lists connections, or tries them.
pub(super) async fn run(arguments: ConnectionsArgs) -> anyhow::Result<()> {
    let config = Config::load(&arguments.source, None)?;
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
        ConnectionsCommand::Test { name } => test(&config, name.as_deref(), false).await,
        ConnectionsCommand::Doctor { name } => test(&config, Some(&name), true).await,
    }
}

async fn test(config: &Config, only: Option<&str>, thorough: bool) -> anyhow::Result<()> {
    if let Some(only) = only.filter(|only| !config.connections.contains_key(*only)) {
        let known: Vec<&str> = config.connections.keys().map(String::as_str).collect();
        bail!("there is no connection `{only}`, only {}", known.join(", "));
    }
    // Before the first start the folder of embedded databases is not there yet, which is no fault of the connection.
    data_folder::create(&config.data).with_context(|| format!("cannot make {}", config.data.display()))?;
    let factory = ConnectionFactory::compiled();
    let secrets: Arc<dyn SecretSource> = Arc::new(secrets(config)?);
    let mut failed = Vec::new();
    for (name, settings) in config.connections.iter().filter(|(name, _)| only.is_none_or(|only| only == *name)) {
        say(format_args!("{name}: {}", describe(settings)));
        if settings.path.as_ref().is_some_and(|path| lies_in(&config.data, path)) {
            create_embedded_file(settings)?;
        }
        let stages = match name.parse() {
            Ok(connection) if thorough => examine(&factory, &secrets, &connection, settings).await,
            Ok(connection) => probe(&factory, &secrets, &connection, settings).await,
            Err(error) => bail!("{error}"),
        };
        for stage in &stages {
            say(line(stage));
        }
        if !stages.iter().all(Stage::passed) {
            failed.push(name.as_str());
        }
    }
    if failed.is_empty() { Ok(()) } else { bail!("no answer from {}", failed.join(", ")) }
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
