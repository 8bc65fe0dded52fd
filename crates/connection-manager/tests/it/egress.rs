//! Connections that somebody from outside has defined lead where the policy says and nowhere else, on every engine, and
//! whatever a server says.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as expected")]

pub(crate) mod mongodb;
mod rogue;

use std::io;
use std::net::{IpAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use async_trait::async_trait;
use connection_manager::egress::{Egress, EgressConfig, Resolver, SessionLimits};
use connection_manager::probe::examine;
use connection_manager::{
    ConnectionFactory, ConnectionManager, ConnectionSettings, Connector, Endpoint, LocalSecrets, PasswordSource,
    PoolSettings, SecretSource, SettingFault, TlsSettings,
};
use shared_kernel::RequestContext;
use shared_kernel::database::{
    Access, ConnectionName, Connections as _, DatabaseConnection, DatabaseError, DatabaseErrorKind, Engine,
    RawStatement, TransactionMode,
};
use testkit::proxy::Proxy;
use testkit::tds::TdsServer;
use testkit::{Server, SilentPort};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

/// A listener that nobody may come to.
struct Canary(TcpListener);

impl Canary {
    fn at(address: &str) -> Self {
        let listener = TcpListener::bind((address, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    fn assert_untouched(&self) {
        assert_eq!(self.0.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock, "somebody came to the canary");
    }
}

/// Every name is this machine's.
struct Here;

#[async_trait]
impl Resolver for Here {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Ok(vec![IpAddr::from([127, 0, 0, 1])])
    }
}

fn closed() -> Egress {
    EgressConfig::default().egress([]).with_resolver(Arc::new(Here))
}

/// This machine, but not the address where canaries are that servers send their clients to.
fn but_for_the_canary() -> Egress {
    EgressConfig { deny: vec!["127.0.0.2".parse().unwrap()], ..EgressConfig::open() }.egress([])
}

fn patient(settings: ConnectionSettings) -> ConnectionSettings {
    let pool = PoolSettings { connect_timeout: Duration::from_secs(5), ..PoolSettings::sized(0, 1) };
    settings.with_pool(pool)
}

async fn refused(settings: ConnectionSettings) -> DatabaseError {
    match testkit::connect(patient(settings)).await {
        Ok(connection) => panic!("{connection:?} leads where it must not"),
        Err(error) => error,
    }
}

/// A definition of each engine that has servers.
fn definitions(host: &str, port: u16) -> Vec<ConnectionSettings> {
    let engines = [
        Engine::MYSQL,
        Engine::MARIADB,
        Engine::POSTGRES,
        Engine::SQLSERVER,
        Engine::REDIS,
        Engine::DYNAMODB,
        Engine::MONGODB,
    ];
    let define = |engine: Engine| {
        let settings = ConnectionSettings::new(engine.clone())
            .with_host(host)
            .with_port(port)
            .with_username("ann")
            .with_password(PasswordSource::Literal("secret".into()))
            .with_tls(TlsSettings::disabled());
        if engine == Engine::DYNAMODB { settings.with_option("region", "eu-central-1") } else { settings }
    };
    let mut all: Vec<_> = engines.map(define).into();
    all.push(define(Engine::REDIS).with_option("cluster", "true"));
    all.push(define(Engine::MONGODB).with_option("replica_set", "rs0"));
    all
}

#[test]
fn nobody_reaches_an_address_that_is_refused_however_it_is_written() {
    testkit::run(async {
        let canary = Canary::at("127.0.0.1");
        for host in ["127.0.0.1", "db.example", "::ffff:127.0.0.1", "2130706433", "0x7f.1"] {
            for settings in definitions(host, canary.port()) {
                let engine = settings.engine.clone();
                let error = refused(settings.with_egress(closed())).await;
                assert_eq!(*error.kind(), DatabaseErrorKind::Unreachable, "{engine} at {host}: {error}");
                canary.assert_untouched();
            }
        }
    });
}

#[test]
fn what_is_refused_looks_as_what_is_closed() {
    testkit::run(async {
        let port = testkit::free_port();
        for (blocked, away) in definitions("127.0.0.1", port).into_iter().zip(definitions("127.0.0.1", port)) {
            let engine = blocked.engine.clone();
            let blocked = refused(blocked.with_egress(closed())).await;
            let away = refused(away.with_egress(EgressConfig::open().egress([]))).await;
            assert_eq!(blocked.kind(), away.kind(), "{engine}");
            if engine != Engine::DYNAMODB {
                assert_eq!(blocked.to_string(), away.to_string(), "{engine}");
            }
        }
    });
}

async fn answers(settings: ConnectionSettings) {
    let engine = settings.engine.clone();
    let connection = testkit::connect(patient(settings.with_egress(EgressConfig::open().egress([])))).await.unwrap();
    let health = connection.ping(&RequestContext::system()).await;
    assert!(health.is_ok(), "{engine}: {health:?}");
    connection.close(Duration::from_secs(1)).await;
}

#[test]
fn mysql_is_reached_where_it_may_be() {
    testkit::run(answers(Server::MySql.admin()));
}

#[test]
fn mariadb_is_reached_where_it_may_be() {
    testkit::run(answers(Server::MariaDb.admin()));
}

#[test]
fn postgres_is_reached_where_it_may_be() {
    testkit::run(answers(Server::Postgres.admin()));
}

/// The name in the certificate is still the server's, and the driver still checks it.
#[test]
fn tls_is_checked_all_the_way_through() {
    testkit::run(async {
        for server in [Server::MySql, Server::MariaDb, Server::Postgres] {
            let tls = TlsSettings::verify_full(server.certificate_authority());
            let settings = server.admin().with_tls(tls);
            answers(settings.clone().with_host("localhost")).await;
            let elsewhere = EgressConfig::open().egress([]).with_resolver(Arc::new(Here));
            let error = refused(settings.with_host("db.example").with_egress(elsewhere)).await;
            assert_eq!(*error.kind(), DatabaseErrorKind::TlsFailed, "{server}: {error}");
        }
    });
}

#[test]
fn redis_is_reached_where_it_may_be() {
    testkit::run(answers(testkit::redis::shared()));
}

#[test]
fn dynamodb_is_reached_where_it_may_be() {
    testkit::run(answers(testkit::dynamodb::shared()));
}

/// The process has an identity in its environment; a definition from outside gets none of it.
#[test]
fn dynamodb_lends_nobody_the_identity_of_the_process() {
    testkit::run(async {
        let mut settings = testkit::dynamodb::shared();
        settings.username = None;
        settings.password = PasswordSource::None;
        let error = refused(settings.with_egress(EgressConfig::open().egress([]))).await;
        assert_eq!(*error.kind(), DatabaseErrorKind::Misconfigured, "{error}");
    });
}

/// A name with two addresses: a neighbour's, then one of whoever owns the name.
struct Beside;

const NEIGHBOUR: [u8; 4] = [127, 0, 0, 2];

#[async_trait]
impl Resolver for Beside {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Ok(vec![IpAddr::from(NEIGHBOUR), IpAddr::from([127, 0, 0, 1])])
    }
}

fn beside() -> Egress {
    EgressConfig::open().egress([]).with_resolver(Arc::new(Beside))
}

/// Takes every connection and has no TLS, as PostgreSQL says it.
async fn plain_postgres(listener: tokio::net::TcpListener) {
    while let Ok((mut socket, _)) = listener.accept().await {
        // One that says nothing has only looked whether somebody is there.
        if socket.read_exact(&mut [0; 8]).await.is_ok() {
            socket.write_all(b"N").await.unwrap();
        }
    }
}

#[test]
fn nobody_hears_of_a_neighbour_whose_address_stands_before_his_own() {
    testkit::run(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", testkit::free_port())).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(plain_postgres(listener));
        let settings = ConnectionSettings::new(Engine::POSTGRES)
            .with_host("db.example")
            .with_port(port)
            .with_username("ann")
            .with_password(PasswordSource::Literal("secret".into()))
            .with_tls(TlsSettings::required())
            .with_egress(beside());
        let settings = patient(settings);
        let look = async || {
            let secrets: Arc<dyn SecretSource> = Arc::new(LocalSecrets);
            let factory = ConnectionFactory::compiled();
            let stages = examine(&factory, &secrets, &"examined".parse().unwrap(), &settings).await;
            stages.iter().map(|stage| (stage.name, stage.code)).collect::<Vec<_>>()
        };
        let closed = look().await;
        let _neighbour = SilentPort::at((NEIGHBOUR, port).into());
        let silent = look().await;
        assert_eq!(closed, silent);
        assert_eq!(closed.last(), Some(&("TLS", "tls_unsupported")), "{closed:?}");
    });
}

#[test]
fn nor_does_the_client_of_dynamodb() {
    testkit::run(async {
        let mut settings = testkit::dynamodb::shared();
        let server = format!("{}:{}", settings.host.as_deref().unwrap(), settings.port.unwrap());
        let proxy = Proxy::start_at([127, 0, 0, 1].into(), server).await.unwrap();
        settings = patient(settings.with_host("db.example").with_port(proxy.port()).with_egress(beside()));
        let _neighbour = SilentPort::at((NEIGHBOUR, proxy.port()).into());
        let connection = testkit::connect(settings).await.unwrap();
        connection.ping(&RequestContext::system().within(Duration::from_secs(30))).await.unwrap();
    });
}

#[test]
fn a_tds_server_is_reached_where_it_may_be_but_sends_nobody_elsewhere() {
    testkit::run(async {
        let canary = Canary::at("127.0.0.2");
        let server = TdsServer::builder().user("sa", "secret").start().await.unwrap();
        let settings = ConnectionSettings::new(Engine::SQLSERVER)
            .with_host("localhost")
            .with_port(server.address().port())
            .with_username("sa")
            .with_password(PasswordSource::Literal("secret".into()))
            .with_tls(TlsSettings::disabled());
        answers(settings.clone()).await;
        server.redirect_to(Some(("127.0.0.2", canary.port())));
        let error = refused(settings.with_egress(but_for_the_canary())).await;
        assert_eq!(*error.kind(), DatabaseErrorKind::Unreachable, "{error}");
        canary.assert_untouched();
    });
}

#[test]
fn a_cluster_sends_nobody_elsewhere() {
    testkit::run(async {
        let canary = Canary::at("127.0.0.2");
        let port = rogue::cluster_of(format!("127.0.0.2:{}", canary.port())).await;
        let settings = ConnectionSettings::new(Engine::REDIS)
            .with_host("127.0.0.1")
            .with_port(port)
            .with_tls(TlsSettings::disabled())
            .with_option("cluster", "true");
        if let Ok(connection) = testkit::connect(patient(settings.with_egress(but_for_the_canary()))).await {
            let context = RequestContext::system().within(Duration::from_secs(5));
            let value = connection.key_value().unwrap().get(b"key", &context).await;
            assert!(value.is_err(), "{value:?}");
        }
        canary.assert_untouched();
    });
}

/// The driver dials by itself; what the nodes say is counted all the same.
#[test]
fn a_node_of_a_cluster_is_listened_to_no_longer_than_any_other_server() {
    testkit::run(async {
        let limits = SessionLimits { answer: 1 << 20, ..SessionLimits::default() };
        // As much as lies between the two in buffers, and more.
        for (length, is_heard) in [(1 << 19, true), (64 << 20, false)] {
            let (port, sent) = rogue::talkative_cluster(length).await;
            let settings = ConnectionSettings::new(Engine::REDIS)
                .with_host("127.0.0.1")
                .with_port(port)
                .with_tls(TlsSettings::disabled())
                .with_option("cluster", "true")
                .with_egress(EgressConfig::open().egress([]).with_limits(limits.clone()));
            let connection = testkit::connect(patient(settings)).await.unwrap();
            let context = RequestContext::system().within(Duration::from_mins(1));
            let value = connection.key_value().unwrap().get(b"key", &context).await;
            if is_heard {
                assert_eq!(value.unwrap().map(|value| value.len()), Some(length));
            } else {
                let error = value.unwrap_err();
                assert_eq!(*error.kind(), DatabaseErrorKind::Unreachable, "{error}");
                assert!(sent.load(Ordering::SeqCst) < length, "all of it was taken in");
            }
        }
    });
}

#[test]
fn a_file_is_read_below_the_root_and_nowhere_else() {
    testkit::run(async {
        let folder = tempfile::tempdir().unwrap();
        let (root, outside) = (folder.path().join("root"), folder.path().join("outside.sqlite"));
        std::fs::create_dir(&root).unwrap();
        for file in [&root.join("shop.sqlite"), &outside] {
            let connection = testkit::connect(ConnectionSettings::sqlite(file)).await.unwrap();
            let script = "PRAGMA journal_mode = DELETE; CREATE TABLE books (id INTEGER)";
            connection.sql().unwrap().run_script(script, &RequestContext::system()).await.unwrap();
            connection.close(Duration::from_secs(1)).await;
        }
        let egress = closed().with_files_below(&root);
        let open =
            |file: &str| testkit::connect(ConnectionSettings::sqlite(root.join(file)).with_egress(egress.clone()));
        let connection = open("shop.sqlite").await.unwrap();
        // It begins as what reads does: SQLite itself says no.
        let delete = RawStatement::everywhere("DELETE", "WITH a AS (SELECT 1) DELETE FROM books").into();
        let error = connection.sql().unwrap().execute(&delete, &RequestContext::system()).await.unwrap_err();
        assert_eq!(*error.kind(), DatabaseErrorKind::ReadOnlyTarget, "{error}");
        assert!(error.code().is_some(), "{error}");
        std::os::unix::fs::symlink(&outside, root.join("link.sqlite")).unwrap();
        for file in ["../outside.sqlite", "link.sqlite", "missing.sqlite", "shop.sqlite?mode=rwc"] {
            let error = open(file).await.unwrap_err();
            assert_eq!(*error.kind(), DatabaseErrorKind::UnknownDatabase, "{file}: {error}");
            assert!(!error.to_string().contains("root"), "{error}");
        }
        let memory = ConnectionSettings::sqlite(":memory:").with_egress(egress.clone());
        assert!(testkit::connect(memory).await.is_err());
    });
}

#[test]
fn no_statement_leads_to_another_file() {
    testkit::run(async {
        let context = RequestContext::system();
        let folder = tempfile::tempdir().unwrap();
        let (root, outside) = (folder.path().join("root"), folder.path().join("outside.sqlite"));
        std::fs::create_dir(&root).unwrap();
        for file in [&root.join("shop.sqlite"), &outside] {
            let connection = testkit::connect(ConnectionSettings::sqlite(file)).await.unwrap();
            connection.sql().unwrap().run_script("CREATE TABLE books (id INTEGER)", &context).await.unwrap();
            connection.close(Duration::from_secs(1)).await;
        }
        let written = folder.path().join("written.sqlite");
        let settings = ConnectionSettings::sqlite(root.join("shop.sqlite"));
        let connection = testkit::connect(settings.with_egress(closed().with_files_below(&root))).await.unwrap();
        let sql = connection.sql().unwrap();
        let attach = format!("ATTACH '{}' AS outside", outside.display());
        let vacuum = format!("VACUUM INTO '{}'", written.display());
        for text in [&attach, &vacuum, &format!("SELECT 1; {attach}"), &format!("SELECT 1; {vacuum}")] {
            let statement = RawStatement::everywhere("SELECT", text.clone()).into();
            for outcome in [
                sql.execute(&statement, &context).await.map(drop),
                sql.query(&statement, &context).await.map(drop),
                sql.run_script(text, &context).await,
            ] {
                let error = outcome.expect_err(text);
                assert_eq!(*error.kind(), DatabaseErrorKind::ReadOnlyTarget, "{text}: {error}");
                assert!(error.to_string().contains("this connection only reads"), "{text}: {error}");
            }
        }
        assert!(!written.exists());
        for text in [
            "SELECT name FROM pragma_table_info('books')",
            "WITH a AS (SELECT 'id' AS name) SELECT name FROM a",
            "VALUES ('id')",
            "EXPLAIN QUERY PLAN SELECT id FROM books",
        ] {
            let statement = RawStatement::everywhere("SELECT", text).into();
            assert_eq!(sql.query(&statement, &context).await.unwrap().len(), 1, "{text}");
        }
        let transaction = sql.begin(TransactionMode::ReadWrite, &context).await.unwrap();
        let statement = RawStatement::everywhere("SELECT", attach).into();
        let error = transaction.execute(&statement, &context).await.unwrap_err();
        assert_eq!(*error.kind(), DatabaseErrorKind::ReadOnlyTarget, "{error}");
        transaction.commit(&context).await.unwrap();
    });
}

/// Connects to what it likes.
#[derive(Debug)]
struct Heedless;

#[async_trait]
impl Connector for Heedless {
    fn engine(&self) -> &Engine {
        static ENGINE: Engine = Engine::POSTGRES;
        &ENGINE
    }

    fn validate(&self, _: &ConnectionSettings) -> Vec<SettingFault> {
        Vec::new()
    }

    async fn connect(
        &self,
        _: &ConnectionName,
        _: &ConnectionSettings,
        _: Endpoint,
    ) -> Result<Arc<dyn DatabaseConnection>, DatabaseError> {
        Err(DatabaseError::new(DatabaseErrorKind::Closed, "it was asked all the same"))
    }
}

#[test]
fn a_connector_that_does_not_ask_is_not_asked() {
    testkit::run(async {
        for (egress, kind) in [(None, DatabaseErrorKind::Closed), (Some(closed()), DatabaseErrorKind::Misconfigured)] {
            let mut settings = ConnectionSettings::new(Engine::POSTGRES);
            settings.egress = egress;
            let factory = ConnectionFactory::empty().register(Arc::new(Heedless));
            let manager = ConnectionManager::builder(factory).connection("heedless", settings).build().unwrap();
            let error = manager.get("heedless", Access::Read, &RequestContext::system()).await.unwrap_err();
            assert_eq!(*error.kind(), kind, "{error}");
        }
    });
}
