//! Schemas as files, and what is doubtful in them.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};
use shared_kernel::RequestContext;
use shared_kernel::database::DatabaseConnection;
use testkit::{Server, TestDatabase};

use super::snapshots::{NOBODY, change, shelf, taken};
use super::testing::body;
use super::{CANARY, CONNECTIONS, Registry};
use crate::support::Answer;

mod on_servers {
    mod postgres {
        #[test]
        fn a_schema_is_a_file_in_every_format() {
            testkit::run(super::super::a_schema_is_a_file_in_every_format());
        }

        #[test]
        fn the_sql_of_a_schema_makes_it_anew() {
            testkit::run(super::super::the_sql_of_a_schema_makes_it_anew());
        }

        #[test]
        fn what_is_doubtful_is_told_with_its_facts() {
            testkit::run(super::super::what_is_doubtful_is_told_with_its_facts());
        }

        #[test]
        fn no_secret_is_in_an_export() {
            testkit::run(super::super::no_secret_is_in_an_export());
        }
    }

    mod mysql {
        #[test]
        fn a_database_among_others_is_a_file_in_every_format() {
            testkit::run(super::super::a_database_among_others_is_a_file_in_every_format(testkit::Server::MySql));
        }
    }

    mod mariadb {
        #[test]
        fn a_database_among_others_is_a_file_in_every_format() {
            testkit::run(super::super::a_database_among_others_is_a_file_in_every_format(testkit::Server::MariaDb));
        }
    }

    mod dynamodb {
        #[test]
        fn a_format_without_the_engine_says_what_there_is() {
            testkit::run(super::super::a_format_without_the_engine_says_what_there_is());
        }
    }
}

/// Each format with its media type, how its files end, and what the one of `shop` begins with.
const FORMATS: [(&str, &str, &str, &str); 8] = [
    ("json", "application/json", "json", "{"),
    ("sql", "application/sql; charset=utf-8", "sql", "-- Made from a model of PostgreSQL"),
    ("mermaid", "text/vnd.mermaid; charset=utf-8", "mmd", "erDiagram\n"),
    ("dbml", "text/x-dbml; charset=utf-8", "dbml", "Project "),
    ("plantuml", "text/x-plantuml; charset=utf-8", "puml", "@startuml\n"),
    ("dot", "text/vnd.graphviz; charset=utf-8", "dot", "digraph "),
    ("markdown", "text/markdown; charset=utf-8", "md", "# "),
    ("svg", "image/svg+xml", "svg", "<svg "),
];

/// A name that means something to each format, and to whoever shows it.
const HOSTILE: &str = "</text><script>alert(1)</script>\"; DROP TABLE book; -- ]]>*/@enduml`|%%{init}\u{202e}\u{1f600}";

/// As much of it as a table may be called.
fn hostile() -> String {
    HOSTILE.chars().take(40).collect()
}

/// Whether what is written is shown by a browser or a tool that looks for such things in it.
fn is_shown(format: &str) -> bool {
    matches!(format, "svg" | "dot" | "mermaid" | "plantuml")
}

async fn owner(database: &TestDatabase) -> Arc<dyn DatabaseConnection> {
    testkit::connect(database.settings()).await.expect("a connection")
}

/// Runs a script.
async fn make(connection: &Arc<dyn DatabaseConnection>, text: &str) {
    connection.sql().expect("SQL").run_script(text, &RequestContext::system()).await.expect("made");
}

async fn shop(owner: &Arc<dyn DatabaseConnection>) {
    change(owner, "CREATE TABLE book (id bigint PRIMARY KEY, title varchar(80) NOT NULL)").await;
    change(owner, "CREATE TABLE film (id bigint PRIMARY KEY, book bigint REFERENCES book (id))").await;
    make(owner, &format!("CREATE TABLE \"{}\" (\"x\" bigint)", hostile().replace('"', "\"\""))).await;
    make(owner, &format!("COMMENT ON TABLE book IS '{HOSTILE}'")).await;
}

fn faults(answer: &Answer) -> Vec<String> {
    answer.is_problem(400, "invalid-query").faults()
}

/// What one fault says to people.
fn message(answer: &Answer) -> String {
    answer.json()["errors"][0]["message"].as_str().expect("a message").to_owned()
}

