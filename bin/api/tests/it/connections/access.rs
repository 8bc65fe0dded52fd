use reqwest::Method;
use serde_json::json;

use super::{Registry, TOKEN, calls, sales};

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_done_for_whoever_shows_no_token() {
    let registry = Registry::start().await;
    let path = registry.stored(&sales()).await;
    let body = || Some(json!({"name": "Eve"}).to_string().into_bytes());
    let id = path.rsplit('/').next().expect("an id");
    let mut all = calls(id);
    assert!(all.contains(&(Method::DELETE, path.clone())), "{all:?}");
    all.push((Method::HEAD, "/api/v1/connections".to_owned()));
    for (method, path) in all {
        let other = TOKEN.replace("tests", "other");
        for (authorization, expected) in [
            (None, "Bearer realm=\"connections\""),
            (Some("Basic dGVzdHM6dGVzdHM=".to_owned()), "Bearer realm=\"connections\""),
            (Some(format!("Bearer {other}")), "Bearer realm=\"connections\", error=\"invalid_token\""),
        ] {
            let mut headers = vec![("content-type", "application/json"), ("if-match", "*")];
            headers.extend(authorization.as_deref().map(|value| ("authorization", value)));
            let answer = registry.service.send(method.clone(), &path, &headers, body()).await;
            assert_eq!(answer.header("www-authenticate"), expected, "{method} {path}");
            if method == Method::HEAD {
                assert_eq!(answer.status, 401);
            } else {
                answer.is_problem(401, "unauthenticated");
            }
        }
    }
    assert_eq!(registry.get(&path).await.json()["version"], 1, "nothing was changed");
    // The others are open as before.
    assert_eq!(registry.service.get("/api/v1/users").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_configuration_a_token_is_made_and_kept() {
    let service = crate::support::Service::start().await;
    let file = service.folder.path().join("data/registry.token");
    let token = std::fs::read_to_string(&file).expect("it was made");
    let authorization = format!("Bearer {}", token.trim());
    let headers = [("authorization", authorization.as_str())];
    let answer = service.send(Method::GET, "/api/v1/connections", &headers, None).await;
    assert_eq!((answer.status.as_u16(), answer.text.as_str()), (200, r#"{"items":[],"next_cursor":null}"#));
}
