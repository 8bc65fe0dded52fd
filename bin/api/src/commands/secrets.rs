//! The secrets of a secrets manager: where they stand, forgetting copies of them, and rehearsing a rotation. No value is shown.

mod clear;
mod rehearse;
mod show;

use anyhow::{Context as _, bail};
use connection_manager::config::suggest;
use connection_manager::credentials::cache::SecretCache;
use connection_manager::{ConnectionSettings, PasswordSource};
use shared_kernel::database::ConnectionName;

use crate::cli::{SecretsArgs, SecretsCommand};
use crate::config::Config;

/// Shows a secret, clears its copies, or tries its versions.
pub(super) async fn run(arguments: SecretsArgs) -> anyhow::Result<()> {
    let config = Config::load(&arguments.source, None)?;
    let (SecretsCommand::Show { name } | SecretsCommand::Clear { name } | SecretsCommand::RehearseRotation { name }) =
        &arguments.command;
    let users = users(&config, name)?;
    let secrets = crate::application::secrets(&config)?;
    let cache = secrets.cache().context("this program reads from no secrets manager")?;
    let secret = Secret { config: &config, cache, id: name, users };
    match arguments.command {
        SecretsCommand::Show { .. } => show::run(&secret).await,
        SecretsCommand::Clear { .. } => clear::run(&secret).await,
        SecretsCommand::RehearseRotation { .. } => rehearse::run(&secret).await,
    }
}

/// A secret that the configuration names.
struct Secret<'a> {
    config: &'a Config,
    cache: &'a SecretCache,
    id: &'a str,
    /// The connections whose password it is.
    users: Vec<(ConnectionName, &'a ConnectionSettings)>,
}

fn users<'a>(config: &'a Config, id: &str) -> anyhow::Result<Vec<(ConnectionName, &'a ConnectionSettings)>> {
    let kept = config.connections.iter().filter_map(|(name, settings)| match &settings.password {
        PasswordSource::SecretsManager { id } => Some((name, settings, id.as_str())),
        _ => None,
    });
    let mut users = Vec::new();
    for (name, settings, _) in kept.clone().filter(|(.., kept)| *kept == id) {
        users.push((name.parse()?, settings));
    }
    if users.is_empty() {
        bail!("no connection has its password there: {}", suggest::unknown("secret", id, kept.map(|(.., id)| id)));
    }
    Ok(users)
}
