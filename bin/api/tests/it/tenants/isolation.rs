use std::sync::Mutex;
use std::time::Duration;

use connection_manager::PerTenantSettings;
use connection_manager::config::TenantsConfig;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::{Server, TestDatabase};

use super::{HEADER, per_tenant, tenant};
use crate::support::{Answer, Service};

testkit::on_every_engine!(no_tenant_meets_the_rows_of_another);

const USERS: &str = "/api/v1/users";
const WORKERS: usize = 2;
const ROUNDS: usize = 6;

/// Something that a tenant was told, for the others to try.
#[derive(Clone)]
struct Told {
    tenant: String,
    path: String,
    cursor: String,
}

/// Several tenants at once, more of them than may be live, each sending what the others send, with the same keys, and what
/// the others were told: every answer is about the tenant's own rows, and in the end each has exactly what it made.
async fn no_tenant_meets_the_rows_of_another(server: Server) {
    let mut databases = Vec::new();
    let mut tenants = vec!["acme".to_owned(), "acme_b".to_owned(), "globex".to_owned()];
    if server != Server::Sqlite {
        for _ in 0..tenants.len() {
            let database = TestDatabase::migrated(server, "users").await;
            database.migrate("books").await;
            databases.push(database);
        }
        // The databases have names of their own, and so the tenants are called what stands in them.
        tenants = databases.iter().map(|database| database.name().trim_start_matches("t_").to_owned()).collect();
    }
    let service = Service::configured(|config| {
        let names: Vec<&str> = tenants.iter().map(String::as_str).collect();
        per_tenant(config, &names);
        config.tenants = TenantsConfig::of(names.iter().map(|name| tenant(name)));
        if let Some(database) = databases.first() {
            let template = database.settings().with_database("t_{tenant}");
            for context in ["users", "books"] {
                config.per_tenant.insert(context.to_owned(), PerTenantSettings::new(template.clone()));
            }
        }
        for settings in config.per_tenant.values_mut() {
            settings.max_live = 2;
            settings.idle_evict = Some(Duration::from_millis(20));
            settings.each_mut(|settings| {
                settings.pool.max = 3;
                settings.pool.min = 0;
                settings.pool.acquire_timeout = Duration::from_secs(25);
            });
        }
    })
    .await;

    let told = Mutex::new(Vec::new());
    let workers = tenants.iter().flat_map(|name| (0..WORKERS).map(move |worker| (name, worker)));
    join_all(workers.map(|(name, worker)| work(&service, name, worker, &told))).await;

    for name in &tenants {
        let all = ask(&service, name, Method::GET, &format!("{USERS}?limit=200"), &[], None).await.json();
        let names = own_names(name, &all);
        assert_eq!(names.len(), WORKERS * ROUNDS, "{server}: {name} has {names:?}");
    }
}

async fn ask(
    service: &Service,
    tenant: &str,
    method: Method,
    path: &str,
    headers: &[(&'static str, &str)],
    body: Option<&Value>,
) -> Answer {
    let mut all = vec![(HEADER, tenant)];
    all.extend_from_slice(headers);
    match body {
        Some(body) => service.json(method, path, &all, body).await,
        None => service.send(method, path, &all, None).await,
    }
}

/// The names in a list, each of which has to be the tenant's.
fn own_names(tenant: &str, list: &Value) -> Vec<String> {
    let items = list["items"].as_array().unwrap_or_else(|| panic!("no list: {list}"));
    let name = |item: &Value| item["name"].as_str().unwrap_or_default().to_owned();
    let names: Vec<String> = items.iter().map(name).collect();
    assert!(names.iter().all(|name| name.starts_with(&format!("{tenant}: "))), "{tenant} sees {names:?}");
    names
}

async fn work(service: &Service, tenant: &str, worker: usize, told: &Mutex<Vec<Told>>) {
    for round in 0..ROUNDS {
        let number = worker * ROUNDS + round;
        let (key, email) = (format!("key-{number}"), format!("user{number}@example.org"));
        let body = json!({"name": format!("{tenant}: {number}"), "email": email});
        let key = [("idempotency-key", key.as_str())];
        // The same key and the same address in every tenant: a creation for each, and its own answer again.
        let made = ask(service, tenant, Method::POST, USERS, &key, Some(&body)).await;
        assert_eq!((made.status.as_u16(), made.header("idempotency-replayed")), (201, ""), "{}", made.text);
        assert_eq!(made.json()["name"], body["name"]);
        let again = ask(service, tenant, Method::POST, USERS, &key, Some(&body)).await;
        assert_eq!((again.header("idempotency-replayed"), &again.text), ("true", &made.text));

        let page = ask(service, tenant, Method::GET, &format!("{USERS}?limit=1"), &[], None).await.json();
        own_names(tenant, &page);
        let cursor = page["next_cursor"].as_str().unwrap_or_default().to_owned();
        let path = made.header("location").to_owned();
        told.lock().expect("nobody panics with it").push(Told { tenant: tenant.to_owned(), path, cursor });

        let others = told.lock().expect("nobody panics with it").clone();
        for other in others.iter().rev().filter(|other| other.tenant != tenant).take(2) {
            try_what_another_was_told(service, tenant, made.header("etag"), other).await;
        }
        let own = ask(service, tenant, Method::GET, made.header("location"), &[], None).await;
        assert_eq!(own.text, made.text);
    }
}

async fn try_what_another_was_told(service: &Service, tenant: &str, tag: &str, other: &Told) {
    let change = json!({"name": format!("{tenant} was here"), "email": "x@example.org"});
    let read = ask(service, tenant, Method::GET, &other.path, &[], None).await;
    read.is_problem(404, "not-found");
    let known = ask(service, tenant, Method::GET, &other.path, &[("if-none-match", tag)], None).await;
    known.is_problem(404, "not-found");
    for tag in [tag, "*"] {
        let put = ask(service, tenant, Method::PUT, &other.path, &[("if-match", tag)], Some(&change)).await;
        put.is_problem(404, "not-found");
        let delete = ask(service, tenant, Method::DELETE, &other.path, &[("if-match", tag)], None).await;
        delete.is_problem(404, "not-found");
    }
    if !other.cursor.is_empty() {
        let path = format!("{USERS}?limit=1&cursor={}", other.cursor);
        ask(service, tenant, Method::GET, &path, &[], None).await.is_problem(400, "invalid-cursor");
        let own = ask(service, &other.tenant, Method::GET, &path, &[], None).await;
        own_names(&other.tenant, &own.json());
    }
}
