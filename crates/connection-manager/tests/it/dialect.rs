//! Every supported cell of the dialects' support table, executed on its engine.

#[path = "../../../sql-dialect/tests/it/hostile/names.rs"]
mod names;

use names::{hostile, is_refused};
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use sea_query::{Expr, ExprTrait as _, Query};
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseError, RawStatement, SqlExecutor, Statement, TransactionMode};
use sql_dialect::support::{self, Answer, Construct};
use sql_dialect::{Dialect, RenderError};
use testkit::{Server, TestDatabase};

fn statement(construct: &Construct) -> Statement {
    match construct.statement() {
        support::Statement::Select(statement) => statement.into(),
        support::Statement::Insert(statement) => statement.into(),
        support::Statement::Update(statement) => statement.into(),
        support::Statement::Delete(statement) => statement.into(),
        support::Statement::With(statement) => statement.into(),
    }
}

/// Runs the construct's statement and says what is wrong with the answer, if anything.
async fn fault(sql: &dyn SqlExecutor, construct: &Construct) -> Result<Option<String>, DatabaseError> {
    let context = RequestContext::system();
    let statement = statement(construct);
    let answer = construct.answer();
    if let Answer::Changed(expected) = answer {
        let changed = sql.execute(&statement, &context).await?;
        return Ok((changed != expected).then(|| format!("changed {changed} rows, not {expected}")));
    }
    let rows = sql.query(&statement, &context).await?;
    let (mut expected, in_order) = match answer {
        Answer::Ordered(expected) => (expected.to_vec(), true),
        Answer::Unordered(expected) => (expected.to_vec(), false),
        Answer::Rows(expected) => {
            return Ok((rows.len() != expected).then(|| format!("{} rows, not {expected}", rows.len())));
        }
        Answer::Changed(_) => unreachable!("answered above"),
    };
    let mut found = rows.iter().map(|row| row.get::<i64>(0)).collect::<Result<Vec<_>, _>>()?;
    if !in_order {
        found.sort_unstable();
        expected.sort_unstable();
    }
    Ok((found != expected).then(|| format!("{found:?}, not {expected:?}")))
}

async fn every_supported_statement_has_the_same_answer(server: Server) {
    let database = TestDatabase::create(server).await;
    let connection = database.connection().await;
    let sql = connection.sql().expect("a connection that speaks SQL");
    let context = RequestContext::system();
    let dialect = sql.dialect();
    for text in support::schema(dialect) {
        sql.run_script(&text, &context).await.expect("the demo schema");
    }
    let mut faults = Vec::new();
    let mut executed = 0;
    for construct in support::constructs().filter(|construct| construct.is_supported(dialect)) {
        let transaction = sql.begin(TransactionMode::ReadWrite, &context).await.expect("a transaction");
        match fault(transaction.as_ref(), construct).await {
            Ok(None) => {}
            Ok(Some(fault)) => faults.push(format!("{}: {fault}", construct.name())),
            Err(error) => faults.push(format!("{}: {error:?}", construct.name())),
        }
        transaction.rollback(&context).await.expect("a rollback");
        executed += 1;
    }
    assert!(faults.is_empty(), "{server}:\n{}", faults.join("\n"));
    assert!(executed > 100, "only {executed} statements on {server}");
}

/// How many names are tried on each engine, besides those at the edges.
const NAMES: usize = 40;

/// Names at the limits of one engine or another, within and beyond.
fn at_the_limits() -> Vec<String> {
    let mut names =
        vec!["a b".to_owned(), " a".to_owned(), "a ".to_owned(), "\u{1F980}".to_owned(), "\u{FFFD}".to_owned()];
    // White space at the end is none to MySQL and MariaDB where it is beyond ASCII.
    names.extend(["\t", "\n", "\u{B}", "\u{C}", "\r", "\u{1F}", "\u{A0}", "\u{3000}"].map(|end| format!("a{end}")));
    for length in [31, 32, 63, 64, 65, 128, 129] {
        names.extend(["x".repeat(length), "é".repeat(length)]);
    }
    names
}

/// A name in the dialect's quotes, as the dialect itself writes it; `None` where it refuses to.
fn quoted(dialect: Dialect, name: &str) -> Option<String> {
    let select = Query::select().column(name.to_owned()).from(name.to_owned()).take();
    match Statement::from(select).render(dialect) {
        Ok(rendered) => {
            let length = (rendered.sql.len() - "SELECT  FROM ".len()) / 2;
            Some(rendered.sql["SELECT ".len()..][..length].to_owned())
        }
        Err(RenderError::Identifier { .. }) => None,
        Err(error) => panic!("{name:?}: {error}"),
    }
}

