use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use futures_util::task::AtomicWaker;
use shared_kernel::RequestContext;
use tokio::time::{Instant, Sleep};

/// When a call has to be over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// The earlier of the request's deadline and `limit` from now.
    pub fn of(context: &RequestContext, limit: Option<Duration>) -> Self {
        let deadline = Self(context.deadline.map(Instant::from_std));
        limit.map_or(deadline, |limit| deadline.at_most(limit))
    }

    /// `limit` from now.
    pub fn within(limit: Duration) -> Self {
        Self(Instant::now().checked_add(limit))
    }

    /// This one, or `limit` from now if that is earlier.
    #[must_use]
    pub fn at_most(self, limit: Duration) -> Self {
        let limit = Instant::now().checked_add(limit);
        Self(match (self.0, limit) {
            (Some(deadline), Some(limit)) => Some(deadline.min(limit)),
            (deadline, limit) => deadline.or(limit),
        })
    }

    /// At an instant.
    pub fn at(instant: Instant) -> Self {
        Self(Some(instant))
    }

    /// The instant, when there is one.
    pub fn instant(self) -> Option<Instant> {
        self.0
    }

    /// Whether it has passed.
    pub fn has_passed(self) -> bool {
        self.0.is_some_and(|deadline| deadline <= Instant::now())
    }
}

/// The string by which a closing pool pulls statements out from under their callers.
#[derive(Debug, Default)]
pub(crate) struct Cut {
    pulled: AtomicBool,
    waker: AtomicWaker,
}

impl Cut {
    pub(crate) fn pull(&self) {
        self.pulled.store(true, Ordering::Release);
        self.waker.wake();
    }

    pub(crate) fn is_pulled(&self) -> bool {
        self.pulled.load(Ordering::Acquire)
    }
}

/// Why a future did not finish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interrupted {
    Deadline,
    Cut,
}

/// Runs `future` until it is done, until `deadline`, or until `cut` is pulled. It is pinned by the caller: one that is handed over
/// by value would be kept twice, as an argument and where it is pinned.
pub(crate) fn limited<'a, F: Future>(
    future: Pin<&'a mut F>,
    deadline: Deadline,
    cut: &'a Cut,
) -> impl Future<Output = Result<F::Output, Interrupted>> + use<'a, F> {
    limited_from_the_wait(future, move || deadline, cut)
}

/// As [`limited`], with a deadline that is asked for when the future has to be waited for.
pub(crate) async fn limited_from_the_wait<F: Future>(
    mut future: Pin<&mut F>,
    deadline: impl Fn() -> Deadline,
    cut: &Cut,
) -> Result<F::Output, Interrupted> {
    // Made only when the future is not ready at once, because a timer costs more than many an answer from memory; and boxed, because
    // every statement's future would have it inside.
    let mut sleep: Option<Pin<Box<Sleep>>> = None;
    poll_fn(|context| {
        if let Poll::Ready(output) = future.as_mut().poll(context) {
            return Poll::Ready(Ok(output));
        }
        cut.waker.register(context.waker());
        if cut.is_pulled() {
            return Poll::Ready(Err(Interrupted::Cut));
        }
        let sleep = match &mut sleep {
            Some(sleep) => sleep,
            none => {
                let Some(instant) = deadline().instant() else { return Poll::Pending };
                none.insert(Box::pin(tokio::time::sleep_until(instant)))
            }
        };
        sleep.as_mut().poll(context).map(|()| Err(Interrupted::Deadline))
    })
    .await
}
