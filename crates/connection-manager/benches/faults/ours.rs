use std::sync::Arc;

use connection_manager::{ConnectionSettings, PoolSettings};
use shared_kernel::RequestContext;
use shared_kernel::database::{
    DatabaseConnection, DatabaseError, DatabaseErrorKind, RawStatement, SqlSession, Statement,
};
use testkit::Server;

use crate::Failure;
use crate::run::{DEADLINE, PLACES, Subject};

/// A connection of this project, with the usual settings but for the number of places.
pub(crate) struct Ours {
    connection: Arc<dyn DatabaseConnection>,
    busy: Statement,
    short: Statement,
}

impl Ours {
    pub(crate) async fn open(server: Server, settings: ConnectionSettings) -> Result<Self, Failure> {
        let connection = testkit::connect(settings.with_pool(PoolSettings::sized(0, PLACES))).await?;
        let busy = RawStatement::everywhere("SELECT", super::peer::busy(server)).into();
        Ok(Self { connection, busy, short: RawStatement::everywhere("SELECT", "SELECT 1").into() })
    }
}

fn context() -> RequestContext {
    RequestContext::system().within(DEADLINE)
}

impl Subject for Ours {
    type Held = Box<dyn SqlSession>;

    async fn call(&self) -> Result<(), Failure> {
        self.connection.sql()?.query(&self.busy, &context()).await?;
        Ok(())
    }

    fn is_circuit_open(failure: &Failure) -> bool {
        let error = failure.downcast_ref::<DatabaseError>();
        error.is_some_and(|error| *error.kind() == DatabaseErrorKind::CircuitOpen)
    }

    async fn hold(&self) -> Result<Self::Held, Failure> {
        let context = context();
        let session = self.connection.sql()?.session(&context).await?;
        session.query(&self.short, &context).await?;
        Ok(session)
    }
}
