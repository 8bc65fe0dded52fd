//! The system is told to watch over the sockets that are ours. Linux shows the timer in `/proc/net/tcp`.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as expected")]

use std::time::Duration;

use connection_manager::egress::EgressConfig;
use connection_manager::{ConnectionSettings, PasswordSource, PoolSettings, TlsSettings};
use shared_kernel::database::Engine;
use testkit::proxy::Proxy;
use testkit::tds::TdsServer;
use testkit::{Server, TestDatabase};

/// The timers of this machine's sockets that are connected to a port: 2 where the next thing that the system does is to ask
/// an idle peer, 0 where it does nothing.
fn timers(port: u16) -> Vec<u8> {
    let table = std::fs::read_to_string("/proc/self/net/tcp").unwrap();
    let to = format!(":{port:04X}");
    let fields = table.lines().map(|line| line.split_ascii_whitespace().collect::<Vec<_>>());
    let ours = fields.filter(|fields| fields.get(2).is_some_and(|remote| remote.ends_with(&to)));
    let timer = |fields: Vec<&str>| fields[5].split(':').next().unwrap().parse().unwrap();
    ours.filter(|fields| fields[3] == "01").map(timer).collect()
}

/// Opens one connection and looks at its timer, with the usual settings and with the watch switched off.
async fn watched_unless_switched_off(settings: ConnectionSettings) {
    for (keepalive, timer) in [(PoolSettings::default().keepalive, 2), (None, 0)] {
        let pool = PoolSettings { keepalive, ..PoolSettings::sized(0, 1) };
        let proxied = settings.host.clone().unwrap();
        let proxy = Proxy::start(format!("{proxied}:{}", settings.port.unwrap())).await.unwrap();
        let settings = settings.clone().with_host("127.0.0.1").with_port(proxy.port()).with_pool(pool);
        let connection = testkit::connect(settings).await.unwrap();
        let all = || (!timers(proxy.port()).is_empty()).then(|| timers(proxy.port()));
        // Until what was sent is acknowledged, another timer runs.
        testkit::eventually(Duration::from_secs(10), || {
            all().is_some_and(|timers| timers.iter().all(|found| *found == timer))
        })
        .await;
        connection.close(Duration::ZERO).await;
    }
}

#[test]
fn the_system_watches_over_a_connection_to_sql_server() {
    testkit::run(async {
        let server = TdsServer::builder().user("sa", "secret").start().await.unwrap();
        let settings = ConnectionSettings::new(Engine::SQLSERVER)
            .with_host("localhost")
            .with_port(server.address().port())
            .with_username("sa")
            .with_password(PasswordSource::Literal("secret".into()))
            .with_tls(TlsSettings::disabled());
        watched_unless_switched_off(settings).await;
    });
}

#[test]
fn the_system_watches_over_a_connection_to_redis() {
    testkit::run(watched_unless_switched_off(testkit::redis::shared()));
}

/// Sockets of drivers that dial by themselves are ours where the way is looked over.
async fn watched_on_a_way_that_is_looked_over(settings: ConnectionSettings) {
    watched_unless_switched_off(settings.with_egress(EgressConfig::open().egress([]))).await;
}

#[test]
fn the_system_watches_over_a_connection_to_mongodb_that_is_defined_outside() {
    testkit::run(watched_on_a_way_that_is_looked_over(testkit::mongodb::shared()));
}

mod on_engines {
    macro_rules! on_servers {
        ($($module:ident $server:ident),+) => {
            $(
                mod $module {
                    use super::super::*;

                    #[test]
                    fn the_system_watches_over_a_connection_that_is_defined_outside() {
                        testkit::run(async {
                            let database = TestDatabase::create(Server::$server).await;
                            watched_on_a_way_that_is_looked_over(database.settings()).await;
                        });
                    }
                }
            )+
        };
    }

    on_servers!(mysql MySql, mariadb MariaDb, postgres Postgres);
}
