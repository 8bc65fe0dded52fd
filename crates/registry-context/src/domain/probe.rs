use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use shared_kernel::database::DatabaseError;
use shared_kernel::{RequestContext, Version};

use super::{ConnectionId, Definition, Secrets};

/// A step on the way to a database, in the order in which they are taken. Engines leave out what they do not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProbeStage {
    /// Whether the definition may be followed at all.
    Policy,
    /// The name's addresses.
    Dns,
    /// A connection to the server.
    Tcp,
    /// Its protection.
    Tls,
    /// User and password.
    Login,
    /// The database, and a sign of life from it.
    Database,
    /// What the user may do there.
    Privileges,
}

impl ProbeStage {
    /// Every stage.
    pub const ALL: [Self; 7] =
        [Self::Policy, Self::Dns, Self::Tcp, Self::Tls, Self::Login, Self::Database, Self::Privileges];

    /// A stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Dns => "dns",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Login => "login",
            Self::Database => "database",
            Self::Privileges => "privileges",
        }
    }

    /// The stage by its word.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == name)
    }
}

/// Why a stage failed. What a server says and where a name leads is no part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProbeFault {
    /// What is written in the definition is refused as it stands, such as an address of this machine.
    BlockedByPolicy,
    /// The definition cannot work.
    Misconfigured,
    /// The password's place cannot be read.
    SecretUnavailable,
    /// No connection came about: no such name, nobody listens, nobody answers, or it is not allowed. Which, is not told.
    Unreachable,
    /// TLS failed.
    TlsFailed,
    /// The server has no TLS.
    TlsUnsupported,
    /// The server's certificate is out of date.
    TlsExpired,
    /// The server's certificate names another host.
    TlsWrongName,
    /// The server's certificate leads to no authority that is trusted.
    TlsUntrusted,
    /// User or password are not accepted.
    AuthFailed,
    /// The password has characters with which the driver cannot log in.
    UnfitPassword,
    /// There is no such database, or the user may not use it.
    UnknownDatabase,
    /// The file is no database of this engine's.
    NotADatabase,
    /// The file cannot be read, or is damaged.
    FileUnusable,
    /// The user may do nothing there.
    NoPrivileges,
    /// The server takes no more connections.
    Saturated,
    /// It took too long in all.
    Timeout,
    /// Something else.
    Failed,
}

impl ProbeFault {
    /// Every fault.
    pub const ALL: [Self; 18] = [
        Self::BlockedByPolicy,
        Self::Misconfigured,
        Self::SecretUnavailable,
        Self::Unreachable,
        Self::TlsFailed,
        Self::TlsUnsupported,
        Self::TlsExpired,
        Self::TlsWrongName,
        Self::TlsUntrusted,
        Self::AuthFailed,
        Self::UnfitPassword,
        Self::UnknownDatabase,
        Self::NotADatabase,
        Self::FileUnusable,
        Self::NoPrivileges,
        Self::Saturated,
        Self::Timeout,
        Self::Failed,
    ];

    /// A stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BlockedByPolicy => "blocked_by_policy",
            Self::Misconfigured => "misconfigured",
            Self::SecretUnavailable => "secret_unavailable",
            Self::Unreachable => "unreachable",
            Self::TlsFailed => "tls_failed",
            Self::TlsUnsupported => "tls_unsupported",
            Self::TlsExpired => "tls_expired",
            Self::TlsWrongName => "tls_wrong_name",
            Self::TlsUntrusted => "tls_untrusted",
            Self::AuthFailed => "auth_failed",
            Self::UnfitPassword => "unfit_password",
            Self::UnknownDatabase => "unknown_database",
            Self::NotADatabase => "not_a_database",
            Self::FileUnusable => "file_unusable",
            Self::NoPrivileges => "no_privileges",
            Self::Saturated => "saturated",
            Self::Timeout => "timeout",
            Self::Failed => "failed",
        }
    }

    /// The fault by its word.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.as_str() == name)
    }

    /// What whoever has defined the connection can do about it.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::BlockedByPolicy => "Name a server that the operator of this service lets connections lead to.",
            Self::Misconfigured => "Correct the definition; storing it tells what is wrong with it.",
            Self::SecretUnavailable => {
                "Check the secret's name, and that this service may read it. A password that is kept here opens with the key of the \
                 registry alone that it was sealed with: have the operator configure that key again, or store the password anew."
            }
            Self::Unreachable => {
                "Check host and port, that the server runs, that firewalls let this service through, and that the operator of \
                 this service lets connections lead there."
            }
            Self::TlsFailed => "Check that the server speaks TLS at this port, and what it asks of its clients.",
            Self::TlsUnsupported => {
                "Configure TLS at the server, or choose the mode `disabled` where nobody can listen on the way."
            }
            Self::TlsExpired => "Renew the server's certificate.",
            Self::TlsWrongName => "Name the server by a name that stands in its certificate.",
            Self::TlsUntrusted => "Give the authority that has issued the server's certificate as `tls.ca`.",
            Self::UnfitPassword => {
                "Give the user another password, without emoji and control characters: this login has no room for what SASLprep \
                 (RFC 4013) does not know."
            }
            Self::AuthFailed => "Check user and password, and from where the user may log in.",
            Self::UnknownDatabase => "Check the database's name, or the file's path, and that the user may use it.",
            Self::NotADatabase => "Name another file: this one is no SQLite database, or is encrypted.",
            Self::FileUnusable => "Check that the file is whole, and that this service may read it and its folder.",
            Self::NoPrivileges => "Grant the user what is to be read.",
            Self::Saturated => "Try again later, or raise the server's limit of connections.",
            Self::Timeout => "Try again; if it stays like that, look at the load of the server and of the network.",
            Self::Failed => "Try again; if it stays like that, ask the operator of this service, whose log tells more.",
        }
    }
}

