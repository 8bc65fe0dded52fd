use std::fmt::Write as _;
use std::time::Duration;

use shared_kernel::database::{Dialect, Statement};

use super::namespaces::SYSTEM;
use crate::statement::select;

/// The longest that a question may wait for a lock, in milliseconds: connections that only read let no more through, and less where their
/// own limit is lower.
const LONGEST_WAIT: u128 = 10_000;

/// A `UNION` takes no two collations: names have the database's, or the catalog's where the database is contained, and
/// descriptions another one.
const ONE_COLLATION: &str = " COLLATE Latin1_General_BIN2";

/// What a question may see of what others are in the middle of changing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reads {
    /// Nothing: it waits for their locks.
    Committed,
    /// All of it, with no lock in the way of what is in the catalog's tables.
    Uncommitted,
}

/// The questions. Each sets how long it waits for a lock; the setting ends with it, as the driver sends it to `sp_executesql`.
pub(super) struct Texts {
    /// In milliseconds.
    wait: u128,
    /// Which objects are looked at; the query calls them `o`.
    selected: String,
}

impl Texts {
    pub(super) fn new(lock_wait: Duration) -> Self {
        Self { wait: lock_wait.as_millis().min(LONGEST_WAIT), selected: String::new() }
    }

    /// Looks at the schemas of these numbers alone, or at all but the engine's own. Names would be compared by a collation, numbers
    /// are not.
    pub(super) fn only(mut self, schemas: Option<&[i64]>) -> Self {
        let (mut selected, schemas) = match schemas {
            Some(schemas) => ("o.is_ms_shipped = 0 AND o.schema_id IN (-1".to_owned(), schemas),
            None => ("o.is_ms_shipped = 0 AND o.schema_id NOT IN (-1".to_owned(), &SYSTEM[..]),
        };
        for schema in schemas {
            // Writing into a text cannot fail.
            let _ = write!(selected, ", {schema}");
        }
        selected.push(')');
        self.selected = selected;
        self
    }

