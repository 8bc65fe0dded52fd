//! Which operations are sent on behalf of those who define connections from outside.

use std::error::Error;

use aws_sdk_dynamodb::config::interceptors::BeforeSerializationInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind};

use crate::endpoint::NotAsked;

/// Operations that read items, or what is told of tables. Statements are not among them: one may write.
const READING: [&str; 13] = [
    "BatchGetItem",
    "DescribeContinuousBackups",
    "DescribeEndpoints",
    "DescribeGlobalTable",
    "DescribeLimits",
    "DescribeTable",
    "DescribeTimeToLive",
    "GetItem",
    "ListGlobalTables",
    "ListTables",
    "ListTagsOfResource",
    "Query",
    "Scan",
];

/// An operation was not sent, because the connection only reads.
#[derive(Debug, thiserror::Error)]
#[error("{0} is not sent: the connection only reads")]
pub(super) struct NotSent(String);

/// What becomes of a value that was to be changed.
pub(super) fn refused(operation: &str) -> DatabaseError {
    let message = NotSent(operation.to_owned()).to_string();
    DatabaseError::new(DatabaseErrorKind::ReadOnlyTarget, message).with_source(NotAsked::at_all())
}

/// Whether this is why something failed.
pub(super) fn has_stopped(error: &(dyn Error + 'static)) -> bool {
    error.is::<NotSent>() || error.source().is_some_and(has_stopped)
}

/// Stops the SDK's client before it makes a request of any other operation.
#[derive(Debug)]
pub(super) struct OnlyReads;

impl Intercept for OnlyReads {
    fn name(&self) -> &'static str {
        "OnlyReads"
    }

    /// Before this point, nobody has said yet which operation it is.
    fn read_before_serialization(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let operation = config.load::<Metadata>().map_or("an operation without a name", Metadata::name);
        if READING.contains(&operation) { Ok(()) } else { Err(NotSent(operation.to_owned()).into()) }
    }
}
