use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use shared_kernel::database::{ConnectionName, DatabaseError, DatabaseErrorKind};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::{Credentials, Freshness, SecretSource, SecretStage};
use crate::settings::ConnectionSettings;

/// While every known version is rejected, the source is asked for another one at most this often.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// Logins under way at the same time with a secret that cannot change.
const LOGINS: usize = 2;

/// The credentials for one endpoint, and what the server said to each version of them.
///
/// Every login goes through [`Keyring::login`]. A version that the server rejects is not tried again: not by the next
/// caller, not by the next connection, not after a retry, so that no account is locked. What takes its place is, in this
/// order, the current version if it is another one, the pending one of a rotation under way, and the previous one.
///
/// Cheap to clone; clones share what is known.
#[derive(Clone)]
pub struct Keyring(Arc<Inner>);

struct Inner {
    name: ConnectionName,
    settings: ConnectionSettings,
    source: Arc<dyn SecretSource>,
    logins: Semaphore,
    state: Mutex<State>,
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
    /// The credentials that `source` has for the connection `name`.
    pub fn new(source: Arc<dyn SecretSource>, name: ConnectionName, settings: ConnectionSettings) -> Self {
        let logins = if source.may_change(&settings) { 1 } else { LOGINS };
        Self(Arc::new(Inner {
            name,
            settings,
            source,
            logins: Semaphore::new(logins),
            state: Mutex::default(),
            generation: AtomicU64::new(0),
        }))
    }

    /// Credentials that never change.
    pub fn fixed(name: ConnectionName, credentials: Credentials) -> Self {
        let settings = ConnectionSettings::new(shared_kernel::database::Engine::from("fixed".to_owned()));
        Self::new(Arc::new(Fixed(credentials)), name, settings)
    }

    /// The number of the version that the server accepted last; 0 before the first login. Connections that were opened
    /// under a smaller number carry credentials that are on their way out.
    pub fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::Acquire)
    }

    /// Whether the source may come to name another version. See [`SecretSource::may_change`].
    pub fn may_change(&self) -> bool {
        self.0.source.may_change(&self.0.settings)
    }

    /// The version that the server accepted last.
    pub fn version(&self) -> Option<String> {
        self.0.state().accepted.as_ref().map(|accepted| accepted.version.clone())
    }

    /// Whether the source now names another version than the one accepted last, and one that is worth a try. Asks the
    /// source's cache, not the server.
    ///
    /// # Errors
    /// Why the source has no answer.
    pub async fn is_outdated(&self) -> Result<bool, DatabaseError> {
        let current = self.0.ask(SecretStage::Current, Freshness::Cached).await?;
        let state = self.0.state();
        let Some(accepted) = &state.accepted else { return Ok(false) };
        Ok(current
            .is_some_and(|current| current.version != accepted.version && !state.rejected.contains(&current.version)))
    }

    /// Logs in: `attempt` is called with one version after the other until the server accepts one, each version at most
    /// once in the keyring's life.
    ///
    /// Dropping the future gives up the attempt under way.
    ///
    /// # Errors
    /// `AuthRejected` when the server rejects every version that there is, at once and without an attempt when that is
    /// known already; any other error of `attempt`; `SecretUnavailable`.
    pub async fn login<S, F>(&self, attempt: impl Fn(Arc<Credentials>) -> F) -> Result<Login<S>, DatabaseError>
    where
        F: Future<Output = Result<S, DatabaseError>>,
    {
        // Closed never.
        let _turn = self.0.logins.acquire().await;
        let mut candidates = Candidates::new(&self.0);
        while let Some(credentials) = candidates.next().await? {
            match attempt(Arc::clone(&credentials)).await {
                Ok(session) => return Ok(Login { session, generation: self.0.accept(credentials) }),
                Err(error) if *error.kind() == DatabaseErrorKind::AuthRejected => {
                    self.0.reject(&credentials, error, &candidates.tried);
                }
                Err(error) => return Err(error),
            }
        }
        Err(self.0.nothing_left())
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(
        &self,
        stage: SecretStage,
        freshness: Freshness<'_>,
    ) -> Result<Option<Arc<Credentials>>, DatabaseError> {
        let found = self.source.credentials(&self.name, &self.settings, stage, freshness).await?;
        Ok(found.map(Arc::new))
    }

    fn is_rejected(&self, version: &str) -> bool {
        self.state().rejected.contains(version)
    }

    fn accept(&self, credentials: Arc<Credentials>) -> u64 {
        let mut state = self.state();
        state.look_again = None;
        let known = state.accepted.as_ref().is_some_and(|accepted| accepted.version == credentials.version);
        if !known {
            tracing::info!(
                connection = %self.name, user = credentials.username, version = credentials.version,
                "the server accepts these credentials"
            );
            state.accepted = Some(credentials);
            self.generation.fetch_add(1, Ordering::AcqRel);
        }
        self.generation.load(Ordering::Acquire)
    }

    /// Notes a rejection by a login that tried these versions, the rejected one last.
    fn reject(&self, credentials: &Credentials, error: DatabaseError, tried: &[String]) {
        let message =
            format!("login rejected for user `{}` (secret version {})", credentials.username, credentials.version);
        let mut rejection = DatabaseError::new(DatabaseErrorKind::AuthRejected, message);
        if let Some(code) = error.code() {
            rejection = rejection.with_code(code);
        }
        let rejection = rejection.with_source(error).on(&self.name);
        tracing::warn!(connection = %self.name, user = credentials.username, version = credentials.version, "login rejected");
        let mut state = self.state();
        if state.accepted.as_ref().is_some_and(|accepted| accepted.version == credentials.version) {
            // The server has changed its mind: what it said to other versions before this login says nothing any more.
            state.accepted = None;
            state.rejected.retain(|version| tried.contains(version));
        }
        state.rejected.insert(credentials.version.clone());
        state.last_rejection = Some(rejection);
    }

    /// The answer while no version is left: that of the server to the version tried last.
    fn nothing_left(&self) -> DatabaseError {
        let state = self.state();
        state.last_rejection.clone().unwrap_or_else(|| {
            let message = "the source of the secret has no version of it";
            DatabaseError::new(DatabaseErrorKind::SecretUnavailable, message).on(&self.name)
        })
    }

    /// Whether the source may be asked for more. Notes that it is, so that those who come after wait their while.
    fn may_look(&self) -> bool {
        let mut state = self.state();
        let now = Instant::now();
        if state.look_again.is_some_and(|at| now < at) {
            return false;
        }
        state.look_again = Some(now + LOOK_AGAIN);
        true
    }
}

