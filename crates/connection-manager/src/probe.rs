//! Why a connection does not come about, stage by stage: settings, secret, DNS, TCP, TLS, login, sign of life.

#[cfg(any(feature = "mongodb", feature = "mysql", feature = "postgres", feature = "redis"))]
mod certificate;
mod finding;
#[cfg(any(feature = "mongodb", feature = "mysql", feature = "postgres", feature = "redis"))]
mod handshake;
mod rights;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use shared_kernel::RequestContext;
use shared_kernel::database::{ConnectionName, DatabaseConnection, DatabaseError, DatabaseErrorKind};
use tokio::net::TcpStream;

pub use self::finding::Finding;
use crate::connector::checks;
use crate::credentials::{self, Freshness, Keyring, SecretSource, SecretStage};
use crate::egress::{Egress, race};
use crate::factory::ConnectionFactory;
use crate::settings::{ConnectionSettings, PoolSettings, TlsMode};

/// SQLite's number for a file that is none of its own.
const NOT_A_DATABASE: &str = "26";
/// How often a sign of life is asked for to tell the latency.
const PINGS: usize = 5;

/// One step on the way to a database.
#[derive(Debug, Clone)]
pub struct Stage {
    /// `settings`, `secret`, `DNS`, `TCP`, `TLS`, `login`, `ping`; an embedded engine has no network and is opened: `open`.
    /// [`examine`] adds `role`, `privileges` and `latency`.
    pub name: &'static str,
    /// `ok`, or why it failed in a word that programs can go by: the kind of the error (`auth_rejected`,
    /// `unknown_database`, `secret_unavailable` …), or more exactly `dns_failed`, `tcp_refused`, `tcp_silent`,
    /// `tcp_failed`, `tls_unsupported`, `tls_expired`, `tls_wrong_name`, `tls_untrusted`, `unfit_password`,
    /// `no_privileges`, and of an embedded engine's file `not_a_database` and `file_unusable`.
    pub code: &'static str,
    /// How long it took.
    pub duration: Duration,
    /// What was found, or why it went no further. No secret.
    pub outcome: Result<String, String>,
    /// What to do about it, when it failed and that can be told.
    pub remedy: Option<String>,
    /// What was found, for programs; few stages have any.
    pub finding: Option<Finding>,
}

impl Stage {
    fn passed_in(name: &'static str, duration: Duration, text: &str) -> Self {
        Self { name, code: "ok", duration, outcome: Ok(text.to_owned()), remedy: None, finding: None }
    }

    /// Whether the next stage could begin.
    pub fn passed(&self) -> bool {
        self.outcome.is_ok()
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, text) = match &self.outcome {
            Ok(text) => ("ok", text),
            Err(text) => ("failed", text),
        };
        write!(f, "{} {word} ({} ms): {text}", self.name, self.duration.as_millis())?;
        self.remedy.as_ref().map_or(Ok(()), |remedy| write!(f, "; {remedy}"))
    }
}

/// Goes the way to a database once, on a connection of its own that is closed again, and reports every stage up to the
/// first that fails. Must run on a tokio runtime; dropping the future gives up.
pub async fn probe(
    factory: &ConnectionFactory,
    secrets: &Arc<dyn SecretSource>,
    name: &ConnectionName,
    settings: &ConnectionSettings,
) -> Vec<Stage> {
    let mut stages = Vec::new();
    run(&mut stages, factory, secrets, name, settings, Depth::ToAnAnswer).await;
    stages
}

/// As [`probe`], and looks around: the version and the cipher of TLS, whose certificate it is and how long it holds, what
/// the server is, what the user may do there, and how long an answer takes.
pub async fn examine(
    factory: &ConnectionFactory,
    secrets: &Arc<dyn SecretSource>,
    name: &ConnectionName,
    settings: &ConnectionSettings,
) -> Vec<Stage> {
    let mut stages = Vec::new();
    run(&mut stages, factory, secrets, name, settings, Depth::AllAround).await;
    stages
}

