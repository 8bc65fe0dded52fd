use std::time::Duration;

use shared_kernel::database::{DatabaseError, DatabaseErrorKind};
use tiberius::error::{Error, IoErrorKind, TokenError};

use crate::drivers::refusal::Refusal;

/// The server's own words, without what they repeat of a statement's values.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct ServerMessage(String);

/// When a throttled or moving database is worth another try, as its messages advise.
const BREATHER: Duration = Duration::from_secs(10);

/// From this class on the server closes the connection behind its message.
pub(super) const FATAL: u8 = 20;

/// The driver's errors by what a caller can do.
pub(super) fn map(error: Error, attempt: &str) -> DatabaseError {
    let (kind, what) = match &error {
        Error::Server(token) => return from_server(token, attempt),
        Error::Io { .. } | Error::Protocol(_) | Error::Routing { .. } => {
            (DatabaseErrorKind::Unreachable, "the server cannot be reached or went away")
        }
        Error::Tls(_) => (DatabaseErrorKind::TlsFailed, "TLS could not be agreed on"),
        // The rows break off here, so the session is of no more use either; it says so itself.
        Error::Encoding(_) | Error::Conversion(_) | Error::Utf8 | Error::Utf16 | Error::ParseInt(_) => {
            (DatabaseErrorKind::Decode, "a value came back that the driver cannot read")
        }
        Error::BulkInput(_) => (DatabaseErrorKind::Query, "the driver cannot send this"),
    };
    DatabaseError::new(kind, format!("{attempt}: {what}")).with_source(error)
}

/// What went wrong before the login was answered, where TLS is the likeliest cause of much.
pub(super) fn map_connecting(error: Error, wants_tls: bool) -> DatabaseError {
    const ATTEMPT: &str = "connecting";
    let tls_failed = |what: &str| DatabaseError::new(DatabaseErrorKind::TlsFailed, format!("{ATTEMPT}: {what}"));
    match &error {
        Error::Protocol(message) if message.contains("encryption level") => {
            tls_failed("the server offers no TLS").with_source(error)
        }
        Error::Io { message, .. } if !wants_tls && message.contains("tls handshake") => {
            tls_failed("the server demands TLS").with_source(error)
        }
        Error::Io { kind: IoErrorKind::InvalidData, .. } if wants_tls => {
            tls_failed("the TLS handshake failed").with_source(error)
        }
        _ => map(error, ATTEMPT),
    }
}

fn from_server(token: &TokenError, attempt: &str) -> DatabaseError {
    let (number, text) = (token.code(), token.message());
    let kind = if token.class() >= FATAL { DatabaseErrorKind::Unreachable } else { kind(number, text) };
    let refusal = refusal(number);
    let what = match &kind {
        DatabaseErrorKind::AuthRejected => refusal.map_or("login rejected", Refusal::remark),
        DatabaseErrorKind::UnknownDatabase => "the database is not there or may not be entered",
        DatabaseErrorKind::Saturated => "the server takes no more work at the moment",
        DatabaseErrorKind::Unreachable => "the server ended the connection or is not available",
        DatabaseErrorKind::ReadOnlyTarget => "the database is read-only",
        DatabaseErrorKind::UniqueViolation { .. } => "a unique constraint was violated",
        DatabaseErrorKind::ForeignKeyViolation { .. } => "a foreign key was violated",
        DatabaseErrorKind::SerializationConflict => "another transaction was in the way",
        DatabaseErrorKind::Timeout => "the server gave up",
        _ => "the server refused",
    };
    let message = if quotes_names_alone(number) { text.to_owned() } else { masked(text) };
    let error = DatabaseError::new(kind, format!("{attempt}: {what}"))
        .with_code(number.to_string())
        .with_source(ServerMessage(message));
    match refusal {
        Some(refusal) => refusal.mark(error),
        None if is_passing(number) => error.with_retry_after(BREATHER),
        None => error,
    }
}

fn kind(number: u32, text: &str) -> DatabaseErrorKind {
    match number {
        // A constraint's message quotes the constraint first, an index's message the table first.
        2627 => DatabaseErrorKind::UniqueViolation { constraint: quoted(text, '\'', 0) },
        2601 => DatabaseErrorKind::UniqueViolation { constraint: quoted(text, '\'', 1) },
        // CHECK constraints have the same number and are no business of foreign keys.
        547 if !text.contains("CHECK") => DatabaseErrorKind::ForeignKeyViolation { constraint: quoted(text, '"', 0) },
        // Deadlock; lock time-out; snapshot conflicts of tables on disk and in memory.
        1205 | 1222 | 3960 | 41301 | 41302 | 41305 | 41325 => DatabaseErrorKind::SerializationConflict,
        // Wrong, expired, to be changed first.
        18456 | 18487 | 18488 => DatabaseErrorKind::AuthRejected,
        _ if refusal(number).is_some() => DatabaseErrorKind::AuthRejected,
        911 | 916 | 4060 | 4064 => DatabaseErrorKind::UnknownDatabase,
        // 978: a replica that answers readers who say so; 976 is one that answers nobody.
        978 | 3906 | 3908 => DatabaseErrorKind::ReadOnlyTarget,
        // Too many workers, sessions or requests.
        10928 | 10929 | 17300 | 17809 | 40501 | 49918 | 49919 | 49920 => DatabaseErrorKind::Saturated,
        // Starting, moving, shutting down, paused.
        922 | 924 | 976 | 983 | 6001 | 6005 | 17142 | 40143 | 40197 | 40613 => DatabaseErrorKind::Unreachable,
        // The resource governor's limit on a request's time; a memory grant that did not come.
        8645 | 10961 => DatabaseErrorKind::Timeout,
        _ => DatabaseErrorKind::Query,
    }
}