/// The versions that one login tries, best first.
struct Candidates<'a> {
    keyring: &'a Inner,
    step: Step,
    /// The versions that this login tried, in order.
    tried: Vec<String>,
    /// A version that is known to be rejected, by this login or before: what a cache is told to look behind.
    rejected: String,
}

#[derive(Clone, Copy)]
enum Step {
    /// What the source's cache names.
    Cached,
    /// What the server accepted last.
    Accepted,
    Current,
    Pending,
    Previous,
    Over,
}

impl<'a> Candidates<'a> {
    fn new(keyring: &'a Inner) -> Self {
        Self { keyring, step: Step::Cached, tried: Vec::new(), rejected: String::new() }
    }

    async fn next(&mut self) -> Result<Option<Arc<Credentials>>, DatabaseError> {
        loop {
            let found = match self.step {
                Step::Cached => {
                    self.step = Step::Accepted;
                    match self.keyring.ask(SecretStage::Current, Freshness::Cached).await {
                        Ok(found) => found,
                        // What the server accepted last is known without the source.
                        Err(_) if self.keyring.state().accepted.is_some() => None,
                        Err(error) => return Err(error),
                    }
                }
                Step::Accepted => {
                    self.step = Step::Current;
                    let accepted = self.keyring.state().accepted.clone();
                    accepted.filter(|accepted| !self.tried.contains(&accepted.version))
                }
                Step::Current => {
                    if self.tried.is_empty() && !self.keyring.may_look() {
                        self.step = Step::Over;
                        continue;
                    }
                    self.step = Step::Pending;
                    match self.keyring.ask(SecretStage::Current, Freshness::Rejected(&self.rejected)).await {
                        Ok(found) => found,
                        Err(error) if self.tried.is_empty() => return Err(error),
                        // That the login was rejected is true all the same, and other stages may be at hand.
                        Err(error) => {
                            tracing::warn!(connection = %self.keyring.name, %error, "the current version cannot be read");
                            None
                        }
                    }
                }
                Step::Pending => {
                    self.step = Step::Previous;
                    self.staged(SecretStage::Pending).await
                }
                Step::Previous => {
                    self.step = Step::Over;
                    self.staged(SecretStage::Previous).await
                }
                Step::Over => return Ok(None),
            };
            let Some(found) = found else { continue };
            self.rejected.clone_from(&found.version);
            if !self.keyring.is_rejected(&found.version) {
                self.tried.push(found.version.clone());
                return Ok(Some(found));
            }
        }
    }

