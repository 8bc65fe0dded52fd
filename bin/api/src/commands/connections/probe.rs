//! From a name to the first answer, step by step, so that a failure is told with its own cause.

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use connection_manager::{ConnectionManager, ConnectionSettings, TlsMode, credentials};
use shared_kernel::RequestContext;
use shared_kernel::database::{Access, Connections as _, DatabaseError, DatabaseErrorKind, Engine};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use crate::telemetry::chain;

/// How long one step may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// One step and how it went.
#[derive(Debug)]
pub(super) struct Step {
    name: &'static str,
    outcome: Result<String, Failure>,
    took: Duration,
}

#[derive(Debug)]
struct Failure {
    cause: String,
    remedy: &'static str,
}

impl Step {
    /// Whether it went wrong.
    pub(super) fn failed(&self) -> bool {
        self.outcome.is_err()
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, took) = (self.name, self.took);
        match &self.outcome {
            Ok(found) => write!(f, "ok      {name:<6} {found} ({took:.1?})"),
            Err(failure) => {
                write!(f, "failed  {name:<6} {} ({took:.1?})\n          {}", failure.cause, failure.remedy)
            }
        }
    }
}

/// Tries one connection; the first step that fails is the last.
pub(super) async fn probe(manager: &ConnectionManager, name: &str, settings: &ConnectionSettings) -> Vec<Step> {
    let mut steps = Vec::new();
    let Some(settings) = completed(manager, name, settings, &mut steps).await else { return steps };
    let settings = &settings;
    if settings.engine != Engine::SQLITE {
        let host = settings.host.as_deref().unwrap_or("localhost");
        let connector = manager.factory().connector(&settings.engine).ok();
        let port = settings.port.or_else(|| connector.and_then(|connector| connector.default_port())).unwrap_or(0);
        let Some(addresses) = dns(host, port, &mut steps).await else { return steps };
        if !tcp(&addresses, &mut steps).await {
            return steps;
        }
    }
    login(manager, name, settings, &mut steps).await;
    steps
}

/// The settings with what their secret says about the way to the server.
async fn completed(
    manager: &ConnectionManager,
    name: &str,
    settings: &ConnectionSettings,
    steps: &mut Vec<Step>,
) -> Option<ConnectionSettings> {
    let Some(connection) = name.parse().ok().filter(|_| settings.password.holds_login()) else {
        return Some(settings.clone());
    };
    let started = Instant::now();
    let completed = credentials::completed(&**manager.secrets(), &connection, settings).await;
    let took = started.elapsed();
    match completed {
        Ok(completed) => {
            steps.push(Step { name: "secret", outcome: Ok("read from the secrets manager".to_owned()), took });
            Some(completed.into_owned())
        }
        Err(error) => {
            let remedy = "check the secret's name, `region` in [secrets], and that this process may read it";
            steps.push(Step { name: "secret", outcome: Err(Failure { cause: chain(&error), remedy }), took });
            None
        }
    }
}

async fn dns(host: &str, port: u16, steps: &mut Vec<Step>) -> Option<Vec<SocketAddr>> {
    let started = Instant::now();
    let found = timeout(PATIENCE, lookup_host((host, port))).await;
    let addresses: Vec<SocketAddr> = match &found {
        Ok(Ok(_)) => found.ok()?.ok()?.collect(),
        _ => Vec::new(),
    };
    let outcome = if addresses.is_empty() {
        let cause = format!("the name `{host}` leads to no address");
        Err(Failure { cause, remedy: "check `host`, and that this machine's name servers know it" })
    } else {
        let list: Vec<String> = addresses.iter().map(|address| address.ip().to_string()).collect();
        Ok(format!("{host} is {}", list.join(", ")))
    };
    let failed = outcome.is_err();
    steps.push(Step { name: "DNS", outcome, took: started.elapsed() });
    (!failed).then_some(addresses)
}