async fn a_schema_is_a_file_in_every_format() {
    let database = TestDatabase::create(Server::Postgres).await;
    let owner = owner(&database).await;
    shop(&owner).await;
    let registry = Registry::start().await;
    let path = registry.stored(&body(&database, "Bücher: \"../all\"")).await;
    let schema = registry.get(&format!("{path}/schema")).await.json();
    let fingerprint = schema["fingerprint"].as_str().expect("a digest");
    for (format, media_type, extension, beginning) in FORMATS {
        let export = format!("{path}/schema/export?format={format}");
        let answer = registry.get(&export).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, media_type), "{}", answer.text);
        assert!(answer.text.starts_with(beginning), "{format}: {}", answer.text);
        assert!(!is_shown(format) || !answer.text.contains("<script"), "{format}: {}", answer.text);
        assert_eq!(
            answer.header("content-disposition"),
            format!(
                "attachment; filename=\"B_cher_ _.._all_.{extension}\"; \
                 filename*=UTF-8''B%C3%BCcher_%20_.._all_.{extension}"
            )
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("script-src"), "{format}: {policy}");
        assert_eq!(policy.contains("style-src 'unsafe-inline'") && policy.contains("sandbox"), format == "svg");
        assert_eq!(answer.header("etag"), format!("W/\"r1-{fingerprint}-{format}-{}\"", env!("CARGO_PKG_VERSION")));
        assert!(
            answer.header("age").parse::<u64>().is_ok() && answer.header("bindery-omissions").parse::<u64>().is_ok()
        );

        // Whoever has it need not have it again; what somebody has in another format is something else.
        let known = |tag: String| {
            let (registry, export) = (&registry, &export);
            async move { registry.ask(Method::GET, export, &[("if-none-match", &tag)], None).await }
        };
        let same = known(answer.header("etag").to_owned()).await;
        assert_eq!((same.status.as_u16(), same.text.as_str()), (304, ""), "{format}");
        assert_eq!(same.header("etag"), answer.header("etag"));
        assert_eq!(known(format!("W/\"r1-{fingerprint}\"")).await.status, 200);
        assert_eq!(known(format!("W/\"r1-{fingerprint}-other\"")).await.status, 200);
        // The same model is written in the same way.
        assert_eq!(registry.get(&export).await.text, answer.text);
        let head = registry.ask(Method::HEAD, &export, &[], None).await;
        assert_eq!((head.status.as_u16(), head.header("content-type")), (200, media_type));
    }
    let model: Value = registry.get(&format!("{path}/schema/export?format=json")).await.json();
    assert_eq!(model["namespaces"], schema["database"]["namespaces"]);

    // Another schema is another file, once it is looked at anew.
    let svg = format!("{path}/schema/export?format=svg");
    let before = registry.get(&svg).await;
    change(&owner, "CREATE SCHEMA \"old; stock\"").await;
    change(&owner, "CREATE TABLE \"old; stock\".shelf (id bigint PRIMARY KEY)").await;
    assert_eq!(registry.get(&svg).await.text, before.text);
    let anew = registry.get(&format!("{svg}&refresh=true")).await;
    assert!(anew.text.contains("<title>old; stock.shelf</title>"), "{}", anew.text);
    assert_ne!(anew.header("etag"), before.header("etag"));
    let part = registry.get(&format!("{svg}&schema=old%3B%20stock")).await;
    assert!(part.text.contains("<desc>1 table, 0 foreign keys</desc>"), "{}", part.text);

    let audit = registry.get("/api/v1/connections/audit?action=export_schema&outcome=ok&limit=200").await.json();
    assert!(audit["items"].as_array().is_some_and(|items| items.len() >= FORMATS.len() * 6), "{audit}");
}

async fn the_sql_of_a_schema_makes_it_anew() {
    let database = TestDatabase::create(Server::Postgres).await;
    shop(&owner(&database).await).await;
    let registry = Registry::start().await;
    let path = registry.stored(&body(&database, "Sales")).await;
    let script = registry.get(&format!("{path}/schema/export?format=sql")).await.text;
    let other = TestDatabase::create(Server::Postgres).await;
    make(&owner(&other).await, &script).await;
    let copy = registry.stored(&body(&other, "Copy")).await;
    let model =
        async |path: &str| registry.get(&format!("{path}/schema")).await.json()["database"]["namespaces"].clone();
    assert_eq!(model(&copy).await, model(&path).await);
}

