use std::collections::HashMap;
use std::error::Error;
use std::sync::Mutex;

use async_trait::async_trait;
use secrecy::{ExposeSecret, SecretString};
use tokio::time::Instant;

use super::*;
use crate::credentials::PasswordSource;

/// A secret whose stages a test moves, and a server that takes one password.
#[derive(Debug, Default)]
struct Rotating {
    stages: Mutex<HashMap<SecretStage, &'static str>>,
    /// What the cache still says of the current stage.
    cached: Mutex<Option<&'static str>>,
    password: Mutex<&'static str>,
    attempts: Mutex<Vec<String>>,
    questions: Mutex<u32>,
    /// Why the source has no answer, and whether earlier ones count.
    failure: Mutex<Option<bool>>,
    /// How long the source takes to answer.
    delay: Mutex<Duration>,
    /// What the server says to every login, when it is not about the password.
    refusal: Mutex<Option<DatabaseError>>,
    /// How long the server takes to answer.
    silence: Mutex<Duration>,
}

#[async_trait]
impl SecretSource for Rotating {
    async fn credentials(
        &self,
        _name: &ConnectionName,
        _settings: &ConnectionSettings,
        stage: SecretStage,
        freshness: Freshness<'_>,
    ) -> Result<Option<Credentials>, SourceError> {
        *self.questions.lock().unwrap() += 1;
        let delay = *self.delay.lock().unwrap();
        tokio::time::sleep(delay).await;
        if let Some(earlier_answers_count) = *self.failure.lock().unwrap() {
            let error = SourceError::from(DatabaseError::new(DatabaseErrorKind::SecretUnavailable, "as planned"));
            return Err(if earlier_answers_count { error.earlier_answers_count() } else { error });
        }
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

    fn identity(&self, settings: &ConnectionSettings) -> Option<String> {
        match &settings.password {
            PasswordSource::SecretsManager { id } => Some(id.clone()),
            _ => None,
        }
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

/// How long an attempt may take.
const LIMIT: Duration = Duration::from_secs(5);

async fn log_in(server: &Arc<Rotating>, keyring: &Keyring) -> Result<u64, DatabaseError> {
    let attempt = |credentials: Arc<Credentials>| async move {
        server.attempts.lock().unwrap().push(credentials.version.clone());
        let silence = *server.silence.lock().unwrap();
        tokio::time::sleep(silence).await;
        if let Some(refusal) = server.refusal.lock().unwrap().clone() {
            return Err(refusal);
        }
        if credentials.password.expose_secret() == *server.password.lock().unwrap() {
            Ok(())
        } else {
            Err(DatabaseError::new(DatabaseErrorKind::AuthRejected, "no"))
        }
    };
    keyring.login(LIMIT, attempt).await.map(|login| login.generation)
}

async fn login(server: &Arc<Rotating>, keyring: &Keyring) -> Result<u64, DatabaseErrorKind> {
    log_in(server, keyring).await.map_err(|error| error.kind().clone())
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
    let error = keyring.login(LIMIT, attempt).await.unwrap_err();
    let expected = "connection `users`: login rejected for user `svc` (secret version one) (code 1045)";
    assert_eq!(error.to_string(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_refuses_takes_back_what_was_accepted() {
    let (server, keyring) = Rotating::new(&[(Current, "one")], "one");
    login(&server, &keyring).await.unwrap();
    *server.failure.lock().unwrap() = Some(false);
    assert_eq!(login(&server, &keyring).await, Err(DatabaseErrorKind::SecretUnavailable));
    assert_eq!(server.attempts(), ["one"]);
}

#[tokio::test]
async fn a_secret_that_is_gone_is_not_used_from_memory() {
    let (server, keyring) = Rotating::new(&[(Current, "one")], "one");
    login(&server, &keyring).await.unwrap();
    server.set(&[], "one");
    assert_eq!(login(&server, &keyring).await, Err(DatabaseErrorKind::SecretUnavailable));
    assert_eq!(server.attempts(), ["one"]);
}

#[tokio::test]
async fn while_the_source_is_away_and_its_answers_count_the_accepted_version_serves() {
    let (server, keyring) = Rotating::new(&[(Current, "one")], "one");
    *server.failure.lock().unwrap() = Some(true);
    assert_eq!(login(&server, &keyring).await, Err(DatabaseErrorKind::SecretUnavailable), "there was no answer yet");
    *server.failure.lock().unwrap() = None;
    login(&server, &keyring).await.unwrap();
    *server.failure.lock().unwrap() = Some(true);
    assert_eq!(login(&server, &keyring).await, Ok(1));
    assert_eq!(server.attempts(), ["one", "one"]);
}

#[tokio::test(start_paused = true)]
async fn a_cache_does_not_hide_a_third_version_behind_two_rejected_ones() {
    let (server, keyring) = Rotating::new(&[(Current, "one")], "one");
    login(&server, &keyring).await.unwrap();
    // The server knows neither the new version nor the old one any more; the cache holds the new one.
    server.set(&[(Current, "two"), (Previous, "one")], "three");
    *server.cached.lock().unwrap() = Some("two");
    login(&server, &keyring).await.unwrap_err();
    assert_eq!(server.attempts(), ["one", "two", "one"]);
    tokio::time::advance(LOOK_AGAIN).await;
    server.set(&[(Current, "three"), (Previous, "two")], "three");
    assert_eq!(login(&server, &keyring).await, Ok(2));
    assert_eq!(server.attempts(), ["three"]);
}

#[tokio::test]
async fn a_cache_does_not_hide_a_third_version_in_the_login_that_finds_two_rejected() {
    let (server, keyring) = Rotating::new(&[(Current, "one")], "one");
    login(&server, &keyring).await.unwrap();
    // What the cache holds is rejected, then what was accepted; behind the cache is a third version by now.
    *server.cached.lock().unwrap() = Some("two");
    server.set(&[(Current, "three")], "three");
    assert_eq!(login(&server, &keyring).await, Ok(2));
    assert_eq!(server.attempts(), ["one", "two", "one", "three"]);
}

/// A keyring of a keychain, for a connection to some server with some secret.
fn shared(keychain: &Keychain, server: &Arc<Rotating>, name: &str, host: &str, secret: &str) -> Keyring {
    let settings = ConnectionSettings::new(Engine::MYSQL)
        .with_host(host)
        .with_password(PasswordSource::SecretsManager { id: secret.to_owned() });
    keychain.keyring(server.clone(), name.parse().expect("a name"), settings, Some(3306))
}

#[tokio::test(start_paused = true)]
async fn connections_to_one_server_with_one_secret_share_what_the_server_said() {
    let (server, _) = Rotating::new(&[(Current, "one")], "other");
    let keychain = Keychain::default();
    let keyring = |name, host, secret| shared(&keychain, &server, name, host, secret);
    let (users, books) = (keyring("users", "db.example", "svc"), keyring("books", "DB.example", "svc"));
    for keyring in [&users, &books, &users] {
        assert_eq!(login(&server, keyring).await, Err(DatabaseErrorKind::AuthRejected));
    }
    assert_eq!(server.attempts(), ["one"]);
    let error = log_in(&server, &books).await.unwrap_err();
    assert!(error.to_string().starts_with("connection `books`: "), "{error}");
    // Another server, another secret: what this one said says nothing of them.
    login(&server, &keyring("replica", "replica.example", "svc")).await.unwrap_err();
    login(&server, &keyring("admin", "db.example", "admin")).await.unwrap_err();
    assert_eq!(server.attempts(), ["one", "one"]);
    // A connection that is opened anew has not forgotten.
    login(&server, &keyring("users", "db.example", "svc")).await.unwrap_err();
    assert_eq!(server.attempts(), [""; 0]);
    server.set(&[(Current, "two")], "two");
    tokio::time::advance(LOOK_AGAIN).await;
    assert_eq!(login(&server, &users).await, Ok(1));
    assert_eq!(books.generation(), 1);
}

#[tokio::test]
async fn many_connections_that_log_in_together_have_one_wrong_password_rejected_once() {
    let (server, _) = Rotating::new(&[(Current, "one")], "other");
    let keychain = Keychain::default();
    let names: Vec<String> = (0..20).map(|number| format!("users-{number}")).collect();
    let keyrings: Vec<Keyring> =
        names.iter().map(|name| shared(&keychain, &server, name, "db.example", "svc")).collect();
    let logins = keyrings.iter().map(|keyring| login(&server, keyring));
    assert!(futures_util::future::join_all(logins).await.iter().all(Result::is_err));
    assert_eq!(server.attempts(), ["one"]);
}

fn first_cause(error: &DatabaseError) -> String {
    let mut cause: &dyn Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_is_not_about_the_password_ends_attempts_for_a_while_and_costs_no_version() {
    let (server, keyring) = Rotating::new(&[(Current, "one"), (Previous, "zero")], "one");
    let pause = Duration::from_mins(1);
    let locked = DatabaseError::new(DatabaseErrorKind::AuthRejected, "the account is locked")
        .with_code("3118")
        .with_source(std::io::Error::other("account 'svc' is locked"))
        .with_retry_after(pause);
    *server.refusal.lock().unwrap() = Some(locked);
    for login in 0..20 {
        let error = log_in(&server, &keyring).await.unwrap_err();
        assert_eq!(first_cause(&error), "account 'svc' is locked", "what the server said is told each time");
        assert_eq!((error.code(), was_asked(&error)), (Some("3118"), login == 0), "{error:?}");
        assert_eq!((error.kind(), error.message()), (&DatabaseErrorKind::AuthRejected, "the account is locked"));
        assert!(error.retry_after().is_some_and(|left| left <= pause), "{error:?}");
        tokio::time::advance(Duration::from_secs(1)).await;
    }
    assert_eq!(server.attempts(), ["one"]);
    *server.refusal.lock().unwrap() = None;
    tokio::time::advance(pause).await;
    assert_eq!(login(&server, &keyring).await, Ok(1));
    assert_eq!(server.attempts(), ["one"]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_secret_takes_nothing_from_the_time_to_connect() {
    let (server, keyring) = Rotating::new(&[(Current, "one")], "one");
    *server.delay.lock().unwrap() = LIMIT * 3;
    *server.silence.lock().unwrap() = LIMIT * 9 / 10;
    assert_eq!(login(&server, &keyring).await, Ok(1));
    // Nor does a wait for the others' logins.
    let logins = (0..3).map(|_| login(&server, &keyring));
    assert!(futures_util::future::join_all(logins).await.iter().all(|outcome| *outcome == Ok(1)));
}

#[tokio::test(start_paused = true)]
async fn a_source_that_says_nothing_is_given_up() {
    let (server, keyring) = Rotating::new(&[(Current, "one")], "one");
    *server.delay.lock().unwrap() = Duration::from_hours(1);
    let began = Instant::now();
    assert_eq!(login(&server, &keyring).await, Err(DatabaseErrorKind::SecretUnavailable));
    assert_eq!(began.elapsed(), PATIENCE);
}

#[tokio::test(start_paused = true)]
async fn a_server_too_slow_to_reject_is_not_asked_again_and_again() {
    let (server, keyring) = Rotating::new(&[(Current, "one")], "other");
    *server.silence.lock().unwrap() = LIMIT * 2;
    let began = Instant::now();
    let mut asked = 0;
    while began.elapsed() < Duration::from_hours(1) {
        assert_eq!(login(&server, &keyring).await, Err(DatabaseErrorKind::Unreachable));
        asked += 1;
        tokio::time::advance(Duration::from_millis(100)).await;
    }
    let attempts = server.attempts().len();
    assert!(attempts <= 20 && asked > 1000, "{attempts} attempts of {asked} in an hour");
    // It says something in the end, and that counts.
    *server.silence.lock().unwrap() = Duration::ZERO;
    tokio::time::advance(Duration::from_mins(5)).await;
    assert_eq!(login(&server, &keyring).await, Err(DatabaseErrorKind::AuthRejected));
    tokio::time::advance(Duration::from_mins(5)).await;
    login(&server, &keyring).await.unwrap_err();
    assert_eq!(server.attempts(), ["one"]);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_was_silent_for_a_moment_is_reached_again_soon() {
    let (server, keyring) = Rotating::new(&[(Current, "one")], "one");
    login(&server, &keyring).await.unwrap();
    *server.silence.lock().unwrap() = LIMIT * 2;
    login(&server, &keyring).await.unwrap_err();
    *server.silence.lock().unwrap() = Duration::ZERO;
    let began = Instant::now();
    assert_eq!(login(&server, &keyring).await, Ok(1));
    assert!(began.elapsed() <= Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_login_that_is_given_up_half_way_counts() {
    let (server, keyring) = Rotating::new(&[(Current, "one")], "other");
    *server.silence.lock().unwrap() = LIMIT / 2;
    for _ in 0..50 {
        let given_up = tokio::time::timeout(LIMIT / 4, login(&server, &keyring)).await;
        assert!(!matches!(given_up, Ok(Ok(_))));
    }
    assert!(server.attempts().len() <= 3, "the wrong password was sent to the server again and again");
}

#[tokio::test(start_paused = true)]
async fn a_version_that_is_accepted_after_all_ends_the_pause() {
    let credentials =
        Credentials { username: "svc".to_owned(), password: SecretString::from("one"), version: "one".to_owned() };
    let keyring = &Keyring::fixed("users".parse().expect("a name"), credentials);
    let log_in = |after: Duration, answer: Duration| async move {
        tokio::time::sleep(after).await;
        let attempt = move |_| async move {
            tokio::time::sleep(answer).await;
            Ok::<(), DatabaseError>(())
        };
        keyring.login(LIMIT, attempt).await.map(drop)
    };
    log_in(Duration::ZERO, Duration::ZERO).await.unwrap();
    let began = Instant::now();
    // The last one has its turn when the first is cut, and the second is answered half a second later.
    let (cut, answered, next) = tokio::join!(
        log_in(Duration::ZERO, LIMIT * 2),
        log_in(LIMIT / 2, LIMIT * 3 / 5),
        log_in(LIMIT * 4 / 5, Duration::ZERO),
    );
    assert_eq!(*cut.unwrap_err().kind(), DatabaseErrorKind::Unreachable);
    answered.unwrap();
    next.unwrap();
    assert!(began.elapsed() < LIMIT + Duration::from_secs(1), "{:?}", began.elapsed());
}

/// What did not ask the server ends no row of attempts that it did not answer.
#[tokio::test(start_paused = true)]
async fn an_attempt_that_asks_nobody_counts_as_none() {
    let (server, keyring) = Rotating::new(&[(Current, "one")], "one");
    *server.silence.lock().unwrap() = 2 * LIMIT;
    log_in(&server, &keyring).await.unwrap_err();
    *server.silence.lock().unwrap() = Duration::ZERO;
    let unasked = DatabaseError::new(DatabaseErrorKind::Saturated, "no place").with_source(NotAsked::at_all());
    *server.refusal.lock().unwrap() = Some(unasked);
    let error = log_in(&server, &keyring).await.unwrap_err();
    assert_eq!(error.kind(), &DatabaseErrorKind::Saturated, "{error}");
    *server.silence.lock().unwrap() = 2 * LIMIT;
    log_in(&server, &keyring).await.unwrap_err();
    let told = log_in(&server, &keyring).await.unwrap_err();
    assert_eq!(told.retry_after(), Some(2 * LIMIT), "twice as long as after the first, which was waited for");
}
