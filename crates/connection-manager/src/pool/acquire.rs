use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use shared_kernel::database::{DatabaseError, DatabaseErrorKind};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use super::deadline::Deadline;
use super::driver::Driver;
use super::errands::Errands;
use super::holder::{self, Holder};
use super::lease::Lease;
use super::shared::{Phase, Shared, Waiter};
use super::silence::{self, STALLED};
use crate::endpoint::is_out_of_reach;
use crate::lookout::Who;

type Handover<D> = oneshot::Receiver<Result<Lease<D>, DatabaseError>>;

pub(super) async fn acquire<D: Driver>(
    shared: &Arc<Shared<D>>,
    deadline: Option<Instant>,
    holder: Holder,
) -> Result<Lease<D>, DatabaseError> {
    let asked = Instant::now();
    let patience = asked.checked_add(shared.settings.acquire_timeout);
    let limit = match (patience, deadline) {
        (Some(patience), Some(deadline)) => Some(patience.min(deadline)),
        (patience, deadline) => patience.or(deadline),
    };
    acquire_until(shared, asked, limit, holder).await
}

/// As [`acquire`], whatever the acquire timeout says.
pub(super) async fn acquire_until<D: Driver>(
    shared: &Arc<Shared<D>>,
    asked: Instant,
    limit: Option<Instant>,
    holder: Holder,
) -> Result<Lease<D>, DatabaseError> {
    let permit = shared.breaker.admit().map_err(|error| error.on(&shared.name))?;
    match take(shared, asked, limit, holder).await {
        Ok(mut lease) => {
            lease.answer_for(permit);
            Ok(lease)
        }
        Err(error) => {
            if is_out_of_reach(&error) {
                permit.failed();
            }
            Err(error)
        }
    }
}

/// A checkout that need not wait takes less time than reading the clock, which is read once for all of it. Any other is boxed: it is
/// rare, and what it has to keep would be a part of every statement's future.
async fn take<D: Driver>(
    shared: &Arc<Shared<D>>,
    asked: Instant,
    limit: Option<Instant>,
    holder: Holder,
) -> Result<Lease<D>, DatabaseError> {
    match checkout(shared, asked)? {
        Checkout::Idle(lease, since) if shared.is_trusted(since, asked) => {
            Ok(taken(shared, lease, holder, asked, asked))
        }
        first => Box::pin(prepare(shared, first, asked, limit, holder)).await,
    }
}

/// What has to be done before a connection can be handed out: waiting for one, or asking one that was left alone for a sign of life.
async fn prepare<D: Driver>(
    shared: &Arc<Shared<D>>,
    first: Checkout<D>,
    asked: Instant,
    limit: Option<Instant>,
    holder: Holder,
) -> Result<Lease<D>, DatabaseError> {
    let mut now = asked;
    let mut next = first;
    loop {
        match next {
            Checkout::Idle(lease, since) if shared.is_trusted(since, now) => {
                return Ok(taken(shared, lease, holder, asked, now));
            }
            Checkout::Idle(mut lease, _) => {
                // A connection that was left alone for long may be dead without having said so, and so may each that was idle
                // when another was found lost. When it is, the next one is asked, and in the end a new one is opened.
                let patience = now + shared.settings.connect_timeout;
                let patience = limit.map_or(patience, |limit| limit.min(patience));
                let is_alive = lease.ping(Deadline::at(patience)).await.is_ok();
                now = Instant::now();
                if is_alive {
                    return Ok(taken(shared, lease, holder, asked, now));
                }
                if limit.is_some_and(|limit| limit <= now) {
                    return Err(saturated(shared, asked));
                }
                drop(lease);
                next = checkout(shared, now)?;
            }
            Checkout::Queued(queued) => {
                let lease = wait(shared, queued, [asked, now], limit).await?;
                return Ok(taken(shared, lease, holder, asked, Instant::now()));
            }
        }
    }
}

fn taken<D: Driver>(shared: &Shared<D>, lease: Lease<D>, holder: Holder, asked: Instant, now: Instant) -> Lease<D> {
    shared.metrics.waited(now.duration_since(asked));
    lease.note_holder(holder, now);
    lease
}

enum Checkout<D: Driver> {
    Idle(Lease<D>, Instant),
    Queued(Queued<D>),
}

struct Queued<D: Driver> {
    ticket: u64,
    /// Who was first in line at that time.
    first: u64,
    handover: Handover<D>,
}

