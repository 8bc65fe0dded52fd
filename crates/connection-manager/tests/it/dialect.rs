//! Every supported cell of the dialects' support table, executed on its engine.

use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseError, SqlExecutor, Statement, TransactionMode};
use sql_dialect::support::{self, Answer, Construct};
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

testkit::on_every_engine!(every_supported_statement_has_the_same_answer);
