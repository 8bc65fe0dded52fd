use std::sync::Arc;
use std::time::Duration;

use shared_kernel::database::CloseReport;
use tokio::time::Instant;

use super::cancel;
use super::driver::Driver;
use super::errands::Errands;
use super::shared::{Phase, Shared, State};

/// How long a close waits for the servers to hear of the statements that it has cut.
const TELLING: Duration = Duration::from_secs(2);

pub(super) async fn close<D: Driver>(shared: &Arc<Shared<D>>, grace: Duration) -> CloseReport {
    let mut closed = shared.closed.subscribe();
    if begin(shared) {
        // In a task of its own, so that it is finished even when the caller goes away.
        shared.runtime.spawn(finish(Arc::clone(shared), grace));
    }
    match closed.wait_for(Option::is_some).await {
        Ok(report) => report.unwrap_or_default(),
        Err(_) => CloseReport::default(),
    }
}

/// Shuts the door. `false` when somebody else has done so.
fn begin<D: Driver>(shared: &Arc<Shared<D>>) -> bool {
    let mut errands = Errands::default();
    {
        let mut state = shared.state();
        if state.phase != Phase::Open {
            return false;
        }
        state.phase = Phase::Closing;
        state.refuse(&shared.closed_error(), true);
        for idle in std::mem::take(&mut state.idle) {
            state.report.drained += 1;
            state.dismiss(idle.connection, &mut errands);
        }
        shared.connect_for_waiters_alone(&mut state, &mut errands);
        shared.observe(&state);
    }
    errands.run(shared);
    // A connection kept for callers who leave is not kept any longer.
    shared.cancel_wake.notify_one();
    true
}

async fn finish<D: Driver>(shared: Arc<Shared<D>>, grace: Duration) {
    let deadline = Instant::now().checked_add(grace);
    let drained =
        wait_until(&shared, |state| state.connections.is_empty() && state.connecting == 0 && state.leaving == 0);
    match deadline {
        Some(deadline) => drop(tokio::time::timeout_at(deadline, drained).await),
        None => drained.await,
    }
    let report = cut(&shared);
    // The servers are told before the program may end.
    drop(tokio::time::timeout(TELLING, wait_until(&shared, |state| !state.cancelling)).await);
    shared.closed.send_replace(Some(report));
}

async fn wait_until<D: Driver>(shared: &Shared<D>, condition: impl Fn(&State<D>) -> bool) {
    let mut departures = shared.departures.subscribe();
    loop {
        departures.mark_unchanged();
        {
            if condition(&shared.state()) {
                return;
            }
        }
        if departures.changed().await.is_err() {
            return;
        }
    }
}

/// Ends what has outlived the grace period: statements under way answer `Closed`, sessions held idle are closed.
fn cut<D: Driver>(shared: &Arc<Shared<D>>) -> CloseReport {
    let (left, report) = {
        let mut state = shared.state();
        let left: Vec<_> = state.connections.values().cloned().collect();
        state.report.cut += u32::try_from(left.len()).unwrap_or(u32::MAX);
        (left, state.report)
    };
    for connection in left {
        connection.cut.pull();
        if connection.take().is_none() {
            cancel::request(shared, &connection);
        }
    }
    report
}
