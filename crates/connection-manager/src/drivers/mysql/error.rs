use shared_kernel::database::{DatabaseError, DatabaseErrorKind};
use sqlx::mysql::MySqlDatabaseError;

use crate::drivers::refusal::Refusal;
use crate::drivers::sqlx_error::{self, ServerMessage, masked};

/// The numbers of MySQL and MariaDB by what a caller can do.
pub(super) fn map(error: sqlx::Error, attempt: &str) -> DatabaseError {
    if let Some(refused) = unencrypted_password(&error) {
        return refused;
    }
    sqlx_error::map(error, attempt, |server| {
        let number = server.try_downcast_ref::<MySqlDatabaseError>().map_or(0, MySqlDatabaseError::number);
        let message = server.message();
        let kind = kind(number, message);
        let refusal = refusal(number);
        let what = match refusal {
            Some(refusal) => format!("{attempt}: {}", refusal.remark()),
            None => sqlx_error::message(&kind, attempt),
        };
        let error = DatabaseError::new(kind, what);
        let error = if let Some(refusal) = refusal { refusal.mark(error) } else { error };
        let error = error.with_code(number.to_string());
        if repeats_values(number) {
            error.with_source(ServerMessage(masked(message)))
        } else {
            error.with_source(ServerMessage(message.to_owned()))
        }
    })
}

fn kind(number: u16, message: &str) -> DatabaseErrorKind {
    match number {
        1022 | 1062 | 1169 | 1586 | 1859 => DatabaseErrorKind::UniqueViolation { constraint: unique_key(message) },
        1216 | 1217 | 1451 | 1452 | 1761 | 1762 => {
            DatabaseErrorKind::ForeignKeyViolation { constraint: foreign_key(message) }
        }
        1205 | 1213 | 1020 | 3572 => DatabaseErrorKind::SerializationConflict,
        // 1862 and 1820: the password has expired.
        1045 | 1698 | 1820 | 1862 => DatabaseErrorKind::AuthRejected,
        _ if refusal(number).is_some() => DatabaseErrorKind::AuthRejected,
        1044 | 1049 => DatabaseErrorKind::UnknownDatabase,
        1040 | 1203 | 1226 => DatabaseErrorKind::Saturated,
        // Other options get in the way of statements under the same number.
        1290 if message.contains("read-only") || message.contains("read_only") => DatabaseErrorKind::ReadOnlyTarget,
        // 3989: the schema alone is read-only.
        1792 | 1836 | 3100 | 3989 => DatabaseErrorKind::ReadOnlyTarget,
        // 3024 and 1969: the server's own limit on a statement's time.
        3024 | 1969 => DatabaseErrorKind::Timeout,
        // Shutdown, a killed connection, a packet that did not arrive whole.
        1053 | 1077 | 1079 | 1080 | 1129 | 1130 | 1152..=1161 | 1184 | 1927 | 3169 | 4031 => {
            DatabaseErrorKind::Unreachable
        }
        _ => DatabaseErrorKind::Query,
    }
}

/// Logins that are refused whatever the password is.
fn refusal(number: u16) -> Option<Refusal> {
    Some(match number {
        3118 | 4151 => Refusal::Account("login refused, the account is locked: unlock it at the server"),
        // MySQL's temporary lock, and MariaDB's until somebody lifts it.
        3955 | 4150 => Refusal::Account(
            "login refused, the account is blocked after too many wrong passwords: find who sends them, and unblock it at \
             the server",
        ),
        3159 => Refusal::Rules("login refused, the server takes none without TLS: set tls.mode"),
        1251 | 2059 => Refusal::Rules(
            "login refused, the account's way to log in is none that the driver knows: choose another plugin for it",
        ),
        _ => return None,
    })
}

/// Messages that quote what was sent. The others quote names of tables, columns, users and databases.
fn repeats_values(number: u16) -> bool {
    matches!(
        number,
        1022 | 1062 | 1169 | 1292 | 1366 | 1367 | 1411 | 1525 | 1582 | 1586 | 1690 | 1859 | 3140..=3158 | 4078
    )
}

