//! What the sessions of connections from outside are asked for. That they only read is for the server to say; this keeps away
//! what would talk it out of that.

use shared_kernel::database::{DatabaseError, DatabaseErrorKind};

/// What a statement may begin with. None of it changes a setting of the session, and it is one statement, because it is
/// prepared.
const READING: [&str; 8] = ["SELECT", "WITH", "SHOW", "EXPLAIN", "VALUES", "TABLE", "DESCRIBE", "DESC"];

/// Lets through what begins with a reading word; `SET`, `BEGIN` and what a comment hides are none.
pub(super) fn admit(sql: &str) -> Result<(), DatabaseError> {
    let text = sql.trim_start_matches(|first: char| first.is_whitespace() || first == '(');
    let word = text.split(|character: char| !character.is_ascii_alphabetic()).next().unwrap_or_default();
    if READING.iter().any(|reading| word.eq_ignore_ascii_case(reading)) {
        return Ok(());
    }
    let message = format!("this connection only reads: a statement has to begin with one of {}", READING.join(", "));
    Err(DatabaseError::new(DatabaseErrorKind::ReadOnlyTarget, message))
}

/// What becomes of a text that is more than one SELECT.
#[cfg(feature = "sqlserver")]
pub(super) fn one_select() -> DatabaseError {
    let message =
        "this connection only reads: a statement is one SELECT, whose names that are words of T-SQL are quoted";
    DatabaseError::new(DatabaseErrorKind::ReadOnlyTarget, message)
}

/// What becomes of a script.
pub(super) fn no_scripts() -> DatabaseError {
    let message = "this connection only reads: it runs single statements, and no scripts";
    DatabaseError::new(DatabaseErrorKind::ReadOnlyTarget, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_is_let_through_and_nothing_else() {
        for sql in ["SELECT 1", " \n(select 1) UNION (SELECT 2)", "WITH a AS (SELECT 1) SELECT * FROM a", "show tables"]
        {
            assert!(admit(sql).is_ok(), "{sql}");
        }
        for sql in [
            "SET SESSION TRANSACTION READ WRITE",
            "/*!SET SESSION TRANSACTION READ WRITE*/",
            "-- SELECT\nSET a = 1",
            "SELECTED",
            "BEGIN",
            "DO $$ SELECT $$",
            "CALL p()",
            "INSERT INTO a VALUES (1)",
            "",
        ] {
            let error = admit(sql).unwrap_err();
            assert_eq!(*error.kind(), DatabaseErrorKind::ReadOnlyTarget, "{sql}");
        }
    }
}