/// What became of one stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StageResult {
    /// Which one.
    pub stage: ProbeStage,
    /// Why it failed; `None` where it passed.
    pub fault: Option<ProbeFault>,
    /// How long it took, in milliseconds; `None` where that would tell what is not to be told.
    pub duration_ms: Option<u64>,
}

/// What was found on the way. A server's texts are its own word.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProbeFacts {
    /// The server's version.
    pub server_version: Option<String>,
    /// The version of TLS, such as `TLSv1.3`.
    pub tls_version: Option<String>,
    /// Until when the server's certificate holds.
    pub certificate_expires_at: Option<DateTime<Utc>>,
    /// Whether the user can read what is there.
    pub can_read: Option<bool>,
    /// Whether the user can write.
    pub can_write: Option<bool>,
    /// Whether the user may do everything.
    pub superuser: Option<bool>,
}

/// How a connection did in a test.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProbeReport {
    /// The stages up to the last or to the one that failed.
    pub stages: Vec<StageResult>,
    /// What was found.
    pub facts: ProbeFacts,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
}

impl ProbeReport {
    /// The stage that failed, and why; `None` where all passed.
    pub fn failure(&self) -> Option<(ProbeStage, ProbeFault)> {
        self.stages.iter().find_map(|result| Some((result.stage, result.fault?)))
    }
}

/// The last test of a stored connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionHealth {
    /// Which connection.
    pub connection: ConnectionId,
    /// Which version of it was tested.
    pub version: Version,
    /// When.
    pub tested_at: DateTime<Utc>,
    /// What came of it.
    pub report: ProbeReport,
}

/// Goes the way to a database once and lets go of it again.
#[async_trait]
pub trait Prober: Send + Sync + fmt::Debug {
    /// Tests a definition that has passed all checks. Ends within a limit of the prober's own; dropping the future gives up.
    async fn probe(&self, definition: &Definition, secrets: &Secrets) -> ProbeReport;
}

/// Where the last test of each connection is kept.
#[async_trait]
pub trait HealthRepository: Send + Sync + fmt::Debug {
    /// Keeps the result in the place of the one before. `false`: the connection is gone, and nothing was kept.
    ///
    /// # Errors
    /// What the database says.
    async fn keep(&self, health: &ConnectionHealth, context: &RequestContext) -> Result<bool, DatabaseError>;

    /// The last result; `None` where there is none.
    ///
    /// # Errors
    /// What the database says.
    async fn last(
        &self,
        connection: ConnectionId,
        context: &RequestContext,
    ) -> Result<Option<ConnectionHealth>, DatabaseError>;

    /// The last results of those of these connections that have one, perhaps as a replica knows them, in no order. One that
    /// cannot be made out, such as one that a later version of the program has kept, is left out.
    ///
    /// # Errors
    /// What the database says.
    async fn last_of_each(
        &self,
        connections: &[ConnectionId],
        context: &RequestContext,
    ) -> Result<Vec<ConnectionHealth>, DatabaseError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_and_faults_are_found_by_their_words() {
        for stage in ProbeStage::ALL {
            assert_eq!(ProbeStage::by_name(stage.as_str()), Some(stage));
        }
        assert!(ProbeStage::ALL.is_sorted());
        for fault in ProbeFault::ALL {
            assert_eq!(ProbeFault::by_name(fault.as_str()), Some(fault));
            assert!(fault.remedy().ends_with('.'));
        }
    }

    #[test]
    fn a_report_fails_where_a_stage_did() {
        let result = |stage, fault| StageResult { stage, fault, duration_ms: Some(1) };
        let passed = result(ProbeStage::Policy, None);
        let failed = result(ProbeStage::Tcp, Some(ProbeFault::Unreachable));
        let report = |stages: &[StageResult]| ProbeReport { stages: stages.to_vec(), ..ProbeReport::default() };
        assert_eq!(report(&[passed]).failure(), None);
        assert_eq!(report(&[passed, failed]).failure(), Some((ProbeStage::Tcp, ProbeFault::Unreachable)));
    }
}
