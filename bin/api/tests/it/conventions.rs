use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::support::Service;

/// What is sent, and the status and the type of problem that come back.
type Case<'a> = (Method, &'a str, Vec<(&'static str, &'a str)>, Option<Vec<u8>>, u16, &'a str);

const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_wrong_request_has_its_status_and_type() {
    let service = Service::start().await;
    let (path, _) = service.created("/api/v1/users", &json!({"name": "Ada", "email": "ada@example.org"})).await;
    let user = br#"{"name":"Eve","email":"eve@example.org"}"#.to_vec();
    let deep = [vec![b'['; 200], vec![b']'; 200]].concat();
    let with = |bytes: &[u8]| Some(bytes.to_vec());
    let post = "/api/v1/users";
    let cases: Vec<Case<'_>> = vec![
        (Method::GET, "/nowhere", vec![], None, 404, "not-found"),
        (Method::GET, "/api/v1/users/", vec![], None, 404, "not-found"),
        (Method::GET, "/api/v1/users/x/y", vec![], None, 404, "not-found"),
        (Method::GET, "/api/v1/users/%zz", vec![], None, 400, "malformed-request"),
        (Method::GET, "/api/v1/users/%ff", vec![], None, 400, "malformed-request"),
        (Method::GET, "/api/v1/users/%00", vec![], None, 400, "malformed-request"),
        (Method::PUT, post, vec![JSON], Some(user.clone()), 405, "method-not-allowed"),
        (Method::POST, "/health", vec![], None, 405, "method-not-allowed"),
        (Method::from_bytes(b"BREW").expect("a token"), post, vec![], None, 405, "method-not-allowed"),
        (Method::GET, post, vec![("accept", "text/html")], None, 406, "not-acceptable"),
        (Method::POST, post, vec![JSON, ("accept", "application/json;q=0")], Some(user.clone()), 406, "not-acceptable"),
        (Method::POST, post, vec![], Some(user.clone()), 415, "unsupported-media-type"),
        (Method::POST, post, vec![("content-type", "text/plain")], Some(user.clone()), 415, "unsupported-media-type"),
        (
            Method::POST,
            post,
            vec![("content-type", "application/merge-patch+json")],
            Some(user.clone()),
            415,
            "unsupported-media-type",
        ),
        (
            Method::POST,
            post,
            vec![JSON, ("content-encoding", "gzip")],
            Some(user.clone()),
            415,
            "unsupported-media-type",
        ),
        (Method::POST, post, vec![JSON], None, 400, "malformed-json"),
        (Method::POST, post, vec![JSON], with(b"{\"name\":"), 400, "malformed-json"),
        (Method::POST, post, vec![JSON], with(br#"{"name":"a","name":"b"}"#), 400, "malformed-json"),
        (Method::POST, post, vec![JSON], with(br#"{"name":"\ud800"}"#), 400, "malformed-json"),
        (Method::POST, post, vec![JSON], with(b"{\"name\":\"\xff\"}"), 400, "malformed-json"),
        (Method::POST, post, vec![JSON], Some(deep), 400, "malformed-json"),
        (Method::POST, post, vec![JSON], with(b"[]"), 422, "validation"),
        (Method::POST, "/api/v1/users?x=1", vec![JSON], Some(user.clone()), 400, "invalid-query"),
        (Method::PATCH, &path, vec![JSON, ("if-match", "r1-v1")], with(b"{}"), 400, "malformed-request"),
        (Method::PATCH, &path, vec![JSON], with(b"{}"), 428, "precondition-required"),
        (Method::PATCH, &path, vec![JSON, ("if-match", "\"r1-v7\"")], with(b"{}"), 412, "precondition-failed"),
        (Method::GET, &path, vec![("if-none-match", "x")], None, 400, "malformed-request"),
        (Method::GET, "/problems/nothing", vec![], None, 404, "not-found"),
        (Method::GET, "/docs/nothing.js", vec![], None, 404, "not-found"),
    ];
    for (method, path, headers, body, status, kind) in cases {
        let answer = service.send(method.clone(), path, &headers, body).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path} {headers:?}: {}", answer.text);
        answer.is_problem(status, kind);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_over_the_limit_is_refused_and_one_at_the_limit_is_read() {
    let service = Service::start().await;
    let limit = 1024 * 1024;
    let padded = |length: usize| {
        let start = br#"{"name":"Ada","email":"ada@example.org"}"#;
        Some([start.as_slice(), &vec![b' '; length - start.len()]].concat())
    };
    let answer = service.send(Method::POST, "/api/v1/users", &[JSON], padded(limit + 1)).await;
    answer.is_problem(413, "content-too-large");
    // Far over the limit the answer still arrives before the connection ends.
    let answer = service.send(Method::POST, "/api/v1/users", &[JSON], padded(3 * limit)).await;
    answer.is_problem(413, "content-too-large");
    let answer = service.send(Method::POST, "/api/v1/users", &[JSON], padded(limit)).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chunked_body_over_the_limit_is_refused() {
    let service = Service::configured(|config| config.server.limits.body = 64).await;
    let mut stream = TcpStream::connect(service.address).expect("it listens");
    let head = "POST /api/v1/users HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    let chunk = format!("40\r\n{}\r\n40\r\n{}\r\n0\r\n\r\n", " ".repeat(64), " ".repeat(64));
    let text = tokio::task::spawn_blocking(move || {
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(chunk.as_bytes())).expect("sent");
        first_line(&mut stream)
    });
    assert!(text.await.expect("no panic").starts_with("HTTP/1.1 413"));
}

fn first_line(stream: &mut TcpStream) -> String {
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a limit");
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
        bytes.push(byte[0]);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_or_too_long_headers_are_refused() {
    let service = Service::start().await;
    let long = "x".repeat(17 * 1024);
    let answer = service.send(Method::GET, "/health/live", &[("x-long", &long)], None).await;
    answer.is_problem(431, "headers-too-large");
    let many: Vec<_> = (0..70).map(|_| ("x-many", "1")).collect();
    service.send(Method::GET, "/health/live", &many, None).await.is_problem(431, "headers-too-large");
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_json_is_told_with_its_place() {
    let service = Service::start().await;
    let body = b"{\n  \"name\": \"Ada\",\n  \"email\" 1\n}".to_vec();
    let answer = service.send(Method::POST, "/api/v1/users", &[JSON], Some(body)).await;
    answer.is_problem(400, "malformed-json");
    assert_eq!(answer.json()["detail"], "line 3, column 11: expected `:`");
}

#[tokio::test(flavor = "multi_thread")]
async fn methods_that_are_offered_are_told() {
    let service = Service::start().await;
    for (path, allow) in [
        ("/api/v1/users", "GET, POST, HEAD, OPTIONS"),
        ("/api/v1/users/x", "GET, PUT, PATCH, DELETE, HEAD, OPTIONS"),
        ("/api/v1/books/statistics", "GET, HEAD, OPTIONS"),
    ] {
        let answer = service.send(Method::OPTIONS, path, &[], None).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow"), answer.text.as_str()), (204, allow, ""), "{path}");
        let answer = service.send(Method::TRACE, path, &[], None).await;
        assert_eq!(answer.is_problem(405, "method-not-allowed").header("allow"), allow);
    }
    let wrong = service.send(Method::POST, "/api/v1/users", &[("content-type", "text/plain")], None).await;
    assert_eq!(wrong.header("accept-post"), "application/json");
}

#[tokio::test(flavor = "multi_thread")]
async fn head_is_get_without_the_body() {
    let service = Service::start().await;
    let (path, _) = service.created("/api/v1/users", &json!({"name": "Ada", "email": "ada@example.org"})).await;
    for path in [path.as_str(), "/api/v1/users", "/openapi.json", "/redoc/redoc.standalone.js"] {
        let get = service.get(path).await;
        let head = service.send(Method::HEAD, path, &[], None).await;
        assert_eq!((head.status, head.text.as_str()), (get.status, ""));
        for name in ["content-length", "content-type", "etag"] {
            assert_eq!(head.header(name), get.header(name), "{path} {name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_is_taken_over_and_returned() {
    let service = Service::start().await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let header = format!("00-{trace}-00f067aa0ba902b7-01");
    let answer = service.send(Method::GET, "/nowhere", &[("traceparent", &header)], None).await;
    assert_eq!(answer.json()["trace_id"], trace);
    let returned = answer.header("traceparent");
    assert!(returned.starts_with(&format!("00-{trace}-")) && returned.ends_with("-01"), "{returned}");
    assert!(!returned.contains("00f067aa0ba902b7"), "the span is the service's own: {returned}");

    let (one, other) = (service.get("/nowhere").await, service.get("/nowhere").await);
    assert_ne!(one.json()["trace_id"], other.json()["trace_id"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_tell_browsers_to_be_careful() {
    let service = Service::start().await;
    for path in ["/api/v1/users", "/nowhere", "/docs/", "/redoc", "/health"] {
        let answer = service.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("http"), "{path}: {policy}");
        assert!(!answer.header("cache-control").is_empty(), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_origins_are_let_in_by_name_alone() {
    let preflight = [("origin", "https://shop.example"), ("access-control-request-method", "PUT")];
    let closed = Service::start().await;
    let answer = closed.send(Method::OPTIONS, "/api/v1/users", &preflight, None).await;
    assert_eq!(answer.header("access-control-allow-origin"), "");

    let open = Service::configured(|config| config.server.cors_origins = vec!["https://shop.example".to_owned()]).await;
    let answer = open.send(Method::OPTIONS, "/api/v1/users", &preflight, None).await;
    assert_eq!(answer.header("access-control-allow-origin"), "https://shop.example");
    assert_eq!(answer.header("access-control-allow-methods"), "GET, POST, HEAD, OPTIONS");
    // Errors can be read too.
    let answer = open.send(Method::GET, "/nowhere", &[("origin", "https://shop.example")], None).await;
    assert_eq!(answer.header("access-control-allow-origin"), "https://shop.example");
    let exposed: Vec<&str> = answer.header("access-control-expose-headers").split(", ").collect();
    for header in [
        "age",
        "content-disposition",
        "bindery-omissions",
        "www-authenticate",
        "etag",
        "location",
        "accept-post",
        "accept-patch",
    ] {
        assert!(exposed.contains(&header), "{header} in {exposed:?}");
    }
    let answer = open.send(Method::GET, "/nowhere", &[("origin", "https://evil.example")], None).await;
    assert_eq!((answer.header("access-control-allow-origin"), answer.header("vary")), ("", "origin"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_type_of_problem_has_a_page() {
    let service = Service::start().await;
    for kind in api::rest::problem::ProblemKind::ALL {
        let page = service.get(&kind.type_uri()).await;
        assert_eq!(page.status, 200, "{kind:?}");
        assert_eq!(page.json()["type"], kind.type_uri());
        assert_eq!(page.json()["status"], kind.status().as_u16());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_takes_too_long_is_ended_with_503() {
    let service = Service::configured(|config| config.server.limits.request_timeout = Duration::from_millis(200)).await;
    let mut stream = TcpStream::connect(service.address).expect("it listens");
    let head = "POST /api/v1/users HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n{";
    let text = tokio::task::spawn_blocking(move || {
        stream.write_all(head.as_bytes()).expect("sent");
        first_line(&mut stream)
    });
    let text = text.await.expect("no panic");
    assert!(text.starts_with("HTTP/1.1 503"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_had_its_name_lead_here_gets_nothing() {
    let service = Service::start().await;
    let rebound = [("host", "evil.example"), ("origin", "http://evil.example")];
    for path in ["/api/v1/users", "/api/v1/connections", "/health", "/health/ready", "/metrics", "/docs", "/nowhere"] {
        let answer = service.send(Method::GET, path, &rebound, None).await;
        answer.is_problem(421, "misdirected-request");
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
    }
    let user = json!({"name": "Eve", "email": "eve@example.org"});
    service.json(Method::POST, "/api/v1/users", &rebound, &user).await.is_problem(421, "misdirected-request");
    let preflight = [rebound[0], rebound[1], ("access-control-request-method", "POST")];
    service.send(Method::OPTIONS, "/api/v1/users", &preflight, None).await.is_problem(421, "misdirected-request");
    for host in ["localhost:8080", "127.0.0.1", "[::1]"] {
        let page = service.send(Method::GET, "/api/v1/users", &[("host", host)], None).await;
        assert_eq!((page.status.as_u16(), &page.json()["items"]), (200, &json!([])), "{host}");
    }
    let named = Service::configured(|config| config.server.allowed_hosts = vec!["api.example.com".to_owned()]).await;
    assert_eq!(named.send(Method::GET, "/health", &[("host", "api.example.com:443")], None).await.status, 200);
    named.send(Method::GET, "/health", &[("host", "evil.example")], None).await.is_problem(421, "misdirected-request");
}
