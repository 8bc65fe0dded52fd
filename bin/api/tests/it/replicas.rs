//! Users on a primary whose replica is an hour late: who reads what.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use migrations::Migrator;
use reqwest::Method;
use serde_json::{Value, json};
use shared_kernel::RequestContext;
use testkit::pair::Pair;
use testkit::{Server, eventually_some};

use crate::support::{Answer, Service};

/// Much more than anything takes here.
const LONG: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const USERS: &str = "/api/v1/users";
const HEADER: &str = "bindery-freshness";

struct Scene {
    service: Service,
    _pair: Pair,
}

impl Scene {
    /// The replica has the schema, and of what is written from now on nothing.
    async fn new(server: Server) -> Self {
        let pair = Pair::start(server, Duration::ZERO).await;
        let primary = testkit::connect(pair.primary()).await.expect("the primary answers");
        let set = migrations::set("users").expect("users have a schema");
        Migrator::new(set, Arc::clone(&primary)).up(&RequestContext::system()).await.expect("a fresh schema");
        primary.close(Duration::ZERO).await;
        let settings = pair.settings(2 * HOUR);
        let service = Service::configured(|config| {
            config.connections.insert("users".to_owned(), settings);
        })
        .await;
        let (endpoint, service_ref) = (pair.replica_endpoint(), &service);
        // Everything so far has come to the replica once it answers this.
        eventually_some(LONG, || async {
            service_ref.get(USERS).await;
            let metrics = service_ref.get("/metrics").await.text;
            let of_replica = |name: &str, value: &str| {
                metrics.lines().any(|line| line.starts_with(name) && line.contains(&endpoint) && line.ends_with(value))
            };
            (of_replica("bindery_replica_serving", " 1") && of_replica("bindery_replica_lag", " 0")).then_some(())
        })
        .await;
        pair.delay(HOUR).await;
        Self { service, _pair: pair }
    }

    async fn ask(&self, method: Method, path: &str, headers: &[(&'static str, &str)]) -> Answer {
        self.service.send(method, path, headers, None).await
    }

    async fn names(&self, headers: &[(&'static str, &str)]) -> Vec<Value> {
        let page = self.ask(Method::GET, USERS, headers).await.json();
        page["items"].as_array().expect("a page").iter().map(|user| user["name"].clone()).collect()
    }
}

async fn a_change_is_seen_by_whoever_shows_its_token(server: Server) {
    let scene = Scene::new(server).await;
    let service = &scene.service;
    let ada = json!({"name": "Ada", "email": "ada@example.org"});
    let created = service.json(Method::POST, USERS, &[("idempotency-key", "once")], &ada).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let (path, token) = (created.header("location"), created.header(HEADER));
    assert!(!token.is_empty(), "{:?}", created.headers);

    // The replica serves whoever shows nothing, and the primary whoever shows the token.
    service.get(path).await.is_problem(404, "not-found");
    assert!(scene.names(&[]).await.is_empty());
    let read = scene.ask(Method::GET, path, &[(HEADER, token)]).await;
    assert_eq!((read.status.as_u16(), read.header(HEADER)), (200, ""), "{}", read.text);
    assert_eq!(scene.names(&[(HEADER, token)]).await, ["Ada"]);

    // What decides by what it reads is never told what was.
    let any = [("if-match", "*")];
    let patched = service.json(Method::PATCH, path, &any, &json!({"name": "Ada King"})).await;
    assert_eq!(patched.status, 200, "{}", patched.text);
    assert!(!patched.header(HEADER).is_empty());
    assert_eq!(scene.names(&[(HEADER, patched.header(HEADER))]).await, ["Ada King"]);
    let replaced = service.json(Method::PUT, path, &any, &json!({"name": "Ada L", "email": "ada@example.org"})).await;
    assert_eq!(replaced.status, 200, "{}", replaced.text);
    let again = service.json(Method::POST, USERS, &[("idempotency-key", "once")], &ada).await;
    assert_eq!((again.header("idempotency-replayed"), again.header("location")), ("true", path));
    assert!(!again.header(HEADER).is_empty());

    // Tokens of elsewhere are harmless.
    for forged in ["users=pg:1:1", "users=mariadb:9-9-9", "users=x", "elsewhere=pg:1:1"] {
        let forged = URL_SAFE_NO_PAD.encode(forged);
        assert_eq!(scene.names(&[(HEADER, &forged)]).await, ["Ada L"], "{forged}");
    }
    for malformed in ["?", "", "dXNlcnM"] {
        let refused = scene.ask(Method::GET, path, &[(HEADER, malformed)]).await;
        assert_eq!(refused.is_problem(400, "malformed-request").faults(), ["Bindery-Freshness invalid_freshness"]);
    }

    let deleted = scene.ask(Method::DELETE, path, &any).await;
    assert_eq!(deleted.status, 204, "{}", deleted.text);
    let gone = scene.ask(Method::GET, path, &[(HEADER, deleted.header(HEADER))]).await;
    gone.is_problem(404, "not-found");
    // Nothing that is kept elsewhere has anything to say.
    assert_eq!(service.get("/api/v1/books").await.header(HEADER), "");
}

macro_rules! on_servers {
    ($($module:ident $server:ident),+) => {
        $(
            mod $module {
                #[test]
                fn a_change_is_seen_by_whoever_shows_its_token() {
                    testkit::run(super::a_change_is_seen_by_whoever_shows_its_token(testkit::Server::$server));
                }
            }
        )+
    };
}

on_servers!(mysql MySql, mariadb MariaDb, postgres Postgres);
