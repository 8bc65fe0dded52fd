use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use shared_kernel::RequestContext;
use shared_kernel::database::DatabaseError;
use shared_kernel::paging::{Direction, Limit, Page, Position, SortKey};
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
    /// What was written down here.
    ReadAudit,
    /// A new connection.
    Create,
    /// Other values in the place of all that can be set.
    Replace,
    /// Other values in the place of some.
    Patch,
    /// No connection any more.
    Delete,
    /// Whether a connection comes about, stored or not.
    Test,
    /// How a connection did in its last test.
    ReadHealth,
    /// The databases on a connection's server.
    ListDatabases,
    /// What is in a connection's database.
    ReadSchema,
    /// What is in a connection's database, in another format.
    ExportSchema,
    /// What is doubtful in a connection's database.
    LintSchema,
    /// What is in a connection's database, to be kept.
    TakeSnapshot,
    /// A list of what was kept.
    ListSnapshots,
    /// One of them.
    ReadSnapshot,
    /// One of them, in another format.
    ExportSnapshot,
    /// What is doubtful in one of them.
    LintSnapshot,
    /// One of them no more.
    DeleteSnapshot,
    /// What is different between two of them, or between one and the database.
    DiffSchema,
    /// Secrets sealed with another key.
    Reseal,
    /// Entries deleted that were kept long enough.
    Prune,
    /// Something that there is not.
    Other,
}

impl AuditAction {
    /// Every action.
    pub const ALL: [Self; 24] = [
        Self::List,
        Self::Read,
        Self::ListEngines,
        Self::ReadAudit,
        Self::Create,
        Self::Replace,
        Self::Patch,
        Self::Delete,
        Self::Test,
        Self::ReadHealth,
        Self::ListDatabases,
        Self::ReadSchema,
        Self::ExportSchema,
        Self::LintSchema,
        Self::TakeSnapshot,
        Self::ListSnapshots,
        Self::ReadSnapshot,
        Self::ExportSnapshot,
        Self::LintSnapshot,
        Self::DeleteSnapshot,
        Self::DiffSchema,
        Self::Reseal,
        Self::Prune,
        Self::Other,
    ];

    /// A stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Read => "read",
            Self::ListEngines => "list_engines",
            Self::ReadAudit => "read_audit",
            Self::Create => "create",
            Self::Replace => "replace",
            Self::Patch => "patch",
            Self::Delete => "delete",
            Self::Test => "test",
            Self::ReadHealth => "read_health",
            Self::ListDatabases => "list_databases",
            Self::ReadSchema => "read_schema",
            Self::ExportSchema => "export_schema",
            Self::LintSchema => "lint_schema",
            Self::TakeSnapshot => "take_snapshot",
            Self::ListSnapshots => "list_snapshots",
            Self::ReadSnapshot => "read_snapshot",
            Self::ExportSnapshot => "export_snapshot",
            Self::LintSnapshot => "lint_snapshot",
            Self::DeleteSnapshot => "delete_snapshot",
            Self::DiffSchema => "diff_schema",
            Self::Reseal => "reseal",
            Self::Prune => "prune",
            Self::Other => "other",
        }
    }

    /// The action by its word.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == name)
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

/// An entry as it was kept. Its words may be those of another version of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// Identifies the entry.
    pub id: Uuid,
    /// When it was over.
    pub occurred_at: DateTime<Utc>,
    /// The name of the token; `None` where there was none that counts.
    pub actor: Option<String>,
    /// What was asked for: the word of an [`AuditAction`].
    pub action: String,
    /// Of which connection, where it is one.
    pub connection: Option<ConnectionId>,
    /// `ok`, or the kind of problem.
    pub outcome: String,
    /// The status that was answered.
    pub status: u16,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// The request's trace, as 32 hexadecimal digits.
    pub trace_id: String,
    /// How many calls the entry stands for.
    pub calls: u64,
}

/// Which entries are listed: those that everything given holds for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct AuditFilter {
    /// Those of the token of this name.
    pub actor: Option<String>,
    /// Those of this action.
    pub action: Option<AuditAction>,
    /// Those about this connection.
    pub connection: Option<ConnectionId>,
    /// Those with this outcome.
    pub outcome: Option<String>,
    /// Those of this instant and later.
    pub from: Option<DateTime<Utc>>,
    /// Those before this instant.
    pub before: Option<DateTime<Utc>>,
}

/// A page of the audit log, in the order of time.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct AuditList {
    /// Which entries.
    pub filter: AuditFilter,
    /// From which end.
    pub direction: Direction,
    /// Behind which position; from the beginning when there is none.
    pub after: Option<Position>,
    /// How many.
    pub limit: Limit,
}

impl AuditList {
    /// Whether its position, if it has one, can belong to such a list.
    pub fn is_consistent(&self) -> bool {
        self.after.as_ref().is_none_or(|position| matches!(position.key, Some(SortKey::Instant(_))))
    }
}

/// Where entries are written to and never changed.
#[async_trait]
pub trait AuditLog: Send + Sync + fmt::Debug {
    /// Adds an entry.
    ///
    /// # Errors
    /// What the database says; the entry is not kept then.
    async fn append(&self, entry: &AuditEntry, context: &RequestContext) -> Result<(), DatabaseError>;

    /// A page of what was written, perhaps as a replica knows it. The list is consistent.
    ///
    /// # Errors
    /// What the database says.
    async fn list(&self, list: &AuditList, context: &RequestContext) -> Result<Page<AuditRecord>, DatabaseError>;
}

/// The one way in which entries go. A port of its own, so that whatever only writes or reads cannot delete.
#[async_trait]
pub trait AuditRetention: Send + Sync + fmt::Debug {
    /// Deletes all entries that are older than `horizon` and returns how many those were, a bounded number at a time. Cancelling
    /// keeps what was done so far.
    ///
    /// # Errors
    /// What the database says; what was deleted before stays deleted.
    async fn prune(&self, horizon: DateTime<Utc>, context: &RequestContext) -> Result<u64, DatabaseError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_found_by_their_words() {
        for action in AuditAction::ALL {
            assert_eq!(AuditAction::by_name(action.as_str()), Some(action));
        }
        assert_eq!(AuditAction::by_name("Read"), None);
    }

    #[test]
    fn a_position_is_one_in_time() {
        let list = |key| AuditList { after: Some(Position { key, id: Uuid::nil() }), ..AuditList::default() };
        assert!(AuditList::default().is_consistent());
        assert!(list(Some(SortKey::Instant(DateTime::UNIX_EPOCH))).is_consistent());
        assert!(!list(Some(SortKey::Integer(1))).is_consistent() && !list(None).is_consistent());
    }
}
