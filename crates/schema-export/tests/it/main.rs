//! Models, written in every format.

mod ddl;
mod hostile;
mod pictures;
mod registry;
mod snapshots;
mod tsql;

use schema_export::{Export, Exporters};
use schema_model::Database;

/// Models of the samples of `schema-inspect`, as they were found on real servers.
fn postgres() -> Database {
    serde_json::from_str(include_str!("samples/postgres.json")).expect("a model")
}

fn sqlite() -> Database {
    serde_json::from_str(include_str!("samples/sqlite.json")).expect("a model")
}

fn mysql() -> Database {
    serde_json::from_str(include_str!("samples/mysql.json")).expect("a model")
}

fn mariadb() -> Database {
    serde_json::from_str(include_str!("samples/mariadb.json")).expect("a model")
}

/// What the scripted server of `schema-inspect` is made to tell, for there was no real one.
fn sqlserver() -> Database {
    serde_json::from_str(include_str!("samples/sqlserver.json")).expect("a model")
}

#[track_caller]
fn exported(format: &str, database: &Database) -> Export {
    Exporters::builtin().export(format, database).expect("it is written")
}
