use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use shared_kernel::RequestContext;
use shared_kernel::database::RawStatement;
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
    // Logins with SCRAM have room for it; the bridge checks it.
    let user = testkit::mongodb::User::create(&canaries.password("works")).await;
    let library = testkit::mongodb::database();
    let authority = std::fs::read_to_string(testkit::redis::authority()).expect("an authority");
    targets.push(json!({
        "engine": "mongodb", "host": "localhost", "port": library.port, "database": library.database,
        "username": user.name(), "password": canaries.password("works"), "tls": {"mode": "verify-full", "ca": authority},
    }));
    let table = testkit::dynamodb::table().await;
    targets.push(json!({
        "engine": "dynamodb", "host": table.host, "port": table.port, "database": table.database,
        "username": "AKIATESTKIT", "password": canaries.password("works"), "options": {"region": "eu-central-1"},
        "tls": {"mode": "disabled"},
    }));
    let store = TestDatabase::migrated(Server::Postgres, "registry").await;
    let token = canaries.password("token").replace(['@', '%', '&'], "-");
    let mut environment = of_store(&store);
    let key = canaries.key("sealing");
    let settings = [
        ("BINDERY_REGISTRY__KEYS__CANARY", key.as_str()),
        ("BINDERY_EGRESS__ALLOW_LOOPBACK", "true"),
        ("BINDERY_EGRESS__ALLOW_PRIVATE", "true"),
        ("BINDERY_LISTEN", "127.0.0.1:0"),
        ("BINDERY_LOG__FILTER", "trace"),
        ("BINDERY_LOG__FORMAT", "json"),
        ("BINDERY_REGISTRY__TOKENS__TESTS", &token),
        ("RUST_BACKTRACE", "full"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()));
    environment.extend(settings);
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
        process.get(&format!("{path}/schema")).await;
        process.get(&format!("{path}/health")).await;
        target["password"] = json!(canaries.password("wrong"));
        let (status, tested) = process.ask(Method::POST, &format!("{CONNECTIONS}/test"), Some(&target)).await;
        // What plays DynamoDB takes every signature.
        let rejected = tested.contains("auth_failed") || engine == "dynamodb";
        assert!(status == 200 && rejected, "{engine}: {tested}");
        let key = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", canaries.key("client"));
        let certificate = "-----BEGIN CERTIFICATE-----\nAAEC\n-----END CERTIFICATE-----\n";
        target["tls"] = json!({"mode": "required", "client_certificate": certificate, "client_key": key});
        let (_, tested) = process.ask(Method::POST, &format!("{CONNECTIONS}/test"), Some(&target)).await;
        assert_ne!(serde_json::from_str::<Value>(&tested).expect("JSON")["outcome"], "ok", "{engine}: {tested}");
    }
    for path in ["/metrics", "/openapi.json", CONNECTIONS, "/api/v1/connections/audit"] {
        assert_eq!(process.get(path).await, 200, "{path}");
    }
    let mut seen = process.ended().await;
    assert!(seen.iter().map(String::len).sum::<usize>() > 100_000, "the log told little");
    let stored = tables_of(&store).await;
    assert!(stored.contains("Target 6") && stored.contains("\\x"), "rows, and what is sealed among them: {stored}");
    seen.push(stored);
    canaries.search(&seen);
    user.remove().await;
    drop(databases);
}

/// Where the service keeps its registry.
fn of_store(store: &TestDatabase) -> Vec<(String, String)> {
    let place = place(store);
    let mut environment = Vec::new();
    for (key, value) in [("ENGINE", "engine"), ("HOST", "host"), ("PORT", "port"), ("DATABASE", "database")] {
        let value = place[value].as_str().map_or_else(|| place[value].to_string(), str::to_owned);
        environment.push((format!("BINDERY_CONNECTIONS__REGISTRY__{key}"), value));
    }
    for (key, value) in [("USERNAME", "username"), ("PASSWORD", "password")] {
        let value = place[value].as_str().expect("a login").to_owned();
        environment.push((format!("BINDERY_CONNECTIONS__REGISTRY__{key}"), value));
    }
    environment.push(("BINDERY_CONNECTIONS__REGISTRY__TLS__MODE".to_owned(), "required".to_owned()));
    environment.push(("BINDERY_CONTEXTS__REGISTRY__CONNECTION".to_owned(), "registry".to_owned()));
    environment
}

/// Every row of every table as text, bytes in hexadecimal digits.
async fn tables_of(store: &TestDatabase) -> String {
    let connection = store.connection().await;
    let sql = connection.sql().expect("SQL");
    let context = RequestContext::system();
    let ask = async |text: String| {
        let rows = sql.query(&RawStatement::everywhere("SELECT", text).into(), &context).await.expect("read");
        rows.iter().map(|row| row.get::<String>("text").expect("a text")).collect::<Vec<_>>()
    };
    let names = "SELECT tablename::text AS text FROM pg_tables WHERE schemaname = 'public'";
    let mut rows = Vec::new();
    for table in ask(names.to_owned()).await {
        rows.extend(ask(format!("SELECT row_to_json(t)::text AS text FROM {table} AS t")).await);
    }
    rows.join("\n")
}
