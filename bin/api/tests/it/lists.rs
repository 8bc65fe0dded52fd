use reqwest::Method;
use serde_json::{Value, json};

use crate::support::Service;

async fn with_users(names: &[&str]) -> Service {
    let service = Service::start().await;
    for (number, name) in names.iter().enumerate() {
        let email = format!("user{number}@example.org");
        service.created("/api/v1/users", &json!({"name": name, "email": email})).await;
    }
    service
}

fn names(page: &Value) -> Vec<&str> {
    page["items"].as_array().into_iter().flatten().filter_map(|user| user["name"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_hold_every_user_once_in_order() {
    let service = with_users(&["eve", "Ada", "bob", "Álvaro", "dora", "Carl", "ada"]).await;
    for (sort, expected) in [
        ("name", ["Ada", "ada", "bob", "Carl", "dora", "eve", "Álvaro"]),
        ("-name", ["Álvaro", "eve", "dora", "Carl", "bob", "ada", "Ada"]),
    ] {
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = service.get(&format!("/api/v1/users?limit=2&sort={sort}{cursor}")).await.json();
            seen.extend(names(&page).into_iter().map(str::to_owned));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(seen, expected, "{sort}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_has_fifty_when_nothing_is_said() {
    let service = Service::start().await;
    for number in 0..51 {
        service.created("/api/v1/users", &json!({"name": "A", "email": format!("user{number}@example.org")})).await;
        let twelve = format!("978{number:09}");
        let weighed = twelve.bytes().enumerate().map(|(at, digit)| u32::from(digit - b'0') * [1, 3][at % 2]);
        let isbn = format!("{twelve}{}", (10 - weighed.sum::<u32>() % 10) % 10);
        service.created("/api/v1/books", &json!({"title": "T", "authors": ["A"], "isbn": isbn})).await;
    }
    for path in ["/api/v1/users", "/api/v1/books"] {
        let page = service.get(path).await.json();
        assert_eq!(page["items"].as_array().map(Vec::len), Some(50), "{path}");
        let cursor = page["next_cursor"].as_str().expect("more follow");
        let rest = service.get(&format!("{path}?cursor={cursor}")).await.json();
        assert_eq!((rest["items"].as_array().map(Vec::len), &rest["next_cursor"]), (Some(1), &Value::Null), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_goes_on_where_it_was_although_users_come_and_go() {
    let service = with_users(&["a", "c", "e", "g"]).await;
    let page = service.get("/api/v1/users?limit=2&sort=name").await.json();
    assert_eq!(names(&page), ["a", "c"]);
    let last = format!("/api/v1/users/{}", page["items"][1]["id"].as_str().unwrap_or_default());
    assert_eq!(service.send(Method::DELETE, &last, &[("if-match", "*")], None).await.status, 204);
    service.created("/api/v1/users", &json!({"name": "b", "email": "b@example.org"})).await;
    service.created("/api/v1/users", &json!({"name": "d", "email": "d@example.org"})).await;
    let cursor = page["next_cursor"].as_str().expect("more follow");
    let rest = service.get(&format!("/api/v1/users?limit=50&sort=name&cursor={cursor}")).await.json();
    assert_eq!(names(&rest), ["d", "e", "g"]);
    assert_eq!(rest["next_cursor"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_is_good_for_its_own_list_alone() {
    let service = with_users(&["a", "b", "c"]).await;
    let page = service.get("/api/v1/users?limit=1&sort=name&q=user").await.json();
    let cursor = page["next_cursor"].as_str().expect("more follow").to_owned();
    let same = service.get(&format!("/api/v1/users?limit=2&q=user&sort=name&cursor={cursor}")).await;
    assert_eq!(names(&same.json()), ["b", "c"], "{}", same.text);
    for query in ["sort=name", "sort=-name&q=user", "sort=name&q=use", "sort=name&q=user&status=active", "q=user"] {
        let answer = service.get(&format!("/api/v1/users?{query}&cursor={cursor}")).await;
        answer.is_problem(400, "invalid-cursor");
    }
    service.get(&format!("/api/v1/books?cursor={cursor}")).await.is_problem(400, "invalid-cursor");
    service.get("/api/v1/users?cursor=abc").await.is_problem(400, "invalid-cursor");
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_narrow_and_wildcards_are_plain_characters() {
    let service = with_users(&["100% Ada", "1000 Ada", "a_b", "axb"]).await;
    let found = async |query: &str| service.get(&format!("/api/v1/users?sort=name&{query}")).await.json();
    assert_eq!(names(&found("q=100%25").await), ["100% Ada"]);
    assert_eq!(names(&found("q=A_B").await), ["a_b"]);
    assert_eq!(names(&found("q=ada").await), ["100% Ada", "1000 Ada"]);
    assert!(names(&found("status=suspended").await).is_empty());
    assert_eq!(names(&found("status=active&q=x").await).len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_are_read_strictly_and_faults_told_at_once() {
    let service = Service::start().await;
    for (path, faults) in [
        ("/api/v1/users?limit=0", vec!["limit invalid_limit"]),
        ("/api/v1/users?limit=201&page=2", vec!["page unknown_parameter", "limit invalid_limit"]),
        ("/api/v1/users?limit=1&limit=1", vec!["limit repeated_parameter"]),
        ("/api/v1/users?sort=id&status=away&q=", vec!["sort invalid_sort", "q invalid_search", "status unknown_value"]),
        ("/api/v1/users?q=%ff", vec!["q bad_encoding"]),
        ("/api/v1/users?q=%2", vec!["q bad_encoding"]),
        ("/api/v1/books?sort=price", vec!["sort needs_currency"]),
        ("/api/v1/books?price_min=1.00", vec!["price_min needs_currency"]),
        ("/api/v1/books?currency=JPY&price_max=1.5", vec!["price_max wrong_decimals"]),
        (
            "/api/v1/books?published_from=2020-13-01&language=_",
            vec!["language invalid_language", "published_from invalid_date"],
        ),
        ("/api/v1/books/statistics?by=year", vec!["by unknown_parameter"]),
        ("/health/live?verbose=1", vec!["verbose unknown_parameter"]),
    ] {
        let answer = service.get(path).await;
        assert_eq!(answer.is_problem(400, "invalid-query").faults(), faults, "{path}");
    }
    let long = format!("/api/v1/users?q={}", "x".repeat(201));
    assert_eq!(service.get(&long).await.faults(), ["q invalid_search"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn books_are_found_by_each_filter() {
    let service = Service::start().await;
    let book = |title: &str, isbn: &str, rest: Value| {
        let mut book = json!({"title": title, "authors": ["Ann Ant", "Bob Bee"], "isbn": isbn});
        book.as_object_mut().expect("an object").extend(rest.as_object().expect("an object").clone());
        book
    };
    let eur = |amount: &str| json!({"amount": amount, "currency": "EUR"});
    for body in [
        book(
            "Alpha",
            "9780140447934",
            json!({"language": "en", "published_on": "1990-01-01", "price": eur("5.00"), "pages": 10}),
        ),
        book("Beta", "9780306406157", json!({"language": "de", "published_on": "1995-06-30", "price": eur("7.50")})),
        book(
            "Gamma",
            "9783161484100",
            json!({"language": "en", "published_on": "2000-01-01", "pages": 5, "authors": ["Cy Cat"]}),
        ),
    ] {
        service.created("/api/v1/books", &body).await;
    }
    for (query, expected) in [
        ("sort=title", vec!["Alpha", "Beta", "Gamma"]),
        ("sort=-title", vec!["Gamma", "Beta", "Alpha"]),
        ("sort=pages", vec!["Gamma", "Alpha", "Beta"]),
        ("sort=-pages", vec!["Alpha", "Gamma", "Beta"]),
        ("sort=-price&currency=EUR", vec!["Beta", "Alpha"]),
        ("sort=title&q=bee", vec!["Alpha", "Beta"]),
        ("sort=title&q=9783161484100", vec!["Gamma"]),
        ("sort=title&author=ann+ant", vec!["Alpha", "Beta"]),
        ("sort=title&author=ann", vec![]),
        ("sort=title&language=EN", vec!["Alpha", "Gamma"]),
        ("sort=title&published_from=1995-06-30", vec!["Beta", "Gamma"]),
        ("sort=title&published_to=1995-06-30", vec!["Alpha", "Beta"]),
        ("sort=title&currency=EUR&price_min=5.01", vec!["Beta"]),
        ("sort=title&currency=EUR&price_min=5.00&price_max=5.00", vec!["Alpha"]),
    ] {
        let answer = service.get(&format!("/api/v1/books?{query}")).await;
        let page = answer.json();
        let titles: Vec<_> =
            page["items"].as_array().into_iter().flatten().filter_map(|book| book["title"].as_str()).collect();
        assert_eq!(titles, expected, "{query}: {}", answer.text);
    }
}
