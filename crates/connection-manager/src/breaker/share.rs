//! What a circuit has to do with those of other processes, as far as callers meet it. Nothing here waits: what is to be asked of
//! the others is left to the [`Link`](super::link).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};

use super::{Breaker, Circuit, Inner, State};
use crate::knock::Knock;
use crate::lookout::PATIENCE;

/// When a caller may come again who would have been a probe and had no right to be one.
const SOON: Duration = Duration::from_millis(100);

/// What one process says to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// It found the server out of reach, and leaves it alone for so long.
    Open(Duration),
    /// Its probes came back well.
    Closed,
}

/// Whoever can ask the server whether it is there.
#[async_trait]
pub(crate) trait Door: Send + Sync {
    async fn knock(&self) -> Knock;
}

/// The part of a circuit's state that others have to do with.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// What they have yet to be told. An older word is of no use beside a newer one.
    news: Option<Word>,
    /// Whether a caller was refused who would have been a probe.
    wanted: bool,
    /// The probes that this process may have under way at a time, of those of all processes.
    granted: u32,
    /// Whether others have found the server out of reach, and it has said nothing here since.
    pub(super) suspect: bool,
}

impl Part {
    pub(super) fn changed(&mut self, circuit: Circuit) {
        self.suspect = false;
        match circuit {
            Circuit::Closed => (self.wanted, self.granted) = (false, 0),
            Circuit::HalfOpen => {}
            // The round is over, and with it the rights to probe in it.
            Circuit::Open => self.granted = 0,
        }
    }
}

/// The way to the others.
#[derive(Default)]
pub(super) struct Share {
    /// Whether the board answered when it was asked last.
    up: AtomicBool,
    wake: Arc<Notify>,
    /// The pools that lead to the server.
    doors: Mutex<Vec<Weak<dyn Door>>>,
}

impl Share {
    pub(super) fn is_up(&self) -> bool {
        self.up.load(Ordering::Relaxed)
    }

    pub(super) fn note(&self, up: bool) {
        self.up.store(up, Ordering::Relaxed);
    }

    /// Is told whenever there is something to be done for the circuit.
    pub(super) fn wake(&self) -> Arc<Notify> {
        Arc::clone(&self.wake)
    }

    /// Asks whether the server is there, through the first pool that can.
    pub(super) async fn knock(&self) -> Knock {
        let doors: Vec<_> = self.doors().iter().filter_map(Weak::upgrade).collect();
        for door in doors {
            match timeout(PATIENCE, door.knock()).await {
                Ok(Knock::Unknown) => {}
                Ok(answer) => return answer,
                Err(_) => return Knock::Silent,
            }
        }
        Knock::Unknown
    }

    fn doors(&self) -> MutexGuard<'_, Vec<Weak<dyn Door>>> {
        self.doors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a circuit stands, for whoever keeps its rights to probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stance {
    Closed,
    /// Nobody passes for so long.
    Paused(Duration),
    /// Probes may pass.
    Probing {
        /// Whether one was refused for want of a right.
        wanted: bool,
        /// Whether one is under way.
        busy: bool,
    },
}

impl Breaker {
    /// Has the server asked through this pool, too, whether it is there.
    pub(crate) fn add_door(&self, door: Weak<dyn Door>) {
        if let Some(share) = self.0.share.get() {
            let mut doors = share.doors();
            doors.retain(|door| door.strong_count() > 0);
            doors.push(door);
        }
    }
}

impl Inner {
    /// The probes that this process may have under way at a time.
    pub(super) fn allowance(&self, state: &State) -> u32 {
        match self.share.get() {
            Some(share) if share.is_up() => state.part.granted,
            // Alone, or without a word from the others.
            _ => self.settings.probes,
        }
    }

    /// Notes what the others are to be told, if there are any.
    pub(super) fn tell(&self, state: &mut State, word: Word) {
        if let Some(share) = self.share.get() {
            state.part.news = Some(word);
            share.wake.notify_one();
        }
    }

    /// Notes that a caller would be a probe once the pause is over. When to come again, where the right to it is others' to give.
    pub(super) fn wanted(&self, state: &mut State) -> Option<Duration> {
        let share = self.share.get().filter(|share| share.is_up())?;
        if !std::mem::replace(&mut state.part.wanted, true) {
            share.wake.notify_one();
        }
        Some(SOON)
    }

    pub(super) fn take_news(&self) -> Option<Word> {
        self.state().part.news.take()
    }

    /// It could not be said. By now there may be something newer to say.
    pub(super) fn put_back(&self, word: Word) {
        self.state().part.news.get_or_insert(word);
    }

    pub(super) fn stance(&self) -> Stance {
        let state = self.state();
        match (state.circuit, state.left(Instant::now())) {
            (Circuit::Closed, _) => Stance::Closed,
            (Circuit::Open, left) if !left.is_zero() => Stance::Paused(left),
            (Circuit::Open, _) => Stance::Probing { wanted: state.part.wanted, busy: false },
            (Circuit::HalfOpen, _) => Stance::Probing { wanted: state.part.wanted, busy: state.probing > 0 },
        }
    }

    /// Lets so many probes be under way, if it is a time for probes.
    pub(super) fn grant(&self, probes: u32) {
        let mut state = self.state();
        let paused = state.circuit == Circuit::Open && !state.left(Instant::now()).is_zero();
        if state.circuit != Circuit::Closed && !paused {
            state.part.wanted &= probes == 0;
            state.part.granted = probes;
        }
    }

    /// Lets no more probes pass, unless one is under way.
    pub(super) fn revoke(&self) -> bool {
        let mut state = self.state();
        if state.circuit == Circuit::HalfOpen && state.probing > 0 {
            return false;
        }
        state.part.granted = 0;
        true
    }

    /// Begins to doubt that the server is there. Says whether there was no doubt of it.
    pub(super) fn suspect(&self) -> bool {
        let mut state = self.state();
        if state.circuit != Circuit::Closed {
            return false;
        }
        state.part.suspect = true;
        self.doubtful.store(true, Ordering::Relaxed);
        true
    }

    pub(super) fn is_suspect(&self) -> bool {
        self.state().part.suspect
    }

    pub(super) fn trust(&self) {
        self.state().part.suspect = false;
    }

    /// Others have found the server out of reach, and so has this process, unless the server has said something meanwhile.
    /// Says whether that opened the circuit.
    pub(super) fn adopt_open(&self, pause: Duration) -> bool {
        let mut state = self.state();
        if !state.part.suspect {
            return false;
        }
        self.open_for(&mut state, pause.min(self.settings.open_for_max));
        true
    }

    /// The probes of others came back well, and the server is there for this process too. Says whether that closed the circuit.
    pub(super) fn adopt_closed(&self) -> bool {
        let mut state = self.state();
        if state.circuit == Circuit::Closed {
            return false;
        }
        self.close(&mut state);
        true
    }
}
