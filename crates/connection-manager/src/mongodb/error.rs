use std::time::Duration;

use ::mongodb::error::{CommandError, Error, ErrorKind, WriteFailure};
use shared_kernel::database::{DatabaseError, DatabaseErrorKind};

use crate::credentials::BEYOND_SASLPREP;
use crate::tls::is_at_fault;

/// When a server that is about to change its part is worth another try.
const SOON: Duration = Duration::from_secs(1);

/// When a server may be asked again that refuses a login for another reason than the password.
const BREATHER: Duration = Duration::from_secs(5);

/// MongoDB's number for a login that was refused.
const AUTHENTICATION_FAILED: i32 = 18;

/// What a piece of work on a client failed with.
pub(super) enum Problem {
    /// The driver's own, not typed yet.
    Driver(Error),
    /// Typed already.
    Typed(DatabaseError),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Driver(error)
    }
}

impl From<DatabaseError> for Problem {
    fn from(error: DatabaseError) -> Self {
        Self::Typed(error)
    }
}

/// Whether the server refused the password with which the driver opened a connection.
pub(super) fn is_rejected_login(error: &Error) -> bool {
    let ErrorKind::Authentication { message, .. } = &*error.kind else { return false };
    let refusal = refused_login(error, message, "");
    *refusal.kind() == DatabaseErrorKind::AuthRejected && refusal.retry_after().is_none()
}

/// Whether the driver had no connection to give, or took one back, because it has cleared those of a server.
pub(super) fn is_cleared(error: &Error) -> bool {
    matches!(&*error.kind, ErrorKind::ConnectionPoolCleared { .. })
}

/// The error of a login whose password was refused.
pub(super) fn rejected_login(attempt: &str) -> DatabaseError {
    let message = format!("{attempt}: login rejected");
    DatabaseError::new(DatabaseErrorKind::AuthRejected, message).with_code(AUTHENTICATION_FAILED.to_string())
}

/// What a login failed with that the driver made for one of its connections. The driver has one error for whatever a server may
/// answer to it, and the answer behind that.
fn refused_login(error: &Error, message: &str, attempt: &str) -> DatabaseError {
    let said = |kind, why: &str| DatabaseError::new(kind, format!("{attempt}: {why}"));
    if is_unfit_password(message) {
        return said(
            DatabaseErrorKind::Misconfigured,
            "the password has characters that SCRAM-SHA-256 leaves no room for (SASLprep, RFC 4013), such as emoji or control \
             characters; give the user another one",
        )
        .with_code(BEYOND_SASLPREP);
    }
    let Some(CommandError { code, code_name, .. }) = answer(error) else { return rejected_login(attempt) };
    match (kind(*code, ""), code) {
        (DatabaseErrorKind::AuthRejected, _) => rejected_login(attempt),
        // InternalError and UnknownError are no word about the password either.
        (DatabaseErrorKind::Unreachable | DatabaseErrorKind::ReadOnlyTarget | DatabaseErrorKind::Timeout, _)
        | (_, 1 | 8) => {
            let why = format!("the server was not able to look at the login ({code_name})");
            said(DatabaseErrorKind::Unreachable, &why).with_code(code.to_string()).with_retry_after(SOON)
        }
        _ => said(DatabaseErrorKind::AuthRejected, &format!("login refused ({code_name})"))
            .with_code(code.to_string())
            .with_retry_after(BREATHER),
    }
}

/// The server's answer behind an error of the driver.
fn answer(error: &Error) -> Option<&CommandError> {
    let cause = std::error::Error::source(error)?;
    // The driver keeps it in a box, and which of both is told is a matter of how its error was derived.
    let cause = cause.downcast_ref::<Box<Error>>().map(AsRef::as_ref).or_else(|| cause.downcast_ref::<Error>());
    match &*cause?.kind {
        ErrorKind::Command(cause) => Some(cause),
        _ => None,
    }
}

