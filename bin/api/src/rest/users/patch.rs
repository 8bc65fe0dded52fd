use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use user_context::application::PatchUserCommand;
use user_context::domain::UserId;

use super::read::present;
use super::wire::{UserBody, UserChange, UserPatchBody};
use super::{ITEM, Users};
use crate::rest::accept;
use crate::rest::etag::IfMatch;
use crate::rest::id::PathId;
use crate::rest::json::PatchBody;
use crate::rest::problem::Problem;
use crate::rest::query::Query;
use crate::rest::scope::Scope;
use crate::rest::versions;
use crate::telemetry::metrics;

/// Change parts of a user
///
/// A merge patch (RFC 7396): fields that are left out stay as they are.
#[utoipa::path(
    patch,
    path = ITEM,
    operation_id = "patchUser",
    tag = "Users",
    params(("id" = uuid::Uuid, Path, description = "Which user")),
    request_body(content(
        (UserPatchBody = "application/merge-patch+json"),
        (UserPatchBody = "application/json"))),
    responses((status = 200, description = "Changed", body = UserBody, content_type = "application/json",
        headers(("ETag" = String, description = "The new version's entity tag")))),
)]
pub(crate) async fn patch_user(
    request: HttpRequest,
    scope: Scope,
    users: Data<Users>,
    id: PathId<UserId>,
    if_match: IfMatch,
    body: PatchBody,
) -> Result<HttpResponse, Problem> {
    accept::json(&request)?;
    Query::of(&request, &[]).finish()?;
    let UserChange { name, email, status, read_only } = UserChange::read(&body.0)?;
    let change = async |expected| {
        let command = PatchUserCommand { id: id.0, expected, name: name.clone(), email: email.clone(), status };
        users.patch.execute(command, &scope.0).await
    };
    let read = async || users.read.execute(id.0, &scope.0).await;
    let user = versions::change(&if_match, &read_only, read, change).await?;
    metrics::changed(metrics::Resource::User, metrics::Change::Patched);
    Ok(present(&user))
}
