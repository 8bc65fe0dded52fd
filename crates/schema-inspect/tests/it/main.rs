//! Databases of real servers, looked at.

mod mysql;
mod postgres;
mod sqlite;
