use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use registry_context::domain::{ConnectionFilter, ConnectionList, ConnectionSort, LabelFilter, StoredConnection};
use shared_kernel::database::Engine;
use shared_kernel::text::SearchTerm;

use super::report::HealthSummaryBody;
use super::wire::{ConnectionPage, ListedConnectionBody};
use super::{COLLECTION, StoredConnections};
use crate::rest::accept;
use crate::rest::paging::{self, Binding};
use crate::rest::problem::Problem;
use crate::rest::query::Query;
use crate::rest::scope::Scope;

const PARAMETERS: &[&str] = &["limit", "cursor", "sort", "q", "engine", "label"];

/// List connections
///
/// In pages. A cursor belongs to the sort and the filters that it was made with. Each connection comes with what its last
/// test came to.
#[utoipa::path(
    get,
    path = COLLECTION,
    operation_id = "listConnections",
    tag = "Connections",
    params(
        ("limit" = Option<u16>, Query, description = "How many at most", minimum = 1, maximum = 200, nullable = false,
            example = 50),
        ("cursor" = Option<String>, Query, description = "The `next_cursor` of the page before", format = "cursor",
            nullable = false),
        ("sort" = Option<String>, Query, description = "The field to sort by, with `-` in front for descending order",
            nullable = false, pattern = "^-?(name|created_at|updated_at)$", example = "name"),
        ("q" = Option<String>, Query, description = "A text that the name holds, without case", nullable = false,
            min_length = 1, max_length = 200, format = "search-term", example = "sales"),
        ("engine" = Option<String>, Query, description = "Only connections to this engine", nullable = false,
            format = "engine", example = "postgres"),
        ("label" = Option<String>, Query, description = "Only connections with this label: its key, or `key=value`",
            nullable = false, format = "label-filter", example = "team=sales"),
    ),
    responses((status = 200, description = "A page", body = ConnectionPage, content_type = "application/json")),
)]
pub(crate) async fn list_connections(
    request: HttpRequest,
    scope: Scope,
    connections: Data<StoredConnections>,
) -> Result<HttpResponse, Problem> {
    accept::json(&request)?;
    let mut query = Query::of(&request, PARAMETERS);
    let limit = paging::limit(&mut query);
    let names: Vec<&str> = ConnectionSort::ALL.iter().map(|sort| sort.as_str()).collect();
    let (sort, direction) = paging::sort(&mut query, &names, ConnectionSort::by_name).unwrap_or_default();
    let engine = |text: &str| {
        let found = connections.engines.find(text).map(|engine| engine.engine);
        found.ok_or_else(|| {
            let known: Vec<String> = connections.engines.all().iter().map(|known| known.engine.to_string()).collect();
            format!("one of {}", known.join(", "))
        })
    };
    let filter = ConnectionFilter {
        q: query.with("q", "invalid_search", SearchTerm::parse),
        engine: query.with::<Engine, _>("engine", "unknown_engine", engine),
        label: query.with("label", "invalid_label", LabelFilter::parse),
    };
    let binding = Binding::of("connections", &scope, &query, sort.as_str(), direction);
    let after = query.finish_with_cursor(&binding)?;
    let list = ConnectionList { filter, sort, direction, after, limit };
    let page = connections.list.execute(&list, &scope.0).await?;
    let health = connections.health.of_each(&page.items, &scope.0).await?;
    let item = |stored| {
        let health = health.get(&StoredConnection::id(stored));
        let health = health.map(|(health, is_current)| HealthSummaryBody::new(health, *is_current));
        ListedConnectionBody { connection: stored.into(), health }
    };
    Ok(HttpResponse::Ok().json(ConnectionPage {
        items: page.items.iter().map(item).collect(),
        next_cursor: page.next.map(|position| binding.cursor(&position)),
    }))
}