async fn what_is_doubtful_is_told_with_its_facts() {
    let database = TestDatabase::create(Server::Postgres).await;
    let owner = owner(&database).await;
    shop(&owner).await;
    change(&owner, "CREATE INDEX one ON book (title)").await;
    change(&owner, "CREATE INDEX two ON book (title)").await;
    let registry = Registry::start().await;
    let path = registry.stored(&body(&database, "Sales")).await;
    let lint = format!("{path}/schema/lint");
    let answer = registry.get(&lint).await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/json"), "{}", answer.text);
    let found = answer.json();
    let schema = registry.get(&format!("{path}/schema")).await.json();
    for key in ["fingerprint", "taken_at", "connection_version"] {
        assert_eq!(found[key], schema[key], "{key}");
    }
    assert_eq!(found["snapshot_id"], Value::Null);
    let findings = found["findings"].as_array().expect("findings");
    let of_rule = |rule: &str| findings.iter().find(|finding| finding["rule"] == rule).expect("it was found").clone();
    let key = of_rule("unindexed-foreign-key");
    assert_eq!(
        key["object"],
        json!({"name": {"namespace": "public", "name": "film"}, "part": "foreign key film_book_fkey"})
    );
    assert_eq!((&key["severity"], &key["evidence"]["columns"]), (&json!("warning"), &json!(["book"])), "{key}");
    assert_eq!(of_rule("duplicate-index")["evidence"]["same_as"]["name"], "one");
    let hostile = hostile();
    assert!(findings.iter().any(|finding| finding["object"]["name"]["name"] == hostile.as_str()), "{found}");
    let count = |found: &Value, severity: &str| {
        found["findings"].as_array().expect("findings").iter().filter(|finding| finding["severity"] == severity).count()
    };
    for severity in ["error", "warning", "notice"] {
        assert_eq!(found["counts"][severity], count(&found, severity), "{severity}");
    }
    assert!(count(&found, "notice") > 0 && count(&found, "warning") > 0, "{found}");

    let known = registry.ask(Method::GET, &lint, &[("if-none-match", answer.header("etag"))], None).await;
    assert_eq!((known.status.as_u16(), known.text.as_str()), (304, ""));
    let warnings = registry.get(&format!("{lint}?severity=warning")).await.json();
    assert_eq!((count(&warnings, "notice"), &warnings["counts"]["notice"]), (0, &json!(0)));
    assert_eq!(warnings["counts"]["warning"], found["counts"]["warning"]);
    let one = registry.get(&format!("{lint}?rule=duplicate-index")).await.json();
    assert_eq!(
        (&one["counts"], &one["findings"][0]),
        (&json!({"error": 0, "warning": 1, "notice": 0}), &of_rule("duplicate-index"))
    );
    let refused = registry.get(&format!("{lint}?rule=taste&severity=fatal&format=json")).await;
    assert_eq!(faults(&refused), ["format unknown_parameter", "rule unknown_rule", "severity unknown_severity"]);
    assert!(refused.text.contains("the rules are no-primary-key, "), "{}", refused.text);
    let audit = registry.get("/api/v1/connections/audit?action=lint_schema").await.json();
    assert_eq!(audit["items"].as_array().map(Vec::len), Some(5), "{audit}");
}