/// As [`examine`], with each stage put into the list as it ends: whoever drops the future because it takes too long still has
/// those that were over.
pub async fn examine_into(
    stages: &mut Vec<Stage>,
    factory: &ConnectionFactory,
    secrets: &Arc<dyn SecretSource>,
    name: &ConnectionName,
    settings: &ConnectionSettings,
) {
    run(stages, factory, secrets, name, settings, Depth::AllAround).await;
}

/// Whether [`examine`] has a stage `TLS` in front of the login: TLS is on, and the engine's way to it is known here. Otherwise the
/// login tells of both.
pub fn looks_at_tls(settings: &ConnectionSettings) -> bool {
    #[cfg(any(feature = "mongodb", feature = "mysql", feature = "postgres", feature = "redis"))]
    return settings.tls.mode != TlsMode::Disabled && handshake::is_known(&settings.engine);
    #[cfg(not(any(feature = "mongodb", feature = "mysql", feature = "postgres", feature = "redis")))]
    {
        // No engine that is compiled in has such a way.
        let _ = settings;
        return false;
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    ToAnAnswer,
    AllAround,
}

async fn run(
    stages: &mut Vec<Stage>,
    factory: &ConnectionFactory,
    secrets: &Arc<dyn SecretSource>,
    name: &ConnectionName,
    settings: &ConnectionSettings,
    depth: Depth,
) {
    // The first failure ends the list; it is in the list already.
    let _ = Stages { list: stages, depth }.go(factory, secrets, name, settings).await;
}

struct Stages<'a> {
    list: &'a mut Vec<Stage>,
    depth: Depth,
}

/// A stage has failed.
struct Failed;

