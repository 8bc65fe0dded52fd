//! A login is dropped after every number of polls, wherever it is: as it waits for its turn, reads the secret, waits for a pause
//! to end or asks the server. Each time the account's turns are all there afterwards, and none twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use connection_manager::{ConnectionSettings, Credentials, Keyring};
use shared_kernel::database::{DatabaseError, Engine};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::advance;

use super::stepping::step;
use super::world::Secrets;
use super::{MOST_POLLS, abandon_after};

/// Longer than the pause after an attempt that was given up.
const LIMIT: Duration = Duration::from_mins(1);

/// What a login meets.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent, and each combination is tried")]
struct Scene {
    /// Whether the password may change: then one logs in at a time, and otherwise two as soon as it was accepted.
    may_change: bool,
    accepted: bool,
    /// Others are logging in, as many as may.
    busy: bool,
    /// One more waits behind it.
    queue: bool,
    steps: u32,
}

impl Scene {
    fn all() -> impl Iterator<Item = Self> {
        (0..32_u32).map(|bits| Self {
            may_change: bits & 1 != 0,
            accepted: bits & 2 != 0,
            busy: bits & 4 != 0,
            queue: bits & 8 != 0,
            steps: 1 + (bits >> 4),
        })
    }

    fn account(self) -> Keyring {
        let name = "fake".parse().unwrap();
        if self.may_change {
            let connection = ConnectionSettings::new(Engine::from("fake".to_owned()));
            return Keyring::new(Arc::new(Secrets::new(self.steps)), name, connection);
        }
        let credentials = Credentials { username: "svc".to_owned(), password: "one".into(), version: "one".to_owned() };
        Keyring::fixed(name, credentials)
    }

    /// How many may log in at the same time once the password was accepted.
    fn turns(self) -> u32 {
        if self.may_change { 1 } else { 2 }
    }
}

/// Where logins wait until they are let in.
struct Gate {
    inside: AtomicU32,
    open: Semaphore,
}

impl Gate {
    fn shut() -> Arc<Self> {
        Arc::new(Self { inside: AtomicU32::new(0), open: Semaphore::new(0) })
    }

    fn inside(&self) -> u32 {
        self.inside.load(Ordering::SeqCst)
    }

    /// A login that is let in through the gate.
    async fn login(self: Arc<Self>, account: Keyring) -> Result<(), DatabaseError> {
        let attempt = |_| async {
            self.inside.fetch_add(1, Ordering::SeqCst);
            let _in = self.open.acquire().await.unwrap();
            self.inside.fetch_sub(1, Ordering::SeqCst);
            Ok(())
        };
        account.login(LIMIT, attempt).await.map(drop)
    }
}

async fn log_in(account: &Keyring, steps: u32) -> Result<(), DatabaseError> {
    let attempt = |_| async move {
        step(steps).await;
        Ok(())
    };
    account.login(LIMIT, attempt).await.map(drop)
}

/// Drops a login after so many polls. Says whether it was over by then.
async fn try_once(scene: Scene, polls: u32) -> bool {
    let account = scene.account();
    if scene.accepted {
        log_in(&account, 0).await.unwrap();
    }
    let (gate, mut others) = (Gate::shut(), JoinSet::new());
    if scene.busy {
        let many = if scene.accepted { scene.turns() } else { 1 };
        (0..many).for_each(|_| drop(others.spawn(Arc::clone(&gate).login(account.clone()))));
        while gate.inside() < many {
            tokio::task::yield_now().await;
        }
    }
    let between = |poll| {
        if poll == 0 && scene.queue {
            others.spawn({
                let account = account.clone();
                async move { log_in(&account, scene.steps).await }
            });
        }
        if poll == super::RELEASED_AT {
            gate.open.add_permits(100);
        }
    };
    let outcome = abandon_after(polls, between, log_in(&account, scene.steps)).await;
    if let Some(Err(error)) = &outcome {
        panic!("{scene:?} {polls}: {error}");
    }
    gate.open.add_permits(100);
    while let Some(other) = others.join_next().await {
        other.unwrap().unwrap_or_else(|error| panic!("{scene:?} {polls}: another login: {error}"));
    }
    // The pause after a login that was given up passes first.
    log_in(&account, 0).await.unwrap_or_else(|error| panic!("{scene:?} {polls}: {error}"));
    all_turns_are_there(scene, &account, polls).await;
    outcome.is_some()
}

async fn all_turns_are_there(scene: Scene, account: &Keyring, polls: u32) {
    let (gate, mut all) = (Gate::shut(), JoinSet::new());
    (0..4).for_each(|_| drop(all.spawn(Arc::clone(&gate).login(account.clone()))));
    // Longer than any login needs to get to its attempt.
    for _ in 0..50 {
        advance(Duration::from_millis(100)).await;
    }
    assert_eq!(gate.inside(), scene.turns(), "{scene:?} {polls}: so many log in at the same time");
    gate.open.add_permits(100);
    while let Some(login) = all.join_next().await {
        login.unwrap().unwrap_or_else(|error| panic!("{scene:?} {polls}: {error}"));
    }
}

#[tokio::test(start_paused = true)]
async fn no_turn_of_an_account_is_lost_or_counted_twice_wherever_a_login_is_dropped() {
    for scene in Scene::all() {
        let mut polls = 0;
        while !try_once(scene, polls).await {
            polls += 1;
            assert!(polls < MOST_POLLS, "{scene:?} does not end");
        }
        assert!(polls > scene.steps, "{scene:?} was over after {polls} polls");
    }
}
