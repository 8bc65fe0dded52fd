#![doc = include_str!("../README.md")]

pub mod clock;
pub mod context;
pub mod database;
pub mod id;

pub use clock::{Clock, SystemClock};
pub use context::{Actor, FreshnessToken, RequestContext, TenantId, TraceContext};
pub use id::{IdGenerator, SystemIdGenerator};
