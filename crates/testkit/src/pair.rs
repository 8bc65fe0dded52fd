//! A primary and its replica, both servers of the test's own: real replication, with a delay that the test sets.

mod mariadb;
mod mysql;
mod node;
mod postgres;

use std::sync::Arc;
use std::time::Duration;

use connection_manager::{ConnectionSettings, PasswordSource, PoolSettings, ReplicasSettings, TlsMode, TlsSettings};
use secrecy::SecretString;
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseConnection, RawStatement, Row, Statement};
use tempfile::TempDir;

use self::node::Node;
use crate::{Server, connect, eventually_some};

/// How long a server may take to answer after it was started.
const START: Duration = Duration::from_mins(1);
/// The database that both have.
const DATABASE: &str = "app";
/// The administrator's password.
const PASSWORD: &str = "0wn-pa55word";

/// A MySQL, MariaDB or PostgreSQL primary with one replica that replays what it is sent after a delay. Both end when it is dropped.
#[derive(Debug)]
pub struct Pair {
    server: Server,
    primary: Node,
    replica: Node,
    _folder: TempDir,
}

impl Pair {
    /// Starts both with the programs that `BINDERY_TEST_MYSQL_SERVER`, `BINDERY_TEST_MARIADB_SERVER` and
    /// `BINDERY_TEST_POSTGRES_SERVER` name, makes an empty database, and waits until the replica has it.
    ///
    /// # Panics
    /// When there are no programs, or they do not answer in time, and for an engine without replicas here.
    pub async fn start(server: Server, delay: Duration) -> Self {
        let folder = node::folder();
        let pair = match server {
            Server::MySql => mysql::start(folder).await,
            Server::MariaDb => mariadb::start(folder).await,
            Server::Postgres => postgres::start(folder).await,
            Server::Sqlite | Server::SqlServer => panic!("{server} has no replicas here"),
        };
        eventually_some(START, || async { connect(pair.replica()).await.ok() }).await.close(Duration::ZERO).await;
        if delay > Duration::ZERO {
            pair.delay(delay).await;
        }
        pair
    }

    /// The engine.
    pub fn server(&self) -> Server {
        self.server
    }

    /// The way to the primary, as a user who may do everything.
    pub fn primary(&self) -> ConnectionSettings {
        self.settings_of(&self.primary).with_database(DATABASE)
    }

    /// The way to the replica.
    pub fn replica(&self) -> ConnectionSettings {
        self.settings_of(&self.replica).with_database(DATABASE)
    }

    /// The way to the primary, with the replica for reads.
    ///
    /// # Panics
    /// Never: the replica's address is one.
    pub fn settings(&self, max_lag: Duration) -> ConnectionSettings {
        let host = format!("127.0.0.1:{}", self.replica.port()).parse().expect("an address");
        self.primary().with_replicas(ReplicasSettings { hosts: vec![host], max_lag })
    }

    /// The replica's host and port.
    pub fn replica_endpoint(&self) -> String {
        format!("127.0.0.1:{}", self.replica.port())
    }

    /// From now on the replica replays what it is sent after this time.
    ///
    /// # Panics
    /// When the replica refuses.
    pub async fn delay(&self, delay: Duration) {
        let scripts = match self.server {
            Server::MySql => mysql::delay(delay),
            Server::MariaDb => mariadb::delay(delay),
            _ => postgres::delay(delay),
        };
        self.at(&self.replica, &scripts).await;
    }

    /// The replica replays nothing until [`Pair::resume`].
    ///
    /// # Panics
    /// When the replica refuses.
    pub async fn pause(&self) {
        let script = match self.server {
            Server::MySql => "STOP REPLICA SQL_THREAD",
            Server::MariaDb => "STOP SLAVE SQL_THREAD",
            _ => "SELECT pg_wal_replay_pause()",
        };
        self.at(&self.replica, &[script.to_owned()]).await;
    }

