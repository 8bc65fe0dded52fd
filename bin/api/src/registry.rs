//! The registry's ports meet their adapters: what seals, which engines there are, and who may ask.

mod engines;
mod first_start;
mod sealer;

pub(crate) use engines::ManagedEngines;
pub use first_start::{FirstStart, RegistryFileError};
pub(crate) use first_start::{Keeping, prepare};
pub(crate) use sealer::EnvelopeSealer;
