//! The task that keeps one circuit in step with those of other processes.

use std::sync::{Arc, Weak};
use std::time::Duration;

use metrics::{Counter, counter};
use shared_kernel::database::DatabaseError;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};

use super::Inner;
use super::board::CircuitBoard;
use super::share::{Share, Stance, Word};
use crate::knock::Knock;
use crate::spread;

/// How long the server has to say something by itself, in answer to whoever asks, before it is knocked.
const GRACE: Duration = Duration::from_millis(250);
/// How long the others are not believed after a knock that was answered. A server may be out of reach for them for long.
const DISBELIEF: Duration = Duration::from_mins(1);
/// How long the right to a probe is kept that nobody uses. Other processes may have callers who would.
const UNUSED: Duration = Duration::from_secs(1);
/// How long the right to a probe is kept for a process that does not say that it is still there.
const LEASE: Duration = Duration::from_secs(3);
/// The shortest time between two looks, however often somebody asks for one.
const REST: Duration = Duration::from_millis(50);

pub(super) struct Link {
    board: CircuitBoard,
    circuit: Weak<Inner>,
    wake: Arc<Notify>,
    endpoint: Box<str>,
    /// Whether the board did when it was asked last.
    answered: Option<bool>,
    /// What stood on it when it was read last.
    seen: Option<Vec<u8>>,
    /// Until when the others are not believed that the server is out of reach.
    disbelief: Option<Instant>,
    /// The rights to probe that are this process's, by their numbers, and when there was last a use for them.
    rights: Vec<u32>,
    used: Instant,
    /// Whether the last round with them was in vain, and until when they are left to others because of that.
    in_vain: bool,
    yields: Option<Instant>,
    adoptions: Counter,
    doubts: Counter,
    failures: Counter,
}

impl Link {
    pub(super) fn new(board: CircuitBoard, circuit: &Arc<Inner>, share: &Share) -> Self {
        let label = || circuit.endpoint.to_string();
        Self {
            board,
            circuit: Arc::downgrade(circuit),
            wake: share.wake(),
            endpoint: circuit.endpoint.clone(),
            answered: None,
            seen: None,
            disbelief: None,
            rights: Vec::new(),
            used: Instant::now(),
            in_vain: false,
            yields: None,
            adoptions: counter!("bindery.circuit.shared.adoptions", "endpoint" => label()),
            doubts: counter!("bindery.circuit.shared.doubts", "endpoint" => label()),
            failures: counter!("bindery.circuit.shared.failures", "endpoint" => label()),
        }
    }

    /// Goes on until nobody uses the circuit any more.
    pub(super) async fn run(mut self) {
        loop {
            let Some(pause) = self.turn().await else { return };
            // Early or late makes no difference: whoever is woken looks at everything.
            let woken = timeout(pause, self.wake.notified());
            let _ = tokio::join!(woken, sleep(REST));
        }
    }

    /// Looks at everything once, and says how long that will do.
    async fn turn(&mut self) -> Option<Duration> {
        let circuit = self.circuit.upgrade()?;
        let share = circuit.share.get()?;
        let outcome = self.tend(&circuit, share).await;
        share.note(outcome.is_ok());
        let is_new = self.answered.replace(outcome.is_ok()) != Some(outcome.is_ok());
        match outcome {
            Ok(()) if is_new => tracing::info!(endpoint = %self.endpoint, "the circuit is shared"),
            Ok(()) => {}
            Err(error) => {
                self.failures.increment(1);
                if is_new {
                    tracing::warn!(endpoint = %self.endpoint, %error, "the circuit is not shared: the board does not answer");
                }
            }
        }
        // Processes that were started together do not ask together.
        let pause = self.board.poll().mul_f64(0.5 + 0.5 * spread::random());
        Some(match circuit.stance() {
            Stance::Paused(left) => pause.min(left),
            Stance::Closed | Stance::Probing { .. } => pause,
        })
    }

    async fn tend(&mut self, circuit: &Inner, share: &Share) -> Result<(), DatabaseError> {
        if let Some(word) = circuit.take_news() {
            let said = self.board.say(&self.endpoint, word).await.inspect_err(|_| circuit.put_back(word))?;
            self.seen = Some(said);
        }
        let stands = self.board.read(&self.endpoint).await?;
        if stands.is_some() && stands != self.seen {
            let word = stands.as_deref().and_then(CircuitBoard::word);
            self.seen = stands;
            match word {
                Some(Word::Open(pause)) => self.hear_of_silence(circuit, share, pause).await,
                Some(Word::Closed) => self.hear_of_return(circuit, share).await,
                None => {}
            }
        }
        self.keep_rights(circuit).await
    }

