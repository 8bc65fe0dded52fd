use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::driver::Driver;
use super::shared::{Phase, Shared};
use crate::breaker::Door;
use crate::knock::Knock;
use crate::lookout::{Waiting, Who};

/// A login that takes longer may wait for a server that is silent, and so may a caller while nobody is served for as long.
pub(super) const STALLED: Duration = Duration::from_millis(500);

/// Attempts to log in that may meet a silent server.
pub(super) struct Silence<'a, D: Driver> {
    shared: &'a Arc<Shared<D>>,
    returned: watch::Receiver<Option<Instant>>,
}

impl<'a, D: Driver> Silence<'a, D> {
    pub(super) fn new(shared: &'a Arc<Shared<D>>) -> Self {
        Self { shared, returned: shared.breaker.lookout().returned() }
    }

    /// Runs one login. `None` when the server, which was silent, is back meanwhile: what the login had sent is lost, and it is
    /// to be begun anew, before which there is no pause.
    ///
    /// A login that was just begun is given a while before it is taken for one that was sent into the silence.
    pub(super) async fn outlast<T>(&mut self, login: impl Future<Output = T>) -> Option<T> {
        let returned = *self.returned.borrow_and_update();
        if let Some(returned) = returned {
            self.shared.keyring.forgive(returned);
        }
        let mut login = pin!(login);
        if let Ok(outcome) = timeout(STALLED, &mut login).await {
            return Some(outcome);
        }
        let _waiting = watch(self.shared, Who::Login);
        tokio::select! {
            biased;
            outcome = &mut login => Some(outcome),
            Ok(()) = self.returned.changed() => {
                tracing::debug!(connection = %self.shared.name, "the server was silent and is back: a login begins anew");
                None
            }
        }
    }
}

/// Watches for the server's return for as long as the value lives, and a while longer.
pub(super) fn watch<D: Driver>(shared: &Arc<Shared<D>>, who: Who) -> Option<Waiting> {
    let (pool, breaker) = (Arc::downgrade(shared), shared.breaker.clone());
    let told = pool.clone();
    let knock = move || {
        let pool = pool.upgrade().filter(|shared| shared.state().phase == Phase::Open);
        async move {
            match pool {
                Some(shared) => Some(shared.driver.knock().await),
                None => None,
            }
        }
    };
    let silent = move || {
        if let Some(shared) = told.upgrade() {
            shared.note_unheard();
        }
    };
    shared.breaker.lookout().watch(&shared.runtime, who, knock, move || breaker.returned(), silent)
}

#[async_trait]
impl<D: Driver> Door for Shared<D> {
    async fn knock(&self) -> Knock {
        let phase = self.state().phase;
        if phase == Phase::Open { self.driver.knock().await } else { Knock::Unknown }
    }
}
