//! The client of AWS Secrets Manager and the cache in front of it.

mod fleet;
mod processes;

use std::sync::Arc;
use std::time::Duration;

use connection_manager::credentials::store::{SecretStore, StoreErrorKind};
use connection_manager::credentials::{SecretStage, completed};
use connection_manager::probe::probe;
use connection_manager::{ConnectionFactory, Freshness, Keyring, PasswordSource, SecretSource};
use secrecy::ExposeSecret;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, Engine};
use testkit::proxy::{Proxy, Traffic};
use testkit::redis::OwnRedis;

use super::desk::{CANARY, Desk, emulator, name, settings, store};

const WHOLE: &str = r#"{"engine":"mysql","host":"db.example","port":3307,"dbname":"users","username":"svc",
    "password":"canary-5f1c9e","masterarn":"arn:aws:secretsmanager:eu-central-1:123456789012:secret:master"}"#;

#[tokio::test]
async fn a_secret_is_found_by_name_and_by_arn() {
    let desk = Desk::open().await;
    let (arn, version) = desk.create("users", WHOLE).await;
    for id in [desk.id("users"), arn] {
        let settings = settings(Engine::MYSQL, id);
        let source = desk.source();
        let found = source.credentials(&name(), &settings, SecretStage::Current, Freshness::Cached).await;
        let found = found.unwrap().unwrap();
        assert_eq!((found.username.as_str(), found.password.expose_secret()), ("svc", CANARY));
        assert_eq!(found.version, version);
        let settings = completed(&source, &name(), &settings).await.unwrap();
        let place = (settings.host.as_deref(), settings.port, settings.database.as_deref());
        assert_eq!(place, (Some("db.example"), Some(3307), Some("users")));
    }
    assert_eq!(desk.front.questions(), 2, "one for each identifier");
}

#[tokio::test]
async fn what_the_settings_say_stays() {
    let desk = Desk::open().await;
    desk.create("users", WHOLE).await;
    let settings = settings(Engine::MYSQL, desk.id("users")).with_host("replica.example").with_username("other");
    let source = desk.source();
    let completed = completed(&source, &name(), &settings).await.unwrap();
    assert_eq!(completed.host.as_deref(), Some("replica.example"));
    assert_eq!(completed.database.as_deref(), Some("users"));
    let found = source.credentials(&name(), &settings, SecretStage::Current, Freshness::Cached).await.unwrap().unwrap();
    assert_eq!(found.username, "svc", "the secret's user is the one that rotates");
}

#[tokio::test]
async fn the_stages_of_a_rotation_are_told_apart() {
    let desk = Desk::open().await;
    let secret = |password: &str| format!(r#"{{"username":"svc","password":"{password}"}}"#);
    let (_, old) = desk.create("users", &secret("old")).await;
    let store = desk.store();
    let id = desk.id("users");
    let version = async |stage| store.fetch(&id, stage).await.unwrap().map(|found| found.version);
    assert_eq!(version(SecretStage::Pending).await, None);
    assert_eq!(version(SecretStage::Previous).await, None);
    let new = desk.put("users", "AWSPENDING", &secret("new")).await;
    assert_eq!(version(SecretStage::Current).await.as_deref(), Some(old.as_str()));
    assert_eq!(version(SecretStage::Pending).await.as_deref(), Some(new.as_str()));
    desk.promote("users", &old, &new).await;
    assert_eq!(version(SecretStage::Current).await.as_deref(), Some(new.as_str()));
    assert_eq!(version(SecretStage::Previous).await.as_deref(), Some(old.as_str()));
}

#[tokio::test]
async fn a_secret_that_is_not_there_or_about_to_go_is_not_found() {
    let desk = Desk::open().await;
    let kind = async |name: &str| desk.store().fetch(&desk.id(name), SecretStage::Current).await.unwrap_err().kind();
    assert_eq!(kind("users").await, StoreErrorKind::NotFound);
    desk.create("users", WHOLE).await;
    desk.delete("users").await;
    assert_eq!(kind("users").await, StoreErrorKind::NotFound);
}

#[tokio::test]
async fn failures_are_typed_by_whether_an_old_copy_may_serve() {
    let desk = Desk::open().await;
    desk.create("users", WHOLE).await;
    for (status, code, kind) in [
        (400, "AccessDeniedException", StoreErrorKind::Denied),
        (400, "ResourceNotFoundException", StoreErrorKind::NotFound),
        (400, "ThrottlingException", StoreErrorKind::Unavailable),
        (500, "InternalServiceError", StoreErrorKind::Unavailable),
        (503, "ServiceUnavailable", StoreErrorKind::Unavailable),
        (400, "InvalidParameterException", StoreErrorKind::Refused),
    ] {
        desk.front.answer(Some((status, code)));
        let error = desk.store().fetch(&desk.id("users"), SecretStage::Current).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(code) || kind == StoreErrorKind::Unavailable, "{error}");
    }
    desk.front.answer(None);
    desk.store().fetch(&desk.id("users"), SecretStage::Current).await.unwrap();
}

