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
    let expected = versions::expected(&if_match, &ReadOnly::default(), users.read.execute(id.0, &scope.0)).await?;
    users.delete.execute(DeleteUserCommand { id: id.0, expected }, &scope.0).await?;
    Ok(HttpResponse::NoContent().finish())
}
