use actix_web::http::StatusCode;

/// The kinds of problems. Each has a type URI that never changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ProblemKind {
    /// 400: the request line or a header cannot be understood.
    MalformedRequest,
    /// 400: the body is not JSON.
    MalformedJson,
    /// 400: the query string has unknown, repeated or malformed parameters.
    InvalidQuery,
    /// 400: the cursor was not made for this list, sort and filters.
    InvalidCursor,
    /// 400: the request names no tenant, and what it asks for is kept per tenant.
    TenantRequired,
    /// 401: the request names no token, or none that counts.
    Unauthenticated,
    /// 403: the request names its tenant in a header that is believed of trusted proxies alone.
    TenantNotTrusted,
    /// 404: there is no tenant of this name.
    UnknownTenant,
    /// 404: there is nothing here.
    NotFound,
    /// 404: the server that a stored connection leads to has no database of the name that is asked for.
    UnknownDatabase,
    /// 404: the database that a stored connection leads to has no schema of the name that is asked for.
    UnknownSchema,
    /// 405: the resource has other methods; `Allow` names them.
    MethodNotAllowed,
    /// 406: no media type that the caller accepts is on offer.
    NotAcceptable,
    /// 409: a value that has to be unique is taken.
    AlreadyExists,
    /// 409: a request with the same idempotency key is still under way.
    IdempotencyInProgress,
    /// 409: the change collided with another one and may simply be tried again.
    WriteConflict,
    /// 409: the stored connection does not come about as it is.
    ConnectionUnusable,
    /// 409: there is no room for more of it.
    LimitReached,
    /// 412: the resource has changed since it was read.
    PreconditionFailed,
    /// 413: the body is larger than the limit.
    ContentTooLarge,
    /// 415: the body's media type is not one that the method takes.
    UnsupportedMediaType,
    /// 421: the request is for a host that the service does not answer for.
    MisdirectedRequest,
    /// 422: the body is JSON and its values break rules.
    Validation,
    /// 422: the idempotency key was used for another body.
    IdempotencyKeyReused,
    /// 428: a change has to name the version it is based on.
    PreconditionRequired,
    /// 431: the headers are larger or more than the limit.
    HeadersTooLarge,
    /// 500: a fault of the service.
    Internal,
    /// 503: a database is away, or the service is about to stop.
    Unavailable,
    /// 503: the database's schema is not at the version that the service needs.
    SchemaBehind,
    /// 503: the answer was not ready within the time limit.
    TimedOut,
}

impl ProblemKind {
    /// Every kind, in the order of their status codes.
    pub const ALL: [Self; 30] = [
        Self::MalformedRequest,
        Self::MalformedJson,
        Self::InvalidQuery,
        Self::InvalidCursor,
        Self::TenantRequired,
        Self::Unauthenticated,
        Self::TenantNotTrusted,
        Self::UnknownTenant,
        Self::NotFound,
        Self::UnknownDatabase,
        Self::UnknownSchema,
        Self::MethodNotAllowed,
        Self::NotAcceptable,
        Self::AlreadyExists,
        Self::IdempotencyInProgress,
        Self::WriteConflict,
        Self::ConnectionUnusable,
        Self::LimitReached,
        Self::PreconditionFailed,
        Self::ContentTooLarge,
        Self::UnsupportedMediaType,
        Self::MisdirectedRequest,
        Self::Validation,
        Self::IdempotencyKeyReused,
        Self::PreconditionRequired,
        Self::HeadersTooLarge,
        Self::Internal,
        Self::Unavailable,
        Self::SchemaBehind,
        Self::TimedOut,
    ];

