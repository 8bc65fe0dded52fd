use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use secrecy::ExposeSecret;
use shared_kernel::database::{ConnectionName, DatabaseError, DatabaseErrorKind};
use tokio::sync::{Notify, Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::LOOK_AGAIN;
use crate::credentials::Credentials;
use crate::endpoint::NotAsked;

/// Logins under way at the same time with a secret that cannot change and was accepted before.
const LOGINS: u32 = 2;
/// The pause after an attempt without the server's word, the first and the longest: with a version that the server has
/// accepted, where the server is likely to be away and is wanted soon after it is back, and with one that it has yet to
/// accept.
const KNOWN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(4));
const UNKNOWN: (Duration, Duration) = (Duration::from_secs(5), Duration::from_mins(5));

/// What one server said to the versions of one secret.
pub(super) struct Book {
    turns: Semaphore,
    state: Mutex<State>,
    /// Wakes those who wait for the end of a pause that is over before its time.
    eased: Notify,
    /// The number of the accepted version. Read for each connection that is handed out.
    generation: AtomicU64,
}

#[derive(Default)]
struct State {
    /// What the server accepted last.
    accepted: Option<Arc<Credentials>>,
    /// The versions that the server rejected.
    rejected: HashSet<String>,
    /// What the server said last.
    last_rejection: Option<DatabaseError>,
    /// When the source may be asked again for a version that is not rejected.
    look_again: Option<Instant>,
    /// When nobody tries.
    pause: Option<Pause>,
    /// Attempts in a row that ended without the server's word.
    cuts: u32,
}

impl State {
    /// The attempt without an answer because of which nobody tries.
    fn unanswered(&self) -> Option<&Unanswered> {
        self.pause.as_ref()?.unanswered.as_ref()
    }
}

struct Pause {
    end: Instant,
    reason: DatabaseError,
    /// The attempt that was not answered. `None` where the server said no.
    unanswered: Option<Unanswered>,
}

struct Unanswered {
    since: Instant,
    version: String,
}

/// What a login does about a pause.
pub(super) enum Wait {
    Nothing,
    Until(Instant),
    TooLong(DatabaseError),
}

impl Default for Book {
    fn default() -> Self {
        let turns = Semaphore::new(LOGINS as usize);
        Self { turns, state: Mutex::default(), eased: Notify::new(), generation: AtomicU64::new(0) }
    }
}

impl Book {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub(super) fn accepted(&self) -> Option<Arc<Credentials>> {
        self.state().accepted.clone()
    }

    pub(super) fn is_rejected(&self, version: &str) -> bool {
        self.state().rejected.contains(version)
    }

    pub(super) fn last_rejection(&self) -> Option<DatabaseError> {
        self.state().last_rejection.clone()
    }

