//! Finding out when a server that went silent is back. What is under way at that time may never be answered, as whatever it
//! had sent is lost, and whoever waits between two attempts would wait for nothing.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use crate::knock::Knock;
use crate::spread;

/// How long an answer to a knock is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_millis(500);
/// The longest pause between two knocks, and the shortest is half of it.
const PACE: Duration = Duration::from_millis(400);
/// How long the server is watched after the last who waited for it has gone: it may have been between two attempts.
const LINGER: Duration = Duration::from_secs(10);

/// Knocks that are answered between two logins, beyond which callers without a connection begin no watch: MySQL and MariaDB
/// lock out a host after a hundred clients that leave at once.
const IDLE_KNOCKS: u32 = 10;

/// Who waits for a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// A login that it has not answered.
    Login,
    /// A caller while nobody gives a connection back. They may all be busy.
    Caller,
}

/// Watches over one server for all who wait for it. One knocks at a time, at a pace, and only while somebody waits.
pub(crate) struct Lookout {
    state: Mutex<State>,
    /// When the server was last found back.
    returned: watch::Sender<Option<Instant>>,
}

struct State {
    running: bool,
    /// Those who wait for the server at present.
    waiting: u32,
    /// Grows with each login that is kept waiting.
    arrivals: u64,
    /// When somebody last waited.
    wanted: Instant,
    /// Whether a knock was not answered, and nothing has been heard of the server since.
    silent: bool,
    /// Whether its last login took less than a knock may take.
    quick: bool,
    /// Knocks that were answered since somebody last logged in.
    answered: u32,
}

impl Lookout {
    pub(crate) fn new() -> Self {
        let state = State {
            running: false,
            waiting: 0,
            arrivals: 0,
            wanted: Instant::now(),
            silent: false,
            quick: false,
            answered: 0,
        };
        Self { state: Mutex::new(state), returned: watch::Sender::new(None) }
    }

    /// When the server was last found back after a silence, and whenever it is again.
    pub(crate) fn returned(&self) -> watch::Receiver<Option<Instant>> {
        self.returned.subscribe()
    }

    /// The server has let somebody in, for which it took so long.
    pub(crate) fn heard(&self, within: Duration) {
        let mut state = self.state();
        (state.silent, state.answered, state.quick) = (false, 0, within < PATIENCE);
    }

    /// Has the server watched for as long as the value lives, and a while longer; not for a `who` that has no need of it.
    /// `knock` asks it, and ends the watch with `None` or [`Knock::Unknown`]; `back` is called when it answers after a
    /// silence, before those who wait are told; `silent` for each knock that is refused, or not answered by a server whose
    /// last login was quicker than that.
    pub(crate) fn watch<F>(
        self: &Arc<Self>,
        runtime: &Handle,
        who: Who,
        knock: impl Fn() -> F + Send + 'static,
        back: impl Fn() + Send + 'static,
        silent: impl Fn() + Send + 'static,
    ) -> Option<Waiting>
    where
        F: Future<Output = Option<Knock>> + Send + 'static,
    {
        let first = {
            let mut state = self.state();
            if who == Who::Caller && !state.running && state.answered >= IDLE_KNOCKS {
                return None;
            }
            state.waiting += 1;
            state.arrivals += u64::from(who == Who::Login);
            !std::mem::replace(&mut state.running, true)
        };
        if first {
            let running = Running { lookout: Arc::clone(self), over: false };
            runtime.spawn(running.go_on(knock, back, silent));
        }
        Some(Waiting(Arc::clone(self)))
    }

    async fn run<F>(&self, knock: impl Fn() -> F, back: impl Fn(), silent: impl Fn())
    where
        F: Future<Output = Option<Knock>>,
    {
        loop {
            let arrivals = self.state().arrivals;
            match timeout(PATIENCE, knock()).await {
                Ok(Some(Knock::Answered)) => {
                    self.state().answered += 1;
                    if std::mem::take(&mut self.state().silent) {
                        back();
                        self.returned.send_replace(Some(Instant::now()));
                    }
                    if self.ends(|state| state.arrivals == arrivals) {
                        return;
                    }
                }
                Ok(Some(Knock::Silent)) => {
                    self.state().silent = true;
                    silent();
                }
                Err(_) => {
                    let (first, quick) = {
                        let mut state = self.state();
                        (!std::mem::replace(&mut state.silent, true), state.quick)
                    };
                    if quick {
                        silent();
                    }
                    // One may be lost. Whether it was is asked at once, as it was waited for long enough.
                    if first {
                        continue;
                    }
                }
                // It is not held against the server. Yet whoever tried to log in meanwhile fared no better, so the next answer is a return.
                Ok(Some(Knock::Failed)) => self.state().silent = true,
                Ok(None | Some(Knock::Unknown)) => {
                    self.ends(|_| true);
                    return;
                }
            }
            sleep(PACE.mul_f64(0.5 + 0.5 * spread::random())).await;
            if self.ends(|state| state.waiting == 0 && state.wanted.elapsed() >= LINGER) {
                return;
            }
        }
    }

    /// Notes the end of the watch, if it is one: whoever comes later begins another.
    fn ends(&self, over: impl FnOnce(&State) -> bool) -> bool {
        let mut state = self.state();
        let over = over(&state);
        state.running = !over;
        over
    }

    /// Changed by small steps that cannot panic half-way, so a poisoned lock still guards a sound state.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who waits for the server.
pub(crate) struct Waiting(Arc<Lookout>);

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.waiting = state.waiting.saturating_sub(1);
        state.wanted = Instant::now();
    }
}

/// The watch. One that ends before its time was dropped by its runtime, or the driver panicked.
struct Running {
    lookout: Arc<Lookout>,
    over: bool,
}

impl Running {
    async fn go_on<F>(mut self, knock: impl Fn() -> F, back: impl Fn(), silent: impl Fn())
    where
        F: Future<Output = Option<Knock>>,
    {
        self.lookout.run(knock, back, silent).await;
        self.over = true;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.over {
            self.lookout.state().running = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_as_quick_as_its_last_login() {
        let lookout = Lookout::new();
        for (took, quick) in [(Duration::ZERO, true), (PATIENCE, false), (PATIENCE / 2, true)] {
            lookout.heard(took);
            assert_eq!(lookout.state().quick, quick, "{took:?}");
        }
    }
}
