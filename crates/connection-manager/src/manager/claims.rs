use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use shared_kernel::TenantId;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind};

use crate::settings::ConnectionSettings;

/// Whose each database is that was ever opened for a tenant. Whatever a template, a single tenant's settings or a secret
/// say: where one tenant's data lies, no other tenant's connection leads.
#[derive(Default)]
pub(super) struct Claims(Mutex<HashMap<Database, TenantId>>);

/// Where a database is, without regard to case: some engines have none.
#[derive(PartialEq, Eq, Hash)]
enum Database {
    File(PathBuf),
    Server { host: String, port: Option<u16>, database: String },
}

impl Claims {
    /// Notes that the database which complete settings lead to is the tenant's, if they are a tenant's at all.
    ///
    /// # Errors
    /// `Misconfigured` when it is another tenant's.
    pub(super) fn claim(&self, settings: &ConnectionSettings, default_port: Option<u16>) -> Result<(), DatabaseError> {
        let (Some(tenant), Some(database)) = (&settings.tenant, Database::of(settings, default_port)) else {
            return Ok(());
        };
        let mut claims = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let owner = claims.entry(database).or_insert_with(|| tenant.clone());
        if owner == tenant {
            return Ok(());
        }
        let message = format!("the settings lead tenant `{tenant}` to the database of tenant `{owner}`");
        Err(DatabaseError::new(DatabaseErrorKind::Misconfigured, message))
    }

    /// Forgets the claims of those who are not among the tenants.
    pub(super) fn keep(&self, tenants: &BTreeSet<TenantId>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, owner| tenants.contains(owner));
    }
}

impl Database {
    /// `None` for a database in memory, which is its pool's own.
    fn of(settings: &ConnectionSettings, default_port: Option<u16>) -> Option<Self> {
        if let Some(path) = &settings.path {
            let path = path.to_str().filter(|path| *path != ":memory:")?.to_lowercase();
            return Some(Self::File(std::path::absolute(&path).unwrap_or_else(|_| path.into())));
        }
        Some(Self::Server {
            host: settings.host.as_deref()?.to_lowercase(),
            port: settings.port.or(default_port),
            database: settings.database.as_deref().unwrap_or_default().to_lowercase(),
        })
    }
}
