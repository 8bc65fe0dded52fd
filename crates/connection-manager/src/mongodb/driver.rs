use std::fmt;
use std::sync::{Arc, Weak};

use ::mongodb::Client;
use ::mongodb::options::{
    AuthMechanism, ClientOptions, Credential, ServerAddress, ServerMonitoringMode, Tls, TlsOptions,
};
use secrecy::ExposeSecret;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, Dialect};
use tokio::sync::Mutex;
use tokio_rustls::TlsConnector;

use super::client::SharedClient;
use super::error;
use super::options::{MongoDbOptions, Servers};
#[cfg(unix)]
use super::relay::Relay;
use super::scout::{self, Route};
use super::session::MongoDbSession;
use super::standing::Standing;
use crate::credentials::Credentials;
use crate::endpoint::NotAsked;
use crate::knock::{Knock, knock};
use crate::node::Node;
use crate::pool::Driver;
use crate::private::PrivateFolder;
use crate::settings::TlsMode;
use crate::tls::client::{Trust, client_config};

/// The port of a server that names none.
pub(crate) const PORT: u16 = 27017;
/// The database of users whom the server knows by something else than a password of its own.
const EXTERNAL: &str = "$external";
/// What servers see in their logs.
const APPLICATION: &str = "connection-manager";

/// Opens sessions of MongoDB. Those of one version of the credentials share a client of the driver, which keeps the connections.
pub struct MongoDbDriver {
    options: MongoDbOptions,
    tls: Option<TlsConnector>,
    current: Mutex<Current>,
}

/// What was opened last.
#[derive(Default)]
struct Current {
    /// The client, for as long as one of its sessions lives.
    client: Weak<SharedClient>,
    /// What the server has said to its credentials since.
    standing: Option<Arc<Standing>>,
}

impl MongoDbDriver {
    /// A driver for these options.
    ///
    /// # Errors
    /// `Misconfigured` when there is no server, when TLS cannot be prepared, or when a client's certificate is to be shown without
    /// an egress policy.
    pub fn try_new(options: MongoDbOptions) -> Result<Self, DatabaseError> {
        let misconfigured = |why: &str| Err(DatabaseError::new(DatabaseErrorKind::Misconfigured, why));
        match &options.servers {
            Servers::Listed(nodes) if nodes.is_empty() => return misconfigured("there is no server to connect to"),
            Servers::Srv(_) if cfg!(not(feature = "mongodb-srv")) => {
                return misconfigured("SRV records were left out of this program (feature `mongodb-srv`)");
            }
            // It would be asked for one and have none.
            _ if options.client.is_some() && options.egress.is_none() => {
                return misconfigured("the driver reads a client's key from a file, and none is written here");
            }
            _ if options.egress.is_some() && cfg!(not(unix)) => {
                return misconfigured("a connection that was defined from outside is kept to its way on Unix alone");
            }
            _ => {}
        }
        let trust = options.authorities.as_deref().map_or(Trust::Mozilla, Trust::Pem);
        let tls = client_config(options.tls, trust, options.client.as_ref())?
            .map(|config| TlsConnector::from(Arc::new(config)));
        Ok(Self { options, tls, current: Mutex::default() })
    }

    pub(super) fn options(&self) -> &MongoDbOptions {
        &self.options
    }

