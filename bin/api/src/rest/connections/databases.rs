use std::time::Duration;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use registry_context::domain::{ConnectionId, ProbeFault};
use serde::Serialize;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind};
use utoipa::ToSchema;

use super::{DATABASES, StoredConnections};
use crate::registry::StoredDefinitions;
use crate::rest::accept;
use crate::rest::id::PathId;
use crate::rest::problem::{Fault, Problem, ProblemKind};
use crate::rest::query::Query;
use crate::rest::scope::Scope;

/// How many names are told.
const MOST: usize = 1_000;
/// SQLite's own code for a file that is none of its own; no other engine's for a database that is not there.
const NOT_A_DATABASE: &str = "26";
/// How long the server may take, connecting included.
const LIMIT: Duration = Duration::from_secs(10);

/// The databases on a server.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Databases)]
pub(crate) struct DatabasesBody {
    /// Those that the user may use, by name; the server's own are among them.
    #[schema(max_items = 1000)]
    items: Vec<DatabaseBody>,
    /// Whether there are more than are told.
    #[schema(example = false)]
    is_cut: bool,
}

/// One database.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Database)]
pub(crate) struct DatabaseBody {
    /// What it is called.
    #[schema(example = "sales")]
    name: String,
}

/// List a connection's databases
///
/// Asked of the server, over a pool that is kept while it is used.
#[utoipa::path(
    get,
    path = DATABASES,
    operation_id = "listDatabases",
    tag = "Connections",
    params(("id" = uuid::Uuid, Path, description = "Which connection")),
    responses(
        (status = 200, description = "The databases", body = DatabasesBody, content_type = "application/json"),
        (status = 409, description = "The connection cannot be used as it is, or its engine lists no databases",
            body = crate::rest::problem::ProblemBody, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn list_databases(
    request: HttpRequest,
    scope: Scope,
    connections: Data<StoredConnections>,
    id: PathId<ConnectionId>,
) -> Result<HttpResponse, Problem> {
    accept::json(&request)?;
    Query::of(&request, &[]).finish()?;
    let listed = connections.live.databases(id.0, MOST + 1, &scope.0.within(LIMIT)).await;
    let names = listed.map_err(|error| problem(&error))?;
    Ok(HttpResponse::Ok().json(DatabasesBody::new(names)))
}

impl DatabasesBody {
    fn new(mut names: Vec<String>) -> Self {
        let is_cut = names.len() > MOST;
        names.truncate(MOST);
        Self { items: names.into_iter().map(|name| DatabaseBody { name }).collect(), is_cut }
    }
}

/// What of it is for the caller to mend is said so; where the server is, is not.
pub(super) fn problem(error: &DatabaseError) -> Problem {
    let unusable = |detail| Problem::new(ProblemKind::ConnectionUnusable, detail);
    let is_stored = error.connection().is_some_and(StoredDefinitions::is_name);
    match error.kind() {
        DatabaseErrorKind::UnknownConnection => Problem::not_found("connection"),
        DatabaseErrorKind::Unsupported => unusable("the connection's engine has no databases to list"),
        // A file is nowhere in the network: what is the matter with it is told as a test tells it.
        DatabaseErrorKind::FileUnusable if is_stored => of_the_file(ProbeFault::FileUnusable),
        DatabaseErrorKind::UnknownDatabase if is_stored && error.code() == Some(NOT_A_DATABASE) => {
            of_the_file(ProbeFault::NotADatabase)
        }
        DatabaseErrorKind::Misconfigured
        | DatabaseErrorKind::AuthRejected
        | DatabaseErrorKind::TlsFailed
        | DatabaseErrorKind::UnknownDatabase
        | DatabaseErrorKind::SecretUnavailable
        | DatabaseErrorKind::Query => unusable("the connection does not come about as it is; a test of it tells why"),
        // The server is not one of this service's: that it is away is how the connection is.
        DatabaseErrorKind::Unreachable
        | DatabaseErrorKind::CircuitOpen
        | DatabaseErrorKind::Timeout
        | DatabaseErrorKind::Saturated
            if is_stored =>
        {
            unusable("the connection's server is not reached, or takes too long; a test of it tells more")
        }
        _ => error.into(),
    }
}

fn of_the_file(fault: ProbeFault) -> Problem {
    let fault =
        Fault { pointer: None, parameter: None, code: fault.as_str().into(), message: fault.remedy().to_owned() };
    Problem::new(ProblemKind::ConnectionUnusable, "the connection's file cannot be used").with_faults(vec![fault])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_cut_and_said_so() {
        let body = |count: usize| DatabasesBody::new((0..count).map(|number| number.to_string()).collect());
        assert_eq!((body(MOST).items.len(), body(MOST).is_cut), (MOST, false));
        assert_eq!((body(MOST + 1).items.len(), body(MOST + 1).is_cut), (MOST, true));
    }
}
