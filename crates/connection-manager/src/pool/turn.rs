//! Few handshakes with a server are under way at a time. An attempt to connect that has a turn and is not ready for it, as
//! its secret has yet to be read or a pause to pass, holds up every other pool on the server; so it does not keep it. When it
//! is ready it waits for another one.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use shared_kernel::database::{DatabaseError, DatabaseErrorKind};
use tokio::time::{Instant, timeout};

use crate::budget::{Late, Permit, Seat};
use crate::endpoint::NotAsked;

/// How long an attempt may take to get ready before its turn is another's.
pub(super) const READY: Duration = Duration::from_millis(100);

/// The turn of one attempt to connect.
#[derive(Default)]
pub(super) struct Turn {
    asking: AtomicBool,
    lost: AtomicBool,
    /// Whether another turn did not come in time.
    missed: AtomicBool,
    /// Since when the secret is being read.
    reading: Mutex<Option<Instant>>,
}

/// How an attempt ended.
pub(super) enum Ended<T> {
    /// With what its login came to.
    Login(Result<T, DatabaseError>),
    /// Another pool needs its place before it was its turn to log in, or that did not come. It says nothing about anybody.
    PutOff(Duration),
}

impl Turn {
    /// Runs the login of an attempt. When the server is not being asked after a while, the turn is let go; after half of the
    /// time to connect also the place, if another pool waits for one. Where that is because of a secret that does not come, it
    /// is an error: one that takes half of the time since the beginning, or half of the time to connect. Earlier logins to the
    /// account, and pauses between them, are no fault of this one: it is put off.
    pub(super) async fn during<T>(
        &self,
        login: impl Future<Output = Result<T, DatabaseError>>,
        permit: Option<&mut Permit>,
        seat: &Seat,
        limit: Duration,
    ) -> Ended<T> {
        let mut login = pin!(login);
        let Some(permit) = permit else { return Ended::Login(login.await) };
        let began = Instant::now();
        loop {
            if let Ok(outcome) = timeout(READY, &mut login).await {
                let missed = self.missed.load(Ordering::Relaxed) && outcome.is_err();
                return if missed { Ended::PutOff(began.elapsed()) } else { Ended::Login(outcome) };
            }
            if self.asking.load(Ordering::Relaxed) {
                continue;
            }
            self.lost.store(true, Ordering::Relaxed);
            permit.shaken();
            let waited = began.elapsed();
            if waited >= limit / 2 && seat.is_wanted() {
                return match self.read_for() {
                    Some(read) if read >= waited.min(limit) / 2 => Ended::Login(Err(unread(read))),
                    _ => Ended::PutOff(waited),
                };
            }
        }
    }

    /// Notes that the secret is being read from now on, or is not any more.
    pub(super) fn reads(&self, reading: bool) {
        *self.reading.lock().unwrap_or_else(PoisonError::into_inner) = reading.then(Instant::now);
    }

    fn read_for(&self) -> Option<Duration> {
        self.reading.lock().unwrap_or_else(PoisonError::into_inner).map(|since| since.elapsed())
    }

    /// Waits for another turn where the one that came with the place was let go, as long as an attempt to connect may take:
    /// those who have one keep it no longer than their own pool's limit. An attempt that has none then is put off.
    ///
    /// # Errors
    /// Nobody is told; the attempt ends with it.
    pub(super) async fn ready(&self, seat: &Seat, limit: Duration) -> Result<Option<Late>, DatabaseError> {
        if !self.lost.load(Ordering::Relaxed) {
            return Ok(None);
        }
        if let Ok(Some(late)) = timeout(limit, seat.late_turn()).await {
            return Ok(Some(late));
        }
        self.missed.store(true, Ordering::Relaxed);
        let message = "as many logins to the server are under way as there may be";
        Err(DatabaseError::new(DatabaseErrorKind::Unreachable, message).with_source(NotAsked::at_all()))
    }

    /// Asks the server.
    pub(super) async fn ask<T>(&self, connect: impl Future<Output = T>) -> T {
        let _asking = Asking::begin(&self.asking);
        connect.await
    }
}

/// Says that the server is being asked for as long as it lives: also an attempt that is given up asks no more.
pub(super) struct Asking<'a>(&'a AtomicBool);

impl<'a> Asking<'a> {
    pub(super) fn begin(asking: &'a AtomicBool) -> Self {
        asking.store(true, Ordering::Relaxed);
        Self(asking)
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// The server was not asked, so this says nothing about it.
fn unread(after: Duration) -> DatabaseError {
    let message =
        format!("the secret did not come within {} ms, and the server's connections are used up", after.as_millis());
    DatabaseError::new(DatabaseErrorKind::SecretUnavailable, message)
}
