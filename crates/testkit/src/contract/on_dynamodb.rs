use std::time::Duration;

use async_trait::async_trait;
use connection_manager::ConnectionSettings;
use connection_manager::dynamodb::DynamoDbConnection;
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseConnection, DatabaseError, DatabaseErrorKind, Engine, Expiry};

use super::{Subject, Target};
use crate::dynamodb;

/// DynamoDB, asked for values under keys.
#[derive(Debug, Clone, Copy)]
struct DynamoDbSubject;

impl Target {
    /// A table of the case's own.
    ///
    /// # Panics
    /// When there is no DynamoDB.
    pub async fn dynamodb() -> Self {
        Self::new(DynamoDbSubject, dynamodb::table().await, ())
    }
}

#[async_trait]
impl Subject for DynamoDbSubject {
    fn engine(&self) -> Engine {
        Engine::DYNAMODB
    }

    async fn ask(
        &self,
        connection: &dyn DatabaseConnection,
        number: i32,
        context: &RequestContext,
    ) -> Result<i32, DatabaseError> {
        let (values, digits) = (connection.key_value()?, number.to_string());
        values.set(digits.as_bytes(), digits.as_bytes(), Expiry::Never, context).await?;
        let answer = values.get(digits.as_bytes(), context).await?;
        let number = answer.and_then(|digits| std::str::from_utf8(&digits).ok()?.parse().ok());
        number.ok_or_else(|| DatabaseError::new(DatabaseErrorKind::Decode, "no number"))
    }

    /// The service answers at once, so that a call that takes long is made of many.
    async fn linger(
        &self,
        connection: &dyn DatabaseConnection,
        time: Duration,
        context: &RequestContext,
    ) -> Result<(), DatabaseError> {
        let Some(native) = connection.native_as::<DynamoDbConnection>() else {
            return Err(DatabaseError::new(DatabaseErrorKind::Unsupported, "the connection is not one to DynamoDB"));
        };
        let work = |client: connection_manager::dynamodb::driver_crate::Client| async move {
            let end = tokio::time::Instant::now() + time;
            while tokio::time::Instant::now() < end {
                if let Err(cause) = client.list_tables().limit(1).send().await {
                    return Err(DatabaseError::new(DatabaseErrorKind::Unreachable, cause.to_string()));
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            Ok(())
        };
        native.with_client(work, context).await
    }

    fn astray(&self, settings: ConnectionSettings) -> ConnectionSettings {
        settings.with_database("no-such-table")
    }
}
