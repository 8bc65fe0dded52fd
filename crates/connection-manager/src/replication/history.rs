use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::Progress;

/// How far a primary had come, and when: what replicas' lag is measured against. No engine tells a replica's lag in a way
/// that holds when the replica has lost its primary, and most tell it to administrators alone.
#[derive(Debug)]
pub(crate) struct History {
    /// Oldest first.
    samples: VecDeque<Sample>,
    /// How long samples are kept.
    keep: Duration,
    /// Whether the primary is out of reach, so that nothing becomes older for it.
    away: bool,
}

#[derive(Debug)]
struct Sample {
    /// When it was last asked and had come no further: whatever was written by then is in what it answered.
    until: Instant,
    progress: Progress,
}

impl History {
    pub(crate) fn new(keep: Duration) -> Self {
        Self { samples: VecDeque::new(), keep, away: false }
    }

    /// Notes what the primary answered to a question that was asked at `asked`.
    pub(crate) fn note(&mut self, asked: Instant, progress: Progress) {
        self.away = false;
        match self.samples.back_mut() {
            Some(last) if last.progress == progress => last.until = asked,
            // Another server, or one that was put back to an earlier state: nothing can be compared with what was before.
            Some(last) if !progress.contains(&last.progress) => {
                self.samples.clear();
                self.samples.push_back(Sample { until: asked, progress });
            }
            _ => self.samples.push_back(Sample { until: asked, progress }),
        }
        while self.samples.len() > 2 && self.samples[1].until + self.keep < asked {
            self.samples.pop_front();
        }
    }

    /// Notes that the primary is out of reach.
    pub(crate) fn lost(&mut self) {
        self.away = true;
    }

    /// How old at most what a replica shows is that has come so far: no time, when it has all that the primary was last known
    /// to have. While the primary is out of reach, how old it was when that last answered: readers are served by what there is.
    /// `None` when it lacks more than is remembered, or when nothing is known of the primary.
    pub(crate) fn lag(&self, reached: &Progress, now: Instant) -> Option<Duration> {
        let newest = self.samples.back()?;
        if reached.contains(&newest.progress) {
            return Some(Duration::ZERO);
        }
        let known = self.samples.iter().rev().find(|sample| reached.contains(&sample.progress))?;
        let now = if self.away { newest.until } else { now };
        Some(now.saturating_duration_since(known.until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(end: i64) -> Progress {
        Progress::Postgres { cluster: 1, end }
    }

    #[test]
    fn a_replica_is_as_old_as_the_last_state_that_it_has() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut history = History::new(Duration::from_secs(10));
        assert_eq!(history.lag(&at(5), start), None);
        for (seconds, end) in [(0, 10), (1, 20), (2, 20), (3, 30)] {
            history.note(after(seconds), at(end));
        }
        let lag = |end| history.lag(&at(end), after(4)).map(|lag| lag.as_secs());
        assert_eq!(
            [lag(9), lag(10), lag(19), lag(20), lag(29), lag(30), lag(40)],
            [None, Some(4), Some(4), Some(2), Some(2), Some(0), Some(0)]
        );
    }

    #[test]
    fn a_primary_in_which_nothing_is_written_makes_nobody_old() {
        let start = Instant::now();
        let mut history = History::new(Duration::from_secs(10));
        for seconds in 0..100 {
            history.note(start + Duration::from_secs(seconds), at(10));
        }
        assert_eq!(history.samples.len(), 1);
        history.note(start + Duration::from_secs(100), at(20));
        assert_eq!(history.lag(&at(10), start + Duration::from_secs(101)), Some(Duration::from_secs(2)));
    }

    #[test]
    fn nothing_becomes_older_while_the_primary_is_out_of_reach() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut history = History::new(Duration::from_secs(10));
        history.note(after(0), at(10));
        history.note(after(1), at(20));
        history.lost();
        assert_eq!(history.lag(&at(10), after(100)), Some(Duration::from_secs(1)));
        history.note(after(101), at(30));
        assert_eq!(history.lag(&at(20), after(101)), Some(Duration::from_secs(100)));
    }

    #[test]
    fn what_is_too_long_ago_is_forgotten() {
        let start = Instant::now();
        let mut history = History::new(Duration::from_secs(10));
        for seconds in 0..1000 {
            history.note(start + Duration::from_secs(seconds), at(i64::try_from(seconds).expect("a small number")));
        }
        assert!(history.samples.len() <= 13, "{}", history.samples.len());
    }

    #[test]
    fn another_primary_begins_another_history() {
        let start = Instant::now();
        let mut history = History::new(Duration::from_secs(10));
        history.note(start, at(10));
        history.note(start, Progress::Postgres { cluster: 2, end: 5 });
        assert_eq!(history.lag(&at(10), start), None);
        history.note(start, at(30));
        history.note(start, at(20));
        assert_eq!(history.lag(&at(15), start), None);
    }
}