/// A name in the dialect's quotes, whatever the dialect has against it.
fn quoted_all_the_same(dialect: Dialect, name: &str) -> String {
    match dialect {
        Dialect::MySql => format!("`{}`", name.replace('`', "``")),
        Dialect::Postgres | Dialect::Sqlite => format!("\"{}\"", name.replace('"', "\"\"")),
        Dialect::SqlServer => format!("[{}]", name.replace(']', "]]")),
    }
}

/// The names of the database's tables, as the engine has them.
async fn tables(sql: &dyn SqlExecutor) -> Vec<String> {
    let question = RawStatement::per_dialect("SELECT")
        .text(
            Dialect::MySql,
            "SELECT CAST(table_name AS CHAR(64)) AS name FROM information_schema.tables WHERE table_schema = DATABASE()",
        )
        .text(Dialect::Postgres, "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = current_schema()")
        .text(Dialect::Sqlite, "SELECT name FROM sqlite_schema WHERE type = 'table'")
        .text(Dialect::SqlServer, "SELECT name FROM sys.tables");
    let rows = sql.query(&question.into(), &RequestContext::system()).await.expect("an answer");
    rows.iter().map(|row| row.get::<String>(0).expect("a name")).collect()
}

async fn hostile_names_are_the_engines_as_they_are_or_refused(server: Server) {
    let database = TestDatabase::create(server).await;
    let connection = database.connection().await;
    let sql = connection.sql().expect("a connection that speaks SQL");
    let (dialect, context) = (sql.dialect(), RequestContext::system());
    let mut runner = TestRunner::default();
    let sampled = (0..NAMES).map(|_| hostile().new_tree(&mut runner).expect("a name").current());
    let (mut kept, mut refused) = (0, 0);
    for name in at_the_limits().into_iter().chain(sampled) {
        let Some(quoted) = quoted(dialect, &name) else {
            assert!(is_refused(dialect, &name), "{server}: {name:?}");
            // An empty name is one to SQLite, and U+0000 ends the text on some wires; both are refused everywhere.
            if name.is_empty() || name.contains('\0') {
                continue;
            }
            let quoted = quoted_all_the_same(dialect, &name);
            let made = sql.run_script(&format!("CREATE TABLE {quoted} (a INT)"), &context).await;
            // Where it was made after all, it has another name.
            assert!(!tables(sql).await.contains(&name), "{server} would have kept {name:?}");
            if made.is_ok() {
                sql.run_script(&format!("DROP TABLE {quoted}"), &context).await.expect("what was made");
            }
            refused += 1;
            continue;
        };
        let text = if dialect == Dialect::SqlServer { "NVARCHAR(200)" } else { "VARCHAR(200)" };
        let created = sql.run_script(&format!("CREATE TABLE {quoted} ({quoted} {text})"), &context).await;
        created.unwrap_or_else(|error| panic!("{server} does not take {name:?}: {error:?}"));
        assert_eq!(tables(sql).await, [name.as_str()], "{server}");
        let insert = Query::insert().into_table(name.clone()).columns([name.clone()]).values_panic(["x".into()]).take();
        assert_eq!(sql.execute(&insert.into(), &context).await.expect("a row"), 1, "{server}: {name:?}");
        let column = || Expr::col((name.clone(), name.clone()));
        let select = Query::select().expr(column()).from(name.clone()).and_where(column().eq("x")).take();
        let row = sql.query_one(&select.into(), &context).await.expect("an answer").expect("the row");
        assert_eq!(row.get::<String>(0).expect("a text"), "x", "{server}: {name:?}");
        sql.run_script(&format!("DROP TABLE {quoted}"), &context).await.expect("what was made");
        kept += 1;
    }
    // Some of the edges are beyond every engine's limits but SQLite's, which has none.
    assert!(kept > 10 && (refused > 5 || server == Server::Sqlite), "{server}: {kept} kept, {refused} refused");
    assert_eq!(tables(sql).await, [""; 0], "{server}");
}

testkit::on_every_engine!(
    every_supported_statement_has_the_same_answer,
    hostile_names_are_the_engines_as_they_are_or_refused
);
