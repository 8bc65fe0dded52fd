use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use shared_kernel::paging::Direction;
use shared_kernel::text::SearchTerm;
use user_context::domain::{UserFilter, UserList, UserSort, UserStatus};

use super::wire::UserPage;
use super::{COLLECTION, Users};
use crate::rest::accept;
use crate::rest::paging::{self, Binding};
use crate::rest::problem::Problem;
use crate::rest::query::Query;
use crate::rest::scope::Scope;

const PARAMETERS: &[&str] = &["limit", "cursor", "sort", "q", "status"];

/// List users
///
/// In pages. A cursor belongs to the sort and the filters that it was made with.
#[utoipa::path(
    get,
    path = COLLECTION,
    operation_id = "listUsers",
    tag = "Users",
    params(
        ("limit" = Option<u16>, Query, description = "How many at most", minimum = 1, maximum = 200, nullable = false,
            example = 50),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before", format = "cursor",
            nullable = false),
        ("sort" = Option<String>, Query, description = "The field to sort by, with `-` in front for descending order",
            nullable = false, pattern = "^-?(name|email|created_at|updated_at)$", example = "name"),
        ("q" = Option<String>, Query, description = "A text that the name or the e-mail address holds, without case",
            nullable = false, min_length = 1, max_length = 200, format = "search-term", example = "ada"),
        ("status" = Option<String>, Query, description = "Only users of this status", nullable = false,
            pattern = "^(active|suspended)$", example = "active"),
    ),
    responses((status = 200, description = "A page", body = UserPage, content_type = "application/json")),
)]
pub(crate) async fn list_users(
    request: HttpRequest,
    scope: Scope,
    users: Data<Users>,
) -> Result<HttpResponse, Problem> {
    accept::json(&request)?;
    let mut query = Query::of(&request, PARAMETERS);
    let limit = paging::limit(&mut query);
    let names: Vec<&str> = UserSort::ALL.iter().map(|sort| sort.as_str()).collect();
    let sort = paging::sort(&mut query, &names, UserSort::by_name);
    let filter = UserFilter {
        q: query.with("q", "invalid_search", SearchTerm::parse),
        status: query.with("status", "unknown_value", str::parse::<UserStatus>),
    };
    let (sort, direction) = sort.unwrap_or((UserSort::default(), Direction::default()));
    let binding = Binding::of("users", &scope, &query, sort.as_str(), direction);
    let after = query.finish_with_cursor(&binding)?;

    let list = UserList { filter, sort, direction, after, limit };
    let page = users.list.execute(&list, &scope.0).await?;
    Ok(HttpResponse::Ok().json(UserPage {
        items: page.items.iter().map(Into::into).collect(),
        next_cursor: page.next.map(|position| binding.cursor(&position)),
    }))
}
