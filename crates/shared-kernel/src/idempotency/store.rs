use std::time::{Duration, Instant};

use super::{Claim, IdempotencyError, Receipt, ReceiptTable, TWIN_WAIT, receipts};
use crate::RequestContext;
use crate::database::{
    DatabaseError, DatabaseErrorKind, Dialect, SqlConnection, SqlExecutor, Statement, TransactionMode,
};

/// What [`store`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// The rows and their receipt are written.
    Written,
    /// Nothing was written: an earlier request with the same key was, and answered this.
    Replayed(Vec<u8>),
}

/// Why [`store`] wrote nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The key cannot be served.
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    /// The database refused. A unique violation is one of the rows': the receipt's own is dealt with.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

/// How one try ended that is not the end of it.
enum Outcome {
    Done(Stored),
    /// The same transaction can be run again.
    Conflict(DatabaseError),
    /// A receipt stood in the way, and was gone when it was looked for.
    Vanished,
}

/// Writes rows in one transaction, behind their receipt if there is one.
///
/// A twin waits for the request that came first, at most [`TWIN_WAIT`], and replays its answer; when the first is
/// rolled back, the twin takes over. A deadlock or a serialization failure is tried again within the same time.
///
/// Cancelling: nothing is written, unless the commit was under way.
///
/// # Errors
/// [`StoreError`]
pub async fn store(
    sql: &dyn SqlConnection,
    receipt: Option<(ReceiptTable, &Receipt)>,
    rows: &[Statement],
    context: &RequestContext,
) -> Result<Stored, StoreError> {
    let give_up = Instant::now() + TWIN_WAIT;
    loop {
        let conflict = match attempt(sql, receipt, rows, give_up, context).await? {
            Outcome::Done(stored) => return Ok(stored),
            Outcome::Conflict(error) => Some(error),
            Outcome::Vanished => None,
        };
        if Instant::now() >= give_up {
            return Err(conflict.map_or_else(in_progress, StoreError::Database));
        }
    }
}

/// What an earlier request with the same key was answered; `None` where there is none that has ended. For creations that cost a
/// lot before there is anything to write: [`store`] looks by itself, but has to have the rows.
///
/// # Errors
/// [`StoreError`]; [`IdempotencyError::Mismatch`] where the key stands for another request.
pub async fn earlier(
    sql: &dyn SqlExecutor,
    table: ReceiptTable,
    claim: &Claim,
    context: &RequestContext,
) -> Result<Option<Vec<u8>>, StoreError> {
    match receipts::find(sql, table, (&claim.scope, &claim.key), context).await? {
        Some(known) if known.digest == claim.digest => Ok(Some(known.answer)),
        Some(_) => Err(IdempotencyError::Mismatch.into()),
        None => Ok(None),
    }
}

async fn attempt(
    sql: &dyn SqlConnection,
    receipt: Option<(ReceiptTable, &Receipt)>,
    rows: &[Statement],
    give_up: Instant,
    context: &RequestContext,
) -> Result<Outcome, StoreError> {
    let patience = context.within(give_up.saturating_duration_since(Instant::now()).max(Duration::from_millis(1)));
    // SQLite has one write lock, taken at BEGIN: a twin waits there and not at the receipt.
    let waits_at_begin = receipt.is_some() && sql.dialect() == Dialect::Sqlite;
    let begin_context = if waits_at_begin { &patience } else { context };
    let transaction = match sql.begin(TransactionMode::ReadWrite, begin_context).await {
        Ok(transaction) => transaction,
        Err(error) if waits_at_begin => return waited_for_twin(error, give_up, context),
        Err(error) => return conflict_or_error(error),
    };
    if let Some((table, receipt)) = receipt
        && let Err(error) = transaction.execute(&receipts::insert(table, receipt), &patience).await
    {
        if !error.is_unique_violation() {
            return waited_for_twin(error, give_up, context);
        }
        transaction.rollback(context).await?;
        return match receipts::find(sql, table, (&receipt.scope, &receipt.key), context).await? {
            Some(known) if known.digest == receipt.digest => Ok(Outcome::Done(Stored::Replayed(known.answer))),
            Some(_) => Err(IdempotencyError::Mismatch.into()),
            None => Ok(Outcome::Vanished),
        };
    }
    for statement in rows {
        if let Err(error) = transaction.execute(statement, context).await {
            // Dropping would do, but only a finished rollback lets a waiting twin take over without delay.
            let _ = transaction.rollback(context).await;
            return conflict_or_error(error);
        }
    }
    match transaction.commit(context).await {
        Ok(()) => Ok(Outcome::Done(Stored::Written)),
        Err(error) => conflict_or_error(error),
    }
}

fn conflict_or_error(error: DatabaseError) -> Result<Outcome, StoreError> {
    if *error.kind() == DatabaseErrorKind::SerializationConflict {
        Ok(Outcome::Conflict(error))
    } else {
        Err(error.into())
    }
}

/// What an error means that came up while waiting for a twin to end.
fn waited_for_twin(error: DatabaseError, give_up: Instant, context: &RequestContext) -> Result<Outcome, StoreError> {
    let patience_is_over = Instant::now() >= give_up && context.time_left() != Some(Duration::ZERO);
    match error.kind() {
        DatabaseErrorKind::Timeout | DatabaseErrorKind::SerializationConflict if patience_is_over => Err(in_progress()),
        _ => conflict_or_error(error),
    }
}

