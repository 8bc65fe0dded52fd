//! A look all around a connection on real servers, and where it ends when something is wrong.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as expected")]

use std::fs;
use std::net::Ipv4Addr;
use std::sync::Arc;

use connection_manager::dynamodb::driver_crate::types::ScalarAttributeType;
use connection_manager::probe::{Finding, Stage, examine};
use connection_manager::{
    ConnectionFactory, ConnectionSettings, LocalSecrets, PasswordSource, SecretSource, TlsSettings,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::PrivateKeyDer;
use secrecy::SecretString;
use shared_kernel::database::Engine;
use testkit::proxy::Proxy;
use testkit::redis::OwnRedis;
use testkit::tds::{Column, Ending, Matcher, Reply, ResultSet, TdsServer, TdsType, TdsValue, Tls};
use testkit::{Server, TestDatabase};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::rotation::accounts::Accounts;

const CANARY: &str = "canary-77f0a1";

testkit::on_every_engine!(a_healthy_connection_is_told_from_end_to_end, each_fault_is_told_at_its_stage);

async fn a_healthy_connection_is_told_from_end_to_end(server: Server) {
    let database = TestDatabase::migrated(server, "users").await;
    let stages = look(&secured(server, &database)).await;
    assert!(stages.iter().all(|stage| stage.passed() && stage.code == "ok" && stage.remedy.is_none()), "{stages:#?}");
    let expected: &[&str] = if server.is_networked() {
        &EVERY
    } else {
        &["settings", "secret", "open", "ping", "role", "privileges", "latency"]
    };
    assert_eq!(names(&stages), expected);
    if [Server::Postgres, Server::MySql, Server::MariaDb].contains(&server) {
        let tls = text(&stages, "TLS");
        for part in ["TLSv1_3", "TLS13_", "certificate of `", "valid until 20", " days)"] {
            assert!(tls.contains(part), "{tls}");
        }
        assert!(text(&stages, "privileges").contains("superuser"), "tests log in as the administrator: {stages:#?}");
        assert!(text(&stages, "role").contains("takes writes"), "{stages:#?}");
        let Some(Finding::Tls { version, expires_at: Some(_), .. }) = finding(&stages, "TLS") else {
            panic!("{stages:#?}")
        };
        assert_eq!(version, "TLSv1_3");
    }
    assert!(matches!(finding(&stages, "ping"), Some(Finding::Server { version: Some(_) })), "{stages:#?}");
    let Some(Finding::Privileges { reads, writes, superuser }) = finding(&stages, "privileges") else {
        panic!("{stages:#?}")
    };
    let administrator = (server != Server::Sqlite).then_some(true);
    assert_eq!((reads, writes, superuser), (Some(true), Some(true), administrator));
    let privileges = text(&stages, "privileges");
    assert!(!privileges.contains("reads 0 of"), "the context's tables are there: {privileges}");
}

async fn each_fault_is_told_at_its_stage(server: Server) {
    let database = TestDatabase::create(server).await;
    let good = secured(server, &database);
    if !server.is_networked() {
        let missing = ConnectionSettings::sqlite(database.path().unwrap().with_file_name("missing/file"));
        fails(missing, "open", "unknown_database").await;
        return;
    }
    fails(good.clone().with_host("nowhere.invalid"), "DNS", "dns_failed").await;
    fails(good.clone().with_port(testkit::free_port()), "TCP", "tcp_refused").await;
    let wrong = PasswordSource::Literal(SecretString::from(CANARY));
    fails(good.clone().with_password(wrong), "login", "auth_rejected").await;
    fails(good.clone().with_database("no_such_database"), "login", "unknown_database").await;
    let nowhere = PasswordSource::File("no-such-file".into());
    fails(good.clone().with_password(nowhere), "secret", "secret_unavailable").await;
    if server == Server::SqlServer {
        return;
    }

    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other.pem");
    fs::write(&other, Authority::new().pem()).unwrap();
    fails(good.clone().with_tls(TlsSettings::verify_full(other)), "TLS", "tls_untrusted").await;
    let upstream = format!("{}:{}", good.host.clone().unwrap(), good.port.unwrap());
    let proxy = Proxy::start_at(Ipv4Addr::new(127, 0, 0, 2), upstream).await.unwrap();
    fails(good.clone().with_host("127.0.0.2").with_port(proxy.port()), "TLS", "tls_wrong_name").await;

    let accounts = Accounts::of(server).await;
    let user = Accounts::name("powerless");
    accounts.create(&user, CANARY).await;
    let powerless =
        good.clone().with_username(&user).with_password(PasswordSource::Literal(SecretString::from(CANARY)));
    if server == Server::Postgres {
        // Whoever may log in may connect to any database; in it there is nothing for them.
        database.migrate("users").await;
        fails(powerless, "privileges", "no_privileges").await;
    } else {
        fails(powerless, "login", "unknown_database").await;
    }
    accounts.remove(&user).await;
}

#[tokio::test]
async fn redis_is_told_from_end_to_end() {
    let tls = TlsSettings::verify_full(testkit::redis::authority());
    let stages = look(&testkit::redis::shared_with_tls().with_tls(tls)).await;
    assert_eq!(names(&stages), EVERY, "{stages:#?}");
    assert!(text(&stages, "TLS").contains("TLSv1_3"), "{stages:#?}");
    assert_eq!(text(&stages, "role"), "a primary, takes writes");
    assert_eq!(text(&stages, "privileges"), "reads any key, writes any key");

    let rules = [
        (
            "narrow",
            "~app:* +@all",
            "a primary, may take writes",
            "reads certain keys at most, writes certain keys at most",
        ),
        (
            "reader",
            "~* +@read +@connection",
            "primary or replica, the user may not ask, may take writes",
            "reads any key, writes none",
        ),
    ];
    let password = format!(">{CANARY}");
    let users: Vec<Vec<&str>> = rules
        .iter()
        .map(|(user, rules, ..)| ["--user", user, "on", &password].into_iter().chain(rules.split(' ')).collect())
        .collect();
    let powerless = ["--user", "powerless", "on", &password, "~*", "+@connection"];
    let own = OwnRedis::start(&[users.concat(), powerless.to_vec()].concat()).await;
    let as_user = |user: &str| {
        own.settings().with_username(user).with_password(PasswordSource::Literal(SecretString::from(CANARY)))
    };
    for (user, _, role, privileges) in rules {
        let stages = look(&as_user(user)).await;
        assert_eq!(
            (text(&stages, "role").as_str(), text(&stages, "privileges").as_str()),
            (role, privileges),
            "{user}"
        );
    }
    fails(as_user("powerless"), "privileges", "no_privileges").await;

    let replica = OwnRedis::start(&["--replicaof", "127.0.0.1", &own.port().to_string()]).await;
    let stages = look(&replica.settings()).await;
    assert_eq!(text(&stages, "role"), "a replica, read only");
    assert_eq!(text(&stages, "privileges"), "reads any key, writes none here");
}

#[tokio::test]
async fn dynamodb_is_told_as_far_as_it_tells() {
    let good = testkit::dynamodb::table().await;
    let stages = look(&good).await;
    assert_eq!(names(&stages), EVERY, "{stages:#?}");
    let table = good.database.clone().unwrap();
    assert_eq!(text(&stages, "role"), format!("the table `{table}` is ACTIVE, takes writes"));
    // What plays DynamoDB has no `DescribeLimits`, and nothing is written to learn whether it may be.
    let unsaid = "whether it may write is not told, as it would have to be tried; the account's limits are not told";
    let expected = format!("may list tables, may describe `{table}`, may read items of `{table}`; {unsaid}");
    assert_eq!(text(&stages, "privileges"), expected);
    let told = Some(Finding::Privileges { reads: Some(true), writes: None, superuser: None });
    assert_eq!(finding(&stages, "privileges"), told);
    let none = look(&testkit::dynamodb::shared()).await;
    assert_eq!(text(&none, "role"), "the service, of which no table is named");
    assert_eq!(text(&none, "privileges"), format!("may list tables; {unsaid}"));
    let told = Some(Finding::Privileges { reads: None, writes: None, superuser: None });
    assert_eq!(finding(&none, "privileges"), told);
    fails(good.clone().with_host("nowhere.invalid"), "DNS", "dns_failed").await;
    fails(good.with_database("no-such-table"), "login", "unknown_database").await;
    // Keys of every type are such that nobody has.
    for kind in [ScalarAttributeType::B, ScalarAttributeType::S, ScalarAttributeType::N] {
        let stages = look(&testkit::dynamodb::table_with_key(kind).await).await;
        assert!(text(&stages, "privileges").contains("may read items of"), "{stages:#?}");
    }
}

#[tokio::test]
async fn a_scripted_sql_server_is_told_from_end_to_end() {
    let mut server = TdsServer::builder()
        .user("sa", CANARY)
        .database("books")
        .certificate_for(&["localhost"])
        .tls(Tls::Required)
        .start()
        .await
        .unwrap();
    let columns = ["replica", "read_only", "superuser", "tables", "readable", "writable", "creates"];
    let said = |row: [Option<i64>; 7]| {
        let result = ResultSet::new(columns.map(|name| Column::new(name, TdsType::BigInt)));
        Reply::rows(result.row(row.map(|value| value.map_or(TdsValue::Null, TdsValue::Int))))
    };
    server.on(Matcher::contains("Updateability"), said([None, Some(1), Some(0), Some(3), Some(2), Some(1), Some(0)]));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    fs::write(&file, server.ca_pem()).unwrap();
    let good = ConnectionSettings::new(Engine::SQLSERVER)
        .with_host("localhost")
        .with_port(server.address().port())
        .with_database("books")
        .with_username("sa")
        .with_password(PasswordSource::Literal(SecretString::from(CANARY)))
        .with_tls(TlsSettings::verify_full(file));
    let stages = look(&good).await;
    assert_eq!(names(&stages), EVERY, "{stages:#?}");
    assert_eq!(text(&stages, "role"), "primary or replica, the server does not say, read only");
    assert_eq!(text(&stages, "privileges"), "reads 2 of 3 tables, writes to 1, may create none");

    let wrong = PasswordSource::Literal(SecretString::from(format!("{CANARY}, but wrong")));
    fails(good.clone().with_password(wrong), "login", "auth_rejected").await;
    fails(good.clone().with_host("127.0.0.1"), "TLS", "tls_failed").await;
    server.stop(Ending::Close).await.unwrap();
    fails(good, "TCP", "tcp_refused").await;
}

#[tokio::test]
async fn an_expired_certificate_and_a_server_without_tls_are_told() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    fs::write(&file, authority.pem()).unwrap();
    let port = authority.serve_expired().await;
    let settings = ConnectionSettings::new(Engine::REDIS)
        .with_host("localhost")
        .with_port(port)
        .with_database("0")
        .with_password(PasswordSource::Literal(SecretString::from(CANARY)))
        .with_tls(TlsSettings::verify_full(file));
    let stage = fails(settings, "TLS", "tls_expired").await;
    let Some(Finding::Tls { expires_at: Some(until), .. }) = stage.finding else { panic!("{:?}", stage.finding) };
    assert_eq!(until.date_naive().to_string(), "2020-02-01");
    let told = stage.outcome.unwrap_err();
    assert!(told.contains("`the late server`, valid until 2020-02-01 (-"), "{told}");
}

