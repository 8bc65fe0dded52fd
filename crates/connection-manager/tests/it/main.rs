//! The connection manager on real servers.

mod abandoned;
mod budget;
mod circuit;
mod contract;
mod debug;
mod demoted;
mod descriptions;
mod dialect;
mod doctor;
mod dynamodb;
mod egress;
mod guarded;
mod keepalive;
mod manager;
mod metrics;
mod pool;
mod redis;
mod replicas;
mod retrying;
mod rotation;
mod sea_orm;
mod secrets;
mod silence;
mod spans;
mod sqlite;
mod tds;