    /// The client of these credentials. A new one logs in before anybody else gets it, so that a password that is refused is tried
    /// once, however many sessions are opened at the same time. One that was refused to a connection that the driver has opened by
    /// itself is not tried again: whoever logs in is told of that.
    async fn shared(&self, credentials: &Credentials) -> Result<Arc<SharedClient>, DatabaseError> {
        let mut current = self.current.lock().await;
        let lifetime = self.options.max_lifetime;
        let known = current.standing.as_ref().filter(|standing| standing.version() == credentials.version);
        if known.is_some_and(|standing| standing.is_known_to_be_refused()) {
            return Err(error::rejected_login("connecting").with_source(NotAsked::at_all()));
        }
        let known = known.filter(|standing| !standing.is_refused()).map(Arc::clone);
        if let Some(shared) = current.client.upgrade().filter(|shared| shared.serves(&credentials.version, lifetime)) {
            drop(current);
            if shared.is_troubled() {
                shared.route().look().await?;
            }
            shared.login("connecting").await?;
            return Ok(shared);
        }
        let mut options = self.found(credentials).await?;
        let route = Route {
            nodes: options.hosts.iter().filter_map(node).collect(),
            tls: self.tls.clone(),
            egress: self.options.egress.clone(),
            limit: self.options.connect_timeout,
            keepalive: self.options.keepalive,
        };
        route.look().await?;
        #[cfg(unix)]
        let relay = self.relay(&route, &mut options)?;
        self.limit(&mut options);
        let lent = self.lend_authorities(&mut options)?;
        // What is refused to one client of this version is refused to the one that it takes the place of.
        let standing = known.unwrap_or_else(|| Arc::new(Standing::new(credentials.version.clone())));
        standing.listen(&mut options);
        let client = Client::with_options(options).map_err(|cause| error::map(&cause, "preparing the client"))?;
        // It has read them.
        drop(lent);
        #[cfg(unix)]
        let shared = SharedClient::open(client, Arc::clone(&standing), route, relay).await?;
        #[cfg(not(unix))]
        let shared = SharedClient::open(client, Arc::clone(&standing), route).await?;
        let shared = Arc::new(shared);
        *current = Current { client: Arc::downgrade(&shared), standing: Some(standing) };
        Ok(shared)
    }

    /// Where the servers are, and who logs in there.
    async fn found(&self, credentials: &Credentials) -> Result<ClientOptions, DatabaseError> {
        let MongoDbOptions { servers, auth_source, replica_set, .. } = &self.options;
        let credential = self.credential(credentials, auth_source.clone());
        let mut options = match servers {
            Servers::Listed(nodes) => {
                let hosts =
                    nodes.iter().map(|node| ServerAddress::Tcp { host: node.host.clone(), port: Some(node.port) });
                let mut options = ClientOptions::default();
                options.hosts = hosts.collect();
                options.direct_connection = Some(replica_set.is_none());
                options.credential = credential;
                options
            }
            Servers::Srv(name) => found_by_srv(name, credential).await?,
        };
        if replica_set.is_some() {
            options.repl_set_name.clone_from(replica_set);
        }
        options.tls = Some(match self.options.tls {
            TlsMode::Disabled => Tls::Disabled,
            mode => {
                let mut tls = TlsOptions::default();
                tls.allow_invalid_certificates = Some(mode == TlsMode::Required);
                Tls::Enabled(tls)
            }
        });
        Ok(options)
    }

    /// Under a policy, what the driver takes for its one server is a relay: it looks for no others, whatever that one or DNS
    /// says, now or later.
    #[cfg(unix)]
    fn relay(&self, route: &Route, options: &mut ClientOptions) -> Result<Option<Relay>, DatabaseError> {
        if self.options.egress.is_none() {
            return Ok(None);
        }
        let relay = Relay::open(route.clone()).map_err(|cause| {
            let message = "connecting: no folder for a socket could be made";
            DatabaseError::new(DatabaseErrorKind::Unreachable, message).with_source(cause)
        })?;
        let found = std::mem::take(options);
        options.hosts = vec![ServerAddress::Unix { path: relay.file().to_owned() }];
        options.direct_connection = Some(true);
        options.credential = found.credential;
        options.repl_set_name = found.repl_set_name;
        options.tls = Some(Tls::Disabled);
        Ok(Some(relay))
    }

