use std::time::Duration;

use shared_kernel::database::DatabaseError;

use crate::Direction;

/// Why a schema was not changed, or not changed further.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrateError {
    /// The database failed on something other than a script.
    #[error("context `{context}`: cannot {doing}")]
    Database {
        /// The context whose schema was meant.
        context: String,
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        #[source]
        source: DatabaseError,
    },
    /// Another runner held the lock for longer than this one would wait.
    #[error("context `{context}`: another process has been migrating this database for {} s; try again when it is done", waited.as_secs())]
    Locked {
        /// The context whose schema was meant.
        context: String,
        /// How long this runner waited.
        waited: Duration,
    },
    /// A script failed. Where the engine has transactional DDL, nothing of it remains.
    #[error("`{file}` failed{}{remedy}", code.as_ref().map(|code| format!(" with code {code}")).unwrap_or_default())]
    Script {
        /// The script's path below the migrations' folder.
        file: String,
        /// The engine's own code.
        code: Option<String>,
        /// What is left to do by hand; empty where nothing is.
        remedy: &'static str,
        /// What the engine said.
        #[source]
        source: DatabaseError,
    },
    /// An applied migration's script is no longer the one that was applied.
    #[error(
        "`{file}` was changed after it was applied: checksum {recorded} is recorded, {found} was found; restore the file and put the change into a new migration"
    )]
    Changed {
        /// The script's path below the migrations' folder.
        file: String,
        /// The checksum in the history table.
        recorded: String,
        /// The checksum of the script now.
        found: String,
    },
    /// The database has a migration that this binary does not know: a newer binary was here.
    #[error(
        "context `{context}`: migration {migration} is applied and unknown to this binary; use the binary that brought it, or a newer one"
    )]
    Unknown {
        /// The context whose schema was meant.
        context: String,
        /// The migration's number and name.
        migration: String,
    },
    /// A migration is missing from the history although a later one is applied.
    #[error(
        "context `{context}`: migration {missing} is not applied although {applied} is; the history was edited by hand"
    )]
    Gap {
        /// The context whose schema was meant.
        context: String,
        /// The migration that is missing.
        missing: String,
        /// A later one that is applied.
        applied: String,
    },
    /// A migration began and nobody recorded its end. Only engines without transactional DDL can be left like this.
    #[error(
        "`{file}` began at {since} and did not finish, so the schema may be half way; compare the schema with the script, complete or undo it by hand, then mark the migration as applied or as undone"
    )]
    HalfApplied {
        /// The script's path below the migrations' folder.
        file: String,
        /// Which way it was being run.
        direction: Direction,
        /// When it began (RFC 3339).
        since: String,
    },
    /// The migration asked for does not exist, or is not in a state in which what was asked for makes sense.
    #[error("context `{context}`: migration {number:04} {reason}")]
    NoSuchMigration {
        /// The context whose schema was meant.
        context: String,
        /// The number asked for.
        number: u32,
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl MigrateError {
    /// Whether another try, with nothing changed, may succeed.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Locked { .. } => true,
            Self::Database { source, .. } => source.is_unavailable(),
            _ => false,
        }
    }
}
