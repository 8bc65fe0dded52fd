use std::error::Error;
use std::time::Duration;

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use shared_kernel::database::{DatabaseError, DatabaseErrorKind};

use super::only_reads;
use crate::endpoint::NotAsked;

/// The code for what an identity may not do, which is known all the same.
pub(super) const DENIED: &str = "AccessDeniedException";

/// The code for an operation that a service which speaks DynamoDB's protocol does not have.
pub(super) const UNKNOWN: &str = "UnknownOperationException";

/// When to come again after the service has asked for patience.
const PATIENCE: Duration = Duration::from_millis(500);

/// The SDK's failure, typed by what the caller can do about it; `attempt` is what was tried. The service's own words name
/// the caller, the action and the table, and no value, except those about a request that is not valid, which are left out.
pub(super) fn map<E>(error: &SdkError<E, HttpResponse>, attempt: &str) -> DatabaseError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let unreachable = |why: &str| DatabaseError::new(DatabaseErrorKind::Unreachable, format!("{attempt}: {why}"));
    if only_reads::has_stopped(error) {
        return only_reads::refused(attempt);
    }
    match error {
        SdkError::ServiceError(answer) => {
            let (code, status) = (answer.err().code().unwrap_or("unknown"), answer.raw().status().as_u16());
            answered(attempt, code, status, answer.err().message())
        }
        SdkError::TimeoutError(_) => unreachable("no answer in time"),
        SdkError::ResponseError(_) => unreachable("the answer cannot be read"),
        SdkError::DispatchFailure(failure) => match failure.as_connector_error() {
            Some(connector) => not_sent(attempt, connector),
            None => unreachable("the request could not be sent"),
        },
        SdkError::ConstructionFailure(_) => {
            // The SDK signs before it sends, and found nobody to sign as.
            let message =
                format!("{attempt}: the request cannot be made: no credentials, or an input that is not valid");
            DatabaseError::new(DatabaseErrorKind::Query, message).with_source(NotAsked::at_all())
        }
        _ => unreachable("failed"),
    }
}

fn not_sent(attempt: &str, failure: &(dyn Error + 'static)) -> DatabaseError {
    let mut kind = DatabaseErrorKind::Unreachable;
    let mut why = String::new();
    let mut cause = Some(failure);
    while let Some(error) = cause {
        if error.is::<rustls::Error>() {
            kind = DatabaseErrorKind::TlsFailed;
        }
        // A library's error often repeats its cause.
        let text = error.to_string();
        if !why.contains(&text) {
            why.push_str(": ");
            why.push_str(&text);
        }
        // An I/O error hands on what it wraps, but is not its source.
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        cause = wrapped.map(|inner| inner as &(dyn Error + 'static)).or_else(|| error.source());
    }
    DatabaseError::new(kind, format!("{attempt}{why}"))
}

fn answered(attempt: &str, code: &str, status: u16, message: Option<&str>) -> DatabaseError {
    let kind = kind(code, status);
    // What is wrong with a request is told with its values.
    let said = message.filter(|_| code != "ValidationException").map(|said| format!(": {said}")).unwrap_or_default();
    let error = DatabaseError::new(kind.clone(), format!("{attempt}{said}")).with_code(code);
    if kind == DatabaseErrorKind::Saturated { error.with_retry_after(PATIENCE) } else { error }
}

fn kind(code: &str, status: u16) -> DatabaseErrorKind {
    match code {
        "ResourceNotFoundException" => DatabaseErrorKind::UnknownDatabase,
        "ExpiredTokenException"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException" => DatabaseErrorKind::AuthRejected,
        "LimitExceededException"
        | "ProvisionedThroughputExceededException"
        | "RequestLimitExceeded"
        | "ThrottlingException" => DatabaseErrorKind::Saturated,
        "ReplicatedWriteConflictException" | "TransactionConflictException" | "TransactionInProgressException" => {
            DatabaseErrorKind::SerializationConflict
        }
        _ if status == 429 => DatabaseErrorKind::Saturated,
        _ if status >= 500 => DatabaseErrorKind::Unreachable,
        _ => DatabaseErrorKind::Query,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_typed_by_what_can_be_done() {
        for (code, status, expected) in [
            ("ResourceNotFoundException", 400, DatabaseErrorKind::UnknownDatabase),
            ("UnrecognizedClientException", 400, DatabaseErrorKind::AuthRejected),
            ("AccessDeniedException", 400, DatabaseErrorKind::Query),
            ("ProvisionedThroughputExceededException", 400, DatabaseErrorKind::Saturated),
            ("unknown", 429, DatabaseErrorKind::Saturated),
            ("TransactionConflictException", 400, DatabaseErrorKind::SerializationConflict),
            ("InternalServerError", 500, DatabaseErrorKind::Unreachable),
            ("ValidationException", 400, DatabaseErrorKind::Query),
        ] {
            assert_eq!(kind(code, status), expected, "{code} {status}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_value_is_not_repeated() {
        let error = answered("PutItem", "ValidationException", 400, Some("the value hunter2 is too large"));
        assert!(!format!("{error:?}").contains("hunter2"));
        assert_eq!(error.code(), Some("ValidationException"));
        let busy = answered("PutItem", "ThrottlingException", 400, Some("rate exceeded"));
        assert!(busy.to_string().contains("rate exceeded") && busy.retry_after().is_some(), "{busy}");
    }
}
