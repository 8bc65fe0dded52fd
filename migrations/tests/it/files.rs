//! The files themselves: a parser for each dialect reads them, T-SQL's included where no SQL Server is at hand.

use migrations::{Direction, batches};
use shared_kernel::database::Dialect;
use sqlparser::dialect::{Dialect as Grammar, MsSqlDialect, MySqlDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;

fn grammar(dialect: Dialect) -> Box<dyn Grammar> {
    match dialect {
        Dialect::MySql => Box::new(MySqlDialect {}),
        Dialect::Postgres => Box::new(PostgreSqlDialect {}),
        Dialect::Sqlite => Box::new(SQLiteDialect {}),
        Dialect::SqlServer => Box::new(MsSqlDialect {}),
    }
}

/// How many statements a script has, or why it has none.
fn parse(dialect: Dialect, script: &str) -> Result<usize, String> {
    let mut count = 0;
    for batch in batches(dialect, script) {
        count += Parser::parse_sql(&*grammar(dialect), &batch).map_err(|error| error.to_string())?.len();
    }
    Ok(count)
}

#[track_caller]
fn every_file_parses(dialect: Dialect) {
    assert!(!migrations::sets().is_empty());
    for set in migrations::sets() {
        for migration in set.migrations() {
            for direction in [Direction::Up, Direction::Down] {
                let file = set.file(migration, dialect, direction);
                match parse(dialect, migration.script(dialect, direction)) {
                    Ok(count) => assert!(count > 0, "{file} holds no statement"),
                    Err(error) => panic!("{file}: {error}"),
                }
            }
        }
    }
}

#[test]
fn every_mysql_file_parses() {
    every_file_parses(Dialect::MySql);
}

#[test]
fn every_postgres_file_parses() {
    every_file_parses(Dialect::Postgres);
}

#[test]
fn every_sqlite_file_parses() {
    every_file_parses(Dialect::Sqlite);
}

#[test]
fn every_sqlserver_file_parses_as_t_sql() {
    every_file_parses(Dialect::SqlServer);
}

#[test]
fn the_gate_refuses_what_is_no_t_sql() {
    for script in
        ["CREATE TABLE `users` (id INT)", "CREATE TABLE users (id INT,, name INT)", "CREAT TABLE users (id INT)"]
    {
        assert!(parse(Dialect::SqlServer, script).is_err(), "{script}");
    }
}

#[test]
fn each_context_has_its_set() {
    for context in ["users", "books"] {
        assert_eq!(migrations::set(context).map(migrations::MigrationSet::context), Some(context));
    }
    assert!(migrations::set("no_such_context").is_none());
}