async fn tcp(addresses: &[SocketAddr], steps: &mut Vec<Step>) -> bool {
    let started = Instant::now();
    let mut outcome = Err(Failure { cause: "no address to try".to_owned(), remedy: "check `host`" });
    for address in addresses {
        outcome = match timeout(PATIENCE, TcpStream::connect(address)).await {
            Ok(Ok(_)) => Ok(format!("{address} accepts connections")),
            Ok(Err(error)) => Err(Failure {
                cause: format!("{address}: {error}"),
                remedy: "check `port`, and that the server runs and listens on this address",
            }),
            Err(_) => Err(Failure {
                cause: format!("{address}: no answer within {PATIENCE:?}"),
                remedy: "a firewall or a route is in the way, or the server is down",
            }),
        };
        if outcome.is_ok() {
            break;
        }
    }
    let reached = outcome.is_ok();
    steps.push(Step { name: "TCP", outcome, took: started.elapsed() });
    reached
}

/// TLS, login and database are one exchange; the error's kind tells where it ended.
async fn login(manager: &ConnectionManager, name: &str, settings: &ConnectionSettings, steps: &mut Vec<Step>) {
    let started = Instant::now();
    let context = RequestContext::system().within(PATIENCE);
    let over_network = settings.engine != Engine::SQLITE;
    let mut push = |name, outcome| steps.push(Step { name, outcome, took: started.elapsed() });
    let connection = match manager.get(name, Access::Write, &context).await {
        Ok(connection) => connection,
        Err(error) => {
            if over_network && past_tls(error.kind()) {
                push("TLS", Ok(tls(settings)));
            }
            let step = match error.kind() {
                DatabaseErrorKind::TlsFailed => "TLS",
                DatabaseErrorKind::SecretUnavailable => "secret",
                DatabaseErrorKind::UnknownDatabase => "open",
                _ if over_network => "login",
                _ => "open",
            };
            return push(step, Err(failure(&error)));
        }
    };
    if over_network {
        push("TLS", Ok(tls(settings)));
        push("login", Ok(format!("as `{}`", settings.username.as_deref().unwrap_or_default())));
    } else {
        push("open", Ok("the file is a database, or became one".to_owned()));
    }
    match connection.ping(&context).await {
        Ok(health) => {
            let version = health.server_version.as_deref().unwrap_or("a server that does not tell its version");
            push("ping", Ok(format!("{version}, answered in {:.1?}", health.latency)));
        }
        Err(error) => push("ping", Err(failure(&error))),
    }
    connection.close(Duration::ZERO).await;
}

fn past_tls(kind: &DatabaseErrorKind) -> bool {
    matches!(kind, DatabaseErrorKind::AuthRejected | DatabaseErrorKind::UnknownDatabase)
}

fn tls(settings: &ConnectionSettings) -> String {
    match settings.tls.mode {
        TlsMode::Disabled => "off: passwords and data can be read on the way".to_owned(),
        TlsMode::Required => "on; the server's certificate is not checked".to_owned(),
        TlsMode::VerifyFull => "on; the server's certificate and name were checked".to_owned(),
    }
}

fn failure(error: &DatabaseError) -> Failure {
    Failure { cause: chain(error), remedy: remedy(error.kind()) }
}

fn remedy(kind: &DatabaseErrorKind) -> &'static str {
    match kind {
        DatabaseErrorKind::AuthRejected => "check `username` and the password's source; the server refused this pair",
        DatabaseErrorKind::SecretUnavailable => "provide the password where the configuration says it is",
        DatabaseErrorKind::TlsFailed => "check `tls.mode`, `tls.ca_file`, and that `host` is a name in the certificate",
        DatabaseErrorKind::UnknownDatabase => "create the database, or correct `database`",
        DatabaseErrorKind::Unreachable => "check that the server runs and speaks the engine's protocol on this port",
        DatabaseErrorKind::Timeout => {
            "the server accepts connections and does not answer: look at its load and its log"
        }
        DatabaseErrorKind::Misconfigured => "correct the settings that are named",
        DatabaseErrorKind::Saturated => "the server has no free connection: raise its limit or lower the pools'",
        _ => "look at the server's log at this moment",
    }
}