    pub(super) fn statement(&self, text: &str, reads: Reads) -> Statement {
        let hint = match reads {
            Reads::Committed => "",
            Reads::Uncommitted => " WITH (NOLOCK)",
        };
        let text = text.replace("{bin}", ONE_COLLATION).replace("{hint}", hint).replace("{selected}", &self.selected);
        // The comments in front of the question go first.
        let text = text.lines().skip_while(|line| line.starts_with("--")).collect::<Vec<_>>().join("\n");
        select(Dialect::SqlServer, &format!("SET LOCK_TIMEOUT {}; {text}", self.wait)).into()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use sqlparser::dialect::MsSqlDialect;
    use sqlparser::parser::Parser;

    use super::*;
    use crate::sqlserver::QUESTIONS;

    /// Every text that is sent, with a name that can be a file's.
    fn texts() -> impl Iterator<Item = (String, String)> {
        let every = Texts::new(Duration::from_millis(100)).only(Some(&[1, 5, 6]));
        QUESTIONS.into_iter().flat_map(move |(stage, text)| {
            [(Reads::Committed, "committed"), (Reads::Uncommitted, "uncommitted")].map(|(reads, word)| {
                let sql = every.statement(text, reads).render(Dialect::SqlServer).expect("a text").sql;
                (format!("inspector_{stage}_{word}"), sql)
            })
        })
    }

    /// What comes after the setting: the parser knows `SET` with a sign of equality alone. The second parser reads all of it.
    fn question(sql: &str) -> &str {
        sql.strip_prefix("SET LOCK_TIMEOUT 100; ").expect("a question that waits no longer than it may")
    }

    #[test]
    fn every_question_is_one_select_of_transact_sql_with_no_place_left_open() {
        let mut count = 0;
        for (name, sql) in texts() {
            assert!(!sql.contains(['{', '}']), "{name}: {sql}");
            match Parser::parse_sql(&MsSqlDialect {}, question(&sql)).as_deref() {
                Ok([sqlparser::ast::Statement::Query(_)]) => count += 1,
                other => panic!("{name}: {other:?} in {sql}"),
            }
        }
        assert_eq!(count, 2 * QUESTIONS.len());
    }

    #[test]
    fn parts_of_a_union_have_as_many_columns() {
        for (name, sql) in texts() {
            let parsed = Parser::parse_sql(&MsSqlDialect {}, question(&sql)).expect("it parses");
            let [sqlparser::ast::Statement::Query(query)] = parsed.as_slice() else { panic!("{name}") };
            let mut counts = Vec::new();
            widths(&query.body, &mut counts);
            assert!(counts.windows(2).all(|pair| pair[0] == pair[1]), "{name}: {counts:?}");
        }
    }

    fn widths(body: &sqlparser::ast::SetExpr, counts: &mut Vec<usize>) {
        match body {
            sqlparser::ast::SetExpr::Select(select) => counts.push(select.projection.len()),
            sqlparser::ast::SetExpr::SetOperation { left, right, .. } => {
                widths(left, counts);
                widths(right, counts);
            }
            other => panic!("{other}"),
        }
    }

    #[test]
    fn what_reads_uncommitted_says_so_of_every_view() {
        for (name, sql) in texts() {
            let views = sql.matches(" sys.").count();
            let hints = sql.matches(" WITH (NOLOCK)").count();
            assert_eq!(hints, if name.ends_with("_uncommitted") { views } else { 0 }, "{name}: {sql}");
        }
    }

    /// Writes each text into a file of its own, for a second parser that is not a library.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "the task runner says where, and a test has no configuration")]
    fn the_texts_are_written_out_when_a_folder_is_named() {
        let Some(folder) = std::env::var_os("BINDERY_TSQL_DUMP").map(PathBuf::from) else { return };
        fs::create_dir_all(&folder).expect("the folder can be made");
        for (name, sql) in texts() {
            fs::write(folder.join(format!("{name}.sql")), format!("{sql};\n")).expect("the file can be written");
        }
    }

    #[test]
    fn nothing_waits_for_longer_than_sessions_that_only_read_allow() {
        let text = |wait| {
            let statement = Texts::new(wait).statement("-- Why.\nSELECT 1", Reads::Committed);
            statement.render(Dialect::SqlServer).expect("a text").sql
        };
        assert_eq!(text(Duration::from_hours(1)), "SET LOCK_TIMEOUT 10000; SELECT 1");
        assert_eq!(text(Duration::ZERO), "SET LOCK_TIMEOUT 0; SELECT 1");
    }

    #[test]
    fn schemas_are_named_one_by_one_only_where_somebody_has_chosen_them() {
        let text = |schemas| {
            let statement = Texts::new(Duration::ZERO).only(schemas).statement("SELECT {selected}", Reads::Committed);
            statement.render(Dialect::SqlServer).expect("a text").sql
        };
        assert!(text(Some(&[7][..])).ends_with("o.schema_id IN (-1, 7)"));
        assert!(text(None).ends_with("o.schema_id NOT IN (-1, 3, 4)"));
    }

    /// Without a style, a number loses digits and bytes are taken for text.
    #[test]
    fn values_of_any_type_are_written_out_whole() {
        let sql = |stage| texts().find(|(name, _)| name.contains(stage)).expect("a question").1;
        for (kind, told) in [
            ("datetime", "CONVERT(datetime, v.value), 126)"),
            ("float", "CONVERT(float, v.value), 3)"),
            ("real", "CONVERT(real, v.value), 3)"),
            ("money", "CONVERT(money, v.value), 2)"),
            ("smallmoney", "CONVERT(money, v.value), 2)"),
            ("binary", "CONVERT(varbinary(8000), v.value), 1)"),
            ("varbinary", "CONVERT(varbinary(8000), v.value), 1)"),
        ] {
            let branch = format!("WHEN N'{kind}' THEN CONVERT(nvarchar(4000), {told}");
            assert!(sql("indexes").contains(&branch), "{branch}");
        }
        for kind in ["binary", "varbinary"] {
            let branch = format!("WHEN N'{kind}' THEN CONVERT(nvarchar(max), CONVERT(varbinary(8000), x.value), 1)");
            assert!(sql("namespaces").contains(&branch), "{branch}");
        }
    }
}