    /// The replica replays again.
    ///
    /// # Panics
    /// When the replica refuses.
    pub async fn resume(&self) {
        let script = match self.server {
            Server::MySql => "START REPLICA SQL_THREAD",
            Server::MariaDb => "START SLAVE SQL_THREAD",
            _ => "SELECT pg_wal_replay_resume()",
        };
        self.at(&self.replica, &[script.to_owned()]).await;
    }

    /// The replica follows nobody any more, and takes writes.
    ///
    /// # Panics
    /// When the replica refuses.
    pub async fn promote(&self) {
        let script = match self.server {
            Server::MySql => "STOP REPLICA; SET GLOBAL super_read_only = OFF; SET GLOBAL read_only = OFF",
            Server::MariaDb => "STOP SLAVE; SET GLOBAL read_only = OFF",
            _ => "SELECT pg_promote()",
        };
        self.at(&self.replica, &[script.to_owned()]).await;
    }

    /// The replica goes away without a word, as when its machine fails.
    pub fn stop_replica(&mut self) {
        self.replica.stop();
    }

    /// The replica comes back at the same address, and follows.
    ///
    /// # Panics
    /// When it does not answer in time.
    pub async fn start_replica(&mut self) {
        let settings = self.replica();
        come_back(&mut self.replica, &settings).await;
    }

    /// The primary goes away without a word.
    pub fn stop_primary(&mut self) {
        self.primary.stop();
    }

    /// The primary comes back at the same address, with what was committed.
    ///
    /// # Panics
    /// When it does not answer in time.
    pub async fn start_primary(&mut self) {
        let settings = self.primary();
        come_back(&mut self.primary, &settings).await;
    }

    async fn at(&self, node: &Node, scripts: &[String]) {
        run(self.settings_of(node), scripts).await;
    }

    fn settings_of(&self, node: &Node) -> ConnectionSettings {
        settings(self.server, node)
    }
}

fn settings(server: Server, node: &Node) -> ConnectionSettings {
    let user = if server == Server::Postgres { "postgres" } else { "root" };
    // MySQL's usual login wants TLS, and a server of a test's own has a certificate that it made itself.
    let mode = if server == Server::MySql { TlsMode::Required } else { TlsMode::Disabled };
    ConnectionSettings::new(server.engine())
        .with_host("127.0.0.1")
        .with_port(node.port())
        .with_username(user)
        .with_password(PasswordSource::Literal(SecretString::from(PASSWORD)))
        .with_tls(TlsSettings { mode, ..TlsSettings::default() })
        .with_pool(PoolSettings::sized(0, 8))
}

/// Waits until a server that was started lets its administrator in.
async fn answer(server: Server, node: &Node) {
    let ask = || async { connect(settings(server, node)).await.ok() };
    eventually_some(START, ask).await.close(Duration::ZERO).await;
}

/// Starts a server again until it lets its administrator in.
async fn come_back(node: &mut Node, settings: &ConnectionSettings) {
    let began = std::time::Instant::now();
    loop {
        node.start_if_ended();
        if let Ok(connection) = connect(settings.clone()).await {
            connection.close(Duration::ZERO).await;
            return;
        }
        assert!(began.elapsed() < START, "the server does not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn run(settings: ConnectionSettings, scripts: &[String]) {
    let connection = connect(settings).await.unwrap_or_else(|error| panic!("{error:?}"));
    for script in scripts {
        let outcome = connection.sql().expect("SQL").run_script(script, &RequestContext::system()).await;
        outcome.unwrap_or_else(|error| panic!("{script}: {error:?}"));
    }
    connection.close(Duration::ZERO).await;
}

/// The rows that a select gives.
///
/// # Panics
/// When it is refused.
pub async fn select(connection: &Arc<dyn DatabaseConnection>, text: String, context: &RequestContext) -> Vec<Row> {
    let statement: Statement = RawStatement::everywhere("SELECT", text).into();
    let rows = connection.sql().expect("SQL").query(&statement, context).await;
    rows.unwrap_or_else(|error| panic!("{statement:?}: {error:?}"))
}
