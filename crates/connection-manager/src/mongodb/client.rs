use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ::mongodb::Client;
use ::mongodb::bson::doc;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind};
use tokio::time::Instant;

use super::error::{self, Problem};
#[cfg(unix)]
use super::relay::Relay;
use super::scout::Route;

/// A client of the driver and what is known of it. The sessions that were opened with one version of the credentials share it;
/// its connections are closed with the last of them.
pub(super) struct SharedClient {
    client: Client,
    /// Which version of the credentials it logs in with.
    version: String,
    /// Where it began to look for its servers.
    route: Route,
    /// What it takes for the server, where the policy is asked about every dial.
    #[cfg(unix)]
    _relay: Option<Relay>,
    since: Instant,
    server_version: Option<String>,
    /// The server has refused a login of its credentials: no further one is tried.
    rejected: AtomicBool,
    /// The last call did not reach a server.
    troubled: AtomicBool,
}

/// The code of the error of a session that never sent anything, because the server has refused its credentials meanwhile.
pub(super) const OUT_OF_USE: &str = "out_of_use";

impl SharedClient {
    /// Says hello in the name of the credentials.
    pub(super) async fn open(
        client: Client,
        version: String,
        route: Route,
        #[cfg(unix)] relay: Option<Relay>,
    ) -> Result<Self, DatabaseError> {
        let mut opened = Self {
            client,
            version,
            route,
            #[cfg(unix)]
            _relay: relay,
            since: Instant::now(),
            server_version: None,
            rejected: AtomicBool::new(false),
            troubled: AtomicBool::new(false),
        };
        opened.ping("logging in").await?;
        opened.since = Instant::now();
        let told = opened.client.database("admin").run_command(doc! { "buildInfo": 1 }).await;
        // Some services of MongoDB's protocol keep their version to themselves.
        opened.server_version = told.ok().and_then(|told| told.get_str("version").ok().map(str::to_owned));
        Ok(opened)
    }

    /// A sign of life on a connection that is logged in.
    pub(super) async fn ping(&self, attempt: &str) -> Result<(), DatabaseError> {
        let answer = self.client.database("admin").run_command(doc! { "ping": 1 }).await;
        self.noted(answer.map(drop).map_err(Problem::Driver), attempt)
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    pub(super) fn route(&self) -> &Route {
        &self.route
    }

    pub(super) fn server_version(&self) -> Option<&str> {
        self.server_version.as_deref()
    }

    /// Whether a new session of this version of the credentials may share it.
    pub(super) fn serves(&self, version: &str, lifetime: Option<Duration>) -> bool {
        let is_young = lifetime.is_none_or(|lifetime| self.since.elapsed() < lifetime);
        self.version == version && is_young && !self.is_rejected()
    }

    pub(super) fn is_rejected(&self) -> bool {
        self.rejected.load(Ordering::Acquire)
    }

    pub(super) fn is_troubled(&self) -> bool {
        self.troubled.load(Ordering::Acquire)
    }

    /// What came of a call, typed, and remembered.
    pub(super) fn noted<T>(&self, outcome: Result<T, Problem>, attempt: &str) -> Result<T, DatabaseError> {
        let error = match outcome {
            Ok(answer) => {
                self.troubled.store(false, Ordering::Release);
                return Ok(answer);
            }
            Err(Problem::Typed(error)) => return Err(error),
            Err(Problem::Driver(error)) => error,
        };
        if error::is_rejected_login(&error) {
            self.rejected.store(true, Ordering::Release);
        }
        let error = error::map(&error, attempt);
        self.troubled.store(*error.kind() == DatabaseErrorKind::Unreachable, Ordering::Release);
        Err(error)
    }
}

/// The error of a session whose credentials the server has refused meanwhile.
pub(super) fn out_of_use() -> DatabaseError {
    let message = "the server refuses the credentials that the session was opened with";
    DatabaseError::new(DatabaseErrorKind::Closed, message).with_code(OUT_OF_USE)
}