    async fn staged(&self, stage: SecretStage) -> Option<Arc<Credentials>> {
        match self.keyring.ask(stage, Freshness::Rejected(&self.rejected)).await {
            Ok(found) => found,
            // The answer to the caller is that the login was rejected, which is true without this stage as well.
            Err(error) => {
                tracing::warn!(connection = %self.keyring.name, ?stage, %error, "a stage of the secret cannot be read");
                None
            }
        }
    }
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

/// Credentials that the program itself has.
#[derive(Debug)]
struct Fixed(Credentials);

#[async_trait]
impl SecretSource for Fixed {
    async fn credentials(
        &self,
        _name: &ConnectionName,
        _settings: &ConnectionSettings,
        stage: SecretStage,
        _freshness: Freshness<'_>,
    ) -> Result<Option<Credentials>, DatabaseError> {
        Ok((stage == SecretStage::Current).then(|| self.0.clone()))
    }

    fn may_change(&self, _settings: &ConnectionSettings) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use secrecy::{ExposeSecret, SecretString};
    use shared_kernel::database::Engine;

    use super::*;

    /// A secret whose stages a test moves, and a server that takes one password.
    #[derive(Debug, Default)]
    struct Rotating {
        stages: Mutex<HashMap<SecretStage, &'static str>>,
        /// What the cache still says of the current stage.
        cached: Mutex<Option<&'static str>>,
        password: Mutex<&'static str>,
        attempts: Mutex<Vec<String>>,
        questions: Mutex<u32>,
    }

    #[async_trait]
    impl SecretSource for Rotating {
        async fn credentials(
            &self,
            _name: &ConnectionName,
            _settings: &ConnectionSettings,
            stage: SecretStage,
            freshness: Freshness<'_>,
        ) -> Result<Option<Credentials>, DatabaseError> {
            *self.questions.lock().unwrap() += 1;
            let cached = self.cached.lock().unwrap().filter(|_| stage == SecretStage::Current);
            let cached = cached.filter(|cached| freshness != Freshness::Rejected(cached));
            let found = cached.or_else(|| self.stages.lock().unwrap().get(&stage).copied());
            Ok(found.map(|version| Credentials {
                username: "svc".to_owned(),
                password: SecretString::from(version),
                version: version.to_owned(),
            }))
        }

        fn may_change(&self, _settings: &ConnectionSettings) -> bool {
            true
        }
    }

