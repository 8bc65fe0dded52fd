use aws_credential_types::Credentials as AwsCredentials;
use aws_credential_types::provider::{self, ProvideCredentials, SharedCredentialsProvider, future};
use secrecy::ExposeSecret;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use testkit::FakeClock;

use super::*;
use crate::credentials::Keyring;
use crate::settings::TlsSettings;

/// Who the process is: somebody whose credentials end after a while, and who may be unknown for the moment.
#[derive(Debug, Default)]
struct Identity {
    ends: std::sync::Mutex<Option<DateTime<Utc>>>,
    unknown: AtomicBool,
    questions: AtomicU64,
}

#[derive(Debug)]
struct Provider(Arc<Identity>);

impl ProvideCredentials for Provider {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        self.0.questions.fetch_add(1, Ordering::SeqCst);
        if self.0.unknown.load(Ordering::SeqCst) {
            let nobody = provider::error::CredentialsError::not_loaded("as planned");
            return future::ProvideCredentials::ready(Err(nobody));
        }
        let ends = self.0.ends.lock().expect("not poisoned").map(Into::into);
        future::ProvideCredentials::ready(Ok(AwsCredentials::new("akid", "canary", None, ends, "test")))
    }
}

struct Desk {
    identity: Arc<Identity>,
    clock: Arc<FakeClock>,
    tokens: RdsTokens,
}

impl Desk {
    fn open() -> Self {
        let (identity, clock) = (Arc::<Identity>::default(), Arc::<FakeClock>::default());
        let config = SdkConfig::builder()
            .region(Region::new("eu-central-1"))
            .credentials_provider(SharedCredentialsProvider::new(Provider(identity.clone())))
            .build();
        let settings = RdsTokenSettings { region: None, timeout: Duration::from_secs(5) };
        let tokens = RdsTokens::with_config(config, settings, clock.clone());
        Self { identity, clock, tokens }
    }

    fn questions(&self) -> u64 {
        self.identity.questions.load(Ordering::SeqCst)
    }

    async fn ask(&self, freshness: Freshness<'_>) -> Result<(String, String), SourceError> {
        let found = self.tokens.credentials(&name(), &settings(), SecretStage::Current, freshness).await?;
        let found = found.expect("there is a current version");
        Ok((found.password.expose_secret().to_owned(), found.version))
    }
}

fn name() -> ConnectionName {
    "users".parse().expect("a name")
}

fn settings() -> ConnectionSettings {
    ConnectionSettings::new(Engine::POSTGRES)
        .with_host("db.example")
        .with_username("svc")
        .with_password(PasswordSource::RdsIam { region: None })
        .with_tls(TlsSettings::default())
}

#[tokio::test]
async fn a_token_serves_every_login_and_is_renewed_well_before_its_end() {
    let desk = Desk::open();
    let (first, version) = desk.ask(Freshness::Cached).await.unwrap();
    assert!(first.starts_with("db.example:5432/?Action=connect&DBUser=svc&") && first.contains("eu-central-1"));
    desk.clock.advance(Duration::from_secs(8 * 60 + 59));
    assert_eq!(desk.ask(Freshness::Cached).await.unwrap().0, first);
    assert_eq!(desk.questions(), 1);
    desk.clock.advance(Duration::from_secs(1));
    let (second, same) = desk.ask(Freshness::Cached).await.unwrap();
    assert_ne!(first, second);
    assert_eq!(version, same, "what was opened with the first one lives on");
    let stages = [SecretStage::Pending, SecretStage::Previous];
    for stage in stages {
        assert!(desk.tokens.credentials(&name(), &settings(), stage, Freshness::Cached).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_token_ends_with_the_credentials_that_signed_it() {
    let desk = Desk::open();
    *desk.identity.ends.lock().unwrap() = Some(desk.clock.now() + TimeDelta::minutes(5));
    let (first, _) = desk.ask(Freshness::Cached).await.unwrap();
    desk.clock.advance(Duration::from_mins(3));
    assert_ne!(desk.ask(Freshness::Cached).await.unwrap().0, first);
}

#[tokio::test]
async fn a_token_outlives_a_moment_in_which_nobody_says_who_the_process_is() {
    let desk = Desk::open();
    let (first, _) = desk.ask(Freshness::Cached).await.unwrap();
    desk.identity.unknown.store(true, Ordering::SeqCst);
    desk.clock.advance(Duration::from_mins(13));
    assert_eq!(desk.ask(Freshness::Cached).await.unwrap().0, first);
    desk.clock.advance(Duration::from_mins(1));
    let error = desk.ask(Freshness::Cached).await.unwrap_err();
    assert_eq!(*error.error().kind(), DatabaseErrorKind::SecretUnavailable);
    assert!(!error.do_earlier_answers_count() && !format!("{error:?}").contains("canary"), "{error:?}");
}

#[tokio::test]
async fn a_rejected_token_has_a_successor_after_a_pause() {
    let desk = Desk::open();
    let (_, version) = desk.ask(Freshness::Cached).await.unwrap();
    let rejected = Freshness::Rejected(&version);
    assert_eq!(desk.ask(rejected).await.unwrap().1, version, "made a moment ago: another one would be no better");
    desk.clock.advance(Duration::from_secs(30));
    let (_, next) = desk.ask(rejected).await.unwrap();
    assert_ne!(next, version);
    assert_eq!(desk.ask(rejected).await.unwrap().1, next, "it is another version than the rejected one");
}

#[tokio::test]
async fn logins_with_one_token_after_the_other_are_one_generation() {
    let desk = Desk::open();
    let keyring = Keyring::new(Arc::new(desk.tokens.clone()), name(), settings());
    let server = |_| std::future::ready(Ok(()));
    for _ in 0..5 {
        let login = keyring.login(Duration::from_secs(5), server).await.unwrap();
        assert_eq!(login.generation, 1);
        desk.clock.advance(Duration::from_mins(10));
    }
    assert_eq!(desk.questions(), 5);
}

#[tokio::test]
async fn many_who_log_in_together_share_a_token() {
    let desk = Desk::open();
    let asking = (0..50).map(|_| desk.ask(Freshness::Cached));
    let found = futures_util::future::join_all(asking).await;
    assert!(found.iter().all(Result::is_ok));
    assert_eq!(desk.questions(), 1);
}

#[tokio::test]
async fn no_token_is_made_for_a_server_that_is_not_checked() {
    let desk = Desk::open();
    for tls in [TlsSettings::disabled(), TlsSettings::required()] {
        let settings = settings().with_tls(tls);
        let found = desk.tokens.credentials(&name(), &settings, SecretStage::Current, Freshness::Cached).await;
        assert!(found.unwrap_err().to_string().contains("verify-full"));
    }
    assert_eq!(desk.questions(), 0);
}
