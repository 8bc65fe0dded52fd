use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use user_context::application::DeleteUserCommand;
use user_context::domain::UserId;

use super::{ITEM, Users};
use crate::rest::etag::IfMatch;
use crate::rest::id::PathId;
use crate::rest::problem::Problem;
use crate::rest::query::Query;
use crate::rest::read_only::ReadOnly;
use crate::rest::scope::Scope;
use crate::rest::versions;
use crate::telemetry::metrics;

/// Delete a user
///
/// For good: nothing of the user stays.
#[utoipa::path(
    delete,
    path = ITEM,
    operation_id = "deleteUser",
    tag = "Users",
    params(("id" = uuid::Uuid, Path, description = "Which user")),
    responses((status = 204, description = "Deleted")),
)]
pub(crate) async fn delete_user(
    request: HttpRequest,
    scope: Scope,
    users: Data<Users>,
    id: PathId<UserId>,
    if_match: IfMatch,
) -> Result<HttpResponse, Problem> {
    Query::of(&request, &[]).finish()?;
    let delete = async |expected| users.delete.execute(DeleteUserCommand { id: id.0, expected }, &scope.0).await;
    let read = async || users.read.execute(id.0, &scope.0).await;
    versions::change(&if_match, &ReadOnly::default(), read, delete).await?;
    metrics::changed(metrics::Resource::User, metrics::Change::Deleted);
    Ok(HttpResponse::NoContent().finish())
}
