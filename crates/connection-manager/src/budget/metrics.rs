use metrics::{Gauge, gauge};

/// What one limited budget reports. There are as many as servers with a limit in the configuration.
pub(super) struct BudgetMetrics {
    used: Gauge,
    waiting: Gauge,
}

impl BudgetMetrics {
    pub(super) fn new(server: &str, limit: u32) -> Self {
        gauge!("bindery.server.connections.limit", "server" => server.to_owned()).set(limit);
        Self {
            used: gauge!("bindery.server.connections.used", "server" => server.to_owned()),
            waiting: gauge!("bindery.server.connections.waiting_pools", "server" => server.to_owned()),
        }
    }

    /// The connections that pools have; the one to tell the server over is not among them.
    pub(super) fn observe(&self, used: u32, waiting: u32) {
        self.used.set(used);
        self.waiting.set(waiting);
    }
}