    /// The right to log in, shared with others only when the password cannot change and was accepted before. `None` never:
    /// the semaphore is not closed.
    pub(super) async fn turn(&self, may_change: bool) -> Option<SemaphorePermit<'_>> {
        if !may_change && self.accepted().is_some() {
            return self.turns.acquire().await.ok();
        }
        let alone = self.turns.acquire_many(LOGINS).await.ok();
        if may_change || self.accepted().is_none() {
            return alone;
        }
        // Somebody else's login was the first: with its password the others need not queue.
        drop(alone);
        self.turns.acquire().await.ok()
    }

    /// Whether somebody who would wait for `patience` has to wait, or has to be told why there is no attempt.
    pub(super) fn pause(&self, patience: Duration) -> Wait {
        let mut state = self.state();
        let Some(Pause { end, reason, .. }) = &state.pause else { return Wait::Nothing };
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            state.pause = None;
            return Wait::Nothing;
        }
        if *reason.kind() != DatabaseErrorKind::AuthRejected && left <= patience {
            return Wait::Until(*end);
        }
        let told = NotAsked::after(reason);
        Wait::TooLong(reason.clone().with_source(told).with_retry_after(left))
    }

    /// Ends when a pause does before its time, if that is after this call.
    pub(super) fn eased(&self) -> impl Future<Output = ()> {
        self.eased.notified()
    }

    /// Whether the source may be asked for more. Notes that it is, so that those who come after wait their while.
    pub(super) fn may_look(&self) -> bool {
        let mut state = self.state();
        let now = Instant::now();
        if state.look_again.is_some_and(|at| now < at) {
            return false;
        }
        state.look_again = Some(now + LOOK_AGAIN);
        true
    }

    pub(super) fn accept(&self, name: &ConnectionName, credentials: Arc<Credentials>) -> u64 {
        let mut state = self.state();
        state.look_again = None;
        // No wrong password was about to be rejected.
        if state.unanswered().is_some_and(|unanswered| unanswered.version == credentials.version) {
            self.ease(&mut state);
        }
        let known = state.accepted.as_ref().is_some_and(|accepted| accepted.version == credentials.version);
        if !known {
            // An embedded database accepts everybody.
            if !credentials.username.is_empty() || !credentials.password.expose_secret().is_empty() {
                tracing::info!(
                    connection = %name, user = credentials.username, version = credentials.version,
                    "the server accepts these credentials"
                );
            }
            state.accepted = Some(credentials);
            self.generation.fetch_add(1, Ordering::AcqRel);
        }
        self.generation()
    }

    /// Notes a rejection by a login that tried these versions, the rejected one last.
    pub(super) fn reject(
        &self,
        name: &ConnectionName,
        credentials: &Credentials,
        error: DatabaseError,
        tried: &[String],
    ) {
        let Credentials { username, version, .. } = credentials;
        let message = if username.is_empty() {
            format!("login without a user rejected (secret version {version})")
        } else {
            format!("login rejected for user `{username}` (secret version {version})")
        };
        let mut rejection = DatabaseError::new(DatabaseErrorKind::AuthRejected, message);
        if let Some(code) = error.code() {
            rejection = rejection.with_code(code);
        }
        let rejection = rejection.with_source(error);
        tracing::warn!(connection = %name, user = username, version, "login rejected");
        let mut state = self.state();
        if state.accepted.as_ref().is_some_and(|accepted| accepted.version == *version) {
            // The server has changed its mind: what it said to other versions before this login says nothing any more.
            state.accepted = None;
            state.rejected.retain(|version| tried.contains(version));
        }
        state.rejected.insert(version.clone());
        state.last_rejection = Some(rejection);
    }

    /// Notes a refusal that says nothing about the password, and how long it is to be believed.
    pub(super) fn refuse(&self, name: &ConnectionName, error: DatabaseError) -> DatabaseError {
        let until = Instant::now() + error.retry_after().unwrap_or(LOOK_AGAIN);
        tracing::warn!(connection = %name, %error, "login refused for another reason than the password");
        self.state().pause = Some(Pause { end: until, reason: error.clone(), unanswered: None });
        error.on(name)
    }

    /// The server was silent and was found back at that time: nobody was there to answer an attempt that began before. The
    /// next one is made at once; what it comes to counts as before.
    pub(super) fn forgive(&self, returned: Instant) {
        let mut state = self.state();
        if state.unanswered().is_some_and(|unanswered| unanswered.since < returned) {
            self.ease(&mut state);
        }
    }

    fn ease(&self, state: &mut State) {
        state.pause = None;
        self.eased.notify_waiters();
    }

    fn cut(&self, credentials: &Credentials, began: Instant, error: &DatabaseError) {
        if credentials.password.expose_secret().is_empty() {
            // Nothing was tried that could be wrong.
            return;
        }
        let mut state = self.state();
        let known = state.accepted.as_ref().is_some_and(|accepted| accepted.version == credentials.version);
        let (first, longest) = if known { KNOWN } else { UNKNOWN };
        let pause = first.saturating_mul(1 << state.cuts.min(10)).min(longest);
        state.cuts = state.cuts.saturating_add(1);
        let (end, reason) = (Instant::now() + pause, error.clone());
        let unanswered = Unanswered { since: began, version: credentials.version.clone() };
        state.pause = Some(Pause { end, reason, unanswered: Some(unanswered) });
    }
}

/// An attempt under way. One that is dropped without an answer counts as cut.
pub(super) struct Underway<'a> {
    book: &'a Book,
    name: &'a ConnectionName,
    credentials: &'a Credentials,
    limit: Duration,
    began: Instant,
    over: bool,
}

impl<'a> Underway<'a> {
    pub(super) fn new(book: &'a Book, name: &'a ConnectionName, credentials: &'a Credentials, limit: Duration) -> Self {
        Self { book, name, credentials, limit, began: Instant::now(), over: false }
    }

    /// The server, or the way to it, said something.
    pub(super) fn answered(mut self) {
        self.over = true;
        self.book.state().cuts = 0;
    }

    /// Nobody asked the server after all.
    pub(super) fn put_off(mut self) {
        self.over = true;
    }

    /// The attempt took too long.
    pub(super) fn cut(mut self) -> DatabaseError {
        self.over = true;
        let message = format!("no answer to the attempt to connect within {} ms", self.limit.as_millis());
        self.note(message)
    }

    fn note(&self, message: String) -> DatabaseError {
        let error = DatabaseError::new(DatabaseErrorKind::Unreachable, message);
        self.book.cut(self.credentials, self.began, &error);
        error
    }
}

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        // A driver that panics says nothing about the server.
        if !self.over && !std::thread::panicking() {
            tracing::debug!(connection = %self.name, "a login was broken off");
            self.note("an earlier attempt to connect was broken off".to_owned());
        }
    }
}
