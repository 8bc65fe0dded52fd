use std::fmt;
use std::time::Duration;

use crate::egress::Egress;
use crate::node::Node;
use crate::settings::{ClientIdentity, PoolSettings, TlsMode};

/// What is needed to reach Redis, apart from a login.
#[derive(Clone)]
pub struct RedisOptions {
    /// The server; of a cluster, the nodes that are asked first for the others. At least one.
    pub nodes: Vec<Node>,
    /// Whether the nodes are a cluster's.
    pub cluster: bool,
    /// The number of the database; a cluster has 0 alone.
    pub database: u16,
    /// How the way is protected.
    pub tls: TlsMode,
    /// The authorities to trust instead of the system's, PEM.
    pub authorities: Option<Vec<u8>>,
    /// What the client shows of itself.
    pub client: Option<ClientIdentity>,
    /// How long connecting may take, all nodes together. Each is given its share of what is left.
    pub connect_timeout: Duration,
    /// See [`PoolSettings::keepalive`].
    pub keepalive: Option<Duration>,
    /// Where the nodes, and those that they send their clients on to, may be.
    pub egress: Option<Egress>,
}

impl RedisOptions {
    /// One server, database 0, no TLS, the pool's usual time to connect.
    pub fn new(node: Node) -> Self {
        Self {
            nodes: vec![node],
            cluster: false,
            database: 0,
            tls: TlsMode::Disabled,
            authorities: None,
            client: None,
            connect_timeout: PoolSettings::default().connect_timeout,
            keepalive: PoolSettings::default().keepalive,
            egress: None,
        }
    }
}

impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions")
            .field("nodes", &self.nodes)
            .field("cluster", &self.cluster)
            .field("database", &self.database)
            .field("tls", &self.tls)
            .field("connect_timeout", &self.connect_timeout)
            .field("keepalive", &self.keepalive)
            .finish_non_exhaustive()
    }
}
