//! The secrets of a secrets manager: where they stand, forgetting copies of them, and rehearsing a rotation. No value is shown.

mod clear;
mod rehearse;
mod show;

use std::borrow::Cow;

use anyhow::{Context as _, bail};
use connection_manager::config::suggest;
use connection_manager::credentials::cache::SecretCache;
use connection_manager::settings::PLACEHOLDER;
use connection_manager::{ConnectionSettings, PasswordSource};
use shared_kernel::TenantId;
use shared_kernel::database::ConnectionName;

use crate::Plugins;
use crate::cli::{SecretName, SecretsArgs, SecretsCommand};
use crate::config::Config;

/// Shows a secret, clears its copies, or tries its versions.
pub(super) async fn run(arguments: SecretsArgs, plugins: &Plugins) -> anyhow::Result<()> {
    let config = Config::load(&arguments.source, None, &plugins.connectors)?;
    let (SecretsCommand::Show(wanted) | SecretsCommand::Clear(wanted) | SecretsCommand::RehearseRotation(wanted)) =
        &arguments.command;
    let SecretName { name, tenant } = wanted;
    let id = tenant.as_ref().map_or(Cow::from(name), |tenant| name.replace(PLACEHOLDER, tenant.as_str()).into());
    let users = users(&config, &id, tenant.as_ref())?;
    let secrets = crate::application::secrets(&config)?;
    let cache = secrets.cache().context("this program reads from no secrets manager")?;
    let secret = Secret { config: &config, cache, id: &id, users };
    match arguments.command {
        SecretsCommand::Show(_) => show::run(&secret).await,
        SecretsCommand::Clear(_) => clear::run(&secret).await,
        SecretsCommand::RehearseRotation(_) => rehearse::run(&secret, &plugins.connectors).await,
    }
}

/// A secret that the configuration names.
struct Secret<'a> {
    config: &'a Config,
    cache: &'a SecretCache,
    id: &'a str,
    /// The connections whose password it is.
    users: Vec<(ConnectionName, Cow<'a, ConnectionSettings>)>,
}

/// Those that have their password in the secret: of the connections that everybody shares, and with a tenant of its own too.
fn users<'a>(
    config: &'a Config,
    id: &str,
    tenant: Option<&TenantId>,
) -> anyhow::Result<Vec<(ConnectionName, Cow<'a, ConnectionSettings>)>> {
    let shared = config.connections.iter().filter(|(name, _)| !config.per_tenant.contains_key(*name));
    let mut candidates: Vec<_> = shared.map(|(name, settings)| (name, Cow::Borrowed(settings))).collect();
    if let Some(tenant) = tenant {
        if !config.tenants.list()?.contains(tenant) {
            bail!("there is no tenant `{tenant}`");
        }
        if config.per_tenant.is_empty() {
            bail!("no connection is kept per tenant");
        }
        let own = config.per_tenant.iter().map(|(name, kept)| (name, Cow::Owned(kept.of(tenant))));
        candidates.extend(own);
    }
    let mut users = Vec::new();
    let mut known = Vec::new();
    for (name, settings) in candidates {
        let Some(kept) = secret_of(&settings) else { continue };
        known.push(kept.to_owned());
        if kept == id {
            users.push((name.parse()?, settings));
        }
    }
    if !users.is_empty() {
        return Ok(users);
    }
    let templates = config.per_tenant.values().map(connection_manager::PerTenantSettings::template);
    if tenant.is_none() && templates.filter_map(secret_of).any(|template| may_be(template, id)) {
        bail!("`{id}` is a secret of tenants: say whose with `--tenant NAME`");
    }
    bail!("no connection has its password there: {}", suggest::unknown("secret", id, known.iter().map(String::as_str)))
}

fn secret_of(settings: &ConnectionSettings) -> Option<&str> {
    match &settings.password {
        PasswordSource::SecretsManager { id } => Some(id),
        _ => None,
    }
}

/// Whether a template comes to this name for some tenant, or is it.
fn may_be(template: &str, id: &str) -> bool {
    let Some((before, rest)) = template.split_once(PLACEHOLDER) else { return template == id };
    let after = rest.rsplit_once(PLACEHOLDER).map_or(rest, |(_, after)| after);
    id.len() > before.len() + after.len() && id.starts_with(before) && id.ends_with(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_a_template_comes_to_is_known_as_a_tenants() {
        let template = "prod/{tenant}/orders";
        for id in [template, "prod/acme/orders"] {
            assert!(may_be(template, id), "{id}");
        }
        for id in ["prod//orders", "prod/acme/books", "test/acme/orders", "prod/orders"] {
            assert!(!may_be(template, id), "{id}");
        }
        assert!(may_be("prod/all", "prod/all") && !may_be("prod/all", "prod/al"));
        assert!(may_be("{tenant}/{tenant}", "acme/acme"));
    }
}
