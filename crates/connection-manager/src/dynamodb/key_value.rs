use async_trait::async_trait;
use aws_sdk_dynamodb::operation::delete_item::builders::DeleteItemFluentBuilder;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use chrono::{DateTime, Utc};
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, Effect, Expiry, KeyValue};

use super::connection::DynamoDbConnection;
use super::error;
use super::item::{EXPIRES_MS, Item, VALUE, bytes, decode, end, moment};
use super::session::DynamoDbSession;

/// Holds where there is no value, or none whose time is not over.
const ABSENT: &str = "attribute_not_exists(#value) OR #end <= :now";
/// Holds where the expected value is, and its time is not over.
const EXPECTED: &str = "#value = :expected AND (attribute_not_exists(#end) OR #end > :now)";

#[async_trait]
impl KeyValue for DynamoDbConnection {
    async fn get(&self, key: &[u8], context: &RequestContext) -> Result<Option<Vec<u8>>, DatabaseError> {
        Ok(self.read(key, context).await?.map(|item| item.value))
    }

    async fn set(
        &self,
        key: &[u8],
        value: &[u8],
        expiry: Expiry,
        context: &RequestContext,
    ) -> Result<(), DatabaseError> {
        self.put(key, value, end(expiry, self.clock().now()), Condition::None, context).await.map(drop)
    }

    async fn set_if_absent(
        &self,
        key: &[u8],
        value: &[u8],
        expiry: Expiry,
        context: &RequestContext,
    ) -> Result<bool, DatabaseError> {
        self.put(key, value, end(expiry, self.clock().now()), Condition::Absent, context).await
    }

    async fn compare_and_set(
        &self,
        key: &[u8],
        expected: &[u8],
        value: &[u8],
        expiry: Expiry,
        context: &RequestContext,
    ) -> Result<bool, DatabaseError> {
        self.put(key, value, end(expiry, self.clock().now()), Condition::Is(expected), context).await
    }

    async fn compare_and_delete(
        &self,
        key: &[u8],
        expected: &[u8],
        context: &RequestContext,
    ) -> Result<bool, DatabaseError> {
        let now = self.clock().now();
        self.run("DeleteItem", Effect::Whole, context, |session| async move {
            let outcome = async {
                let request = conditional_delete(delete(&session, key)?, expected, now);
                decided(request.send().await.map(drop), "DeleteItem")
            };
            let outcome = outcome.await;
            (session, outcome)
        })
        .await
    }

    async fn delete(&self, key: &[u8], context: &RequestContext) -> Result<bool, DatabaseError> {
        let now = self.clock().now();
        self.run("DeleteItem", Effect::Whole, context, |session| async move {
            let outcome = async {
                let request = delete(&session, key)?.return_values(ReturnValue::AllOld);
                let answer = request.send().await.map_err(|cause| error::map(&cause, "DeleteItem"))?;
                // What is there no longer is no value of this capability, whatever it was.
                Ok(answer.attributes.is_some_and(|item| !matches!(Item::read(&item, now), Ok(None))))
            };
            let outcome = outcome.await;
            (session, outcome)
        })
        .await
    }

    async fn time_to_live(&self, key: &[u8], context: &RequestContext) -> Result<Option<Expiry>, DatabaseError> {
        Ok(self.read(key, context).await?.map(|item| item.time_left(self.clock().now())))
    }

    /// Reads, adds, and puts the sum where the value that was read still is; begins again when it is not. Of those who add
    /// at the same time one always gets through.
    async fn increment(
        &self,
        key: &[u8],
        by: i64,
        expiry: Expiry,
        context: &RequestContext,
    ) -> Result<i64, DatabaseError> {
        self.admit_change("PutItem")?;
        loop {
            let item = self.read(key, context).await?;
            let counted = item.as_ref().map(|item| count(&item.value)).transpose()?.unwrap_or_default();
            let sum = counted.checked_add(by).ok_or_else(|| decode("the sum is beyond 64 bits"))?;
            let (condition, end) = match &item {
                Some(item) => (Condition::Is(&item.value), item.expires),
                None => (Condition::Absent, end(expiry, self.clock().now())),
            };
            if self.put(key, sum.to_string().as_bytes(), end, condition, context).await? {
                return Ok(sum);
            }
        }
    }
}

