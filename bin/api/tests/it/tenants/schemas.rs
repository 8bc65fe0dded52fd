use std::time::Duration;

use connection_manager::PerTenantSettings;
use connection_manager::config::TenantsConfig;
use serde_json::json;
use testkit::{Server, TestDatabase, eventually_some};

use super::{HEADER, per_tenant, tenant};
use crate::support::Service;

#[tokio::test(flavor = "multi_thread")]
async fn an_embedded_database_is_made_when_it_is_first_asked_for() {
    let service = Service::configured(|config| per_tenant(config, &["acme", "globex"])).await;
    let file = service.folder.path().join("data/acme/users.sqlite3");
    assert!(!file.exists());
    let body = json!({"name": "Ada", "email": "ada@example.org"});
    let made = service.json(reqwest::Method::POST, "/api/v1/users", &[(HEADER, "acme")], &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert!(file.is_file() && !service.folder.path().join("data/globex").exists());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let permissions = |path: &std::path::Path| std::fs::metadata(path).expect("made").permissions().mode() & 0o777;
        assert_eq!([permissions(&file), permissions(file.parent().expect("a folder"))], [0o600, 0o700]);
    }
}

mod on_engines {
    mod postgres {
        #[test]
        fn a_tenant_whose_schema_is_behind_is_refused_alone() {
            testkit::run(super::super::a_tenant_whose_schema_is_behind_is_refused_alone(testkit::Server::Postgres));
        }
    }
    mod mysql {
        #[test]
        fn a_tenant_whose_schema_is_behind_is_refused_alone() {
            testkit::run(super::super::a_tenant_whose_schema_is_behind_is_refused_alone(testkit::Server::MySql));
        }
    }
}

async fn a_tenant_whose_schema_is_behind_is_refused_alone(server: Server) {
    let acme = TestDatabase::migrated(server, "users").await;
    let globex = TestDatabase::create(server).await;
    let service = Service::configured(|config| {
        per_tenant(config, &[]);
        config.tenants = TenantsConfig::of([tenant("acme"), tenant("globex")]);
        let template = acme.settings().with_database("{tenant}");
        let users = PerTenantSettings::new(template)
            .with_override(tenant("acme"), acme.settings())
            .with_override(tenant("globex"), globex.settings());
        config.per_tenant.insert("users".to_owned(), users);
    })
    .await;
    let ask = async |name: &str| service.send(reqwest::Method::GET, "/api/v1/users", &[(HEADER, name)], None).await;
    let behind = ask("globex").await;
    behind.is_problem(503, "schema-behind");
    assert_eq!(behind.header("retry-after"), "10");
    assert_eq!(ask("acme").await.status, 200);
    // What readiness found is good for a second.
    let unfit = async |tenants: u64| {
        let found = async || {
            let ready = service.get("/health/ready").await;
            let figures = ready.json()["contexts"][0]["tenants"].clone();
            assert_eq!((ready.status.as_u16(), &figures["known"]), (200, &json!(2)), "the others are served");
            (figures["unfit"] == tenants).then_some(())
        };
        eventually_some(Duration::from_secs(20), found).await;
    };
    unfit(1).await;

    globex.migrate("users").await;
    eventually_some(Duration::from_secs(20), || async { (ask("globex").await.status == 200).then_some(()) }).await;
    unfit(0).await;
}
