//! What a context would send to SQL Server, seen from tests that run on another engine.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::panic::Location;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;
use std::{any::Any, fs};

use async_trait::async_trait;
use shared_kernel::RequestContext;
use shared_kernel::database::{
    Access, Catalog, CloseReport, ConnectionFuture, ConnectionName, ConnectionStats, Connections, DatabaseConnection,
    DatabaseError, Dialect, Documents, Engine, Health, KeyValue, Keyspace, Row, SqlConnection, SqlExecutor, SqlSession,
    SqlTransaction, Statement, Tables, TransactionMode,
};

/// Connections whose statements are rendered in T-SQL as well, before they go where they go: a test on any engine fails
/// when SQL Server's dialect cannot say one of them. Where `BINDERY_TSQL_DUMP` names a folder, each text is written
/// into a file of its own there, for a parser of T-SQL; the file's name begins with the connection's.
///
/// Scripts are not looked at: they are written for one engine.
#[derive(Debug)]
pub struct Transcript(Arc<dyn Connections>);

impl Transcript {
    /// Notes what is sent over `connections`.
    pub fn of(connections: impl Connections + 'static) -> Self {
        Self(Arc::new(connections))
    }
}

impl Connections for Transcript {
    fn get<'a>(&'a self, name: &str, access: Access, context: &RequestContext) -> ConnectionFuture<'a> {
        let found = self.0.get(name, access, context);
        ConnectionFuture::pending(async move {
            let noted: Arc<dyn DatabaseConnection> = Arc::new(Noted(found.await?));
            Ok(noted)
        })
    }
}

/// Renders a statement in T-SQL and keeps its text under the name of `source`, where the task runner collects such texts.
///
/// # Panics
/// When SQL Server's dialect cannot say it, or the file cannot be written.
pub fn note_tsql(source: &str, statement: &Statement) {
    let rendered = match statement {
        // Its values are those of the engine that it is sent to.
        Statement::Filled(filled) => filled.sample(Dialect::SqlServer).render(Dialect::SqlServer),
        _ => statement.render(Dialect::SqlServer),
    };
    match rendered {
        Ok(rendered) => note_tsql_text(source, &rendered.sql),
        Err(error) => panic!("{source}: SQL Server cannot be told {statement:?}: {error}"),
    }
}

/// Keeps a T-SQL text that is not rendered, as [`note_tsql`] does.
///
/// # Panics
/// When the file cannot be written.
#[expect(clippy::disallowed_methods, reason = "the task runner says where, and a test has no configuration")]
pub fn note_tsql_text(source: &str, text: &str) {
    static FOLDER: LazyLock<Option<PathBuf>> =
        LazyLock::new(|| std::env::var_os("BINDERY_TSQL_DUMP").map(PathBuf::from));
    static WRITTEN: LazyLock<Mutex<HashSet<u64>>> = LazyLock::new(Mutex::default);
    let Some(folder) = FOLDER.as_ref() else { return };
    // The same in every process, so that a text has one file however many tests send it.
    let mut hasher = DefaultHasher::new();
    (source, text).hash(&mut hasher);
    let hash = hasher.finish();
    if !WRITTEN.lock().unwrap_or_else(PoisonError::into_inner).insert(hash) {
        return;
    }
    fs::create_dir_all(folder).expect("the folder can be made");
    fs::write(folder.join(format!("{source}_{hash:016x}.sql")), format!("{text};\n")).expect("it can be written");
}

/// A connection, and what is sent over it.
#[derive(Debug)]
struct Noted(Arc<dyn DatabaseConnection>);

impl Noted {
    fn note(&self, statement: &Statement) {
        note_tsql(self.0.name().as_str(), statement);
    }
}

#[async_trait]
impl DatabaseConnection for Noted {
    fn name(&self) -> &ConnectionName {
        self.0.name()
    }

    fn engine(&self) -> &Engine {
        self.0.engine()
    }

    fn is_connected(&self) -> bool {
        self.0.is_connected()
    }

    async fn ping(&self, context: &RequestContext) -> Result<Health, DatabaseError> {
        self.0.ping(context).await
    }

    async fn close(&self, grace: Duration) -> CloseReport {
        self.0.close(grace).await
    }

    fn stats(&self) -> ConnectionStats {
        self.0.stats()
    }

    fn sql(&self) -> Result<&dyn SqlConnection, DatabaseError> {
        self.0.sql().map(|_| self as &dyn SqlConnection)
    }

    fn key_value(&self) -> Result<&dyn KeyValue, DatabaseError> {
        self.0.key_value()
    }

    fn keyspace(&self) -> Result<&dyn Keyspace, DatabaseError> {
        self.0.keyspace()
    }

    fn documents(&self) -> Result<&dyn Documents, DatabaseError> {
        self.0.documents()
    }

    fn tables(&self) -> Result<&dyn Tables, DatabaseError> {
        self.0.tables()
    }

