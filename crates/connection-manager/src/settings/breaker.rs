use std::time::Duration;

/// When the circuit to a server opens and how it closes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakerSettings {
    /// Failures in a row that open the circuit; 0: it never opens.
    pub failures: u32,
    /// How long an open circuit refuses everybody before it lets probes pass.
    pub open_for: Duration,
    /// The longest that it does, when probes keep failing.
    pub open_for_max: Duration,
    /// Tries that pass a half-open circuit, and have to succeed to close it; at least 1.
    pub probes: u32,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self { failures: 5, open_for: Duration::from_secs(1), open_for_max: Duration::from_secs(3), probes: 2 }
    }
}
