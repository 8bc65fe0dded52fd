use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use sea_query::{Expr, ExprTrait, Query};
use serde::{Deserialize, Serialize};
use shared_kernel::database::{
    Access, Connections, DatabaseError, DatabaseErrorKind, Dialect, Row, Statement, uuid_key,
};
use shared_kernel::{RequestContext, Version};

use crate::domain::{
    ConnectionHealth, ConnectionId, HealthRepository, ProbeFacts, ProbeFault, ProbeReport, ProbeStage, StageResult,
};

const TABLE: &str = "connection_health";
const CONNECTION_ID: &str = "connection_id";
const VERSION: &str = "connection_version";
const TESTED_AT: &str = "tested_at";
const REPORT: &str = "report";
/// How many ids one statement asks for. Every engine takes more parameters.
const IDS: usize = 500;

/// The last test of each connection in the table `connection_health` of a SQL database; a row goes with its connection.
#[derive(Clone)]
pub struct SqlHealthRepository {
    connections: Arc<dyn Connections>,
    connection: Arc<str>,
}

impl SqlHealthRepository {
    /// A repository over the connection of the given name.
    pub fn new(connections: Arc<dyn Connections>, connection: &str) -> Self {
        Self { connections, connection: connection.into() }
    }
}

#[async_trait]
impl HealthRepository for SqlHealthRepository {
    async fn keep(&self, health: &ConnectionHealth, context: &RequestContext) -> Result<bool, DatabaseError> {
        let connection = self.connections.get(&self.connection, Access::Write, context).await?;
        let sql = connection.sql()?;
        let update = update(health, sql.dialect());
        if sql.execute(&update, context).await? > 0 {
            return Ok(true);
        }
        match sql.execute(&insert(health, sql.dialect()), context).await {
            Ok(_) => Ok(true),
            Err(error) if matches!(error.kind(), DatabaseErrorKind::ForeignKeyViolation { .. }) => Ok(false),
            // Somebody else was the first to test it.
            Err(error) if error.is_unique_violation() => Ok(sql.execute(&update, context).await? > 0),
            Err(error) => Err(error),
        }
    }

    async fn last(
        &self,
        connection: ConnectionId,
        context: &RequestContext,
    ) -> Result<Option<ConnectionHealth>, DatabaseError> {
        let database = self.connections.get(&self.connection, Access::Write, context).await?;
        let sql = database.sql()?;
        let select = Query::select()
            .columns([VERSION, TESTED_AT, REPORT])
            .from(TABLE)
            .and_where(Expr::col(CONNECTION_ID).eq(uuid_key(sql.dialect(), connection.uuid())))
            .to_owned();
        let row = sql.query_one(&select.into(), context).await?;
        row.map(|row| health(connection, &row)).transpose()
    }