    fn catalog(&self) -> Result<&dyn Catalog, DatabaseError> {
        self.0.catalog()
    }

    fn native(&self) -> &(dyn Any + Send + Sync) {
        self.0.native()
    }
}

#[async_trait]
impl SqlExecutor for Noted {
    fn dialect(&self) -> Dialect {
        self.0.sql().map_or(Dialect::SqlServer, SqlExecutor::dialect)
    }

    async fn execute(&self, statement: &Statement, context: &RequestContext) -> Result<u64, DatabaseError> {
        self.note(statement);
        self.0.sql()?.execute(statement, context).await
    }

    async fn query(&self, statement: &Statement, context: &RequestContext) -> Result<Vec<Row>, DatabaseError> {
        self.note(statement);
        self.0.sql()?.query(statement, context).await
    }

    async fn query_one(&self, statement: &Statement, context: &RequestContext) -> Result<Option<Row>, DatabaseError> {
        self.note(statement);
        self.0.sql()?.query_one(statement, context).await
    }

    async fn run_script(&self, script: &str, context: &RequestContext) -> Result<(), DatabaseError> {
        self.0.sql()?.run_script(script, context).await
    }
}

#[async_trait]
impl SqlConnection for Noted {
    async fn begin_at(
        &self,
        mode: TransactionMode,
        context: &RequestContext,
        place: &'static Location<'static>,
    ) -> Result<Box<dyn SqlTransaction>, DatabaseError> {
        let inner = self.0.sql()?.begin_at(mode, context, place).await?;
        Ok(Box::new(NotedTransaction { source: self.0.name().clone(), inner }))
    }

    /// Nothing of what is sent in a session is noted; no context opens one.
    async fn session_at(
        &self,
        context: &RequestContext,
        place: &'static Location<'static>,
    ) -> Result<Box<dyn SqlSession>, DatabaseError> {
        self.0.sql()?.session_at(context, place).await
    }
}

/// A transaction, and what is sent in it.
struct NotedTransaction {
    source: ConnectionName,
    inner: Box<dyn SqlTransaction>,
}

#[async_trait]
impl SqlExecutor for NotedTransaction {
    fn dialect(&self) -> Dialect {
        self.inner.dialect()
    }

    async fn execute(&self, statement: &Statement, context: &RequestContext) -> Result<u64, DatabaseError> {
        note_tsql(self.source.as_str(), statement);
        self.inner.execute(statement, context).await
    }

    async fn query(&self, statement: &Statement, context: &RequestContext) -> Result<Vec<Row>, DatabaseError> {
        note_tsql(self.source.as_str(), statement);
        self.inner.query(statement, context).await
    }

    async fn query_one(&self, statement: &Statement, context: &RequestContext) -> Result<Option<Row>, DatabaseError> {
        note_tsql(self.source.as_str(), statement);
        self.inner.query_one(statement, context).await
    }

    async fn run_script(&self, script: &str, context: &RequestContext) -> Result<(), DatabaseError> {
        self.inner.run_script(script, context).await
    }
}

#[async_trait]
impl SqlTransaction for NotedTransaction {
    async fn commit(self: Box<Self>, context: &RequestContext) -> Result<(), DatabaseError> {
        self.inner.commit(context).await
    }

    async fn rollback(self: Box<Self>, context: &RequestContext) -> Result<(), DatabaseError> {
        self.inner.rollback(context).await
    }
}

#[cfg(test)]
mod tests {
    use sea_query::{Expr, ExprTrait, Query};
    use shared_kernel::database::RawStatement;

    use super::*;
    use crate::{Server, TestDatabase};

    async fn send(statement: Statement, in_transaction: bool) {
        let database = TestDatabase::create(Server::Sqlite).await;
        let connections = Transcript::of(database.manager("people"));
        let context = RequestContext::system();
        let connection = connections.get("people", Access::Write, &context).await.expect("SQLite");
        let sql = connection.sql().expect("SQL");
        if in_transaction {
            let transaction = sql.begin(TransactionMode::ReadWrite, &context).await.expect("a transaction");
            let _what_sqlite_says = transaction.query(&statement, &context).await;
        } else {
            let _what_sqlite_says = sql.query(&statement, &context).await;
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_both_can_say_passes() {
        send(Query::select().expr(Expr::val(1).add(1)).to_owned().into(), false).await;
        send(Query::select().expr(Expr::val(1).add(1)).to_owned().into(), true).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    #[should_panic(expected = "people: SQL Server cannot be told")]
    async fn what_sql_server_cannot_be_told_is_seen_on_another_engine() {
        send(RawStatement::per_dialect("SELECT").text(Dialect::Sqlite, "SELECT 1").into(), false).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    #[should_panic(expected = "people: SQL Server cannot be told")]
    async fn so_it_is_within_a_transaction() {
        send(RawStatement::per_dialect("SELECT").text(Dialect::Sqlite, "SELECT 1").into(), true).await;
    }
}
