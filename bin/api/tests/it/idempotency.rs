use std::path::Path;
use std::time::Duration;

use chrono::TimeDelta;
use connection_manager::ConnectionSettings;
use reqwest::Method;
use serde_json::json;
use shared_kernel::database::RawStatement;
use shared_kernel::{Clock as _, RequestContext, SystemClock};
use testkit::eventually_some;

use crate::support::Service;

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_sent_twice_creates_once_and_is_answered_with_the_same_bytes() {
    let service = Service::start().await;
    let key = [("idempotency-key", "order-66")];
    for (path, body) in [
        ("/api/v1/users", r#"{"name":"Ada","email":"ada@example.org"}"#),
        ("/api/v1/books", r#"{"title":"T","authors":["A"],"isbn":"9780140447934"}"#),
    ] {
        let headers = [key[0], ("content-type", "application/json")];
        let first = service.send(Method::POST, path, &headers, Some(body.as_bytes().to_vec())).await;
        assert_eq!(first.status, 201, "{}", first.text);
        assert_eq!(first.header("idempotency-replayed"), "");
        // Other white space, the same request.
        let spaced = body.replace(',', " ,\n ");
        let again = service.send(Method::POST, path, &headers, Some(spaced.into_bytes())).await;
        assert_eq!((again.status.as_u16(), &again.text), (201, &first.text));
        assert_eq!(again.header("idempotency-replayed"), "true");
        for header in ["location", "etag", "content-type", "content-length"] {
            assert_eq!(again.header(header), first.header(header), "{header}");
        }
        assert_eq!(service.get(path).await.json()["items"].as_array().map(Vec::len), Some(1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_is_the_first_answer_even_when_the_user_has_changed_since() {
    let service = Service::start().await;
    let key = [("idempotency-key", "k")];
    let body = json!({"name": "Ada", "email": "ada@example.org"});
    let first = service.json(Method::POST, "/api/v1/users", &key, &body).await;
    let path = first.header("location").to_owned();
    service.json(Method::PATCH, &path, &[("if-match", "*")], &json!({"name": "Ada King"})).await;
    let again = service.json(Method::POST, "/api/v1/users", &key, &body).await;
    assert_eq!((again.status.as_u16(), &again.text), (201, &first.text));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_body_under_the_same_key_is_refused() {
    let service = Service::start().await;
    let key = [("idempotency-key", "k")];
    let body = json!({"name": "Ada", "email": "ada@example.org"});
    assert_eq!(service.json(Method::POST, "/api/v1/users", &key, &body).await.status, 201);
    let other = json!({"name": "Ada", "email": "eve@example.org"});
    service.json(Method::POST, "/api/v1/users", &key, &other).await.is_problem(422, "idempotency-key-reused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_leaves_the_key_free() {
    let service = Service::start().await;
    let key = [("idempotency-key", "k")];
    let taken = json!({"name": "Ada", "email": "ada@example.org"});
    service.created("/api/v1/users", &taken).await;
    service.json(Method::POST, "/api/v1/users", &key, &taken).await.is_problem(409, "already-exists");
    let free = json!({"name": "Eve", "email": "eve@example.org"});
    let created = service.json(Method::POST, "/api/v1/users", &key, &free).await;
    assert_eq!(created.status, 201, "{}", created.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn twins_that_arrive_together_create_once() {
    let service = Service::start().await;
    let key = [("idempotency-key", "twins")];
    let body = json!({"name": "Ada", "email": "ada@example.org"});
    let answers = (0..8).map(|_| service.json(Method::POST, "/api/v1/users", &key, &body));
    let answers = futures_util::future::join_all(answers).await;
    let bodies: std::collections::HashSet<_> = answers.iter().map(|answer| answer.text.as_str()).collect();
    assert!(answers.iter().all(|answer| answer.status == 201), "{answers:?}");
    assert_eq!(bodies.len(), 1);
    let first_answers = answers.iter().filter(|answer| answer.header("idempotency-replayed").is_empty()).count();
    assert_eq!(first_answers, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_visible_ascii() {
    let service = Service::start().await;
    let body = json!({"name": "Ada", "email": "ada@example.org"});
    for key in ["a b", "", "clé", &"x".repeat(256)] {
        let answer = service.json(Method::POST, "/api/v1/users", &[("idempotency-key", key)], &body).await;
        assert_eq!(answer.is_problem(400, "malformed-request").faults(), ["Idempotency-Key invalid_idempotency_key"]);
    }
}

/// Receipts of a context: their keys, in order.
async fn keys(file: &Path, table: &'static str) -> Vec<String> {
    let connection = testkit::connect(ConnectionSettings::sqlite(file)).await.expect("the file opens");
    let text = format!("SELECT idempotency_key FROM {table} ORDER BY idempotency_key");
    let statement = RawStatement::everywhere("SELECT", text).into();
    let rows = connection.sql().expect("SQL").query(&statement, &RequestContext::system()).await.expect("an answer");
    connection.close(Duration::ZERO).await;
    rows.iter().map(|row| row.get("idempotency_key").expect("a text")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_of_yesterday_are_swept_and_others_are_kept() {
    let mut before = Service::start().await;
    before.stop();
    before.ended().await.expect("a good end");
    let data = before.folder.path().join("data");
    let tables = [
        ("users.sqlite3", "user_receipts"),
        ("books.sqlite3", "book_receipts"),
        ("registry.sqlite3", "connection_receipts"),
    ];
    for (file, table) in tables {
        let connection = testkit::connect(ConnectionSettings::sqlite(data.join(file))).await.expect("the file opens");
        let sql = connection.sql().expect("SQL");
        for (key, age) in [("old", TimeDelta::hours(25)), ("young", TimeDelta::hours(23))] {
            let columns = "scope, idempotency_key, request_digest, answer, created_at";
            let text = format!("INSERT INTO {table} ({columns}) VALUES (?, ?, ?, ?, ?)");
            let insert = RawStatement::everywhere("INSERT", text)
                .bind(vec![0_u8; 32])
                .bind(key)
                .bind(vec![0_u8; 32])
                .bind(vec![0_u8])
                .bind(SystemClock.now() - age);
            sql.execute(&insert.into(), &RequestContext::system()).await.expect("written");
        }
        connection.close(Duration::ZERO).await;
        assert_eq!(keys(&data.join(file), table).await, ["old", "young"], "{table}");
    }
    let _service = Service::configured(|config| {
        let server = config.server.clone();
        *config = api::Config::embedded(&data);
        config.server = server;
    })
    .await;
    for (file, table) in tables {
        let kept = || async { (keys(&data.join(file), table).await == ["young"]).then_some(()) };
        eventually_some(Duration::from_secs(20), kept).await;
    }
}
