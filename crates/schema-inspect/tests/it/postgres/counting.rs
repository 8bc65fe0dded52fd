use std::fmt::Write as _;

use schema_inspect::InspectOptions;

use super::Sample;

#[test]
fn however_many_tables_there_are_as_many_statements_are_sent() {
    testkit::run(async {
        let sample = Sample::empty().await;
        let few = sample.inspect(&InspectOptions::default()).await;
        let mut script = String::new();
        for number in 0..200 {
            write!(
                script,
                "CREATE TABLE t{number} (id integer PRIMARY KEY, a text, b integer REFERENCES t{number}); \
                 CREATE INDEX ON t{number} (lower(a)); CREATE VIEW v{number} AS SELECT a FROM t{number};"
            )
            .expect("written");
        }
        sample.run(&script).await;
        let many = sample.inspect(&InspectOptions::default()).await;
        assert_eq!(many.database.relations().count(), 400);
        assert_eq!(many.report.statements, few.report.statements);
        assert_eq!(many.report.statements, 12);
        let stages: Vec<&str> = many.report.stages.iter().map(|stage| stage.name.as_str()).collect();
        assert_eq!(
            stages,
            [
                "begin",
                "settings",
                "database",
                "relations",
                "columns",
                "constraints",
                "indexes",
                "triggers",
                "sequences",
                "types",
                "routines",
                "end"
            ]
        );
    });
}
