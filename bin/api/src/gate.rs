//! The way to the tenants' databases: open to those whose schema fits this binary.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use connection_manager::{ConnectionManager, ConnectionSettings};
use migrations::{MigrateError, MigrationSet, Migrator, Verdict};
use shared_kernel::database::{
    Access, ConnectionFuture, Connections, DatabaseConnection, DatabaseError, DatabaseErrorKind, Engine,
};
use shared_kernel::{RequestContext, TenantId};

use crate::application::create_embedded_file;
use crate::config::Config;
use crate::data_folder;
use crate::telemetry::chain;

/// How long a schema that fits is believed to fit, and one that does not, not to. A tenant nobody asks for is not looked at,
/// so that looking keeps no pool from being closed.
const FITS: Duration = Duration::from_mins(1);
const UNFIT: Duration = Duration::from_secs(2);
/// When a caller whose tenant's schema does not fit may come again.
const RETRY: Duration = Duration::from_secs(10);

/// The connections of the manager. On the way to a connection that is kept per tenant, the tenant's schema is looked at: an
/// embedded database is made and brought up to date, and one on a server that is behind is refused, for this tenant alone.
#[derive(Debug)]
pub(crate) struct Gate {
    manager: ConnectionManager,
    /// What has to be there on each connection that is kept per tenant.
    needs: HashMap<String, Need>,
}

#[derive(Debug, Default)]
struct Need {
    sets: Vec<(&'static str, &'static MigrationSet)>,
    tenants: Mutex<HashMap<TenantId, Arc<Standing>>>,
}

/// What was last found of one tenant.
#[derive(Debug, Default)]
struct Standing {
    found: Mutex<Option<(Instant, Result<(), DatabaseError>)>>,
    /// Held by whoever is looking.
    turn: tokio::sync::Mutex<()>,
}

/// How the tenants of one connection stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Figures {
    /// How many tenants there are.
    pub(crate) known: usize,
    /// How many have a live pool.
    pub(crate) live: usize,
    /// How many were found with a schema that does not fit.
    pub(crate) unfit: usize,
}

impl Gate {
    pub(crate) fn new(config: &Config, manager: ConnectionManager) -> Self {
        let mut needs: HashMap<String, Need> = HashMap::new();
        for (context, connection) in config.contexts.iter() {
            if let (true, Some(set)) = (config.per_tenant.contains_key(connection), migrations::set(context)) {
                needs.entry(connection.to_owned()).or_default().sets.push((context, set));
            }
        }
        Self { manager, needs }
    }

    /// How the tenants of a connection stand; `None` where it is everybody's.
    pub(crate) fn figures(&self, connection: &str) -> Option<Figures> {
        let need = self.needs.get(connection)?;
        let tenants = need.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        let unfit = tenants
            .iter()
            .filter(|(tenant, standing)| self.manager.knows(tenant) && matches!(standing.last(), Some((_, Err(_)))))
            .count();
        let live = self.manager.tenant_pools(connection).map_or(0, |pools| pools.live);
        Some(Figures { known: self.manager.tenants().len(), live, unfit })
    }

    /// The connection of a tenant, once its schema is known to fit.
    async fn admitted(
        &self,
        name: &str,
        need: &Need,
        tenant: &TenantId,
        access: Access,
        context: &RequestContext,
    ) -> Result<Arc<dyn DatabaseConnection>, DatabaseError> {
        let standing = need.of(tenant);
        let turn = standing.turn.lock().await;
        // Somebody else may have looked meanwhile.
        let found = match standing.recent() {
            Some(found) => found,
            None => match self.look(name, need, tenant, context).await {
                Err(error) if *error.kind() != DatabaseErrorKind::SchemaUnfit => return Err(error),
                found => {
                    standing.note(found.clone());
                    found
                }
            },
        };
        drop(turn);
        found?;
        self.manager.get(name, access, context).await
    }