/// What has to be there for a value to be put.
#[derive(Clone, Copy)]
enum Condition<'a> {
    None,
    Absent,
    Is(&'a [u8]),
}

impl DynamoDbConnection {
    async fn read(&self, key: &[u8], context: &RequestContext) -> Result<Option<Item>, DatabaseError> {
        let now = self.clock().now();
        self.run("GetItem", Effect::Nothing, context, |session| async move {
            let outcome = async {
                let table = session.table()?;
                let request = session.client().get_item().table_name(table.name()).consistent_read(true);
                let answer = request.key(table.key()?, bytes(key)).send().await;
                let answer = answer.map_err(|cause| error::map(&cause, "GetItem"))?;
                answer.item.map_or(Ok(None), |item| Item::read(&item, now))
            };
            let outcome = outcome.await;
            (session, outcome)
        })
        .await
    }

    /// Puts a value in place of whatever is there, when the condition holds; says whether it did.
    async fn put(
        &self,
        key: &[u8],
        value: &[u8],
        end: Option<i64>,
        condition: Condition<'_>,
        context: &RequestContext,
    ) -> Result<bool, DatabaseError> {
        let now = self.clock().now();
        self.run("PutItem", Effect::Whole, context, |session| async move {
            let outcome = async {
                let table = session.table()?;
                let request = session.client().put_item().table_name(table.name()).item(table.key()?, bytes(key));
                let attributes = Item::attributes(value, end);
                let request = attributes.into_iter().fold(request, |request, (name, value)| request.item(name, value));
                decided(conditional_put(request, condition, now).send().await.map(drop), "PutItem")
            };
            let outcome = outcome.await;
            (session, outcome)
        })
        .await
    }
}

fn conditional_put(
    request: PutItemFluentBuilder,
    condition: Condition<'_>,
    now: DateTime<Utc>,
) -> PutItemFluentBuilder {
    let request = match condition {
        Condition::None => return request,
        Condition::Absent => request.condition_expression(ABSENT),
        Condition::Is(expected) => {
            request.condition_expression(EXPECTED).expression_attribute_values(":expected", bytes(expected))
        }
    };
    request
        .expression_attribute_names("#value", VALUE)
        .expression_attribute_names("#end", EXPIRES_MS)
        .expression_attribute_values(":now", moment(now))
}

fn conditional_delete(
    request: DeleteItemFluentBuilder,
    expected: &[u8],
    now: DateTime<Utc>,
) -> DeleteItemFluentBuilder {
    request
        .condition_expression(EXPECTED)
        .expression_attribute_values(":expected", bytes(expected))
        .expression_attribute_names("#value", VALUE)
        .expression_attribute_names("#end", EXPIRES_MS)
        .expression_attribute_values(":now", moment(now))
}

fn delete(session: &DynamoDbSession, key: &[u8]) -> Result<DeleteItemFluentBuilder, DatabaseError> {
    let table = session.table()?;
    let key: AttributeValue = bytes(key);
    Ok(session.client().delete_item().table_name(table.name()).key(table.key()?, key))
}

/// A condition that does not hold is an answer and no failure.
fn decided<E>(
    outcome: Result<(), aws_sdk_dynamodb::error::SdkError<E, aws_sdk_dynamodb::config::http::HttpResponse>>,
    attempt: &str,
) -> Result<bool, DatabaseError>
where
    E: aws_sdk_dynamodb::error::ProvideErrorMetadata + std::error::Error + 'static,
{
    match outcome {
        Ok(()) => Ok(true),
        Err(cause) => {
            let error = error::map(&cause, attempt);
            let missed =
                *error.kind() == DatabaseErrorKind::Query && error.code() == Some("ConditionalCheckFailedException");
            if missed { Ok(false) } else { Err(error) }
        }
    }
}

/// A counter is kept as its decimal digits, so that it can be read as a value too.
fn count(value: &[u8]) -> Result<i64, DatabaseError> {
    let text = std::str::from_utf8(value).map_err(|_| decode("the counter holds no whole number"))?;
    text.parse().map_err(|_| decode("the counter holds no whole number"))
}
