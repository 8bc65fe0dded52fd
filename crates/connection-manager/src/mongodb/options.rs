use std::path::PathBuf;
use std::time::Duration;

use crate::egress::Egress;
use crate::node::Node;
use crate::settings::{ClientIdentity, PoolSettings, TlsMode};

/// Where a deployment of MongoDB is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Servers {
    /// At these addresses. Of a replica set the first that answers names the others; without one there is one address.
    Listed(Vec<Node>),
    /// Where the SRV records of this name say (`mongodb+srv`). Its TXT record may name the replica set and the database that
    /// knows the users.
    Srv(String),
}

/// What is needed to reach MongoDB, apart from a login.
#[derive(Debug, Clone)]
pub struct MongoDbOptions {
    /// Where.
    pub servers: Servers,
    /// The database that callers mean when they name none.
    pub database: Option<String>,
    /// The database that knows the user; `None` leaves it to a TXT record, and without one it is `admin`.
    pub auth_source: Option<String>,
    /// The name of the replica set. Without it the one server is spoken to, whatever it belongs to.
    pub replica_set: Option<String>,
    /// How the way is protected.
    pub tls: TlsMode,
    /// The authorities to trust instead of Mozilla's list, PEM.
    pub authorities: Option<Vec<u8>>,
    /// The file that `authorities` were read from, if they were. The driver reads them from a file alone: without this one, they are
    /// put into a temporary one that is this user's alone, for as long as a client is made.
    pub ca_file: Option<PathBuf>,
    /// What the client shows of itself, where the policy below is asked about every dial. The driver would read it from a file.
    pub client: Option<ClientIdentity>,
    /// Where connections may lead, when somebody from outside has defined this one. The driver is then given the way to one
    /// server, whichever of them answers, and only what reads is sent there.
    pub egress: Option<Egress>,
    /// How long connecting may take, all servers together.
    pub connect_timeout: Duration,
    /// The most calls at a time.
    pub max: u32,
    /// How long one of the driver's connections may lie idle.
    pub idle_timeout: Option<Duration>,
    /// After how long a client with fresh connections takes the place of the one before.
    pub max_lifetime: Option<Duration>,
    /// See [`PoolSettings::keepalive`]. Where the policy is asked about every dial; other sockets are the driver's.
    pub keepalive: Option<Duration>,
}

impl MongoDbOptions {
    /// One server without TLS, within the limits of a pool.
    pub fn new(servers: Servers, pool: &PoolSettings) -> Self {
        Self {
            servers,
            database: None,
            auth_source: None,
            replica_set: None,
            tls: TlsMode::Disabled,
            authorities: None,
            ca_file: None,
            client: None,
            egress: None,
            connect_timeout: pool.connect_timeout,
            max: pool.max,
            idle_timeout: pool.idle_timeout,
            max_lifetime: pool.max_lifetime,
            keepalive: pool.keepalive,
        }
    }
}
