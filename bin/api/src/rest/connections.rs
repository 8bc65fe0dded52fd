//! `/api/v1/connections`: one endpoint a file.

pub(crate) mod audit;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod engines;
mod errors;
pub(crate) mod list;
pub(crate) mod patch;
pub(crate) mod read;
pub(crate) mod replace;
pub(crate) mod wire;

use std::sync::Arc;

use actix_web::http::Method;
use registry_context::application::{
    CreateConnection, DeleteConnection, ListAudit, ListConnections, ReadConnection, ReplaceConnection,
};
use registry_context::domain::{AuditAction, AuditLog, ConnectionRepository, Engines, Sealer};
use shared_kernel::{Clock, IdGenerator};

use super::resource::Resource;

const COLLECTION: &str = "/api/v1/connections";
const ENGINES: &str = "/api/v1/connections/engines";
const AUDIT: &str = "/api/v1/connections/audit";
const ITEM: &str = "/api/v1/connections/{id}";

/// The use cases behind the endpoints.
#[derive(Debug, Clone)]
pub struct StoredConnections {
    pub(crate) create: CreateConnection,
    pub(crate) read: ReadConnection,
    pub(crate) list: ListConnections,
    pub(crate) replace: ReplaceConnection,
    pub(crate) delete: DeleteConnection,
    pub(crate) engines: Arc<dyn Engines>,
    pub(crate) audit: ListAudit,
}

impl StoredConnections {
    /// The use cases over their ports.
    pub fn new(
        connections: &Arc<dyn ConnectionRepository>,
        engines: &Arc<dyn Engines>,
        sealer: &Arc<dyn Sealer>,
        log: &Arc<dyn AuditLog>,
        clock: &Arc<dyn Clock>,
        ids: &Arc<dyn IdGenerator>,
    ) -> Self {
        let (clock, connections) = (clock.clone(), connections.clone());
        Self {
            create: CreateConnection::new(
                connections.clone(),
                engines.clone(),
                sealer.clone(),
                clock.clone(),
                ids.clone(),
            ),
            read: ReadConnection::new(connections.clone()),
            list: ListConnections::new(connections.clone()),
            replace: ReplaceConnection::new(connections.clone(), engines.clone(), sealer.clone(), clock),
            delete: DeleteConnection::new(connections),
            engines: engines.clone(),
            audit: ListAudit::new(log.clone()),
        }
    }
}

/// The resources of this module. Engines and audit come before the item: their paths would be an item's otherwise.
pub(crate) fn resources() -> Vec<Resource> {
    let resources = vec![
        Resource::at(COLLECTION).get(list::list_connections).on(Method::POST, create::create_connection),
        Resource::at(ENGINES).get(engines::list_engines),
        Resource::at(AUDIT).get(audit::read_audit),
        Resource::at(ITEM)
            .get(read::read_connection)
            .on(Method::PUT, replace::replace_connection)
            .on(Method::PATCH, patch::patch_connection)
            .on(Method::DELETE, delete::delete_connection),
    ];
    resources.into_iter().map(Resource::audited).collect()
}

/// What a call is written down as.
pub(super) fn action(method: &Method, template: Option<&str>) -> AuditAction {
    match (template.unwrap_or_default(), method.as_str()) {
        (COLLECTION, "GET" | "HEAD") => AuditAction::List,
        (COLLECTION, "POST") => AuditAction::Create,
        (ENGINES, "GET" | "HEAD") => AuditAction::ListEngines,
        (AUDIT, "GET" | "HEAD") => AuditAction::ReadAudit,
        (ITEM, "GET" | "HEAD") => AuditAction::Read,
        (ITEM, "PUT") => AuditAction::Replace,
        (ITEM, "PATCH") => AuditAction::Patch,
        (ITEM, "DELETE") => AuditAction::Delete,
        _ => AuditAction::Other,
    }
}
