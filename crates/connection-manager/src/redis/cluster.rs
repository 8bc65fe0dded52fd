use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use ::redis::cluster::ClusterClient;
use ::redis::io::AsyncDNSResolver;
use ::redis::io::tcp::TcpSettings;
use ::redis::{
    ClientTlsConfig, ConnectionAddr, IntoConnectionInfo, ProtocolVersion, RedisFuture, TlsCertificates,
    TlsMode as Theirs,
};
use secrecy::ExposeSecret;
use shared_kernel::database::DatabaseError;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use super::driver::{RedisDriver, identity};
use super::error;
use super::options::RedisOptions;
use super::session::{Link, RedisSession};
use crate::credentials::Credentials;
use crate::egress::{self, Egress, Metered};
use crate::node::Node;
use crate::settings::TlsMode;
use crate::socket;

/// How often a command is sent on or sent again that was not executed; see [`NodeConnection`](super::NodeConnection).
const REDIRECTIONS: u32 = 8;
/// The driver's pause before it asks a cluster that is busy with itself once more, in milliseconds.
const PAUSES: (u64, u64) = (20, 500);
/// The driver wants a limit of its own on each answer; the pool's is always shorter.
const LIMIT: Duration = Duration::from_hours(1);

/// How long the driver may take to come to an address that it was just told.
const COMING: Duration = Duration::from_secs(5);

/// Steps that remain when a node has answered: the driver's connection to the same node, and those to the others.
const SHARES: u32 = 2;

/// A session on every node. One node is logged in to by hand first: what is wrong with the login or with TLS is told by
/// its type that way, and a password that is rejected is tried once and not on every node. The driver begins at the node
/// that answered: the others of the configuration may be silent, and it would wait for each of them.
pub(super) async fn connect(driver: &RedisDriver, credentials: &Credentials) -> Result<RedisSession, DatabaseError> {
    let attempt = "connecting to the cluster";
    let began = Instant::now();
    let (mut scout, node) = driver.single(credentials, SHARES).await?;
    scout.command(::redis::cmd("CLUSTER").arg("SLOTS"), attempt).await?;
    let left = driver.options().connect_timeout.saturating_sub(began.elapsed());
    let client =
        client(driver.options(), node, left / SHARES, credentials).map_err(|cause| error::map(cause, attempt))?;
    let connection = client.get_async_generic_connection().await.map_err(|cause| error::map(cause, attempt))?;
    Ok(RedisSession { link: Link::Cluster(connection), version: scout.version.take(), _traffic: None })
}

fn client(
    options: &RedisOptions,
    node: &Node,
    limit: Duration,
    credentials: &Credentials,
) -> ::redis::RedisResult<ClusterClient> {
    let nodes = vec![address(node, options.tls).into_connection_info()?];
    let mut builder = ClusterClient::builder(nodes)
        .use_protocol(ProtocolVersion::RESP3)
        .retries(REDIRECTIONS)
        .min_retry_wait(PAUSES.0)
        .max_retry_wait(PAUSES.1)
        .connection_timeout(limit)
        .response_timeout(LIMIT)
        .overall_response_timeout(None)
        .tcp_settings(tcp(options.keepalive));
    let identity = identity(credentials);
    if let Some(username) = identity.username() {
        builder = builder.username(username).password(credentials.password.expose_secret());
    }
    if options.tls != TlsMode::Disabled {
        let mode = if options.tls == TlsMode::Required { Theirs::Insecure } else { Theirs::Secure };
        let client_tls = options.client.as_ref().map(|client| ClientTlsConfig {
            client_cert: client.certificates().into(),
            client_key: client.key().expose_secret().into(),
        });
        builder = builder.tls(mode).certs(TlsCertificates { client_tls, root_cert: options.authorities.clone() });
    }
    if let Some(egress) = &options.egress {
        let has_tls = options.tls != TlsMode::Disabled;
        builder = builder.async_dns_resolver(Guarded { egress: egress.clone(), keepalive: options.keepalive, has_tls });
    }
    builder.build()
}

