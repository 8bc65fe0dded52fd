//! Where connections may lead that somebody from outside has defined.
//!
//! A service that connects wherever it is told is a way into every network that it stands in. [`Egress`] is the one policy
//! against that, for all engines: it is asked at every dial, about the address that is dialled, whatever led there: the
//! definition, a name that now resolves to something else, or a redirection of the server's.
//!
//! ```
//! # use connection_manager::egress::EgressConfig;
//! # use connection_manager::ConnectionSettings;
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let egress = EgressConfig::default().egress([]);
//! let settings = ConnectionSettings::from_url("postgres://ann:secret@10.0.0.5/shop")?.with_egress(egress.clone());
//! assert_eq!(egress.refuses_literally("10.0.0.5", 5432), Some("private"));
//! assert_eq!(egress.refuses_literally("0x0a.5", 5432), Some("odd_form"));
//! # let _ = settings;
//! # Ok(())
//! # }
//! ```

mod address;
mod config;
mod host;
mod limits;
#[cfg(any(feature = "redis", feature = "sqlserver"))]
mod metered;
mod network;
pub(crate) mod race;
#[cfg(any(feature = "mysql", feature = "postgres"))]
pub(crate) mod relay;
#[cfg(any(feature = "mysql", feature = "postgres", feature = "redis", feature = "sqlite", feature = "sqlserver"))]
mod room;
#[cfg(all(unix, any(feature = "mongodb", feature = "mysql", feature = "postgres")))]
pub(crate) mod socket;

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use tokio::net::TcpStream;

use self::address::Reach;
pub use self::config::EgressConfig;
use self::host::{Host, OddForm};
pub use self::limits::SessionLimits;
#[cfg(any(feature = "redis", feature = "sqlserver"))]
pub use self::metered::Metered;
pub use self::network::{InvalidNetwork, Network};
#[cfg(any(feature = "mysql", feature = "postgres", feature = "redis", feature = "sqlite", feature = "sqlserver"))]
pub(crate) use self::room::Room;

/// Finds the addresses of a name.
#[async_trait]
pub trait Resolver: Send + Sync {
    /// All addresses of `name`, of both families.
    ///
    /// # Errors
    /// When there is none, or nobody could be asked.
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// The system's own.
struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// A policy about where connections may lead. Cheap to clone; see the [module](self).
///
/// Refused whatever the configuration says: link-local and multicast addresses, those where clouds tell their machines
/// secrets, unspecified and reserved ones, and the service's own listeners. Loopback addresses and private networks are
/// refused unless [`EgressConfig`] allows them.
#[derive(Clone)]
pub struct Egress(Arc<Policy>);

#[derive(Clone)]
struct Policy {
    config: EgressConfig,
    listeners: Vec<SocketAddr>,
    resolver: Arc<dyn Resolver>,
    files: Option<PathBuf>,
    limits: SessionLimits,
}

/// A server is not reached: it is away, its name is nobody's, or the policy says no. Which, only the log tells, so that
/// whoever defines connections learns nothing of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the server cannot be reached")]
pub struct Unreached {
    is_blocked: bool,
}

impl Unreached {
    /// Whether the policy said no. Not for the ears of who defined the connection.
    pub fn is_blocked(self) -> bool {
        self.is_blocked
    }
}

impl Egress {
    pub(crate) fn new(config: EgressConfig, listeners: Vec<SocketAddr>) -> Self {
        let resolver = Arc::new(SystemResolver);
        Self(Arc::new(Policy { config, listeners, resolver, files: None, limits: SessionLimits::default() }))
    }

    /// The same policy with names looked up by another resolver.
    #[must_use]
    pub fn with_resolver(&self, resolver: Arc<dyn Resolver>) -> Self {
        Self(Arc::new(Policy { resolver, ..(*self.0).clone() }))
    }

    /// The same policy with embedded databases in files below `root`; without it there are none.
    #[must_use]
    pub fn with_files_below(&self, root: impl Into<PathBuf>) -> Self {
        Self(Arc::new(Policy { files: Some(root.into()), ..(*self.0).clone() }))
    }

