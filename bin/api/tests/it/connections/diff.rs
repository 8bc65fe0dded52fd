//! What has changed since a schema was kept.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Server, TestDatabase};

use super::snapshots::{NOBODY, change, shelf, taken};
use super::testing::body;
use super::{CONNECTIONS, Registry};

mod on_servers {
    mod postgres {
        #[test]
        fn changes_are_told_one_by_one_with_what_they_break() {
            testkit::run(super::super::changes_are_told_one_by_one_with_what_they_break());
        }
    }
}

fn id(path: &str) -> &str {
    path.rsplit('/').next().expect("an id")
}

/// Each change as kind, name, part, action, aspect and impact.
fn lines(diff: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let line = |change: &Value| {
        let words = [&change["kind"], &change["object"]["name"], &change["part"], &change["action"], &change["impact"]];
        words.map(text).join(" ")
    };
    diff["changes"].as_array().expect("changes").iter().map(line).collect()
}

async fn changes_are_told_one_by_one_with_what_they_break() {
    let database = TestDatabase::create(Server::Postgres).await;
    let owner = testkit::connect(database.settings()).await.expect("a connection");
    change(&owner, "CREATE TABLE book (id integer PRIMARY KEY, title varchar(80), pages integer)").await;
    let registry = Registry::start().await;
    let path = registry.stored(&body(&database, "Sales")).await;
    let first = taken(&registry, &path).await;
    let diff = async |query: &str| {
        let answer = registry.get(&format!("{path}/diff?{query}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    };
    let since_first = format!("from={}", id(&first));
    let same = diff(&since_first).await;
    assert_eq!((&same["verdict"], &same["changes"]), (&json!("equal"), &json!([])), "{same}");
    assert_eq!((&same["from"]["snapshot_id"], &same["to"]["snapshot_id"]), (&json!(id(&first)), &Value::Null));
    assert_eq!(same["from"]["fingerprint"], same["to"]["fingerprint"]);

    // The database is looked at each time, whatever is kept of its schema.
    change(&owner, "ALTER TABLE book ADD COLUMN isbn text").await;
    let wider = diff(&since_first).await;
    assert_eq!(
        (&wider["verdict"], lines(&wider)),
        (&json!("compatible"), vec!["column book isbn added compatible".to_owned()])
    );
    change(&owner, "ALTER TABLE book RENAME TO volume").await;
    change(&owner, "ALTER TABLE volume DROP COLUMN pages").await;
    let second = taken(&registry, &path).await;
    let to_second = format!("{since_first}&to={}", id(&second));
    let broken = diff(&to_second).await;
    assert_eq!((&broken["verdict"], &broken["depth"]), (&json!("breaking"), &json!("whole")), "{broken}");
    assert!(lines(&broken).contains(&"relation volume - renamed breaking".to_owned()), "{broken}");
    assert!(lines(&broken).contains(&"column volume pages removed breaking".to_owned()), "{broken}");
    assert_eq!(broken["to"]["snapshot_id"], id(&second));
    // A part is compared with itself alone: what is outside of it would seem to be gone.
    let part = registry.change(Method::POST, &format!("{path}/snapshots"), &json!({"schema": "public"})).await;
    let part = id(part.header("location")).to_owned();
    let refused = registry.get(&format!("{path}/diff?{since_first}&to={part}")).await;
    assert_eq!(refused.is_problem(400, "invalid-query").faults(), ["to different_parts"]);
    assert_eq!(diff(&format!("from={part}")).await["verdict"], "equal");
    // What was kept is compared without asking the database.
    registry.change(Method::PATCH, &path, &json!({"username": "nobody", "password": "x"})).await;
    assert_eq!(diff(&to_second).await, broken);
    registry.get(&format!("{path}/diff?{since_first}")).await.is_problem(409, "connection-unusable");
    let audit = registry.get(&format!("{CONNECTIONS}/audit?action=diff_schema")).await.json();
    assert_eq!(audit["items"].as_array().map(Vec::len), Some(7), "{audit}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_is_compared_with_that_of_another_connection() {
    let folder = tempfile::tempdir().expect("a folder");
    let (registry, path, owner) = shelf(folder.path(), |_| {}).await;
    let other = connection_manager::ConnectionSettings::sqlite(folder.path().join("other.db"));
    let other = testkit::connect(other).await.expect("made");
    for connection in [&owner, &other] {
        change(connection, "CREATE TABLE book (id integer PRIMARY KEY, title text)").await;
    }
    change(&other, "CREATE TABLE film (id integer PRIMARY KEY)").await;
    let elsewhere = registry.stored(&json!({"name": "Other", "engine": "sqlite", "path": "other.db"})).await;
    let (mine, theirs) = (taken(&registry, &path).await, taken(&registry, &elsewhere).await);
    let (mine, theirs) = (id(&mine), id(&theirs));
    let diff = registry.get(&format!("{path}/diff?from={mine}&to={theirs}")).await;
    assert_eq!(diff.status, 200, "{}", diff.text);
    let diff = diff.json();
    assert_eq!(
        (&diff["verdict"], lines(&diff)),
        (&json!("compatible"), vec!["relation film - added compatible".to_owned()])
    );
    assert_eq!(diff["to"]["connection_id"], id(&elsewhere));

    // It begins with one of its own.
    for query in [
        format!("from={theirs}"),
        format!("from={theirs}&to={mine}"),
        format!("from={NOBODY}"),
        format!("from={mine}&to={NOBODY}"),
    ] {
        registry.get(&format!("{path}/diff?{query}")).await.is_problem(404, "not-found");
    }
    registry.get(&format!("{CONNECTIONS}/{NOBODY}/diff?from={mine}")).await.is_problem(404, "not-found");
    let refused = registry.get(&format!("{path}/diff?to=x&since=1")).await;
    assert_eq!(
        refused.is_problem(400, "invalid-query").faults(),
        ["since unknown_parameter", "to invalid_id", "from required"]
    );
    registry.service.get(&format!("{path}/diff?from={mine}")).await.is_problem(401, "unauthenticated");
}
