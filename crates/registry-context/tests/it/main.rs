//! Stored connections on every engine, through the use cases and the real database.

mod audit;
mod fixture;
mod health;
mod lists;
mod secrets;
mod snapshots;
mod storing;
mod versions;
