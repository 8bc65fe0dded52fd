//! Schemas that are kept, over the network.

use std::path::Path;
use std::sync::Arc;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseConnection, RawStatement};
use testkit::{Server, TestDatabase};

use super::testing::body;
use super::{CANARY, CONNECTIONS, Registry, TOKEN};
use crate::support::Answer;

pub(super) const NOBODY: &str = "0190163d-8694-739b-aea5-966c26f8ad91";

mod on_servers {
    mod postgres {
        #[test]
        fn a_snapshot_stays_what_the_database_was() {
            testkit::run(super::super::a_snapshot_stays_what_the_database_was_on_postgres());
        }

        #[test]
        fn no_secret_is_in_a_snapshot() {
            testkit::run(super::super::no_secret_is_in_a_snapshot());
        }
    }
}

pub(super) async fn change(connection: &Arc<dyn DatabaseConnection>, text: &'static str) {
    let statement = RawStatement::everywhere("CREATE", text).into();
    connection.sql().expect("SQL").execute(&statement, &RequestContext::system()).await.expect("changed");
}

async fn take(registry: &Registry, path: &str, body: &Value) -> Answer {
    registry.ask(Method::POST, &format!("{path}/snapshots"), &[], Some(body)).await
}

/// Takes a snapshot and gives its path.
pub(super) async fn taken(registry: &Registry, path: &str) -> String {
    let answer = registry.ask(Method::POST, &format!("{path}/snapshots"), &[], None).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.header("location").to_owned()
}

/// What two answers about the same look have in common.
fn seen(schema: &Value) -> Vec<Value> {
    ["connection_version", "taken_at", "fingerprint", "database", "statistics", "report"]
        .map(|key| schema[key].clone())
        .to_vec()
}

async fn a_snapshot_stays_what_the_database_was(registry: &Registry, path: &str, owner: &Arc<dyn DatabaseConnection>) {
    change(owner, "CREATE TABLE book (id integer PRIMARY KEY, title varchar(80) NOT NULL)").await;
    registry.get(&format!("{path}/schema")).await;
    change(owner, "CREATE TABLE film (id integer PRIMARY KEY)").await;
    // What is kept of the schema is not good enough.
    let created = take(registry, path, &json!({"label": " before \u{1f600} "})).await;
    assert_eq!((created.status.as_u16(), created.header("etag")), (201, "\"r1-v1\""), "{}", created.text);
    let facts = created.json();
    assert_eq!((&facts["label"], &facts["schema"]), (&json!("before \u{1f600}"), &Value::Null));
    assert_eq!((&facts["relations"], &facts["connection_version"]), (&json!(2), &json!(1)), "{facts}");
    let snapshot = created.header("location").to_owned();
    assert_eq!(snapshot, format!("{path}/snapshots/{}", facts["id"].as_str().expect("an id")));

    let read = registry.get(&snapshot).await;
    assert_eq!((read.status.as_u16(), read.header("etag")), (200, "\"r1-v1\""), "{}", read.text);
    let read = read.json();
    assert_eq!(seen(&read), seen(&registry.get(&format!("{path}/schema")).await.json()));
    for (key, value) in facts.as_object().expect("facts") {
        assert_eq!(&read[key], value, "{key}");
    }
    assert!(facts["bytes"].as_u64().is_some_and(|bytes| bytes > 500), "{facts}");

    change(owner, "DROP TABLE film").await;
    assert_eq!(registry.get(&snapshot).await.json(), read);
    let known = registry.ask(Method::GET, &snapshot, &[("if-none-match", "W/\"r1-v1\"")], None).await;
    assert_eq!((known.status.as_u16(), known.text.as_str(), known.header("etag")), (304, "", "\"r1-v1\""));
    let other = registry.ask(Method::GET, &snapshot, &[("if-none-match", "\"r1-v2\"")], None).await;
    assert_eq!(other.status, 200);
    let second = registry.get(&taken(registry, path).await).await.json();
    assert_eq!((&second["relations"], &second["label"]), (&json!(1), &Value::Null));
    assert_ne!(second["fingerprint"], read["fingerprint"]);
}

