//! What the sessions of connections from outside are asked for. That they only read is for the server to say; this keeps away
//! what would talk it out of that.

#[cfg(feature = "sqlserver")]
use std::time::Duration;

use shared_kernel::database::{DatabaseError, DatabaseErrorKind};

use crate::endpoint::NotAsked;

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
    Err(refused(format!("this connection only reads: a statement has to begin with one of {}", READING.join(", "))))
}

/// What is not sent tells nothing about the server.
fn refused(message: impl Into<String>) -> DatabaseError {
    DatabaseError::new(DatabaseErrorKind::ReadOnlyTarget, message).with_source(NotAsked::at_all())
}

/// What SQLite may be asked to explain. Some of its pragmas are obeyed while they are compiled, explained or not.
#[cfg(feature = "sqlite")]
const EXPLAINED: [&str; 3] = ["SELECT", "WITH", "VALUES"];

/// As [`admit`], for a statement of SQLite's, whose driver runs all that a text holds, prepared or not. Where one statement ends is
/// not worked out: a semicolon with anything behind it is refused, in a string as well, and so is a NUL, at which SQLite stops
/// reading and its driver does not.
#[cfg(feature = "sqlite")]
pub(super) fn admit_sqlite(sql: &str) -> Result<(), DatabaseError> {
    admit(sql)?;
    if sql.trim_end_matches(|last: char| last.is_whitespace() || last == ';').contains([';', '\0']) {
        return Err(refused(
            "this connection only reads: a text is one statement, without a semicolon in it; bind strings that have one",
        ));
    }
    let start = sql.trim_start_matches(|first: char| first.is_whitespace() || first == '(').to_ascii_uppercase();
    let Some(behind) = start.strip_prefix("EXPLAIN") else { return Ok(()) };
    let mut words = behind.split_whitespace().skip_while(|word| ["QUERY", "PLAN"].contains(word));
    let word = words.next().and_then(|word| word.split(|part: char| !part.is_ascii_alphabetic()).next());
    if behind.starts_with(char::is_whitespace) && word.is_some_and(|word| EXPLAINED.contains(&word)) {
        return Ok(());
    }
    Err(refused("this connection only reads: what is explained has to begin with SELECT, WITH or VALUES"))
}

/// What MariaDB's `SET STATEMENT` may set for the one statement that follows: how long it waits for a table, in which language it is
/// answered, and by which mode it opens views. No value of theirs lets a session write.
#[cfg(feature = "mysql")]
const FOR_ONE_STATEMENT: [&str; 3] = ["lock_wait_timeout", "lc_messages", "sql_mode"];

/// As [`admit`], for a statement of MySQL's or MariaDB's.
#[cfg(feature = "mysql")]
pub(super) fn admit_mysql(sql: &str) -> Result<(), DatabaseError> {
    admit(after_settings(sql).unwrap_or(sql))
}

/// The statement behind `SET STATEMENT name = value, … FOR`, where each name is a known one and each value a number or a word in
/// quotes.
#[cfg(feature = "mysql")]
fn after_settings(sql: &str) -> Option<&str> {
    let (settings, statement) = sql.strip_prefix("SET STATEMENT ")?.split_once(" FOR ")?;
    let is_plain =
        |value: &str| !value.is_empty() && value.chars().all(|part| part.is_ascii_alphanumeric() || part == '_');
    let is_known = |setting: &str| {
        let Some((name, value)) = setting.split_once('=') else { return false };
        let value = value.trim();
        let value = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\'')).unwrap_or(value);
        let name = name.trim();
        // No longer than a second: such sessions wait for nobody.
        let is_short = name != "lock_wait_timeout" || matches!(value, "0" | "1");
        // The mode that reads a text as the session's own one does.
        let is_mild = name != "sql_mode" || value == "NO_ENGINE_SUBSTITUTION";
        FOR_ONE_STATEMENT.contains(&name) && is_plain(value) && is_short && is_mild
    };
    settings.split(',').all(is_known).then_some(statement)
}

/// The longest that one statement may ask SQL Server to wait for a lock, whatever the session's own limit is; -1 would be for ever.
#[cfg(feature = "sqlserver")]
const LONGEST_LOCK_WAIT: Duration = Duration::from_secs(10);

/// The statement behind `SET LOCK_TIMEOUT number; `, or all of it where nothing like that stands in front. The driver sends both to
/// `sp_executesql`, with which the setting ends, so that it is one for this statement alone: one that waits for no longer than the
/// session itself does.
#[cfg(feature = "sqlserver")]
pub(super) fn after_lock_timeout(sql: &str, session: Duration) -> Result<&str, DatabaseError> {
    let setting = sql.strip_prefix("SET LOCK_TIMEOUT ").and_then(|setting| setting.split_once("; "));
    let Some((number, statement)) = setting else { return Ok(sql) };
    if number.is_empty() || !number.chars().all(|digit| digit.is_ascii_digit()) {
        return Ok(sql);
    }
    let longest = session.min(LONGEST_LOCK_WAIT).as_millis().max(1);
    if number.parse::<u128>().is_ok_and(|wait| wait <= longest) {
        return Ok(statement);
    }
    Err(refused(format!("this connection only reads: a statement waits for a lock for {longest} ms at most")))
}

/// What becomes of a text that is more than one SELECT.
#[cfg(feature = "sqlserver")]
pub(super) fn one_select() -> DatabaseError {
    refused("this connection only reads: a statement is one SELECT, whose names that are words of T-SQL are quoted")
}

