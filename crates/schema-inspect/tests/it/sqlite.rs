use schema_export::Exporters;
use schema_inspect::{InspectError, InspectOptions, Inspectors};
use schema_model::{Database, Gap, Inspection, ObjectName, Unavailable};
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

/// A pragma that is asked like a table gives way to a view of its name, and whoever made the file may mean ill.
#[test]
fn no_view_is_asked_in_the_place_of_a_pragma() {
    const PRAGMAS: [&str; 8] = [
        "application_id",
        "encoding",
        "foreign_key_list",
        "index_list",
        "index_xinfo",
        "table_list",
        "table_xinfo",
        "user_version",
    ];
    testkit::run(async {
        let script = "CREATE TABLE a (id integer PRIMARY KEY, b REFERENCES a, c UNIQUE)".to_owned();
        let views = PRAGMAS.map(|name| format!("; CREATE VIEW pragma_{name} AS SELECT 'elsewhere' AS {name}"));
        let plain = inspected(&script, &InspectOptions::default()).await;
        let found = inspected(&(script + &views.concat()), &InspectOptions::default()).await;
        let of = |found: &Inspection| found.database.relation(&ObjectName::new("main", "a")).cloned();
        assert!(of(&plain).is_some());
        assert_eq!(of(&found), of(&plain));
        assert_eq!(found.database.relations().count(), 1 + PRAGMAS.len());
        assert_eq!((&found.database.character_set, found.report.gaps.len()), (&plain.database.character_set, 0));
    });
}