/// Logins that are refused whatever the password is.
fn refusal(number: u32) -> Option<Refusal> {
    Some(match number {
        18486 => Refusal::Account("login refused, the account is locked out: unlock it at the server"),
        18470 => Refusal::Account("login refused, the account is disabled: enable it at the server"),
        18450 | 18452 => Refusal::Rules(
            "login refused, the server takes no logins with a password from here: allow SQL Server authentication",
        ),
        18458 => Refusal::Rules("login refused, the server's licence allows no further user"),
        _ => return None,
    })
}

/// Azure's databases say of these that they pass.
const fn is_passing(number: u32) -> bool {
    matches!(number, 10928 | 10929 | 40143 | 40197 | 40501 | 40613 | 49918 | 49919 | 49920)
}

/// Messages whose quotations are names of tables, columns, users and databases, or words of the statement's text.
/// Every other message may quote a value.
const fn quotes_names_alone(number: u32) -> bool {
    matches!(
        number,
        102 | 105
            | 109
            | 137
            | 156
            | 201
            | 206
            | 207
            | 208
            | 209
            | 213
            | 229
            | 230
            | 262
            | 515
            | 544
            | 547
            | 911
            | 916
            | 1205
            | 1222
            | 1750
            | 1769
            | 2714
            | 2812
            | 3701
            | 3728
            | 3902
            | 3903
            | 3906
            | 3908
            | 4060
            | 4064
            | 8144
            | 8178
            | 8179
            | 15151
            | 15247
            | 18456
            | 40501
            | 40613
    )
}

/// The text between the quotation marks of the pair `index`, from 0.
fn quoted(text: &str, mark: char, index: usize) -> Option<String> {
    text.split(mark).nth(2 * index + 1).filter(|name| !name.is_empty()).map(str::to_owned)
}

/// The message without all that could be a value: quotations, parentheses, numbers.
fn masked(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) =
        rest.find(|character: char| matches!(character, '\'' | '"' | '(') || character.is_ascii_digit())
    {
        masked.push_str(&rest[..start]);
        masked.push('…');
        let opening = &rest[start..];
        // To the last mark and not to the next: a value may hold the mark itself.
        let end = match opening.as_bytes()[0] {
            b'\'' => opening.rfind('\'').map(|end| end + 1),
            b'"' => opening.rfind('"').map(|end| end + 1),
            b'(' => opening.rfind(')').map(|end| end + 1),
            _ => opening.find(|character: char| !character.is_ascii_digit()),
        };
        rest = end.filter(|end| *end > 1 || opening.as_bytes()[0].is_ascii_digit()).map_or("", |end| &opening[end..]);
    }
    masked.push_str(rest);
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUPLICATE: &str = "Violation of UNIQUE KEY constraint 'UQ_email'. Cannot insert duplicate key in object \
                             'dbo.users'. The duplicate key value is (it's (a) \"secret\" 42).";

    #[test]
    fn the_violated_constraint_is_read_from_the_message() {
        let unique = |name: &str| DatabaseErrorKind::UniqueViolation { constraint: Some(name.to_owned()) };
        let foreign = |name: &str| DatabaseErrorKind::ForeignKeyViolation { constraint: Some(name.to_owned()) };
        assert_eq!(kind(2627, DUPLICATE), unique("UQ_email"));
        let index = "Cannot insert duplicate key row in object 'dbo.t' with unique index 'ux'. The duplicate key value \
                     is (1).";
        assert_eq!(kind(2601, index), unique("ux"));
        let text = "The INSERT statement conflicted with the FOREIGN KEY constraint \"fk\". The conflict occurred in …";
        assert_eq!(kind(547, text), foreign("fk"));
        let text = "The DELETE statement conflicted with the REFERENCE constraint \"fk\". The conflict occurred in …";
        assert_eq!(kind(547, text), foreign("fk"));
        let text = "The INSERT statement conflicted with the CHECK constraint \"ck\". The conflict occurred in …";
        assert_eq!(kind(547, text), DatabaseErrorKind::Query);
    }

    #[test]
    fn values_are_masked_whatever_marks_they_hold() {
        assert_eq!(
            masked("Conversion failed when converting the nvarchar value 'it's' to data type int."),
            "Conversion failed when converting the nvarchar value … to data type int."
        );
        assert_eq!(masked("data type tinyint, value = 256."), "data type tinyint, value = ….");
        assert_eq!(masked("an open ' quotation secret"), "an open …");
        assert_eq!(masked("an open ( parenthesis secret"), "an open …");
        assert_eq!(masked("nothing to hide"), "nothing to hide");
        let duplicate = masked(DUPLICATE);
        assert!(!duplicate.contains("secret") && !duplicate.contains("42"), "{duplicate}");
    }

    #[test]
    fn numbers_are_told_apart_by_what_a_caller_can_do() {
        for (number, expected) in [
            (1205, DatabaseErrorKind::SerializationConflict),
            (1222, DatabaseErrorKind::SerializationConflict),
            (18456, DatabaseErrorKind::AuthRejected),
            (4060, DatabaseErrorKind::UnknownDatabase),
            (911, DatabaseErrorKind::UnknownDatabase),
            (3906, DatabaseErrorKind::ReadOnlyTarget),
            (40501, DatabaseErrorKind::Saturated),
            (40613, DatabaseErrorKind::Unreachable),
            (102, DatabaseErrorKind::Query),
        ] {
            assert_eq!(kind(number, ""), expected, "{number}");
        }
    }
}
