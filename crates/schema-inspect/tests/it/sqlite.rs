use schema_export::Exporters;
use schema_inspect::{InspectError, InspectOptions, Inspectors};
use schema_model::{Database, Inspection, ObjectName};
use shared_kernel::RequestContext;
use testkit::{Server, TestDatabase};

async fn inspected(script: &str, options: &InspectOptions) -> Inspection {
    let database = TestDatabase::create(Server::Sqlite).await;
    let connection = database.connection().await;
    let context = RequestContext::system();
    connection.sql().expect("SQL").run_script(script, &context).await.expect("the script runs");
    Inspectors::builtin().inspect(&*connection, options, &context).await.expect("it is inspected")
}

#[test]
fn everything_in_the_sample_is_told() {
    testkit::run(async {
        let mut found = inspected(include_str!("sqlite/sample.sql"), &InspectOptions::default()).await;
        "[version]".clone_into(&mut found.database.version);
        insta::assert_snapshot!(serde_json::to_string_pretty(&found.database).expect("JSON"));
        assert_eq!(found.report.gaps, []);
        assert!(found.database.relation(&ObjectName::new("main", "ta.ble \" -- '\n名 😀")).is_some());
    });
}

#[test]
fn however_many_tables_there_are_as_many_statements_are_sent() {
    testkit::run(async {
        let few = inspected("CREATE TABLE a (b)", &InspectOptions::default()).await;
        let tables = (0..100).map(|number| format!("CREATE TABLE t{number} (id integer UNIQUE, b REFERENCES t1)"));
        let script = tables.collect::<Vec<_>>().join(";");
        let many = inspected(&script, &InspectOptions::default()).await;
        assert_eq!(many.database.relations().count(), 100);
        assert_eq!((few.report.statements, many.report.statements), (8, 8));
    });
}

#[test]
fn what_is_written_of_the_sample_makes_it_again() {
    testkit::run(async {
        let found = inspected(include_str!("sqlite/sample.sql"), &InspectOptions::default()).await.database;
        let export = Exporters::builtin().export("sql", &found).expect("it is written");
        assert_eq!(export.omissions, []);
        assert_eq!(inspected(&export.text, &InspectOptions::default()).await.database, found);
    });
}

/// Of a model whose statements were lost, everything but they comes back.
#[test]
fn what_is_written_without_the_statements_of_the_file_makes_it_again() {
    testkit::run(async {
        let stripped = |mut database: Database| {
            for relation in &mut database.namespaces[0].relations {
                relation.native.remove("sql");
            }
            database
        };
        let script =
            include_str!("sqlite/sample.sql").replace("CREATE VIRTUAL TABLE words USING fts5(title, body);", "");
        let found = stripped(inspected(&script, &InspectOptions::default()).await.database);
        let export = Exporters::builtin().export("sql", &found).expect("it is written");
        assert_eq!(export.omissions, []);
        assert_eq!(stripped(inspected(&export.text, &InspectOptions::default()).await.database), found);
    });
}

#[test]
fn another_namespace_is_none() {
    testkit::run(async {
        let options = InspectOptions::default().only(["temp"]);
        let found = inspected("CREATE TABLE a (b)", &options).await;
        assert_eq!((found.database.namespaces.len(), options.missing(&found.database)), (0, Some("temp")));
        let missing = Inspectors::builtin().expect_all(found, &options);
        assert!(matches!(&missing, Err(InspectError::UnknownNamespace { name, is_database: false }) if name == "temp"));
    });
}
