use std::time::Instant;

use schema_model::{Report, Stage};
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseError, Row, SqlExecutor, Statement};

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

    pub(crate) async fn query(
        &mut self,
        stage: &'static str,
        executor: &dyn SqlExecutor,
        statement: Statement,
    ) -> Result<Vec<Row>, InspectError> {
        let asked = executor.query(&statement, self.context);
        self.timed(stage, asked).await
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

    pub(crate) fn report(self) -> Report {
        self.report
    }
}