impl Stages<'_> {
    async fn go(
        &mut self,
        factory: &ConnectionFactory,
        secrets: &Arc<dyn SecretSource>,
        name: &ConnectionName,
        settings: &ConnectionSettings,
    ) -> Result<(), Failed> {
        let began = Instant::now();
        let connector = factory.connector(&settings.engine).map(Clone::clone);
        let connector = self.note("settings", began, connector.map(|c| (c, "known engine".to_owned())), settings)?;
        let faults: Vec<String> = connector.validate(settings).iter().map(ToString::to_string).collect();
        if !faults.is_empty() {
            let error = DatabaseError::new(DatabaseErrorKind::Misconfigured, faults.join("; "));
            return self.note::<()>("settings", began, Err(error), settings);
        }
        let began = Instant::now();
        let found = secrets.credentials(name, settings, SecretStage::Current, Freshness::Cached).await;
        let found = found.map_err(DatabaseError::from).map(|found| {
            ((), found.map_or_else(|| "none".to_owned(), |found| format!("current version {}", found.version)))
        });
        self.note("secret", began, found, settings)?;
        let began = Instant::now();
        let settings = match credentials::completed(&**secrets, name, settings).await {
            Ok(settings) => settings,
            Err(error) => return self.note("secret", began, Err(error), settings),
        };
        // One connection is enough to see.
        let mut settings = settings.into_owned();
        settings.pool = PoolSettings { min: 0, max: 1, ..settings.pool };
        let settings = &settings;
        if let Some(fault) = checks::unreachable_fault(&*connector, settings) {
            return self.note("settings", began, Err(checks::misconfigured(name, &[fault])), settings);
        }
        // A keyring of its own: a person who asks wants to see the login tried.
        let keyring = Keyring::new(Arc::clone(secrets), name.clone(), settings.clone());
        if let Some((host, port)) = connector.address(settings) {
            let peer = self.reach(host, port, settings).await?;
            if self.depth == Depth::AllAround && settings.tls.mode != TlsMode::Disabled {
                self.look_at_tls(host, peer, settings).await?;
            }
        }
        let began = Instant::now();
        let connection = connector.connect(name, settings, keyring.into()).await;
        let connection = self.opened(connector.default_port().is_some(), began, connection, settings)?;
        let began = Instant::now();
        let context = RequestContext::system().within(settings.pool.connect_timeout);
        let mut server = None;
        let health = connection.ping(&context).await.map(|health| {
            let version = health.server_version.clone().unwrap_or_else(|| "unknown".to_owned());
            server = Some(Finding::server(health.server_version));
            ((), format!("answered in {:.2} ms, version {version}", health.latency.as_secs_f64() * 1000.0))
        });
        let mut outcome = self.note("ping", began, health, settings);
        self.found(server);
        if outcome.is_ok() && self.depth == Depth::AllAround {
            outcome = self.look_around(&*connection, settings).await;
        }
        connection.close(Duration::from_secs(1)).await;
        outcome
    }

    /// Tells which address of the host answers.
    async fn reach(&mut self, host: &str, port: u16, settings: &ConnectionSettings) -> Result<SocketAddr, Failed> {
        if let Some(egress) = &settings.egress {
            return self.reach_through(egress, host, port, settings).await;
        }
        let limit = settings.pool.connect_timeout;
        let unreachable = |what: String| DatabaseError::new(DatabaseErrorKind::Unreachable, what);
        let began = Instant::now();
        let addresses: Result<Vec<SocketAddr>, _> =
            match tokio::time::timeout(limit, tokio::net::lookup_host((host, port))).await {
                Ok(Ok(addresses)) => Ok(addresses.collect()),
                Ok(Err(error)) => Err(unreachable(format!("{host} has no address: {error}"))),
                Err(_) => Err(unreachable(format!("no answer about {host} within {} ms", limit.as_millis()))),
            };
        let addresses = addresses.map(|addresses| {
            let shown: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
            (addresses, format!("{host} is {}", shown.join(", ")))
        });
        let addresses = self.note_as("DNS", "dns_failed", began, addresses, settings)?;
        let began = Instant::now();
        let mut code = "tcp_failed";
        let dial = async { TcpStream::connect(addresses.as_slice()).await?.peer_addr() };
        let peer = match tokio::time::timeout(limit, dial).await {
            Ok(Ok(peer)) => Ok((peer, format!("connected to {peer}"))),
            Ok(Err(error)) => {
                if error.kind() == std::io::ErrorKind::ConnectionRefused {
                    code = "tcp_refused";
                }
                Err(unreachable(format!("port {port} of {host}: {error}")))
            }
            Err(_) => {
                code = "tcp_silent";
                Err(unreachable(format!("port {port} of {host} is silent for {} ms", limit.as_millis())))
            }
        };
        self.note_as("TCP", code, began, peer, settings)
    }

    /// As [`Self::reach`] for whoever has defined the connection from outside: a name that is nobody's, an address that is
    /// refused, a closed port and a silent one are all told in the same way, as `unreachable` at the stage `TCP`.
    async fn reach_through(
        &mut self,
        egress: &Egress,
        host: &str,
        port: u16,
        settings: &ConnectionSettings,
    ) -> Result<SocketAddr, Failed> {
        let began = Instant::now();
        let mut looked_up = began;
        let reaching = async {
            let addresses = egress.resolve(host, port).await.ok()?;
            looked_up = Instant::now();
            race::first(&addresses).await.ok().map(|(_, peer)| peer)
        };
        let limit = settings.pool.connect_timeout;
        let Some(peer) = tokio::time::timeout(limit, reaching).await.ok().flatten() else {
            let error = DatabaseError::new(DatabaseErrorKind::Unreachable, "the server cannot be reached");
            return self.note("TCP", began, Err(error), settings);
        };
        self.list.push(Stage::passed_in("DNS", looked_up - began, "the name is known"));
        self.note("TCP", looked_up, Ok((peer, "connected".to_owned())), settings)
    }

    /// A handshake of its own, before any login, with the address that has answered. Where the engine's way to it is not known here,
    /// the login tells.
    #[cfg(any(feature = "mongodb", feature = "mysql", feature = "postgres", feature = "redis"))]
    async fn look_at_tls(&mut self, host: &str, peer: SocketAddr, settings: &ConnectionSettings) -> Result<(), Failed> {
        if !handshake::is_known(&settings.engine) {
            return Ok(());
        }
        let failed = |what: String| DatabaseError::new(DatabaseErrorKind::TlsFailed, what);
        let limit = settings.pool.connect_timeout;
        let began = Instant::now();
        let look = handshake::look(&settings.engine, host, peer, &settings.tls);
        let mut code = "tls_failed";
        let mut tls = None;
        let outcome = match tokio::time::timeout(limit, look).await {
            Ok(Ok(found)) => {
                let told = found.to_string();
                tls = Some(found.finding());
                match found.refusal {
                    None => Ok(((), told)),
                    Some(refusal) => {
                        code = handshake::code(&refusal);
                        Err(failed(format!("{told}: {refusal}")))
                    }
                }
            }
            Ok(Err(error)) => {
                if error.kind() == std::io::ErrorKind::Unsupported {
                    code = "tls_unsupported";
                }
                Err(failed(error.to_string()))
            }
            Err(_) => {
                code = "timeout";
                Err(failed(format!("no handshake within {} ms", limit.as_millis())))
            }
        };
        let outcome = self.note_as("TLS", code, began, outcome, settings);
        self.found(tls);
        outcome
    }

    #[cfg(not(any(feature = "mongodb", feature = "mysql", feature = "postgres", feature = "redis")))]
    #[expect(
        clippy::unused_async,
        clippy::unused_self,
        reason = "the engines that are compiled in have nothing to show"
    )]
    async fn look_at_tls(&mut self, _: &str, _: SocketAddr, _: &ConnectionSettings) -> Result<(), Failed> {
        Ok(())
    }

    async fn look_around(
        &mut self,
        connection: &dyn DatabaseConnection,
        settings: &ConnectionSettings,
    ) -> Result<(), Failed> {
        let limit = settings.pool.connect_timeout;
        let began = Instant::now();
        match rights::ask(connection, &RequestContext::system().within(limit)).await {
            Ok(None) => {}
            Ok(Some(found)) => {
                self.note("role", began, Ok(((), found.role)), settings)?;
                let denied = |text| DatabaseError::new(DatabaseErrorKind::Query, text);
                let privileges = found.privileges.map(|text| ((), text)).map_err(denied);
                let outcome = self.note_as("privileges", "no_privileges", began, privileges, settings);
                self.found(Some(found.finding));
                outcome?;
            }
            Err(error) if is_denied(&error) => {
                let outcome =
                    self.note_as("privileges", "no_privileges", began, Err::<((), String), _>(error), settings);
                self.found(Some(Finding::Privileges { reads: Some(false), writes: None, superuser: None }));
                outcome?;
            }
            Err(error) => self.note("role", began, Err(error), settings)?,
        }
        let began = Instant::now();
        let mut times = Vec::new();
        for _ in 0..PINGS {
            match connection.ping(&RequestContext::system().within(limit)).await {
                Ok(health) => times.push(health.latency),
                Err(error) => return self.note("latency", began, Err(error), settings),
            }
        }
        times.sort_unstable();
        let ms = |at: usize| times.get(at).map_or(0.0, |time| time.as_secs_f64() * 1000.0);
        let text = format!("{PINGS} answers in {:.2} to {:.2} ms, half in {:.2}", ms(0), ms(PINGS - 1), ms(PINGS / 2));
        self.note("latency", began, Ok(((), text)), settings)
    }

    /// TLS and login are one exchange with the driver; the kind of its error tells where it ended.
    fn opened(
        &mut self,
        over_network: bool,
        began: Instant,
        connection: Result<Arc<dyn DatabaseConnection>, DatabaseError>,
        settings: &ConnectionSettings,
    ) -> Result<Arc<dyn DatabaseConnection>, Failed> {
        if !over_network {
            return self.note("open", began, connection.map(|open| (open, "opened".to_owned())), settings);
        }
        let past_tls = match &connection {
            Ok(_) => true,
            Err(error) => {
                matches!(error.kind(), DatabaseErrorKind::AuthRejected | DatabaseErrorKind::UnknownDatabase)
            }
        };
        if past_tls && !self.list.iter().any(|stage| stage.name == "TLS") {
            let protection = match settings.tls.mode {
                TlsMode::Disabled => "off: passwords and data can be read on the way",
                TlsMode::Required => "on; the server's certificate is not checked",
                TlsMode::VerifyFull => "on; the server's certificate and name were checked",
            };
            self.note("TLS", began, Ok(((), protection.to_owned())), settings)?;
        }
        let failed_at_tls = connection.as_ref().is_err_and(|error| *error.kind() == DatabaseErrorKind::TlsFailed);
        let connection = connection.map(|open| (open, format!("as `{}`", user(settings))));
        self.note(if failed_at_tls { "TLS" } else { "login" }, began, connection, settings)
    }

    /// Puts what was found to the stage that was noted last.
    fn found(&mut self, finding: Option<Finding>) {
        if let Some(stage) = self.list.last_mut() {
            stage.finding = finding;
        }
    }

    fn note<T>(
        &mut self,
        name: &'static str,
        began: Instant,
        outcome: Result<(T, String), DatabaseError>,
        settings: &ConnectionSettings,
    ) -> Result<T, Failed> {
        let code = outcome.as_ref().err().map_or("ok", |error| code(error, settings));
        self.note_as(name, code, began, outcome, settings)
    }

    /// As [`Self::note`], with a code for its failure.
    fn note_as<T>(
        &mut self,
        name: &'static str,
        code: &'static str,
        began: Instant,
        outcome: Result<(T, String), DatabaseError>,
        settings: &ConnectionSettings,
    ) -> Result<T, Failed> {
        let duration = began.elapsed();
        match outcome {
            Ok((value, text)) => {
                self.list.push(Stage { name, code: "ok", duration, outcome: Ok(text), remedy: None, finding: None });
                Ok(value)
            }
            Err(error) => {
                let remedy = remedy_of(code, settings).or_else(|| remedy(&error, settings));
                self.list.push(Stage { name, code, duration, outcome: Err(chain(&error)), remedy, finding: None });
                Err(Failed)
            }
        }
    }
}