/// The driver prepares passwords as RFC 4013 says, and refuses those that cannot be prepared before anything is proved.
fn is_unfit_password(message: &str) -> bool {
    message.contains("saslprep")
}

/// What a caller can do about an error of the driver; `attempt` says what was tried. The driver's own texts are left out where
/// they may repeat an answer of the server, which may repeat what was sent.
pub(super) fn map(error: &Error, attempt: &str) -> DatabaseError {
    let said = |kind, why: &str| DatabaseError::new(kind, format!("{attempt}: {why}"));
    match &*error.kind {
        ErrorKind::Command(cause) => answered(cause.code, &cause.code_name, &cause.message, attempt),
        ErrorKind::Write(WriteFailure::WriteError(cause)) => {
            answered(cause.code, cause.code_name.as_deref().unwrap_or_default(), &cause.message, attempt)
        }
        ErrorKind::Write(WriteFailure::WriteConcernError(cause)) => {
            answered(cause.code, &cause.code_name, &cause.message, attempt)
        }
        ErrorKind::Authentication { message, .. } => refused_login(error, message, attempt),
        ErrorKind::Io(cause) => {
            let (kind, why) = if is_at_fault(cause) {
                (DatabaseErrorKind::TlsFailed, "TLS could not be agreed on")
            } else {
                (DatabaseErrorKind::Unreachable, "the server cannot be reached or went away")
            };
            said(kind, why).with_source(std::io::Error::new(cause.kind(), cause.to_string()))
        }
        ErrorKind::DnsResolve { message, .. } => said(DatabaseErrorKind::Unreachable, message),
        ErrorKind::ConnectionPoolCleared { .. } => {
            said(DatabaseErrorKind::Unreachable, "the server went away while another call was under way")
        }
        ErrorKind::ServerSelection { .. } => said(
            DatabaseErrorKind::Unreachable,
            "no server of the deployment can be used: none answers, or none of those that do belongs to what was asked for",
        ),
        ErrorKind::InvalidResponse { .. } => said(DatabaseErrorKind::Unreachable, "the server's answer cannot be read"),
        ErrorKind::InvalidTlsConfig { message, .. } => said(DatabaseErrorKind::Misconfigured, message),
        ErrorKind::IncompatibleServer { message, .. } => said(DatabaseErrorKind::Unsupported, message),
        ErrorKind::SessionsNotSupported => said(DatabaseErrorKind::Unsupported, "the server has no sessions"),
        ErrorKind::Bson(_) => said(DatabaseErrorKind::Decode, "a document is no BSON, or of another shape"),
        ErrorKind::Shutdown => said(DatabaseErrorKind::Closed, "the client was shut down"),
        ErrorKind::InvalidArgument { .. } => {
            said(DatabaseErrorKind::Query, "the driver refused to send it: it is too large, or not valid")
        }
        _ => said(DatabaseErrorKind::Query, "failed"),
    }
}

/// What a server answered, by its number.
pub(super) fn answered(code: i32, name: &str, text: &str, attempt: &str) -> DatabaseError {
    let kind = kind(code, text);
    let words = match &kind {
        DatabaseErrorKind::AuthRejected => "login rejected",
        DatabaseErrorKind::UniqueViolation { .. } => "a unique index has the key already",
        DatabaseErrorKind::Timeout => "the server gave up at the deadline",
        DatabaseErrorKind::ReadOnlyTarget => "the target only reads",
        _ => masked(text),
    };
    let named = if name.is_empty() { String::new() } else { format!(" ({name})") };
    let error = DatabaseError::new(kind.clone(), format!("{attempt}: {words}{named}")).with_code(code.to_string());
    if kind == DatabaseErrorKind::Unreachable { error.with_retry_after(SOON) } else { error }
}

