//! Users on every engine, through the use cases and the real database.

mod create;
mod fixture;
mod idempotency;
mod lists;
mod versions;
