use connection_manager::{ConnectionSettings, PasswordSource};
use secrecy::ExposeSecret;
use sqlx::mysql::{MySqlConnectOptions, MySqlPoolOptions, MySqlSslMode};
use sqlx::pool::{PoolConnection, PoolOptions};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{Database, Executor, MySql, Pool, Postgres};
use testkit::Server;
use tokio::time::timeout;

use crate::Failure;
use crate::run::{DEADLINE, PLACES, Subject};

/// A short statement that does nothing but last.
pub(crate) fn busy(server: Server) -> &'static str {
    match server {
        Server::Postgres => "SELECT pg_sleep(0.02)",
        _ => "SELECT SLEEP(0.02)",
    }
}

/// A plain sqlx pool, with its usual settings but for the number of places.
pub(crate) struct Peer<DB: Database> {
    pool: Pool<DB>,
    busy: &'static str,
}

fn password(settings: &ConnectionSettings) -> &str {
    match &settings.password {
        PasswordSource::Literal(password) => password.expose_secret(),
        _ => "",
    }
}

impl Peer<Postgres> {
    pub(crate) async fn postgres(settings: &ConnectionSettings) -> Result<Self, Failure> {
        let options = PgConnectOptions::new_without_pgpass()
            .host(settings.host.as_deref().unwrap_or_default())
            .port(settings.port.unwrap_or_default())
            .username(settings.username.as_deref().unwrap_or_default())
            .password(password(settings))
            .database("postgres")
            .ssl_mode(PgSslMode::Disable);
        let pool = PoolOptions::new().max_connections(PLACES).connect_with(options).await?;
        Ok(Self { pool, busy: busy(Server::Postgres) })
    }
}

impl Peer<MySql> {
    pub(crate) async fn mysql(server: Server, settings: &ConnectionSettings) -> Result<Self, Failure> {
        let tls = if server == Server::MySql { MySqlSslMode::Required } else { MySqlSslMode::Disabled };
        let options = MySqlConnectOptions::new()
            .host(settings.host.as_deref().unwrap_or_default())
            .port(settings.port.unwrap_or_default())
            .username(settings.username.as_deref().unwrap_or_default())
            .password(password(settings))
            .ssl_mode(tls);
        let pool = MySqlPoolOptions::new().max_connections(PLACES).connect_with(options).await?;
        Ok(Self { pool, busy: busy(server) })
    }
}

impl<DB: Database> Subject for Peer<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    for<'c> &'c Pool<DB>: Executor<'c, Database = DB>,
{
    type Held = PoolConnection<DB>;

    async fn call(&self) -> Result<(), Failure> {
        timeout(DEADLINE, (&self.pool).execute(self.busy)).await??;
        Ok(())
    }

    async fn hold(&self) -> Result<Self::Held, Failure> {
        let holding = async {
            let mut connection = self.pool.acquire().await?;
            (&mut *connection).execute("SELECT 1").await?;
            Ok::<_, sqlx::Error>(connection)
        };
        Ok(timeout(DEADLINE, holding).await??)
    }
}
