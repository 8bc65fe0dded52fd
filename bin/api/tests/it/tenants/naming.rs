use std::time::Duration;

use serde_json::json;
use testkit::eventually_some;

use super::{HEADER, per_tenant};
use crate::support::{Answer, Service};

const USERS: &str = "/api/v1/users";

async fn ask(service: &Service, headers: &[(&'static str, &str)]) -> Answer {
    service.send(reqwest::Method::GET, USERS, headers, None).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_proxy_names_the_tenant() {
    let service = Service::configured(|config| per_tenant(config, &["acme"])).await;
    let answer = ask(&service, &[(HEADER, "acme")]).await;
    assert_eq!((answer.status.as_u16(), answer.header("vary")), (200, "tenant-id"));
    ask(&service, &[]).await.is_problem(400, "tenant-required");
    for nobody in ["globex", "Acme", "../acme", "acme/", "%61cme", "\u{e4}"] {
        ask(&service, &[(HEADER, nobody)]).await.is_problem(404, "unknown-tenant");
    }
    ask(&service, &[(HEADER, "acme"), (HEADER, "acme")]).await.is_problem(400, "malformed-request");
    assert_eq!(service.get("/health/ready").await.status, 200, "what is nobody's needs no tenant");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_of_somebody_else_is_refused() {
    let service = Service::configured(|config| {
        per_tenant(config, &["acme"]);
        config.server.trusted_proxies = vec!["10.0.0.0/8".parse().expect("a range")];
    })
    .await;
    ask(&service, &[(HEADER, "acme")]).await.is_problem(403, "tenant-not-trusted");
    ask(&service, &[]).await.is_problem(400, "tenant-required");
    // What says who stands behind a proxy says nothing about who the peer is.
    let forged = [(HEADER, "acme"), ("x-forwarded-for", "10.0.0.1"), ("forwarded", "for=10.0.0.1")];
    ask(&service, &forged).await.is_problem(403, "tenant-not-trusted");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_host_name_names_the_tenant() {
    let service = Service::configured(|config| {
        per_tenant(config, &["acme", "globex"]);
        config.server.tenant_host = Some("{tenant}.api.example.com".parse().expect("a pattern"));
        config.server.allowed_hosts = vec!["api.example.com".to_owned()];
    })
    .await;
    for host in ["acme.api.example.com", "ACME.api.example.com:8080", "acme.api.example.com."] {
        assert_eq!(ask(&service, &[("host", host)]).await.status, 200, "{host}");
    }
    ask(&service, &[("host", "initech.api.example.com")]).await.is_problem(404, "unknown-tenant");
    ask(&service, &[("host", "api.example.com")]).await.is_problem(400, "tenant-required");
    let forged = [("host", "api.example.com"), ("x-forwarded-host", "acme.api.example.com")];
    ask(&service, &forged).await.is_problem(400, "tenant-required");
    let both = [("host", "acme.api.example.com"), (HEADER, "globex")];
    ask(&service, &both).await.is_problem(400, "malformed-request");
    let agreed = [("host", "acme.api.example.com"), (HEADER, "acme")];
    assert_eq!(ask(&service, &agreed).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_everybodys_needs_no_tenant() {
    let service = Service::configured(|config| {
        per_tenant(config, &["acme"]);
        config.per_tenant.remove("books");
    })
    .await;
    assert_eq!(service.get("/api/v1/books").await.status, 200);
    ask(&service, &[]).await.is_problem(400, "tenant-required");
    let ready = service.get("/health/ready").await.json();
    assert_eq!(ready["contexts"][0]["tenants"], json!({"known": 1, "live": 0, "unfit": 0}));
    assert!(ready["contexts"][1].get("tenants").is_none(), "{ready}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_tenants_is_read_again_while_the_service_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("tenants");
    // Whole at once: a look between emptying a file and writing it would find no tenant, and on a busy machine so may two.
    let write = |names: &str| {
        let aside = folder.path().join("aside");
        std::fs::write(&aside, names).expect("written");
        std::fs::rename(&aside, &file).expect("renamed");
    };
    write("acme\n");
    let service = Service::configured(|config| {
        per_tenant(config, &[]);
        config.tenants.file = Some(file.clone());
        config.tenants.reload = Some(Duration::from_millis(50));
    })
    .await;
    let becomes = async |tenant: &str, status: u16| {
        eventually_some(Duration::from_secs(20), || async {
            (ask(&service, &[(HEADER, tenant)]).await.status == status).then_some(())
        })
        .await;
    };
    becomes("acme", 200).await;
    ask(&service, &[(HEADER, "globex")]).await.is_problem(404, "unknown-tenant");
    write("globex\n");
    becomes("globex", 200).await;
    becomes("acme", 404).await;
    // A file that is no list takes nobody away.
    write("no tenant\n");
    tokio::time::sleep(Duration::from_millis(200)).await;
    becomes("globex", 200).await;
}