async fn a_database_among_others_is_a_file_in_every_format(server: Server) {
    let database = TestDatabase::create(server).await;
    let owner = owner(&database).await;
    change(&owner, "CREATE TABLE book (id bigint unsigned AUTO_INCREMENT PRIMARY KEY, title varchar(20))").await;
    change(&owner, "CREATE TABLE film (id int, `</text><script>` bigint unsigned, FOREIGN KEY (`</text><script>`) REFERENCES book (id))")
        .await;
    let registry = Registry::start().await;
    let path = registry.stored(&body(&database, "Sales")).await;
    let export = |format: &str| format!("{path}/schema/export?schema={}&format={format}", database.name());
    for (format, media_type, ..) in FORMATS {
        let answer = registry.get(&export(format)).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, media_type), "{}", answer.text);
        assert!(answer.text.contains("book"), "{format}: {}", answer.text);
        assert!(!is_shown(format) || !answer.text.contains("<script"), "{format}: {}", answer.text);
    }
    let sql = registry.get(&export("sql")).await;
    let table = format!("CREATE TABLE `{}`.`film` (\n  `id` int", database.name());
    assert!(sql.text.contains(&table), "{}", sql.text);
    assert!(sql.text.contains("FOREIGN KEY (`</text><script>`) REFERENCES"), "{}", sql.text);
    let found =
        registry.get(&format!("{path}/schema/lint?rule=no-primary-key&schema={}", database.name())).await.json();
    assert_eq!(
        found["findings"][0]["object"]["name"],
        json!({"namespace": database.name(), "name": "film"}),
        "{found}"
    );
}