    /// The same policy with other limits on what a session may take.
    #[must_use]
    pub fn with_limits(&self, limits: SessionLimits) -> Self {
        Self(Arc::new(Policy { limits, ..(*self.0).clone() }))
    }

    /// What a session may take.
    pub fn limits(&self) -> &SessionLimits {
        &self.0.limits
    }

    /// Why a host is refused by what is written alone, in a word: `odd_form` for what two readers might read differently,
    /// otherwise what kind of address it is. `None` for an allowed address and for every name, of which only its
    /// addresses tell.
    pub fn refuses_literally(&self, host: &str, port: u16) -> Option<&'static str> {
        match host::parse(host) {
            Err(OddForm) => Some("odd_form"),
            Ok(Host::Address(address)) => self.0.refuses(SocketAddr::new(address, port)),
            Ok(Host::Name(_)) => None,
        }
    }

    /// The addresses of `host`, each of them allowed. When one of several is not, none is: a name that leads to both has
    /// been tampered with. Whoever connects has to connect to one of these, and not to the name again.
    ///
    /// Dropping the future gives up; there is no limit of time.
    ///
    /// # Errors
    /// [`Unreached`] when there is no address, or one that is refused.
    pub async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Unreached> {
        let addresses = match host::parse(host) {
            Err(OddForm) => return Err(blocked(host, port, "odd_form")),
            Ok(Host::Address(address)) => vec![address],
            Ok(Host::Name(name)) => self.0.resolver.resolve(name).await.unwrap_or_default(),
        };
        let addresses: Vec<SocketAddr> = addresses.into_iter().map(|ip| SocketAddr::new(ip, port)).collect();
        if let Some(reason) = addresses.iter().find_map(|address| self.0.refuses(*address)) {
            return Err(blocked(host, port, reason));
        }
        if addresses.is_empty() { Err(Unreached { is_blocked: false }) } else { Ok(addresses) }
    }

    /// Opens a socket to `host`, over an address that was looked up and checked once: of several, all dialled at once, the first
    /// to answer, so that nobody learns from the time it takes what became of the others.
    ///
    /// Dropping the future gives up; there is no limit of time.
    ///
    /// # Errors
    /// [`Unreached`], whatever the reason.
    pub async fn dial(&self, host: &str, port: u16) -> Result<TcpStream, Unreached> {
        let addresses = self.resolve(host, port).await?;
        let reached = race::first(&addresses).await;
        reached.map(|(stream, _)| stream).map_err(|_| Unreached { is_blocked: false })
    }

    /// An address of `host` for a client that dials by itself, and would dial several one after the other: the one that answers
    /// first, or the only one as it is. The socket that found it is closed again.
    ///
    /// Dropping the future gives up; there is no limit of time.
    ///
    /// # Errors
    /// [`Unreached`], whatever the reason.
    #[cfg(feature = "dynamodb")]
    pub(crate) async fn one_address(&self, host: &str, port: u16) -> Result<SocketAddr, Unreached> {
        let addresses = self.resolve(host, port).await?;
        if let [only] = addresses.as_slice() {
            return Ok(*only);
        }
        race::first(&addresses).await.map(|(_, address)| address).map_err(|_| Unreached { is_blocked: false })
    }

    /// Where a file of an embedded database really lies, when that is below the root: no `..` and no link leads out.
    ///
    /// # Errors
    /// [`Unreached`] when it does not, or when there is no such file.
    pub fn file(&self, path: &Path) -> Result<PathBuf, Unreached> {
        let away = |_: io::Error| Unreached { is_blocked: false };
        let no = Unreached { is_blocked: true };
        let root = self.0.files.as_deref().ok_or(no)?.canonicalize().map_err(away)?;
        let file = path.canonicalize().map_err(away)?;
        if file.starts_with(&root) && file.is_file() {
            return Ok(file);
        }
        tracing::warn!(event = "egress.blocked", reason = "outside_root", "a database file was not opened");
        Err(no)
    }
}

