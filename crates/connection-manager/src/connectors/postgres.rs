use std::sync::Arc;

use async_trait::async_trait;
use secrecy::ExposeSecret as _;
use shared_kernel::database::{
    ConnectionName, DatabaseConnection, DatabaseError, DatabaseErrorKind, Engine, EngineDescription, OptionDescription,
    OptionKind,
};
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::connector::{Connector, SettingFault, checks};
use crate::drivers::postgres::PostgresDriver;
use crate::endpoint::Endpoint;
use crate::settings::{ConnectionSettings, TlsMode};
use crate::sql_pool::SqlPool;
use crate::tls::client::{Trust, client_config};

/// PostgreSQL 14 and later. The native handle is [`SqlPool`]`<`[`PostgresDriver`]`>`.
///
/// The option `application_name` is what the server shows in `pg_stat_activity`; without it, `bindery/` and the
/// connection's name.
///
/// A statement whose caller has left is ended at the server by `pg_cancel_backend`, over a connection besides those of the
/// pool, one at most. The option `cancel = "false"` leaves that out, for poolers that lend one of the server's sessions to
/// several clients.
///
/// As with every client of PostgreSQL, `PGSSLROOTCERT`, `PGSSLCERT`, `PGSSLKEY` and `PGOPTIONS` of the environment take
/// effect where the settings say nothing else; no other `PG*` variable and no password file does. Where somebody from outside
/// has defined the connection, it is refused while one of these is set: the driver knows no way to leave them out.
#[derive(Debug, Clone, Copy, Default)]
pub struct PostgresConnector;

#[async_trait]
impl Connector for PostgresConnector {
    fn engine(&self) -> &Engine {
        static ENGINE: Engine = Engine::POSTGRES;
        &ENGINE
    }

    fn default_port(&self) -> Option<u16> {
        Some(5432)
    }

    fn describe(&self) -> EngineDescription {
        let application = OptionDescription::new(
            "application_name",
            OptionKind::Text,
            "What the server shows of the connection in `pg_stat_activity`.",
        );
        let cancel = OptionDescription::new(
            "cancel",
            OptionKind::Switch,
            "Whether a statement whose caller has left is ended at the server; `true` when it is left out.",
        );
        EngineDescription::server(Engine::POSTGRES, "PostgreSQL", 5432)
            .with(application.harmless())
            .with(cancel.harmless())
    }

    fn honours_egress(&self) -> bool {
        cfg!(unix)
    }

    fn validate(&self, settings: &ConnectionSettings) -> Vec<SettingFault> {
        let mut faults = checks::unknown_options(settings, &["application_name", "cancel"]);
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
        if settings.egress.is_some()
            && let Some(variable) = lent()
        {
            let message = format!("the service's environment has {variable}, which is lent to nobody");
            return Err(DatabaseError::new(DatabaseErrorKind::Misconfigured, message).on(name));
        }
        let application =
            settings.options.get("application_name").cloned().unwrap_or_else(|| format!("bindery/{name}"));
        let mut options = PgConnectOptions::new_without_pgpass()
            .host(settings.host.as_deref().unwrap_or_default())
            .port(settings.port.unwrap_or(5432))
            // Without a database, the one that every server has.
            .database(settings.database.as_deref().unwrap_or("postgres"))
            .application_name(&application)
            .ssl_mode(match settings.tls.mode {
                TlsMode::Disabled => PgSslMode::Disable,
                TlsMode::Required => PgSslMode::Require,
                TlsMode::VerifyFull => PgSslMode::VerifyFull,
            });
        let authorities = super::authorities(name, &settings.tls).await?;
        let mut tls = None;
        if settings.egress.is_some() {
            let trust = authorities.as_deref().map_or(Trust::System, Trust::Pem);
            let config = client_config(settings.tls.mode, trust, settings.tls.client.as_ref());
            tls = config.map_err(|error| error.on(name))?.map(Arc::new);
        }
        if let Some(authorities) = authorities {
            options = options.ssl_root_cert_from_pem(authorities);
        }
        if let Some(client) = &settings.tls.client {
            options = options
                .ssl_client_cert_from_pem(client.certificates())
                .ssl_client_key_from_pem(client.key().expose_secret());
        }
        let driver = PostgresDriver::new(options)
            .with_cancel(checks::is_on(settings, "cancel", true))
            .with_egress(settings.egress.clone(), tls)
            .with_keepalive(settings.pool.keepalive);
        let pool = SqlPool::open(name.clone(), Engine::POSTGRES, settings.pool.clone(), endpoint, driver).await?;
        Ok(Arc::new(pool))
    }
}

/// What the driver reads in the environment whatever its options say: who the process is to servers, whom it trusts, and what
/// it asks of its sessions.
#[expect(clippy::disallowed_methods, reason = "asks what the driver reads there, and configures nothing")]
fn lent() -> Option<&'static str> {
    ["PGSSLCERT", "PGSSLKEY", "PGSSLROOTCERT", "PGOPTIONS"].into_iter().find(|name| std::env::var_os(name).is_some())
}
