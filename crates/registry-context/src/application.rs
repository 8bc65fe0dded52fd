//! What can be done with stored connections, one use case a file.

mod audit;
mod create_connection;
mod delete_connection;
mod delete_snapshot;
mod queries;
mod replace_connection;
mod reseal_secrets;
mod reveal_connection;
mod snapshots;
mod take_snapshot;
mod test_connection;
#[cfg(test)]
mod test_support;

pub use audit::{ListAudit, ListAuditError, PruneAudit};
pub use create_connection::{CreateConnection, CreateConnectionCommand, CreateConnectionError};
pub use delete_connection::{DeleteConnection, DeleteConnectionCommand, DeleteConnectionError};
pub use delete_snapshot::{DeleteSnapshot, DeleteSnapshotCommand, DeleteSnapshotError};
pub use queries::{ListConnections, ListConnectionsError, ReadConnection, ReadConnectionError};
pub use replace_connection::{ChangeConnectionError, ReplaceConnection, ReplaceConnectionCommand};
pub use reseal_secrets::{ResealReport, ResealSecrets, ResealSecretsError};
pub use reveal_connection::{RevealConnection, RevealConnectionError, Revealed};
pub use snapshots::{ListSnapshots, ListSnapshotsError, ReadSnapshot, ReadSnapshotError};
pub use take_snapshot::{TakeSnapshot, TakeSnapshotCommand, TakeSnapshotError};
pub use test_connection::{
    ReadHealth, ReadHealthError, TestConnection, TestConnectionError, TestStoredConnection, TestStoredConnectionError,
};

use shared_kernel::database::EngineDescription;
use shared_kernel::validation::Violations;

use crate::domain::{Definition, Engines, Held};

/// The engine of a definition, with what goes without saying there filled in. What was `found` wrong before is told where there is none.
fn completed(
    engines: &dyn Engines,
    definition: &mut Definition,
    found: &Violations,
) -> Result<EngineDescription, Violations> {
    let engine = engines.find(definition.engine.as_str()).ok_or_else(|| and(found, unknown_engine(engines)))?;
    definition.complete(&engine);
    Ok(engine)
}

/// Everything that is wrong with a definition, behind what was `found` before.
fn check(
    engines: &dyn Engines,
    definition: &Definition,
    held: Held,
    engine: &EngineDescription,
    found: &Violations,
) -> Result<(), Violations> {
    let mut violations = definition.faults(held, engine);
    if violations.is_empty() {
        // What the engine says rests on what was checked before.
        violations = engines.check(definition, held);
    }
    let all = and(found, violations);
    if all.is_empty() { Ok(()) } else { Err(all) }
}

fn and(found: &Violations, more: Violations) -> Violations {
    let mut all = found.clone();
    all.absorb("", more);
    all
}

fn unknown_engine(engines: &dyn Engines) -> Violations {
    let known: Vec<String> = engines.all().iter().map(|engine| engine.engine.to_string()).collect();
    let mut violations = Violations::new();
    violations.add("/engine", "unknown_value", format!("`engine` is one of {}", known.join(", ")));
    violations
}
