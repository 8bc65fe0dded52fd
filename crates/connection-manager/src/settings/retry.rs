use std::time::Duration;

/// How often a call that failed without effect is sent again, and how many such calls a server has to bear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetrySettings {
    /// Tries of one call, the first included; 1: nothing is tried again.
    pub attempts: u32,
    /// The longest wait before the second try. It doubles with each further one, and the wait is a random part of it.
    pub base: Duration,
    /// What the longest wait grows to.
    pub cap: Duration,
    /// Repetitions in a hundred calls that a server has to bear, all who use it taken together; 0: none.
    pub budget_percent: u32,
}

impl RetrySettings {
    /// Nothing is tried again.
    pub const fn never() -> Self {
        Self { attempts: 1, base: Duration::ZERO, cap: Duration::ZERO, budget_percent: 0 }
    }
}

impl Default for RetrySettings {
    fn default() -> Self {
        Self { attempts: 3, base: Duration::from_millis(50), cap: Duration::from_secs(1), budget_percent: 20 }
    }
}
