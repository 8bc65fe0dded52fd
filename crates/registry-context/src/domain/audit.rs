use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use shared_kernel::RequestContext;
use shared_kernel::database::DatabaseError;
use uuid::Uuid;

use super::ConnectionId;

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuditAction {
    /// A list of connections.
    List,
    /// One connection.
    Read,
    /// The engines that there are.
    ListEngines,
    /// A new connection.
    Create,
    /// Other values in the place of all that can be set.
    Replace,
    /// Other values in the place of some.
    Patch,
    /// No connection any more.
    Delete,
    /// Secrets sealed with another key.
    Reseal,
    /// Something that there is not.
    Other,
}

impl AuditAction {
    /// A stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Read => "read",
            Self::ListEngines => "list_engines",
            Self::Create => "create",
            Self::Replace => "replace",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::Reseal => "reseal",
            Self::Other => "other",
        }
    }
}

/// Who did what to which connection, and what came of it. No secrets, no data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Identifies the entry (UUID version 7).
    pub id: Uuid,
    /// When it was over.
    pub occurred_at: DateTime<Utc>,
    /// The name of the token; `None` where there was none that counts.
    pub actor: Option<String>,
    /// What was asked for.
    pub action: AuditAction,
    /// Of which connection, where it is one.
    pub connection: Option<ConnectionId>,
    /// `ok`, or the kind of problem.
    pub outcome: &'static str,
    /// The status that was answered.
    pub status: u16,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The request's trace, as 32 hexadecimal digits.
    pub trace_id: String,
    /// How many calls the entry stands for.
    pub calls: u64,
}

/// Where entries are written to and never changed.
#[async_trait]
pub trait AuditLog: Send + Sync + fmt::Debug {
    /// Adds an entry.
    ///
    /// # Errors
    /// What the database says; the entry is not kept then.
    async fn append(&self, entry: &AuditEntry, context: &RequestContext) -> Result<(), DatabaseError>;
}
