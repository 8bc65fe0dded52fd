//! Few handshakes with a server are under way at a time. An attempt to connect that has a turn and is not ready for it, as
//! its secret has yet to be read or a pause to pass, holds up every other pool on the server; so it does not keep it.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use shared_kernel::database::{DatabaseError, DatabaseErrorKind};
use tokio::time::{Instant, timeout};

use crate::budget::{Permit, Seat};

/// How long an attempt may take to get ready before its turn is another's.
const READY: Duration = Duration::from_millis(100);

/// The turn of one attempt to connect.
#[derive(Default)]
pub(super) struct Turn {
    asking: AtomicBool,
    lost: AtomicBool,
}

impl Turn {
    /// Runs the login of an attempt. When the server is not being asked after a while, the turn is let go; after half of the
    /// time to connect also the place, if another pool waits for one.
    pub(super) async fn during<T>(
        &self,
        login: impl Future<Output = Result<T, DatabaseError>>,
        permit: Option<&mut Permit>,
        seat: &Seat,
        limit: Duration,
    ) -> Result<T, DatabaseError> {
        let mut login = pin!(login);
        let Some(permit) = permit else { return login.await };
        let began = Instant::now();
        loop {
            if let Ok(outcome) = timeout(READY, &mut login).await {
                return outcome;
            }
            if self.asking.load(Ordering::Relaxed) {
                continue;
            }
            self.lost.store(true, Ordering::Relaxed);
            permit.shaken();
            if began.elapsed() >= limit / 2 && seat.is_wanted() {
                return Err(unready(began.elapsed()));
            }
        }
    }

    /// Asks the server. Where the turn was lost, one of those is waited for that are kept for latecomers, for half of
    /// the time to connect at most: what is left is the server's to answer in.
    pub(super) async fn ask<T>(&self, seat: &Seat, limit: Duration, connect: impl Future<Output = T>) -> T {
        let _asking = Asking::begin(&self.asking);
        let lost = self.lost.load(Ordering::Relaxed);
        let _late = if lost { timeout(limit / 2, seat.late_turn()).await.ok().flatten() } else { None };
        connect.await
    }
}

/// Says that the server is being asked for as long as it lives: also an attempt that is given up asks no more.
struct Asking<'a>(&'a AtomicBool);

impl<'a> Asking<'a> {
    fn begin(asking: &'a AtomicBool) -> Self {
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
fn unready(after: Duration) -> DatabaseError {
    let message = format!(
        "the secret or an earlier login to the account has been waited for for {} ms, and the server's connections are used up",
        after.as_millis()
    );
    DatabaseError::new(DatabaseErrorKind::SecretUnavailable, message)
}