const fn in_progress() -> StoreError {
    StoreError::Idempotency(IdempotencyError::InProgress { retry_after: Duration::from_secs(1) })
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::panic::Location;
    use std::sync::{Arc, Mutex};

    use async_trait::async_trait;
    use chrono::DateTime;

    use super::*;
    use crate::database::{Row, SqlSession, SqlTransaction};
    use crate::idempotency::Idempotent;

    /// A database that answers each call with what the test wrote down for it, and notes what it was asked.
    #[derive(Clone, Default)]
    struct Scripted {
        answers: Arc<Mutex<VecDeque<Option<DatabaseErrorKind>>>>,
        calls: Arc<Mutex<Vec<&'static str>>>,
    }

    impl Scripted {
        fn answering(answers: impl IntoIterator<Item = Option<DatabaseErrorKind>>) -> Self {
            Self { answers: Arc::new(Mutex::new(answers.into_iter().collect())), calls: Arc::default() }
        }

        fn answer(&self, call: &'static str) -> Result<(), DatabaseError> {
            self.calls.lock().expect("one thread").push(call);
            // What is not written down goes well.
            match self.answers.lock().expect("one thread").pop_front().flatten() {
                Some(kind) => Err(DatabaseError::new(kind, call)),
                None => Ok(()),
            }
        }

        fn calls(&self) -> Vec<&'static str> {
            self.calls.lock().expect("one thread").clone()
        }
    }

    #[async_trait]
    impl SqlExecutor for Scripted {
        fn dialect(&self) -> Dialect {
            Dialect::Postgres
        }

        async fn execute(&self, _: &Statement, _: &RequestContext) -> Result<u64, DatabaseError> {
            self.answer("execute").map(|()| 1)
        }

        async fn query(&self, _: &Statement, _: &RequestContext) -> Result<Vec<Row>, DatabaseError> {
            self.answer("query").map(|()| Vec::new())
        }

        async fn run_script(&self, _: &str, _: &RequestContext) -> Result<(), DatabaseError> {
            self.answer("run_script")
        }
    }

    #[async_trait]
    impl SqlConnection for Scripted {
        async fn begin_at(
            &self,
            _: TransactionMode,
            _: &RequestContext,
            _: &'static Location<'static>,
        ) -> Result<Box<dyn SqlTransaction>, DatabaseError> {
            self.answer("begin")?;
            Ok(Box::new(self.clone()))
        }

        async fn session_at(
            &self,
            _: &RequestContext,
            _: &'static Location<'static>,
        ) -> Result<Box<dyn SqlSession>, DatabaseError> {
            Err(DatabaseError::new(DatabaseErrorKind::Unsupported, "no sessions here"))
        }
    }

    #[async_trait]
    impl SqlTransaction for Scripted {
        async fn commit(self: Box<Self>, _: &RequestContext) -> Result<(), DatabaseError> {
            self.answer("commit")
        }

        async fn rollback(self: Box<Self>, _: &RequestContext) -> Result<(), DatabaseError> {
            self.answer("rollback")
        }
    }

    async fn run(sql: &Scripted) -> Result<Stored, StoreError> {
        let wish = Idempotent::<str> { key: "key".parse().expect("a key"), digest: [0; 32], render: &|_| Vec::new() };
        let context = RequestContext::default();
        let receipt = wish.receipt("test", "", DateTime::UNIX_EPOCH, &context);
        let rows = [Statement::from(crate::database::RawStatement::everywhere("INSERT", "a row"))];
        store(sql, Some((ReceiptTable::named("receipts"), &receipt)), &rows, &context).await
    }

    const CONFLICT: Option<DatabaseErrorKind> = Some(DatabaseErrorKind::SerializationConflict);
    const UNIQUE: Option<DatabaseErrorKind> = Some(DatabaseErrorKind::UniqueViolation { constraint: None });

    #[tokio::test]
    async fn the_receipt_comes_first() {
        let sql = Scripted::default();
        assert_eq!(run(&sql).await.expect("written"), Stored::Written);
        assert_eq!(sql.calls(), ["begin", "execute", "execute", "commit"]);
    }

    #[tokio::test]
    async fn a_deadlock_is_tried_again_wherever_it_strikes() {
        for before in 0..4 {
            let answers = std::iter::repeat_n(None, before).chain([CONFLICT]);
            let sql = Scripted::answering(answers);
            assert_eq!(run(&sql).await.expect("written at the second try"), Stored::Written, "{before}");
            assert_eq!(sql.calls().iter().filter(|call| **call == "begin").count(), 2);
        }
    }

    #[tokio::test]
    async fn a_receipt_that_vanished_makes_room() {
        // The insert meets a receipt, which is rolled back or swept before it can be read.
        let sql = Scripted::answering([None, UNIQUE]);
        assert_eq!(run(&sql).await.expect("written at the second try"), Stored::Written);
        let first_try = ["begin", "execute", "rollback", "query"];
        assert_eq!(sql.calls()[..4], first_try);
    }

    #[tokio::test]
    async fn what_the_rows_meet_is_the_callers_business() {
        let sql = Scripted::answering([None, None, UNIQUE]);
        let refused = run(&sql).await;
        assert!(matches!(&refused, Err(StoreError::Database(error)) if error.is_unique_violation()), "{refused:?}");
        assert_eq!(sql.calls(), ["begin", "execute", "execute", "rollback"]);
    }

    #[tokio::test]
    async fn a_database_that_is_away_is_no_twin() {
        for kind in [DatabaseErrorKind::Unreachable, DatabaseErrorKind::Timeout] {
            let refused = run(&Scripted::answering([None, Some(kind.clone())])).await;
            assert!(matches!(&refused, Err(StoreError::Database(error)) if *error.kind() == kind), "{refused:?}");
        }
    }
}
