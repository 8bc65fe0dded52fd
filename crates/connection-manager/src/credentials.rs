//! Who logs in, and where the password is kept.

#[cfg(feature = "aws-secrets")]
pub mod aws;
pub mod cache;
mod configured;
mod endpoint;
mod keyring;
mod local;
mod managed;
#[cfg(feature = "aws-rds-iam")]
pub mod rds_iam;
mod secret;
#[cfg(feature = "aws-secrets")]
mod shared_level;
mod source_error;
pub mod store;

use std::fmt;
use std::path::PathBuf;

use async_trait::async_trait;
use secrecy::SecretString;
use shared_kernel::database::{ConnectionName, DatabaseError, Engine};

pub use self::configured::ConfiguredSecrets;
pub use self::endpoint::{SecretEndpoint, completed};
pub use self::keyring::{Keychain, Keyring, Login};
pub use self::local::LocalSecrets;
pub(crate) use self::local::{check_password_file, environment_variable, read_password_file};
pub use self::managed::ManagedSecrets;
pub use self::secret::{DatabaseSecret, InvalidSecret};
pub use self::source_error::SourceError;
use crate::settings::ConnectionSettings;

/// Where a connection's password comes from. A configuration file names the place and never holds the password.
#[derive(Debug, Clone, Default)]
pub enum PasswordSource {
    /// There is none: SQLite, or a server that trusts the caller.
    #[default]
    None,
    /// Given by the program itself, such as by a test or out of a URL.
    Literal(SecretString),
    /// An environment variable, read when the connection is opened.
    Environment(String),
    /// A file that nobody but its owner may read, read when the connection is opened. One trailing newline is cut.
    File(PathBuf),
    /// A secret of AWS Secrets Manager in the JSON form that RDS gives it: user, password and, where it has them, host,
    /// port and database.
    SecretsManager {
        /// The secret's name or ARN.
        id: String,
    },
    /// A token of AWS's IAM authentication for RDS, made anew for logins and taken by MySQL, MariaDB and PostgreSQL over
    /// verified TLS alone. The host must be the one that RDS gave: the token is for it.
    RdsIam {
        /// The database's region; `None` leaves it to what the source of tokens has.
        region: Option<String>,
    },
}

impl PasswordSource {
    /// Whether what it names holds the user and perhaps the way to the server besides the password, so that the settings
    /// can do without.
    pub fn holds_login(&self) -> bool {
        matches!(self, Self::SecretsManager { .. })
    }
}

/// What is needed to log in. `Debug` prints no password.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The user; empty where the engine has none.
    pub username: String,
    /// The password; empty where there is none.
    pub password: SecretString,
    /// Which version of the secret this is. It changes whenever the password or the user does and reveals nothing of
    /// them.
    pub version: String,
}

/// The code of an error that says that a password cannot be used to log in at all: it has characters that `SASLprep` (RFC 4013), by
/// which logins with SCRAM prepare it, does not let pass. That is what Unicode 3.2 did not know, most emoji among it, and control
/// characters.
pub(crate) const BEYOND_SASLPREP: &str = "saslprep";

impl Credentials {
    /// For engines without a login.
    pub fn none() -> Self {
        Self { username: String::new(), password: SecretString::default(), version: "none".to_owned() }
    }
}

/// A step in the life of a secret's version, as the staging labels of AWS Secrets Manager name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SecretStage {
    /// `AWSCURRENT`: the version in force.
    Current,
    /// `AWSPENDING`: the version that a rotation is about to put in force. The server may know it already.
    Pending,
    /// `AWSPREVIOUS`: the version in force before. The server may not have let go of it yet.
    Previous,
}

impl SecretStage {
    /// The staging label.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Current => "AWSCURRENT",
            Self::Pending => "AWSPENDING",
            Self::Previous => "AWSPREVIOUS",
        }
    }
}

impl fmt::Display for SecretStage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.label())
    }
}

/// How recent an answer of a [`SecretSource`] has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness<'a> {
    /// Whatever is at hand, as long as its time to live has not passed.
    Cached,
    /// The server rejected this version, so a cache that still holds it is out of date: the answer is another version, or
    /// comes from where the secret is kept. Empty when no version is known at all.
    Rejected(&'a str),
}

/// Where credentials come from: files and the environment ([`LocalSecrets`]), or a secrets manager.
#[async_trait]
pub trait SecretSource: Send + Sync + fmt::Debug {
    /// The credentials that the connection `name` logs in with, at one stage of their life. `None` when there is no such
    /// stage; a source that knows no rotation has [`SecretStage::Current`] alone.
    ///
    /// Dropping the future gives up the question.
    ///
    /// # Errors
    /// `SecretUnavailable`, naming the place and never the content, and whether what was answered before still counts.
    async fn credentials(
        &self,
        name: &ConnectionName,
        settings: &ConnectionSettings,
        stage: SecretStage,
        freshness: Freshness<'_>,
    ) -> Result<Option<Credentials>, SourceError>;

    /// Where the secret says that the database is, for what the settings leave out. Most sources know nothing of it.
    ///
    /// # Errors
    /// `SecretUnavailable`, naming the place and never the content.
    async fn endpoint(
        &self,
        _name: &ConnectionName,
        _settings: &ConnectionSettings,
    ) -> Result<Option<SecretEndpoint>, DatabaseError> {
        Ok(None)
    }

    /// Whether the answer may change while the process runs. Where it may, logins to one endpoint go one after the other,
    /// so that a password that was changed is rejected once and not by every attempt under way.
    fn may_change(&self, settings: &ConnectionSettings) -> bool;

    /// What tells the connection's secret from every other, and reveals nothing of it. Connections that log in to one server
    /// as one user with the same secret share what the server said to its versions. `None`, which a source may leave it at,
    /// when that cannot be told: such a connection shares with nobody.
    fn identity(&self, _settings: &ConnectionSettings) -> Option<String> {
        None
    }
}

/// Who is logged in when nobody is named, where the engine has such a user.
pub(crate) fn default_user(engine: &Engine) -> Option<&'static str> {
    (*engine == Engine::REDIS).then_some("default")
}
