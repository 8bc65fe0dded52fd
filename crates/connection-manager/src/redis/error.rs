use std::time::Duration;

use ::redis::{ErrorKind, RedisError};
use shared_kernel::database::{DatabaseError, DatabaseErrorKind};

use crate::tls::is_at_fault;

/// When a server that is busy with itself is worth another try.
const SOON: Duration = Duration::from_secs(1);

/// What a caller can do about an error of Redis or of the way to it; `attempt` says what was tried.
pub(super) fn map(error: RedisError, attempt: &str) -> DatabaseError {
    let detail = error.detail().unwrap_or_default();
    if let Some(code) = error.code() {
        let kind = of_server(code, detail);
        let mut mapped = DatabaseError::new(kind.clone(), words(&kind, attempt, detail)).with_code(code);
        if matches!(code, "LOADING" | "MASTERDOWN" | "CLUSTERDOWN" | "TRYAGAIN") {
            mapped = mapped.with_retry_after(SOON);
        }
        return mapped;
    }
    let kind = match error.kind() {
        // RESP2's way to log in, without the server's code.
        ErrorKind::AuthenticationFailed => DatabaseErrorKind::AuthRejected,
        ErrorKind::Io if is_tls(&error) => DatabaseErrorKind::TlsFailed,
        ErrorKind::Io | ErrorKind::Parse | ErrorKind::ClusterConnectionNotFound => DatabaseErrorKind::Unreachable,
        ErrorKind::InvalidClientConfig => DatabaseErrorKind::Misconfigured,
        ErrorKind::RESP3NotSupported => DatabaseErrorKind::Unsupported,
        ErrorKind::UnexpectedReturnType => DatabaseErrorKind::Decode,
        _ => DatabaseErrorKind::Query,
    };
    let text = words(&kind, attempt, "");
    DatabaseError::new(kind, text).with_source(error)
}

/// As [`map`], for who follows redirections: the one that is left over says that slots are still on the move.
pub(super) fn map_in_cluster(error: RedisError, attempt: &str) -> DatabaseError {
    match error.code() {
        Some(code @ ("MOVED" | "ASK")) => {
            let message = format!("{attempt}: the cluster is moving this key, and it was not found in time");
            DatabaseError::new(DatabaseErrorKind::SerializationConflict, message).with_code(code).with_retry_after(SOON)
        }
        _ => map(error, attempt),
    }
}

/// What could not be made of an answer.
pub(super) fn decode(error: ::redis::ParsingError, attempt: &str) -> DatabaseError {
    // The parser's text may repeat the value.
    drop(error);
    DatabaseError::new(DatabaseErrorKind::Decode, format!("{attempt}: the answer is of another type"))
}

/// The way to the server, before a word of Redis was spoken.
pub(super) fn io(error: std::io::Error, attempt: &str) -> DatabaseError {
    let kind = if is_at_fault(&error) { DatabaseErrorKind::TlsFailed } else { DatabaseErrorKind::Unreachable };
    let text = words(&kind, attempt, "");
    DatabaseError::new(kind, text).with_source(error)
}

fn of_server(code: &str, detail: &str) -> DatabaseErrorKind {
    match code {
        "WRONGPASS" | "NOAUTH" => DatabaseErrorKind::AuthRejected,
        "READONLY" => DatabaseErrorKind::ReadOnlyTarget,
        "LOADING" | "MASTERDOWN" | "CLUSTERDOWN" => DatabaseErrorKind::Unreachable,
        "TRYAGAIN" => DatabaseErrorKind::SerializationConflict,
        "WRONGTYPE" => DatabaseErrorKind::Decode,
        "MOVED" | "ASK" => DatabaseErrorKind::Misconfigured,
        _ if detail.contains("max number of clients") => DatabaseErrorKind::Saturated,
        _ if detail.contains("DB index is out of range") => DatabaseErrorKind::UnknownDatabase,
        _ if detail.contains("cluster support disabled") => DatabaseErrorKind::Misconfigured,
        _ if detail.contains("not an integer") || detail.contains("would overflow") => DatabaseErrorKind::Decode,
        _ => DatabaseErrorKind::Query,
    }
}