    /// The last segment of the type URI.
    pub const fn slug(self) -> &'static str {
        match self {
            Self::MalformedRequest => "malformed-request",
            Self::MalformedJson => "malformed-json",
            Self::InvalidQuery => "invalid-query",
            Self::InvalidCursor => "invalid-cursor",
            Self::TenantRequired => "tenant-required",
            Self::Unauthenticated => "unauthenticated",
            Self::TenantNotTrusted => "tenant-not-trusted",
            Self::UnknownTenant => "unknown-tenant",
            Self::NotFound => "not-found",
            Self::UnknownDatabase => "unknown-database",
            Self::UnknownSchema => "unknown-schema",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::NotAcceptable => "not-acceptable",
            Self::AlreadyExists => "already-exists",
            Self::IdempotencyInProgress => "idempotency-in-progress",
            Self::WriteConflict => "write-conflict",
            Self::ConnectionUnusable => "connection-unusable",
            Self::LimitReached => "limit-reached",
            Self::PreconditionFailed => "precondition-failed",
            Self::ContentTooLarge => "content-too-large",
            Self::UnsupportedMediaType => "unsupported-media-type",
            Self::MisdirectedRequest => "misdirected-request",
            Self::Validation => "validation",
            Self::IdempotencyKeyReused => "idempotency-key-reused",
            Self::PreconditionRequired => "precondition-required",
            Self::HeadersTooLarge => "headers-too-large",
            Self::Internal => "internal",
            Self::Unavailable => "unavailable",
            Self::SchemaBehind => "schema-behind",
            Self::TimedOut => "timed-out",
        }
    }

    /// The type URI: a reference relative to the service, which a page under it explains.
    pub fn type_uri(self) -> String {
        format!("/problems/{}", self.slug())
    }

    /// The status code that goes with the kind.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::MalformedRequest
            | Self::MalformedJson
            | Self::InvalidQuery
            | Self::InvalidCursor
            | Self::TenantRequired => StatusCode::BAD_REQUEST,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::TenantNotTrusted => StatusCode::FORBIDDEN,
            Self::UnknownTenant | Self::NotFound | Self::UnknownDatabase | Self::UnknownSchema => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::AlreadyExists
            | Self::IdempotencyInProgress
            | Self::WriteConflict
            | Self::ConnectionUnusable
            | Self::LimitReached => StatusCode::CONFLICT,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::ContentTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::MisdirectedRequest => StatusCode::MISDIRECTED_REQUEST,
            Self::Validation | Self::IdempotencyKeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::PreconditionRequired => StatusCode::PRECONDITION_REQUIRED,
            Self::HeadersTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable | Self::SchemaBehind | Self::TimedOut => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The kind in a few words, the same for every occurrence (RFC 9457, section 3.1.3).
    pub const fn title(self) -> &'static str {
        match self {
            Self::MalformedRequest => "The request cannot be understood",
            Self::MalformedJson => "The body is not valid JSON",
            Self::InvalidQuery => "The query string is invalid",
            Self::InvalidCursor => "The cursor does not fit",
            Self::TenantRequired => "The tenant is not named",
            Self::Unauthenticated => "A token is needed",
            Self::TenantNotTrusted => "The tenant is named by somebody who is not trusted",
            Self::UnknownTenant => "There is no such tenant",
            Self::NotFound => "Nothing is here",
            Self::UnknownDatabase => "There is no such database",
            Self::UnknownSchema => "There is no such schema",
            Self::MethodNotAllowed => "The method is not offered here",
            Self::NotAcceptable => "No acceptable media type is on offer",
            Self::AlreadyExists => "A unique value is taken",
            Self::IdempotencyInProgress => "The same request is still under way",
            Self::WriteConflict => "The change collided with another",
            Self::ConnectionUnusable => "The connection does not come about",
            Self::LimitReached => "There is no room for more",
            Self::PreconditionFailed => "The resource has changed",
            Self::ContentTooLarge => "The body is too large",
            Self::UnsupportedMediaType => "The body's media type is not supported",
            Self::MisdirectedRequest => "The host is another one",
            Self::Validation => "The content breaks rules",
            Self::IdempotencyKeyReused => "The idempotency key was used for another body",
            Self::PreconditionRequired => "The version has to be named",
            Self::HeadersTooLarge => "The headers are too large",
            Self::Internal => "A fault in the service",
            Self::Unavailable => "The service is not available",
            Self::SchemaBehind => "The database is not at the version needed",
            Self::TimedOut => "The answer took too long",
        }
    }

    /// What the caller can do about it.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::MalformedRequest => "Correct the part of the request line or the header that `detail` names.",
            Self::MalformedJson => {
                "Correct the body at the line and column that `detail` names. Keys may not repeat, strings may not \
                 hold lone surrogates, and nesting ends at 64 levels."
            }
            Self::InvalidQuery => "Correct each parameter in `errors`. Unknown and repeated parameters are refused.",
            Self::InvalidCursor => {
                "Begin the list again without a cursor. A cursor belongs to the list, the sort and the filters it was \
                 made with."
            }
            Self::TenantRequired => "Name the tenant in the place that `detail` tells.",
            Self::Unauthenticated => "Send `Authorization: Bearer` with a token that the operator has given you.",
            Self::TenantNotTrusted => {
                "Leave the header out and name the tenant in the host name, or come through the proxy that sets it."
            }
            Self::UnknownTenant => "Check the tenant's name.",
            Self::NotFound => "Check the path and the id. What was deleted does not come back.",
            Self::UnknownDatabase => {
                "Check the name, in which letter case counts. The connection's `databases` are those of its server, where the \
                 engine lists them; on MongoDB and Redis a database is there when something is in it."
            }
            Self::UnknownSchema => {
                "Check the name, in which letter case counts. Without `schema`, all that the connection's user sees are told."
            }
            Self::MethodNotAllowed => "Use one of the methods in the `Allow` header.",
            Self::NotAcceptable => "Send `Accept: application/json`, or no `Accept` header.",
            Self::AlreadyExists => "Choose another value for the field in `errors`, or change the existing resource.",
            Self::IdempotencyInProgress => "Send the same request again after the seconds in `Retry-After`.",
            Self::WriteConflict => "Send the same request again; nothing has been changed.",
            Self::ConnectionUnusable => {
                "Test the connection, whose result names the stage that fails and what can be done, and change it."
            }
            Self::LimitReached => {
                "Delete what is no longer needed, or ask for less; the operator can raise the limit of how many there may be."
            }
            Self::PreconditionFailed => {
                "Read the resource again, apply the change to what it is now, and send the new `ETag` in `If-Match`."
            }
            Self::ContentTooLarge => "Send less than the limit in `detail`.",
            Self::UnsupportedMediaType => "Send one of the media types in the `Accept-Post` or `Accept-Patch` header.",
            Self::MisdirectedRequest => {
                "Ask by a name of the service. Its operator lists them in `server.allowed_hosts`; this machine's own names and \
                 the address that the service listens at always count."
            }
            Self::Validation => "Correct every value in `errors`; all faults are listed at once.",
            Self::IdempotencyKeyReused => "Use a new key for a new request.",
            Self::PreconditionRequired => "Send the `ETag` that the resource was read with in `If-Match`.",
            Self::HeadersTooLarge => "Send fewer or shorter headers.",
            Self::Internal => "Tell the operator the `trace_id`.",
            Self::SchemaBehind => {
                "Try again after the seconds in `Retry-After`; the operator has to bring the schema up to date."
            }
            Self::Unavailable | Self::TimedOut => "Try again after the seconds in `Retry-After`.",
        }
    }

    /// The kind that stands for a status code which the framework chose by itself.
    pub(crate) fn for_status(status: StatusCode) -> Self {
        match status {
            StatusCode::UNAUTHORIZED => Self::Unauthenticated,
            StatusCode::NOT_FOUND => Self::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::NOT_ACCEPTABLE => Self::NotAcceptable,
            StatusCode::PAYLOAD_TOO_LARGE => Self::ContentTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::UnsupportedMediaType,
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => Self::HeadersTooLarge,
            StatusCode::MISDIRECTED_REQUEST => Self::MisdirectedRequest,
            StatusCode::SERVICE_UNAVAILABLE => Self::Unavailable,
            status if status.is_client_error() => Self::MalformedRequest,
            _ => Self::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_kind_has_a_type_of_its_own() {
        let types: HashSet<_> = ProblemKind::ALL.iter().map(|kind| kind.type_uri()).collect();
        assert_eq!(types.len(), ProblemKind::ALL.len());
    }

    #[test]
    fn every_kind_is_an_error() {
        for kind in ProblemKind::ALL {
            assert!(kind.status().is_client_error() || kind.status().is_server_error(), "{kind:?}");
        }
    }
}