/// What a server is asked from end to end.
const EVERY: [&str; 10] = ["settings", "secret", "DNS", "TCP", "TLS", "login", "ping", "role", "privileges", "latency"];

fn names(stages: &[Stage]) -> Vec<&'static str> {
    stages.iter().map(|stage| stage.name).collect()
}

/// What a stage that passed has found.
#[track_caller]
fn text(stages: &[Stage], name: &str) -> String {
    let stage = stages.iter().find(|stage| stage.name == name);
    stage.and_then(|stage| stage.outcome.clone().ok()).unwrap_or_else(|| panic!("no {name} in {stages:#?}"))
}

/// What a stage has found, in parts.
fn finding(stages: &[Stage], name: &str) -> Option<Finding> {
    stages.iter().find(|stage| stage.name == name)?.finding.clone()
}

/// The way to a database, protected as well as it can be.
fn secured(server: Server, database: &TestDatabase) -> ConnectionSettings {
    let settings = database.settings();
    if !server.is_networked() {
        return settings;
    }
    let tls = TlsSettings::verify_full(server.certificate_authority());
    settings.with_host("localhost").with_tls(tls)
}

async fn look(settings: &ConnectionSettings) -> Vec<Stage> {
    let secrets: Arc<dyn SecretSource> = Arc::new(LocalSecrets);
    examine(&ConnectionFactory::compiled(), &secrets, &"examined".parse().unwrap(), settings).await
}

/// Checks where the look ends, and that nothing of it tells the password.
async fn fails(settings: ConnectionSettings, name: &str, code: &str) -> Stage {
    let stages = look(&settings).await;
    let shown: Vec<String> = stages.iter().map(ToString::to_string).collect();
    assert!(!format!("{stages:?} {shown:?}").contains(CANARY), "{stages:?}");
    let last = stages.last().unwrap().clone();
    assert_eq!((last.name, last.code, last.passed()), (name, code, false), "{shown:#?}");
    assert!(last.remedy.is_some(), "{last}");
    last
}

/// An authority of the test's own.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap())
    }

    fn pem(&self) -> String {
        self.0.pem()
    }

    /// Greets everybody on a port with a certificate of yesteryear.
    async fn serve_expired(&self) -> u16 {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        parameters.distinguished_name.push(DnType::CommonName, "the late server");
        parameters.not_before = date_time_ymd(2020, 1, 1);
        parameters.not_after = date_time_ymd(2020, 2, 1);
        let certificate = parameters.signed_by(&key, &self.0).unwrap();
        connection_manager::tls::install_provider();
        let config = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                // Whoever refuses the certificate hangs up.
                let _ = acceptor.accept(socket).await;
            }
        });
        port
    }
}
