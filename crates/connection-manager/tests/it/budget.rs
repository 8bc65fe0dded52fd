//! Many pools on real servers that allow an account few connections.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as expected")]

mod tenants;

use std::time::Duration;

use connection_manager::{
    ConnectionFactory, ConnectionManager, ConnectionSettings, PasswordSource, PoolSettings, ServerSettings,
};
use futures_util::future::join_all;
use shared_kernel::RequestContext;
use shared_kernel::database::{Access, Connections as _, DatabaseError, DatabaseErrorKind, RawStatement, Statement};
use testkit::{Server, eventually_some};

use crate::rotation::accounts::Accounts;

/// Much more than anything takes here; nothing is measured.
const LONG: Duration = Duration::from_mins(2);
const PASSWORD: &str = "pa55word";

#[expect(clippy::disallowed_methods, reason = "xtask tells tests through the environment what it wants of them")]
fn is_soak() -> bool {
    std::env::var_os("BINDERY_TEST_SOAK").is_some()
}

/// So many pools, over so many connections, each asked so often.
fn size() -> (usize, u32, usize) {
    if is_soak() { (500, 60, 20) } else { (60, 8, 6) }
}

/// An account that the server allows `limit` connections.
async fn limited(accounts: &Accounts, server: Server, user: &str, limit: u32) {
    accounts.create(user, PASSWORD).await;
    let limit = match server {
        Server::Postgres => format!("ALTER ROLE {user} CONNECTION LIMIT {limit}"),
        _ => format!("ALTER USER '{user}'@'%' WITH MAX_USER_CONNECTIONS {limit}"),
    };
    accounts.run(&limit).await;
}

fn manager(settings: &ConnectionSettings, pools: usize, limit: Option<u32>) -> ConnectionManager {
    let server = format!("{}:{}", settings.host.as_ref().unwrap(), settings.port.unwrap());
    let shared = ServerSettings { connections: limit, instances: 1 };
    let builder = ConnectionManager::builder(ConnectionFactory::compiled()).server(&server, shared);
    (0..pools)
        .fold(builder, |builder, pool| builder.connection(format!("pool-{pool}"), settings.clone()))
        .build()
        .unwrap()
}

async fn ask(manager: &ConnectionManager, pool: usize) -> Result<(), DatabaseError> {
    let context = RequestContext::system().within(LONG);
    let connection = manager.get(&format!("pool-{pool}"), Access::Read, &context).await?;
    let one: Statement = RawStatement::everywhere("SELECT", "SELECT 1").into();
    connection.sql().unwrap().query(&one, &context).await.map(drop)
}

/// Every pool works, and no caller hears of the server's limit.
async fn many_pools_share_few_connections(server: Server) {
    let (pools, limit, rounds) = size();
    let accounts = Accounts::of(server).await;
    let user = Accounts::name("few");
    limited(&accounts, server, &user, limit).await;
    let patience = PoolSettings { acquire_timeout: LONG, ..PoolSettings::sized(2, 10) };
    let password = PasswordSource::Literal(PASSWORD.into());
    let settings = server.admin().with_username(&user).with_password(password).with_pool(patience);
    let manager = manager(&settings, pools, Some(limit));

    let callers = (0..pools).flat_map(|pool| [pool, pool]).map(|pool| {
        let manager = &manager;
        async move {
            for _ in 0..rounds {
                ask(manager, pool).await?;
            }
            Ok::<_, DatabaseError>(())
        }
    });
    for outcome in join_all(callers).await {
        outcome.unwrap();
    }
    let [budget] = manager.budgets().try_into().unwrap();
    let stats = budget.stats();
    assert!(stats.used < limit && stats.waiting_pools == 0, "{stats:?}");
    manager.close(LONG).await;
    assert_eq!(budget.stats().used, 0);
    eventually_some(LONG, || async { (accounts.sessions(&user).await == 0).then_some(()) }).await;
    accounts.remove(&user).await;
}

/// Without the budget the same is refused: the limit is one that counts.
async fn without_a_budget_the_server_refuses(server: Server) {
    let accounts = Accounts::of(server).await;
    let user = Accounts::name("none");
    limited(&accounts, server, &user, 2).await;
    let password = PasswordSource::Literal(PASSWORD.into());
    let settings = server.admin().with_username(&user).with_password(password);
    let manager = manager(&settings.with_pool(PoolSettings::sized(0, 10)), 3, None);
    for pool in 0..2 {
        ask(&manager, pool).await.unwrap();
    }
    let error = ask(&manager, 2).await.unwrap_err();
    assert_eq!(error.kind(), &DatabaseErrorKind::Saturated, "{error}");
    manager.close(LONG).await;
    eventually_some(LONG, || async { (accounts.sessions(&user).await == 0).then_some(()) }).await;
    accounts.remove(&user).await;
}

macro_rules! on_servers {
    ($($module:ident: $server:ident),+ $(,)?) => {
        $(
            mod $module {
                on_servers!(@cases $server: many_pools_share_few_connections, without_a_budget_the_server_refuses);
            }
        )+
    };
    (@cases $server:ident: $($case:ident),+) => {
        $(
            #[test]
            fn $case() {
                testkit::run(super::$case(testkit::Server::$server));
            }
        )+
    };
}

on_servers!(mysql: MySql, mariadb: MariaDb, postgres: Postgres);
