use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use testkit::proxy::{Proxy, Traffic};
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::Failure;

/// What a caller gives each call.
pub(crate) const DEADLINE: Duration = Duration::from_secs(1);
pub(crate) const PLACES: u32 = 8;
const WORKERS: usize = 64;
const BEFORE: Duration = Duration::from_secs(2);
const SILENCE: Duration = Duration::from_secs(30);
/// How long callers go on after the silence, and the stretch of time in which their good answers are counted.
const AFTER: Duration = Duration::from_secs(15);
const WINDOW: Duration = Duration::from_millis(250);
/// How long the first caller is waited for who is told that nobody is let through.
const OPENING: Duration = Duration::from_secs(10);
/// Of a hundred calls that many have to be answered well.
const GOOD: usize = 95;
/// Nobody waits longer for a place that does not come back, nor for a worker.
const PATIENCE: Duration = Duration::from_mins(1);

/// A pool, whoever made it.
pub(crate) trait Subject: Send + Sync + 'static {
    /// What holds one connection.
    type Held: Send;

    /// One short statement, which is given up at [`DEADLINE`].
    fn call(&self) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Whether a call was refused because the server is known to be away.
    fn is_circuit_open(_: &Failure) -> bool {
        false
    }

    /// One connection that has answered, to be kept.
    fn hold(&self) -> impl Future<Output = Result<Self::Held, Failure>> + Send;
}

/// What came of it.
pub(crate) struct Figures {
    /// Calls that the server answered, all in all.
    pub(crate) answered: usize,
    /// Calls during the silence that failed at their deadline or after.
    pub(crate) late: usize,
    /// Calls during the silence that failed before.
    pub(crate) refused: usize,
    /// How far the late ones were beyond their deadline: the middle, 99 of 100, and the worst.
    pub(crate) overrun: [Duration; 3],
    /// From the end of the silence until every place was held at the same time.
    pub(crate) recovery: Option<Duration>,
    /// Places that could not be had within [`PATIENCE`].
    pub(crate) lost: u32,
    /// Workers that were not through by then.
    pub(crate) stuck: usize,
}

/// A server behind a proxy.
pub(crate) struct Scene(Proxy);

struct Outcome {
    began: Instant,
    took: Duration,
    failed: bool,
    /// Whether it was refused because the server is known to be away.
    circuit_open: bool,
}

impl Scene {
    pub(crate) async fn start(upstream: &str) -> Result<Self, Failure> {
        Ok(Self(Proxy::start(upstream).await?))
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.port()
    }

    pub(crate) async fn run<S: Subject>(&self, subject: S) -> Result<Figures, Failure> {
        let subject = Arc::new(subject);
        let (mut crew, over) = self.until_the_end_of_the_silence(&subject).await;
        // The workers stop with the call that they are at, so that what is measured next is the pool and not the queue.
        over.store(true, Ordering::SeqCst);
        self.0.set(Traffic::Pass).await;
        let healed = Instant::now();
        let (held, recovery) = recover(&subject, healed).await;
        let outcomes = gather(&mut crew).await?;
        let mut overrun: Vec<Duration> = outcomes
            .iter()
            .filter(|outcome| outcome.failed && outcome.took >= DEADLINE)
            .map(|outcome| outcome.took.saturating_sub(DEADLINE))
            .collect();
        overrun.sort_unstable();
        let at =
            |share: usize| overrun.get(overrun.len() * share / 100).or(overrun.last()).copied().unwrap_or_default();
        Ok(Figures {
            answered: outcomes.iter().filter(|outcome| !outcome.failed).count(),
            late: overrun.len(),
            refused: outcomes.iter().filter(|outcome| outcome.failed).count() - overrun.len(),
            overrun: [at(50), at(99), overrun.last().copied().unwrap_or_default()],
            recovery,
            lost: PLACES - held,
            stuck: crew.len(),
        })
    }

    /// The same again, but the callers go on. How long after the silence the first of those calls was begun from which on,
    /// to the end, no stretch of time had fewer good answers than it should; `None` when it does not come to that.
    pub(crate) async fn heal<S: Subject>(&self, subject: S) -> Result<Option<Duration>, Failure> {
        let (mut crew, over) = self.until_the_end_of_the_silence(&Arc::new(subject)).await;
        self.0.set(Traffic::Pass).await;
        let healed = Instant::now();
        sleep(AFTER).await;
        over.store(true, Ordering::SeqCst);
        let outcomes = gather(&mut crew).await?;
        let window = |since: Duration| usize::try_from(since.as_millis() / WINDOW.as_millis()).unwrap_or(usize::MAX);
        let mut windows = vec![(0, 0); window(AFTER)];
        for outcome in &outcomes {
            let Some(since) = outcome.began.checked_duration_since(healed) else { continue };
            if let Some((good, all)) = windows.get_mut(window(since)) {
                *good += usize::from(!outcome.failed);
                *all += 1;
            }
        }
        let bad = windows.iter().rposition(|(good, all)| *all == 0 || good * 100 < all * GOOD);
        let first = bad.map_or(0, |bad| bad + 1);
        Ok((first < windows.len()).then(|| WINDOW * u32::try_from(first).unwrap_or(u32::MAX)))
    }

