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

use schema_inspect::{InspectOptions, Inspectors, Look, Stamp};
use shared_kernel::RequestContext;
use shared_kernel::database::DatabaseConnection;

/// The state of a database's schema as its engine tells it.
async fn stamp(connection: &dyn DatabaseConnection) -> Stamp {
    let look =
        Inspectors::builtin().look(connection, &InspectOptions::default(), None, &RequestContext::system()).await;
    match look.expect("it is looked at") {
        Look::Found { stamp, .. } => stamp.expect("the engine tells it"),
        Look::Unchanged(report) => panic!("nothing was known: {report:?}"),
    }
}
