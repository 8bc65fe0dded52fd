use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use shared_kernel::database::{
    ConnectionName, DatabaseConnection, DatabaseError, Engine, EngineDescription, OptionDescription, OptionKind,
    Presence,
};
use shared_kernel::{Clock, SystemClock};

use crate::connector::{Connector, SettingFault, checks};
use crate::credentials::PasswordSource;
use crate::dynamodb::{DynamoDbConnection, DynamoDbDriver, DynamoDbOptions};
use crate::endpoint::Endpoint;
use crate::settings::{ConnectionSettings, TlsMode};

/// Amazon DynamoDB. The native handle is [`DynamoDbConnection`].
///
/// `database` is the table that keeps the values of the key-value capability: its partition key is one binary attribute and
/// it has no sort key; values lie in the attribute `value`, and `expires_at` holds the second in which one ends, for the
/// table's time-to-live. Without `database` there is the SDK's client alone.
///
/// `username` and `password` are an access key's id and its secret; without both, the process is who the SDK finds it to be
/// (environment, profile, role). `host` and `port` lead to another address than AWS's, such as a private endpoint or an
/// emulator; without TLS only where `tls.mode` says so. The option `region` goes before what the SDK finds.
#[derive(Clone)]
pub struct DynamoDbConnector {
    clock: Arc<dyn Clock>,
}

const OPTIONS: [&str; 1] = ["region"];
const PORT: u16 = 443;

impl DynamoDbConnector {
    /// A connector for whose values the clock says when they end.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }
}

impl Default for DynamoDbConnector {
    fn default() -> Self {
        Self::new(Arc::new(SystemClock))
    }
}

impl fmt::Debug for DynamoDbConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamoDbConnector").finish_non_exhaustive()
    }
}

fn endpoint_url(settings: &ConnectionSettings) -> Option<String> {
    let host = settings.host.as_deref()?;
    let (scheme, usual) = if settings.tls.mode == TlsMode::Disabled { ("http", 80) } else { ("https", PORT) };
    // An address of IPv6 stands in brackets before a port.
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    Some(format!("{scheme}://{host}:{}", settings.port.unwrap_or(usual)))
}

#[async_trait]
impl Connector for DynamoDbConnector {
    fn engine(&self) -> &Engine {
        static ENGINE: Engine = Engine::DYNAMODB;
        &ENGINE
    }

    fn default_port(&self) -> Option<u16> {
        Some(PORT)
    }

    fn describe(&self) -> EngineDescription {
        let region = OptionDescription::new(
            "region",
            OptionKind::Text,
            "The region, such as `eu-central-1`; without it, what the SDK finds.",
        );
        EngineDescription {
            host: Presence::Optional,
            username: Presence::Optional,
            ambient_login: true,
            ..EngineDescription::server(Engine::DYNAMODB, "Amazon DynamoDB", PORT).with(region)
        }
    }

    fn honours_egress(&self) -> bool {
        true
    }

    fn validate(&self, settings: &ConnectionSettings) -> Vec<SettingFault> {
        let mut faults = checks::unknown_options(settings, &OPTIONS);
        checks::server_faults(settings, &mut faults);
        // AWS has an address of its own, and the process may have an identity.
        faults.retain(|fault| fault.key != "host" && fault.key != "username");
        checks::pool_faults(settings, &mut faults);
        checks::refuse_tokens(settings, &mut faults);
        checks::refuse_client_certificates(settings, &mut faults);
        let has_password = !matches!(settings.password, PasswordSource::None);
        match &settings.username {
            Some(_) if !has_password => {
                faults.push(SettingFault::new("password", "missing: an access key has an id and a secret"));
            }
            None if has_password && !settings.password.holds_login() => {
                faults.push(SettingFault::new("username", "missing: an access key has an id and a secret"));
            }
            _ => {}
        }
        if settings.egress.is_some() {
            // Whoever defines a connection from outside is not the process.
            if settings.username.is_none() && !settings.password.holds_login() {
                faults.push(SettingFault::new("username", "missing: the service does not lend its own identity"));
            }
            if !settings.options.contains_key("region") {
                faults.push(SettingFault::new("options.region", "missing: the service does not lend its own"));
            }
        }
        if settings.tls.mode == TlsMode::Required {
            let message = "DynamoDB's certificate is always checked; say \"verify-full\"";
            faults.push(SettingFault::new("tls.mode", message));
        }
        if settings.tls.mode == TlsMode::Disabled && settings.host.is_none() {
            faults.push(SettingFault::new("tls.mode", "AWS is reached with TLS alone; say \"verify-full\""));
        }
        if settings.port.is_some() && settings.host.is_none() {
            faults.push(SettingFault::new("port", "of no use without `host`"));
        }
        if settings.options.get("region").is_some_and(String::is_empty) {
            faults.push(SettingFault::new("options.region", "must not be empty"));
        }
        faults
    }

    async fn connect(
        &self,
        name: &ConnectionName,
        settings: &ConnectionSettings,
        endpoint: Endpoint,
    ) -> Result<Arc<dyn DatabaseConnection>, DatabaseError> {
        let authorities = super::authorities(name, &settings.tls).await?;
        let driver = DynamoDbDriver::try_new(DynamoDbOptions {
            region: settings.options.get("region").cloned(),
            endpoint_url: endpoint_url(settings),
            authorities,
            table: settings.database.clone(),
            egress: settings.egress.clone(),
        })
        .map_err(|error| error.on(name))?;
        let (pool, clock) = (settings.pool.clone(), Arc::clone(&self.clock));
        Ok(Arc::new(DynamoDbConnection::open(name.clone(), pool, endpoint, driver, clock).await?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> ConnectionSettings {
        ConnectionSettings::new(Engine::DYNAMODB).with_database("values")
    }

    #[track_caller]
    fn refused(settings: &ConnectionSettings, expected: &[&str]) {
        let connector = DynamoDbConnector::default();
        let faults: Vec<String> = connector.validate(settings).iter().map(ToString::to_string).collect();
        assert_eq!(faults, expected);
    }

    #[test]
    fn an_identity_may_be_left_to_the_process_but_not_by_half() {
        refused(&settings(), &[]);
        refused(
            &settings().with_username("AKIAEXAMPLE"),
            &["`password`: missing: an access key has an id and a secret"],
        );
        refused(
            &settings().with_password(PasswordSource::Literal("secret".into())),
            &["`username`: missing: an access key has an id and a secret"],
        );
    }

    #[test]
    fn without_tls_nothing_goes_to_aws() {
        refused(
            &settings().with_tls(crate::settings::TlsSettings::disabled()),
            &["`tls.mode`: AWS is reached with TLS alone; say \"verify-full\""],
        );
        refused(
            &settings().with_tls(crate::settings::TlsSettings::required()),
            &["`tls.mode`: DynamoDB's certificate is always checked; say \"verify-full\""],
        );
    }

    #[test]
    fn an_address_is_made_of_host_port_and_tls() {
        let plain =
            settings().with_host("127.0.0.1").with_port(8000).with_tls(crate::settings::TlsSettings::disabled());
        assert_eq!(endpoint_url(&plain).as_deref(), Some("http://127.0.0.1:8000"));
        assert_eq!(endpoint_url(&settings().with_host("::1")).as_deref(), Some("https://[::1]:443"));
        assert_eq!(endpoint_url(&settings()), None);
    }
}
