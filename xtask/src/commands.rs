//! The commands, one file each.

pub(crate) mod api;
pub(crate) mod bench;
pub(crate) mod check;
pub(crate) mod coverage;
pub(crate) mod migrate;
pub(crate) mod services;
pub(crate) mod setup;
pub(crate) mod soak;
pub(crate) mod test;