pub(crate) fn chain(error: &DatabaseError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// The word for an error that has none of its own. Where there is a file and no server, nobody is out of reach.
fn code(error: &DatabaseError, settings: &ConnectionSettings) -> &'static str {
    match error.kind() {
        DatabaseErrorKind::Unreachable if settings.path.is_some() => "file_unusable",
        DatabaseErrorKind::UnknownDatabase if settings.path.is_some() && error.code() == Some(NOT_A_DATABASE) => {
            "not_a_database"
        }
        DatabaseErrorKind::AuthRejected | DatabaseErrorKind::Misconfigured
            if error.code() == Some(credentials::BEYOND_SASLPREP) =>
        {
            "unfit_password"
        }
        kind => kind.as_str(),
    }
}

/// Whether the server does not let the user ask: PostgreSQL's `insufficient_privilege`, what MySQL and MariaDB deny on tables, columns
/// and as a whole, and SQL Server's permissions on objects and columns.
fn is_denied(error: &DatabaseError) -> bool {
    const DENIED: [&str; 6] = ["42501", "1142", "1143", "1227", "229", "230"];
    *error.kind() == DatabaseErrorKind::Query && error.code().is_some_and(|code| DENIED.contains(&code))
}

/// Who logs in, as far as the settings tell.
fn user(settings: &ConnectionSettings) -> &str {
    let nobody = credentials::default_user(&settings.engine).unwrap_or_default();
    settings.username.as_deref().unwrap_or(nobody)
}

