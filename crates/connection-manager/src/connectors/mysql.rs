use std::sync::Arc;

use async_trait::async_trait;
use secrecy::ExposeSecret as _;
use shared_kernel::database::{
    ConnectionName, DatabaseConnection, DatabaseError, Engine, EngineDescription, OptionDescription, OptionKind,
};
use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};

use crate::connector::{Connector, SettingFault, checks};
use crate::credentials::PasswordSource;
use crate::drivers::mysql::MySqlDriver;
use crate::endpoint::Endpoint;
use crate::settings::{ConnectionSettings, TlsMode};
use crate::sql_pool::SqlPool;
use crate::tls::client::{Trust, client_config};

/// MySQL 8 and later, and MariaDB. The native handle is [`SqlPool`]`<`[`MySqlDriver`]`>`.
///
/// MySQL's `caching_sha2_password` needs TLS: without it a login that the server has not cached is refused.
///
/// A token of AWS's IAM (`password = { rds_iam = true }`) is sent as it is when the server asks for that, which only verified
/// TLS lets happen; any other password never is.
///
/// A statement whose caller has left is ended at the server by `KILL`, over a connection besides those of the pool, one at
/// most. The option `cancel = "false"` leaves that out, for proxies whose sessions are not the server's.
#[derive(Debug, Clone)]
pub struct MySqlConnector(Engine);

impl MySqlConnector {
    /// For the engine `mysql`.
    pub fn mysql() -> Self {
        Self(Engine::MYSQL)
    }

    /// For the engine `mariadb`.
    pub fn mariadb() -> Self {
        Self(Engine::MARIADB)
    }
}

#[async_trait]
impl Connector for MySqlConnector {
    fn engine(&self) -> &Engine {
        &self.0
    }

    fn default_port(&self) -> Option<u16> {
        Some(3306)
    }

    fn describe(&self) -> EngineDescription {
        let title = if self.0 == Engine::MARIADB { "MariaDB" } else { "MySQL" };
        let cancel = OptionDescription::new(
            "cancel",
            OptionKind::Switch,
            "Whether a statement whose caller has left is ended at the server; `true` when it is left out.",
        );
        EngineDescription::server(self.0.clone(), title, 3306).with(cancel.harmless())
    }

    fn honours_egress(&self) -> bool {
        cfg!(unix)
    }

    fn validate(&self, settings: &ConnectionSettings) -> Vec<SettingFault> {
        let mut faults = checks::unknown_options(settings, &["cancel"]);
        checks::switch_fault(settings, "cancel", &mut faults);
        checks::server_faults(settings, &mut faults);
        checks::pool_faults(settings, &mut faults);
        faults
    }

    async fn connect(
        &self,
        name: &ConnectionName,
        settings: &ConnectionSettings,
        endpoint: Endpoint,
    ) -> Result<Arc<dyn DatabaseConnection>, DatabaseError> {
        let is_token = matches!(settings.password, PasswordSource::RdsIam { .. });
        let mut options = MySqlConnectOptions::new()
            .host(settings.host.as_deref().unwrap_or_default())
            .port(settings.port.unwrap_or(3306))
            .ssl_mode(match settings.tls.mode {
                TlsMode::Disabled => MySqlSslMode::Disabled,
                TlsMode::Required => MySqlSslMode::Required,
                TlsMode::VerifyFull => MySqlSslMode::VerifyIdentity,
            })
            // The server asks for a token as it is, to have AWS check it. No other password is ever to be sent like that, and
            // the token to no server whose certificate is not checked.
            .enable_cleartext_plugin(is_token && settings.tls.mode == TlsMode::VerifyFull);
        if let Some(database) = &settings.database {
            options = options.database(database);
        }
        let authorities = super::authorities(name, &settings.tls).await?;
        let mut tls = None;
        if settings.egress.is_some() {
            let trust = authorities.as_deref().map_or(Trust::System, Trust::Pem);
            let config = client_config(settings.tls.mode, trust, settings.tls.client.as_ref());
            tls = config.map_err(|error| error.on(name))?.map(Arc::new);
        }
        if let Some(authorities) = authorities {
            options = options.ssl_ca_from_pem(authorities);
        }
        if let Some(client) = &settings.tls.client {
            options = options
                .ssl_client_cert_from_pem(client.certificates())
                .ssl_client_key_from_pem(client.key().expose_secret());
        }
        let driver = MySqlDriver::new(options)
            .with_cancel(checks::is_on(settings, "cancel", true))
            .with_egress(settings.egress.clone(), tls)
            .with_keepalive(settings.pool.keepalive);
        let pool = SqlPool::open(name.clone(), self.0.clone(), settings.pool.clone(), endpoint, driver).await?;
        Ok(Arc::new(pool))
    }
}