    async fn look(
        &self,
        name: &str,
        need: &Need,
        tenant: &TenantId,
        context: &RequestContext,
    ) -> Result<(), DatabaseError> {
        let embedded = self.manager.settings(name).is_some_and(|settings| settings.engine == Engine::SQLITE);
        if let (true, Some(settings)) = (embedded, self.manager.settings_for(name, tenant)) {
            prepare_file(&settings).map_err(|error| {
                let message = format!("the file of tenant `{tenant}` cannot be made: {}", chain(&error));
                DatabaseError::new(DatabaseErrorKind::UnknownDatabase, message)
            })?;
        }
        let connection = self.manager.get(name, Access::Write, context).await?;
        for (schema, set) in &need.sets {
            let migrator = Migrator::new(set, Arc::clone(&connection));
            match migrator.verify(context).await.map_err(failed)? {
                // An older binary may go on beside a newer one: schemas change in steps that both can live with.
                Verdict::UpToDate | Verdict::Ahead { .. } => {}
                Verdict::Behind { .. } if embedded => {
                    for step in migrator.up(context).await.map_err(failed)? {
                        let duration_ms = step.took.as_secs_f64() * 1e3;
                        tracing::info!(event = "migration.applied", tenant = %tenant, file = step.file, duration_ms);
                    }
                }
                verdict => {
                    tracing::warn!(
                        event = "tenant.schema_unfit", tenant = %tenant, context = schema, verdict = ?verdict,
                        "the schema does not fit this binary; run `api migrate up --tenant`"
                    );
                    let message = format!("the schema of tenant `{tenant}` for {schema} is not at the version needed");
                    return Err(DatabaseError::new(DatabaseErrorKind::SchemaUnfit, message).with_retry_after(RETRY));
                }
            }
        }
        Ok(())
    }
}

/// Makes the file of a tenant's embedded database and the folders it lies in, its owner's alone.
pub(crate) fn prepare_file(settings: &ConnectionSettings) -> Result<(), data_folder::DataFolderError> {
    let folder = settings.path.as_deref().and_then(Path::parent).filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder {
        data_folder::create(folder)
            .map_err(|source| data_folder::DataFolderError::Unusable { path: folder.to_owned(), source })?;
    }
    create_embedded_file(settings)
}

fn failed(error: MigrateError) -> DatabaseError {
    let kind = match &error {
        MigrateError::Database { source, .. } => source.kind().clone(),
        MigrateError::Locked { .. } => DatabaseErrorKind::Timeout,
        _ => DatabaseErrorKind::Query,
    };
    DatabaseError::new(kind, "the schema cannot be looked at").with_source(error)
}

impl Connections for Gate {
    fn get<'a>(&'a self, name: &str, access: Access, context: &RequestContext) -> ConnectionFuture<'a> {
        let (Some((name, need)), Some(tenant)) = (self.needs.get_key_value(name), &context.tenant) else {
            return self.manager.get(name, access, context);
        };
        if need.fits(tenant) || !self.manager.knows(tenant) {
            return self.manager.get(name, access, context);
        }
        let (tenant, context) = (tenant.clone(), context.clone());
        ConnectionFuture::pending(async move { self.admitted(name, need, &tenant, access, &context).await })
    }
}

impl Need {
    fn of(&self, tenant: &TenantId) -> Arc<Standing> {
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(tenants.entry(tenant.clone()).or_default())
    }

    fn fits(&self, tenant: &TenantId) -> bool {
        let tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        tenants.get(tenant).is_some_and(|standing| matches!(standing.recent(), Some(Ok(()))))
    }
}

impl Standing {
    fn last(&self) -> Option<(Instant, Result<(), DatabaseError>)> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What was found, as long as it can be believed.
    fn recent(&self) -> Option<Result<(), DatabaseError>> {
        let (at, found) = self.last()?;
        let good_for = if found.is_ok() { FITS } else { UNFIT };
        (at.elapsed() < good_for).then_some(found)
    }

    fn note(&self, found: Result<(), DatabaseError>) {
        *self.found.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), found));
    }
}
