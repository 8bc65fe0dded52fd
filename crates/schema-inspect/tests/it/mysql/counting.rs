use std::fmt::Write as _;

use connection_manager::PoolSettings;
use schema_inspect::Inspectors;
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseConnection, RawStatement};
use testkit::Server;

use super::{Sample, on_both};

on_both!(however_many_tables_there_are_as_many_statements_are_sent);

/// How many statements the one session of a connection has sent, by the server's count.
async fn counted(connection: &dyn DatabaseConnection) -> u64 {
    let sql = connection.sql().expect("SQL");
    // Statements that were prepared are counted as they are carried out.
    let statement = RawStatement::everywhere("SHOW", "SHOW SESSION STATUS LIKE 'Questions'").into();
    let row = sql.query_one(&statement, &RequestContext::system()).await.expect("an answer").expect("a row");
    row.get::<String>(1).expect("a text").parse().expect("a number")
}

async fn however_many_tables_there_are_as_many_statements_are_sent(server: Server) {
    let sample = Sample::empty(server).await;
    let tables = |numbers: std::ops::Range<u32>| {
        let mut script = String::new();
        for number in numbers {
            write!(
                script,
                "CREATE TABLE t{number} (id int PRIMARY KEY, a varchar(10), b int CHECK (b > 0), \
                 FOREIGN KEY (b) REFERENCES t{number} (id)); CREATE VIEW v{number} AS SELECT a FROM t{number};"
            )
            .expect("written");
        }
        script
    };
    let settings = sample.database.settings().with_pool(PoolSettings::sized(1, 1));
    let connection = testkit::connect(settings).await.expect("connected");
    let mut asked = Vec::new();
    for numbers in [0..5, 5..200] {
        let count = usize::try_from(numbers.end).expect("a count");
        sample.run(&tables(numbers)).await;
        let context = RequestContext::system();
        // Whatever a session does once in its life is done by then.
        let options = sample.options();
        Inspectors::builtin().inspect(&*connection, &options, &context).await.expect("inspected");
        let before = counted(&*connection).await;
        let found = Inspectors::builtin().inspect(&*connection, &options, &context).await.expect("inspected");
        asked.push((found.report.statements, counted(&*connection).await - before));
        assert_eq!(found.database.relations().count(), 2 * count);
        let stages: Vec<&str> = found.report.stages.iter().map(|stage| stage.name.as_str()).collect();
        let mut expected = vec![
            "begin",
            "database",
            "relations",
            "columns",
            "indexes",
            "constraints",
            "views",
            "partitions",
            "triggers",
            "routines",
            "end",
        ];
        if server == Server::MySql {
            expected.insert(10, "statistics");
        }
        assert_eq!(stages, expected);
    }
    assert_eq!(asked[0], asked[1]);
    let statements = if server == Server::MySql { 12 } else { 11 };
    assert_eq!(asked[0].0, statements);
    // With the question for the count.
    assert_eq!(asked[0].1, u64::from(statements) + 1, "by the server's own count");
}
