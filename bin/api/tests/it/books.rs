use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Service, Steady};

pub(crate) fn war_and_peace() -> Value {
    json!({
        "title": "War and Peace",
        "authors": ["Leo Tolstoy", "Louise Maude"],
        "isbn": "0-14-044793-8",
        "published_on": "1869-05-01",
        "pages": 1392,
        "language": "EN-gb",
        "price": {"amount": "12.50", "currency": "eur"},
        "description": "Five families.\nMany battles.",
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_book_lives_from_post_to_delete() {
    let service = Service::start().await;
    let mut steady = Steady::default();
    let created = service.post("/api/v1/books", &war_and_peace()).await;
    assert_eq!((created.status.as_u16(), created.header("etag")), (201, "\"r1-v1\""), "{}", created.text);
    insta::assert_snapshot!("book_created", steady.text(&created.text));
    let path = created.header("location").to_owned();
    assert_eq!(service.get(&path).await.text, created.text);

    let least = json!({"title": "W", "authors": ["L"], "isbn": "9780140447934"});
    let replaced = service.json(Method::PUT, &path, &[("if-match", "\"r1-v1\"")], &least).await;
    assert_eq!((replaced.status.as_u16(), replaced.header("etag")), (200, "\"r1-v2\""), "{}", replaced.text);
    insta::assert_snapshot!("book_replaced", steady.text(&replaced.text));

    let deleted = service.send(Method::DELETE, &path, &[("if-match", "\"r1-v2\"")], None).await;
    assert_eq!(deleted.status, 204);
    service.get(&path).await.is_problem(404, "not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patch_sets_clears_and_keeps() {
    let service = Service::start().await;
    let (path, _) = service.created("/api/v1/books", &war_and_peace()).await;
    let changes = json!({"pages": null, "price": {"amount": "9.99"}, "title": "Peace"});
    let patched = service.json(Method::PATCH, &path, &[("if-match", "*")], &changes).await;
    let body = patched.json();
    assert_eq!(body["pages"], Value::Null, "{body}");
    assert_eq!(body["price"], json!({"amount": "9.99", "currency": "EUR"}));
    assert_eq!((&body["title"], &body["language"]), (&json!("Peace"), &json!("en-GB")));

    let other_currency = json!({"price": {"currency": "JPY"}});
    let refused = service.json(Method::PATCH, &path, &[("if-match", "*")], &other_currency).await;
    assert_eq!(refused.is_problem(422, "validation").faults(), ["/price/amount wrong_decimals"]);

    let cleared = service.json(Method::PATCH, &path, &[("if-match", "*")], &json!({"price": null})).await;
    assert_eq!(cleared.json()["price"], Value::Null);
    let half = service.json(Method::PATCH, &path, &[("if-match", "*")], &json!({"price": {"amount": "1.00"}})).await;
    assert_eq!(half.is_problem(422, "validation").faults(), ["/price/currency required"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_isbn_belongs_to_one_book_in_either_form() {
    let service = Service::start().await;
    service.created("/api/v1/books", &war_and_peace()).await;
    let again = json!({"title": "T", "authors": ["A"], "isbn": "978-0-14-044793-4"});
    let taken = service.post("/api/v1/books", &again).await;
    assert_eq!(taken.is_problem(409, "already-exists").faults(), ["/isbn taken"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_is_told_at_once() {
    let service = Service::start().await;
    let body = json!({
        "title": " ",
        "authors": [],
        "isbn": "9780140447935",
        "published_on": "0999-12-31",
        "pages": 0,
        "language": "not a language",
        "price": {"amount": "-1.00", "currency": "EURO"},
        "description": "x".repeat(10_001),
        "publisher": "Penguin",
    });
    let answer = service.post("/api/v1/books", &body).await;
    answer.is_problem(422, "validation");
    insta::assert_snapshot!("book_faults", Steady::default().text(&answer.text));
}

#[tokio::test(flavor = "multi_thread")]
async fn statistics_count_and_average() {
    let service = Service::start().await;
    let empty = service.get("/api/v1/books/statistics").await;
    assert_eq!(empty.text, r#"{"books":0,"groups":[]}"#);
    for (isbn, amount) in [("9780140447934", "10.00"), ("9780306406157", "10.01"), ("9783161484100", "10.02")] {
        let mut book = war_and_peace();
        book["isbn"] = json!(isbn);
        book["price"]["amount"] = json!(amount);
        service.created("/api/v1/books", &book).await;
    }
    service.created("/api/v1/books", &json!({"title": "T", "authors": ["A"], "isbn": "9791090636071"})).await;
    insta::assert_snapshot!("book_statistics", service.get("/api/v1/books/statistics").await.text);
}