#[tokio::test]
async fn an_emulator_that_is_gone_or_silent_is_away_and_the_copy_serves() {
    let desk = Desk::open().await;
    desk.create("users", WHOLE).await;
    for traffic in [Traffic::Refuse, Traffic::Swallow] {
        let proxy = Proxy::start(emulator().trim_start_matches("http://")).await.unwrap();
        let store = store(&format!("http://{}", proxy.address()));
        proxy.set(traffic).await;
        let error = store.fetch(&desk.id("users"), SecretStage::Current).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{error}");
    }
    let cache = desk.cache();
    let get = async || cache.get(&desk.id("users"), SecretStage::Current, Freshness::Cached).await;
    get().await.unwrap();
    desk.front.answer(Some((500, "InternalServiceError")));
    desk.clock.advance(Duration::from_hours(2));
    get().await.unwrap();
    assert_eq!(cache.snapshot().stale_serves, 1);
    desk.front.answer(Some((400, "AccessDeniedException")));
    desk.clock.advance(Duration::from_mins(1));
    get().await.unwrap();
    testkit::eventually(Duration::from_secs(10), || cache.snapshot().secrets.is_empty()).await;
    assert_eq!(get().await.unwrap_err().kind(), StoreErrorKind::Denied);
}

#[tokio::test]
async fn what_is_wrong_with_a_secret_is_told_without_its_content() {
    let desk = Desk::open().await;
    for (name, content, engine, expected) in [
        ("text", CANARY, Engine::MYSQL, "it is not JSON"),
        ("list", r#"["canary-5f1c9e"]"#, Engine::MYSQL, "it is an array"),
        ("typo", r#"{"username":"u","pasword":"canary-5f1c9e"}"#, Engine::MYSQL, "did you mean `password`?"),
        ("user", r#"{"password":"canary-5f1c9e"}"#, Engine::MYSQL, "the field `username` is missing"),
        ("port", r#"{"username":"u","password":"p","port":"canary-5f1c9e"}"#, Engine::MYSQL, "1 to 65535"),
        ("engine", WHOLE, Engine::POSTGRES, "names another engine than the connection's, `postgres`"),
    ] {
        desk.create(name, content).await;
        let settings = settings(engine, desk.id(name));
        let (source, connection) = (desk.source(), super::desk::name());
        let found = source.credentials(&connection, &settings, SecretStage::Current, Freshness::Cached).await;
        let error = found.unwrap_err();
        assert_eq!(*error.error().kind(), DatabaseErrorKind::SecretUnavailable);
        let told = format!("{error}: {:?}: {error:?}", std::error::Error::source(&error).map(ToString::to_string));
        assert!(told.contains(expected) && told.contains(&desk.id(name)), "{told}");
        assert!(!told.contains(CANARY), "{told}");
    }
}

/// Logs in to a server that takes every password, with what AWS says through the front.
async fn log_in(keyring: &Keyring) -> Result<u64, DatabaseError> {
    let server = |_| std::future::ready(Ok(()));
    keyring.login(Duration::from_secs(5), server).await.map(|login| login.generation)
}

#[tokio::test]
async fn a_password_outlives_an_outage_of_aws_up_to_the_limit_and_never_its_refusal() {
    let desk = Desk::open().await;
    desk.create("users", WHOLE).await;
    let keyring = || Keyring::new(Arc::new(desk.source()), name(), settings(Engine::MYSQL, desk.id("users")));
    let (away, refused) = ((500, "InternalServiceError"), (400, "AccessDeniedException"));
    for (failure, later, serves) in [
        (away, Duration::from_hours(20), true),
        (away, Duration::from_hours(26), false),
        (refused, Duration::from_hours(20), false),
        ((400, "ResourceNotFoundException"), Duration::from_hours(20), false),
    ] {
        desk.front.answer(None);
        let keyring = keyring();
        log_in(&keyring).await.unwrap();
        desk.front.answer(Some(failure));
        desk.clock.advance(later);
        let outcome = log_in(&keyring).await;
        assert_eq!(outcome.is_ok(), serves, "{failure:?} for {later:?}: {outcome:?}");
        if let Err(error) = outcome {
            assert_eq!(*error.kind(), DatabaseErrorKind::SecretUnavailable);
        }
    }
}

#[tokio::test]
async fn a_cleared_secret_serves_from_memory_while_aws_is_away_and_not_once_it_refuses() {
    let desk = Desk::open().await;
    desk.create("users", WHOLE).await;
    let source = desk.source();
    let keyring = Keyring::new(Arc::new(source.clone()), name(), settings(Engine::MYSQL, desk.id("users")));
    log_in(&keyring).await.unwrap();
    source.cache().clear(&desk.id("users")).await;
    desk.front.answer(Some((500, "InternalServiceError")));
    log_in(&keyring).await.unwrap();
    desk.front.answer(Some((400, "AccessDeniedException")));
    desk.clock.advance(Duration::from_mins(1));
    assert_eq!(*log_in(&keyring).await.unwrap_err().kind(), DatabaseErrorKind::SecretUnavailable);
    desk.front.answer(Some((500, "InternalServiceError")));
    desk.clock.advance(Duration::from_mins(1));
    assert_eq!(*log_in(&keyring).await.unwrap_err().kind(), DatabaseErrorKind::SecretUnavailable);
}

#[test]
fn a_secret_of_redis_without_a_user_is_that_of_the_default_user() {
    testkit::run(async {
        let desk = Desk::open().await;
        let server = OwnRedis::start(&[]).await;
        desk.create("cache", &format!(r#"{{"engine":"redis","password":"{}"}}"#, OwnRedis::PASSWORD)).await;
        let mut settings = server.settings();
        settings.password = PasswordSource::SecretsManager { id: desk.id("cache") };
        let secrets: Arc<dyn SecretSource> = Arc::new(desk.source());
        let stages = probe(&ConnectionFactory::compiled(), &secrets, &name(), &settings).await;
        assert!(stages.iter().all(connection_manager::probe::Stage::passed), "{stages:?}");
        let login = stages.iter().find(|stage| stage.name == "login").unwrap();
        assert_eq!(login.outcome.as_deref(), Ok("as `default`"));
    });
}

#[tokio::test]
async fn a_day_of_one_get_a_second_of_each_of_twenty_secrets_costs_less_than_a_hundredth_of_the_calls() {
    const SECRETS: u64 = 20;
    let desk = Desk::open().await;
    let names: Vec<String> = (0..SECRETS).map(|number| format!("users-{number}")).collect();
    for name in &names {
        desk.create(name, WHOLE).await;
    }
    let (cache, ids) = (desk.cache(), names.iter().map(|name| desk.id(name)).collect::<Vec<_>>());
    let seconds = 24 * 60 * 60_u64;
    for _ in 0..seconds {
        for id in &ids {
            cache.get(id, SecretStage::Current, Freshness::Cached).await.unwrap();
        }
        desk.clock.advance(Duration::from_secs(1));
        // A renewal takes no time by the test's clock, so that the real one does not stretch it over hours.
        let settled = || {
            let snapshot = cache.snapshot();
            snapshot.fetches == snapshot.refreshes + SECRETS
        };
        if !settled() {
            testkit::eventually(Duration::from_secs(30), settled).await;
        }
    }
    let calls = desk.front.questions();
    assert!((24 * SECRETS..=seconds * SECRETS / 100).contains(&calls), "{calls} calls");
    assert_eq!(cache.snapshot().fetches, calls);
}

#[tokio::test]
async fn no_log_line_at_any_level_holds_the_secret() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing_subscriber::filter::LevelFilter::TRACE);
    let _guard = tracing::subscriber::set_default(subscriber.with_writer(log.clone()).with_ansi(false).finish());
    let desk = Desk::open().await;
    desk.create("users", r#"{"username":"u","password":"canary-5f1c9e"}"#).await;
    let marker = log.text().len();
    let settings = settings(Engine::MYSQL, desk.id("users"));
    let source = desk.source();
    for stage in [SecretStage::Current, SecretStage::Pending] {
        let found = source.credentials(&name(), &settings, stage, Freshness::Cached).await.unwrap();
        tracing::info!(?found, ?source, snapshot = ?source.cache().snapshot(), "printed");
    }
    desk.front.answer(Some((400, "AccessDeniedException")));
    source.credentials(&name(), &settings, SecretStage::Current, Freshness::Rejected("x")).await.unwrap();
    desk.clock.advance(Duration::from_mins(1));
    let error = source.credentials(&name(), &settings, SecretStage::Current, Freshness::Rejected("")).await;
    tracing::info!(error = ?error.unwrap_err(), "printed");
    let text = log.text();
    // What makes the secret sends it in a request, which is the test's own doing.
    assert!(text[marker..].contains("GetSecretValue") && text.contains("TRACE"), "the log is not empty");
    assert!(!text[marker..].contains(CANARY), "{}", &text[marker..]);
}

#[derive(Clone, Default)]
struct Log(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> tracing_subscriber::fmt::MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
