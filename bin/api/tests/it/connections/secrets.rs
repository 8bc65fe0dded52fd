use reqwest::Method;
use serde_json::json;

use super::{CANARY, Registry, sales};

/// What is left of the canary in a text, however it was written.
fn holds(text: &str) -> bool {
    ["p@ss", "ss/w", "p%40ss", "cEBzcy93", r"p\u0040ss"].iter().any(|piece| text.contains(piece))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_in_no_answer() {
    let registry = Registry::start().await;
    let created = registry.post(&sales()).await;
    let path = created.header("location").to_owned();
    let encoded = "p%40ss%2Fw%3Ard%25%3F%23%22%27%5C%F0%9F%98%80";
    let mut answers = vec![created];
    for url in [
        format!("mysql://ann:{encoded}@db.example/sales"),
        format!("mysql://ann:{encoded}@db.example/sales?ca_file=/etc/passwd"),
        format!("mysql://ann:{CANARY}@db.example/sales"),
        format!("mysql://ann@db.example/sales?tls={encoded}"),
        CANARY.to_owned(),
    ] {
        answers.push(registry.post(&json!({"name": "By URL", "url": url})).await);
    }
    for body in [
        json!({"name": "A", "engine": "mysql", "host": CANARY, "username": "u", "password": CANARY}),
        json!({"name": "A", "engine": "mysql", "host": "h", "username": "u", "password": [CANARY]}),
        json!({"name": "A", "engine": "sqlite", "path": "a.db", "password": CANARY}),
        json!({"name": "Sales", "engine": "mysql", "host": "h", "username": "u", "password": CANARY}),
        json!({"name": "A", "engine": "mysql", "host": "h", "username": "u", "tls": {"client_key": CANARY}}),
    ] {
        answers.push(registry.post(&body).await);
    }
    let raw = format!("{{\"password\": \"{}\"", "p@ss/w:rd");
    let token = format!("Bearer {}", super::TOKEN);
    let headers = [("authorization", token.as_str()), ("content-type", "application/json")];
    answers.push(registry.service.send(Method::POST, "/api/v1/connections", &headers, Some(raw.into_bytes())).await);
    for patch in
        [json!({"password": CANARY}), json!({"password": {"is": CANARY}}), json!({"host": "x", "password": CANARY})]
    {
        answers.push(registry.change(Method::PATCH, &path, &patch).await);
    }
    answers.push(registry.get(&path).await);
    answers.push(registry.get("/api/v1/connections").await);
    answers.push(registry.service.get("/metrics").await);
    answers.push(registry.service.get("/openapi.json").await);
    assert!(answers.iter().any(|answer| answer.status == 201) && answers.iter().any(|answer| answer.status == 422));
    for answer in answers {
        assert!(!holds(&answer.text) && !holds(&format!("{:?}", answer.headers)), "{}", answer.text);
    }
}
