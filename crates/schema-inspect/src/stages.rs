use std::time::{Duration, Instant};

use schema_model::{Report, Stage};
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, Row, SqlExecutor, Statement};

use crate::InspectError;

/// Sends statements and writes down how many they were and how long each took.
pub(crate) struct Stages<'a> {
    context: &'a RequestContext,
    report: Report,
}

impl<'a> Stages<'a> {
    pub(crate) fn new(context: &'a RequestContext) -> Self {
        Self { context, report: Report::default() }
    }

    /// Asks, and reads each row of the answer.
    pub(crate) async fn read<T>(
        &mut self,
        stage: &'static str,
        executor: &dyn SqlExecutor,
        statement: Statement,
        read: impl Fn(&Row) -> Result<T, DatabaseError>,
    ) -> Result<Vec<T>, InspectError> {
        let rows = self.timed(stage, executor.query(&statement, self.context)).await?;
        rows.iter().map(read).collect::<Result<_, _>>().map_err(|source| InspectError::Database { stage, source })
    }

    /// As [`Self::read`] where there always is one row.
    pub(crate) async fn read_one<T>(
        &mut self,
        stage: &'static str,
        executor: &dyn SqlExecutor,
        statement: Statement,
        read: impl Fn(&Row) -> Result<T, DatabaseError>,
    ) -> Result<T, InspectError> {
        let one = self.read(stage, executor, statement, read).await?.into_iter().next();
        let missing = || DatabaseError::new(DatabaseErrorKind::Decode, "nothing is known of the current database");
        one.ok_or_else(|| InspectError::Database { stage, source: missing() })
    }

    /// Waits for one statement.
    pub(crate) async fn timed<T>(
        &mut self,
        stage: &'static str,
        asked: impl Future<Output = Result<T, DatabaseError>>,
    ) -> Result<T, InspectError> {
        let began = Instant::now();
        let answer = asked.await;
        self.report.statements += 1;
        self.report.stages.push(Stage { name: stage.to_owned(), milliseconds: began.elapsed().as_secs_f64() * 1e3 });
        answer.map_err(|source| InspectError::Database { stage, source })
    }

    /// Writes down what was asked elsewhere.
    pub(crate) fn add(&mut self, stage: &'static str, statements: u32, took: Duration) {
        self.report.statements += statements;
        self.report.stages.push(Stage { name: stage.to_owned(), milliseconds: took.as_secs_f64() * 1e3 });
    }

    /// Within which limits questions are asked.
    pub(crate) fn context(&self) -> &'a RequestContext {
        self.context
    }

    pub(crate) fn report(self) -> Report {
        self.report
    }
}
