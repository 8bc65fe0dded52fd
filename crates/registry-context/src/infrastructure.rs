//! Stored connections in a SQL database, reached through the kernel's connection traits alone.

mod documents;
mod rows;
mod sql_audit_log;
mod sql_connection_repository;
mod sql_health_repository;
mod sql_snapshot_repository;
mod statements;

pub use sql_audit_log::SqlAuditLog;
pub use sql_connection_repository::SqlConnectionRepository;
pub use sql_health_repository::SqlHealthRepository;
pub use sql_snapshot_repository::SqlSnapshotRepository;