impl fmt::Debug for Egress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Egress").field("config", &self.0.config).finish_non_exhaustive()
    }
}

impl Policy {
    /// Why an address is not gone to.
    fn refuses(&self, address: SocketAddr) -> Option<&'static str> {
        let ip = address::unwrapped(address.ip());
        let reach = address::reach(ip);
        if let Reach::Never(reason) = reach {
            return Some(reason);
        }
        if self.is_own(SocketAddr::new(ip, address.port())) {
            return Some("own_listener");
        }
        let is_in = |networks: &[Network]| networks.iter().any(|network| network.contains(ip));
        if is_in(&self.config.deny) {
            return Some("denied");
        }
        match reach {
            Reach::Loopback if !self.config.allow_loopback && !is_in(&self.config.allow) => Some("loopback"),
            Reach::Private if !self.config.allow_private && !is_in(&self.config.allow) => Some("private"),
            _ => None,
        }
    }

    /// Whether the service itself listens there. One that listens everywhere does on every address of this machine.
    fn is_own(&self, address: SocketAddr) -> bool {
        self.listeners.iter().any(|listener| {
            let everywhere = listener.ip().is_unspecified();
            listener.port() == address.port()
                && (address::unwrapped(listener.ip()) == address.ip()
                    || (everywhere && is_of_this_machine(address.ip())))
        })
    }
}

/// A socket can be bound to the machine's own addresses and to no others.
fn is_of_this_machine(address: IpAddr) -> bool {
    address.is_loopback() || UdpSocket::bind((address, 0)).is_ok()
}

/// Refuses, and tells the operator why. Hosts are what somebody else wrote: a long one is cut.
fn blocked(host: &str, port: u16, reason: &'static str) -> Unreached {
    let shown: String = host.chars().take(253).collect();
    tracing::warn!(
        event = "egress.blocked",
        host = ?shown,
        port,
        reason,
        "a connection was not opened: the egress policy refuses where it leads"
    );
    Unreached { is_blocked: true }
}

