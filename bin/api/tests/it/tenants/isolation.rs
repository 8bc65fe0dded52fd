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

const USERS: Kind = Kind { path: "/api/v1/users", name: "name" };
const BOOKS: Kind = Kind { path: "/api/v1/books", name: "title" };
const WORKERS: usize = 2;
const ROUNDS: usize = 6;

/// What is kept: where, and which member says whose it is.
#[derive(Debug, Clone, Copy)]
struct Kind {
    path: &'static str,
    name: &'static str,
}

impl Kind {
    /// What every tenant makes alike, but for the name. `cost` is the tenant's own.
    fn body(self, name: &str, number: usize, cost: usize) -> Value {
        if self.path == USERS.path {
            return json!({"name": name, "email": format!("user{number}@example.org")});
        }
        let author = name.split(':').next();
        let price = json!({"amount": format!("{cost}.00"), "currency": "EUR"});
        json!({"title": name, "authors": [author], "isbn": isbn(number), "price": price})
    }
}

/// A number that the check digit belongs to.
fn isbn(number: usize) -> String {
    let digits = format!("978{number:09}");
    let sum: u32 =
        digits.chars().zip([1, 3].into_iter().cycle()).map(|(digit, by)| digit.to_digit(10).unwrap_or(0) * by).sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

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

    for kind in [USERS, BOOKS] {
        let told = Mutex::new(Vec::new());
        let workers = (1..).zip(&tenants).flat_map(|tenant| (0..WORKERS).map(move |worker| (tenant, worker)));
        join_all(workers.map(|((cost, name), worker)| work(&service, kind, (name, cost), worker, &told))).await;

        for name in &tenants {
            let all = list(&service, kind, name, "limit=200").await;
            let names = own_names(kind, name, &all);
            assert_eq!(names.len(), WORKERS * ROUNDS, "{server}: {name} has {names:?}");
            searches_find_nothing_of_others(&service, kind, name, &tenants).await;
        }
    }
    // Each has books of one price, which is no other's.
    for (cost, name) in (1..).zip(&tenants) {
        let statistics = ask(&service, name, Method::GET, "/api/v1/books/statistics", &[], None).await.json();
        let group = &statistics["groups"][0];
        assert_eq!(statistics["groups"].as_array().map(Vec::len), Some(1), "{statistics}");
        assert_eq!((&statistics["books"], &group["books"]), (&json!(WORKERS * ROUNDS), &json!(WORKERS * ROUNDS)));
        assert_eq!(group["average_price"], json!(format!("{cost}.00")), "{name}: {statistics}");
    }
}

async fn list(service: &Service, kind: Kind, tenant: &str, query: &str) -> Value {
    ask(service, tenant, Method::GET, &format!("{}?{query}", kind.path), &[], None).await.json()
}

/// A text that stands in one tenant's names alone is found by that tenant alone.
async fn searches_find_nothing_of_others(service: &Service, kind: Kind, tenant: &str, tenants: &[String]) {
    for other in tenants {
        let own = if other == tenant { WORKERS * ROUNDS } else { 0 };
        let mut queries = vec![format!("limit=200&q={other}%3A")];
        if kind.path == BOOKS.path {
            queries.push(format!("limit=200&author={other}"));
        }
        for query in queries {
            let found = list(service, kind, tenant, &query).await;
            assert_eq!(own_names(kind, tenant, &found).len(), own, "{tenant} looks for {query}");
        }
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
fn own_names(kind: Kind, tenant: &str, list: &Value) -> Vec<String> {
    let items = list["items"].as_array().unwrap_or_else(|| panic!("no list: {list}"));
    let name = |item: &Value| item[kind.name].as_str().unwrap_or_default().to_owned();
    let names: Vec<String> = items.iter().map(name).collect();
    assert!(names.iter().all(|name| name.starts_with(&format!("{tenant}: "))), "{tenant} sees {names:?}");
    names
}

async fn work(service: &Service, kind: Kind, (tenant, cost): (&str, usize), worker: usize, told: &Mutex<Vec<Told>>) {
    for round in 0..ROUNDS {
        let number = worker * ROUNDS + round;
        let key = format!("key-{number}");
        let body = kind.body(&format!("{tenant}: {number}"), number, cost);
        let key = [("idempotency-key", key.as_str())];
        // The same key and the same address or ISBN in every tenant: a creation for each, and its own answer again.
        let made = ask(service, tenant, Method::POST, kind.path, &key, Some(&body)).await;
        assert_eq!((made.status.as_u16(), made.header("idempotency-replayed")), (201, ""), "{}", made.text);
        assert_eq!(made.json()[kind.name], body[kind.name]);
        let again = ask(service, tenant, Method::POST, kind.path, &key, Some(&body)).await;
        assert_eq!((again.header("idempotency-replayed"), &again.text), ("true", &made.text));

        let page = list(service, kind, tenant, "limit=1").await;
        own_names(kind, tenant, &page);
        let cursor = page["next_cursor"].as_str().unwrap_or_default().to_owned();
        let path = made.header("location").to_owned();
        told.lock().expect("nobody panics with it").push(Told { tenant: tenant.to_owned(), path, cursor });

        let others = told.lock().expect("nobody panics with it").clone();
        for other in others.iter().rev().filter(|other| other.tenant != tenant).take(2) {
            try_what_another_was_told(service, kind, tenant, made.header("etag"), other).await;
        }
        let own = ask(service, tenant, Method::GET, made.header("location"), &[], None).await;
        assert_eq!(own.text, made.text);
    }
}

async fn try_what_another_was_told(service: &Service, kind: Kind, tenant: &str, tag: &str, other: &Told) {
    let change = kind.body(&format!("{tenant} was here"), 999_999, 99);
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
        let path = format!("{}?limit=1&cursor={}", kind.path, other.cursor);
        ask(service, tenant, Method::GET, &path, &[], None).await.is_problem(400, "invalid-cursor");
        let own = ask(service, &other.tenant, Method::GET, &path, &[], None).await;
        own_names(kind, &other.tenant, &own.json());
    }
}
