mod probe;

use anyhow::{Context as _, bail};

use crate::application::{create_embedded_file, manager};
use crate::cli::{ConnectionsArgs, ConnectionsCommand};
use crate::commands::say;
use crate::config::{Config, describe};
use crate::data_folder;

/// Lists connections, or tries them.
pub(super) async fn run(arguments: ConnectionsArgs) -> anyhow::Result<()> {
    let config = Config::load(&arguments.source, None)?;
    match arguments.command {
        ConnectionsCommand::List => {
            for (name, settings) in &config.connections {
                let used_by: Vec<&str> =
                    config.contexts.iter().filter(|(_, used)| used == name).map(|(context, _)| context).collect();
                let used_by = if used_by.is_empty() { "no context".to_owned() } else { used_by.join(", ") };
                say(format_args!("{name:<16} {:<60} used by {used_by}", describe(settings)));
            }
            Ok(())
        }
        ConnectionsCommand::Test { name } => test(&config, name.as_deref()).await,
    }
}

async fn test(config: &Config, only: Option<&str>) -> anyhow::Result<()> {
    if let Some(only) = only.filter(|only| !config.connections.contains_key(*only)) {
        let known: Vec<&str> = config.connections.keys().map(String::as_str).collect();
        bail!("there is no connection `{only}`, only {}", known.join(", "));
    }
    // Before the first start the folder of embedded databases is not there yet, which is no fault of the connection.
    data_folder::create(&config.data).with_context(|| format!("cannot make {}", config.data.display()))?;
    let manager = manager(config)?;
    let mut failed = Vec::new();
    for (name, settings) in config.connections.iter().filter(|(name, _)| only.is_none_or(|only| only == *name)) {
        say(format_args!("{name}: {}", describe(settings)));
        if settings.path.as_ref().is_some_and(|path| path.starts_with(&config.data)) {
            create_embedded_file(settings)?;
        }
        for step in probe::probe(&manager, name, settings).await {
            say(format_args!("  {step}"));
            if step.failed() {
                failed.push(name.as_str());
            }
        }
    }
    if failed.is_empty() { Ok(()) } else { bail!("no answer from {}", failed.join(", ")) }
}