/// What to do about a failure that has a code of its own.
fn remedy_of(code: &str, settings: &ConnectionSettings) -> Option<String> {
    let user = user(settings);
    Some(match code {
        "dns_failed" => "check the spelling of host, and the resolver of this machine".into(),
        "tcp_refused" => "nothing listens there: check port, and that the server runs".into(),
        "tcp_silent" => "something on the way drops what is sent: check host, and firewalls on the way".into(),
        "tls_unsupported" => "the server has no TLS: configure it there".into(),
        "tls_expired" => {
            "the server's certificate is out of date: renew it there, and check this machine's clock".into()
        }
        "tls_wrong_name" => "name the server by a name in its certificate: change host, or the certificate".into(),
        "tls_untrusted" => "put the server's authority into tls.ca_file".into(),
        "not_a_database" => "name a file that SQLite has made: this one is another's, or is encrypted".into(),
        "file_unusable" => "check that the file is whole, and that this process may read it and its folder".into(),
        "unfit_password" => format!(
            "give `{user}` another password, without emoji and control characters: this login has no room for what SASLprep \
             (RFC 4013) does not know"
        ),
        "no_privileges" => format!("grant `{user}` what the service needs in this database"),
        _ => return None,
    })
}

fn remedy(error: &DatabaseError, settings: &ConnectionSettings) -> Option<String> {
    let user = user(settings);
    let database = settings.database.as_deref().unwrap_or_default();
    Some(match error.kind() {
        DatabaseErrorKind::Unreachable => "check host and port, that the server runs, and firewalls on the way".into(),
        DatabaseErrorKind::TlsFailed => match settings.tls.mode {
            TlsMode::VerifyFull => {
                "check that tls.ca_file holds the server's authority and that host is the name in its \
                                    certificate"
                    .into()
            }
            TlsMode::Required => "the server may have no TLS: check its configuration".into(),
            TlsMode::Disabled => "the server may insist on TLS: set tls.mode".into(),
        },
        // Its message says what is at fault and what ends it; the password is not.
        DatabaseErrorKind::AuthRejected if error.retry_after().is_some() => return None,
        DatabaseErrorKind::AuthRejected => format!("check the password of `{user}` and from where it may log in"),
        DatabaseErrorKind::UnknownDatabase if database.is_empty() => "check the path".into(),
        DatabaseErrorKind::UnknownDatabase => {
            format!("create the database `{database}` or grant `{user}` access to it")
        }
        DatabaseErrorKind::SecretUnavailable => {
            "see that what `password` names is there and that this process may read it".into()
        }
        DatabaseErrorKind::Saturated => {
            "the server's limit on connections is reached: raise it or lower pool.max".into()
        }
        DatabaseErrorKind::Misconfigured => "correct the configuration".into(),
        _ => return None,
    })
}

