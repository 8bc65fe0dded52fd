use shared_kernel::database::{DatabaseError, DatabaseErrorKind};

use crate::credentials::BEYOND_SASLPREP;
use crate::drivers::refusal::Refusal;
use crate::drivers::sqlx_error::{self, ServerMessage, masked};

/// SQLSTATE by what a caller can do (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
///
/// The server's detail (`Key (email)=(…) already exists`) repeats values and is left out.
pub(super) fn map(error: sqlx::Error, attempt: &str) -> DatabaseError {
    sqlx_error::map(error, attempt, |server| {
        let code = server.code().unwrap_or_default().into_owned();
        let constraint = server.constraint().map(str::to_owned);
        // Class 22, data exceptions, quotes what could not be read.
        let message = if code.starts_with("22") { masked(server.message()) } else { server.message().to_owned() };
        let kind = kind(&code, constraint);
        let refusal = refusal(&code);
        let what = match refusal {
            Some(refusal) => format!("{attempt}: {}", refusal.remark()),
            None => sqlx_error::message(&kind, attempt),
        };
        let error = DatabaseError::new(kind, what);
        let error = if let Some(refusal) = refusal { refusal.mark(error) } else { error };
        error.with_code(code).with_source(ServerMessage(message))
    })
}

/// An error of logging in.
///
/// The driver refuses passwords that hold characters beyond `SASLprep` (RFC 4013), such as those that Unicode 3.2 did not know;
/// the server itself would take them as they are. To whoever logs in, such a password is one that does not work.
pub(super) fn map_login(error: sqlx::Error) -> DatabaseError {
    match &error {
        // The cause names the character, which is a part of the password.
        sqlx::Error::Configuration(cause) if cause.to_string().starts_with("Failed to saslprep password") => {
            DatabaseError::new(
                DatabaseErrorKind::AuthRejected,
                "connecting: the driver cannot log in with this password: it holds characters beyond SASLprep (RFC 4013), \
                 such as emoji or control characters; give the user another one",
            )
            .with_code(BEYOND_SASLPREP)
        }
        sqlx::Error::Configuration(cause) if cause.to_string().starts_with("Failed to saslprep username") => {
            DatabaseError::new(
                DatabaseErrorKind::Misconfigured,
                "connecting: the driver cannot log in as this user: the name holds characters beyond SASLprep (RFC 4013), \
                 such as emoji or control characters; name another user",
            )
        }
        _ => map(error, "connecting"),
    }
}

fn kind(code: &str, constraint: Option<String>) -> DatabaseErrorKind {
    match code {
        "23505" => DatabaseErrorKind::UniqueViolation { constraint },
        "23503" | "23001" => DatabaseErrorKind::ForeignKeyViolation { constraint },
        "40001" | "40P01" | "55P03" | "40002" => DatabaseErrorKind::SerializationConflict,
        "28P01" | "28000" => DatabaseErrorKind::AuthRejected,
        // 42501 while connecting would be "no CONNECT privilege"; while running it is about a table.
        "3D000" => DatabaseErrorKind::UnknownDatabase,
        "25006" => DatabaseErrorKind::ReadOnlyTarget,
        "53300" | "53400" => DatabaseErrorKind::Saturated,
        // The server's own limits: statement_timeout, idle_in_transaction_session_timeout, transaction_timeout.
        "57014" | "25P03" | "25P04" => DatabaseErrorKind::Timeout,
        "57P01" | "57P02" | "57P03" | "57P05" => DatabaseErrorKind::Unreachable,
        _ if code.starts_with("08") => DatabaseErrorKind::Unreachable,
        _ => DatabaseErrorKind::Query,
    }
}

/// Logins that are refused whatever the password is. A wrong one has a code of its own, 28P01.
fn refusal(code: &str) -> Option<Refusal> {
    (code == "28000").then_some(Refusal::Rules(
        "login refused, the server's rules do not let this user in this way: see pg_hba.conf, and whether the role may log in",
    ))
}

/// What a caller can do about an error.
#[cfg(feature = "sea-orm")]
pub(crate) fn kind_of(error: &sqlx::Error) -> DatabaseErrorKind {
    match error {
        sqlx::Error::Database(server) => {
            kind(&server.code().unwrap_or_default(), server.constraint().map(str::to_owned))
        }
        other => sqlx_error::kind(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_of_the_server_is_told_from_a_wrong_password() {
        assert_eq!(kind("28000", None), DatabaseErrorKind::AuthRejected);
        assert!(refusal("28000").is_some());
        assert_eq!(refusal("28P01"), None);
    }

    #[test]
    fn codes_are_told_apart_by_what_a_caller_can_do() {
        for (code, expected) in [
            ("40P01", DatabaseErrorKind::SerializationConflict),
            ("28P01", DatabaseErrorKind::AuthRejected),
            ("3D000", DatabaseErrorKind::UnknownDatabase),
            ("25006", DatabaseErrorKind::ReadOnlyTarget),
            ("53300", DatabaseErrorKind::Saturated),
            ("57P01", DatabaseErrorKind::Unreachable),
            ("08006", DatabaseErrorKind::Unreachable),
            ("42601", DatabaseErrorKind::Query),
        ] {
            assert_eq!(kind(code, None), expected, "{code}");
        }
    }
}
