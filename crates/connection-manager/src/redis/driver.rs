use std::sync::Arc;

use ::redis::aio::MultiplexedConnection;
use ::redis::{AsyncConnectionConfig, ProtocolVersion, RedisConnectionInfo, Value};
use rustls::pki_types::ServerName;
use secrecy::ExposeSecret;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, Dialect};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;
use tokio_rustls::TlsConnector;

use super::options::RedisOptions;
use super::session::{Link, RedisSession, Traffic};
use super::{cluster, error};
use crate::credentials::Credentials;
use crate::egress::{self, Metered};
use crate::knock::{Knock, knock};
use crate::node::Node;
use crate::pool::Driver;
use crate::socket;
use crate::tls::client::{Trust, client_config};

/// Opens connections to Redis, or to a cluster of it.
pub struct RedisDriver {
    options: RedisOptions,
    tls: Option<TlsConnector>,
}

impl RedisDriver {
    /// A driver for these options.
    ///
    /// # Errors
    /// `Misconfigured` when there is no node, or when TLS cannot be prepared.
    pub fn try_new(options: RedisOptions) -> Result<Self, DatabaseError> {
        if options.nodes.is_empty() {
            return Err(DatabaseError::new(DatabaseErrorKind::Misconfigured, "there is no node to connect to"));
        }
        let trust = options.authorities.as_deref().map_or(Trust::System, Trust::Pem);
        let tls = client_config(options.tls, trust, options.client.as_ref())?;
        let tls = tls.map(|config| TlsConnector::from(Arc::new(config)));
        Ok(Self { options, tls })
    }

    pub(super) fn options(&self) -> &RedisOptions {
        &self.options
    }

    /// Dials the nodes one after the other until one lets us in, each within its share of the time that is left, of which
    /// `kept` further shares are kept for what comes after. A node that rejects the login is the last one asked: the
    /// others would do the same, and each time counts.
    pub(super) async fn single(
        &self,
        credentials: &Credentials,
        kept: u32,
    ) -> Result<(RedisSession, &Node), DatabaseError> {
        let began = Instant::now();
        let mut last = None;
        for (node, shares) in self.options.nodes.iter().zip((1..=self.count()).rev()) {
            let left = self.options.connect_timeout.saturating_sub(began.elapsed());
            let share = left / (shares + kept);
            let outcome = tokio::time::timeout(share, self.dial(node, credentials)).await.unwrap_or_else(|_| {
                let message = format!("connecting to {node}: no answer within {} ms", share.as_millis());
                Err(DatabaseError::new(DatabaseErrorKind::Unreachable, message))
            });
            match outcome {
                Err(error) if *error.kind() == DatabaseErrorKind::Unreachable => last = Some(error),
                outcome => return outcome.map(|session| (session, node)),
            }
        }
        Err(last.unwrap_or_else(|| DatabaseError::new(DatabaseErrorKind::Misconfigured, "there is no node")))
    }

    fn count(&self) -> u32 {
        u32::try_from(self.options.nodes.len()).unwrap_or(u32::MAX - 1)
    }

    async fn dial(&self, node: &Node, credentials: &Credentials) -> Result<RedisSession, DatabaseError> {
        let attempt = format!("connecting to {node}");
        let unreachable = |cause| error::io(cause, &attempt);
        let socket = egress::dial(self.options.egress.as_ref(), &node.host, node.port).await.map_err(unreachable)?;
        socket.set_nodelay(true).map_err(unreachable)?;
        socket::keep_alive(&socket, self.options.keepalive);
        let longest = self.options.egress.as_ref().map_or(usize::MAX, |egress| egress.limits().answer);
        let Some(connector) = &self.tls else {
            return self.log_in(Metered::new(socket, longest).counting_lines(), &attempt, credentials).await;
        };
        let name = ServerName::try_from(node.host.clone()).map_err(|cause| {
            let message = format!("{attempt}: TLS cannot verify a host of this name");
            DatabaseError::new(DatabaseErrorKind::Misconfigured, message).with_source(cause)
        })?;
        let stream = connector.connect(name, socket).await.map_err(|cause| {
            // A server without TLS takes the greeting for nonsense and hangs up.
            if cause.kind() == std::io::ErrorKind::UnexpectedEof {
                let message = format!("{attempt}: the server hung up when TLS was asked for");
                return DatabaseError::new(DatabaseErrorKind::TlsFailed, message).with_source(cause);
            }
            error::io(cause, &attempt)
        })?;
        self.log_in(Metered::new(stream, longest).counting_lines(), &attempt, credentials).await
    }

    async fn log_in(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        attempt: &str,
        credentials: &Credentials,
    ) -> Result<RedisSession, DatabaseError> {
        let (mut connection, traffic) =
            MultiplexedConnection::new_with_config(&identity(credentials), stream, patient())
                .await
                .map_err(|cause| error::map(cause, attempt))?;
        let traffic = Traffic(tokio::spawn(traffic).abort_handle());
        // The answer to a second greeting is the only way to the version that is open to every user.
        let greeting = ::redis::cmd("HELLO").query_async(&mut connection).await;
        let version = version(greeting.map_err(|cause| error::map(cause, attempt))?);
        let mut session = RedisSession { link: Link::Single(connection), version, _traffic: Some(traffic) };
        if self.options.database != 0 {
            session.command(::redis::cmd("SELECT").arg(self.options.database), attempt).await?;
        }
        Ok(session)
    }
}

impl Driver for RedisDriver {
    type Session = RedisSession;

    /// Statements are never rendered for it, because it offers no SQL.
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn system_name(&self) -> &'static str {
        "redis"
    }

    /// Whoever has yet to log in is answered as well, if with a no.
    async fn knock(&self) -> Knock {
        match (self.tls.is_some(), self.options.nodes.as_slice()) {
            (false, [node]) => knock(self.options.egress.as_ref(), &node.host, node.port, b"PING\r\n").await,
            _ => Knock::Unknown,
        }
    }

    async fn connect(&self, credentials: &Credentials) -> Result<RedisSession, DatabaseError> {
        crate::tls::install_provider();
        if self.options.cluster {
            return cluster::connect(self, credentials).await;
        }
        self.single(credentials, 0).await.map(|(session, _)| session)
    }
}

/// Who logs in. RESP3, whose greeting keeps the server's code when it refuses.
pub(super) fn identity(credentials: &Credentials) -> RedisConnectionInfo {
    let identity = RedisConnectionInfo::default().set_protocol(ProtocolVersion::RESP3).set_skip_set_lib_name();
    let password = credentials.password.expose_secret();
    if credentials.username.is_empty() && password.is_empty() {
        return identity;
    }
    let username = if credentials.username.is_empty() { "default" } else { &credentials.username };
    identity.set_username(username).set_password(password)
}

/// The driver's own time-outs are off: the pool limits every call, and throws away what it has interrupted.
fn patient() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None)
}

fn version(greeting: Value) -> Option<String> {
    let pairs: std::collections::HashMap<String, Value> = ::redis::from_redis_value(greeting).ok()?;
    ::redis::from_redis_value(pairs.get("version")?.clone()).ok()
}
