use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use testkit::redis::OwnRedis;
use testkit::tds::TdsServer;
use testkit::{Server, TestDatabase};

use super::process::Process;
use super::secrets::Canaries;

const CONNECTIONS: &str = "/api/v1/connections";

mod on_servers {
    #[test]
    fn no_secret_of_a_stored_connection_is_told() {
        testkit::run(super::no_secret_of_a_stored_connection_is_told());
    }
}

/// The way to a database, with a login that works.
fn place(database: &TestDatabase) -> Value {
    let settings = database.settings();
    let connection_manager::PasswordSource::Literal(password) = &settings.password else { panic!("a password") };
    json!({
        "engine": settings.engine.as_str(), "host": settings.host, "port": settings.port, "database": settings.database,
        "username": settings.username, "password": password.expose_secret(), "tls": {"mode": "required"},
    })
}

/// Tested and used with passwords and client keys that work, that do not, and that are none; the log tells all it can.
async fn no_secret_of_a_stored_connection_is_told() {
    let (folder, canaries) = (tempfile::tempdir().expect("a folder"), Canaries::default());
    let mut targets = Vec::new();
    let mut databases = Vec::new();
    for server in [Server::MySql, Server::MariaDb, Server::Postgres] {
        let database = TestDatabase::create(server).await;
        targets.push(place(&database));
        databases.push(database);
    }
    let redis =
        OwnRedis::start(&["--user", "ann", "on", &format!(">{}", canaries.password("works")), "~*", "+@all"]).await;
    targets.push(json!({
        "engine": "redis", "host": "127.0.0.1", "port": redis.port(), "username": "ann",
        "password": canaries.password("works"), "tls": {"mode": "disabled"},
    }));
    let tds =
        TdsServer::builder().user("sa", &canaries.password("works")).database("books").start().await.expect("a server");
    targets.push(json!({
        "engine": "sqlserver", "host": "localhost", "port": tds.address().port(), "database": "books", "username": "sa",
        "password": canaries.password("works"), "tls": {"mode": "required"},
    }));
    let token = canaries.password("token").replace(['@', '%', '&'], "-");
    let environment = [
        ("BINDERY_LISTEN", "127.0.0.1:0"),
        ("BINDERY_LOG__FILTER", "trace"),
        ("BINDERY_LOG__FORMAT", "json"),
        ("BINDERY_REGISTRY__TOKENS__TESTS", &token),
        ("RUST_BACKTRACE", "full"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let process = Process::serve(folder.path(), &environment).await.with_token(&token);

    for (number, mut target) in targets.into_iter().enumerate() {
        let engine = target["engine"].clone();
        target["name"] = json!(format!("Target {number}"));
        let (status, created) = process.ask(Method::POST, CONNECTIONS, Some(&target)).await;
        assert_eq!(status, 201, "{engine}: {created}");
        let id = serde_json::from_str::<Value>(&created).expect("JSON")["id"].as_str().expect("an id").to_owned();
        let path = format!("{CONNECTIONS}/{id}");
        let (status, tested) = process.ask(Method::POST, &format!("{path}/test"), None).await;
        assert!(status == 200 && tested.contains("\"login\""), "{engine}: {tested}");
        process.get(&format!("{path}/databases")).await;
        process.get(&format!("{path}/health")).await;
        target["password"] = json!(canaries.password("wrong"));
        let (status, tested) = process.ask(Method::POST, &format!("{CONNECTIONS}/test"), Some(&target)).await;
        assert!(status == 200 && tested.contains("auth_failed"), "{engine}: {tested}");
        let key = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", canaries.key("client"));
        let certificate = "-----BEGIN CERTIFICATE-----\nAAEC\n-----END CERTIFICATE-----\n";
        target["tls"] = json!({"mode": "required", "client_certificate": certificate, "client_key": key});
        let (_, tested) = process.ask(Method::POST, &format!("{CONNECTIONS}/test"), Some(&target)).await;
        assert_ne!(serde_json::from_str::<Value>(&tested).expect("JSON")["outcome"], "ok", "{engine}: {tested}");
    }
    process.get("/metrics").await;
    let seen = process.ended().await;
    assert!(seen.iter().map(String::len).sum::<usize>() > 100_000, "the log told little");
    canaries.search(&seen);
    drop(databases);
}