    async fn last_of_each(
        &self,
        connections: &[ConnectionId],
        context: &RequestContext,
    ) -> Result<Vec<ConnectionHealth>, DatabaseError> {
        let mut found = Vec::new();
        if connections.is_empty() {
            return Ok(found);
        }
        let database = self.connections.get(&self.connection, Access::Read, context).await?;
        let sql = database.sql()?;
        for ids in connections.chunks(IDS) {
            let ids = ids.iter().map(|id| uuid_key(sql.dialect(), id.uuid()));
            let select = Query::select()
                .columns([CONNECTION_ID, VERSION, TESTED_AT, REPORT])
                .from(TABLE)
                .and_where(Expr::col(CONNECTION_ID).is_in(ids))
                .to_owned();
            for row in sql.query(&select.into(), context).await? {
                match health(ConnectionId::new(row.get(CONNECTION_ID)?), &row) {
                    Ok(health) => found.push(health),
                    Err(error) if *error.kind() == DatabaseErrorKind::Decode => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(found)
    }
}

fn insert(health: &ConnectionHealth, dialect: Dialect) -> Statement {
    let id: Expr = uuid_key(dialect, health.connection.uuid()).into();
    let [version, tested_at, report] = values(health);
    Query::insert()
        .into_table(TABLE)
        .columns([CONNECTION_ID, VERSION, TESTED_AT, REPORT])
        .values_panic([id, version, tested_at, report])
        .to_owned()
        .into()
}

fn update(health: &ConnectionHealth, dialect: Dialect) -> Statement {
    let [version, tested_at, report] = values(health);
    Query::update()
        .table(TABLE)
        .values([(VERSION, version), (TESTED_AT, tested_at), (REPORT, report)])
        .and_where(Expr::col(CONNECTION_ID).eq(uuid_key(dialect, health.connection.uuid())))
        .to_owned()
        .into()
}

fn values(health: &ConnectionHealth) -> [Expr; 3] {
    // Plain data always has a JSON form.
    let report = serde_json::to_string(&ReportDocument::from(&health.report)).unwrap_or_default();
    [health.version.get().into(), health.tested_at.into(), report.into()]
}

fn health(connection: ConnectionId, row: &Row) -> Result<ConnectionHealth, DatabaseError> {
    let broken = |error: Box<dyn std::error::Error + Send + Sync>| {
        let message = format!("the stored result of connection {connection} breaks a rule");
        DatabaseError::new(DatabaseErrorKind::Decode, message).with_source(Broken(error))
    };
    let document: ReportDocument =
        serde_json::from_str(&row.get::<String>(REPORT)?).map_err(|error| broken(error.into()))?;
    Ok(ConnectionHealth {
        connection,
        version: Version::try_new(row.get(VERSION)?).map_err(|error| broken(error.into()))?,
        tested_at: row.get(TESTED_AT)?,
        report: document.try_into().map_err(|error: UnknownWord| broken(error.into()))?,
    })
}

#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct Broken(Box<dyn std::error::Error + Send + Sync>);

#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no stage and no fault")]
struct UnknownWord(String);

#[derive(Serialize, Deserialize)]
struct ReportDocument {
    stages: Vec<StageDocument>,
    duration_ms: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    server_version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tls_version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    certificate_expires_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    can_read: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    can_write: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    superuser: Option<bool>,
}

#[derive(Serialize, Deserialize)]
struct StageDocument {
    stage: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    duration_ms: Option<u64>,
}

impl From<&ProbeReport> for ReportDocument {
    fn from(report: &ProbeReport) -> Self {
        let ProbeFacts { server_version, tls_version, certificate_expires_at, can_read, can_write, superuser } =
            report.facts.clone();
        let stage = |result: &StageResult| StageDocument {
            stage: result.stage.as_str().to_owned(),
            fault: result.fault.map(|fault| fault.as_str().to_owned()),
            duration_ms: result.duration_ms,
        };
        Self {
            stages: report.stages.iter().map(stage).collect(),
            duration_ms: report.duration_ms,
            server_version,
            tls_version,
            certificate_expires_at,
            can_read,
            can_write,
            superuser,
        }
    }
}

impl TryFrom<ReportDocument> for ProbeReport {
    type Error = UnknownWord;

    fn try_from(document: ReportDocument) -> Result<Self, UnknownWord> {
        let stage = |stored: StageDocument| {
            let fault = stored.fault.map(|word| ProbeFault::by_name(&word).ok_or(UnknownWord(word))).transpose()?;
            let stage = ProbeStage::by_name(&stored.stage).ok_or(UnknownWord(stored.stage))?;
            Ok(StageResult { stage, fault, duration_ms: stored.duration_ms })
        };
        let ReportDocument {
            server_version, tls_version, certificate_expires_at, can_read, can_write, superuser, ..
        } = document;
        Ok(Self {
            stages: document.stages.into_iter().map(stage).collect::<Result<_, _>>()?,
            facts: ProbeFacts { server_version, tls_version, certificate_expires_at, can_read, can_write, superuser },
            duration_ms: document.duration_ms,
        })
    }
}

impl fmt::Debug for SqlHealthRepository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlHealthRepository").field("connection", &self.connection).finish_non_exhaustive()
    }
}