fn words(kind: &DatabaseErrorKind, attempt: &str, detail: &str) -> String {
    let remark = match kind {
        DatabaseErrorKind::AuthRejected => "login rejected",
        DatabaseErrorKind::UnknownDatabase => "no such database",
        DatabaseErrorKind::Saturated => "the server takes no further connection",
        DatabaseErrorKind::ReadOnlyTarget => "the target only reads",
        DatabaseErrorKind::TlsFailed => "TLS could not be agreed on",
        DatabaseErrorKind::Unreachable if detail.is_empty() => "the server cannot be reached or went away",
        DatabaseErrorKind::Misconfigured if !detail.contains("support disabled") => {
            "the server is a node of a cluster: set options.cluster to \"true\""
        }
        _ => return format!("{attempt}: {}", masked(detail)),
    };
    format!("{attempt}: {remark}")
}

/// The server's words up to where they begin to repeat what was sent.
fn masked(detail: &str) -> &str {
    const REPEATS: [&str; 4] = [", with args", "'", "`", "\""];
    let end = REPEATS.iter().filter_map(|mark| detail.find(mark)).min().unwrap_or(detail.len());
    detail[..end].trim_end()
}

fn is_tls(error: &RedisError) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        if cause.is::<rustls::Error>() || cause.downcast_ref::<std::io::Error>().is_some_and(is_at_fault) {
            return true;
        }
        source = cause.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use ::redis::ServerErrorKind;

    use super::*;

    /// The kinds that the driver knows by name, so that the list above can be held against it.
    const KNOWN: [(ServerErrorKind, DatabaseErrorKind); 6] = [
        (ServerErrorKind::BusyLoading, DatabaseErrorKind::Unreachable),
        (ServerErrorKind::MasterDown, DatabaseErrorKind::Unreachable),
        (ServerErrorKind::ClusterDown, DatabaseErrorKind::Unreachable),
        (ServerErrorKind::ReadOnly, DatabaseErrorKind::ReadOnlyTarget),
        (ServerErrorKind::TryAgain, DatabaseErrorKind::SerializationConflict),
        (ServerErrorKind::NoPerm, DatabaseErrorKind::Query),
    ];

    fn said(kind: impl Into<ErrorKind>, detail: &str) -> DatabaseError {
        map(RedisError::from((kind.into(), "said", detail.to_owned())), "GET")
    }

    #[test]
    fn what_the_server_says_of_itself_is_typed() {
        for (theirs, ours) in KNOWN {
            let error = said(theirs, "because");
            assert_eq!(*error.kind(), ours, "{error:?}");
            assert!(error.code().is_some(), "{error:?}");
        }
    }

    #[test]
    fn a_login_refused_in_either_protocol_is_the_same() {
        // RESP2 loses the code, RESP3 keeps it.
        assert_eq!(*said(ErrorKind::AuthenticationFailed, "").kind(), DatabaseErrorKind::AuthRejected);
        assert_eq!(of_server("WRONGPASS", "invalid username-password pair"), DatabaseErrorKind::AuthRejected);
        assert_eq!(of_server("NOAUTH", "Authentication required."), DatabaseErrorKind::AuthRejected);
    }

    #[test]
    fn a_full_server_is_no_rejected_login() {
        let error = said(ServerErrorKind::ResponseError, "max number of clients reached");
        assert_eq!(*error.kind(), DatabaseErrorKind::Saturated, "{error:?}");
    }

    #[test]
    fn a_redirection_is_a_fault_of_the_settings_only_where_none_are_followed() {
        let moved = || RedisError::from((ServerErrorKind::Moved.into(), "said", "866 127.0.0.1:6380".to_owned()));
        assert_eq!(*map(moved(), "GET").kind(), DatabaseErrorKind::Misconfigured);
        let error = map_in_cluster(moved(), "GET");
        assert_eq!(*error.kind(), DatabaseErrorKind::SerializationConflict);
        assert!(!error.message().contains("options.cluster") && error.retry_after().is_some(), "{error:?}");
    }

    #[test]
    fn what_was_sent_is_not_repeated() {
        let error = said(ServerErrorKind::ResponseError, "unknown command 'FOO', with args beginning with: 'hunter2'");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        assert!(error.to_string().contains("unknown command"), "{error}");
    }
}
