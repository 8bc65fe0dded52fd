//! AWS's IAM authentication for RDS: a token, signed here, in the password's place.

mod token;

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::provider::ProvideCredentials as _;
use chrono::{DateTime, TimeDelta, Utc};
use secrecy::SecretString;
use shared_kernel::Clock;
use shared_kernel::database::{ConnectionName, DatabaseError, DatabaseErrorKind, Engine};
use tokio::sync::{Mutex, OnceCell};

use self::token::{Request, sign};
use super::{Credentials, Freshness, PasswordSource, SecretSource, SecretStage, SourceError};
use crate::settings::{ConnectionSettings, TlsMode};

/// How long AWS takes a token.
const LIFE: Duration = Duration::from_mins(15);
/// The share of a token's life after which a new one is made, in percent.
const RENEWAL: i32 = 60;
/// The least that is left of a token's life when a login begins with it.
const MARGIN: TimeDelta = TimeDelta::minutes(1);
/// The least time between two tokens of which the server rejected the first.
const PAUSE: TimeDelta = TimeDelta::seconds(30);

/// How tokens are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RdsTokenSettings {
    /// The region of databases that name none; `None` leaves it to the SDK's usual places (`AWS_REGION`, the profile, the
    /// instance).
    pub region: Option<String>,
    /// How long finding out who the process is may take.
    pub timeout: Duration,
}

/// Tokens for connections with [`PasswordSource::RdsIam`]. Who the process is, it finds out in the SDK's usual ways, and
/// not before the first login.
///
/// A token is the answer for each login to one account for nine minutes, or less when the process's own credentials end
/// before, and then another one takes its place. Connections that were opened with it live on. All tokens of an account count
/// as one version of its credentials, until the server rejects one: then, half a minute after it was made, there is another
/// version.
#[derive(Clone)]
pub struct RdsTokens(Arc<Inner>);

struct Inner {
    settings: RdsTokenSettings,
    clock: Arc<dyn Clock>,
    sdk: OnceCell<SdkConfig>,
    accounts: std::sync::Mutex<HashMap<Account, Arc<Mutex<Option<Token>>>>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Account {
    host: String,
    port: u16,
    user: String,
    region: Option<String>,
}

#[derive(Clone)]
struct Token {
    text: SecretString,
    /// Grows when the server rejects.
    number: u64,
    made: DateTime<Utc>,
    renewed: DateTime<Utc>,
    ends: DateTime<Utc>,
}

impl Token {
    /// Whether it is handed out without a question. One from the future tells of a clock that was set back.
    fn is_young(&self, now: DateTime<Utc>) -> bool {
        now < self.renewed && self.made <= now
    }

    fn version(&self) -> String {
        format!("rds-iam:{}", self.number)
    }
}

impl RdsTokens {
    /// Asks nobody anything yet.
    pub fn new(settings: RdsTokenSettings, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Inner { settings, clock, sdk: OnceCell::new(), accounts: std::sync::Mutex::default() }))
    }

    /// With region and credentials that the program has already.
    pub fn with_config(config: SdkConfig, settings: RdsTokenSettings, clock: Arc<dyn Clock>) -> Self {
        let sdk = OnceCell::new_with(Some(config));
        Self(Arc::new(Inner { settings, clock, sdk, accounts: std::sync::Mutex::default() }))
    }
}

impl Inner {
    async fn token(&self, account: &Account, freshness: Freshness<'_>) -> Result<Token, String> {
        let slot = {
            let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(accounts.entry(account.clone()).or_default())
        };
        // Who comes second waits for the token of the first.
        let mut slot = slot.lock().await;
        let now = self.clock.now();
        let rejected = |token: &Token| freshness == Freshness::Rejected(&token.version()) && now - token.made >= PAUSE;
        let number = match &*slot {
            Some(token) if rejected(token) => token.number + 1,
            Some(token) if token.is_young(now) => return Ok(token.clone()),
            other => other.as_ref().map_or(0, |token| token.number),
        };
        match self.make(account, number, now).await {
            Ok(token) => Ok(slot.insert(token).clone()),
            Err(error) => match &*slot {
                Some(token) if token.number == number && now < token.ends - MARGIN && token.made <= now => {
                    tracing::warn!(user = account.user, error, "no new token; the last one serves for its while");
                    Ok(token.clone())
                }
                _ => Err(error),
            },
        }
    }