fn checkout<D: Driver>(shared: &Arc<Shared<D>>, now: Instant) -> Result<Checkout<D>, DatabaseError> {
    let mut errands = Errands::default();
    let checkout = {
        let mut state = shared.state();
        if state.phase != Phase::Open {
            return Err(shared.closed_error());
        }
        let mut found = None;
        while let Some(idle) = state.idle.pop_back() {
            if shared.is_current(&idle.connection, now) {
                found = Some(idle);
                break;
            }
            state.dismiss(idle.connection, &mut errands);
        }
        let checkout = if let Some(idle) = found {
            Checkout::Idle(Lease::new(Arc::clone(shared), idle.connection), idle.since)
        } else {
            let (sender, handover) = oneshot::channel();
            let ticket = state.next_ticket;
            state.next_ticket += 1;
            state.waiters.push_back(Waiter { ticket, handover: sender });
            let first = state.waiters.front().map_or(ticket, |waiter| waiter.ticket);
            shared.connect_for_waiters(&mut state, &mut errands);
            Checkout::Queued(Queued { ticket, first, handover })
        };
        shared.observe(&state);
        checkout
    };
    errands.run(shared);
    Ok(checkout)
}

async fn wait<D: Driver>(
    shared: &Arc<Shared<D>>,
    Queued { ticket, first, mut handover }: Queued<D>,
    [asked, now]: [Instant; 2],
    limit: Option<Instant>,
) -> Result<Lease<D>, DatabaseError> {
    let mut place = Place { shared, ticket, is_over: false };
    let soon = now + STALLED;
    let answer = match timeout_at(limit.map_or(soon, |limit| limit.min(soon)), &mut handover).await {
        Ok(answer) => answer,
        Err(_) if limit.is_some_and(|limit| limit <= soon) => return Err(saturated(shared, asked)),
        Err(_) => {
            // Where nobody was served in all that time, the server may have gone silent in the middle of what others asked of it.
            let stalled = shared.state().waiters.front().is_some_and(|waiter| waiter.ticket == first);
            let _watch = if stalled { silence::watch(shared, Who::Caller) } else { None };
            match limit {
                Some(limit) => timeout_at(limit, &mut handover).await.map_err(|_| saturated(shared, asked))?,
                None => handover.await,
            }
        }
    };
    // Whoever hands a connection over has taken the caller out of the queue, and asked the budget for those who are left.
    place.is_over = matches!(answer, Ok(Ok(_)));
    answer.unwrap_or_else(|_| Err(shared.closed_error()))
}

/// A place in the queue, left when the caller goes.
struct Place<'pool, D: Driver> {
    shared: &'pool Arc<Shared<D>>,
    ticket: u64,
    is_over: bool,
}

impl<D: Driver> Drop for Place<'_, D> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        let mut errands = Errands::default();
        {
            let mut state = self.shared.state();
            let position = state.waiters.partition_point(|waiter| waiter.ticket < self.ticket);
            if state.waiters.get(position).is_some_and(|waiter| waiter.ticket == self.ticket) {
                state.waiters.remove(position);
            }
            // What was asked of the server's budget for this caller may be more than the others need.
            self.shared.connect_for_waiters(&mut state, &mut errands);
            self.shared.observe(&state);
        }
        errands.run(self.shared);
    }
}

fn saturated<D: Driver>(shared: &Shared<D>, asked: Instant) -> DatabaseError {
    shared.timeouts_total.fetch_add(1, Ordering::Relaxed);
    shared.metrics.timed_out();
    let stats = shared.stats();
    let longest = holder::longest(&shared.state());
    let mut message = format!(
        "no connection came free within {} ms: {} of {} open, {} in use, {} idle, {} waiting",
        asked.elapsed().as_millis(),
        stats.open,
        stats.max,
        stats.in_use,
        stats.idle,
        stats.waiting,
    );
    if let Some(budget) = shared.seat.stats() {
        let (used, limit, pools) = (budget.used, budget.limit.unwrap_or(u32::MAX), budget.waiting_pools);
        // Writing to a text cannot fail.
        let _ = write!(message, "; of the server's budget {used} of {limit} used, {pools} pools waiting");
    }
    if !longest.is_empty() {
        message.push_str("; held longest: ");
        message.push_str(&longest);
    }
    DatabaseError::new(DatabaseErrorKind::Saturated, message).on(&shared.name).with_retry_after(Duration::from_secs(1))
}
