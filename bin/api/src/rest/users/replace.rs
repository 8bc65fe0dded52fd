use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use user_context::application::ReplaceUserCommand;
use user_context::domain::UserId;

use super::read::present;
use super::wire::{UserBody, UserInput, UserReplacementBody};
use super::{ITEM, Users};
use crate::rest::accept;
use crate::rest::etag::IfMatch;
use crate::rest::id::PathId;
use crate::rest::json::JsonBody;
use crate::rest::problem::Problem;
use crate::rest::query::Query;
use crate::rest::scope::Scope;
use crate::rest::versions;
use crate::telemetry::metrics;

/// Replace a user
///
/// Puts new values in the place of all that a caller may set. The body of an earlier answer can be sent back: what only
/// the service sets is accepted as it was read.
#[utoipa::path(
    put,
    path = ITEM,
    operation_id = "replaceUser",
    tag = "Users",
    params(("id" = uuid::Uuid, Path, description = "Which user")),
    request_body(content = UserReplacementBody, content_type = "application/json"),
    responses((status = 200, description = "Replaced", body = UserBody, content_type = "application/json",
        headers(("ETag" = String, description = "The new version's entity tag")))),
)]
pub(crate) async fn replace_user(
    request: HttpRequest,
    scope: Scope,
    users: Data<Users>,
    id: PathId<UserId>,
    if_match: IfMatch,
    body: JsonBody,
) -> Result<HttpResponse, Problem> {
    accept::json(&request)?;
    Query::of(&request, &[]).finish()?;
    let input = UserInput::replace(&body.0)?;
    let change = async |expected| {
        let command = ReplaceUserCommand { id: id.0, expected, name: input.name.clone(), email: input.email.clone() };
        users.replace.execute(command, &scope.0).await
    };
    let read = async || users.read.execute(id.0, &scope.0).await;
    let user = versions::change(&if_match, &input.read_only, read, change).await?;
    metrics::changed(metrics::Resource::User, metrics::Change::Replaced);
    Ok(present(&user))
}