/// `Duplicate entry '…' for key 'users.users_email'`; MariaDB and older servers leave the table out.
fn unique_key(message: &str) -> Option<String> {
    let key = message.rsplit_once("for key ")?.1.trim().trim_matches('\'');
    Some(key.rsplit_once('.').map_or(key, |(_, key)| key).to_owned()).filter(|key| !key.is_empty())
}

/// `… a foreign key constraint fails (`db`.`table`, CONSTRAINT `name` FOREIGN KEY …)`
fn foreign_key(message: &str) -> Option<String> {
    let name = message.split_once("CONSTRAINT `")?.1;
    name.split_once('`').map(|(name, _)| name.to_owned())
}

/// `caching_sha2_password` asks for the password itself when the server has not seen it lately or it is wrong, and the
/// driver sends it under TLS alone.
fn unencrypted_password(error: &sqlx::Error) -> Option<DatabaseError> {
    let sqlx::Error::Configuration(cause) = error else { return None };
    cause.to_string().contains("rsa").then(|| {
        let refusal = Refusal::Rules(
            "login rejected, or the server has yet to see this password, which is sent under TLS alone: set tls.mode",
        );
        let message = format!("connecting: {}", refusal.remark());
        refusal.mark(DatabaseError::new(DatabaseErrorKind::AuthRejected, message))
    })
}

/// What a caller can do about an error.
#[cfg(feature = "sea-orm")]
pub(crate) fn kind_of(error: &sqlx::Error) -> DatabaseErrorKind {
    match error {
        sqlx::Error::Database(server) => {
            let number = server.try_downcast_ref::<MySqlDatabaseError>().map_or(0, MySqlDatabaseError::number);
            kind(number, server.message())
        }
        other => sqlx_error::kind(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_violated_key_is_read_from_the_message() {
        for message in
            ["Duplicate entry 'a' for key 'users.by_email'", "Duplicate entry 'for key x' for key 'by_email'"]
        {
            assert_eq!(unique_key(message).as_deref(), Some("by_email"), "{message}");
        }
        let message = "Cannot delete or update a parent row: a foreign key constraint fails (`t`.`c`, CONSTRAINT \
                       `c_parent` FOREIGN KEY (`parent`) REFERENCES `p` (`id`))";
        assert_eq!(foreign_key(message).as_deref(), Some("c_parent"));
    }

    #[test]
    fn a_login_refused_whatever_the_password_says_when_to_try_again() {
        for number in [1251, 2059, 3118, 3159, 3955, 4150, 4151] {
            assert_eq!(kind(number, ""), DatabaseErrorKind::AuthRejected, "{number}");
            assert!(refusal(number).is_some(), "{number}");
        }
        for number in [1045, 1698, 1820, 1862] {
            assert_eq!((kind(number, ""), refusal(number)), (DatabaseErrorKind::AuthRejected, None), "{number}");
        }
        let rsa = sqlx::Error::Configuration("rsa feature not enabled".into());
        let error = unencrypted_password(&rsa).expect("the driver's own refusal");
        assert!(error.retry_after().is_some() && error.message().contains("tls.mode"), "{error:?}");
    }

    #[test]
    fn codes_are_told_apart_by_what_a_caller_can_do() {
        assert_eq!(kind(1213, ""), DatabaseErrorKind::SerializationConflict);
        assert_eq!(kind(1045, ""), DatabaseErrorKind::AuthRejected);
        assert_eq!(kind(1049, ""), DatabaseErrorKind::UnknownDatabase);
        assert_eq!(kind(1040, ""), DatabaseErrorKind::Saturated);
        for number in [1792, 1836, 3100, 3989] {
            assert_eq!(kind(number, ""), DatabaseErrorKind::ReadOnlyTarget, "{number}");
        }
        let read_only =
            "The MySQL server is running with the --super-read-only option so it cannot execute this statement";
        assert_eq!(kind(1290, read_only), DatabaseErrorKind::ReadOnlyTarget);
        assert_eq!(kind(1290, &read_only.replace("super-read-only", "secure-file-priv")), DatabaseErrorKind::Query);
        assert_eq!(kind(1053, ""), DatabaseErrorKind::Unreachable);
        assert_eq!(kind(1064, ""), DatabaseErrorKind::Query);
    }
}
