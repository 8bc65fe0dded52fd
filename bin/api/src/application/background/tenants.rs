use std::collections::BTreeSet;
use std::time::Duration;

use connection_manager::ConnectionManager;
use connection_manager::config::TenantsConfig;
use shared_kernel::idempotency::ReceiptSweeper;
use shared_kernel::{RequestContext, TenantId};
use tokio::time::{MissedTickBehavior, interval};

use super::SWEEP;
use crate::telemetry::chain;

/// The shortest time from one tenant's sweep to the next tenant's: with many tenants a round takes longer than an hour, and
/// the database servers have other things to do.
const PACE: Duration = Duration::from_secs(5);
/// How long the sweep of one tenant may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Deletes old receipts of one tenant after the other, round and round.
pub(super) async fn sweep(context: &'static str, sweeper: ReceiptSweeper, manager: ConnectionManager) {
    let mut last: Option<TenantId> = None;
    loop {
        let tenants = manager.tenants();
        let rounds = u32::try_from(tenants.len()).unwrap_or(u32::MAX).max(1);
        tokio::time::sleep((SWEEP / rounds).max(PACE)).await;
        // The list may have changed meanwhile; the next is whoever comes after the last by name.
        let next = tenants.iter().find(|tenant| last.as_ref().is_none_or(|last| *tenant > last));
        let Some(tenant) = next.or(tenants.first()).cloned() else { continue };
        let patience = RequestContext { tenant: Some(tenant.clone()), ..RequestContext::system() }.within(PATIENCE);
        match sweeper.sweep(&patience).await {
            Ok(receipts) => tracing::debug!(event = "receipts.swept", context, tenant = %tenant, receipts),
            Err(error) => {
                tracing::warn!(event = "receipts.not_swept", context, tenant = %tenant, error = %chain(&error));
            }
        }
        last = Some(tenant);
    }
}

/// Looks at the file of tenants again and again. While it cannot be read, those who were in it last stay. A list takes effect
/// once two looks, one after the other, found it: whoever writes the file in place empties it first.
pub(super) async fn reload(config: TenantsConfig, every: Duration, manager: ConnectionManager) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut looks = Looks::default();
    loop {
        ticks.tick().await;
        let reading = config.clone();
        let listed = match tokio::task::spawn_blocking(move || reading.list()).await {
            Ok(Ok(listed)) => Some(listed),
            Ok(Err(error)) => {
                tracing::warn!(event = "tenants.not_read", error = %chain(&error), "the tenants stay as they were");
                None
            }
            Err(_ended) => return,
        };
        if let Some(tenants) = looks.settled(listed)
            && !manager.tenants().iter().eq(tenants)
        {
            tracing::info!(event = "tenants.changed", tenants = tenants.len());
            manager.set_tenants(tenants.iter().cloned());
        }
    }
}

/// What the last look at the file found.
#[derive(Default)]
struct Looks(Option<BTreeSet<TenantId>>);

impl Looks {
    /// The list of this look, when the look before found the same.
    fn settled(&mut self, found: Option<BTreeSet<TenantId>>) -> Option<&BTreeSet<TenantId>> {
        let before = std::mem::replace(&mut self.0, found);
        self.0.as_ref().filter(|found| before.as_ref() == Some(*found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list<const N: usize>(names: [&str; N]) -> BTreeSet<TenantId> {
        names.map(|name| name.parse().expect("a tenant's name")).into()
    }

    #[test]
    fn a_list_counts_once_it_was_found_twice_in_a_row() {
        let mut looks = Looks::default();
        let (one, two) = (list(["acme"]), list(["acme", "globex"]));
        assert_eq!(looks.settled(Some(one.clone())), None);
        assert_eq!(looks.settled(Some(one.clone())), Some(&one));
        assert_eq!(looks.settled(Some(list([]))), None, "a file that is emptied to be written anew");
        assert_eq!(looks.settled(Some(two.clone())), None);
        assert_eq!(looks.settled(None), None, "a file that is no list");
        assert_eq!(looks.settled(Some(two.clone())), None);
        assert_eq!(looks.settled(Some(two.clone())), Some(&two));
    }
}
