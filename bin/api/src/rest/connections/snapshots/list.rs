use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use registry_context::domain::{ConnectionId, SnapshotList};
use shared_kernel::paging::Direction;

use super::COLLECTION;
use super::wire::SnapshotPageBody;
use crate::rest::accept;
use crate::rest::connections::StoredConnections;
use crate::rest::id::PathId;
use crate::rest::paging::{self, Binding};
use crate::rest::problem::Problem;
use crate::rest::query::Query;
use crate::rest::scope::Scope;

/// List a connection's snapshots
///
/// In pages, the latest first, without what is in them. A cursor belongs to the connection that it was made with.
#[utoipa::path(
    get,
    path = COLLECTION,
    operation_id = "listSnapshots",
    tag = "Connections",
    params(
        ("id" = uuid::Uuid, Path, description = "Which connection"),
        ("limit" = Option<u16>, Query, description = "How many at most", minimum = 1, maximum = 200, nullable = false,
            example = 50),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before", format = "cursor",
            nullable = false),
    ),
    responses((status = 200, description = "A page", body = SnapshotPageBody, content_type = "application/json")),
)]
pub(crate) async fn list_snapshots(
    request: HttpRequest,
    scope: Scope,
    connections: Data<StoredConnections>,
    id: PathId<ConnectionId>,
) -> Result<HttpResponse, Problem> {
    accept::json(&request)?;
    let mut query = Query::of(&request, &["limit", "cursor"]);
    let limit = paging::limit(&mut query);
    let name = format!("snapshots of {}", id.0);
    let binding = Binding::of(&name, &scope, &query, "taken_at", Direction::Descending);
    let after = query.finish_with_cursor(&binding)?;
    let list = SnapshotList { connection: id.0, after, limit };
    let page = connections.snapshots.list.execute(&list, &scope.0).await?;
    Ok(HttpResponse::Ok().json(SnapshotPageBody {
        items: page.items.iter().map(Into::into).collect(),
        next_cursor: page.next.map(|position| binding.cursor(&position)),
    }))
}
