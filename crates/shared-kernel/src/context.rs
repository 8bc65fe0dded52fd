//! What is known of the request on whose behalf something is done.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::freshness::Freshness;

/// Who asks. A context uses it to scope idempotency keys and, later, to decide and to audit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum Actor {
    /// Nobody has said who they are.
    #[default]
    Anonymous,
    /// The service itself: migrations, sweeps, health checks.
    System,
    /// A caller whose identity was established.
    Principal(Arc<str>),
}

impl Actor {
    /// A stable text for the actor: `anonymous`, `system`, or the principal's name behind `principal:`.
    pub fn as_scope(&self) -> String {
        match self {
            Self::Anonymous => "anonymous".to_owned(),
            Self::System => "system".to_owned(),
            Self::Principal(name) => format!("principal:{name}"),
        }
    }
}

/// A tenant's name: 1 to 64 of `a-z`, `0-9`, `-` and `_`, beginning with a letter or a digit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantId(Arc<str>);

/// A text that is no [`TenantId`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a tenant's name has 1 to 64 of a-z, 0-9, `-` and `_`, and begins with a letter or a digit")]
pub struct InvalidTenantId;

impl TenantId {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TenantId {
    type Err = InvalidTenantId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut bytes = text.bytes();
        let first = bytes.next().is_some_and(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
        let rest = bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_'));
        if first && rest && text.len() <= 64 { Ok(Self(text.into())) } else { Err(InvalidTenantId) }
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The trace and span that the work belongs to (W3C Trace Context, section 3.2.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct TraceContext {
    /// 16 bytes, not all zero.
    pub trace_id: u128,
    /// The span that asks: 8 bytes, not all zero.
    pub span_id: u64,
    /// Bit 0: the caller may have recorded the trace.
    pub flags: u8,
}

impl TraceContext {
    /// Reads a `traceparent` header. `None` when it is malformed: the specification then asks for a new trace.
    pub fn parse_traceparent(header: &str) -> Option<Self> {
        let header = header.trim();
        let bytes = header.as_bytes();
        if bytes.len() < 55 || !header.is_ascii() {
            return None;
        }
        let lower_hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let version = &header[0..2];
        let version_ok = lower_hex(version) && version != "ff";
        // A later version may append fields after another dash; version 00 may not.
        let length_ok = if version == "00" { bytes.len() == 55 } else { bytes.len() == 55 || bytes[55] == b'-' };
        let dashes_ok = bytes[2] == b'-' && bytes[35] == b'-' && bytes[52] == b'-';
        let (trace_id, span_id, flags) = (&header[3..35], &header[36..52], &header[53..55]);
        if !(version_ok && length_ok && dashes_ok && lower_hex(trace_id) && lower_hex(span_id) && lower_hex(flags)) {
            return None;
        }
        let context = Self {
            trace_id: u128::from_str_radix(trace_id, 16).ok()?,
            span_id: u64::from_str_radix(span_id, 16).ok()?,
            flags: u8::from_str_radix(flags, 16).ok()?,
        };
        (context.trace_id != 0 && context.span_id != 0).then_some(context)
    }

    /// The `traceparent` header of this context.
    pub fn traceparent(&self) -> String {
        format!("00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, self.flags)
    }

    /// The trace id as 32 hexadecimal digits.
    pub fn trace_id_hex(&self) -> String {
        format!("{:032x}", self.trace_id)
    }
}

impl fmt::Debug for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.traceparent())
    }
}

/// What every call that may reach a database is told about the request it serves.
///
/// An explicit argument, so that what is missing is a refusal and never somebody else's value.
#[derive(Debug, Clone, Default)]
pub struct RequestContext {
    /// Who asks.
    pub actor: Actor,
    /// Whose data is meant, where connections are kept per tenant.
    pub tenant: Option<TenantId>,
    /// Where the work belongs in a trace.
    pub trace: TraceContext,
    /// When the answer stops being of use; every await below ends by then. `None`: the connection's own limits.
    pub deadline: Option<Instant>,
    /// How recent reads must be, where replicas may serve them. Clones of the context share it.
    pub freshness: Freshness,
}

impl RequestContext {
    /// The context of work that the service does for itself.
    pub fn system() -> Self {
        Self { actor: Actor::System, ..Self::default() }
    }

    /// The same context with a deadline no later than `limit` from now.
    pub fn within(&self, limit: Duration) -> Self {
        let latest = Instant::now() + limit;
        let deadline = self.deadline.map_or(latest, |deadline| deadline.min(latest));
        Self { deadline: Some(deadline), ..self.clone() }
    }

    /// The same context with every read at the primary: for whoever decides by what it reads what to write.
    pub fn at_the_primary(&self) -> Self {
        Self { freshness: self.freshness.clone().at_the_primary(), ..self.clone() }
    }

    /// How long is left until the deadline; zero when it has passed, `None` when there is none.
    pub fn time_left(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_survives_a_round_trip() {
        let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let context = TraceContext::parse_traceparent(header).expect("the header of the specification");
        assert_eq!(context.traceparent(), header);
    }

    #[test]
    fn malformed_traceparents_are_refused() {
        for header in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra",
            "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(TraceContext::parse_traceparent(header), None, "{header}");
        }
    }

    #[test]
    fn a_later_version_may_carry_more_fields() {
        let header = "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more";
        assert!(TraceContext::parse_traceparent(header).is_some());
    }

    #[test]
    fn tenant_names_are_checked() {
        assert!("acme-1".parse::<TenantId>().is_ok());
        for name in ["", "-acme", "Acme", "a/b", "a b", &"x".repeat(65)] {
            assert!(name.parse::<TenantId>().is_err(), "{name}");
        }
    }

    #[test]
    fn a_limit_never_extends_a_deadline() {
        let context = RequestContext::system().within(Duration::from_millis(1));
        let wider = context.within(Duration::from_mins(1));
        assert_eq!(wider.deadline, context.deadline);
    }
}
