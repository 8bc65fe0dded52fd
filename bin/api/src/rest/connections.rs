//! `/api/v1/connections`: one endpoint a file.

pub(crate) mod audit;
pub(crate) mod create;
pub(crate) mod databases;
pub(crate) mod delete;
pub(crate) mod diff;
pub(crate) mod engines;
mod errors;
pub(crate) mod export;
pub(crate) mod health;
pub(crate) mod lint;
pub(crate) mod list;
pub(crate) mod patch;
pub(crate) mod read;
pub(crate) mod replace;
pub(crate) mod report;
pub(crate) mod schema;
mod schema_parts;
mod schema_query;
pub(crate) mod snapshots;
pub(crate) mod test;
pub(crate) mod test_stored;
pub(crate) mod wire;

use std::sync::Arc;

use actix_web::http::Method;
use registry_context::application::{
    CreateConnection, DeleteConnection, DeleteSnapshot, ListAudit, ListConnections, ListSnapshots, ReadConnection,
    ReadHealth, ReadSnapshot, ReplaceConnection, TakeSnapshot, TestConnection, TestStoredConnection,
};
use registry_context::domain::{
    AuditAction, AuditLog, ConnectionRepository, Engines, HealthRepository, Prober, Sealer, SnapshotRepository,
};
use shared_kernel::{Clock, IdGenerator};

use self::snapshots::Snapshots;
use super::resource::Resource;
use crate::Plugins;
use crate::registry::{Exports, LiveConnections, Schemas, SharedSchemas};

const COLLECTION: &str = "/api/v1/connections";
const ENGINES: &str = "/api/v1/connections/engines";
const AUDIT: &str = "/api/v1/connections/audit";
const TEST: &str = "/api/v1/connections/test";
const ITEM_TEST: &str = "/api/v1/connections/{id}/test";
const HEALTH: &str = "/api/v1/connections/{id}/health";
const DATABASES: &str = "/api/v1/connections/{id}/databases";
const SCHEMA: &str = "/api/v1/connections/{id}/schema";
const EXPORT: &str = "/api/v1/connections/{id}/schema/export";
const LINT: &str = "/api/v1/connections/{id}/schema/lint";
const DIFF: &str = "/api/v1/connections/{id}/diff";
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
    pub(crate) test: TestConnection,
    pub(crate) test_stored: TestStoredConnection,
    pub(crate) health: ReadHealth,
    pub(crate) live: LiveConnections,
    pub(crate) schemas: Schemas,
    pub(crate) snapshots: Snapshots,
    pub(crate) exports: Exports,
}

/// What the use cases stand on.
pub(crate) struct Ports {
    pub(crate) connections: Arc<dyn ConnectionRepository>,
    pub(crate) engines: Arc<dyn Engines>,
    pub(crate) sealer: Arc<dyn Sealer>,
    pub(crate) log: Arc<dyn AuditLog>,
    pub(crate) prober: Arc<dyn Prober>,
    pub(crate) health: Arc<dyn HealthRepository>,
    pub(crate) snapshots: Arc<dyn SnapshotRepository>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdGenerator>,
}

impl StoredConnections {
    /// The use cases over their ports.
    pub(crate) fn new(
        ports: Ports,
        live: LiveConnections,
        shared: Option<Arc<SharedSchemas>>,
        plugins: &Plugins,
        most_snapshots: u32,
    ) -> Self {
        let Ports { connections, engines, sealer, log, prober, health, snapshots, clock, ids } = ports;
        let schemas = Schemas::new(live.clone(), plugins.inspectors.clone(), shared, clock.clone());
        let reader = Arc::new(schemas.clone());
        let made = (clock.clone(), ids.clone());
        Self {
            create: CreateConnection::new(connections.clone(), engines.clone(), sealer.clone(), clock.clone(), ids),
            schemas,
            snapshots: Snapshots {
                take: TakeSnapshot::new(connections.clone(), reader, snapshots.clone(), made, most_snapshots),
                list: ListSnapshots::new(connections.clone(), snapshots.clone()),
                read: ReadSnapshot::new(snapshots.clone()),
                delete: DeleteSnapshot::new(snapshots),
            },
            read: ReadConnection::new(connections.clone()),
            list: ListConnections::new(connections.clone()),
            replace: ReplaceConnection::new(connections.clone(), engines.clone(), sealer.clone(), clock.clone()),
            delete: DeleteConnection::new(connections.clone()),
            audit: ListAudit::new(log),
            test: TestConnection::new(engines.clone(), prober.clone()),
            health: ReadHealth::new(connections.clone(), health.clone()),
            test_stored: TestStoredConnection::new(connections, engines.clone(), sealer, prober, health, clock),
            exports: Exports::new(plugins),
            engines,
            live,
        }
    }
}

/// The resources of this module. Engines, audit and test come before the item: their paths would be an item's otherwise.
pub(crate) fn resources() -> Vec<Resource> {
    let resources = vec![
        Resource::at(COLLECTION).get(list::list_connections).on(Method::POST, create::create_connection),
        Resource::at(ENGINES).get(engines::list_engines),
        Resource::at(AUDIT).get(audit::read_audit),
        Resource::at(TEST).on(Method::POST, test::test_connection),
        Resource::at(ITEM_TEST).on(Method::POST, test_stored::test_stored_connection),
        Resource::at(HEALTH).get(health::read_health),
        Resource::at(DATABASES).get(databases::list_databases),
        Resource::at(SCHEMA).get(schema::read_schema),
        Resource::at(EXPORT).get(export::export_schema),
        Resource::at(LINT).get(lint::lint_schema),
        Resource::at(DIFF).get(diff::compare_schemas),
        Resource::at(snapshots::COLLECTION)
            .get(snapshots::list::list_snapshots)
            .on(Method::POST, snapshots::take::take_snapshot),
        Resource::at(snapshots::ITEM)
            .get(snapshots::read::read_snapshot)
            .on(Method::DELETE, snapshots::delete::delete_snapshot),
        Resource::at(snapshots::EXPORT).get(snapshots::export::export_snapshot),
        Resource::at(snapshots::LINT).get(snapshots::lint::lint_snapshot),
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
        (TEST | ITEM_TEST, "POST") => AuditAction::Test,
        (HEALTH, "GET" | "HEAD") => AuditAction::ReadHealth,
        (DATABASES, "GET" | "HEAD") => AuditAction::ListDatabases,
        (SCHEMA, "GET" | "HEAD") => AuditAction::ReadSchema,
        (EXPORT, "GET" | "HEAD") => AuditAction::ExportSchema,
        (LINT, "GET" | "HEAD") => AuditAction::LintSchema,
        (DIFF, "GET" | "HEAD") => AuditAction::DiffSchema,
        (snapshots::COLLECTION, "POST") => AuditAction::TakeSnapshot,
        (snapshots::COLLECTION, "GET" | "HEAD") => AuditAction::ListSnapshots,
        (snapshots::ITEM, "GET" | "HEAD") => AuditAction::ReadSnapshot,
        (snapshots::EXPORT, "GET" | "HEAD") => AuditAction::ExportSnapshot,
        (snapshots::LINT, "GET" | "HEAD") => AuditAction::LintSnapshot,
        (snapshots::ITEM, "DELETE") => AuditAction::DeleteSnapshot,
        (ITEM, "GET" | "HEAD") => AuditAction::Read,
        (ITEM, "PUT") => AuditAction::Replace,
        (ITEM, "PATCH") => AuditAction::Patch,
        (ITEM, "DELETE") => AuditAction::Delete,
        _ => AuditAction::Other,
    }
}
