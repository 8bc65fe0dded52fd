//! Databases of real servers, looked at.

mod mongodb;
mod mysql;
mod postgres;
mod sqlite;
mod sqlserver;
mod tds;
