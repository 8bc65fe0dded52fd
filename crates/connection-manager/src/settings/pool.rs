use std::time::Duration;

use shared_kernel::database::Engine;

/// The limits of one pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolSettings {
    /// Connections kept open even when nobody uses them.
    pub min: u32,
    /// The most connections that are open at the same time; at least 1.
    pub max: u32,
    /// How long a caller waits for a connection before it is told `Saturated`.
    pub acquire_timeout: Duration,
    /// How long one attempt to connect and log in may take.
    pub connect_timeout: Duration,
    /// How long an unused connection beyond `min` is kept. `None`: for as long as it lives.
    pub idle_timeout: Option<Duration>,
    /// The age at which a connection is replaced, give or take a tenth so that a pool does not renew itself at once.
    /// `None`: never.
    pub max_lifetime: Option<Duration>,
    /// The longest that one statement may run when the caller's deadline is not earlier. `None`: no limit.
    pub statement_timeout: Option<Duration>,
    /// A connection unused for this long is asked for a sign of life before it is handed out.
    pub validate_after: Duration,
    /// A lease, transaction or session held for longer is warned of, with the line that took it. `None`: none is.
    pub leak_after: Option<Duration>,
    /// A peer that has said nothing for this long is asked by TCP whether it is alive, and one that acknowledges nothing for
    /// twice as long is given up. Where the socket is the pool's own, which it is with SQL Server and Redis, and with MySQL,
    /// MariaDB, PostgreSQL and MongoDB where somebody from outside has defined the connection
    /// ([`ConnectionSettings::egress`](crate::ConnectionSettings::egress)); their drivers keep other sockets to themselves. `None`:
    /// the system's usual.
    pub keepalive: Option<Duration>,
}

impl PoolSettings {
    /// The limits of a pool when nothing else is said. A server has 10 to 100 connections; an embedded database, where
    /// opening one costs next to nothing and one writes at a time, up to 10; a service without sessions, such as DynamoDB, up
    /// to 100 calls at a time and none in reserve.
    pub fn usual(engine: &Engine) -> Self {
        if *engine == Engine::SQLITE {
            Self::sized(0, 10)
        } else if *engine == Engine::DYNAMODB {
            Self { min: 0, ..Self::default() }
        } else {
            Self::default()
        }
    }

    /// Limits with other numbers of connections.
    pub fn sized(min: u32, max: u32) -> Self {
        Self { min, max, ..Self::default() }
    }
}

impl Default for PoolSettings {
    /// The usual limits for a server.
    fn default() -> Self {
        Self {
            min: 10,
            max: 100,
            acquire_timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(5),
            idle_timeout: Some(Duration::from_mins(10)),
            max_lifetime: Some(Duration::from_mins(30)),
            statement_timeout: Some(Duration::from_secs(30)),
            validate_after: Duration::from_secs(30),
            leak_after: Some(Duration::from_mins(1)),
            keepalive: Some(Duration::from_secs(30)),
        }
    }
}
