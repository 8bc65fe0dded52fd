//! What the settings of most engines are checked for; of use to connectors from outside as well.

use std::time::Duration;

use shared_kernel::database::{ConnectionName, DatabaseError, DatabaseErrorKind};

use super::{Connector, SettingFault};
use crate::config::suggest;
use crate::credentials::PasswordSource;
use crate::settings::{ConnectionSettings, TlsMode};

/// The pool limits that no engine can work with.
pub fn pool_faults(settings: &ConnectionSettings, faults: &mut Vec<SettingFault>) {
    let pool = &settings.pool;
    if pool.max == 0 {
        faults.push(SettingFault::new("pool.max", "must be at least 1"));
    } else if pool.min > pool.max {
        let message = format!("must not exceed pool.max ({}), it is {}", pool.max, pool.min);
        faults.push(SettingFault::new("pool.min", message));
    }
    for (key, limit) in [("pool.acquire_timeout", pool.acquire_timeout), ("pool.connect_timeout", pool.connect_timeout)]
    {
        if limit == Duration::ZERO {
            faults.push(SettingFault::new(key, "must be longer than zero"));
        }
    }
}

/// Options that the engine does not have, each with the nearest that it has.
pub fn unknown_options(settings: &ConnectionSettings, known: &[&str]) -> Vec<SettingFault> {
    let unknown = settings.options.keys().filter(|key| !known.contains(&key.as_str()));
    unknown
        .map(|key| SettingFault::new(format!("options.{key}"), suggest::unknown("option", key, known.iter().copied())))
        .collect()
}

/// Refuses another value of the option `key` than `true` and `false`.
pub fn switch_fault(settings: &ConnectionSettings, key: &str, faults: &mut Vec<SettingFault>) {
    if settings.options.get(key).is_some_and(|value| value != "true" && value != "false") {
        faults.push(SettingFault::new(format!("options.{key}"), "expected \"true\" or \"false\""));
    }
}

/// What the option `key` says, which [`switch_fault`] has checked.
pub fn is_on(settings: &ConnectionSettings, key: &str, default: bool) -> bool {
    settings.options.get(key).map_or(default, |value| value == "true")
}

/// What an embedded engine has no use for; `engine` is its name in messages.
pub fn refuse_server_settings(settings: &ConnectionSettings, engine: &str, faults: &mut Vec<SettingFault>) {
    let given = [
        ("host", settings.host.is_some()),
        ("port", settings.port.is_some()),
        ("database", settings.database.is_some()),
        ("username", settings.username.is_some()),
        ("password", !matches!(settings.password, PasswordSource::None)),
    ];
    for (key, _) in given.iter().filter(|(_, given)| *given) {
        faults.push(SettingFault::new(*key, format!("{engine} is embedded and has no {key}; remove it")));
    }
}

/// What every server needs. The database may be missing: a tool that creates databases connects without one. Host and
/// user may be missing where the secret has them.
pub fn server_faults(settings: &ConnectionSettings, faults: &mut Vec<SettingFault>) {
    for (key, value) in [("host", &settings.host), ("username", &settings.username)] {
        if settings.password.holds_login() && value.is_none() {
            continue;
        }
        if value.as_deref().is_none_or(str::is_empty) {
            faults.push(SettingFault::new(key, format!("missing: {} is a server", settings.engine)));
        }
    }
    if settings.port == Some(0) {
        faults.push(SettingFault::new("port", "must be 1 to 65535"));
    }
    if matches!(settings.password, PasswordSource::RdsIam { .. }) && settings.tls.mode != TlsMode::VerifyFull {
        let message =
            "must be \"verify-full\" where the password is { rds_iam = true }: whoever sees the token can log in";
        faults.push(SettingFault::new("tls.mode", message));
    }
    if settings.path.is_some() {
        faults.push(SettingFault::new("path", format!("{} is a server and has no path; remove it", settings.engine)));
    }
    if settings.tls.mode == TlsMode::Disabled && settings.tls.ca_file.is_some() {
        faults.push(SettingFault::new("tls.ca_file", "is of no use while tls.mode is \"disabled\""));
    }
    let at_hand =
        [("tls.ca", settings.tls.authorities.is_some()), ("tls.client_certificate", settings.tls.client.is_some())];
    for (key, _) in at_hand.iter().filter(|(_, given)| settings.tls.mode == TlsMode::Disabled && *given) {
        faults.push(SettingFault::new(*key, "is of no use while tls.mode is \"disabled\""));
    }
}

/// Refuses a certificate of the client, for an engine whose logins know none: it would be left out without a word.
pub fn refuse_client_certificates(settings: &ConnectionSettings, faults: &mut Vec<SettingFault>) {
    if settings.tls.client.is_some() {
        let message = format!("{} asks for no certificate of a client; remove it", settings.engine);
        faults.push(SettingFault::new("tls.client_certificate", message));
    }
}

/// Refuses tokens of AWS's IAM, of which only RDS's MySQL, MariaDB and PostgreSQL know.
pub fn refuse_tokens(settings: &ConnectionSettings, faults: &mut Vec<SettingFault>) {
    if matches!(settings.password, PasswordSource::RdsIam { .. }) {
        let message = format!("{} takes no tokens of AWS's IAM; mysql, mariadb and postgres do", settings.engine);
        faults.push(SettingFault::new("password.rds_iam", message));
    }
}

/// What still keeps a server from being reached once its secret was read.
pub fn unreachable_fault(connector: &dyn Connector, settings: &ConnectionSettings) -> Option<SettingFault> {
    if settings.egress.is_some() && !connector.honours_egress() {
        let message = "its connector does not ask where it may lead, so nobody outside may define such a connection";
        return Some(SettingFault::new("engine", message));
    }
    let missing = connector.default_port().is_some() && settings.host.is_none() && settings.password.holds_login();
    missing.then(|| SettingFault::new("host", "missing: neither the settings nor the secret name the server"))
}

/// The error for settings that a connector found to be faulty.
pub fn misconfigured(name: &ConnectionName, faults: &[SettingFault]) -> DatabaseError {
    let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
    let message = format!("the settings cannot work: {}", faults.join("; "));
    DatabaseError::new(DatabaseErrorKind::Misconfigured, message).on(name)
}
