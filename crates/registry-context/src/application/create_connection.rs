use std::fmt;
use std::sync::Arc;

use shared_kernel::database::DatabaseError;
use shared_kernel::idempotency::{Creation, IdempotencyError, Idempotent, Stored};
use shared_kernel::validation::Violations;
use shared_kernel::{Clock, IdGenerator, RequestContext};

use super::{check, completed};
use crate::domain::{
    AddConnectionError, ConnectionId, ConnectionRepository, Definition, Engines, GivenSecrets, Held, Sealer,
    SealerError, Secrets, StoredConnection,
};

/// Stores a connection.
#[derive(Clone)]
pub struct CreateConnection {
    connections: Arc<dyn ConnectionRepository>,
    engines: Arc<dyn Engines>,
    sealer: Arc<dyn Sealer>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
}

/// What to store.
#[derive(Debug, Clone)]
pub struct CreateConnectionCommand {
    /// Where it leads.
    pub definition: Definition,
    /// Its secrets.
    pub secrets: GivenSecrets,
    /// What was found wrong before; it is told together with what is found here, and nothing is stored.
    pub found: Violations,
}

/// Why a connection was not stored.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CreateConnectionError {
    /// The definition does not fit its engine.
    #[error("the definition does not fit: {0}")]
    Invalid(Violations),
    /// Another connection has the name.
    #[error("the name is taken")]
    NameTaken,
    /// The idempotency key cannot be served.
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    /// The secrets could not be sealed.
    #[error("the secrets could not be kept")]
    Sealing(#[from] SealerError),
    /// The database failed.
    #[error("the connection could not be written")]
    Database(#[from] DatabaseError),
}

impl CreateConnection {
    /// The name of the operation, which idempotency keys are scoped by.
    pub const OPERATION: &str = "connections.create";

    /// The use case over its ports.
    pub fn new(
        connections: Arc<dyn ConnectionRepository>,
        engines: Arc<dyn Engines>,
        sealer: Arc<dyn Sealer>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdGenerator>,
    ) -> Self {
        Self { connections, engines, sealer, clock, ids }
    }

    /// Stores the connection; with `idempotent`, once for each caller and key.
    ///
    /// # Errors
    /// [`CreateConnectionError`]. A refused connection leaves no receipt: its key can be used again.
    pub async fn execute(
        &self,
        command: CreateConnectionCommand,
        idempotent: Option<&Idempotent<'_, StoredConnection>>,
        context: &RequestContext,
    ) -> Result<Creation<StoredConnection>, CreateConnectionError> {
        let CreateConnectionCommand { mut definition, secrets, found } = command;
        let held = Held { password: secrets.password.leaves(false), client_key: secrets.client_key.leaves(false) };
        let engine = completed(&*self.engines, &mut definition, &found).map_err(CreateConnectionError::Invalid)?;
        check(&*self.engines, &definition, held, &engine, &found).map_err(CreateConnectionError::Invalid)?;
        let id = ConnectionId::new(self.ids.next());
        let secrets =
            Secrets { password: secrets.password.applied_to(None), client_key: secrets.client_key.applied_to(None) };
        let sealed = self.sealer.seal(id, &secrets)?;
        let now = self.clock.now();
        let connection = StoredConnection::register(id, definition, sealed, now);
        let receipt = idempotent.map(|wish| wish.receipt(Self::OPERATION, &connection, now, context));
        match self.connections.add(&connection, receipt.as_ref(), context).await? {
            Stored::Written => Ok(Creation::Created(connection)),
            Stored::Replayed(answer) => Ok(Creation::Replayed(answer)),
        }
    }
}

impl From<AddConnectionError> for CreateConnectionError {
    fn from(error: AddConnectionError) -> Self {
        match error {
            AddConnectionError::NameTaken => Self::NameTaken,
            AddConnectionError::Idempotency(error) => Self::Idempotency(error),
            AddConnectionError::Database(error) => Self::Database(error),
        }
    }
}

impl fmt::Debug for CreateConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreateConnection").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::application::test_support::{Bench, CANARY, Fault, definition, password};

    #[tokio::test]
    async fn a_password_is_kept_sealed_and_opens_again() {
        let bench = Bench::default();
        let stored = bench.store("Sales", password(CANARY)).await;
        assert!(stored.held().password && !stored.held().client_key);
        assert!(!format!("{stored:?}").contains(CANARY));
        assert_eq!(bench.password_of(&stored).as_deref(), Some(CANARY));
        let without = bench.store("Other", GivenSecrets::default()).await;
        assert_eq!((without.sealed(), without.held()), (None, Held::default()));
    }

    #[tokio::test]
    async fn refusals_say_what_stands_in_the_way() {
        let bench = Bench::default();
        let create = bench.create();
        bench.store("Sales", GivenSecrets::default()).await;
        let command = |name: &str| CreateConnectionCommand {
            definition: definition(name),
            secrets: GivenSecrets::default(),
            found: Violations::new(),
        };
        let taken = create.execute(command("SALES"), None, &bench.context).await;
        assert!(matches!(taken, Err(CreateConnectionError::NameTaken)), "{taken:?}");
        let mut unknown = command("New");
        unknown.definition.engine = shared_kernel::database::Engine::new("oracle");
        let unknown = create.execute(unknown, None, &bench.context).await;
        assert!(
            matches!(&unknown, Err(CreateConnectionError::Invalid(faults)) if faults.to_string().contains("postgres"))
        );
        let mut hostless = command("New");
        hostless.definition.host = None;
        let hostless = create.execute(hostless, None, &bench.context).await;
        assert!(matches!(&hostless, Err(CreateConnectionError::Invalid(faults)) if faults.iter().count() == 1));
        bench.connections.fail_with(Fault::Away);
        let away = create.execute(command("New"), None, &bench.context).await;
        assert!(matches!(&away, Err(CreateConnectionError::Database(error)) if error.is_unavailable()), "{away:?}");
        assert_eq!(format!("{create:?}"), "CreateConnection { .. }");
    }
}
