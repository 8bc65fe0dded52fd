use connection_manager::{ConnectionFactory, ConnectionManager, ConnectionSettings, Connector, PerTenantSettings};
use futures_util::future::join_all;
use shared_kernel::RequestContext;
use shared_kernel::database::{Access, Connections, DatabaseErrorKind, RawStatement};
use tempfile::TempDir;

use super::{Watching, context, get, manager, tenant};
use crate::manager::Counting;

const TENANTS: [&str; 3] = ["acme", "globex", "acme_b"];

/// Each tenant's books in a file of its own.
fn files(folder: &TempDir) -> PerTenantSettings {
    PerTenantSettings::new(ConnectionSettings::sqlite(folder.path().join("{tenant}.db")))
}

fn on_files(settings: PerTenantSettings) -> ConnectionManager {
    ConnectionManager::builder(ConnectionFactory::compiled())
        .per_tenant("books", settings)
        .tenants(TENANTS.map(tenant))
        .build()
        .unwrap()
}

#[tokio::test]
async fn each_tenant_has_a_database_of_its_own() {
    let folder = TempDir::new().unwrap();
    let manager = on_files(files(&folder));
    for name in TENANTS {
        let connection = get(&manager, name).await.unwrap();
        let sql = connection.sql().unwrap();
        let text = |text: &'static str| RawStatement::everywhere("RAW", text);
        sql.execute(&text("CREATE TABLE book (title TEXT NOT NULL)").into(), &context(name)).await.unwrap();
        let insert = text("INSERT INTO book (title) VALUES (?)").bind(name);
        sql.execute(&insert.into(), &context(name)).await.unwrap();
    }
    for name in TENANTS {
        let connection = get(&manager, name).await.unwrap();
        let select = RawStatement::everywhere("SELECT", "SELECT title FROM book");
        let rows = connection.sql().unwrap().query(&select.into(), &context(name)).await.unwrap();
        let titles: Vec<String> = rows.iter().map(|row| row.get("title").unwrap()).collect();
        assert_eq!(titles, [name]);
        assert!(folder.path().join(format!("{name}.db")).is_file());
    }
}

#[tokio::test]
async fn a_request_without_a_tenant_or_with_an_unknown_one_is_refused() {
    let connector = Watching::new();
    let manager = manager(connector.clone(), &["acme"], |settings| settings);
    let refused = manager.get("books", Access::Read, &RequestContext::system()).await.unwrap_err();
    assert_eq!(refused.kind(), &DatabaseErrorKind::TenantRequired);
    let refused = get(&manager, "globex").await.unwrap_err();
    assert_eq!(refused.kind(), &DatabaseErrorKind::UnknownTenant);
    assert!(refused.message().contains("globex"), "{refused}");
    assert_eq!(connector.builds(), 0);
}

#[tokio::test]
async fn a_connection_that_is_shared_is_the_same_for_every_tenant() {
    let connector = Counting::new(2);
    let factory = ConnectionFactory::empty().register(connector.clone() as std::sync::Arc<dyn Connector>);
    let manager = ConnectionManager::builder(factory).connection("books", super::super::settings()).build().unwrap();
    let (acme, globex) = (get(&manager, "acme").await.unwrap(), get(&manager, "globex").await.unwrap());
    let nobody = manager.get("books", Access::Read, &RequestContext::system()).await.unwrap();
    assert!(std::sync::Arc::ptr_eq(&acme, &globex) && std::sync::Arc::ptr_eq(&acme, &nobody));
    assert!(!manager.is_per_tenant("books") && manager.tenant_pools("books").is_none());
}

#[tokio::test]
async fn no_settings_lead_one_tenant_to_the_database_of_another() {
    let folder = TempDir::new().unwrap();
    let wrong = ConnectionSettings::sqlite(folder.path().join("acme.db"));
    let manager = on_files(files(&folder).with_override(tenant("globex"), wrong));
    let _acme = get(&manager, "acme").await.unwrap();
    let refused = get(&manager, "globex").await.unwrap_err();
    assert_eq!(refused.kind(), &DatabaseErrorKind::Misconfigured);
    assert!(refused.message().contains("tenant `globex` to the database of tenant `acme`"), "{refused}");
}

#[tokio::test]
async fn connections_of_different_names_do_not_meet_in_a_database_of_two_tenants() {
    let folder = TempDir::new().unwrap();
    let settings = |template: &str| PerTenantSettings::new(ConnectionSettings::sqlite(folder.path().join(template)));
    let manager = ConnectionManager::builder(ConnectionFactory::compiled())
        .per_tenant("users", settings("{tenant}.db"))
        .per_tenant("books", settings("{tenant}_b.db"))
        .tenants(TENANTS.map(tenant))
        .build()
        .unwrap();
    get(&manager, "acme").await.unwrap();
    let refused = manager.get("users", Access::Write, &context("acme_b")).await.unwrap_err();
    assert_eq!(refused.kind(), &DatabaseErrorKind::Misconfigured);
}

#[test]
fn a_template_without_the_tenant_is_refused_before_anything_is_opened() {
    let settings = PerTenantSettings::new(ConnectionSettings::sqlite("books.db"));
    let refused = ConnectionManager::builder(ConnectionFactory::compiled()).per_tenant("books", settings).build();
    let refused = refused.unwrap_err();
    assert_eq!(refused.kind(), &DatabaseErrorKind::Misconfigured);
    assert!(refused.message().contains("`path`: the same for every tenant"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_callers_of_a_new_tenant_cause_one_build() {
    let connector = Counting::new(0);
    let manager = manager(connector.clone(), &["acme", "globex"], |settings| settings);
    let callers: Vec<_> = (0..1000)
        .map(|number| {
            let manager = manager.clone();
            let name = if number % 2 == 0 { "acme" } else { "globex" };
            tokio::spawn(async move { (name, get(&manager, name).await.unwrap()) })
        })
        .collect();
    connector.gate.add_permits(1000);
    let (mut acme, mut globex) = (Vec::new(), Vec::new());
    for caller in callers {
        let (name, connection) = caller.await.unwrap();
        if name == "acme" { acme.push(connection) } else { globex.push(connection) }
    }
    assert_eq!(connector.builds(), 2);
    for same in [&acme, &globex] {
        assert!(same.iter().all(|connection| std::sync::Arc::ptr_eq(connection, &same[0])));
    }
    assert!(!std::sync::Arc::ptr_eq(&acme[0], &globex[0]));
}

#[tokio::test]
async fn a_failed_build_is_told_to_its_waiters_and_not_kept() {
    let connector = Counting::new(0);
    connector.failures.lock().unwrap().push_back(DatabaseErrorKind::UnknownDatabase);
    let manager = manager(connector.clone(), &["acme", "globex"], |settings| settings.with_max_live(1));
    let waiters = join_all((0..10).map(|_| get(&manager, "acme")));
    let (outcomes, ()) = tokio::join!(waiters, async {
        tokio::task::yield_now().await;
        connector.gate.add_permits(2);
    });
    for outcome in outcomes {
        assert_eq!(outcome.unwrap_err().kind(), &DatabaseErrorKind::UnknownDatabase);
    }
    assert_eq!(manager.tenant_pools("books").unwrap().opening, 0);
    get(&manager, "globex").await.unwrap();
    assert_eq!(connector.builds(), 2, "the place of the failed build is free");
}
