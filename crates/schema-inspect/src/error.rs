use shared_kernel::database::{DatabaseError, Engine};

/// Why a database was not inspected.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum InspectError {
    /// Nobody knows how to look at such a database.
    #[error("there is no inspector for {0}")]
    UnknownEngine(Engine),
    /// The server is too old for what is asked of it.
    #[error("{engine} {version} is too old: {needed} or later is needed")]
    TooOld {
        /// The product.
        engine: Engine,
        /// Which version it says that it is.
        version: String,
        /// The oldest that is known.
        needed: &'static str,
    },
    /// There is nothing of this name to look at, or the user sees nothing of it.
    #[error("there is no {} `{name}` that the user may look at", if *.is_database { "database" } else { "schema" })]
    UnknownNamespace {
        /// What was asked for.
        name: String,
        /// Whether the engine calls a namespace a database.
        is_database: bool,
    },
    /// The database failed.
    #[error("{stage} could not be read")]
    Database {
        /// What was read.
        stage: &'static str,
        /// Why it failed.
        #[source]
        source: DatabaseError,
    },
}