async fn a_snapshot_stays_what_the_database_was_on_postgres() {
    let database = TestDatabase::create(Server::Postgres).await;
    let owner = testkit::connect(database.settings()).await.expect("a connection");
    let registry = Registry::start().await;
    let path = registry.stored(&body(&database, "Sales")).await;
    a_snapshot_stays_what_the_database_was(&registry, &path, &owner).await;

    // A part of it, whatever it is called.
    change(&owner, "CREATE SCHEMA \"old; -- \"\"stock\"").await;
    change(&owner, "CREATE TABLE \"old; -- \"\"stock\".shelf (id int)").await;
    let part = take(&registry, &path, &json!({"schema": "old; -- \"stock"})).await.json();
    assert_eq!((&part["schema"], &part["relations"]), (&json!("old; -- \"stock"), &json!(1)), "{part}");

    // The database goes, and what was kept of it stays.
    let list = registry.get(&format!("{path}/snapshots")).await.json();
    let latest = list["items"][0]["id"].as_str().expect("an id").to_owned();
    registry.change(Method::PATCH, &path, &json!({"username": "nobody", "password": "x"})).await;
    take(&registry, &path, &json!({})).await.is_problem(409, "connection-unusable");
    assert_eq!(registry.get(&format!("{path}/snapshots/{latest}")).await.status, 200);
}

