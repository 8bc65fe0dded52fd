use std::future::Future;
use std::sync::Arc;

use ::mongodb::Client;
use sea_query::Values;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, Effect, Row, TransactionMode};

use super::client::SharedClient;
use super::error::Problem;
use crate::endpoint::NotAsked;
use crate::pool::DriverSession;

/// One session of the pool: the right to have one call under way on a client of the driver.
pub struct MongoDbSession {
    shared: Arc<SharedClient>,
}

impl MongoDbSession {
    pub(super) fn new(shared: Arc<SharedClient>) -> Self {
        Self { shared }
    }

    /// The driver's client.
    pub fn client(&self) -> &Client {
        self.shared.client()
    }

    /// Does a piece of work with the client. Where the server refuses the credentials when the driver opens one more connection for
    /// it, and it can be begun anew, the error says that every session of these credentials is at its end.
    pub(super) async fn call<T, F>(
        self: Box<Self>,
        attempt: &str,
        effect: Effect,
        work: impl Fn(Client) -> F,
    ) -> (Box<Self>, Result<T, DatabaseError>)
    where
        F: Future<Output = Result<T, Problem>>,
    {
        let outcome = self.shared.call(attempt, effect, work).await;
        (self, outcome)
    }
}

/// The pool's sessions are those of SQL engines too; what only these can do is refused here and offered nowhere.
impl DriverSession for MongoDbSession {
    async fn execute(&mut self, _: String, _: Values) -> Result<u64, DatabaseError> {
        Err(no_sql())
    }

    async fn query(&mut self, _: String, _: Values) -> Result<Vec<Row>, DatabaseError> {
        Err(no_sql())
    }

    async fn run_script(&mut self, _: &str) -> Result<(), DatabaseError> {
        Err(no_sql())
    }

    async fn begin(&mut self, _: TransactionMode) -> Result<(), DatabaseError> {
        Err(no_sql())
    }

    async fn commit(&mut self) -> Result<(), DatabaseError> {
        Err(no_sql())
    }

    async fn rollback(&mut self) -> Result<(), DatabaseError> {
        Err(no_sql())
    }

    async fn ping(&mut self) -> Result<(), DatabaseError> {
        self.shared.ping("ping").await
    }

    fn server_version(&mut self) -> impl Future<Output = Result<Option<String>, DatabaseError>> + Send {
        std::future::ready(Ok(self.shared.server_version().map(str::to_owned)))
    }

    /// The connections are the client's, which closes them with its last session.
    async fn close(self) {}

    fn is_usable(&self) -> bool {
        !self.shared.is_rejected()
    }
}

fn no_sql() -> DatabaseError {
    DatabaseError::new(DatabaseErrorKind::Unsupported, "mongodb speaks no SQL").with_source(NotAsked::at_all())
}
