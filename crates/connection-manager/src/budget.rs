//! One budget of connections for each database server, shared by all pools that lead there.
//!
//! A place of the budget is held from before a connection is begun until it is closed, so that the server never has more
//! connections from this process than it allows. Where the places are used up, a pool with callers who wait gets one back
//! from a pool that can spare it: an idle connection is closed, or one in use when its caller returns it. Pools with fewer
//! places come first, and a pool's first place before another's second.

mod control;
mod ledger;
mod metrics;
mod permit;
mod reclaim;
mod seat;
mod turn;

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{Notify, Semaphore, oneshot};
use tokio::time::Instant;

pub(crate) use self::control::Control;
use self::ledger::Ledger;
pub(crate) use self::ledger::{HANDSHAKES, Refused};
use self::metrics::BudgetMetrics;
pub(crate) use self::permit::Permit;
pub(crate) use self::seat::Seat;
pub(crate) use self::turn::Late;
use crate::settings::ServerSettings;

/// A server's connections, as many as this process may open. Clones share it.
///
/// Without a limit it only sees to it that few handshakes with the server are under way at the same time.
#[derive(Clone)]
pub struct Budget(Arc<Inner>);

/// How a server's budget stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetStats {
    /// The most connections that this process may have; `None`: no limit.
    pub limit: Option<u32>,
    /// Connections that it has, those that are being opened and closed among them.
    pub used: u32,
    /// Pools with callers who wait for a place.
    pub waiting_pools: u32,
}

/// A pool, as its budget sees it. Never called with the budget's lock held.
pub(crate) trait Member: Send + Sync {
    /// Has a connection opened in this place, in a task of its own, or lets it go when nobody needs it any more.
    fn granted(self: Arc<Self>, permit: Permit);

    /// Since when the connection has been idle that has been idle for longest.
    fn oldest_idle(&self) -> Option<Instant>;

    /// Closes that connection. `false` when there is none any more.
    fn give_up_idle(self: Arc<Self>) -> bool;
}

struct Inner {
    server: String,
    limit: Option<u32>,
    books: Mutex<Books>,
    /// Whether a pool waits for a place that another has; what callers who return a connection look at.
    short: AtomicBool,
    /// Wakes the task that takes places back.
    wanted: Notify,
    /// The place for telling the server about callers who have left, when the budget is limited; see [`control`].
    control: Option<Arc<Semaphore>>,
    metrics: Option<BudgetMetrics>,
}

struct Books {
    ledger: Ledger,
    members: HashMap<u64, Weak<dyn Member>>,
    /// Those who were not ready to shake hands when it was their turn, and are now.
    late: VecDeque<oneshot::Sender<Late>>,
    /// Whether somebody is handing out places. It looks again when done.
    delivering: bool,
    /// Whether the task that takes places back is running.
    reclaiming: bool,
}

impl Budget {
    /// Without a limit.
    pub fn unlimited() -> Self {
        Self::with_limit(String::new(), None)
    }

    /// The budget of the server at `server`, a host and port.
    pub fn new(server: impl Into<String>, settings: &ServerSettings) -> Self {
        Self::with_limit(server.into(), settings.limit())
    }

    fn with_limit(server: String, limit: Option<u32>) -> Self {
        let (places, control) = control::split(limit);
        let metrics = limit.map(|limit| BudgetMetrics::new(&server, limit));
        let ledger = Ledger::new(places);
        let (members, late) = (HashMap::new(), VecDeque::new());
        let books = Books { ledger, members, late, delivering: false, reclaiming: false };
        let (books, short, wanted) = (Mutex::new(books), AtomicBool::new(false), Notify::new());
        Self(Arc::new(Inner { server, limit, books, short, wanted, control, metrics }))
    }

    /// Host and port of the server; empty for a budget that belongs to none.
    pub fn server(&self) -> &str {
        &self.0.server
    }

    /// The budget at this moment.
    pub fn stats(&self) -> BudgetStats {
        self.0.stats()
    }

    /// A pool's part in it.
    pub(crate) fn join(&self, member: Weak<dyn Member>) -> Seat {
        let id = self.0.with(|books| {
            let id = books.ledger.open();
            books.members.insert(id, member);
            id
        });
        Seat::new(Arc::clone(&self.0), id)
    }
}

impl Inner {
    fn stats(&self) -> BudgetStats {
        let (held, waiting_pools) = self.with(|books| (books.ledger.held(), books.ledger.waiting_pools()));
        let controls = self.control.as_ref().map_or(0, |control| 1 - u32::from(control.available_permits() > 0));
        BudgetStats { limit: self.limit, used: held + controls, waiting_pools }
    }

    /// The books are changed by small steps that cannot panic half-way, so a poisoned lock still guards sound ones.
    fn with<T>(&self, step: impl FnOnce(&mut Books) -> T) -> T {
        let mut books = self.books.lock().unwrap_or_else(PoisonError::into_inner);
        let outcome = step(&mut books);
        if self.limit.is_some() {
            self.short.store(books.ledger.is_short(), Ordering::SeqCst);
        }
        if let Some(metrics) = &self.metrics {
            metrics.observe(books.ledger.held(), books.ledger.waiting_pools());
        }
        outcome
    }

    fn is_short(&self) -> bool {
        self.short.load(Ordering::SeqCst)
    }

    /// Hands out what is free: turns to those who have a place, then places with their turns. Whoever comes while somebody
    /// does so leaves it to him: a place that is refused by one pool goes to the next in a loop and not deeper and deeper.
    fn settle(self: &Arc<Self>) {
        self.call_the_late();
        loop {
            let next = self.with(|books| {
                if books.delivering {
                    return None;
                }
                let id = books.ledger.next()?;
                books.ledger.grant(id);
                books.delivering = true;
                Some((id, books.members.get(&id).cloned()))
            });
            let Some((id, member)) = next else { return };
            let permit = Permit::new(Arc::clone(self), id);
            match member.and_then(|member| member.upgrade()) {
                Some(member) => member.granted(permit),
                None => drop(permit),
            }
            self.with(|books| books.delivering = false);
        }
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budget").field("server", &self.0.server).field("stats", &self.stats()).finish()
    }
}
