//! One runner at a time for each database.
//!
//! Servers have advisory locks, held by a session: a runner that dies loses its connection and with it the lock.
//! SQLite has none; its write transactions exclude each other, so there each step takes the write lock for itself and
//! looks at the history again under it.

use std::time::{Duration, Instant};

use shared_kernel::RequestContext;
use shared_kernel::database::{
    DatabaseError, DatabaseErrorKind, Dialect, RawStatement, SqlConnection, SqlExecutor, SqlSession, SqlTransaction,
    TransactionMode,
};

use crate::Progress;

/// How often the server is asked for the lock; no question waits in the server.
const PATIENCE: Duration = Duration::from_millis(100);

/// What a session of SQL Server is told first: without it a batch goes on after a failed statement.
const WHOLE_BATCHES: &str = "SET XACT_ABORT ON";

/// Why the lock was not got.
pub(crate) enum LockError {
    /// Somebody else has it.
    Taken,
    Database(DatabaseError),
}

impl From<DatabaseError> for LockError {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error)
    }
}

/// The right to change one database's schema.
pub(crate) enum Guard<'a> {
    /// An advisory lock lives as long as the session.
    Session(Box<dyn SqlSession>),
    /// Each transaction takes the lock.
    Transactions { database: &'a dyn SqlConnection, wait: Wait<'a> },
}

/// How long to wait, and whom to tell.
#[derive(Clone, Copy)]
pub(crate) struct Wait<'a> {
    pub(crate) limit: Duration,
    pub(crate) tell: &'a (dyn Fn(Progress<'_>) + Send + Sync),
}

impl<'a> Guard<'a> {
    pub(crate) async fn acquire(
        database: &'a dyn SqlConnection,
        wait: Wait<'a>,
        context: &RequestContext,
    ) -> Result<Self, LockError> {
        if database.dialect() == Dialect::Sqlite {
            return Ok(Self::Transactions { database, wait });
        }
        let began = Instant::now();
        let mut session = open(database, context).await?;
        while !ask(session.as_ref(), context).await? {
            pause(began, wait).await?;
            if session.dialect() == Dialect::SqlServer {
                // Babelfish does not live through a second question of a session that was refused the lock.
                drop(session);
                session = open(database, context).await?;
            }
        }
        Ok(Self::Session(session))
    }

    /// For what needs no transaction.
    pub(crate) fn executor(&self) -> &dyn SqlExecutor {
        match self {
            Self::Session(session) => session.as_ref(),
            Self::Transactions { database, .. } => *database,
        }
    }

    /// A write transaction under the lock.
    pub(crate) async fn begin(&mut self, context: &RequestContext) -> Result<Box<dyn SqlTransaction + '_>, LockError> {
        match self {
            Self::Session(session) => Ok(session.begin(TransactionMode::ReadWrite, context).await?),
            Self::Transactions { database, wait } => {
                let began = Instant::now();
                loop {
                    match database.begin(TransactionMode::ReadWrite, context).await {
                        // Another program's writer makes a conflict of it, one in this pool a time-out.
                        Err(error) if is_taken(&error) && context.time_left() != Some(Duration::ZERO) => {
                            pause(began, *wait).await?;
                        }
                        outcome => return Ok(outcome?),
                    }
                }
            }
        }
    }

    /// Gives the lock back. Closing the session does that too, but a server may take a moment to notice.
    pub(crate) async fn release(self, context: &RequestContext) {
        let Self::Session(session) = self else { return };
        let given_back = session.execute(&giving_back().into(), context).await;
        if let Err(error) = given_back.and(session.release().await) {
            tracing::warn!(%error, "the session that held the migration lock did not close in good order");
        }
    }
}

async fn open(database: &dyn SqlConnection, context: &RequestContext) -> Result<Box<dyn SqlSession>, DatabaseError> {
    let session = database.session(context).await?;
    if session.dialect() == Dialect::SqlServer {
        session.run_script(WHOLE_BATCHES, context).await?;
    }
    Ok(session)
}

fn giving_back() -> RawStatement {
    RawStatement::per_dialect("UNLOCK")
        .text(Dialect::MySql, "DO RELEASE_LOCK(CONCAT('schema_migrations:', LEFT(SHA2(DATABASE(), 256), 40)))")
        .text(Dialect::Postgres, "SELECT pg_advisory_unlock(7234017283807667300)")
        .text(Dialect::SqlServer, "EXEC sp_releaseapplock @Resource = N'schema_migrations', @LockOwner = N'Session'")
}

fn is_taken(error: &DatabaseError) -> bool {
    matches!(error.kind(), DatabaseErrorKind::SerializationConflict | DatabaseErrorKind::Timeout)
}

async fn pause(began: Instant, wait: Wait<'_>) -> Result<(), LockError> {
    let waited = began.elapsed();
    (wait.tell)(Progress::Waiting { waited });
    if waited >= wait.limit {
        return Err(LockError::Taken);
    }
    tokio::time::sleep(PATIENCE.min(wait.limit.saturating_sub(waited))).await;
    Ok(())
}

/// Asks for the lock once. Its name holds the database's, where the engine's locks belong to the whole server.
fn question() -> RawStatement {
    RawStatement::per_dialect("SELECT")
        .text(
            Dialect::MySql,
            "SELECT GET_LOCK(CONCAT('schema_migrations:', LEFT(SHA2(DATABASE(), 256), 40)), 0) AS outcome",
        )
        .text(
            Dialect::Postgres,
            "SELECT CASE WHEN pg_try_advisory_lock(7234017283807667300) THEN 1::BIGINT ELSE 0::BIGINT END AS outcome",
        )
        .text(
            Dialect::SqlServer,
            "DECLARE @outcome INT; \
             EXEC @outcome = sp_getapplock @Resource = N'schema_migrations', @LockMode = N'Exclusive', \
             @LockOwner = N'Session', @LockTimeout = 0; \
             SELECT CAST(CASE WHEN @outcome >= 0 THEN 1 WHEN @outcome IN (-1, -999) THEN 0 ELSE @outcome END AS BIGINT) \
             AS outcome",
        )
}

async fn ask(session: &dyn SqlSession, context: &RequestContext) -> Result<bool, DatabaseError> {
    let row = session.query_one(&question().into(), context).await?;
    match row.map(|row| row.get::<Option<i64>>("outcome")).transpose()?.flatten() {
        Some(1) => Ok(true),
        Some(0) => Ok(false),
        // NULL on MySQL, below -1 on SQL Server: the question itself failed.
        other => {
            let message = format!("the server refused the migration lock with {other:?}");
            Err(DatabaseError::new(DatabaseErrorKind::Query, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sql_server_is_sent_is_noted_for_a_parser() {
        testkit::note_tsql_text("migrations", WHOLE_BATCHES);
        for statement in [question(), giving_back()] {
            testkit::note_tsql("migrations", &statement.into());
        }
    }
}
