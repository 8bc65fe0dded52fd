use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::egress::Egress;
use crate::settings::{ClientIdentity, PoolSettings, TlsMode};

/// Where one server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// A text that is no [`Node`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected host:port")]
pub struct InvalidNode;

impl FromStr for Node {
    type Err = InvalidNode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (host, port) = text.trim().rsplit_once(':').ok_or(InvalidNode)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let port = port.parse().ok().filter(|port| *port != 0).ok_or(InvalidNode)?;
        if host.is_empty() { Err(InvalidNode) } else { Ok(Self { host: host.to_owned(), port }) }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_a_host_and_a_port() {
        for text in ["cache.example:6379", "127.0.0.1:1", "[::1]:6380"] {
            assert_eq!(text.parse::<Node>().unwrap().to_string(), text);
        }
        for text in ["", "cache.example", ":6379", "cache.example:0", "cache.example:many"] {
            assert!(text.parse::<Node>().is_err(), "{text}");
        }
    }
}
