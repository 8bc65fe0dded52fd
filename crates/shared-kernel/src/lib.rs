#![doc = include_str!("../README.md")]

pub mod clock;
pub mod context;
pub mod database;
pub mod freshness;
pub mod id;
pub mod idempotency;
pub mod paging;
pub mod text;
pub mod validation;
mod version;

pub use clock::{Clock, SystemClock};
pub use context::{Actor, RequestContext, TenantId, TraceContext};
pub use freshness::{Freshness, FreshnessToken};
pub use id::{IdGenerator, SystemIdGenerator};
pub use version::{InvalidVersion, Version};
