#![doc = include_str!("../README.md")]

mod builder;
mod dialect;
mod error;
mod render;
pub mod support;

pub use dialect::{Dialect, UnknownDialect};
pub use error::RenderError;
pub use render::{Query, Rendered, render};
