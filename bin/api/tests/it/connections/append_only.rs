//! A registry whose login may add to the audit and not change it, with the grants that the guide gives.

use std::time::Duration;

use connection_manager::{ConnectionSettings, PasswordSource};
use reqwest::Method;
use serde_json::json;
use shared_kernel::RequestContext;
use shared_kernel::database::RawStatement;
use testkit::{Server, TestDatabase};

use super::Registry;
use super::testing::Somebody;

const GUIDE: &str = include_str!("../../../../../docs/guides/keeping-a-registry.md");
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const PASSWORD: &str = "pa55word";

mod on_servers {
    macro_rules! on {
        ($($module:ident $server:ident),+) => {
            $(mod $module {
                #[test]
                fn the_grants_of_the_guide_are_enough_and_no_more() {
                    testkit::run(super::super::the_grants_of_the_guide_are_enough_and_no_more(testkit::Server::$server));
                }
            })+
        };
    }
    on!(mysql MySql, mariadb MariaDb, postgres Postgres);
}

/// The grants as the guide has them: PostgreSQL's come first.
fn grants(server: Server) -> &'static str {
    let scripts: Vec<&str> = GUIDE.split("```sql\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    scripts[usize::from(server != Server::Postgres)]
}

async fn the_grants_of_the_guide_are_enough_and_no_more(server: Server) {
    let store = TestDatabase::migrated(server, "registry").await;
    let login = Somebody::create(&store, PASSWORD).await;
    let script =
        grants(server).replace("TO bindery", "TO {user}").replace(" registry.", &format!(" `{}`.", store.name()));
    assert!(script.contains("connection_audit"), "{script}");
    login.run(&script).await;
    let settings = store.settings().with_username(&login.name).with_password(PasswordSource::Literal(PASSWORD.into()));

    let folder = tempfile::tempdir().expect("a folder");
    let made = testkit::connect(ConnectionSettings::sqlite(folder.path().join("a.db"))).await.expect("made");
    made.close(Duration::ZERO).await;
    let key = connection_manager::config::SealingConfig::of_file("one", "nowhere".into(), &KEY.into()).expect("a key");
    let (root, of_service) = (folder.path().to_owned(), settings.clone());
    let registry = Registry::configured(move |config| {
        config.connections.insert("registry".to_owned(), of_service);
        config.registry.sealing = Some(key);
        config.registry.sqlite_root = Some(root);
        config.registry.audit_retention = None;
    })
    .await;

    // All that the service does, once.
    let body = json!({"name": "A", "engine": "sqlite", "path": "a.db", "labels": {"team": "a"}});
    let key = [("idempotency-key", "first")];
    let created = registry.ask(Method::POST, "/api/v1/connections", &key, Some(&body)).await;
    assert_eq!(created.status, 201, "{}", created.text);
    let path = created.header("location").to_owned();
    let changed = registry.change(Method::PATCH, &path, &json!({"labels": {"team": "b"}})).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    for (method, end, status) in [
        (Method::POST, "/test", 200),
        (Method::POST, "/test", 200),
        (Method::GET, "/health", 200),
        (Method::GET, "/databases", 200),
        (Method::POST, "/snapshots", 201),
        (Method::GET, "/snapshots", 200),
    ] {
        let body = (end == "/snapshots" && method == Method::POST).then(|| json!({}));
        let answer = registry.ask(method, &format!("{path}{end}"), &[], body.as_ref()).await;
        assert_eq!(answer.status.as_u16(), status, "{end}: {}", answer.text);
    }
    assert_eq!(registry.ask(Method::DELETE, &path, &[("if-match", "*")], None).await.status, 204);
    let audit = registry.get("/api/v1/connections/audit?sort=occurred_at").await.json();
    let entries = audit["items"].as_array().expect("items");
    let actions: Vec<&str> = entries.iter().filter_map(|entry| entry["action"].as_str()).collect();
    assert_eq!(actions[0], "create", "{audit}");
    assert!(entries.len() >= 9 && entries.iter().all(|entry| entry["outcome"] == "ok"), "{audit}");

    // What the login may not.
    let connection = testkit::connect(settings).await.expect("it logs in");
    let sql = connection.sql().expect("SQL");
    for text in ["UPDATE connection_audit SET outcome = 'never'", "DELETE FROM connection_audit"] {
        let statement = RawStatement::everywhere("UPDATE", text).into();
        let refused = sql.execute(&statement, &RequestContext::system()).await.expect_err(text);
        let code = if server == Server::Postgres { "42501" } else { "1142" };
        assert_eq!(refused.code(), Some(code), "{text}: {refused:?}");
    }
    connection.close(Duration::ZERO).await;
    drop(registry);
    login.remove().await;
}