/// What becomes of a script.
pub(super) fn no_scripts() -> DatabaseError {
    refused("this connection only reads: it runs single statements, and no scripts")
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

    #[test]
    #[cfg(feature = "sqlite")]
    fn sqlite_is_sent_one_statement_that_reads() {
        for sql in [
            "SELECT * FROM pragma_table_xinfo('a')",
            "WITH a AS (SELECT 1) SELECT * FROM a",
            "VALUES (1)",
            " explain query plan\nselect 1 ;\n",
            "EXPLAIN WITH a AS (SELECT 1) SELECT * FROM a",
            "EXPLAIN VALUES(1)",
        ] {
            assert!(admit_sqlite(sql).is_ok(), "{sql}");
        }
        for sql in [
            "ATTACH '/etc/a' AS a",
            "DETACH main",
            "VACUUM INTO '/tmp/a'",
            "PRAGMA hard_heap_limit = 1",
            "SELECT 1; ATTACH '/etc/a' AS a",
            "SELECT $a('); ATTACH '/etc/a' AS a; --'",
            "SELECT 1\0ATTACH '/etc/a' AS a",
            "EXPLAIN PRAGMA hard_heap_limit = 1",
            "EXPLAIN QUERY PLAN PRAGMA hard_heap_limit = 1",
            "EXPLAIN/**/PRAGMA hard_heap_limit = 1",
            "EXPLAIN /* SELECT */ PRAGMA hard_heap_limit = 1",
            "EXPLAIN-- SELECT\nPRAGMA hard_heap_limit = 1",
            "(EXPLAIN PRAGMA hard_heap_limit = 1",
            "EXPLAIN",
        ] {
            let error = admit_sqlite(sql).unwrap_err();
            assert_eq!(*error.kind(), DatabaseErrorKind::ReadOnlyTarget, "{sql}");
        }
    }

    #[test]
    #[cfg(feature = "sqlserver")]
    fn a_time_to_wait_for_locks_is_taken_off_a_statement() {
        let behind = |sql, seconds| after_lock_timeout(sql, Duration::from_secs(seconds)).ok();
        assert_eq!(behind("SET LOCK_TIMEOUT 0; SELECT 1", 0), Some("SELECT 1"));
        let unsaid = behind("SET LOCK_TIMEOUT 10000; DELETE t", 3600);
        assert_eq!(unsaid, Some("DELETE t"), "which is for others to refuse");
        for sql in [
            "SELECT 1",
            "SET LOCK_TIMEOUT -1; SELECT 1",
            "SET LOCK_TIMEOUT +1; SELECT 1",
            "SET LOCK_TIMEOUT ; SELECT 1",
            "SET LOCK_TIMEOUT 1 SET NOCOUNT ON; SELECT 1",
            "SET LOCK_TIMEOUT 1 SELECT 1",
            "SET ROWCOUNT 1; SELECT 1",
        ] {
            assert_eq!(behind(sql, 10), Some(sql), "which does not read");
        }
    }

    #[test]
    #[cfg(feature = "sqlserver")]
    fn no_statement_waits_for_longer_than_its_session() {
        let of = |wait: &str| format!("SET LOCK_TIMEOUT {wait}; SELECT 1");
        for (wait, session) in [("1", 0), ("2000", 2), ("10000", 10), ("10000", 3600)] {
            assert!(after_lock_timeout(&of(wait), Duration::from_secs(session)).is_ok(), "{wait} of {session}");
        }
        for (wait, session) in [("2", 0), ("2001", 2), ("10001", 3600), (&*"9".repeat(50), 3600)] {
            let error = after_lock_timeout(&of(wait), Duration::from_secs(session)).unwrap_err();
            assert_eq!(*error.kind(), DatabaseErrorKind::ReadOnlyTarget, "{wait} of {session}");
        }
    }

    #[test]
    #[cfg(feature = "mysql")]
    fn settings_for_one_statement_that_reads_are_let_through() {
        for sql in [
            "SET STATEMENT lock_wait_timeout = 0 FOR SELECT 1",
            "SET STATEMENT lock_wait_timeout=1, lc_messages = 'en_US' FOR SELECT ' FOR '",
            "SET STATEMENT sql_mode = 'NO_ENGINE_SUBSTITUTION' FOR SELECT 1",
            "SELECT 1",
        ] {
            assert!(admit_mysql(sql).is_ok(), "{sql}");
        }
        for sql in [
            "SET STATEMENT lock_wait_timeout = 0 FOR DELETE FROM a",
            "SET STATEMENT lock_wait_timeout = 0 FOR SET SESSION TRANSACTION READ WRITE",
            "SET STATEMENT lock_wait_timeout = 0 FOR SET STATEMENT lock_wait_timeout = 0 FOR SELECT 1",
            "SET STATEMENT tx_read_only = 0 FOR SELECT 1",
            "SET STATEMENT lock_wait_timeout = 0, max_statement_time = 0 FOR SELECT 1",
            "SET STATEMENT lock_wait_timeout = (SELECT 1) FOR SELECT 1",
            "SET STATEMENT lc_messages = (SELECT 1) FOR SELECT 1",
            "SET STATEMENT lc_messages = '' FOR SELECT 1",
            "SET STATEMENT sql_mode = 'ANSI_QUOTES' FOR SELECT 1",
            "SET STATEMENT sql_mode = 'NO_BACKSLASH_ESCAPES' FOR SELECT 1",
            "SET STATEMENT lock_wait_timeout = 0; SET a = '1 FOR SELECT 1",
            "SET STATEMENT FOR SELECT 1",
            "SET lock_wait_timeout = 0",
            "SET STATEMENT lock_wait_timeout = 31536000 FOR SELECT 1",
        ] {
            let error = admit_mysql(sql).unwrap_err();
            assert_eq!(*error.kind(), DatabaseErrorKind::ReadOnlyTarget, "{sql}");
        }
    }
}