    impl Rotating {
        fn new(stages: &[(SecretStage, &'static str)], password: &'static str) -> (Arc<Self>, Keyring) {
            let this = Arc::new(Self::default());
            this.set(stages, password);
            let settings = ConnectionSettings::new(Engine::MYSQL);
            let keyring =
                Keyring::new(Arc::clone(&this) as Arc<dyn SecretSource>, "users".parse().expect("a name"), settings);
            (this, keyring)
        }

        fn set(&self, stages: &[(SecretStage, &'static str)], password: &'static str) {
            *self.stages.lock().unwrap() = stages.iter().copied().collect();
            *self.password.lock().unwrap() = password;
        }

        fn attempts(&self) -> Vec<String> {
            std::mem::take(&mut *self.attempts.lock().unwrap())
        }
    }

    async fn login(server: &Arc<Rotating>, keyring: &Keyring) -> Result<u64, DatabaseErrorKind> {
        let attempt = |credentials: Arc<Credentials>| async move {
            server.attempts.lock().unwrap().push(credentials.version.clone());
            if credentials.password.expose_secret() == *server.password.lock().unwrap() {
                Ok(())
            } else {
                Err(DatabaseError::new(DatabaseErrorKind::AuthRejected, "no"))
            }
        };
        keyring.login(attempt).await.map(|login| login.generation).map_err(|error| error.kind().clone())
    }

    use SecretStage::{Current, Pending, Previous};

    #[tokio::test]
    async fn the_current_version_is_used_for_as_long_as_it_is_accepted() {
        let (server, keyring) = Rotating::new(&[(Current, "one")], "one");
        assert_eq!(login(&server, &keyring).await, Ok(1));
        assert_eq!(login(&server, &keyring).await, Ok(1));
        assert_eq!(server.attempts(), ["one", "one"]);
        assert_eq!(keyring.version().as_deref(), Some("one"));
    }

    #[tokio::test]
    async fn between_the_change_at_the_server_and_the_promotion_the_pending_version_serves() {
        let (server, keyring) = Rotating::new(&[(Current, "one")], "one");
        login(&server, &keyring).await.unwrap();
        server.set(&[(Current, "one"), (Pending, "two")], "two");
        assert_eq!(login(&server, &keyring).await, Ok(2));
        assert_eq!(login(&server, &keyring).await, Ok(2));
        server.set(&[(Current, "two"), (Previous, "one")], "two");
        assert_eq!(login(&server, &keyring).await, Ok(2));
        assert_eq!(server.attempts(), ["one", "one", "two", "two", "two"]);
    }

    #[tokio::test]
    async fn a_cache_that_is_behind_is_asked_for_another_version_than_the_rejected_one() {
        let (server, keyring) = Rotating::new(&[(Current, "one")], "one");
        *server.cached.lock().unwrap() = Some("one");
        login(&server, &keyring).await.unwrap();
        server.set(&[(Current, "two"), (Previous, "one")], "two");
        assert_eq!(login(&server, &keyring).await, Ok(2));
        assert_eq!(server.attempts(), ["one", "one", "two"]);
    }

    #[tokio::test]
    async fn the_previous_version_serves_where_the_server_is_behind() {
        let (server, keyring) = Rotating::new(&[(Current, "two"), (Previous, "one")], "one");
        assert_eq!(login(&server, &keyring).await, Ok(1));
        assert_eq!(server.attempts(), ["two", "one"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_version_that_was_rejected_is_not_tried_again_by_anybody() {
        let (server, keyring) = Rotating::new(&[(Current, "one"), (Pending, "two"), (Previous, "zero")], "other");
        for _ in 0..20 {
            assert_eq!(login(&server, &keyring).await, Err(DatabaseErrorKind::AuthRejected));
            tokio::time::advance(LOOK_AGAIN).await;
        }
        assert_eq!(server.attempts(), ["one", "two", "zero"]);
        server.set(&[(Current, "three")], "three");
        assert_eq!(login(&server, &keyring).await, Ok(1));
        assert_eq!(server.attempts(), ["three"]);
    }

    #[tokio::test]
    async fn one_login_tries_no_version_twice() {
        let (server, keyring) = Rotating::new(&[(Current, "one")], "one");
        login(&server, &keyring).await.unwrap();
        // A new version that the server does not know, while it has forgotten the old one.
        server.set(&[(Current, "two"), (Previous, "one")], "other");
        assert_eq!(login(&server, &keyring).await, Err(DatabaseErrorKind::AuthRejected));
        assert_eq!(login(&server, &keyring).await, Err(DatabaseErrorKind::AuthRejected));
        assert_eq!(server.attempts(), ["one", "two", "one"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_cache_does_not_hide_the_version_that_ends_a_lockout() {
        let (server, keyring) = Rotating::new(&[(Current, "one")], "two");
        *server.cached.lock().unwrap() = Some("one");
        assert_eq!(login(&server, &keyring).await, Err(DatabaseErrorKind::AuthRejected));
        // The store has a new version; the cache has yet to hear of it.
        server.set(&[(Current, "two"), (Previous, "one")], "two");
        assert_eq!(login(&server, &keyring).await, Ok(1));
        assert_eq!(server.attempts(), ["one", "two"]);
    }

    #[tokio::test(start_paused = true)]
    async fn while_every_version_is_rejected_the_source_is_asked_now_and_then() {
        let (server, keyring) = Rotating::new(&[(Current, "one")], "other");
        *server.cached.lock().unwrap() = Some("one");
        login(&server, &keyring).await.unwrap_err();
        let _ = login(&server, &keyring).await;
        let before = *server.questions.lock().unwrap();
        for _ in 0..100 {
            login(&server, &keyring).await.unwrap_err();
        }
        // The cache is asked each time.
        assert_eq!(*server.questions.lock().unwrap() - before, 100);
    }

    #[tokio::test]
    async fn a_rotation_that_is_taken_back_brings_the_old_version_back() {
        let (server, keyring) = Rotating::new(&[(Current, "one")], "one");
        login(&server, &keyring).await.unwrap();
        server.set(&[(Current, "one"), (Pending, "two")], "two");
        login(&server, &keyring).await.unwrap();
        server.set(&[(Current, "one")], "one");
        assert_eq!(login(&server, &keyring).await, Ok(3));
        assert_eq!(server.attempts(), ["one", "one", "two", "two", "one"]);
    }

    #[tokio::test]
    async fn a_new_version_that_the_server_does_not_know_yet_costs_one_rejection_and_no_login() {
        let (server, keyring) = Rotating::new(&[(Current, "one")], "one");
        login(&server, &keyring).await.unwrap();
        server.set(&[(Current, "two"), (Previous, "one")], "one");
        assert!(keyring.is_outdated().await.unwrap());
        assert_eq!(login(&server, &keyring).await, Ok(1));
        assert!(!keyring.is_outdated().await.unwrap());
        assert_eq!(login(&server, &keyring).await, Ok(1));
        assert_eq!(server.attempts(), ["one", "two", "one", "one"]);
    }

    #[tokio::test]
    async fn what_is_said_names_user_and_version_and_no_password() {
        let (_, keyring) = Rotating::new(&[(Current, "one")], "other");
        let attempt =
            |_| async { Err::<(), _>(DatabaseError::new(DatabaseErrorKind::AuthRejected, "no").with_code("1045")) };
        let error = keyring.login(attempt).await.unwrap_err();
        let expected = "connection `users`: login rejected for user `svc` (secret version one) (code 1045)";
        assert_eq!(error.to_string(), expected);
    }
}
