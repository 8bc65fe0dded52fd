use reqwest::Method;
use serde_json::json;
use shared_kernel::RequestContext;
use shared_kernel::database::{RawStatement, Row};

use super::{CANARY, Registry, TOKEN, sales};

/// What was written down, one line an entry, without ids and times.
async fn entries(registry: &Registry) -> Vec<String> {
    let file = registry.service.folder.path().join("data/registry.sqlite3");
    let connection = testkit::connect(connection_manager::ConnectionSettings::sqlite(file)).await.expect("opened");
    let select = "SELECT actor, action, connection_id IS NOT NULL AS named, outcome, status, calls, trace_id, duration_ms \
                  FROM connection_audit ORDER BY id";
    let statement = RawStatement::everywhere("SELECT", select).into();
    let rows = connection.sql().expect("SQL").query(&statement, &RequestContext::system()).await.expect("rows");
    let line = |row: &Row| {
        let text = |column: &str| row.get::<Option<String>>(column).expect("a text").unwrap_or_default();
        let number = |column: &str| row.get::<i64>(column).expect("a number");
        assert_eq!(text("trace_id").len(), 32);
        assert!((0..60_000).contains(&number("duration_ms")));
        let (named, calls) = (number("named"), number("calls"));
        format!("{} {} {named} {} {} {calls}", text("actor"), text("action"), text("outcome"), number("status"))
    };
    rows.iter().map(line).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_is_written_down() {
    let registry = Registry::start().await;
    let path = registry.stored(&sales()).await;
    registry.get(&path).await;
    registry.get("/api/v1/connections?q=sales").await;
    registry.get("/api/v1/connections/engines").await;
    registry.post(&json!({"name": ""})).await;
    registry.ask(Method::PATCH, &path, &[("if-match", "\"r1-v9\"")], Some(&json!({"notes": "x"}))).await;
    registry.change(Method::PATCH, &path, &json!({"notes": "x"})).await;
    registry.change(Method::PUT, &path, &sales()).await;
    registry.ask(Method::DELETE, &path, &[("if-match", "*")], None).await;
    registry.get(&path).await;
    registry.ask(Method::POST, &path, &[], None).await;
    assert_eq!(
        entries(&registry).await,
        [
            "tests create 1 ok 201 1",
            "tests read 1 ok 200 1",
            "tests list 0 ok 200 1",
            "tests list_engines 0 ok 200 1",
            "tests create 0 validation 422 1",
            "tests patch 1 precondition-failed 412 1",
            "tests patch 1 ok 200 1",
            "tests replace 1 ok 200 1",
            "tests delete 1 ok 204 1",
            "tests read 1 not-found 404 1",
            " other 1 method-not-allowed 405 1",
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_turned_away_is_counted_and_not_written_down_each_time() {
    let registry = Registry::start().await;
    for _ in 0..20 {
        registry.service.get("/api/v1/connections").await.is_problem(401, "unauthenticated");
    }
    assert_eq!(entries(&registry).await, [" list 0 unauthenticated 401 1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_written_down() {
    let registry = Registry::start().await;
    let path = registry.stored(&sales()).await;
    registry.change(Method::PATCH, &path, &json!({"password": format!("{CANARY} 2")})).await;
    let folder = registry.service.folder.path().join("data");
    for entry in std::fs::read_dir(folder).expect("the folder") {
        let file = entry.expect("a file").path();
        let bytes = std::fs::read(&file).expect("readable");
        for secret in [CANARY, "p@ss/w", TOKEN] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "{} holds {secret}", file.display());
        }
    }
}
