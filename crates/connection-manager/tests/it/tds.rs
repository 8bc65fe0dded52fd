//! SQL Server's connector against the scriptable TDS server: the protocol and its faults, not T-SQL.

use std::sync::Arc;
use std::time::Duration;

use connection_manager::{ConnectionSettings, PasswordSource, PoolSettings, TlsSettings};
use sea_query::Value;
use shared_kernel::RequestContext;
use shared_kernel::database::{
    DatabaseConnection, DatabaseError, DatabaseErrorKind, Engine, RawStatement, Row, Statement,
};
use testkit::contract::refused;
use testkit::tds::{Column, Reply, ResultSet, TdsServer, TdsServerBuilder, TdsType};

mod cancelling;
mod connecting;
mod errors;
mod faults;
mod guarded;
mod noted;
mod tls;
mod transactions;
mod types;

/// No test waits for longer than this.
const LIMIT: Duration = Duration::from_secs(20);

fn server() -> TdsServerBuilder {
    TdsServer::builder().user("sa", "secret").database("books")
}

fn settings(server: &TdsServer) -> ConnectionSettings {
    ConnectionSettings::new(Engine::SQLSERVER)
        .with_host("localhost")
        .with_port(server.address().port())
        .with_database("books")
        .with_username("sa")
        .with_password(PasswordSource::Literal("secret".into()))
        .with_tls(TlsSettings::disabled())
        .with_pool(PoolSettings::sized(0, 1))
}

async fn connect(server: &TdsServer) -> Arc<dyn DatabaseConnection> {
    testkit::connect(settings(server)).await.expect("a connection")
}

fn context() -> RequestContext {
    RequestContext::system().within(LIMIT)
}

fn statement(text: &'static str, values: impl IntoIterator<Item = Value>) -> Statement {
    values.into_iter().fold(RawStatement::everywhere("SELECT", text), RawStatement::bind).into()
}

async fn query(connection: &Arc<dyn DatabaseConnection>, text: &'static str) -> Result<Vec<Row>, DatabaseError> {
    connection.sql()?.query(&statement(text, []), &context()).await
}

async fn execute(connection: &Arc<dyn DatabaseConnection>, text: &'static str) -> Result<u64, DatabaseError> {
    connection.sql()?.execute(&statement(text, []), &context()).await
}

/// Whether the pool still serves its one caller.
async fn assert_serves(connection: &Arc<dyn DatabaseConnection>) {
    let rows = query(connection, "SELECT 1").await.expect("an answer");
    assert_eq!(rows[0].get::<i32>(0).ok(), Some(1));
}

fn one(kind: TdsType, value: impl Into<testkit::tds::TdsValue>) -> Reply {
    Reply::rows(ResultSet::new([Column::new("value", kind)]).row([value.into()]))
}
