use std::future::Future;

use aws_sdk_dynamodb::Client;
use sea_query::Values;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, Row, TransactionMode};

use super::error;
use super::table::Table;
use crate::endpoint::NotAsked;
use crate::pool::DriverSession;

/// What the service calls the version of its interface; it has no other.
const VERSION: &str = "API 2012-08-10";

/// One session of the pool.
pub struct DynamoDbSession {
    client: Client,
    table: Option<Table>,
}

impl DynamoDbSession {
    /// Says hello as the identity of `client`: asks about the table, or for the name of any.
    pub(super) async fn open(client: Client, table: Option<&str>) -> Result<Self, DatabaseError> {
        let Some(name) = table else {
            greet(&client).await?;
            return Ok(Self { client, table: None });
        };
        let table = Some(Table::describe(&client, name).await?);
        Ok(Self { client, table })
    }

    /// The SDK's client.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The table of the key-value capability.
    pub(super) fn table(&self) -> Result<&Table, DatabaseError> {
        self.table.as_ref().ok_or_else(no_table)
    }
}

/// A sign of life that needs no table. Who may not list any is known all the same.
async fn greet(client: &Client) -> Result<(), DatabaseError> {
    let answer = Box::pin(client.list_tables().limit(1).send()).await;
    match answer.map_err(|cause| error::map(&cause, "ListTables")) {
        Err(error) if error.code() == Some(error::DENIED) => Ok(()),
        outcome => outcome.map(drop),
    }
}

pub(super) fn no_table() -> DatabaseError {
    let message = "no table keeps values: name one as the connection's `database`";
    DatabaseError::new(DatabaseErrorKind::Unsupported, message).with_source(NotAsked::at_all())
}

/// The pool's sessions are those of SQL engines too; what only these can do is refused here and offered nowhere.
impl DriverSession for DynamoDbSession {
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
        match &self.table {
            Some(table) => Table::describe(&self.client, table.name()).await.map(drop),
            None => greet(&self.client).await,
        }
    }

    fn server_version(&mut self) -> impl Future<Output = Result<Option<String>, DatabaseError>> + Send {
        std::future::ready(Ok(Some(VERSION.to_owned())))
    }

    /// The HTTP connections are the client's, which closes those that idle.
    async fn close(self) {}
}

fn no_sql() -> DatabaseError {
    DatabaseError::new(DatabaseErrorKind::Unsupported, "dynamodb speaks no SQL").with_source(NotAsked::at_all())
}
