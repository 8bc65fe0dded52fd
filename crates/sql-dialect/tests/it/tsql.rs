//! Every Transact-SQL text goes through a parser of Transact-SQL, for there is no SQL Server to try it on everywhere.

use std::fs;
use std::path::PathBuf;

use sql_dialect::{Dialect, support};
use sqlparser::dialect::MsSqlDialect;
use sqlparser::parser::Parser;

/// Every text with a name that can be a file's.
fn texts() -> impl Iterator<Item = (String, String)> {
    let statements = support::constructs().filter_map(|construct| {
        let rendered = construct.render(Dialect::SqlServer).ok()?;
        let name: String = construct
            .name()
            .chars()
            .map(|character| if character.is_ascii_alphanumeric() { character.to_ascii_lowercase() } else { '_' })
            .collect();
        Some((name, rendered.sql))
    });
    let schema = support::schema(Dialect::SqlServer)
        .into_iter()
        .enumerate()
        .map(|(number, sql)| (format!("schema_{number}"), sql));
    statements.chain(schema).enumerate().map(|(number, (name, sql))| (format!("{number:03}_{name}"), sql))
}

/// The text without three things of Transact-SQL that this parser does not know: a parameter after FETCH NEXT, the OPTION
/// of a recursive query, and OUTPUT before DEFAULT VALUES. The second parser, which reads the dumped files, knows them.
fn without_what_the_parser_lacks(sql: &str) -> String {
    let sql = sql.strip_suffix(" OPTION (MAXRECURSION 0)").unwrap_or(sql);
    let sql = sql.replace(" OUTPUT INSERTED.[id] DEFAULT VALUES", " DEFAULT VALUES");
    let mut parts = sql.split("FETCH NEXT @P");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str("FETCH NEXT 1");
        plain.push_str(part.trim_start_matches(|character: char| character.is_ascii_digit()));
    }
    plain
}

#[test]
fn every_text_is_transact_sql_to_a_parser() {
    let mut wrong = Vec::new();
    for (name, sql) in texts() {
        match Parser::parse_sql(&MsSqlDialect {}, &without_what_the_parser_lacks(&sql)) {
            Ok(statements) if statements.len() == 1 => {}
            Ok(statements) => wrong.push(format!("{name}: {} statements in {sql}", statements.len())),
            Err(error) => wrong.push(format!("{name}: {error} in {sql}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_parser_would_see_another_dialect() {
    for sql in
        ["SELECT `id` FROM people", "SELECT id FROM people ORDER BY id LIMIT ALL FETCH", "SELECT [id FROM people"]
    {
        assert!(Parser::parse_sql(&MsSqlDialect {}, sql).is_err(), "{sql}");
    }
}

/// Writes each text into a file of its own, for a second parser that is not a library.
#[test]
#[expect(clippy::disallowed_methods, reason = "the task runner says where, and a test has no configuration")]
fn the_texts_are_written_out_when_a_folder_is_named() {
    let Some(folder) = std::env::var_os("BINDERY_TSQL_DUMP").map(PathBuf::from) else { return };
    fs::create_dir_all(&folder).expect("the folder can be made");
    let mut written = 0;
    for (name, sql) in texts() {
        fs::write(folder.join(format!("{name}.sql")), format!("{sql};\n")).expect("the file can be written");
        written += 1;
    }
    assert!(written > 100, "only {written} texts");
}