#[cfg(all(test, feature = "mysql", feature = "sqlite"))]
mod tests {
    use super::*;
    use crate::LocalSecrets;

    async fn stages(url: &str) -> Vec<Stage> {
        let settings = ConnectionSettings::from_url(url).expect("a URL");
        let name = "probed".parse().expect("a name");
        let secrets: Arc<dyn SecretSource> = Arc::new(LocalSecrets);
        probe(&ConnectionFactory::compiled(), &secrets, &name, &settings).await
    }

    #[tokio::test]
    async fn every_stage_of_a_way_that_leads_there_is_told() {
        let stages = stages("sqlite::memory:").await;
        let names: Vec<&str> = stages.iter().map(|stage| stage.name).collect();
        assert_eq!(names, ["settings", "secret", "open", "ping"]);
        assert!(stages.iter().all(Stage::passed), "{stages:?}");
    }

    #[tokio::test]
    async fn the_list_ends_with_the_first_failure_and_its_remedy() {
        let port = testkit::free_port();
        let stages = stages(&format!("mysql://user:hunter2@127.0.0.1:{port}/db")).await;
        let last = stages.last().unwrap();
        assert_eq!((last.name, last.passed()), ("TCP", false));
        assert!(last.remedy.is_some());
        assert!(!format!("{stages:?}").contains("hunter2"));
    }

    #[tokio::test]
    async fn settings_that_cannot_work_end_it_at_once() {
        let stages = stages("mysql://127.0.0.1/db").await;
        let last = stages.last().unwrap();
        assert_eq!(last.name, "settings");
        assert!(last.outcome.as_ref().unwrap_err().contains("username"), "{last}");
    }
}
