//! Spreads what would otherwise happen at the same moment.

use std::hash::{BuildHasher, RandomState};

/// A share between 0 and 1 that nobody foresees.
pub(crate) fn random() -> f64 {
    share(RandomState::new().hash_one(()))
}

/// A share between 0 and 1 for a number. Consecutive numbers get shares that lie far apart and fill the range evenly.
pub(crate) fn share(number: u64) -> f64 {
    // The golden ratio's fraction in 16 bits.
    let step = u32::try_from(number.wrapping_mul(40_503) % 65_536).unwrap_or_default();
    f64::from(step) / 65_536.0
}