    /// Names the file of the authorities to trust. Where they are in none, they are put into one, which the driver reads as it makes
    /// a client, and which goes with what is returned here. There is nothing in it that is secret.
    fn lend_authorities(&self, options: &mut ClientOptions) -> Result<Option<PrivateFolder>, DatabaseError> {
        let (Some(Tls::Enabled(tls)), Some(authorities)) = (&mut options.tls, &self.options.authorities) else {
            return Ok(None);
        };
        if let Some(file) = &self.options.ca_file {
            tls.ca_file_path = Some(file.clone());
            return Ok(None);
        }
        let written = PrivateFolder::create().and_then(|folder| Ok((folder.write("ca.pem", authorities)?, folder)));
        let (file, folder) = written.map_err(|cause| {
            let message =
                "connecting: the authorities cannot be put into a temporary file, from which the driver reads them";
            DatabaseError::new(DatabaseErrorKind::Unreachable, message).with_source(cause)
        })?;
        tls.ca_file_path = Some(file);
        Ok(Some(folder))
    }

    /// The driver's own tries are off, its own limits no longer than the pool's, and it reads no file but the one of the
    /// authorities. `Poll` watches each server over one connection; the other way takes two. It logs in to a server once at a time,
    /// so that a password which the server no longer takes is tried once: those who wait for the login end with it.
    fn limit(&self, options: &mut ClientOptions) {
        let MongoDbOptions { connect_timeout, max, idle_timeout, .. } = &self.options;
        options.app_name = Some(APPLICATION.to_owned());
        options.connect_timeout = Some(*connect_timeout);
        options.server_selection_timeout = Some(*connect_timeout);
        options.server_monitoring_mode = Some(ServerMonitoringMode::Poll);
        // One more than there are sessions: a cursor that is given up early is closed by a call of the driver's own.
        options.max_pool_size = Some(max.saturating_add(1));
        options.min_pool_size = Some(0);
        options.max_connecting = Some(1);
        options.max_idle_time = *idle_timeout;
        options.retry_reads = Some(false);
        options.retry_writes = Some(false);
        options.max_adaptive_retries = Some(0);
    }

    fn credential(&self, credentials: &Credentials, source: Option<String>) -> Option<Credential> {
        if credentials.username.is_empty() {
            // The certificate says who logs in.
            let is_shown = self.options.client.is_some() && source.as_deref() == Some(EXTERNAL);
            return is_shown.then(|| {
                let mut credential = Credential::default();
                credential.mechanism = Some(AuthMechanism::MongoDbX509);
                credential.source = source;
                credential
            });
        }
        // The driver's own default is left to it where a TXT record may say something else.
        let source = source.or_else(|| matches!(self.options.servers, Servers::Listed(_)).then(|| "admin".to_owned()));
        let mut credential = Credential::default();
        credential.username = Some(credentials.username.clone());
        credential.password = Some(credentials.password.expose_secret().to_owned());
        credential.source = source;
        Some(credential)
    }
}

/// Looks the servers up. The driver goes on to look now and then, for servers that are added.
#[cfg(feature = "mongodb-srv")]
async fn found_by_srv(name: &str, credential: Option<Credential>) -> Result<ClientOptions, DatabaseError> {
    let attempt = "looking the servers up by SRV";
    let told = |cause: ::mongodb::error::Error| error::map(&cause, attempt);
    let url = format!("mongodb+srv://{name}/");
    let mut text = ::mongodb::options::ConnectionString::parse(url).map_err(|_| {
        // The driver's text repeats the name in one that it takes for a connection string.
        DatabaseError::new(DatabaseErrorKind::Misconfigured, format!("{attempt}: `{name}` is no name with SRV records"))
    })?;
    text.credential = credential;
    ClientOptions::parse(text).await.map_err(told)
}

#[cfg(not(feature = "mongodb-srv"))]
async fn found_by_srv(_: &str, _: Option<Credential>) -> Result<ClientOptions, DatabaseError> {
    std::future::ready(Err(DatabaseError::new(DatabaseErrorKind::Misconfigured, "there are no SRV records here"))).await
}

/// A Unix socket, which no way in here leads to, is no node.
fn node(address: &ServerAddress) -> Option<Node> {
    match address {
        ServerAddress::Tcp { host, port } => Some(Node { host: host.clone(), port: port.unwrap_or(PORT) }),
        _ => None,
    }
}

impl Driver for MongoDbDriver {
    type Session = MongoDbSession;

