use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ::mongodb::event::EventHandler;
use ::mongodb::event::cmap::CmapEvent;
use ::mongodb::event::sdam::SdamEvent;
use ::mongodb::options::ClientOptions;
use shared_kernel::database::Effect;
use tokio::sync::watch;
use tokio::time::Instant;

use super::error::is_rejected_login;

/// How long a refusal is believed without asking the server again: as long as it takes to tell all who log in at that time.
const BELIEVED: Duration = Duration::from_secs(5);

tokio::task_local! {
    /// Whether the driver has given a connection to the piece of work that this task does.
    static SERVED: Arc<AtomicBool>;
}

/// What the server has said to one version of the credentials, for all clients that log in with it.
#[derive(Debug)]
pub(super) struct Standing {
    version: String,
    /// When it was refused.
    refused: watch::Sender<Option<Instant>>,
}

impl Standing {
    pub(super) fn new(version: String) -> Self {
        Self { version, refused: watch::Sender::new(None) }
    }

    /// Which version it is about.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    /// Has the driver tell what it tells no caller: why it takes a server for lost, before it clears that server's connections,
    /// and whom it gives a connection to.
    pub(super) fn listen(self: &Arc<Self>, options: &mut ClientOptions) {
        let standing = Arc::clone(self);
        options.sdam_event_handler = Some(EventHandler::callback(move |event| match event {
            SdamEvent::ServerDescriptionChanged(change)
                if change.new_description.error().is_some_and(is_rejected_login) =>
            {
                standing.refuse();
            }
            _ => {}
        }));
        options.cmap_event_handler = Some(EventHandler::callback(|event| {
            // The driver says so in the task of the call.
            if matches!(event, CmapEvent::ConnectionCheckedOut(_)) {
                serve();
            }
        }));
    }

    /// The server has refused it: no further login is tried.
    pub(super) fn refuse(&self) {
        self.refused.send_if_modified(|refused| refused.is_none() && refused.replace(Instant::now()).is_none());
    }

    pub(super) fn is_refused(&self) -> bool {
        self.refused.borrow().is_some()
    }

    /// Whether it was refused so lately that the server need not be asked again.
    pub(super) fn is_known_to_be_refused(&self) -> bool {
        self.refused.borrow().is_some_and(|at| at.elapsed() < BELIEVED)
    }

    /// Does a piece of work, unless it is refused while the driver has yet to give the work its first connection. `None` when it
    /// was: nothing was sent.
    pub(super) async fn unless_refused<F: Future>(&self, work: Work, future: F) -> Option<F::Output> {
        let mut refused = self.refused.subscribe();
        let refused = async {
            // It never fails: the other end is here.
            let _ = refused.wait_for(Option::is_some).await;
            if work.is_served() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            biased;
            () = refused => None,
            output = SERVED.scope(Arc::clone(&work.0), future) => Some(output),
        }
    }
}

/// A piece of work on a client.
#[derive(Debug, Clone, Default)]
pub(super) struct Work(Arc<AtomicBool>);

impl Work {
    /// Whether the driver has given it a connection, so that something of it may have been sent.
    fn is_served(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Whether it can be begun anew without any danger that something takes effect twice.
    pub(super) fn may_be_repeated(&self, effect: Effect) -> bool {
        effect == Effect::Nothing || !self.is_served()
    }
}

/// Notes that the work of this task has a connection. Tasks of the driver's own do nobody's work.
fn serve() {
    let _ = SERVED.try_with(|served| served.store(true, Ordering::Release));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn work_that_waits_for_a_connection_ends_with_a_refusal_and_other_work_does_not() {
        let standing = Arc::new(Standing::new("1".to_owned()));
        let (begun, is_begun) = watch::channel(0);
        let attempt = |is_served: bool| {
            let (standing, begun) = (Arc::clone(&standing), begun.clone());
            let mut is_refused = standing.refused.subscribe();
            tokio::spawn(async move {
                let future = async {
                    if is_served {
                        serve();
                    }
                    begun.send_modify(|begun| *begun += 1);
                    let _ = is_refused.wait_for(Option::is_some).await;
                    // One that the driver serves comes to its end whatever happens.
                    if !is_served {
                        std::future::pending::<()>().await;
                    }
                };
                standing.unless_refused(Work::default(), future).await
            })
        };
        let (served, waiting) = (attempt(true), attempt(false));
        is_begun.clone().wait_for(|begun| *begun == 2).await.unwrap();
        standing.refuse();
        assert_eq!(served.await.unwrap(), Some(()));
        let waiting = tokio::time::timeout(Duration::from_secs(30), waiting).await.expect("it ends");
        assert_eq!(waiting.unwrap(), None);
        assert_eq!(standing.unless_refused(Work::default(), std::future::ready(())).await, None, "nor is any begun");
    }

    #[tokio::test]
    async fn work_is_begun_anew_that_has_sent_nothing_or_changes_nothing() {
        let (before, after) = (Work::default(), Work::default());
        let standing = Standing::new("1".to_owned());
        standing.unless_refused(after.clone(), async { serve() }).await.unwrap();
        serve();
        for (effect, whatever_was_sent) in [(Effect::Nothing, true), (Effect::Whole, false), (Effect::Unknown, false)] {
            assert!(before.may_be_repeated(effect), "{effect:?}");
            assert_eq!(after.may_be_repeated(effect), whatever_was_sent, "{effect:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_believed_for_a_while_and_counted_from_the_first() {
        let standing = Standing::new("1".to_owned());
        assert!(!standing.is_refused() && !standing.is_known_to_be_refused());
        standing.refuse();
        tokio::time::advance(BELIEVED / 2).await;
        standing.refuse();
        assert!(standing.is_refused() && standing.is_known_to_be_refused());
        tokio::time::advance(BELIEVED / 2).await;
        assert!(standing.is_refused() && !standing.is_known_to_be_refused());
    }
}
