//! What lies sealed where others can read: AES-256-GCM under named keys, with everything that the content belongs to bound to
//! it, so that what was moved or changed does not open.

mod envelope;
pub(crate) mod frame;
mod keys;

pub use self::envelope::{SealError, Unreadable};
pub use self::keys::{InvalidSealingKey, SealingKey, SealingKeys};
