mod account;
mod book;
mod candidates;
mod fixed;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use shared_kernel::database::{ConnectionName, DatabaseError, DatabaseErrorKind, Engine};
use tokio::sync::SemaphorePermit;
use tokio::time::Instant;

pub use self::account::Keychain;
use self::book::{Book, Underway, Wait};
use self::candidates::Candidates;
use self::fixed::Fixed;
use super::{Credentials, Freshness, SecretSource, SecretStage, SourceError};
use crate::endpoint::{NotAsked, was_asked};
use crate::settings::ConnectionSettings;

/// While every known version is rejected, the source is asked for another one at most this often.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// How long a login waits for those before it, and for each answer of a source that sets itself no limit.
const PATIENCE: Duration = Duration::from_mins(1);

/// The credentials for one connection, and what the server said to each version of them.
///
/// Every login goes through [`Keyring::login`]. A version that the server rejects is not tried again: not by the next
/// caller, not by the next connection, not after a retry, so that no account is locked. What takes its place is, in this
/// order, the current version if it is another one, the pending one of a rotation under way, and the previous one.
///
/// What the server said is shared by every connection that logs in to it as the same user with the same secret, as far as
/// their keyrings come from one [`Keychain`].
///
/// Cheap to clone; clones share what is known.
#[derive(Clone)]
pub struct Keyring(Arc<Inner>);

struct Inner {
    name: ConnectionName,
    settings: ConnectionSettings,
    source: Arc<dyn SecretSource>,
    book: Arc<Book>,
}

/// What a login came to.
#[derive(Debug)]
pub struct Login<S> {
    /// What the attempt returned.
    pub session: S,
    /// The number of the accepted version. It grows whenever the server accepts another version than before; see
    /// [`Keyring::generation`].
    pub generation: u64,
}

impl Keyring {
    /// The credentials that `source` has for the connection `name`. What the server says to them is shared with nobody but
    /// the keyring's clones; see [`Keychain`].
    pub fn new(source: Arc<dyn SecretSource>, name: ConnectionName, settings: ConnectionSettings) -> Self {
        Self::with_book(source, name, settings, Arc::default())
    }

    fn with_book(
        source: Arc<dyn SecretSource>,
        name: ConnectionName,
        settings: ConnectionSettings,
        book: Arc<Book>,
    ) -> Self {
        Self(Arc::new(Inner { name, settings, source, book }))
    }

    /// Credentials that never change.
    pub fn fixed(name: ConnectionName, credentials: Credentials) -> Self {
        let settings = ConnectionSettings::new(Engine::from("fixed".to_owned()));
        Self::new(Arc::new(Fixed(credentials)), name, settings)
    }

    /// Where the connection leads.
    pub(crate) fn settings(&self) -> &ConnectionSettings {
        &self.0.settings
    }

    /// The number of the version that the server accepted last; 0 before the first login. Connections that were opened
    /// under a smaller number carry credentials that are on their way out.
    pub fn generation(&self) -> u64 {
        self.0.book.generation()
    }

    /// Whether the source may come to name another version. See [`SecretSource::may_change`].
    pub fn may_change(&self) -> bool {
        self.0.source.may_change(&self.0.settings)
    }

    /// The version that the server accepted last.
    pub fn version(&self) -> Option<String> {
        self.0.book.accepted().map(|accepted| accepted.version.clone())
    }

    /// Whether the source now names another version than the one accepted last, and one that is worth a try. Asks the
    /// source's cache, not the server.
    ///
    /// # Errors
    /// Why the source has no answer.
    pub async fn is_outdated(&self) -> Result<bool, DatabaseError> {
        let current = self.0.ask(SecretStage::Current, Freshness::Cached).await?;
        let Some(accepted) = self.0.book.accepted() else { return Ok(false) };
        Ok(current
            .is_some_and(|current| current.version != accepted.version && !self.0.book.is_rejected(&current.version)))
    }

    /// Ends the pause after attempts that began before `returned`, when the server was found back after a silence.
    pub(crate) fn forgive(&self, returned: Instant) {
        self.0.book.forgive(returned);
    }

    /// Logs in: `attempt` is called with one version after the other until the server accepts one, each version at most
    /// once for as long as the source has no other. Each attempt may take `limit`. Waiting for earlier logins to the same
    /// account, and for the secret, has limits of its own: a slow secret takes nothing from the time to connect.
    ///
    /// An attempt that ends without the server's word, because its time was up or the future was dropped, may have been a
    /// wrong password that the server is slow to reject. It counts: the next attempt with a password is made after a pause,
    /// which doubles each time until the server says something. A pause that ends within `limit` is waited for, and a longer
    /// one is told at once. It ends before its time when another login under way has the version accepted, and when the server
    /// is found back after a silence, if the attempt began before that. Its return changes nothing about versions that the
    /// server has rejected: they are not tried again before the source has another, or the accepted one is rejected.
    ///
    /// Dropping the future gives up the attempt under way.
    ///
    /// # Errors
    /// `AuthRejected` when the server rejects every version that there is, at once and without an attempt when that is
    /// known already; the same with [`DatabaseError::retry_after`] when the server refuses the login for another reason
    /// than the password, such as a locked account, and until that time without another attempt; `Unreachable` when an
    /// attempt takes too long, and without an attempt while a pause is too long to be waited for, or when earlier logins to
    /// the account take more than 60 s, neither of which counts against the server's circuit; any other error of
    /// `attempt`; `SecretUnavailable`. Whatever is told without an attempt counts for no answer of the server.
    pub async fn login<S, F>(
        &self,
        limit: Duration,
        attempt: impl Fn(Arc<Credentials>) -> F,
    ) -> Result<Login<S>, DatabaseError>
    where
        F: Future<Output = Result<S, DatabaseError>>,
    {
        self.login_seen(limit, |_| {}, || std::future::ready(Ok(())), attempt).await
    }

