//! Looking after a connection's replicas: how far its primary and each of them have come.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
use std::time::Duration;

use shared_kernel::RequestContext;
use shared_kernel::database::{ConnectionName, DatabaseConnection, DatabaseError};
use tokio::time::{Instant, MissedTickBehavior};

use super::super::{Inner, Slot, closed};
use super::{ANSWER, Pool, Reading, Replica, Replicas, is_away};
use crate::replication::{Progress, Side};

/// How often everybody is asked, at most; four times within the lag that is allowed, where that is shorter.
const TICK: Duration = Duration::from_millis(500);
const SHORTEST_TICK: Duration = Duration::from_millis(20);

impl Replicas {
    /// Begins to look after them, unless somebody does. It ends with the manager.
    pub(in super::super) fn watch(&self, inner: &Arc<Inner>, slot: &Slot) {
        if self.watching.load(Ordering::Acquire) || self.watching.swap(true, Ordering::AcqRel) {
            return;
        }
        let tick = (self.max_lag / 4).clamp(SHORTEST_TICK, TICK);
        let replicas = (0..self.members.len()).map(Whom::Replica);
        for whom in std::iter::once(Whom::Primary).chain(replicas) {
            inner.runtime().spawn(each(tick, Arc::downgrade(inner), slot.name.clone(), whom));
        }
    }

    /// Before the primary is open there is nothing to compare with, and nobody reads at a replica.
    async fn look_at_primary(&self, slot: &Slot) {
        let Some(primary) = slot.live.get() else { return };
        let asked = Instant::now();
        match Progress::of(&**primary, Side::Primary, &RequestContext::system().within(ANSWER)).await {
            Ok(progress) => self.history().note(asked, progress),
            Err(error) => {
                tracing::debug!(connection = %slot.name, %error, "the primary told no position");
                if is_away(&error) {
                    self.history().lost();
                }
            }
        }
    }

    async fn look_at(&self, inner: &Arc<Inner>, slot: &Slot, replica: &Arc<Replica>) {
        let answer = replica.ask(inner, slot).await;
        let history = self.history();
        replica.judge(answer, &history, self.max_lag);
    }
}

impl Replica {
    /// How far it has come, and how many connections had been opened before it was asked.
    async fn ask(self: &Arc<Self>, inner: &Arc<Inner>, slot: &Slot) -> Result<(Progress, u64), DatabaseError> {
        let open = self.state().pool.as_ref().map(|pool| Arc::clone(&pool.connection));
        let connection = match open {
            Some(connection) => connection,
            None => self.open(inner, slot).await?,
        };
        let opened = connection.stats().opened_total;
        let progress = Progress::of(&*connection, Side::Replica, &RequestContext::system().within(ANSWER)).await?;
        Ok((progress, opened))
    }

    async fn open(
        self: &Arc<Self>,
        inner: &Arc<Inner>,
        slot: &Slot,
    ) -> Result<Arc<dyn DatabaseConnection>, DatabaseError> {
        let (connection, breaker) = inner.open_replica(&slot.name, &self.settings, self.series.clone()).await?;
        let refused = {
            let mut state = self.state();
            // Under this lock closing either sees the pool or was said before.
            if inner.is_closed() {
                true
            } else {
                let reading = Arc::new(Reading::new(slot.name.clone(), Arc::clone(&connection), self, inner));
                let opened = connection.stats().opened_total;
                state.pool = Some(Pool { connection: Arc::clone(&connection), reading, breaker, opened });
                false
            }
        };
        if refused {
            connection.close(Duration::ZERO).await;
            return Err(closed(&slot.name));
        }
        Ok(connection)
    }
}

/// Who is asked.
#[derive(Debug, Clone, Copy)]
enum Whom {
    Primary,
    Replica(usize),
}

/// Looks each time a tick has passed, until the manager is closed or gone.
async fn each(tick: Duration, inner: Weak<Inner>, name: ConnectionName, whom: Whom) {
    let mut interval = tokio::time::interval(tick);
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        interval.tick().await;
        let Some(inner) = inner.upgrade().filter(|inner| !inner.is_closed()) else { return };
        let Some(slot) = inner.slot(name.as_str()) else { return };
        let Some(replicas) = &slot.replicas else { return };
        match whom {
            Whom::Primary => replicas.look_at_primary(slot).await,
            Whom::Replica(index) => replicas.look_at(&inner, slot, &replicas.members[index]).await,
        }
    }
}
