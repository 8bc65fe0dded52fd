use reqwest::Method;
use serde_json::json;

use crate::support::{Service, Steady};

#[tokio::test(flavor = "multi_thread")]
async fn a_user_lives_from_post_to_delete() {
    let service = Service::start().await;
    let mut steady = Steady::default();
    let created = service.post("/api/v1/users", &json!({"name": " Ada Lovelace ", "email": "Ada@Example.org"})).await;
    assert_eq!(created.status, 201, "{}", created.text);
    assert_eq!(created.header("etag"), "\"r1-v1\"");
    insta::assert_snapshot!("user_created", steady.text(&created.text));

    let path = created.header("location").to_owned();
    assert!(path.starts_with("/api/v1/users/"), "{path}");
    let read = service.get(&path).await;
    assert_eq!((read.status.as_u16(), read.header("etag"), &read.text), (200, "\"r1-v1\"", &created.text));

    let replacement = json!({"name": "Ada King", "email": "ada@example.org"});
    let replaced = service.json(Method::PUT, &path, &[("if-match", "\"r1-v1\"")], &replacement).await;
    assert_eq!((replaced.status.as_u16(), replaced.header("etag")), (200, "\"r1-v2\""), "{}", replaced.text);
    insta::assert_snapshot!("user_replaced", steady.text(&replaced.text));

    let merge = [("if-match", "\"r1-v2\""), ("content-type", "application/merge-patch+json")];
    let patched = service.send(Method::PATCH, &path, &merge, Some(br#"{"status":"suspended"}"#.to_vec())).await;
    assert_eq!((patched.status.as_u16(), patched.header("etag")), (200, "\"r1-v3\""), "{}", patched.text);
    assert_eq!(patched.json()["status"], "suspended");

    let deleted = service.send(Method::DELETE, &path, &[("if-match", "\"r1-v3\"")], None).await;
    assert_eq!((deleted.status.as_u16(), deleted.text.as_str()), (204, ""));
    service.get(&path).await.is_problem(404, "not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_belongs_to_one_user_whatever_its_case() {
    let service = Service::start().await;
    service.created("/api/v1/users", &json!({"name": "Ada", "email": "ada@example.org"})).await;
    let taken = service.post("/api/v1/users", &json!({"name": "Eve", "email": "ADA@example.org"})).await;
    assert_eq!(taken.is_problem(409, "already-exists").faults(), ["/email taken"]);

    let (path, tag) = service.created("/api/v1/users", &json!({"name": "Eve", "email": "eve@example.org"})).await;
    let change = json!({"email": "Ada@Example.org"});
    let taken = service.json(Method::PATCH, &path, &[("if-match", &tag)], &change).await;
    assert_eq!(taken.is_problem(409, "already-exists").faults(), ["/email taken"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_read_can_be_put_back_and_read_only_fields_cannot_change() {
    let service = Service::start().await;
    let (path, tag) = service.created("/api/v1/users", &json!({"name": "Ada", "email": "ada@example.org"})).await;
    let mut body = service.get(&path).await.json();
    let same = service.json(Method::PUT, &path, &[("if-match", &tag)], &body).await;
    assert_eq!((same.status.as_u16(), same.header("etag")), (200, tag.as_str()), "{}", same.text);

    body["id"] = json!("0190163d-8694-739b-aea5-966c26f8ad91");
    body["status"] = json!("suspended");
    body["created_at"] = json!("2001-01-01T00:00:00Z");
    let refused = service.json(Method::PUT, &path, &[("if-match", &tag)], &body).await;
    let expected = ["/id read_only", "/status read_only", "/created_at read_only"];
    assert_eq!(refused.is_problem(422, "validation").faults(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_is_told_at_once() {
    let service = Service::start().await;
    let answer = service.post("/api/v1/users", &json!({"name": "", "email": "nobody", "admin": true})).await;
    answer.is_problem(422, "validation");
    insta::assert_snapshot!("user_faults", Steady::default().text(&answer.text));
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_need_the_present_version() {
    let service = Service::start().await;
    let (path, tag) = service.created("/api/v1/users", &json!({"name": "Ada", "email": "ada@example.org"})).await;
    let change = json!({"name": "Ada King"});
    service.json(Method::PATCH, &path, &[], &change).await.is_problem(428, "precondition-required");
    service.send(Method::DELETE, &path, &[], None).await.is_problem(428, "precondition-required");
    for stale in ["\"r1-v2\"", "W/\"r1-v1\"", "\"r0-v1\"", "\"other\""] {
        service
            .json(Method::PATCH, &path, &[("if-match", stale)], &change)
            .await
            .is_problem(412, "precondition-failed");
        service.send(Method::DELETE, &path, &[("if-match", stale)], None).await.is_problem(412, "precondition-failed");
    }
    let list = format!("\"other\", {tag}");
    let changed = service.json(Method::PATCH, &path, &[("if-match", &list)], &change).await;
    assert_eq!(changed.header("etag"), "\"r1-v2\"", "{}", changed.text);
    let deleted = service.send(Method::DELETE, &path, &[("if-match", "*")], None).await;
    assert_eq!(deleted.status, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_404_whatever_the_method() {
    let service = Service::start().await;
    let body = json!({"name": "Ada", "email": "ada@example.org"});
    for id in ["0190163d-8694-739b-aea5-966c26f8ad91", "7", "0190163d8694739baea5966c26f8ad91"] {
        let path = format!("/api/v1/users/{id}");
        let headers = [("if-match", "\"r1-v1\"")];
        service.get(&path).await.is_problem(404, "not-found");
        service.json(Method::PUT, &path, &headers, &body).await.is_problem(404, "not-found");
        service.json(Method::PUT, &path, &[("if-match", "*")], &body).await.is_problem(404, "not-found");
        service.json(Method::PATCH, &path, &headers, &body).await.is_problem(404, "not-found");
        service.send(Method::DELETE, &path, &headers, None).await.is_problem(404, "not-found");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_has_the_version_gets_304() {
    let service = Service::start().await;
    let (path, tag) = service.created("/api/v1/users", &json!({"name": "Ada", "email": "ada@example.org"})).await;
    for known in [tag.clone(), format!("W/{tag}"), "*".to_owned(), format!("\"x\", {tag}")] {
        let answer = service.send(Method::GET, &path, &[("if-none-match", &known)], None).await;
        assert_eq!((answer.status.as_u16(), answer.header("etag"), answer.text.as_str()), (304, tag.as_str(), ""));
    }
    let answer = service.send(Method::GET, &path, &[("if-none-match", "\"r1-v9\"")], None).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_writers_with_one_version_exactly_one_wins() {
    let service = Service::start().await;
    let (path, tag) = service.created("/api/v1/users", &json!({"name": "Ada", "email": "ada@example.org"})).await;
    let names: Vec<String> = (0..8).map(|number| format!("Ada {number}")).collect();
    let headers = [("if-match", tag.as_str())];
    let bodies: Vec<_> = names.iter().map(|name| json!({"name": name})).collect();
    let answers = bodies.iter().map(|body| service.json(Method::PATCH, &path, &headers, body));
    let answers = futures_util::future::join_all(answers).await;
    let winners: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(winners.len(), 1, "{answers:?}");
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        answer.is_problem(412, "precondition-failed");
    }
    assert_eq!(service.get(&path).await.text, winners[0].text);
}
