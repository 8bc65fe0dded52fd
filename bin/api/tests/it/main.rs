//! The real service on a free port, asked over the network.

mod books;
mod canaries;
mod connections;
mod conventions;
mod engines;
mod faults;
mod health;
mod idempotency;
mod inspect;
mod lists;
mod metrics;
mod openapi;
mod process;
mod replicas;
mod secrets;
mod shutdown;
mod support;
mod tenants;
mod users;
