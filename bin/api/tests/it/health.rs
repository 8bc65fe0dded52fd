use std::time::Duration;

use api::config::TokenConfig;
use connection_manager::config::SealingConfig;
use connection_manager::{ConnectionSettings, PasswordSource, PoolSettings, TlsSettings};
use serde_json::json;
use shared_kernel::database::Engine;
use testkit::{Server, TestDatabase, eventually_some};

use crate::support::{Service, Steady};

#[tokio::test(flavor = "multi_thread")]
async fn a_service_on_its_own_files_is_healthy_and_ready() {
    let service = Service::start().await;
    assert_eq!(service.get("/health/live").await.text, r#"{"status":"live"}"#);
    let ready = service.get("/health/ready").await;
    assert_eq!(ready.status, 200, "{}", ready.text);
    let body = ready.json();
    assert_eq!(body["status"], "ready");
    let contexts = body["contexts"].as_array().expect("a list");
    assert_eq!(contexts.len(), 3, "{body}");
    for (context, expected) in contexts.iter().zip(["users", "books", "registry"]) {
        assert_eq!((&context["context"], &context["engine"]), (&json!(expected), &json!("sqlite")));
        assert_eq!(context["state"], "ready");
        assert!(context["latency_ms"].is_number());
    }
    let health = service.get("/health").await;
    assert_eq!(health.status, 200);
    assert_eq!(Steady::default().text(&health.text), r#"{"status":"healthy","timestamp":"[instant]","database":true}"#);
}

/// Settings for a server that is not there.
fn away() -> ConnectionSettings {
    let pool = PoolSettings { connect_timeout: Duration::from_millis(500), ..PoolSettings::sized(0, 4) };
    ConnectionSettings::new(Engine::POSTGRES)
        .with_host("127.0.0.1")
        .with_port(testkit::free_port())
        .with_database("books")
        .with_username("svc_books")
        .with_password(PasswordSource::Literal("hunter2".to_owned().into()))
        .with_tls(TlsSettings::disabled())
        .with_pool(pool)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_makes_503_and_touches_nothing_else() {
    let service = Service::configured(|config| {
        config.connections.insert("books".to_owned(), away());
    })
    .await;
    for path in ["/api/v1/books", "/api/v1/books/statistics"] {
        let answer = service.get(path).await;
        let seconds: u64 = answer.is_problem(503, "unavailable").header("retry-after").parse().expect("seconds");
        assert!(seconds >= 1);
        for secret in ["svc_books", "hunter2", "127.0.0.1", "refused"] {
            assert!(!answer.text.contains(secret), "{}", answer.text);
        }
    }
    assert_eq!(states(&service).await, ["ready", "away", "ready"]);
    assert_eq!(service.get("/health/live").await.status, 200);
    assert_eq!(service.get("/api/v1/users").await.status, 200);
}

/// How the contexts stand with a service one of whose databases is away.
async fn states(service: &Service) -> Vec<String> {
    let ready = service.get("/health/ready").await;
    assert_eq!((ready.status.as_u16(), &ready.json()["status"]), (503, &json!("not_ready")), "{}", ready.text);
    let health = service.get("/health").await;
    assert_eq!((health.status.as_u16(), &health.json()["database"]), (503, &json!(false)));
    let body = ready.json();
    let contexts = body["contexts"].as_array().expect("a list");
    contexts.iter().map(|context| context["state"].as_str().unwrap_or_default().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_is_away_is_told_like_any_other() {
    let key = "//79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=";
    let key = SealingConfig::of_file("own", "nowhere".into(), &key.into()).expect("a key");
    let service = Service::configured(|config| {
        config.registry.sealing = Some(key);
        config.registry.tokens = vec![TokenConfig::literal("tests", "0123456789abcdef0123456789abcdef-tests")];
        config.connections.insert("registry".to_owned(), away());
    })
    .await;
    assert_eq!(states(&service).await, ["ready", "ready", "away"]);
    assert_eq!(service.get("/api/v1/users").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_have_a_bounded_number_of_labels() {
    let service = Service::start().await;
    let (path, _) = service.created("/api/v1/users", &json!({"name": "Ada", "email": "ada@example.org"})).await;
    service.get(&path).await;
    for number in 0..20 {
        service.get(&format!("/nowhere/{number}")).await;
        service.get(&format!("/api/v1/users/{number}")).await;
    }
    let metrics = service.get("/metrics").await;
    assert!(metrics.header("content-type").starts_with("text/plain; version=0.0.4"));
    let line = r#"http_server_request_duration_seconds_count{http_request_method="GET",http_route="/api/v1/users/{id}",http_response_status_code="200"}"#;
    assert!(metrics.text.contains(line), "{}", metrics.text);
    assert!(metrics.text.contains(r#"http_route="unmatched",http_response_status_code="404""#));
    assert!(!metrics.text.contains("/nowhere"));
    for name in ["http_server_active_requests", "db_client_operation_duration", "db_client_connection_count"] {
        assert!(metrics.text.contains(&format!("# TYPE {name}")), "{name}");
    }
}

mod on_engines {
    mod postgres {
        #[test]
        fn a_schema_that_is_behind_is_not_served_from() {
            testkit::run(super::super::a_schema_that_is_behind_is_not_served_from());
        }
    }
}

async fn a_schema_that_is_behind_is_not_served_from() {
    let books = TestDatabase::create(Server::Postgres).await;
    let service = Service::configured(|config| {
        config.connections.insert("books".to_owned(), books.settings());
    })
    .await;
    let ready = service.get("/health/ready").await;
    assert_eq!((ready.status.as_u16(), &ready.json()["contexts"][1]["state"]), (503, &json!("schema_behind")));
    service.get("/api/v1/books").await.is_problem(503, "schema-behind");
    assert_eq!(service.get("/api/v1/users").await.status, 200);

    books.migrate("books").await;
    eventually_some(Duration::from_secs(20), || async {
        (service.get("/health/ready").await.status == 200).then_some(())
    })
    .await;
    assert_eq!(service.get("/api/v1/books").await.status, 200);
}
