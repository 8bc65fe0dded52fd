use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use shared_kernel::database::{EngineDescription, OptionDescription, OptionKind};
use utoipa::ToSchema;

use super::{ENGINES, StoredConnections};
use crate::rest::accept;
use crate::rest::problem::Problem;
use crate::rest::query::Query;
use crate::rest::scope::Scope;

/// The engines that connections can be stored for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Engines)]
pub(crate) struct EnginesBody {
    /// Each engine, in the order of their names.
    items: Vec<EngineBody>,
}

/// What a connection to one engine is made of: what a form needs to know.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Engine)]
pub(crate) struct EngineBody {
    /// What `engine` is set to.
    #[schema(example = "postgres")]
    engine: String,
    /// What people call it.
    #[schema(example = "PostgreSQL")]
    title: String,
    /// The port where its servers listen when `port` is left out; null for an engine without servers.
    #[schema(required, minimum = 1, maximum = 65_535, example = 5432)]
    default_port: Option<u16>,
    /// Each field: `required`, `optional` or `unused`.
    fields: FieldsBody,
    /// Whether `tls` applies.
    #[schema(example = true)]
    tls: bool,
    /// What can be set in `options`.
    options: Vec<OptionBody>,
}

/// What becomes of each field: `required`, `optional` or `unused`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EngineFields)]
pub(crate) struct FieldsBody {
    /// The server.
    #[schema(pattern = "^(required|optional|unused)$", example = "required")]
    host: &'static str,
    /// Its port.
    #[schema(pattern = "^(required|optional|unused)$", example = "optional")]
    port: &'static str,
    /// The database on it.
    #[schema(pattern = "^(required|optional|unused)$", example = "optional")]
    database: &'static str,
    /// The file of an embedded database.
    #[schema(pattern = "^(required|optional|unused)$", example = "unused")]
    path: &'static str,
    /// The user.
    #[schema(pattern = "^(required|optional|unused)$", example = "required")]
    username: &'static str,
    /// The password, or `secret` in its place.
    #[schema(pattern = "^(required|optional|unused)$", example = "optional")]
    password: &'static str,
}

/// One of an engine's own options.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EngineOption)]
pub(crate) struct OptionBody {
    /// Its key in `options`.
    #[schema(example = "application_name")]
    name: String,
    /// What it is for.
    #[schema(example = "What the server shows of the connection in `pg_stat_activity`.")]
    meaning: String,
    /// `text`, `switch` (`true` or `false`), `choice` or `duration` (such as `5s`). Values are strings in any case.
    #[schema(pattern = "^(text|switch|choice|duration)$", example = "text")]
    kind: &'static str,
    /// The words of a choice, the usual one first.
    choices: Vec<String>,
    /// Whether a change of it drops the stored secrets: it has a say in where they go.
    #[schema(example = false)]
    drops_secrets: bool,
}

impl From<&EngineDescription> for EngineBody {
    fn from(engine: &EngineDescription) -> Self {
        let options = engine.options.iter().filter(|option| !option.operator_only);
        let username = if engine.ambient_login { "required" } else { engine.username.as_str() };
        let password = if engine.ambient_login { "required" } else { engine.password.as_str() };
        Self {
            engine: engine.engine.to_string(),
            title: engine.title.to_string(),
            default_port: engine.default_port,
            fields: FieldsBody {
                host: engine.host.as_str(),
                port: engine.port.as_str(),
                database: engine.database.as_str(),
                path: engine.path.as_str(),
                username,
                password,
            },
            tls: engine.tls,
            options: options.map(Into::into).collect(),
        }
    }
}

impl From<&OptionDescription> for OptionBody {
    fn from(option: &OptionDescription) -> Self {
        let choices = match &option.kind {
            OptionKind::Choice(words) => words.iter().map(ToString::to_string).collect(),
            OptionKind::Text | OptionKind::Switch | OptionKind::Duration => Vec::new(),
        };
        Self {
            name: option.name.to_string(),
            meaning: option.meaning.to_string(),
            kind: option.kind.as_str(),
            choices,
            drops_secrets: option.leads,
        }
    }
}

/// List engines
///
/// Those that connections can be stored for, each as its connector describes it; connectors that were added to the service
/// are among them.
#[utoipa::path(
    get,
    path = ENGINES,
    operation_id = "listEngines",
    tag = "Connections",
    responses((status = 200, description = "The engines", body = EnginesBody, content_type = "application/json")),
)]
pub(crate) async fn list_engines(
    request: HttpRequest,
    _scope: Scope,
    connections: Data<StoredConnections>,
) -> Result<HttpResponse, Problem> {
    accept::json(&request)?;
    Query::of(&request, &[]).finish()?;
    let items = connections.engines.all().iter().map(Into::into).collect();
    Ok(HttpResponse::Ok().json(EnginesBody { items }))
}