async fn a_format_without_the_engine_says_what_there_is() {
    let table = testkit::dynamodb::table().await;
    let registry = Registry::start().await;
    let path = registry.stored(&super::testing::dynamodb(&table)).await;
    let export = |format: &str| format!("{path}/schema/export?format={format}");
    let refused = registry.get(&export("sql")).await;
    assert_eq!(faults(&refused), ["format not_for_engine"]);
    let others = "there are json, mermaid, dbml, plantuml, dot, markdown, svg";
    assert_eq!(message(&refused), format!("`sql` is not written for databases of `dynamodb`; {others}"));
    // Neither is it for whoever has something already.
    let known = registry.ask(Method::GET, &export("sql"), &[("if-none-match", "*")], None).await;
    assert_eq!(faults(&known), ["format not_for_engine"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_kept_is_exported_and_judged_as_what_is_there() {
    let folder = tempfile::tempdir().expect("a folder");
    let (registry, path, owner) = shelf(folder.path(), |_| {}).await;
    change(&owner, "CREATE TABLE book (id INTEGER PRIMARY KEY, title TEXT NOT NULL) STRICT").await;
    change(&owner, "CREATE TABLE \"a;b\" (\"x\"\"y\" INTEGER REFERENCES book (id))").await;
    let snapshot = taken(&registry, &path).await;
    let now = async |what: &str| registry.get(&format!("{path}/schema/{what}")).await;
    let then = async |what: &str| registry.get(&format!("{snapshot}/{what}")).await;
    for format in ["sql", "svg", "json", "markdown"] {
        let (one, other) =
            (now(&format!("export?format={format}")).await, then(&format!("export?format={format}")).await);
        assert_eq!((other.status.as_u16(), &other.text), (200, &one.text), "{format}");
        for header in ["content-type", "etag", "bindery-omissions", "content-security-policy"] {
            assert_eq!(other.header(header), one.header(header), "{format}");
        }
        let id = snapshot.rsplit('/').next().expect("an id");
        let name = other.header("content-disposition");
        assert!(name.starts_with(&format!("attachment; filename=\"snapshot {id}.")), "{name}");
        let tag = [("if-none-match", one.header("etag"))];
        let known = registry.ask(Method::GET, &format!("{snapshot}/export?format={format}"), &tag, None).await;
        assert_eq!((known.status.as_u16(), known.text.as_str()), (304, ""));
    }
    assert!(
        now("export?format=sql").await.text.contains("CREATE TABLE \"a;b\" (\"x\"\"y\" INTEGER REFERENCES book (id));")
    );
    let (one, other) = (now("lint").await.json(), then("lint").await.json());
    assert_eq!((&one["findings"], &one["counts"]), (&other["findings"], &other["counts"]));
    assert!(other["counts"]["warning"].as_u64().is_some_and(|count| count > 0), "{other}");
    assert!(snapshot.ends_with(other["snapshot_id"].as_str().expect("an id")), "{other}");
    let tag = then("lint").await.header("etag").to_owned();
    let known = registry.ask(Method::GET, &format!("{snapshot}/lint"), &[("if-none-match", &tag)], None).await;
    assert_eq!((known.status.as_u16(), known.text.as_str()), (304, ""));

    // The file changes, and what was kept of it does not.
    let before = then("export?format=sql").await.text;
    change(&owner, "DROP TABLE \"a;b\"").await;
    assert!(!now("export?format=sql&refresh=true").await.text.contains("a;b"));
    assert_eq!(then("export?format=sql").await.text, before);
    for action in ["export_snapshot", "lint_snapshot"] {
        let audit = registry.get(&format!("{CONNECTIONS}/audit?action={action}&outcome=ok")).await.json();
        assert!(audit["items"].as_array().is_some_and(|items| items.len() >= 2), "{action}: {audit}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_in_a_way_that_cannot_be_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let (registry, path, _owner) = shelf(folder.path(), |_| {}).await;
    let snapshot = taken(&registry, &path).await;
    for export in [format!("{path}/schema/export"), format!("{snapshot}/export")] {
        let missing = registry.get(&export).await;
        assert_eq!(faults(&missing), ["format required"]);
        let formats = "json, sql, mermaid, dbml, plantuml, dot, markdown, svg";
        assert_eq!(message(&missing), format!("`format` is required: one of {formats}"));
        for format in ["pdf", "SVG", "", "svg%00", "..%2Fsvg", "svg+xml"] {
            let unknown = registry.get(&format!("{export}?format={format}")).await;
            assert_eq!(faults(&unknown), ["format unknown_format"], "{format}");
            assert_eq!(message(&unknown), format!("the formats are {formats}"));
        }
        assert_eq!(
            faults(&registry.get(&format!("{export}?format=svg&format=dot")).await),
            ["format repeated_parameter"]
        );
        assert_eq!(faults(&registry.get(&format!("{export}?format=svg&tables=x")).await), ["tables unknown_parameter"]);
        let svg = format!("{export}?format=svg");
        for (accept, status) in [("image/*", 200), ("*/*", 200), ("image/svg+xml", 200), ("application/json", 406)] {
            let answer = registry.ask(Method::GET, &svg, &[("accept", accept)], None).await;
            assert_eq!(answer.status, status, "{accept}: {}", answer.text);
        }
        let post = registry.ask(Method::POST, &svg, &[], None).await;
        post.is_problem(405, "method-not-allowed");
    }
    for lint in [format!("{path}/schema/lint"), format!("{snapshot}/lint")] {
        let answer = registry.ask(Method::GET, &lint, &[("accept", "text/html")], None).await;
        answer.is_problem(406, "not-acceptable");
        assert_eq!(faults(&registry.get(&format!("{lint}?severity=")).await), ["severity unknown_severity"]);
    }
    let id = snapshot.rsplit('/').next().expect("an id");
    for nothing in [
        format!("{CONNECTIONS}/{NOBODY}/schema/export?format=svg"),
        format!("{CONNECTIONS}/x/schema/export?format=svg"),
        format!("{CONNECTIONS}/{NOBODY}/schema/lint"),
        format!("{path}/snapshots/{NOBODY}/export?format=svg"),
        format!("{path}/snapshots/{NOBODY}/lint"),
        format!("{CONNECTIONS}/{NOBODY}/snapshots/{id}/export?format=svg"),
        format!("{CONNECTIONS}/{NOBODY}/snapshots/{id}/lint"),
    ] {
        registry.get(&nothing).await.is_problem(404, "not-found");
        registry.ask(Method::GET, &nothing, &[("if-none-match", "*")], None).await.is_problem(404, "not-found");
    }
}

async fn no_secret_is_in_an_export() {
    let database = TestDatabase::create(Server::Postgres).await;
    shop(&owner(&database).await).await;
    let registry = Registry::start().await;
    let stored = body(&database, "Sales");
    let path = registry.stored(&stored).await;
    let secret = stored["password"].as_str().expect("it has one");
    for (format, ..) in FORMATS {
        let answer = registry.get(&format!("{path}/schema/export?format={format}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert!(!answer.text.contains(secret), "{format}");
    }
    assert!(!registry.get(&format!("{path}/schema/lint")).await.text.contains(secret));
    // Nor where nobody gets in.
    registry.change(Method::PATCH, &path, &json!({"password": CANARY})).await;
    for what in ["export?format=svg", "lint"] {
        let refused = registry.get(&format!("{path}/schema/{what}")).await;
        refused.is_problem(409, "connection-unusable");
        assert!(!refused.text.contains(CANARY) && !refused.text.contains("p@ss"), "{}", refused.text);
    }
}
