//! The way to the level that processes share, as a configuration names it.

use std::sync::Arc;

use shared_kernel::Clock;
use shared_kernel::database::DatabaseError;

use super::cache::{SealedLevel, SealedSettings, SecretCache};
use super::{ConfiguredSecrets, ManagedSecrets};
use crate::config::SharedSecretsConfig;
use crate::factory::ConnectionFactory;
use crate::manager::ConnectionManager;
use crate::settings::PoolSettings;

/// Questions to the level are short, and each secret has one under way at most.
const CONNECTIONS: u32 = 4;

/// A level over a connection of its own. Its password is never looked for in the level that it leads to: when a secrets
/// manager has it, the copy is in `alone`, a cache of this process.
pub(super) fn open(
    config: &SharedSecretsConfig,
    alone: SecretCache,
    clock: Arc<dyn Clock>,
) -> Result<SealedLevel, DatabaseError> {
    let name = config.name.as_str();
    let pool = &config.connection.pool;
    let pool = PoolSettings { min: 0, max: pool.max.min(CONNECTIONS), ..pool.clone() };
    let secrets = ConfiguredSecrets::local().with_managed(ManagedSecrets::new(alone));
    let manager = ConnectionManager::builder(ConnectionFactory::compiled())
        .connection(name, config.connection.clone().with_pool(pool))
        .secrets(Arc::new(secrets))
        .build()?;
    let settings = SealedSettings { connection: name.to_owned(), ..config.level.clone() };
    Ok(SealedLevel::new(Arc::new(manager), Arc::clone(&config.sealing.keys), settings, clock))
}