    /// How long after the traffic has changed the first caller was told that the circuit is open; `None` when none was.
    pub(crate) async fn opens<S: Subject>(&self, subject: S, traffic: Traffic) -> Result<Option<Duration>, Failure> {
        let (mut crew, over) = self.at_work(&Arc::new(subject)).await;
        self.0.set(traffic).await;
        let dead = Instant::now();
        sleep(OPENING).await;
        over.store(true, Ordering::SeqCst);
        let outcomes = gather(&mut crew).await?;
        let told = outcomes.iter().filter(|outcome| outcome.circuit_open);
        Ok(told.filter_map(|outcome| (outcome.began + outcome.took).checked_duration_since(dead)).min())
    }

    /// Sets the workers to work, and leaves the server silent for as long as it is to be.
    async fn until_the_end_of_the_silence<S: Subject>(
        &self,
        subject: &Arc<S>,
    ) -> (JoinSet<Vec<Outcome>>, Arc<AtomicBool>) {
        let (crew, over) = self.at_work(subject).await;
        self.0.set(Traffic::Swallow).await;
        sleep(SILENCE).await;
        (crew, over)
    }

    /// The workers, who have been at it for a while.
    async fn at_work<S: Subject>(&self, subject: &Arc<S>) -> (JoinSet<Vec<Outcome>>, Arc<AtomicBool>) {
        let over = Arc::new(AtomicBool::new(false));
        let mut crew = JoinSet::new();
        for _ in 0..WORKERS {
            crew.spawn(work(Arc::clone(subject), Arc::clone(&over)));
        }
        sleep(BEFORE).await;
        (crew, over)
    }
}

/// What those workers were told that come to an end in time.
async fn gather(crew: &mut JoinSet<Vec<Outcome>>) -> Result<Vec<Outcome>, Failure> {
    let mut outcomes = Vec::new();
    let joined = timeout(PATIENCE, async {
        while let Some(joined) = crew.join_next().await {
            outcomes.extend(joined?);
        }
        Ok::<_, Failure>(())
    });
    if let Ok(joined) = joined.await {
        joined?;
    }
    Ok(outcomes)
}

async fn work<S: Subject>(subject: Arc<S>, over: Arc<AtomicBool>) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    while !over.load(Ordering::SeqCst) {
        let began = Instant::now();
        let failure = subject.call().await.err();
        let (failed, circuit_open) = (failure.is_some(), failure.as_ref().is_some_and(S::is_circuit_open));
        outcomes.push(Outcome { began, took: began.elapsed(), failed, circuit_open });
        if failed {
            // As a caller does who is told that it is no use at the moment.
            sleep(Duration::from_millis(20)).await;
        }
    }
    outcomes
}

/// Holds every place at the same time. How many could be held, and how long after the silence the last one was.
async fn recover<S: Subject>(subject: &Arc<S>, healed: Instant) -> (u32, Option<Duration>) {
    // Nobody gives a place back before all are held.
    let all = Arc::new(Barrier::new(PLACES as usize + 1));
    let mut holders = JoinSet::new();
    let (told, mut held) = tokio::sync::mpsc::unbounded_channel();
    for _ in 0..PLACES {
        let (subject, all, told) = (Arc::clone(subject), Arc::clone(&all), told.clone());
        holders.spawn(async move {
            loop {
                if let Ok(place) = subject.hold().await {
                    // Whoever listens has gone when the patience was over.
                    let _ = told.send(healed.elapsed());
                    all.wait().await;
                    drop(place);
                    return;
                }
                sleep(Duration::from_millis(5)).await;
            }
        });
    }
    let mut count = 0;
    let mut last = None;
    let waiting = timeout(PATIENCE, async {
        while count < PLACES {
            last = held.recv().await;
            count += 1;
        }
        all.wait().await;
    });
    let recovered = waiting.await.is_ok();
    holders.shutdown().await;
    (count, last.filter(|_| recovered))
}
