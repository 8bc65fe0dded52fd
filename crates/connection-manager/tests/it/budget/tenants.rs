//! Many tenants on a server that allows few connections to everybody.

use std::sync::Arc;

use connection_manager::{
    ConnectionFactory, ConnectionManager, ConnectionSettings, PasswordSource, PerTenantSettings, PoolSettings,
    ServerSettings,
};
use futures_util::future::join_all;
use shared_kernel::database::{Access, Connections as _, DatabaseError, DatabaseErrorKind, RawStatement, Statement};
use shared_kernel::{RequestContext, TenantId};
use testkit::{OwnServer, Server, eventually_some};

use super::{LONG, PASSWORD};
use crate::rotation::accounts::Accounts;

const USER: &str = "svc";

/// So many tenants, over so many connections, each asked by two callers so often.
fn size() -> (usize, u32, usize) {
    if super::is_soak() { (500, 60, 4) } else { (60, 12, 3) }
}

/// Of the connections that a server allows, it keeps some for its administrators.
fn kept(server: Server) -> u32 {
    if server == Server::Postgres { 3 } else { 0 }
}

fn tenant(number: usize) -> TenantId {
    format!("t{number}").parse().unwrap()
}

/// Its administrator for a moment: while he is there, he has one of the connections that it allows.
async fn administer<T>(own: &OwnServer, work: impl AsyncFnOnce(&Accounts) -> T) -> T {
    let connection = testkit::connect(own.admin().with_pool(PoolSettings::sized(0, 1))).await.unwrap();
    let outcome = work(&Accounts::Real(own.server(), Arc::clone(&connection))).await;
    connection.close(LONG).await;
    outcome
}

/// A database for each tenant, and an account that may read all of them.
async fn furnish(own: &OwnServer, tenants: usize) {
    administer(own, async |accounts| {
        accounts.create(USER, PASSWORD).await;
        if own.server() != Server::Postgres {
            accounts.run(&format!("GRANT SELECT ON *.* TO '{USER}'@'%'")).await;
        }
        for number in 0..tenants {
            accounts.run(&format!("CREATE DATABASE {}", tenant(number))).await;
        }
    })
    .await;
}

/// How many connections the server counts.
async fn sessions(own: &OwnServer) -> i64 {
    administer(own, async |accounts| accounts.sessions(USER).await).await
}

fn manager(settings: ConnectionSettings, tenants: usize, limit: Option<u32>) -> ConnectionManager {
    let server = format!("{}:{}", settings.host.as_ref().unwrap(), settings.port.unwrap());
    ConnectionManager::builder(ConnectionFactory::compiled())
        .server(&server, ServerSettings { connections: limit, instances: 1 })
        .per_tenant("books", PerTenantSettings::new(settings).with_max_live(tenants))
        .tenants((0..tenants).map(tenant))
        .build()
        .unwrap()
}

/// Asks a tenant's connection which database it leads to.
async fn ask(manager: &ConnectionManager, number: usize) -> Result<String, DatabaseError> {
    let context = RequestContext { tenant: Some(tenant(number)), ..RequestContext::system().within(LONG) };
    let connection = manager.get("books", Access::Read, &context).await?;
    let sql = connection.sql()?;
    let text = match connection.engine().as_str() {
        "postgres" => "SELECT current_database()::text AS name",
        _ => "SELECT database() AS name",
    };
    let which: Statement = RawStatement::everywhere("SELECT", text).into();
    sql.query_one(&which, &context).await?.expect("one row").get("name")
}

async fn many_tenants_share_what_the_server_allows(server: Server) {
    let (tenants, allowed, rounds) = size();
    let own = OwnServer::start(server, &[("max_connections", &allowed.to_string())]).await;
    furnish(&own, tenants).await;

    let limit = allowed - kept(server);
    let patience = PoolSettings { acquire_timeout: LONG, ..PoolSettings::sized(0, 10) };
    let template = own
        .admin()
        .with_username(USER)
        .with_password(PasswordSource::Literal(PASSWORD.into()))
        .with_database("{tenant}")
        .with_pool(patience);
    let shared = manager(template.clone(), tenants, Some(limit));
    let callers = (0..tenants).flat_map(|number| [number, number]).map(|number| {
        let manager = &shared;
        async move {
            for _ in 0..rounds {
                assert_eq!(ask(manager, number).await?, tenant(number).as_str());
            }
            Ok::<_, DatabaseError>(())
        }
    });
    for outcome in join_all(callers).await {
        outcome.unwrap();
    }
    assert_eq!(shared.tenant_pools("books").unwrap().live, tenants, "every tenant has its pool");
    let [budget] = shared.budgets().try_into().unwrap();
    let stats = budget.stats();
    assert!(stats.used <= limit && stats.waiting_pools == 0, "{stats:?}");
    eprintln!(
        "{server}: {tenants} tenants, {} calls over at most {limit} connections: {stats:?}",
        2 * tenants * rounds
    );
    shared.close(LONG).await;
    assert_eq!(budget.stats().used, 0);

    eventually_some(LONG, || async { (sessions(&own).await == 0).then_some(()) }).await;

    // The limit is one that counts: where nobody shares a budget, the server refuses.
    let alone = manager(template, tenants, None);
    let mut outcomes = Vec::new();
    for number in 0..=limit as usize {
        outcomes.push(ask(&alone, number).await);
    }
    let error = outcomes.pop().unwrap().unwrap_err();
    assert_eq!(error.kind(), &DatabaseErrorKind::Saturated, "{error}");
    alone.close(LONG).await;
}

macro_rules! on_servers {
    ($($module:ident: $server:ident),+ $(,)?) => {
        $(
            mod $module {
                #[test]
                fn many_tenants_share_what_the_server_allows() {
                    testkit::run(super::many_tenants_share_what_the_server_allows(testkit::Server::$server));
                }
            }
        )+
    };
}

on_servers!(mariadb: MariaDb, postgres: Postgres);
