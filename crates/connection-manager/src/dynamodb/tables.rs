use async_trait::async_trait;
use aws_sdk_dynamodb::types::TimeToLiveStatus;
use shared_kernel::RequestContext;
use shared_kernel::database::{
    Bounded, Bounds, DatabaseError, DatabaseErrorKind, Effect, Ending, Shape, TableDescription, TableNames, Tables,
};

use super::bounded::Bounded as AtMost;
use super::connection::DynamoDbConnection;
use super::{description, error, shape};

/// The most names in one answer, which is what the service lets anybody ask for.
const PAGE: i32 = 100;

/// How many bytes an answer about tables may have. A table's description has some thousands.
pub(super) const TOLD: usize = 4 << 20;
/// How many bytes an answer with items may have. The service ends one at a megabyte of items, which in JSON are up to seven.
pub(super) const ITEMS: usize = 16 << 20;

#[async_trait]
impl Tables for DynamoDbConnection {
    fn table(&self) -> Option<&str> {
        Self::table(self)
    }

    async fn list_tables(&self, after: Option<&str>, context: &RequestContext) -> Result<TableNames, DatabaseError> {
        let answer = self.run("ListTables", Effect::Nothing, context, |session| async move {
            let request = session.client().list_tables().limit(PAGE);
            let request = request.set_exclusive_start_table_name(after.map(str::to_owned));
            let answer = request.customize().interceptor(AtMost(TOLD)).send().await;
            (session, answer.map_err(|cause| error::map(&cause, "ListTables")))
        });
        let answer = answer.await?;
        Ok(TableNames { names: answer.table_names.unwrap_or_default(), next: answer.last_evaluated_table_name })
    }

    async fn describe_table(&self, table: &str, context: &RequestContext) -> Result<TableDescription, DatabaseError> {
        let answer = self.run("DescribeTable", Effect::Nothing, context, |session| async move {
            let request = session.client().describe_table().table_name(table).customize();
            let answer = request.interceptor(AtMost(TOLD)).send().await;
            (session, answer.map_err(|cause| error::map(&cause, "DescribeTable")))
        });
        let described = answer.await?.table.ok_or_else(|| {
            let message = "DescribeTable: the answer describes no table";
            DatabaseError::new(DatabaseErrorKind::Decode, message).on(self.pool().name())
        })?;
        Ok(description::table(&described))
    }

    async fn expiry_attribute(&self, table: &str, context: &RequestContext) -> Result<Option<String>, DatabaseError> {
        let answer = self.run("DescribeTimeToLive", Effect::Nothing, context, |session| async move {
            let request = session.client().describe_time_to_live().table_name(table).customize();
            let answer = request.interceptor(AtMost(TOLD)).send().await;
            (session, answer.map_err(|cause| error::map(&cause, "DescribeTimeToLive")))
        });
        let described = answer.await?.time_to_live_description;
        let is_on = |status: Option<&TimeToLiveStatus>| {
            matches!(status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling))
        };
        Ok(described.filter(|told| is_on(told.time_to_live_status())).and_then(|told| told.attribute_name))
    }

    async fn first_items(
        &self,
        table: &str,
        bounds: Bounds,
        context: &RequestContext,
    ) -> Result<Bounded<Shape>, DatabaseError> {
        let limit = i32::try_from(bounds.documents).unwrap_or(i32::MAX);
        if limit == 0 {
            return Ok(Bounded { items: Vec::new(), ending: Ending::Documents });
        }
        let answer = self.run("Scan", Effect::Nothing, context, |session| async move {
            let request = session.client().scan().table_name(table).limit(limit).customize();
            let answer = request.interceptor(AtMost(ITEMS)).send().await;
            (session, answer.map_err(|cause| error::map(&cause, "Scan")))
        });
        let answer = answer.await?;
        Ok(shape::shapes(answer.items(), answer.last_evaluated_key().is_none(), bounds))
    }
}
