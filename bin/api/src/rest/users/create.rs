use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use shared_kernel::idempotency::{Creation, Idempotent};
use user_context::application::CreateUserCommand;
use user_context::domain::User;

use super::wire::{NewUserBody, UserBody, UserInput};
use super::{COLLECTION, Users};
use crate::rest::accept;
use crate::rest::etag::entity_tag;
use crate::rest::idempotency::{self, CreatedAnswer, Key};
use crate::rest::json::JsonBody;
use crate::rest::problem::Problem;
use crate::rest::query::Query;
use crate::rest::scope::Scope;
use crate::telemetry::metrics;

/// Register a user
///
/// With an `Idempotency-Key`, the same request can be sent again: it registers once and is answered with the same bytes.
#[utoipa::path(
    post,
    path = COLLECTION,
    operation_id = "createUser",
    tag = "Users",
    request_body(content = NewUserBody, content_type = "application/json"),
    responses((status = 201, description = "Registered", body = UserBody, content_type = "application/json",
        headers(("Location" = String, description = "Where the user is"),
            ("ETag" = String, description = "The version's entity tag"),
            ("Idempotency-Replayed" = Option<String>, description = "`true` when an earlier answer was given again")),
        links(
            ("readUser" = (operation_id = "readUser", parameters(("id" = "$response.body#/id")))),
            ("replaceUser" = (operation_id = "replaceUser",
                parameters(("id" = "$response.body#/id"), ("If-Match" = "$response.header.ETag")))),
            ("patchUser" = (operation_id = "patchUser",
                parameters(("id" = "$response.body#/id"), ("If-Match" = "$response.header.ETag")))),
            ("deleteUser" = (operation_id = "deleteUser",
                parameters(("id" = "$response.body#/id"), ("If-Match" = "$response.header.ETag"))))))),
)]
pub(crate) async fn create_user(
    request: HttpRequest,
    scope: Scope,
    users: Data<Users>,
    key: Key,
    body: JsonBody,
) -> Result<HttpResponse, Problem> {
    accept::json(&request)?;
    Query::of(&request, &[]).finish()?;
    let input = UserInput::create(&body.0)?;
    let render = |user: &User| answer(user).to_bytes();
    let wish = key.0.map(|key| Idempotent { key, digest: idempotency::digest(&body.0), render: &render });
    let command = CreateUserCommand { name: input.name, email: input.email };
    match users.create.execute(command, wish.as_ref(), &scope.0).await? {
        Creation::Created(user) => {
            metrics::changed(metrics::Resource::User, metrics::Change::Created);
            Ok(answer(&user).respond())
        }
        Creation::Replayed(bytes) => CreatedAnswer::replay(&bytes),
    }
}

fn answer(user: &User) -> CreatedAnswer {
    let location = format!("{COLLECTION}/{}", user.id());
    CreatedAnswer::new(location, &entity_tag(user.version()), &UserBody::from(user))
}
