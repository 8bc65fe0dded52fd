//! Databases of real servers, looked at.

mod postgres;
mod sqlite;
