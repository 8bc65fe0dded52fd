//! Books on every engine, through the use cases and the real database.

mod create;
mod filters;
mod fixture;
mod idempotency;
mod lists;
mod statistics;
mod versions;
