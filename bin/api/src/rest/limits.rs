//! What one request may cost.

use std::time::Duration;

/// The limits that every request is held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of a body.
    pub body: usize,
    /// The most header lines.
    pub header_count: usize,
    /// The most bytes of all header names and values together.
    pub header_bytes: usize,
    /// How long a request may take; the deadline of every statement sent for it.
    pub request_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body: 1024 * 1024, header_count: 64, header_bytes: 16 * 1024, request_timeout: Duration::from_secs(30) }
    }
}
