//! How Rust's types become an engine's and come back: what all drivers share.
//!
//! A driver turns each `sea_query::Value` into a [`Parameter`] and binds that; for a row it hands out what is stored as
//! a [`Stored`], and [`Stored::into_value`] reads it as the type the caller asks for.

mod parameter;
mod stored;

#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
pub(crate) use parameter::unbound;
pub use parameter::{Kind, Parameter, SQLITE_INSTANT, parameters};
pub use stored::Stored;
