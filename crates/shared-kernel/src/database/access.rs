use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::{DatabaseConnection, DatabaseError};
use crate::RequestContext;

/// What the caller means to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// Nothing will be changed, nor decided by what is read: a replica may serve it that has what the context's
    /// [`Freshness`](crate::Freshness) asks for.
    Read,
    /// Something may be changed, or what is to be changed is read: the primary serves it.
    Write,
}

/// The port through which a context reaches its database: a name in, a live connection out.
///
/// Ask each time a connection is needed and keep none: rotation, tenants, replicas and budgets stay invisible that way.
pub trait Connections: Send + Sync + fmt::Debug {
    /// The connection called `name`, opened if this is the first call for it.
    ///
    /// The future is ready at once, without an allocation, when the connection is live.
    fn get<'a>(&'a self, name: &str, access: Access, context: &RequestContext) -> ConnectionFuture<'a>;
}

type Outcome = Result<Arc<dyn DatabaseConnection>, DatabaseError>;

/// The future that [`Connections::get`] returns.
#[must_use = "a future does nothing until it is awaited"]
pub struct ConnectionFuture<'a>(State<'a>);

enum State<'a> {
    Ready(Option<Outcome>),
    Pending(Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>),
}

impl<'a> ConnectionFuture<'a> {
    /// A future that is ready.
    pub const fn ready(outcome: Outcome) -> Self {
        Self(State::Ready(Some(outcome)))
    }

    /// A future that has yet to build or wait.
    pub fn pending(future: impl Future<Output = Outcome> + Send + 'a) -> Self {
        Self(State::Pending(Box::pin(future)))
    }
}

impl Future for ConnectionFuture<'_> {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Ready(outcome) => Poll::Ready(outcome.take().expect("a future is not polled after it is ready")),
            State::Pending(future) => future.as_mut().poll(context),
        }
    }
}

impl fmt::Debug for ConnectionFuture<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            State::Ready(_) => "ConnectionFuture(ready)",
            State::Pending(_) => "ConnectionFuture(pending)",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::Waker;

    use super::*;
    use crate::database::DatabaseErrorKind;

    #[test]
    fn a_ready_future_answers_at_the_first_poll() {
        let outcome = Err(DatabaseError::new(DatabaseErrorKind::Closed, "closed"));
        let future = pin!(ConnectionFuture::ready(outcome));
        let polled = future.poll(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(polled, Poll::Ready(Err(error)) if error.kind() == &DatabaseErrorKind::Closed));
    }

    #[test]
    fn a_pending_future_answers_when_its_inner_one_does() {
        let mut ready = false;
        let inner = std::future::poll_fn(move |context| {
            if std::mem::replace(&mut ready, true) {
                return Poll::Ready(Err(DatabaseError::new(DatabaseErrorKind::Unreachable, "refused")));
            }
            context.waker().wake_by_ref();
            Poll::Pending
        });
        let mut future = pin!(ConnectionFuture::pending(inner));
        let mut context = Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut context).is_pending());
        assert!(future.poll(&mut context).is_ready());
    }
}