    /// Statements are never rendered for it, because it offers no SQL.
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn system_name(&self) -> &'static str {
        "mongodb"
    }

    /// Whoever has yet to log in is told as much as a client needs to.
    async fn knock(&self) -> Knock {
        match (&self.tls, &self.options.servers) {
            (None, Servers::Listed(nodes)) => match nodes.as_slice() {
                [node] => knock(self.options.egress.as_ref(), &node.host, node.port, &scout::hello()).await,
                _ => Knock::Unknown,
            },
            _ => Knock::Unknown,
        }
    }

    async fn connect(&self, credentials: &Credentials) -> Result<MongoDbSession, DatabaseError> {
        crate::tls::install_provider();
        self.shared(credentials).await.map(MongoDbSession::new)
    }
}

impl fmt::Debug for MongoDbDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MongoDbDriver").field("options", &self.options).finish_non_exhaustive()
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::egress::EgressConfig;
    use crate::settings::PoolSettings;

    #[tokio::test]
    async fn authorities_are_in_a_file_until_the_driver_has_read_them() {
        crate::tls::install_provider();
        let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let pem = parameters.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().pem();
        let listed = Node { host: "db.example".to_owned(), port: PORT };
        let mut settings = MongoDbOptions::new(Servers::Listed(vec![listed]), &PoolSettings::default());
        (settings.tls, settings.authorities) = (TlsMode::VerifyFull, Some(pem.clone().into_bytes()));
        let credentials = Credentials { username: String::new(), password: "".into(), version: "1".to_owned() };
        let lent = |options: &ClientOptions| match &options.tls {
            Some(Tls::Enabled(tls)) => tls.ca_file_path.clone().expect("a file"),
            _ => panic!("TLS is off"),
        };

        let driver = MongoDbDriver::try_new(settings.clone()).unwrap();
        let mut options = driver.found(&credentials).await.unwrap();
        let folder = driver.lend_authorities(&mut options).unwrap();
        let file = lent(&options);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), pem);
        Client::with_options(options.clone()).expect("it reads them");
        drop(folder);
        assert!(!file.exists() && !file.parent().unwrap().exists());
        Client::with_options(options).expect_err("it has nothing to read");

        // A file that somebody else keeps is read where it is.
        settings.ca_file = Some("ca.pem".into());
        let driver = MongoDbDriver::try_new(settings).unwrap();
        let mut options = driver.found(&credentials).await.unwrap();
        assert!(driver.lend_authorities(&mut options).unwrap().is_none());
        assert_eq!(lent(&options), std::path::Path::new("ca.pem"));
    }

    #[tokio::test]
    async fn under_a_policy_the_driver_hears_of_no_server_whatever_was_found() {
        let listed = Node { host: "db.example".to_owned(), port: PORT };
        let mut settings = MongoDbOptions::new(Servers::Listed(vec![listed]), &PoolSettings::default());
        settings.egress = Some(EgressConfig::default().egress([]));
        let driver = MongoDbDriver::try_new(settings).unwrap();
        let nodes = ["a", "b"].map(|host| Node { host: format!("{host}.elsewhere.example"), port: PORT }).to_vec();
        let mut options = ClientOptions::default();
        options.hosts = nodes.iter().map(|node| ServerAddress::Tcp { host: node.host.clone(), port: None }).collect();
        options.repl_set_name = Some("rs0".to_owned());
        options.srv_max_hosts = Some(7);
        let limit = driver.options.connect_timeout;
        let route = Route { nodes, tls: None, egress: driver.options.egress.clone(), limit, keepalive: None };
        let relay = driver.relay(&route, &mut options).unwrap().expect("a relay");
        driver.limit(&mut options);
        assert_eq!(options.hosts, [ServerAddress::Unix { path: relay.file().to_owned() }]);
        assert_eq!(options.direct_connection, Some(true));
        // What it would look for later is gone as well.
        assert_eq!((options.srv_max_hosts, options.repl_set_name.as_deref()), (None, Some("rs0")));
        assert!(!format!("{options:?}").contains("elsewhere"), "{options:?}");
    }
}