/// Dials `host`, through `egress` where there is one.
#[cfg(any(feature = "mongodb", feature = "redis", feature = "sqlserver"))]
pub(crate) async fn dial(egress: Option<&Egress>, host: &str, port: u16) -> io::Result<TcpStream> {
    match egress {
        Some(egress) => egress.dial(host, port).await.map_err(|unreached| {
            // The kind is the one of a closed port, whatever it was.
            io::Error::new(io::ErrorKind::ConnectionRefused, unreached)
        }),
        None => TcpStream::connect((host, port)).await,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    struct Zone(Mutex<Vec<Vec<IpAddr>>>);

    #[async_trait]
    impl Resolver for Zone {
        async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
            Ok(self.0.lock().expect("the zone").remove(0))
        }
    }

    fn zone(answers: &[&[&str]]) -> Arc<Zone> {
        let parse = |answer: &&[&str]| answer.iter().map(|text| text.parse().expect("an address")).collect();
        Arc::new(Zone(Mutex::new(answers.iter().map(parse).collect())))
    }

    fn closed() -> Egress {
        EgressConfig::default().egress([])
    }

    fn open() -> Egress {
        EgressConfig { allow_loopback: true, allow_private: true, ..EgressConfig::default() }.egress([])
    }

    #[test]
    fn what_is_written_is_judged_in_every_form() {
        for (host, word) in [
            ("127.0.0.1", "loopback"),
            ("::ffff:127.0.0.1", "loopback"),
            ("[::1]", "loopback"),
            ("64:ff9b::10.0.0.1", "private"),
            ("192.168.1.1", "private"),
            ("2130706433", "odd_form"),
            ("0177.0.0.1", "odd_form"),
            ("fe80::1%lo", "odd_form"),
        ] {
            assert_eq!(closed().refuses_literally(host, 1), Some(word), "{host}");
        }
        for (host, word) in
            [("169.254.169.254", "metadata"), ("::ffff:169.254.169.254", "metadata"), ("0.0.0.0", "unspecified")]
        {
            assert_eq!(open().refuses_literally(host, 1), Some(word), "{host}");
        }
        for host in ["127.0.0.1", "10.0.0.1", "fd00::1", "localhost", "1.1.1.1"] {
            assert_eq!(open().refuses_literally(host, 1), None, "{host}");
        }
    }

    #[test]
    fn lists_go_before_kinds_but_not_before_never() {
        let parse = |text: &str| text.parse::<Network>().expect("a network");
        let config = EgressConfig {
            allow: vec![parse("10.1.0.0/16"), parse("169.254.0.0/16")],
            deny: vec![parse("10.1.2.0/24"), parse("1.1.1.0/24")],
            ..EgressConfig::default()
        };
        let egress = config.egress([]);
        for (host, word) in [
            ("10.1.0.1", None),
            ("::ffff:10.1.0.1", None),
            ("10.2.0.1", Some("private")),
            ("10.1.2.3", Some("denied")),
            ("1.1.1.1", Some("denied")),
            ("64:ff9b::1.1.1.1", Some("denied")),
            ("169.254.1.1", Some("link_local")),
        ] {
            assert_eq!(egress.refuses_literally(host, 5432), word, "{host}");
        }
    }

    #[test]
    fn the_service_does_not_connect_to_itself() {
        let config = EgressConfig { allow_loopback: true, allow_private: true, ..EgressConfig::default() };
        let one = config.clone().egress(["127.0.0.1:8080".parse().unwrap()]);
        assert_eq!(one.refuses_literally("::ffff:127.0.0.1", 8080), Some("own_listener"));
        assert_eq!(one.refuses_literally("127.0.0.1", 8081), None);
        assert_eq!(one.refuses_literally("127.0.0.2", 8080), None);
        for everywhere in ["0.0.0.0:8080", "[::]:8080"] {
            let all = config.clone().egress([everywhere.parse().unwrap()]);
            assert_eq!(all.refuses_literally("127.0.0.2", 8080), Some("own_listener"), "{everywhere}");
            assert_eq!(all.refuses_literally("1.1.1.1", 8080), None, "{everywhere}");
        }
    }

    #[tokio::test]
    async fn one_bad_address_among_good_ones_is_enough() {
        let egress = closed().with_resolver(zone(&[&["1.1.1.1", "10.0.0.1"], &["1.1.1.1"], &[]]));
        assert!(egress.resolve("db.example", 1).await.is_err_and(Unreached::is_blocked));
        assert_eq!(egress.resolve("db.example", 1).await, Ok(vec!["1.1.1.1:1".parse().unwrap()]));
        assert!(egress.resolve("db.example", 1).await.is_err_and(|unreached| !unreached.is_blocked()));
    }

    /// Has an address for one name, as it is written.
    struct Only(&'static str);

    #[async_trait]
    impl Resolver for Only {
        async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
            Ok((name == self.0).then(|| [1, 1, 1, 1].into()).into_iter().collect())
        }
    }

    #[tokio::test]
    async fn a_name_with_a_dot_at_the_end_is_looked_up_with_it() {
        // Without it a resolver may append a domain of its own, and another server is meant.
        for (name, other) in [("db.example.", "db.example"), ("db.example", "db.example.")] {
            let egress = closed().with_resolver(Arc::new(Only(name)));
            assert_eq!(egress.resolve(name, 1).await, Ok(vec!["1.1.1.1:1".parse().unwrap()]), "{name}");
            assert!(egress.resolve(other, 1).await.is_err(), "{other}");
        }
    }

    #[tokio::test]
    async fn a_form_that_readers_differ_about_is_not_even_looked_up() {
        let names = zone(&[&["1.1.1.1"]]);
        let egress = closed().with_resolver(names.clone());
        assert!(egress.resolve("2130706433", 1).await.is_err_and(Unreached::is_blocked));
        assert_eq!(names.0.lock().unwrap().len(), 1, "nobody was asked");
    }

    #[tokio::test]
    async fn what_was_checked_is_what_is_dialled() {
        let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        // A name that has moved by the time that somebody would look again.
        let names = zone(&[&["127.0.0.1"], &["192.0.2.1"]]);
        let egress = open().with_resolver(names.clone());
        egress.dial("db.example", server.local_addr().unwrap().port()).await.unwrap();
        assert_eq!(names.0.lock().unwrap().len(), 1, "it was looked up once");
    }

    #[cfg(any(feature = "mongodb", feature = "redis", feature = "sqlserver"))]
    #[tokio::test]
    async fn whoever_dials_cannot_tell_what_is_refused_from_what_is_closed() {
        let port = testkit::free_port();
        let refused = dial(Some(&closed()), "127.0.0.1", port).await.unwrap_err();
        let away = dial(Some(&open()), "127.0.0.1", port).await.unwrap_err();
        assert_eq!((refused.kind(), refused.to_string()), (away.kind(), away.to_string()));
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    }

    /// A machine without a network has loopback addresses alone, and nothing to be found out here.
    #[test]
    fn who_listens_everywhere_does_at_the_addresses_of_its_networks_too() {
        let looks_out = UdpSocket::bind("0.0.0.0:0").unwrap();
        // Nothing is sent: the system only says from which address it would be.
        let Ok(own) = looks_out.connect("192.0.2.1:9").and_then(|()| looks_out.local_addr()) else { return };
        let config = EgressConfig { allow_loopback: true, allow_private: true, ..EgressConfig::default() };
        let egress = config.egress(["0.0.0.0:8080".parse().unwrap()]);
        assert_eq!(egress.refuses_literally(&own.ip().to_string(), 8080), Some("own_listener"));
    }

    #[tokio::test]
    async fn a_name_is_looked_up_once_a_dial_and_checked_each_time() {
        let canary = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        canary.set_nonblocking(true).unwrap();
        let port = canary.local_addr().unwrap().port();
        // The name of a server that moves to this machine between two looks.
        let names = zone(&[&["192.0.2.1"], &["127.0.0.1"]]);
        let egress =
            EgressConfig { allow_private: true, ..EgressConfig::default() }.egress([]).with_resolver(names.clone());
        assert!(egress.resolve("db.example", port).await.is_ok());
        let unreached = egress.dial("db.example", port).await.unwrap_err();
        assert!(unreached.is_blocked());
        assert_eq!(unreached.to_string(), "the server cannot be reached");
        assert!(names.0.lock().unwrap().is_empty(), "each look was one");
        assert_eq!(canary.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock, "nobody came");
        let unreached = open().dial("127.0.0.1", 1).await.unwrap_err();
        assert_eq!((unreached.to_string().as_str(), unreached.is_blocked()), ("the server cannot be reached", false));
    }

    #[test]
    fn files_lie_below_the_root() {
        let folder = tempfile::tempdir().unwrap();
        let (root, outside) = (folder.path().join("root"), folder.path().join("outside"));
        for folder in [&root, &outside] {
            std::fs::create_dir(folder).unwrap();
            std::fs::write(folder.join("a.sqlite"), "").unwrap();
        }
        let egress = closed().with_files_below(&root);
        assert!(egress.file(&root.join("a.sqlite")).is_ok());
        assert!(closed().file(&root.join("a.sqlite")).is_err(), "without a root there are no files");
        assert!(egress.file(&root.join("../outside/a.sqlite")).is_err_and(Unreached::is_blocked));
        assert!(egress.file(&root.join("missing")).is_err_and(|unreached| !unreached.is_blocked()));
        assert!(egress.file(&root).is_err(), "a folder is no file");
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(&outside, root.join("link")).unwrap();
            std::os::unix::fs::symlink(outside.join("a.sqlite"), root.join("b.sqlite")).unwrap();
            assert!(egress.file(&root.join("link/a.sqlite")).is_err_and(Unreached::is_blocked));
            assert!(egress.file(&root.join("b.sqlite")).is_err_and(Unreached::is_blocked));
        }
    }
}
