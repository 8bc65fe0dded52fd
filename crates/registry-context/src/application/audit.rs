//! Reading what was written down of calls, and letting go of what was kept long enough.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use shared_kernel::database::DatabaseError;
use shared_kernel::paging::Page;
use shared_kernel::{Clock, IdGenerator, RequestContext};

use crate::domain::{AuditAction, AuditEntry, AuditList, AuditLog, AuditRecord, AuditRetention};

/// Lists entries of the audit log, a page at a time.
#[derive(Clone)]
pub struct ListAudit {
    log: Arc<dyn AuditLog>,
}

/// Why entries were not listed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ListAuditError {
    /// The position belongs to another list.
    #[error("the position does not belong to this list")]
    ForeignPosition,
    /// The database failed.
    #[error("the audit log could not be read")]
    Database(#[from] DatabaseError),
}

impl ListAudit {
    /// The use case over its port.
    pub fn new(log: Arc<dyn AuditLog>) -> Self {
        Self { log }
    }

    /// Reads a page. Whatever is written meanwhile, each entry comes at most once over all pages.
    ///
    /// # Errors
    /// [`ListAuditError`]
    pub async fn execute(
        &self,
        list: &AuditList,
        context: &RequestContext,
    ) -> Result<Page<AuditRecord>, ListAuditError> {
        if !list.is_consistent() {
            return Err(ListAuditError::ForeignPosition);
        }
        Ok(self.log.list(list, context).await?)
    }
}

impl fmt::Debug for ListAudit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListAudit").finish_non_exhaustive()
    }
}

/// Deletes entries that were kept long enough, and writes down that it did.
pub struct PruneAudit {
    log: Arc<dyn AuditLog>,
    retention: Arc<dyn AuditRetention>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
    keep: Duration,
}

impl PruneAudit {
    /// Who has deleted entries, as the log names it: the service by itself.
    pub const ACTOR: &str = "service";

    /// The use case over its ports; entries are kept for `keep`.
    pub fn new(
        log: Arc<dyn AuditLog>,
        retention: Arc<dyn AuditRetention>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdGenerator>,
        keep: Duration,
    ) -> Self {
        Self { log, retention, clock, ids, keep }
    }

    /// Deletes what is older and returns how many entries that were. Where there were some, an entry tells of it, whose `calls`
    /// are as many.
    ///
    /// # Errors
    /// What the database says; what was deleted before stays deleted.
    pub async fn execute(&self, context: &RequestContext) -> Result<u64, DatabaseError> {
        let started = Instant::now();
        let now = self.clock.now();
        let Some(horizon) = horizon(now, self.keep) else { return Ok(0) };
        let pruned = self.retention.prune(horizon, context).await?;
        if pruned > 0 {
            let entry = AuditEntry {
                id: self.ids.next(),
                occurred_at: now,
                actor: Some(Self::ACTOR.to_owned()),
                action: AuditAction::Prune,
                connection: None,
                outcome: "ok",
                status: 0,
                duration_ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
                trace_id: context.trace.trace_id_hex(),
                calls: pruned,
            };
            self.log.append(&entry, context).await?;
        }
        Ok(pruned)
    }
}

impl fmt::Debug for PruneAudit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PruneAudit").field("keep", &self.keep).finish_non_exhaustive()
    }
}

/// `None`: that far back there is nothing.
fn horizon(now: DateTime<Utc>, keep: Duration) -> Option<DateTime<Utc>> {
    now.checked_sub_signed(TimeDelta::from_std(keep).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_keeps_for_ages_keeps_all() {
        let now = DateTime::UNIX_EPOCH;
        assert_eq!(horizon(now, Duration::from_secs(1)), Some(now - TimeDelta::seconds(1)));
        assert_eq!(horizon(now, Duration::from_secs(u64::MAX)), None);
        assert_eq!(horizon(now, Duration::from_hours(24 * 365 * 300_000)), None);
    }
}