fn kind(code: i32, text: &str) -> DatabaseErrorKind {
    match code {
        // Atlas has a number of its own.
        11 | AUTHENTICATION_FAILED | 8000 => DatabaseErrorKind::AuthRejected,
        // HostUnreachable, HostNotFound, NetworkTimeout, ShutdownInProgress, PrimarySteppedDown, SocketException,
        // InterruptedAtShutdown, InterruptedDueToReplStateChange, NotPrimaryOrSecondary
        6 | 7 | 89 | 91 | 189 | 9001 | 11600 | 11602 | 13436 => DatabaseErrorKind::Unreachable,
        // NotWritablePrimary, NotPrimaryNoSecondaryOk and an old server's word for it
        10107 | 13435 | 10058 => DatabaseErrorKind::ReadOnlyTarget,
        // MaxTimeMSExpired, ExceededTimeLimit
        50 | 262 => DatabaseErrorKind::Timeout,
        // LockTimeout, WriteConflict, SnapshotUnavailable, NoSuchTransaction
        24 | 112 | 246 | 251 => DatabaseErrorKind::SerializationConflict,
        11000 | 11001 | 12582 => DatabaseErrorKind::UniqueViolation { constraint: index(text) },
        // CommandNotFound, CommandNotSupported, NotImplemented
        59 | 115 | 238 => DatabaseErrorKind::Unsupported,
        _ => DatabaseErrorKind::Query,
    }
}

/// The index that a key was refused by: `… index: title_1 dup key: …`, or `… Index 'title_1'`.
fn index(text: &str) -> Option<String> {
    let named = match text.split_once("index: ") {
        Some((_, rest)) => rest.split_once(" dup key").map_or(rest, |(name, _)| name),
        None => text.split_once("Index '").and_then(|(_, rest)| rest.split_once('\''))?.0,
    };
    (!named.is_empty() && named.len() <= 200).then(|| named.to_owned())
}

/// The server's words up to where they begin to repeat what was sent.
fn masked(text: &str) -> &str {
    let end = text.find(['\'', '"', '`', '{', '[']).unwrap_or(text.len());
    let words = text[..end].trim_end_matches([' ', ':', ',']);
    if words.is_empty() { "refused" } else { words }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_typed_by_what_can_be_done() {
        for (code, expected) in [
            (18, DatabaseErrorKind::AuthRejected),
            (8000, DatabaseErrorKind::AuthRejected),
            (13, DatabaseErrorKind::Query),
            (50, DatabaseErrorKind::Timeout),
            (59, DatabaseErrorKind::Unsupported),
            (112, DatabaseErrorKind::SerializationConflict),
            (189, DatabaseErrorKind::Unreachable),
            (10107, DatabaseErrorKind::ReadOnlyTarget),
            (121, DatabaseErrorKind::Query),
        ] {
            let error = answered(code, "Name", "because", "find");
            assert_eq!(*error.kind(), expected, "{code}");
            assert_eq!(error.code(), Some(code.to_string().as_str()));
            assert_eq!(error.retry_after().is_some(), expected == DatabaseErrorKind::Unreachable, "{code}");
        }
    }

    #[test]
    fn a_key_that_is_there_already_is_told_by_its_index_and_not_by_its_value() {
        for text in [
            "E11000 duplicate key error collection: library.books index: title_1 dup key: { title: \"hunter2\" }",
            "Duplicate key violation on the requested collection: Index 'title_1' has hunter2",
        ] {
            let error = answered(11000, "DuplicateKey", text, "insert");
            let DatabaseErrorKind::UniqueViolation { constraint } = error.kind() else { panic!("{error:?}") };
            assert_eq!(constraint.as_deref(), Some("title_1"));
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
        }
    }

    #[test]
    fn what_was_sent_is_not_repeated() {
        for text in
            ["Failed to parse: { find: \"hunter2\" }", "unknown operator: '$hunter2'", "{ hunter2: 1 } is not valid"]
        {
            let error = answered(9, "FailedToParse", text, "find");
            assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
            assert!(error.to_string().contains("FailedToParse"), "{error}");
        }
    }
}
