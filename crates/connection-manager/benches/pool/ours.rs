use connection_manager::pool::Lease;
use connection_manager::{Credentials, Driver, DriverSession, Keyring, Pool, PoolSettings};
use sea_query::Values;
use shared_kernel::database::{DatabaseError, Dialect, Row, TransactionMode};

use crate::{CONNECTIONS, Checkout, Failure};

/// Opens connections that do nothing.
pub(crate) struct Idle;

impl Driver for Idle {
    type Session = Idle;

    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    async fn connect(&self, _credentials: &Credentials) -> Result<Idle, DatabaseError> {
        Ok(Idle)
    }
}

impl DriverSession for Idle {
    async fn execute(&mut self, _sql: String, _values: Values) -> Result<u64, DatabaseError> {
        Ok(0)
    }

    async fn query(&mut self, _sql: String, _values: Values) -> Result<Vec<Row>, DatabaseError> {
        Ok(Vec::new())
    }

    async fn run_script(&mut self, _script: &str) -> Result<(), DatabaseError> {
        Ok(())
    }

    async fn begin(&mut self, _mode: TransactionMode) -> Result<(), DatabaseError> {
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), DatabaseError> {
        Ok(())
    }

    async fn rollback(&mut self) -> Result<(), DatabaseError> {
        Ok(())
    }

    async fn ping(&mut self) -> Result<(), DatabaseError> {
        Ok(())
    }

    async fn server_version(&mut self) -> Result<Option<String>, DatabaseError> {
        Ok(None)
    }

    async fn close(self) {}
}

#[derive(Clone)]
pub(crate) struct Ours(Pool<Idle>);

impl Checkout for Ours {
    const NAME: &'static str = "connection-manager";
    type Held<'pool> = Lease<Idle>;

    async fn open() -> Result<Self, Failure> {
        let settings = PoolSettings::sized(CONNECTIONS, CONNECTIONS);
        let keyring = Keyring::fixed("bench".parse()?, Credentials::none());
        Ok(Self(Pool::new("bench".parse()?, settings, keyring, Idle)))
    }

    async fn checkout(&self) -> Result<Lease<Idle>, Failure> {
        Ok(self.0.acquire(None).await?)
    }
}