    async fn make(&self, account: &Account, number: u64, now: DateTime<Utc>) -> Result<Token, String> {
        let limit = self.settings.timeout;
        let asking = async {
            let sdk = self.sdk.get_or_init(|| self.load()).await;
            let region = account.region.clone().or_else(|| sdk.region().map(ToString::to_string));
            let region = region.ok_or("no AWS region is known; set `region` beside `rds_iam`, or AWS_REGION")?;
            let provider = sdk.credentials_provider().ok_or("the SDK has no source of AWS credentials")?;
            let credentials = provider.provide_credentials().await;
            let credentials =
                credentials.map_err(|error| format!("who this process is at AWS is not known: {error}"))?;
            Ok::<_, String>((region, credentials))
        };
        let (region, credentials) = tokio::time::timeout(limit, asking).await.unwrap_or_else(|_| {
            Err(format!("who this process is at AWS was not found out within {} ms", limit.as_millis()))
        })?;
        let Account { host, port, user, .. } = account;
        let expiry = credentials.expiry().map(DateTime::<Utc>::from);
        let request = Request { host, port: *port, user, region: &region, life: LIFE };
        let text = sign(&request, credentials, now).map_err(|error| format!("the token cannot be signed: {error}"))?;
        // It is worth no more than what it was signed with.
        let ends = expiry.map_or(now + LIFE, |expiry| expiry.min(now + LIFE));
        Ok(Token { text, number, made: now, renewed: now + (ends - now) / 100 * RENEWAL, ends })
    }

    async fn load(&self) -> SdkConfig {
        let mut loader = aws_config::defaults(BehaviorVersion::latest());
        if let Some(region) = &self.settings.region {
            loader = loader.region(Region::new(region.clone()));
        }
        loader.load().await
    }

    fn account(&self, settings: &ConnectionSettings) -> Result<Account, String> {
        let PasswordSource::RdsIam { region } = &settings.password else {
            return Err("the password is not a token of AWS".to_owned());
        };
        // The connectors refuse this as well; a token is as good as a password to whoever sees it.
        if settings.tls.mode != TlsMode::VerifyFull {
            return Err("tokens are for connections with tls.mode = \"verify-full\" alone".to_owned());
        }
        let usual = match &settings.engine {
            engine if *engine == Engine::POSTGRES => Some(5432),
            engine if *engine == Engine::MYSQL || *engine == Engine::MARIADB => Some(3306),
            _ => None,
        };
        let missing = |what: &str| format!("a token is for a host, a port and a user, and there is no {what}");
        Ok(Account {
            host: settings.host.clone().ok_or_else(|| missing("host"))?,
            port: settings.port.or(usual).ok_or_else(|| missing("port"))?,
            user: settings.username.clone().ok_or_else(|| missing("username"))?,
            region: region.clone().or_else(|| self.settings.region.clone()),
        })
    }
}

#[async_trait]
impl SecretSource for RdsTokens {
    async fn credentials(
        &self,
        name: &ConnectionName,
        settings: &ConnectionSettings,
        stage: SecretStage,
        freshness: Freshness<'_>,
    ) -> Result<Option<Credentials>, SourceError> {
        if stage != SecretStage::Current {
            return Ok(None);
        }
        let unavailable = |error| DatabaseError::new(DatabaseErrorKind::SecretUnavailable, error).on(name);
        let account = self.0.account(settings).map_err(unavailable)?;
        let token = self.0.token(&account, freshness).await.map_err(unavailable)?;
        Ok(Some(Credentials { version: token.version(), username: account.user, password: token.text }))
    }

    /// Tokens take each other's place all the time, and a server that takes one takes the others.
    fn may_change(&self, _settings: &ConnectionSettings) -> bool {
        false
    }

    fn identity(&self, settings: &ConnectionSettings) -> Option<String> {
        let account = self.0.account(settings).ok()?;
        Some(format!("rds-iam:{}", account.region.unwrap_or_default()))
    }
}

impl fmt::Debug for RdsTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RdsTokens").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