/// SQLite makes such views, and lets what they read be dropped; a file may also be read without the module that it was made with.
#[test]
fn what_sqlite_cannot_read_is_told_and_hides_nothing_else() {
    testkit::run(async {
        let mut script = "CREATE TABLE book (id integer PRIMARY KEY, title text);
            CREATE VIEW titles AS SELECT title FROM book; CREATE VIEW lost AS SELECT * FROM gone;
            CREATE VIEW misspelt AS SELECT tilte FROM book; CREATE VIEW \"round'\" AS SELECT * FROM \"round'\";
            CREATE VIEW above AS SELECT * FROM lost;"
            .to_owned();
        script.extend((0..10).map(|number| format!("CREATE VIEW good{number} AS SELECT id, title FROM book;")));
        let found = inspected(&script, &InspectOptions::default()).await;
        let gap = |name: &str| Gap {
            object: Some(ObjectName::new("main", name)),
            part: "columns".to_owned(),
            reason: Unavailable::Broken,
        };
        let broken = ["above", "lost", "misspelt", "round'"];
        assert_eq!(found.report.gaps, broken.map(gap));
        for (_, relation) in found.database.relations() {
            let expected = match relation.name.as_str() {
                name if broken.contains(&name) => 0,
                "titles" => 1,
                _ => 2,
            };
            assert_eq!(relation.columns.len(), expected, "{}", relation.name);
            assert!(relation.native.contains_key("sql"), "{}", relation.name);
        }
        assert!(found.report.statements <= 8 + 15, "{:?}", found.report);
        assert_eq!(inspected(&script, &InspectOptions::default().only(["temp"])).await.report.gaps, []);

        // However many come after one that cannot be read, and however often they are looked at.
        let good: Vec<String> =
            (0..60).map(|number| format!("CREATE VIEW good{number} AS SELECT id FROM book;")).collect();
        let script =
            format!("CREATE TABLE book (id integer); CREATE VIEW lost AS SELECT * FROM gone; {}", good.concat());
        let (database, context) = (TestDatabase::create(Server::Sqlite).await, RequestContext::system());
        let connection = database.connection().await;
        connection.sql().expect("SQL").run_script(&script, &context).await.expect("the script runs");
        for _ in 0..2 {
            let found = Inspectors::builtin().inspect(&*connection, &InspectOptions::default(), &context).await;
            let found = found.expect("it is inspected");
            assert_eq!(found.report.gaps, [gap("lost")]);
            let without = found.database.relations().filter(|(_, relation)| relation.columns.is_empty()).count();
            assert_eq!(without, 1);
        }

        let many: Vec<String> =
            (0..510).map(|number| format!("CREATE VIEW lost{number} AS SELECT * FROM gone;")).collect();
        let report = inspected(&many.concat(), &InspectOptions::default()).await.report;
        let over_limit = report.gaps.iter().filter(|gap| gap.reason == Unavailable::OverLimit).count();
        assert_eq!((report.gaps.len(), over_limit, report.statements), (510, 10, 8 + 500));
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

#[test]
fn whatever_changes_a_look_changes_the_stamp() {
    const CHANGES: &[&str] = &[
        "CREATE TABLE extra (a integer, b text)",
        "ALTER TABLE extra RENAME TO more",
        "ALTER TABLE more RENAME COLUMN b TO c",
        "ALTER TABLE more ADD COLUMN d text NOT NULL DEFAULT 'x' CHECK (d <> '')",
        "ALTER TABLE more DROP COLUMN c",
        "CREATE INDEX by_a ON more (a DESC) WHERE a > 1",
        "DROP INDEX by_a",
        "CREATE VIEW seen AS SELECT a FROM more",
        "DROP VIEW seen; CREATE VIEW seen AS SELECT a FROM more WHERE a > 1",
        "CREATE TRIGGER kept BEFORE DELETE ON more BEGIN SELECT raise(ABORT, 'no'); END",
        "DROP TRIGGER kept; CREATE TRIGGER kept BEFORE DELETE ON more BEGIN SELECT raise(ABORT, 'never'); END",
        "CREATE VIRTUAL TABLE texts USING fts5(a)",
        "PRAGMA user_version = 70",
        "PRAGMA application_id = 80",
        "DROP VIEW seen; DROP TABLE more",
    ];
    testkit::run(async {
        let database = TestDatabase::create(Server::Sqlite).await;
        let connection = database.connection().await;
        let (sql, context) = (connection.sql().expect("SQL"), RequestContext::system());
        sql.run_script(include_str!("sqlite/sample.sql"), &context).await.expect("the script runs");
        let look = async || {
            let options = InspectOptions::default();
            let found = Inspectors::builtin().inspect(&*connection, &options, &context).await.expect("inspected");
            (found.database, crate::stamp(&*connection).await)
        };
        let (mut found, mut before) = look().await;
        for change in CHANGES {
            sql.run_script(change, &context).await.expect("changed");
            let (found_now, now) = look().await;
            assert_ne!(found_now, found, "nothing is told of it: {change}");
            assert_ne!(now, before, "{change}");
            (found, before) = (found_now, now);
        }
        // Rows change nothing, and neither does what is taken back.
        sql.run_script("CREATE TABLE rows (a)", &context).await.expect("made");
        let before = look().await;
        sql.run_script("INSERT INTO rows VALUES (1)", &context).await.expect("written");
        sql.run_script("BEGIN; CREATE TABLE gone (a); ROLLBACK", &context).await.expect("rolled back");
        assert_eq!(look().await, before);
    });
}

/// The counters of both files are the same: as many changes were made to each.
#[test]
fn another_file_in_a_files_place_is_seen() {
    testkit::run(async {
        let context = RequestContext::system();
        let mut stamps = Vec::new();
        for script in ["CREATE TABLE a (b)", "CREATE TABLE a (c)", "CREATE TABLE a (b)"] {
            let database = TestDatabase::create(Server::Sqlite).await;
            let connection = database.connection().await;
            connection.sql().expect("SQL").run_script(script, &context).await.expect("the script runs");
            stamps.push(crate::stamp(&*connection).await);
        }
        assert_ne!(stamps[0], stamps[1]);
        assert_eq!(stamps[0], stamps[2], "there is no difference to be told");
    });
}
