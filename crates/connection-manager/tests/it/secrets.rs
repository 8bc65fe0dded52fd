//! Secrets out of AWS Secrets Manager, as an emulator plays it.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as expected")]

mod cancelling;
mod desk;
mod front;
mod moto;
mod rds;
mod rotating;
