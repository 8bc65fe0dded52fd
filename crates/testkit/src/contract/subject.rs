use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use connection_manager::ConnectionSettings;
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseConnection, DatabaseError, DatabaseErrorKind, Dialect, Engine, RawStatement};

/// An engine as the common cases see it: how it is asked for an answer, how it is kept busy, where it speaks TLS.
///
/// For a connector of one's own: the engine's SQL has [`SqlSubject`], anything else implements these few functions.
#[async_trait]
pub trait Subject: Send + Sync + fmt::Debug {
    /// The engine that its connections tell.
    fn engine(&self) -> Engine;

    /// Sends a number to the server, readable on the wire when nothing encrypts it, and brings it back.
    ///
    /// # Errors
    /// What the connection answers.
    async fn ask(
        &self,
        connection: &dyn DatabaseConnection,
        number: i32,
        context: &RequestContext,
    ) -> Result<i32, DatabaseError>;

    /// Keeps one physical connection, and the server where it can, busy for about this long.
    ///
    /// # Errors
    /// What the connection answers.
    async fn linger(
        &self,
        connection: &dyn DatabaseConnection,
        time: Duration,
        context: &RequestContext,
    ) -> Result<(), DatabaseError>;

    /// The same settings, led to a database that is not there.
    fn astray(&self, mut settings: ConnectionSettings) -> ConnectionSettings {
        if let Some(path) = &settings.path {
            settings.path = Some(path.with_file_name("no_such_folder").join("no_such.db"));
        } else {
            settings.database = Some("no_such_database".to_owned());
        }
        settings
    }

    /// The same settings, led to where the server speaks TLS, when that is not where it speaks without.
    fn secured(&self, settings: ConnectionSettings) -> ConnectionSettings {
        settings
    }

    /// The PEM file of the authority that signed the server's certificate, which names `127.0.0.1` and not `127.0.0.2`.
    /// [`super::Target::with_authority`] comes before it.
    fn certificate_authority(&self) -> Option<PathBuf> {
        None
    }
}

/// Any engine that speaks one of the SQL dialects.
#[derive(Debug, Clone)]
pub struct SqlSubject(pub Engine);

#[async_trait]
impl Subject for SqlSubject {
    fn engine(&self) -> Engine {
        self.0.clone()
    }

    async fn ask(
        &self,
        connection: &dyn DatabaseConnection,
        number: i32,
        context: &RequestContext,
    ) -> Result<i32, DatabaseError> {
        let question = RawStatement::everywhere("SELECT", format!("SELECT {number} AS answer"));
        match connection.sql()?.query_one(&question.into(), context).await? {
            Some(row) => row.get("answer"),
            None => Err(DatabaseError::new(DatabaseErrorKind::Decode, "the answer has no row")),
        }
    }

    async fn linger(
        &self,
        connection: &dyn DatabaseConnection,
        time: Duration,
        context: &RequestContext,
    ) -> Result<(), DatabaseError> {
        connection.sql()?.query(&slow(time).into(), context).await.map(drop)
    }
}

/// A query that runs for about as long as it is told; an engine that cannot wait counts.
fn slow(time: Duration) -> RawStatement {
    let milliseconds = time.as_millis();
    let seconds = format!("{}.{:03}", time.as_secs(), time.subsec_millis());
    let count = milliseconds * 3_000;
    RawStatement::per_dialect("SELECT")
        .text(Dialect::MySql, format!("SELECT SLEEP({seconds}) AS slept"))
        .text(Dialect::Postgres, format!("SELECT pg_sleep({seconds})"))
        .text(
            Dialect::Sqlite,
            format!(
                "WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < {count}) \
                 SELECT COUNT(*) AS slept FROM counted"
            ),
        )
        // Counts as well: Babelfish has no WAITFOR.
        .text(
            Dialect::SqlServer,
            format!(
                "DECLARE @counted INT = 0; WHILE @counted < {} SET @counted = @counted + 1; SELECT 0 AS slept",
                milliseconds * 600
            ),
        )
}
