use aws_sdk_secretsmanager::config::http::HttpResponse;
use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};

use crate::credentials::SecretStage;
use crate::credentials::store::{StoreError, StoreErrorKind};

/// The SDK's failure, typed by what may be done about it. AWS's own words are kept: they name the caller, the action and
/// the resource, and no content.
pub(super) fn typed<E>(id: &str, stage: SecretStage, error: &SdkError<E, HttpResponse>) -> StoreError
where
    E: ProvideErrorMetadata,
{
    let about = format!("AWS Secrets Manager about `{id}` ({stage})");
    match error {
        SdkError::ServiceError(answer) => {
            let code = answer.err().code().unwrap_or("unknown");
            let status = answer.raw().status().as_u16();
            let said = answer.err().message().unwrap_or("no message");
            StoreError::new(kind(code, said, status), format!("{about}: {code} ({status}): {said}"))
        }
        SdkError::TimeoutError(_) => {
            StoreError::new(StoreErrorKind::Unavailable, format!("{about}: no answer in time"))
        }
        SdkError::DispatchFailure(failure) => {
            let why = failure.as_connector_error().map_or_else(|| "not sent".to_owned(), chain);
            StoreError::new(StoreErrorKind::Unavailable, format!("{about}: {why}"))
        }
        SdkError::ResponseError(_) => {
            StoreError::new(StoreErrorKind::Unavailable, format!("{about}: the answer cannot be read"))
        }
        SdkError::ConstructionFailure(_) => {
            StoreError::new(StoreErrorKind::Refused, format!("{about}: the question cannot be built"))
        }
        _ => StoreError::new(StoreErrorKind::Unavailable, format!("{about}: failed")),
    }
}

fn kind(code: &str, said: &str, status: u16) -> StoreErrorKind {
    match code {
        "ResourceNotFoundException" => StoreErrorKind::NotFound,
        // The only way to tell a secret that is about to be deleted from other requests that its state does not allow.
        "InvalidRequestException" if said.contains("marked for deletion") || said.contains("marked deleted") => {
            StoreErrorKind::NotFound
        }
        "AccessDeniedException"
        | "AccessDenied"
        | "ExpiredTokenException"
        | "IncompleteSignature"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "NotAuthorized"
        | "OptInRequired"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException" => StoreErrorKind::Denied,
        "InternalFailure"
        | "InternalServiceError"
        | "RequestExpired"
        | "ServiceUnavailable"
        | "Throttling"
        | "ThrottlingException"
        | "TooManyRequestsException" => StoreErrorKind::Unavailable,
        _ if status >= 500 || status == 429 => StoreErrorKind::Unavailable,
        _ if status == 401 || status == 403 => StoreErrorKind::Denied,
        _ => StoreErrorKind::Refused,
    }
}

fn chain(error: &impl std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_may_pass_lets_an_older_copy_serve() {
        for (code, status, expected) in [
            ("ResourceNotFoundException", 400, StoreErrorKind::NotFound),
            ("AccessDeniedException", 400, StoreErrorKind::Denied),
            ("UnrecognizedClientException", 400, StoreErrorKind::Denied),
            ("DecryptionFailure", 400, StoreErrorKind::Refused),
            ("InvalidRequestException", 400, StoreErrorKind::Refused),
            ("unknown", 403, StoreErrorKind::Denied),
            ("ThrottlingException", 400, StoreErrorKind::Unavailable),
            ("InternalServiceError", 500, StoreErrorKind::Unavailable),
            ("unknown", 503, StoreErrorKind::Unavailable),
            ("unknown", 429, StoreErrorKind::Unavailable),
        ] {
            assert_eq!(kind(code, "said", status), expected, "{code} {status}");
        }
        let deleted = "You can't perform this operation on the secret because it was marked for deletion.";
        assert_eq!(kind("InvalidRequestException", deleted, 400), StoreErrorKind::NotFound);
    }
}
