//! The Redis that tests share, and servers of a test's own: for restarts, for users who change, for clusters.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use connection_manager::redis::RedisConnection;
use connection_manager::redis::driver_crate::{Cmd, FromRedisValue, cmd};
use connection_manager::{ConnectionSettings, PasswordSource, PoolSettings};
use secrecy::SecretString;
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseConnection, Engine};
use tempfile::TempDir;

use crate::server::environment;
use crate::{connect, eventually_some, free_port};

/// How long a server of a test's own may take to answer.
const START: Duration = Duration::from_secs(20);

/// The way to the Redis that tests share, as a user who may do everything.
///
/// # Panics
/// When the environment names no server: a test that cannot run fails, it is not passed over.
pub fn shared() -> ConnectionSettings {
    named("BINDERY_TEST_REDIS_URL")
}

/// The way to its TLS port, without TLS's mode being set to anything but what the URL says.
///
/// # Panics
/// As [`shared`].
pub fn shared_with_tls() -> ConnectionSettings {
    named("BINDERY_TEST_REDIS_TLS_URL")
}

fn named(variable: &str) -> ConnectionSettings {
    let Some(url) = environment(variable) else {
        panic!("{variable} is not set, so there is no redis to test on; run it through `cargo xtask test`");
    };
    match ConnectionSettings::from_url(&url) {
        Ok(settings) => settings.with_pool(PoolSettings::sized(0, 8)),
        Err(error) => panic!("{variable} holds no connection URL: {error}"),
    }
}

/// The PEM file of the authority that signed its certificate.
///
/// # Panics
/// When the environment does not name it.
pub fn authority() -> PathBuf {
    match environment("BINDERY_TEST_CA") {
        Some(path) => path.into(),
        None => panic!("BINDERY_TEST_CA is not set; run it through `cargo xtask test`"),
    }
}

/// A Redis of the test's own, in memory alone, with the password [`OwnRedis::PASSWORD`]. Ends when it is dropped.
#[derive(Debug)]
pub struct OwnRedis {
    process: Child,
    port: u16,
    _folder: TempDir,
}

impl OwnRedis {
    /// The password of its user `default`.
    pub const PASSWORD: &'static str = "0wn-pa55word";

    /// Starts one with further settings, and waits until it answers.
    ///
    /// # Panics
    /// When there is no program (`BINDERY_TEST_REDIS_SERVER`), or it does not answer in time.
    pub async fn start(further: &[&str]) -> Self {
        Self::start_at(free_port(), further).await
    }

    /// The same on a given port.
    ///
    /// # Panics
    /// As [`OwnRedis::start`].
    pub async fn start_at(port: u16, further: &[&str]) -> Self {
        let Some(program) = environment("BINDERY_TEST_REDIS_SERVER") else {
            panic!(
                "BINDERY_TEST_REDIS_SERVER is not set; run it through `cargo xtask test`, or set it to redis-server"
            );
        };
        let folder = TempDir::with_prefix("bindery-redis-").expect("the folder for temporary files is writable");
        let mut command = Command::new(program);
        command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "no"]);
        command.args(["--requirepass", Self::PASSWORD, "--masterauth", Self::PASSWORD]).arg("--dir").arg(folder.path());
        command.args(further).stdin(Stdio::null()).stdout(Stdio::null());
        let process = command.spawn().expect("the program of Redis starts");
        let mut own = Self { process, port, _folder: folder };
        eventually_some(START, || async { connect(own.settings()).await.ok() }).await.close(Duration::ZERO).await;
        // Another server may listen there, and have answered in its place.
        let ended = own.process.try_wait().expect("a process of our own");
        assert!(ended.is_none(), "the redis-server for port {port} ended: {ended:?}");
        own
    }

    /// The way to it.
    pub fn settings(&self) -> ConnectionSettings {
        ConnectionSettings::new(Engine::REDIS)
            .with_host("127.0.0.1")
            .with_port(self.port)
            .with_database("0")
            .with_password(PasswordSource::Literal(SecretString::from(Self::PASSWORD)))
            .with_tls(connection_manager::TlsSettings::disabled())
            .with_pool(PoolSettings::sized(0, 8))
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A connection to it.
    ///
    /// # Panics
    /// When it cannot be reached.
    pub async fn connection(&self) -> Arc<dyn DatabaseConnection> {
        match connect(self.settings()).await {
            Ok(connection) => connection,
            Err(error) => panic!("redis on port {}: {error:?}", self.port),
        }
    }

    /// What it answers to a command, over a connection of its own.
    ///
    /// # Panics
    /// When it cannot be reached, or answers something else.
    pub async fn tell<T: FromRedisValue>(&self, command: Cmd) -> T {
        let connection = self.connection().await;
        let Some(native) = connection.native_as::<RedisConnection>() else { panic!("it is no redis") };
        let answer = match native.query(command, &RequestContext::system()).await {
            Ok(answer) => answer,
            Err(error) => panic!("redis on port {}: {error:?}", self.port),
        };
        connection.close(Duration::ZERO).await;
        answer
    }
}

impl Drop for OwnRedis {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Three nodes that share the slots of a cluster among them.
#[derive(Debug)]
pub struct OwnCluster(Vec<OwnRedis>);

impl OwnCluster {
    /// Starts one, and waits until its nodes know each other.
    ///
    /// # Panics
    /// As [`OwnRedis::start`].
    pub async fn start() -> Self {
        const SHARES: [(u16, u16); 3] = [(0, 5460), (5461, 10922), (10923, 16383)];
        let mut nodes = Vec::new();
        for (first, last) in SHARES {
            let bus = free_port().to_string();
            let node = OwnRedis::start(&["--cluster-enabled", "yes", "--cluster-port", &bus]).await;
            node.tell::<()>(cmd("CLUSTER").arg("ADDSLOTSRANGE").arg(first).arg(last).take()).await;
            for other in &nodes {
                let other: &(OwnRedis, String) = other;
                let meet = cmd("CLUSTER").arg("MEET").arg("127.0.0.1").arg(other.0.port()).arg(&other.1).take();
                node.tell::<()>(meet).await;
            }
            nodes.push((node, bus));
        }
        let nodes: Vec<OwnRedis> = nodes.into_iter().map(|(node, _)| node).collect();
        for node in &nodes {
            eventually_some(Duration::from_secs(30), || async {
                let info: String = node.tell(cmd("CLUSTER").arg("INFO").take()).await;
                let whole = ["cluster_state:ok", "cluster_known_nodes:3", "cluster_slots_ok:16384"];
                whole.iter().all(|line| info.contains(line)).then_some(())
            })
            .await;
        }
        Self(nodes)
    }

    /// Its nodes, in the order of their slots.
    pub fn nodes(&self) -> &[OwnRedis] {
        &self.0
    }

    /// The way to it.
    pub fn settings(&self) -> ConnectionSettings {
        self.0[0].settings().with_option("cluster", "true").with_pool(PoolSettings::sized(0, 2))
    }
}
