//! Which count of rows belongs to a statement: the driver counts the rows that a SELECT returns as well.

/// Whether a statement only reads: its first verb outside parentheses is SELECT, and no INTO follows.
///
/// Text in quotation marks, brackets and comments is passed over, so that no name is taken for a verb.
pub(super) fn only_reads(sql: &str) -> bool {
    let mut verb = None;
    for word in Words::new(sql) {
        let is = |name: &str| word.eq_ignore_ascii_case(name);
        match verb {
            None if is("SELECT") => verb = Some(true),
            None if ["INSERT", "UPDATE", "DELETE", "MERGE", "TRUNCATE", "EXEC", "EXECUTE"].into_iter().any(is) => {
                return false;
            }
            Some(_) if is("INTO") => return false,
            None | Some(_) => {}
        }
    }
    verb.unwrap_or(false)
}

/// What begins a statement of T-SQL, or reaches another server. A name that is one of these words has to be quoted, so that
/// none is taken for a statement; and whatever begins a statement without being one of them comes after a semicolon.
const ELSEWHERE: [&str; 44] = [
    "ALTER",
    "BACKUP",
    "BEGIN",
    "BULK",
    "CHECKPOINT",
    "CLOSE",
    "COMMIT",
    "CREATE",
    "DBCC",
    "DEALLOCATE",
    "DECLARE",
    "DELETE",
    "DENY",
    "DROP",
    "DUMP",
    "EXEC",
    "EXECUTE",
    "GOTO",
    "GRANT",
    "IF",
    "INSERT",
    "INTO",
    "KILL",
    "LOAD",
    "MERGE",
    "OPEN",
    "OPENDATASOURCE",
    "OPENQUERY",
    "OPENROWSET",
    "PRINT",
    "RAISERROR",
    "RECONFIGURE",
    "RESTORE",
    "REVERT",
    "REVOKE",
    "ROLLBACK",
    "SAVE",
    "SET",
    "SHUTDOWN",
    "TRUNCATE",
    "UPDATE",
    "USE",
    "WAITFOR",
    "WHILE",
];

/// Whether a text is one statement that only reads: a batch of T-SQL may hold several, with nothing in between.
pub(super) fn is_one_reading(sql: &str) -> bool {
    let mut ended = false;
    only_reads(sql)
        && Words::new(sql).all(|word| {
            let goes_on = ended;
            ended |= word == ";";
            !goes_on && !ELSEWHERE.iter().any(|other| word.eq_ignore_ascii_case(other))
        })
}

/// The words outside parentheses, and the semicolons.
struct Words<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Words<'a> {
    const fn new(sql: &'a str) -> Self {
        Self { rest: sql, depth: 0 }
    }

    /// Passes over what begins with `open` and ends with `close`, or to the end of the text.
    fn skip(&mut self, open: &str, close: &str) {
        let inner = &self.rest[open.len()..];
        self.rest = inner.find(close).map_or("", |end| &inner[end + close.len()..]);
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        loop {
            let first = self.rest.chars().next()?;
            match first {
                // A doubled mark ends one quotation and begins the next, which comes to the same.
                '\'' => self.skip("'", "'"),
                '"' => self.skip("\"", "\""),
                '[' => self.skip("[", "]"),
                '-' if self.rest.starts_with("--") => self.skip("--", "\n"),
                '/' if self.rest.starts_with("/*") => self.skip("/*", "*/"),
                _ if first.is_alphabetic() || matches!(first, '_' | '@' | '#') => {
                    let is_part = |it: char| it.is_alphanumeric() || matches!(it, '_' | '@' | '#' | '$');
                    let end = self.rest.find(|it| !is_part(it)).unwrap_or(self.rest.len());
                    let (word, rest) = self.rest.split_at(end);
                    self.rest = rest;
                    if self.depth == 0 {
                        return Some(word);
                    }
                }
                ';' => {
                    let (semicolon, rest) = self.rest.split_at(1);
                    self.rest = rest;
                    return Some(semicolon);
                }
                _ => {
                    match first {
                        '(' => self.depth += 1,
                        ')' => self.depth = self.depth.saturating_sub(1),
                        _ => {}
                    }
                    self.rest = &self.rest[first.len_utf8()..];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_reading_is_told_from_what_hides_behind_it() {
        for sql in [
            "SELECT 1",
            "SELECT 1;",
            "SELECT [set], \"drop\", 'a; DELETE t' FROM t ORDER BY n OFFSET 0 ROWS FETCH NEXT 1 ROWS ONLY",
            "WITH x AS (SELECT 1 AS n) SELECT n FROM x",
            "SELECT CASE WHEN 1 = 1 THEN 2 ELSE 3 END",
        ] {
            assert!(is_one_reading(sql), "{sql}");
        }
        for sql in [
            "SELECT 1 DROP TABLE t",
            "SELECT 1; THROW 50000, 'x', 1",
            "SELECT 1 COMMIT",
            "SELECT 1 SET LOCK_TIMEOUT -1",
            "SELECT 1 WHILE 1 = 1 SELECT 2",
            "SELECT * INTO t FROM u",
            "SELECT * FROM OPENQUERY(other, 'DELETE t')",
            "SELECT 1 EXEC p",
            "DECLARE @a INT SELECT @a",
            "p",
        ] {
            assert!(!is_one_reading(sql), "{sql}");
        }
    }

    #[test]
    fn reads_are_told_from_changes() {
        for sql in [
            "SELECT 1",
            " select [delete] from t where a = 'insert into'",
            "WITH x AS (SELECT 1 AS n) SELECT n FROM x",
            "/* UPDATE */ -- DELETE\nSELECT \"into\" FROM t",
            "SELECT (SELECT 1)",
        ] {
            assert!(only_reads(sql), "{sql}");
        }
        for sql in [
            "INSERT INTO t SELECT 1",
            "WITH x AS (SELECT 1 AS n) UPDATE t SET a = n FROM x",
            "DELETE t OUTPUT deleted.id",
            "SELECT 1 AS n INTO t",
            "EXEC p",
            "",
            "'",
        ] {
            assert!(!only_reads(sql), "{sql}");
        }
    }
}
