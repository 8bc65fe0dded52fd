use std::sync::Arc;

use async_trait::async_trait;
use shared_kernel::database::{
    ConnectionName, DatabaseConnection, DatabaseError, Engine, EngineDescription, OptionDescription, OptionKind,
};

use crate::connector::{Connector, SettingFault, checks};
use crate::drivers::sqlserver::{SqlServerDriver, SqlServerOptions};
use crate::endpoint::Endpoint;
use crate::settings::{ConnectionSettings, TlsMode};
use crate::sql_pool::SqlPool;

/// SQL Server 2019 and later. The native handle is [`SqlPool`]`<`[`SqlServerDriver`]`>`.
///
/// With `tls.mode = "verify-full"`, the authorities in `tls.ca_file` are trusted besides the system's: the driver
/// knows no way to trust them alone.
///
/// Options: `application_name` is what the server shows in `sys.dm_exec_sessions` (without it, `bindery/` and the
/// connection's name); `application_intent = "read-only"` lets an availability group answer from a replica;
/// `certificate_name` is the name in the server's certificate where it is not the host; `encryption = "strict"` begins
/// with TLS before anything else (TDS 8.0, SQL Server 2022 and later).
///
/// Where somebody from outside has defined the connection, it says that it only reads, unless
/// `application_intent = "read-write"`; see [`SqlServerOptions::egress`].
#[derive(Debug, Clone, Copy, Default)]
pub struct SqlServerConnector;

/// The words of two options, the usual one first.
const INTENTS: [&str; 2] = ["read-write", "read-only"];
const ENCRYPTIONS: [&str; 2] = ["negotiated", "strict"];

const OPTIONS: [&str; 4] = ["application_intent", "application_name", "certificate_name", "encryption"];

/// An option with two words to choose from; the first is the default.
fn choice(settings: &ConnectionSettings, key: &str, [default, other]: [&str; 2]) -> Result<bool, SettingFault> {
    match settings.options.get(key).map(String::as_str) {
        None => Ok(false),
        Some(word) if word == default => Ok(false),
        Some(word) if word == other => Ok(true),
        Some(_) => Err(SettingFault::new(format!("options.{key}"), format!("expected \"{default}\" or \"{other}\""))),
    }
}

fn is_read_only(settings: &ConnectionSettings) -> Result<bool, SettingFault> {
    choice(settings, "application_intent", INTENTS)
}

fn is_strict(settings: &ConnectionSettings) -> Result<bool, SettingFault> {
    choice(settings, "encryption", ENCRYPTIONS)
}

#[async_trait]
impl Connector for SqlServerConnector {
    fn engine(&self) -> &Engine {
        static ENGINE: Engine = Engine::SQLSERVER;
        &ENGINE
    }

    fn default_port(&self) -> Option<u16> {
        Some(1433)
    }

    fn describe(&self) -> EngineDescription {
        let choice = |words: [&'static str; 2]| OptionKind::Choice(words.map(Into::into).to_vec());
        let intent = OptionDescription::new(
            "application_intent",
            choice(INTENTS),
            "`read-only` lets an availability group answer from a replica.",
        );
        let application = OptionDescription::new(
            "application_name",
            OptionKind::Text,
            "What the server shows of the connection in `sys.dm_exec_sessions`.",
        );
        let certificate = OptionDescription::new(
            "certificate_name",
            OptionKind::Text,
            "The name in the server's certificate where it is not the host.",
        );
        let encryption = OptionDescription::new(
            "encryption",
            choice(ENCRYPTIONS),
            "`strict` begins with TLS before anything else (TDS 8.0, SQL Server 2022 and later).",
        );
        EngineDescription::server(Engine::SQLSERVER, "Microsoft SQL Server", 1433)
            .with(intent)
            .with(application.harmless())
            .with(certificate)
            .with(encryption)
    }

    fn honours_egress(&self) -> bool {
        true
    }

    fn validate(&self, settings: &ConnectionSettings) -> Vec<SettingFault> {
        let mut faults = checks::unknown_options(settings, &OPTIONS);
        checks::server_faults(settings, &mut faults);
        checks::refuse_tokens(settings, &mut faults);
        checks::refuse_client_certificates(settings, &mut faults);
        checks::pool_faults(settings, &mut faults);
        faults.extend(is_read_only(settings).err());
        match is_strict(settings) {
            Ok(true) if settings.tls.mode == TlsMode::Disabled => {
                let message = "\"strict\" is TLS, which tls.mode has disabled";
                faults.push(SettingFault::new("options.encryption", message));
            }
            outcome => faults.extend(outcome.err()),
        }
        faults
    }

    async fn connect(
        &self,
        name: &ConnectionName,
        settings: &ConnectionSettings,
        endpoint: Endpoint,
    ) -> Result<Arc<dyn DatabaseConnection>, DatabaseError> {
        let misconfigured = |fault| checks::misconfigured(name, &[fault]);
        let mut options = SqlServerOptions::new(settings.host.as_deref().unwrap_or_default());
        options.port = settings.port.unwrap_or(1433);
        options.database.clone_from(&settings.database);
        options.tls = settings.tls.mode;
        options.keepalive = settings.pool.keepalive;
        options.egress.clone_from(&settings.egress);
        // Who may only read can do so at a replica, unless the definition says that there is none.
        let is_silent = !settings.options.contains_key("application_intent");
        options.read_only = is_read_only(settings).map_err(misconfigured)? || (is_silent && settings.egress.is_some());
        options.strict = is_strict(settings).map_err(misconfigured)?;
        options.certificate_name = settings.options.get("certificate_name").cloned();
        options.application =
            settings.options.get("application_name").cloned().unwrap_or_else(|| format!("bindery/{name}"));
        options.authorities = super::authorities(name, &settings.tls).await?;
        let driver = SqlServerDriver::new(options);
        let pool = SqlPool::open(name.clone(), Engine::SQLSERVER, settings.pool.clone(), endpoint, driver).await?;
        Ok(Arc::new(pool))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::TlsSettings;

    fn settings() -> ConnectionSettings {
        ConnectionSettings::new(Engine::SQLSERVER).with_host("db.example").with_username("sa")
    }

    fn keys(settings: &ConnectionSettings) -> Vec<String> {
        SqlServerConnector.validate(settings).into_iter().map(|fault| fault.key).collect()
    }

    #[test]
    fn options_are_checked_by_name_and_by_word() {
        assert_eq!(keys(&settings()), [""; 0]);
        let settings = settings().with_option("encryption", "strict").with_option("application_intent", "read-only");
        assert_eq!(keys(&settings), [""; 0]);
        let settings = settings.with_option("application_intent", "reading").with_option("encrypt", "yes");
        assert_eq!(keys(&settings), ["options.encrypt", "options.application_intent"]);
    }

    #[test]
    fn strict_encryption_and_no_tls_contradict_each_other() {
        let settings = settings().with_tls(TlsSettings::disabled()).with_option("encryption", "strict");
        assert_eq!(keys(&settings), ["options.encryption"]);
    }
}