    /// As [`Keyring::login`]. `reads` hears whether the source of the secret is being waited for, whenever that changes. Before
    /// each attempt `admit` is waited for, which takes nothing from the time for it; what it brings is kept until the attempt is
    /// over. Its error ends the login and counts as no attempt.
    pub(crate) async fn login_seen<S, F, G, R>(
        &self,
        limit: Duration,
        reads: impl Fn(bool),
        admit: impl Fn() -> R,
        attempt: impl Fn(Arc<Credentials>) -> F,
    ) -> Result<Login<S>, DatabaseError>
    where
        F: Future<Output = Result<S, DatabaseError>>,
        R: Future<Output = Result<G, DatabaseError>>,
    {
        let Inner { name, book, .. } = &*self.0;
        // A login before this one may have been given up while it read.
        reads(false);
        let _turn = self.0.turn().await?;
        loop {
            // Listened for before it is looked, so that nothing is missed.
            let eased = book.eased();
            match book.pause(limit) {
                Wait::Nothing => break,
                Wait::Until(end) => {
                    let _ = tokio::time::timeout_at(end, eased).await;
                }
                Wait::TooLong(error) => return Err(error.on(name)),
            }
        }
        let mut candidates = Candidates::new(&self.0);
        loop {
            reads(true);
            let next = candidates.next().await;
            reads(false);
            let Some(credentials) = next? else { break };
            let _admitted = admit().await?;
            let underway = Underway::new(book, name, &credentials, limit);
            let Ok(outcome) = tokio::time::timeout(limit, attempt(Arc::clone(&credentials))).await else {
                return Err(underway.cut().on(name));
            };
            if outcome.as_ref().err().is_none_or(was_asked) {
                underway.answered();
            } else {
                underway.put_off();
            }
            match outcome {
                Ok(session) => return Ok(Login { session, generation: book.accept(name, credentials) }),
                Err(error) if *error.kind() != DatabaseErrorKind::AuthRejected => return Err(error),
                // It is not the password that is at fault, so another version would be refused as well.
                Err(error) if error.retry_after().is_some() => return Err(book.refuse(name, error)),
                Err(error) => book.reject(name, &credentials, error, candidates.tried()),
            }
        }
        let answer = self.0.nothing_left();
        if !candidates.tried().is_empty() {
            return Err(answer);
        }
        // What was said to an earlier login is told again, which is no sign of life.
        let known = NotAsked::after(&answer);
        Err(answer.with_source(known))
    }
}

impl Inner {
    /// The right to log in. Where the password may change, or has yet to be accepted for the first time, it is nobody
    /// else's, so that a wrong one is rejected once and not by each attempt under way.
    async fn turn(&self) -> Result<SemaphorePermit<'_>, DatabaseError> {
        let turn = self.book.turn(self.source.may_change(&self.settings));
        tokio::time::timeout(PATIENCE, turn).await.ok().flatten().ok_or_else(|| {
            let message = format!(
                "earlier logins to the same account have been under way for more than {} s",
                PATIENCE.as_secs()
            );
            DatabaseError::new(DatabaseErrorKind::Unreachable, message).with_source(NotAsked::at_all()).on(&self.name)
        })
    }

    async fn ask(&self, stage: SecretStage, freshness: Freshness<'_>) -> Result<Option<Arc<Credentials>>, SourceError> {
        let answer = self.source.credentials(&self.name, &self.settings, stage, freshness);
        let found = tokio::time::timeout(PATIENCE, answer).await.unwrap_or_else(|_| {
            let message = format!("the source of the secret said nothing within {} s", PATIENCE.as_secs());
            Err(DatabaseError::new(DatabaseErrorKind::SecretUnavailable, message).on(&self.name).into())
        })?;
        Ok(found.map(Arc::new))
    }

    /// The answer while no version is left: that of the server to the version tried last.
    fn nothing_left(&self) -> DatabaseError {
        self.book.last_rejection().unwrap_or_else(no_version).on(&self.name)
    }
}

fn no_version() -> DatabaseError {
    DatabaseError::new(DatabaseErrorKind::SecretUnavailable, "the source of the secret has no version of it")
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("connection", &self.0.name)
            .field("version", &self.version())
            .field("generation", &self.generation())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