/// A service with a connection to a file that has a table.
pub(super) async fn shelf(
    folder: &Path,
    change_config: impl FnOnce(&mut api::Config),
) -> (Registry, String, Arc<dyn DatabaseConnection>) {
    let owner = testkit::connect(connection_manager::ConnectionSettings::sqlite(folder.join("shelf.db"))).await;
    let root = folder.to_owned();
    let registry = Registry::configured(move |config| {
        config.registry.sqlite_root = Some(root);
        change_config(config);
    })
    .await;
    let path = registry.stored(&json!({"name": "Shelf", "engine": "sqlite", "path": "shelf.db"})).await;
    (registry, path, owner.expect("made"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_of_a_file_stays_what_the_file_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let (registry, path, owner) = shelf(folder.path(), |_| {}).await;
    a_snapshot_stays_what_the_database_was(&registry, &path, &owner).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_with_a_key_is_taken_once_and_looked_for_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let (registry, path, owner) = shelf(folder.path(), |_| {}).await;
    change(&owner, "CREATE TABLE book (id integer PRIMARY KEY)").await;
    let snapshots = format!("{path}/snapshots");
    let key = [("idempotency-key", "first")];
    let ask = async |body: Value| registry.ask(Method::POST, &snapshots, &key, Some(&body)).await;
    let first = ask(json!({"label": "one"})).await;
    assert_eq!(first.status, 201, "{}", first.text);
    // Without the file nobody could look again.
    owner.close(std::time::Duration::ZERO).await;
    std::fs::remove_file(folder.path().join("shelf.db")).expect("removed");
    registry.change(Method::PATCH, &path, &json!({"path": "other.db"})).await;
    let again = ask(json!({"schema": null, "label": "one "})).await;
    assert_eq!((again.status.as_u16(), &again.text), (201, &first.text));
    assert_eq!((again.header("idempotency-replayed"), again.header("etag")), ("true", first.header("etag")));
    assert_eq!(again.header("location"), first.header("location"));
    ask(json!({"label": "two"})).await.is_problem(422, "idempotency-key-reused");
    take(&registry, &path, &json!({"label": "one"})).await.is_problem(409, "connection-unusable");
    assert_eq!(registry.get(&snapshots).await.json()["items"].as_array().map(Vec::len), Some(1));
    // The same words for another connection are another request.
    let other = registry.stored(&json!({"name": "Other", "engine": "sqlite", "path": "other.db"})).await;
    let reused = registry.ask(Method::POST, &format!("{other}/snapshots"), &key, Some(&json!({"label": "one"}))).await;
    reused.is_problem(422, "idempotency-key-reused");
}

#[tokio::test(flavor = "multi_thread")]
async fn twins_take_one_snapshot() {
    let folder = tempfile::tempdir().expect("a folder");
    let (registry, path, _owner) = shelf(folder.path(), |_| {}).await;
    let snapshots = format!("{path}/snapshots");
    let ask = async || registry.ask(Method::POST, &snapshots, &[("idempotency-key", "k")], None).await;
    let answers = join_all((0..5).map(|_| ask())).await;
    assert!(answers.iter().all(|answer| answer.status == 201 && answer.text == answers[0].text), "{answers:?}");
    assert_eq!(registry.get(&snapshots).await.json()["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn snapshots_are_listed_from_the_latest_and_paged() {
    let folder = tempfile::tempdir().expect("a folder");
    let (registry, path, _owner) = shelf(folder.path(), |_| {}).await;
    let mut ids = Vec::new();
    for number in 0..5 {
        let answer = take(&registry, &path, &json!({"label": number.to_string()})).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        ids.insert(0, answer.json());
    }
    let snapshots = format!("{path}/snapshots");
    let (mut found, mut query) = (Vec::new(), "limit=2".to_owned());
    let mut pages = 0;
    loop {
        let page = registry.get(&format!("{snapshots}?{query}")).await.json();
        found.extend(page["items"].as_array().expect("items").clone());
        pages += 1;
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        query = format!("limit=2&cursor={cursor}");
    }
    assert_eq!((found, pages), (ids, 3));
    // A cursor is good for the connection that it is of.
    let cursor = registry.get(&format!("{snapshots}?limit=1")).await.json()["next_cursor"].clone();
    let cursor = cursor.as_str().expect("more follow");
    let other = registry.stored(&json!({"name": "Other", "engine": "sqlite", "path": "other.db"})).await;
    assert_eq!(registry.get(&format!("{other}/snapshots")).await.json(), json!({"items": [], "next_cursor": null}));
    let foreign = registry.get(&format!("{other}/snapshots?cursor={cursor}")).await;
    foreign.is_problem(400, "invalid-cursor");
    let refused = registry.get(&format!("{snapshots}?limit=0&sort=label&cursor=x")).await;
    assert_eq!(refused.is_problem(400, "invalid-query").faults(), ["sort unknown_parameter", "limit invalid_limit"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_is_found_with_its_own_connection_and_goes_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (registry, path, _owner) = shelf(folder.path(), |_| {}).await;
    let _made = testkit::connect(connection_manager::ConnectionSettings::sqlite(folder.path().join("other.db"))).await;
    let other = registry.stored(&json!({"name": "Other", "engine": "sqlite", "path": "other.db"})).await;
    let snapshot = taken(&registry, &path).await;
    let of_other = taken(&registry, &other).await;
    let id = snapshot.rsplit('/').next().expect("an id");
    let delete = async |path: &str, tag: &str| registry.ask(Method::DELETE, path, &[("if-match", tag)], None).await;
    let foreign = format!("{other}/snapshots/{id}");
    let known = [("if-none-match", "\"r1-v1\"")];
    for path in [
        &foreign,
        &format!("{path}/snapshots/{NOBODY}"),
        &format!("{path}/snapshots/x"),
        &format!("{CONNECTIONS}/{NOBODY}/snapshots/{id}"),
    ] {
        registry.get(path).await.is_problem(404, "not-found");
        registry.ask(Method::GET, path, &known, None).await.is_problem(404, "not-found");
        delete(path, "*").await.is_problem(404, "not-found");
        delete(path, "\"r1-v1\"").await.is_problem(404, "not-found");
    }
    for path in [format!("{CONNECTIONS}/{NOBODY}/snapshots"), format!("{CONNECTIONS}/x/snapshots")] {
        registry.get(&path).await.is_problem(404, "not-found");
        registry.ask(Method::POST, &path, &[], None).await.is_problem(404, "not-found");
    }
    registry.ask(Method::DELETE, &snapshot, &[], None).await.is_problem(428, "precondition-required");
    delete(&snapshot, "\"r1-v2\"").await.is_problem(412, "precondition-failed");
    delete(&snapshot, "W/\"r1-v1\"").await.is_problem(412, "precondition-failed");
    assert_eq!(registry.get(&snapshot).await.status, 200);
    assert_eq!(delete(&snapshot, "\"r1-v1\"").await.status, 204);
    registry.get(&snapshot).await.is_problem(404, "not-found");
    delete(&snapshot, "\"r1-v1\"").await.is_problem(404, "not-found");

    let last = taken(&registry, &path).await;
    assert_eq!(delete(&path, "*").await.status, 204);
    registry.get(&last).await.is_problem(404, "not-found");
    registry.get(&format!("{path}/snapshots")).await.is_problem(404, "not-found");
    assert_eq!(registry.get(&of_other).await.status, 200, "nothing else went");
    let file = registry.service.folder.path().join("data/registry.sqlite3");
    let connection = testkit::connect(connection_manager::ConnectionSettings::sqlite(file)).await.expect("opened");
    let count = RawStatement::everywhere("SELECT", "SELECT COUNT(*) AS n FROM connection_snapshots").into();
    let rows = connection.sql().expect("SQL").query(&count, &RequestContext::system()).await.expect("rows");
    assert_eq!(rows[0].get::<i64>("n").expect("a number"), 1, "the other's alone is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_has_so_many_snapshots_and_none_goes_by_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let (registry, path, _owner) = shelf(folder.path(), |config| config.registry.snapshots = 3).await;
    let first = taken(&registry, &path).await;
    // Those who come at once find the room that there is, and no more.
    let snapshots = format!("{path}/snapshots");
    let answers = join_all((0..6).map(|_| registry.ask(Method::POST, &snapshots, &[], None))).await;
    let created = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(created, 2, "{answers:?}");
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        answer.is_problem(409, "limit-reached");
        assert!(answer.text.contains("the connection has 3 snapshots"), "{}", answer.text);
    }
    assert_eq!(registry.get(&snapshots).await.json()["items"].as_array().map(Vec::len), Some(3));
    // A refusal keeps no key.
    let key = [("idempotency-key", "late")];
    registry.ask(Method::POST, &snapshots, &key, None).await.is_problem(409, "limit-reached");
    assert_eq!(registry.ask(Method::DELETE, &first, &[("if-match", "*")], None).await.status, 204);
    assert_eq!(registry.ask(Method::POST, &snapshots, &key, None).await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_caller_says_is_checked_before_anybody_looks() {
    let folder = tempfile::tempdir().expect("a folder");
    let (registry, path, _owner) = shelf(folder.path(), |_| {}).await;
    for (body, expected) in [
        (json!({"label": ""}), &["/label empty"][..]),
        (json!({"label": "x".repeat(101)}), &["/label too_long"]),
        (json!({"label": "a\nb"}), &["/label control_character"]),
        (json!({"label": 7, "schema": {}}), &["/label wrong_type", "/schema wrong_type"]),
        (json!({"schema": ""}), &["/schema empty"]),
        (json!({"schema": "a\0"}), &["/schema control_character"]),
        (json!({"schema": "x".repeat(201)}), &["/schema too_long"]),
        (json!({"name": "x", "refresh": true}), &["/name unknown_field", "/refresh unknown_field"]),
        (json!([]), &[" wrong_type"]),
    ] {
        assert_eq!(take(&registry, &path, &body).await.is_problem(422, "validation").faults(), expected, "{body}");
    }
    let snapshots = format!("{path}/snapshots");
    registry.ask(Method::POST, &format!("{snapshots}?label=x"), &[], None).await.is_problem(400, "invalid-query");
    let token = format!("Bearer {TOKEN}");
    let typed = [("authorization", token.as_str()), ("content-type", "text/plain")];
    let text = registry.service.send(Method::POST, &snapshots, &typed, Some(b"{}".to_vec())).await;
    text.is_problem(415, "unsupported-media-type");
    registry.service.get(&snapshots).await.is_problem(401, "unauthenticated");
    assert_eq!(registry.get(&snapshots).await.json()["items"], json!([]));
    // Hostile, and a label all the same.
    for label in [
        "'; DROP TABLE connection_snapshots; --",
        "<script>alert(1)</script>",
        "\"\\ %00 {{7*7}} \u{202e}",
        "\u{1f600}",
    ] {
        let answer = take(&registry, &path, &json!({"label": label})).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        let read = registry.get(answer.header("location")).await.json();
        assert_eq!(read["label"], label);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_looked_at_cannot_be_kept() {
    let registry = Registry::start().await;
    // Nobody listens there.
    for engine in ["redis", "postgres"] {
        let closed = json!({"name": engine, "engine": engine, "host": "127.0.0.1", "port": 1, "username": "u"});
        let path = registry.stored(&closed).await;
        take(&registry, &path, &json!({})).await.is_problem(409, "connection-unusable");
    }
    let audit = registry.get("/api/v1/connections/audit?action=take_snapshot&outcome=connection-unusable").await.json();
    assert_eq!(audit["items"].as_array().map(Vec::len), Some(2), "{audit}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_done_with_snapshots_is_written_down() {
    let folder = tempfile::tempdir().expect("a folder");
    let (registry, path, _owner) = shelf(folder.path(), |_| {}).await;
    let snapshot = taken(&registry, &path).await;
    registry.get(&format!("{path}/snapshots")).await;
    registry.get(&snapshot).await;
    registry.ask(Method::DELETE, &snapshot, &[("if-match", "*")], None).await;
    registry.get(&snapshot).await;
    let id = path.rsplit('/').next().expect("an id");
    let audit = format!("/api/v1/connections/audit?sort=occurred_at&connection_id={id}");
    let audit = registry.get(&audit).await.json();
    let line = |item: &Value| {
        format!(
            "{} {} {}",
            item["action"].as_str().unwrap_or_default(),
            item["outcome"].as_str().unwrap_or_default(),
            item["status"]
        )
    };
    let lines: Vec<String> = audit["items"].as_array().expect("items").iter().map(line).collect();
    assert_eq!(
        lines,
        [
            "create ok 201",
            "take_snapshot ok 201",
            "list_snapshots ok 200",
            "read_snapshot ok 200",
            "delete_snapshot ok 204",
            "read_snapshot not-found 404",
        ]
    );
}

async fn no_secret_is_in_a_snapshot() {
    let database = TestDatabase::create(Server::Postgres).await;
    let owner = testkit::connect(database.settings()).await.expect("a connection");
    change(&owner, "CREATE TABLE book (id integer PRIMARY KEY, title text)").await;
    change(&owner, "INSERT INTO book VALUES (1, 'a value of somebody''s')").await;
    let registry = Registry::start().await;
    let mut stored = body(&database, "Sales");
    let password = stored["password"].as_str().expect("a password").to_owned();
    stored["notes"] = json!(CANARY);
    let path = registry.stored(&stored).await;
    let snapshot = taken(&registry, &path).await;
    let read = registry.get(&snapshot).await;
    let list = registry.get(&format!("{path}/snapshots")).await;
    for text in [&read.text, &list.text] {
        for secret in [password.as_str(), CANARY, TOKEN, "a value of"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
    assert!(read.text.contains("\"book\""), "{}", read.text);
}