    /// Others have found the server out of reach. It may be out of their reach alone.
    async fn hear_of_silence(&mut self, circuit: &Inner, share: &Share, pause: Duration) {
        if self.disbelief.is_some_and(|until| Instant::now() < until) || !circuit.suspect() {
            return;
        }
        sleep(GRACE).await;
        if !circuit.is_suspect() {
            self.doubt(circuit);
            return;
        }
        match share.knock().await {
            Knock::Silent if circuit.adopt_open(pause) => {
                self.adoptions.increment(1);
                tracing::info!(endpoint = %self.endpoint, "another process found the server out of reach, and so it is here");
            }
            // A caller was answered meanwhile.
            Knock::Silent => self.doubt(circuit),
            Knock::Answered => {
                self.disbelief = Instant::now().checked_add(DISBELIEF);
                circuit.trust();
                self.doubt(circuit);
            }
            Knock::Failed | Knock::Unknown => circuit.trust(),
        }
    }

    /// The server answers here, unless this process has found by itself that it does not.
    fn doubt(&self, circuit: &Inner) {
        if circuit.stance() == Stance::Closed {
            self.doubts.increment(1);
            // It may be said again each time that another process probes in vain.
            tracing::debug!(endpoint = %self.endpoint, "another process found the server out of reach, which it is not here");
        }
    }

    /// The server is there for others.
    async fn hear_of_return(&mut self, circuit: &Inner, share: &Share) {
        if circuit.stance() == Stance::Closed {
            return;
        }
        // Who cannot knock may as well try.
        if matches!(share.knock().await, Knock::Answered | Knock::Unknown) && circuit.adopt_closed() {
            tracing::info!(endpoint = %self.endpoint, "another process found the server back");
        }
    }

    async fn keep_rights(&mut self, circuit: &Inner) -> Result<(), DatabaseError> {
        match circuit.stance() {
            Stance::Closed => {
                self.in_vain = false;
                self.give_back().await
            }
            // Whoever has probed in vain keeps the others from doing the same until the pause is over.
            Stance::Paused(left) => {
                self.in_vain |= !self.rights.is_empty();
                self.hold(left).await
            }
            Stance::Probing { .. } if self.leaves_it_to_others() => {
                self.give_back().await?;
                circuit.grant(0);
                Ok(())
            }
            Stance::Probing { wanted, busy } => {
                self.hold(LEASE).await?;
                if wanted || busy {
                    self.used = Instant::now();
                }
                if wanted {
                    self.take(circuit.settings.probes).await?;
                } else if self.used.elapsed() >= UNUSED && circuit.revoke() {
                    self.give_back().await?;
                }
                circuit.grant(u32::try_from(self.rights.len()).unwrap_or(u32::MAX));
                Ok(())
            }
        }
    }

    /// Whether it is the others' turn, after probes in vain: the server may be out of reach from here alone. Each of them looks at
    /// the board once before it is over.
    fn leaves_it_to_others(&mut self) -> bool {
        if std::mem::take(&mut self.in_vain) {
            self.yields = Instant::now().checked_add(self.board.poll() + REST);
        }
        self.yields.is_some_and(|until| Instant::now() < until)
    }

    /// Keeps the rights that are still this process's for so long.
    async fn hold(&mut self, time: Duration) -> Result<(), DatabaseError> {
        let mut kept = Vec::new();
        for &number in &self.rights {
            if self.board.keep(&self.endpoint, number, time).await? {
                kept.push(number);
            }
        }
        self.rights = kept;
        Ok(())
    }

    /// Takes the rights that nobody has.
    async fn take(&mut self, probes: u32) -> Result<(), DatabaseError> {
        for number in 0..probes {
            if !self.rights.contains(&number) && self.board.take(&self.endpoint, number, LEASE).await? {
                self.rights.push(number);
            }
        }
        Ok(())
    }

    async fn give_back(&mut self) -> Result<(), DatabaseError> {
        while let Some(&number) = self.rights.last() {
            self.board.give_back(&self.endpoint, number).await?;
            self.rights.pop();
        }
        Ok(())
    }
}