/// Every node is dialled here, those that others name included; an address is looked up as a name is. The driver, which lets nobody
/// in between it and a socket of its own, is told an address of this machine, where what the node says is counted on its way.
struct Guarded {
    egress: Egress,
    keepalive: Option<Duration>,
    has_tls: bool,
}

impl Guarded {
    async fn relayed(&self, host: &str, port: u16) -> io::Result<SocketAddr> {
        let node = egress::dial(Some(&self.egress), host, port).await?;
        node.set_nodelay(true)?;
        socket::keep_alive(&node, self.keepalive);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let node = Metered::new(node, self.egress.limits().answer);
        // What is encrypted has no lines.
        let node = if self.has_tls { node } else { node.counting_lines() };
        tokio::spawn(relay(listener, node));
        Ok(address)
    }
}

/// Carries what is said between the driver, the first that comes, and a node, until one of them has gone or the node says too
/// much. The other is not waited for: a node that never hangs up would keep a task and two sockets for each dial.
async fn relay(listener: TcpListener, node: Metered<TcpStream>) {
    let Ok(Ok((mut driver, _))) = tokio::time::timeout(COMING, listener.accept()).await else { return };
    drop(listener);
    if driver.set_nodelay(true).is_ok() {
        let (mut from_driver, mut to_driver) = driver.split();
        let (mut from_node, mut to_node) = tokio::io::split(node);
        // How it ended the driver sees.
        tokio::select! {
            _ = tokio::io::copy(&mut from_driver, &mut to_node) => {}
            _ = tokio::io::copy(&mut from_node, &mut to_driver) => {}
        }
    }
}

impl AsyncDNSResolver for Guarded {
    fn resolve<'a, 'b: 'a>(
        &'a self,
        host: &'b str,
        port: u16,
    ) -> RedisFuture<'a, Box<dyn Iterator<Item = SocketAddr> + Send + 'a>> {
        Box::pin(async move {
            let address = self.relayed(host, port).await?;
            Ok(Box::new(std::iter::once(address)) as Box<dyn Iterator<Item = SocketAddr> + Send + 'a>)
        })
    }
}

/// The driver's own sockets, watched over as ours are.
fn tcp(keepalive: Option<Duration>) -> TcpSettings {
    let settings = TcpSettings::default().set_nodelay(true);
    let Some(idle) = keepalive else { return settings };
    let settings = settings.set_keepalive(socket::times(idle));
    #[cfg(target_os = "linux")]
    let settings = settings.set_user_timeout(socket::patience(idle));
    settings
}

fn address(node: &Node, tls: TlsMode) -> ConnectionAddr {
    let (host, port) = (node.host.clone(), node.port);
    match tls {
        TlsMode::Disabled => ConnectionAddr::Tcp(host, port),
        mode => ConnectionAddr::TcpTls { host, port, insecure: mode == TlsMode::Required, tls_params: None },
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test]
    async fn a_node_that_never_hangs_up_is_left_as_well() {
        let [nodes, listener] = [TcpListener::bind("127.0.0.1:0").await, TcpListener::bind("127.0.0.1:0").await];
        let (nodes, listener) = (nodes.unwrap(), listener.unwrap());
        let near = TcpStream::connect(nodes.local_addr().unwrap()).await.unwrap();
        let (mut node, _) = nodes.accept().await.unwrap();
        let address = listener.local_addr().unwrap();
        let carried = tokio::spawn(relay(listener, Metered::new(near, 1 << 10)));
        drop(TcpStream::connect(address).await.unwrap());
        assert_eq!(node.read(&mut [0; 1]).await.unwrap(), 0, "the node hears that the driver has gone");
        tokio::time::timeout(Duration::from_secs(10), carried).await.unwrap().unwrap();
    }
}
