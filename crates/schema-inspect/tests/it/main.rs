//! Databases of real servers, looked at.

mod dynamodb;
mod made_up;
mod mongodb;
mod mysql;
mod postgres;
mod redis;
mod sqlite;
mod sqlserver;
mod statement_log;
mod tds;
