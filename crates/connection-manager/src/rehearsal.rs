//! What a rotation would come to: each version of a secret tried at each server that it is for. Changes nothing.

mod verdict;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use shared_kernel::database::{ConnectionName, DatabaseError, DatabaseErrorKind};

pub use self::verdict::Verdict;
use crate::connector::{Connector, checks};
use crate::credentials::cache::SecretCache;
use crate::credentials::store::StoreError;
use crate::credentials::{Credentials, DatabaseSecret, InvalidSecret, Keyring, SecretStage, default_user};
use crate::factory::ConnectionFactory;
use crate::probe::chain;
use crate::settings::{ConnectionSettings, PoolSettings};

/// The stages in the order in which they are tried.
const STAGES: [SecretStage; 3] = [SecretStage::Current, SecretStage::Pending, SecretStage::Previous];

/// What was found.
#[derive(Debug)]
pub struct Rehearsal {
    /// The version at each stage, as the store has it now, or why it cannot be told.
    pub stages: Vec<(SecretStage, Result<Option<String>, StoreError>)>,
    /// What each connection's server said.
    pub connections: Vec<Rehearsed>,
}

/// What the server of one connection said to each version.
#[derive(Debug)]
pub struct Rehearsed {
    /// The connection.
    pub connection: ConnectionName,
    /// The answer to the version of each stage.
    pub answers: Vec<(SecretStage, Answer)>,
}

/// What a server said to one version of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// There is no version at this stage, or it is the one of an earlier stage.
    None,
    /// Logged in.
    Accepted,
    /// The password is wrong; what the server said.
    Rejected(String),
    /// Not tried, or without a word about the password; why.
    Unknown(String),
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("nothing to try"),
            Self::Accepted => f.write_str("accepted"),
            Self::Rejected(reason) => write!(f, "rejected: {reason}"),
            Self::Unknown(reason) => write!(f, "not known: {reason}"),
        }
    }
}

impl Rehearsed {
    /// What that means for logins now and at a promotion.
    pub fn verdict(&self) -> Verdict {
        Verdict::of(&self.answers)
    }
}

/// Reads the versions of the secret `id` where it is kept, and logs in with each, once, on every one of `connections`, on
/// sessions of its own that are closed again. A version that a server rejected for one connection is not tried for
/// another one to the same account, so that an account sees at most one wrong password for each version.
///
/// Must run on a tokio runtime; dropping the future gives up.
pub async fn rehearse<'a>(
    factory: &ConnectionFactory,
    cache: &SecretCache,
    id: &str,
    connections: impl IntoIterator<Item = (&'a ConnectionName, &'a ConnectionSettings)>,
) -> Rehearsal {
    let mut versions = Vec::new();
    for stage in STAGES {
        let found = cache.ask_store(id, stage).await;
        let version = found.as_ref().map(|found| found.as_ref().map(|found| found.version.clone()));
        let secret = match &found {
            Ok(found) => found.as_ref().map(|found| DatabaseSecret::parse(&found.content)),
            Err(_) => None,
        };
        versions.push(Staged { stage, version: version.map_err(Clone::clone), secret });
    }
    let mut rejected = HashMap::new();
    let mut rehearsed = Vec::new();
    for (name, settings) in connections {
        let mut answers = Vec::new();
        for (index, staged) in versions.iter().enumerate() {
            let known = versions[..index].iter().any(|earlier| earlier.version == staged.version);
            let answer = if known { Answer::None } else { staged.answer(factory, name, settings, &mut rejected).await };
            answers.push((staged.stage, answer));
        }
        rehearsed.push(Rehearsed { connection: name.clone(), answers });
    }
    let stages = versions.into_iter().map(|staged| (staged.stage, staged.version)).collect();
    Rehearsal { stages, connections: rehearsed }
}

/// Server, user and version of a login that the server rejected, and the connection that tried it.
type Rejections = HashMap<(String, Option<u16>, String, String), ConnectionName>;

struct Staged {
    stage: SecretStage,
    version: Result<Option<String>, StoreError>,
    secret: Option<Result<DatabaseSecret, InvalidSecret>>,
}

impl Staged {
    async fn answer(
        &self,
        factory: &ConnectionFactory,
        name: &ConnectionName,
        settings: &ConnectionSettings,
        rejected: &mut Rejections,
    ) -> Answer {
        let version = match &self.version {
            Ok(Some(version)) => version,
            Ok(None) => return Answer::None,
            Err(error) => return Answer::Unknown(error.to_string()),
        };
        let secret = match &self.secret {
            Some(Ok(secret)) => secret,
            Some(Err(error)) => return Answer::Unknown(error.to_string()),
            None => return Answer::None,
        };
        let (connector, settings, credentials) = match prepared(factory, name, settings, secret, version) {
            Ok(prepared) => prepared,
            Err(error) => return Answer::Unknown(chain(&error)),
        };
        let host = settings.host.as_deref().unwrap_or_default().to_ascii_lowercase();
        let port = settings.port.or(connector.default_port());
        let account = (host, port, credentials.username.clone(), version.clone());
        if let Some(other) = rejected.get(&account) {
            return Answer::Rejected(format!("not tried again after `{other}`, which is the same account"));
        }
        let keyring = Keyring::fixed(name.clone(), credentials);
        match connector.connect(name, &settings, keyring.into()).await {
            Ok(connection) => {
                connection.close(Duration::from_secs(1)).await;
                Answer::Accepted
            }
            // With a time to come back at, the refusal is about something else than the password.
            Err(error) if *error.kind() == DatabaseErrorKind::AuthRejected && error.retry_after().is_none() => {
                rejected.insert(account, name.clone());
                Answer::Rejected(chain(&error))
            }
            Err(error) => Answer::Unknown(chain(&error)),
        }
    }
}

/// The settings completed from one version of the secret, as a login with that version alone needs them.
fn prepared(
    factory: &ConnectionFactory,
    name: &ConnectionName,
    settings: &ConnectionSettings,
    secret: &DatabaseSecret,
    version: &str,
) -> Result<(Arc<dyn Connector>, ConnectionSettings, Credentials), DatabaseError> {
    let misconfigured = |faults: &[_]| checks::misconfigured(name, faults);
    let connector = factory.connector(&settings.engine)?;
    let faults = connector.validate(settings);
    if !faults.is_empty() {
        return Err(misconfigured(&faults));
    }
    let unusable = |message: String| DatabaseError::new(DatabaseErrorKind::SecretUnavailable, message).on(name);
    if !secret.is_for(&settings.engine) {
        return Err(unusable(format!("the secret names another engine than the connection's, `{}`", settings.engine)));
    }
    let username = secret.username.clone().or_else(|| settings.username.clone());
    let username = username.or_else(|| default_user(&settings.engine).map(str::to_owned));
    let username = username.ok_or_else(|| unusable(InvalidSecret::Missing("username").to_string()))?;
    let mut settings = settings.clone();
    let endpoint = secret.endpoint.clone();
    settings.host = settings.host.or(endpoint.host);
    settings.port = settings.port.or(endpoint.port);
    settings.database = settings.database.or(endpoint.database);
    if let Some(fault) = checks::unreachable_fault(&**connector, &settings) {
        return Err(misconfigured(&[fault]));
    }
    // One session is enough to see.
    settings.pool = PoolSettings { min: 0, max: 1, ..settings.pool };
    let credentials = Credentials { username, password: secret.password.clone(), version: version.to_owned() };
    Ok((Arc::clone(connector), settings, credentials))
}

#[cfg(all(test, feature = "sqlite"))]
mod tests;
