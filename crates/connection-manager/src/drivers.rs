//! Single connections to each engine: what the pool is filled with.

#[cfg(any(feature = "mysql", feature = "postgres"))]
mod gather;
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite", feature = "sqlserver"))]
mod guard;
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlserver"))]
mod refusal;
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
mod sqlx_error;

#[cfg(feature = "mysql")]
pub mod mysql;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "sqlite")]
pub mod sqlite;
#[cfg(feature = "sqlserver")]
pub mod sqlserver;
