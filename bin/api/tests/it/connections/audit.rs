use std::collections::BTreeSet;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use reqwest::Method;
use serde_json::json;
use shared_kernel::RequestContext;
use shared_kernel::database::{RawStatement, Row};
use testkit::eventually_some;
use tokio::net::TcpListener;

use super::{CANARY, NOBODY, Registry, TOKEN, calls, sales};

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
    registry.get("/api/v1/connections/audit?limit=1").await;
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
            "tests read_audit 0 ok 200 1",
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
async fn no_resource_is_left_out() {
    let registry = Registry::start().await;
    let calls = calls(NOBODY);
    for (method, path) in &calls {
        // Whatever comes of it.
        registry.change(method.clone(), path, &json!({})).await;
    }
    let entries = entries(&registry).await;
    assert_eq!(entries.len(), calls.len(), "{entries:#?}");
    let actions: BTreeSet<&str> = entries.iter().filter_map(|entry| entry.split(' ').nth(1)).collect();
    // What is not stored is tested as what is.
    assert_eq!(actions.len(), calls.len() - 1, "each is called something else: {actions:?}");
    assert!(!actions.contains("other"), "{entries:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_caller_has_left_is_written_down() {
    let registry = Registry::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let body = json!({"name": "A", "engine": "postgres", "host": "127.0.0.1", "port": port, "username": "u"});
    let call = registry.ask(Method::POST, "/api/v1/connections/test", &[], Some(&body));
    // The caller leaves once somebody is asked on its behalf, who says nothing.
    let (asked, _) = {
        let (call, asked) = (pin!(call), pin!(listener.accept()));
        match select(call, asked).await {
            Either::Left((answer, _)) => panic!("nobody was asked: {}", answer.text),
            Either::Right((asked, _)) => asked.expect("a client"),
        }
    };
    let written = eventually_some(Duration::from_mins(1), async || {
        let entries = entries(&registry).await;
        (!entries.is_empty()).then_some(entries)
    });
    assert_eq!(written.await, [" test 0 unfinished 503 1"]);
    drop(asked);
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

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_read_in_pages_and_by_filters() {
    const AUDIT: &str = "/api/v1/connections/audit";
    let registry = Registry::start().await;
    let path = registry.stored(&sales()).await;
    let id = path.rsplit('/').next().expect("an id");
    registry.get(&path).await;
    registry.service.get(&path).await;
    registry.ask(Method::DELETE, &path, &[("if-match", "*")], None).await;
    registry.get(&path).await;
    let page = async |query: &str| {
        let answer = registry.get(&format!("{AUDIT}?{query}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let body = answer.json();
        let line = |item: &serde_json::Value| {
            assert!(item["occurred_at"].as_str().is_some_and(|instant| instant.len() == 27), "{item}");
            assert_eq!(item["trace_id"].as_str().map(str::len), Some(32), "{item}");
            let text = |key: &str| item[key].as_str().unwrap_or("-").to_owned();
            let about = if text("connection_id") == id { "it" } else { "none" };
            format!("{} {} {about} {} {}", text("actor"), text("action"), text("outcome"), item["status"])
        };
        let lines: Vec<String> = body["items"].as_array().expect("items").iter().map(line).collect();
        (lines, body["next_cursor"].as_str().map(str::to_owned), body["items"][0]["occurred_at"].clone())
    };
    let (all, _, _) = page("sort=occurred_at").await;
    let expected = [
        "tests create it ok 201",
        "tests read it ok 200",
        "- read it unauthenticated 401",
        "tests delete it ok 204",
        "tests read it not-found 404",
    ];
    assert_eq!(all, expected);
    // Reading it is written down, so that the latest is always a look at the log before.
    assert_eq!(page("limit=1").await.0, ["tests read_audit none ok 200"]);
    let about = format!("connection_id={id}");
    let (mut lines, mut query) = (Vec::new(), format!("{about}&limit=2"));
    loop {
        let (some, cursor, _) = page(&query).await;
        lines.extend(some);
        let Some(cursor) = cursor else { break };
        query = format!("{about}&limit=2&cursor={cursor}");
    }
    lines.reverse();
    assert_eq!(lines, expected);
    assert_eq!(page(&format!("{about}&actor=tests&action=read&outcome=ok")).await.0, [expected[1]]);
    assert_eq!(page("outcome=not-found").await.0, [expected[4]]);
    let (_, _, first) = page(&format!("{about}&action=delete")).await;
    let first = first.as_str().expect("an instant");
    assert_eq!(page(&format!("{about}&occurred_from={first}&sort=occurred_at")).await.0, expected[3..]);
    assert_eq!(page(&format!("{about}&occurred_before={first}&sort=occurred_at")).await.0, expected[..3]);

    let (_, cursor, _) = page("limit=1").await;
    let other = format!("{AUDIT}?limit=1&sort=occurred_at&cursor={}", cursor.expect("more follow"));
    registry.get(&other).await.is_problem(400, "invalid-cursor");
    let refused = "sort=actor&actor=%20&action=steal&connection_id=x&outcome=OK&occurred_from=today&q=x";
    assert_eq!(
        registry.get(&format!("{AUDIT}?{refused}")).await.is_problem(400, "invalid-query").faults(),
        [
            "q unknown_parameter",
            "sort invalid_sort",
            "actor invalid_actor",
            "action unknown_action",
            "connection_id invalid_id",
            "outcome invalid_outcome",
            "occurred_from invalid_instant",
        ]
    );
    // There is no way to write or delete an entry.
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        registry.ask(method, AUDIT, &[], None).await.is_problem(405, "method-not-allowed");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_old_enough_goes_by_itself() {
    let registry = Registry::start().await;
    let file = registry.service.folder.path().join("data/registry.sqlite3");
    registry.get("/api/v1/connections").await;
    let folder = registry.service.folder.path().join("data");
    let mut service = registry.service;
    service.stop();
    service.ended().await.expect("it ends well");
    // As if the call had been two years ago.
    let connection = testkit::connect(connection_manager::ConnectionSettings::sqlite(&file)).await.expect("opened");
    let back =
        RawStatement::everywhere("UPDATE", "UPDATE connection_audit SET occurred_at = '2020-01-01 00:00:00.000000'");
    let changed =
        connection.sql().expect("SQL").execute(&back.into(), &RequestContext::system()).await.expect("changed");
    assert_eq!(changed, 1);
    connection.close(std::time::Duration::ZERO).await;
    let registry = Registry::configured(|config| *config = with_data(config, &folder)).await;
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    let pruned = loop {
        let page = registry.get("/api/v1/connections/audit?action=prune").await.json();
        if page["items"].as_array().is_some_and(|items| !items.is_empty()) || std::time::Instant::now() > deadline {
            break page;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    };
    let entry = &pruned["items"][0];
    assert_eq!((&entry["actor"], &entry["calls"]), (&json!("service"), &json!(1)), "{pruned}");
    let left = registry.get("/api/v1/connections/audit?action=list").await.json();
    assert_eq!(left["items"], json!([]));
}

/// The same configuration over the data of a service that has ended.
fn with_data(config: &api::Config, folder: &std::path::Path) -> api::Config {
    let mut other = api::Config::embedded(folder);
    other.server = config.server.clone();
    other.registry = config.registry.clone();
    other
}
