use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ::mongodb::Client;
use ::mongodb::bson::doc;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, Effect};
use tokio::time::Instant;

use super::error::{self, Problem};
#[cfg(unix)]
use super::relay::Relay;
use super::scout::Route;
use super::standing::{Standing, Work};
use crate::endpoint::{NotAsked, was_asked};

/// How often a piece of work is begun anew because the connections of a server were cleared before it had one.
const CLEARED: u32 = 3;

/// A client of the driver and what is known of it. The sessions that were opened with one version of the credentials share it;
/// its connections are closed with the last of them.
pub(super) struct SharedClient {
    client: Client,
    /// What the server says to the credentials that it logs in with.
    standing: Arc<Standing>,
    /// Where it began to look for its servers.
    route: Route,
    /// What it takes for the server, where the policy is asked about every dial.
    #[cfg(unix)]
    _relay: Option<Relay>,
    since: Instant,
    server_version: Option<String>,
    /// The last call did not reach a server.
    troubled: AtomicBool,
}

/// The code of the error of a session that did nothing, because the server refuses its credentials.
pub(super) const OUT_OF_USE: &str = "out_of_use";

impl SharedClient {
    /// Says hello in the name of the credentials.
    pub(super) async fn open(
        client: Client,
        standing: Arc<Standing>,
        route: Route,
        #[cfg(unix)] relay: Option<Relay>,
    ) -> Result<Self, DatabaseError> {
        let mut opened = Self {
            client,
            standing,
            route,
            #[cfg(unix)]
            _relay: relay,
            since: Instant::now(),
            server_version: None,
            troubled: AtomicBool::new(false),
        };
        opened.login("logging in").await?;
        opened.since = Instant::now();
        let told = opened.client.database("admin").run_command(doc! { "buildInfo": 1 }).await;
        // Some services of MongoDB's protocol keep their version to themselves.
        opened.server_version = told.ok().and_then(|told| told.get_str("version").ok().map(str::to_owned));
        Ok(opened)
    }

    /// A sign of life on a connection that is logged in.
    pub(super) async fn ping(&self, attempt: &str) -> Result<(), DatabaseError> {
        let ping = |client: Client| async move {
            client.database("admin").run_command(doc! { "ping": 1 }).await?;
            Ok(())
        };
        // Boxed, because the driver's futures are large and deep.
        Box::pin(self.call(attempt, Effect::Nothing, ping)).await
    }

    /// The same for one who wants to know what becomes of the credentials.
    pub(super) async fn login(&self, attempt: &str) -> Result<(), DatabaseError> {
        match self.ping(attempt).await {
            Err(error) if error.code() == Some(OUT_OF_USE) => {
                let rejected = error::rejected_login(attempt);
                Err(if was_asked(&error) { rejected } else { rejected.with_source(NotAsked::at_all()) })
            }
            outcome => outcome,
        }
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
        self.standing.version() == version && is_young && !self.is_rejected()
    }

    pub(super) fn is_rejected(&self) -> bool {
        self.standing.is_refused()
    }

    pub(super) fn is_troubled(&self) -> bool {
        self.troubled.load(Ordering::Acquire)
    }

    /// Does a piece of work. Where nothing of it was sent, or all of it may be sent twice, because the driver had to log in for
    /// it and was refused, the error is [`out_of_use`].
    pub(super) async fn call<T, F>(
        &self,
        attempt: &str,
        effect: Effect,
        work: impl Fn(Client) -> F,
    ) -> Result<T, DatabaseError>
    where
        F: Future<Output = Result<T, Problem>>,
    {
        let mut cleared = 0;
        loop {
            if self.is_rejected() {
                return Err(not_asked_again());
            }
            let this = Work::default();
            let outcome = self.standing.unless_refused(this.clone(), work(self.client.clone())).await;
            let Some(outcome) = outcome else { return Err(out_of_use()) };
            let may_be_repeated = this.may_be_repeated(effect);
            match outcome {
                // Somebody else's connection could not be opened, so that the driver has cleared all of that server's and lets
                // nobody have one. Whether the password or the server is at fault is not told.
                Err(Problem::Driver(cause)) if may_be_repeated && error::is_cleared(&cause) && cleared < CLEARED => {
                    cleared += 1;
                    if !self.is_rejected() {
                        self.noted_unreachable(self.route.look().await)?;
                    }
                }
                outcome => {
                    return match self.noted(outcome, attempt) {
                        Err(error) if may_be_repeated && self.is_rejected() && is_rejection(&error) => {
                            Err(out_of_use())
                        }
                        outcome => outcome,
                    };
                }
            }
        }
    }

    /// What came of a call, typed, and remembered.
    fn noted<T>(&self, outcome: Result<T, Problem>, attempt: &str) -> Result<T, DatabaseError> {
        let error = match outcome {
            Ok(answer) => {
                self.troubled.store(false, Ordering::Release);
                return Ok(answer);
            }
            Err(Problem::Typed(error)) => return Err(error),
            Err(Problem::Driver(error)) => error,
        };
        if error::is_rejected_login(&error) {
            self.standing.refuse();
        }
        self.noted_unreachable(Err(error::map(&error, attempt)))
    }

    fn noted_unreachable<T>(&self, outcome: Result<T, DatabaseError>) -> Result<T, DatabaseError> {
        if let Err(error) = &outcome {
            self.troubled.store(*error.kind() == DatabaseErrorKind::Unreachable, Ordering::Release);
        }
        outcome
    }
}

fn is_rejection(error: &DatabaseError) -> bool {
    *error.kind() == DatabaseErrorKind::AuthRejected && error.retry_after().is_none()
}

/// The error of a session whose credentials the server has refused meanwhile.
fn out_of_use() -> DatabaseError {
    let message = "the server refuses the credentials that the session was opened with";
    DatabaseError::new(DatabaseErrorKind::Closed, message).with_code(OUT_OF_USE)
}

/// The same where nothing was sent for it, because that was known before.
fn not_asked_again() -> DatabaseError {
    out_of_use().with_source(NotAsked::at_all())
}
