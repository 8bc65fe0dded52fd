//! The engine behind the bridge: connections to its PostgreSQL, and calls of its functions.

use std::str::FromStr;
use std::time::Duration;

use bson::Document;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};

use super::refusal::Refusal;

/// How long the engine may take to answer for the first time.
const START: Duration = Duration::from_mins(1);

/// The way to the engine.
#[derive(Clone)]
pub(super) struct Engine {
    options: PgConnectOptions,
}

impl Engine {
    pub(super) fn try_new(url: &str) -> Result<Self, sqlx::Error> {
        let options = PgConnectOptions::from_str(url)?
            .application_name("mongodb-bridge")
            // What runs for a client that has left is ended.
            .options([("client_connection_check_interval", "100ms"), ("client_min_messages", "warning")])
            .disable_statement_logging();
        Ok(Self { options })
    }

    /// Waits until it answers, and creates the extension where it is not there yet.
    pub(super) async fn prepare(&self) -> Result<(), sqlx::Error> {
        let ready = async {
            loop {
                match PgConnection::connect_with(&self.options).await {
                    Ok(connection) => break connection,
                    Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
                }
            }
        };
        let mut connection = match tokio::time::timeout(START, ready).await {
            Ok(connection) => connection,
            Err(_) => PgConnection::connect_with(&self.options).await?,
        };
        sqlx::raw_sql("CREATE EXTENSION IF NOT EXISTS documentdb CASCADE").execute(&mut connection).await?;
        connection.close().await
    }

    /// A connection on which everything is done with the rights of `user`, or with the bridge's own when there is none.
    pub(super) async fn connect(&self, user: Option<&str>) -> Result<PgConnection, sqlx::Error> {
        let mut connection = PgConnection::connect_with(&self.options).await?;
        if let Some(user) = user {
            let role = format!("SET ROLE \"{}\"", user.replace('"', "\"\""));
            sqlx::raw_sql(AssertSqlSafe(role)).execute(&mut connection).await?;
        }
        Ok(connection)
    }
}

/// One parameter of a function.
pub(super) enum Argument<'a> {
    Text(&'a str),
    Bson(&'a Document),
    Raw(&'a [u8]),
    Seconds(f64),
}

/// Runs a statement of the bridge's own making, whose parameters `$1`, `$2` … are these.
pub(super) async fn call(
    connection: &mut PgConnection,
    statement: &'static str,
    arguments: &[Argument<'_>],
) -> Result<PgRow, Refusal> {
    let mut query = sqlx::query(statement);
    for argument in arguments {
        query = match argument {
            Argument::Text(text) => query.bind(*text),
            Argument::Bson(document) => {
                query.bind(document.to_vec().map_err(|error| Refusal::internal(error.to_string()))?)
            }
            Argument::Raw(bytes) => query.bind(*bytes),
            Argument::Seconds(seconds) => query.bind(*seconds),
        };
    }
    Ok(query.fetch_one(connection).await?)
}

/// A document in the answer of a function.
pub(super) fn document(row: &PgRow, column: usize) -> Result<Document, Refusal> {
    // The engine's own type travels as BSON, whether it is cast or not.
    let value = row.try_get_raw(column)?;
    let bytes = value.as_bytes().map_err(|error| Refusal::internal(error.to_string()))?;
    Document::from_reader(bytes).map_err(|error| Refusal::internal(error.to_string()))
}
