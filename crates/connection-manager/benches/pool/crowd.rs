use std::time::{Duration, Instant};

use crate::{Checkout, Failure};

/// Tasks that want a connection at the same time, and how often each takes one.
const TASKS: usize = 1000;
const TURNS: usize = 10;

/// How long a connection is held, as for a quick statement. A timer's tick is a millisecond.
const HELD: Duration = Duration::from_millis(1);

/// How long callers waited.
#[derive(Default)]
pub(crate) struct Waits(Vec<Duration>);

impl Waits {
    pub(crate) fn add(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
        self.0.sort_unstable();
    }

    /// What this share of the callers did not wait longer than.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank among some hundred thousand"
    )]
    pub(crate) fn quantile(&self, share: f64) -> Duration {
        let rank = (self.0.len() as f64 * share).ceil() as usize;
        self.0.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    }
}

/// Lets a crowd of tasks share the pool.
pub(crate) async fn waits<P: Checkout>(pool: &P) -> Result<Waits, Failure> {
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let pool = pool.clone();
            tokio::spawn(async move {
                let mut waits = Vec::with_capacity(TURNS);
                for _ in 0..TURNS {
                    let asked = Instant::now();
                    let held = pool.checkout().await?;
                    waits.push(asked.elapsed());
                    tokio::time::sleep(HELD).await;
                    drop(held);
                }
                Ok::<_, Failure>(waits)
            })
        })
        .collect();
    let mut all = Vec::with_capacity(TASKS * TURNS);
    for task in tasks {
        all.extend(task.await??);
    }
    Ok(Waits(all))
}
