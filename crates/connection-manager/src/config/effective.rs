use std::fmt;

use shared_kernel::database::ConnectionName;

use super::duration;
use crate::credentials::PasswordSource;
use crate::settings::{
    BreakerSettings, ConnectionSettings, PerTenantSettings, PoolSettings, ReplicasSettings, RetrySettings,
};

/// Connections as TOML, every default written out and no secret told.
pub struct Effective<'a>(pub &'a [(ConnectionName, ConnectionSettings)]);

impl fmt::Display for Effective<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, settings)) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            connection(f, name, settings)?;
        }
        Ok(())
    }
}

/// The same of connections that are kept per tenant.
pub struct EffectivePerTenant<'a>(pub &'a [(ConnectionName, PerTenantSettings)]);

impl fmt::Display for EffectivePerTenant<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, settings)) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            connection(f, name, settings.template())?;
            let keep = duration::format(settings.idle_evict.unwrap_or_default());
            writeln!(f, "per_tenant = true\nmax_live = {}\nidle_evict = \"{keep}\"", settings.max_live)?;
            for (tenant, settings) in settings.overrides() {
                writeln!(f, "\n[connections.{}.tenants.{}]", key(name.as_str()), key(tenant.as_str()))?;
                values(f, settings)?;
            }
        }
        Ok(())
    }
}

fn connection(f: &mut fmt::Formatter<'_>, name: &ConnectionName, settings: &ConnectionSettings) -> fmt::Result {
    writeln!(f, "[connections.{}]", key(name.as_str()))?;
    writeln!(f, "engine = {}", text(settings.engine.as_str()))?;
    values(f, settings)
}

/// What is said besides the engine.
fn values(f: &mut fmt::Formatter<'_>, settings: &ConnectionSettings) -> fmt::Result {
    let path = settings.path.as_ref().map(|path| path.display().to_string());
    for (name, value) in [("path", path.as_ref()), ("host", settings.host.as_ref())] {
        if let Some(value) = value {
            writeln!(f, "{name} = {}", text(value))?;
        }
    }
    if let Some(port) = settings.port {
        writeln!(f, "port = {port}")?;
    }
    for (name, value) in [("database", settings.database.as_ref()), ("username", settings.username.as_ref())] {
        if let Some(value) = value {
            writeln!(f, "{name} = {}", text(value))?;
        }
    }
    secret(f, "password", &settings.password)?;
    if settings.host.is_some() || settings.password.holds_login() {
        write!(f, "tls = {{ mode = \"{}\"", settings.tls.mode)?;
        if let Some(file) = &settings.tls.ca_file {
            write!(f, ", ca_file = {}", text(&file.display().to_string()))?;
        }
        writeln!(f, " }}")?;
        breaker(f, &settings.breaker)?;
        retry(f, &settings.retry)?;
    }
    pool(f, &settings.pool)?;
    let ReplicasSettings { hosts, max_lag } = &settings.replicas;
    if !hosts.is_empty() {
        let hosts: Vec<String> = hosts.iter().map(|host| text(&host.to_string()).to_string()).collect();
        writeln!(f, "replicas = {{ hosts = [{}], max_lag = \"{}\" }}", hosts.join(", "), duration::format(*max_lag))?;
    }
    if !settings.options.is_empty() {
        let options: Vec<String> =
            settings.options.iter().map(|(name, value)| format!("{} = {}", key(name), text(value))).collect();
        writeln!(f, "options = {{ {} }}", options.join(", "))?;
    }
    Ok(())
}

/// Where the secret `name` is, and not what it is.
pub(super) fn secret(f: &mut fmt::Formatter<'_>, name: &str, place: &PasswordSource) -> fmt::Result {
    match place {
        PasswordSource::None => Ok(()),
        PasswordSource::Literal(_) => writeln!(f, "{name} = \"[redacted]\""),
        PasswordSource::Environment(variable) => writeln!(f, "{name} = {{ env = {} }}", text(variable)),
        PasswordSource::File(file) => writeln!(f, "{name} = {{ file = {} }}", text(&file.display().to_string())),
        PasswordSource::SecretsManager { id } => writeln!(f, "{name} = {{ secrets_manager = {} }}", text(id)),
        PasswordSource::RdsIam { region: None } => writeln!(f, "{name} = {{ rds_iam = true }}"),
        PasswordSource::RdsIam { region: Some(region) } => {
            writeln!(f, "{name} = {{ rds_iam = true, region = {} }}", text(region))
        }
    }
}

fn breaker(f: &mut fmt::Formatter<'_>, breaker: &BreakerSettings) -> fmt::Result {
    let BreakerSettings { failures, open_for, open_for_max, probes } = breaker;
    let (open_for, open_for_max) = (duration::format(*open_for), duration::format(*open_for_max));
    writeln!(
        f,
        "breaker = {{ failures = {failures}, open_for = \"{open_for}\", open_for_max = \"{open_for_max}\", probes = {probes} }}"
    )
}

fn retry(f: &mut fmt::Formatter<'_>, retry: &RetrySettings) -> fmt::Result {
    let RetrySettings { attempts, base, cap, budget_percent } = retry;
    let (base, cap) = (duration::format(*base), duration::format(*cap));
    writeln!(
        f,
        "retry = {{ attempts = {attempts}, base = \"{base}\", cap = \"{cap}\", budget_percent = {budget_percent} }}"
    )
}

fn pool(f: &mut fmt::Formatter<'_>, pool: &PoolSettings) -> fmt::Result {
    let times = [
        ("acquire_timeout", pool.acquire_timeout),
        ("connect_timeout", pool.connect_timeout),
        ("idle_timeout", pool.idle_timeout.unwrap_or_default()),
        ("max_lifetime", pool.max_lifetime.unwrap_or_default()),
        ("statement_timeout", pool.statement_timeout.unwrap_or_default()),
        ("validate_after", pool.validate_after),
        ("leak_after", pool.leak_after.unwrap_or_default()),
        ("keepalive", pool.keepalive.unwrap_or_default()),
    ];
    write!(f, "pool = {{ min = {}, max = {}", pool.min, pool.max)?;
    for (name, time) in times {
        write!(f, ", {name} = \"{}\"", duration::format(time))?;
    }
    writeln!(f, " }}")
}

pub(super) fn text(value: &str) -> toml::Value {
    toml::Value::String(value.to_owned())
}

pub(super) fn key(name: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if !name.is_empty() && name.bytes().all(bare) { name.to_owned() } else { text(name).to_string() }
}
