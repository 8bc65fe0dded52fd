use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use user_context::domain::{User, UserId};

use super::wire::UserBody;
use super::{ITEM, Users};
use crate::rest::accept;
use crate::rest::etag::{IfNoneMatch, entity_tag};
use crate::rest::id::PathId;
use crate::rest::problem::Problem;
use crate::rest::query::Query;
use crate::rest::scope::Scope;

/// Read a user
#[utoipa::path(
    get,
    path = ITEM,
    operation_id = "readUser",
    tag = "Users",
    params(("id" = uuid::Uuid, Path, description = "Which user")),
    responses(
        (status = 200, description = "The user", body = UserBody, content_type = "application/json",
            headers(("ETag" = String, description = "The version's entity tag"))),
        (status = 304, description = "The caller has this version already"),
    ),
)]
pub(crate) async fn read_user(
    request: HttpRequest,
    scope: Scope,
    users: Data<Users>,
    id: PathId<UserId>,
    known: IfNoneMatch,
) -> Result<HttpResponse, Problem> {
    accept::json(&request)?;
    Query::of(&request, &[]).finish()?;
    let user = users.read.execute(id.0, &scope.0).await?;
    if known.has(user.version()) {
        return Ok(HttpResponse::NotModified().insert_header((header::ETAG, entity_tag(user.version()))).finish());
    }
    Ok(present(&user))
}

/// The answer that shows a user as it is now.
pub(super) fn present(user: &User) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::ETAG, entity_tag(user.version()))).json(UserBody::from(user))
}
