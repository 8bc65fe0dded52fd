use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveDate, Utc};
use connection_manager::{ConnectionFactory, ConnectionManager, ConnectionSettings};
use metrics_exporter_prometheus::PrometheusBuilder;
use sea_query::{Expr, ExprTrait, Query};
use shared_kernel::RequestContext;
use shared_kernel::database::{
    Access, Connections, DatabaseConnection, RawStatement, Row, SqlConnection, Statement, StatementTemplate,
};
use uuid::Uuid;

use crate::Failure;
use crate::measure::{Load, ROWS};

/// A connection as a bounded context sees it.
pub(crate) struct Traited {
    connection: Arc<dyn DatabaseConnection>,
    context: RequestContext,
}

impl Traited {
    pub(crate) async fn connect(settings: ConnectionSettings) -> Result<Self, Failure> {
        let manager =
            ConnectionManager::builder(ConnectionFactory::compiled()).connection("bench", settings).build()?;
        let context = RequestContext::system();
        let connection = manager.get("bench", Access::Read, &context).await?;
        Ok(Self { connection, context })
    }

    /// Without measurements, circuit and deadline.
    pub(crate) async fn unwatched(mut settings: ConnectionSettings) -> Result<Self, Failure> {
        settings.breaker.failures = 0;
        Self::connect(settings).await
    }

    /// With all that is on in a service: a recorder of measurements, a circuit, a deadline.
    pub(crate) async fn watched(settings: ConnectionSettings) -> Result<Self, Failure> {
        let recorder = PrometheusBuilder::new().build_recorder();
        // Handles to the recorder are made while the connection is; the runtime has one thread.
        let _installed = metrics::set_default_local_recorder(&recorder);
        let mut watched = Self::connect(settings).await?;
        watched.context.deadline = Instant::now().checked_add(Duration::from_hours(1));
        Ok(watched)
    }

    /// What its server answers to a question.
    pub(crate) async fn ask(&self, question: &'static str) -> Result<String, Failure> {
        let statement = RawStatement::everywhere("SELECT", question).into();
        let row = self.connection.sql()?.query_one(&statement, &self.context).await?.ok_or("the row is missing")?;
        Ok(row.get(0)?)
    }

    pub(crate) async fn run(&self, load: Load, calls: i64) -> Result<(), Failure> {
        let sql = self.connection.sql()?;
        match load {
            Load::Point => self.point(sql, calls, by_id).await,
            Load::Template => self.point(sql, calls, |id| BY_ID.with([id.into()])).await,
            Load::Rows => self.rows(sql, calls).await,
        }
    }

    async fn point(
        &self,
        sql: &dyn SqlConnection,
        calls: i64,
        select: impl Fn(i64) -> Statement,
    ) -> Result<(), Failure> {
        for call in 0..calls {
            let row = sql.query_one(&select(call % ROWS), &self.context).await?.ok_or("the row is missing")?;
            std::hint::black_box((row.get::<i64>(0)?, row.get::<String>(1)?));
        }
        Ok(())
    }

    async fn rows(&self, sql: &dyn SqlConnection, calls: i64) -> Result<(), Failure> {
        for _ in 0..calls {
            let statement = Query::select()
                .columns(["id", "name", "uuid", "number", "day", "instant", "flag"])
                .from("bindery_bench")
                .take();
            let rows = sql.query(&Statement::from(statement), &self.context).await?;
            for row in &rows {
                std::hint::black_box(decode(row)?);
            }
        }
        Ok(())
    }
}

static BY_ID: StatementTemplate = StatementTemplate::new(|_| by_id(0));

fn by_id(id: i64) -> Statement {
    Query::select().columns(["id", "name"]).from("bindery_bench").and_where(Expr::col("id").eq(id)).take().into()
}

type Decoded = (i64, String, Uuid, f64, NaiveDate, DateTime<Utc>, bool);

fn decode(row: &Row) -> Result<Decoded, Failure> {
    Ok((
        row.get("id")?,
        row.get("name")?,
        row.get("uuid")?,
        row.get("number")?,
        row.get("day")?,
        row.get("instant")?,
        row.get("flag")?,
    ))
}
