//! Tests of connections, stage by stage, and what is kept of them.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use connection_manager::ConnectionSettings;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use shared_kernel::database::{Collection, Document};
use shared_kernel::{IdGenerator as _, RequestContext, SystemIdGenerator};
use testkit::redis::OwnRedis;
use testkit::tds::TdsServer;
use testkit::{Server, TestDatabase};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::{CANARY, Registry};

const TEST: &str = "/api/v1/connections/test";

/// A database of the test's own as a body.
pub(super) fn body(database: &TestDatabase, name: &str) -> Value {
    let settings = database.settings();
    let password = match &settings.password {
        connection_manager::PasswordSource::Literal(password) => {
            use secrecy::ExposeSecret as _;
            Some(password.expose_secret().to_owned())
        }
        _ => None,
    };
    json!({
        "name": name,
        "engine": settings.engine.as_str(),
        "host": settings.host,
        "port": settings.port,
        "database": settings.database,
        "username": settings.username,
        "password": password,
        "tls": {"mode": "required"},
    })
}

fn stages(report: &Value) -> Vec<String> {
    let stages = report["stages"].as_array().expect("stages");
    let word = |stage: &Value, key: &str| stage[key].as_str().expect("a word").to_owned();
    stages.iter().map(|stage| format!("{} {}", word(stage, "stage"), word(stage, "outcome"))).collect()
}

async fn test(registry: &Registry, body: &Value) -> Value {
    let answer = registry.ask(Method::POST, TEST, &[], Some(body)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(!answer.text.contains("p@ss") && !answer.text.contains(CANARY), "{}", answer.text);
    answer.json()
}

async fn a_connection_is_tested_and_listed_and_goes(server: Server) {
    let database = TestDatabase::create(server).await;
    is_tested_and_listed_and_goes(&body(&database, "Sales"), awkward(server), true).await;
}

/// The body is that of a user who reads and writes, and names a database that is there.
async fn is_tested_and_listed_and_goes(body: &Value, wrong_password: &str, superuser: bool) {
    let registry = Registry::start().await;
    let report = test(&registry, body).await;
    let all = ["policy ok", "dns ok", "tcp ok", "tls ok", "login ok", "database ok", "privileges ok"];
    assert_eq!((&report["outcome"], stages(&report)), (&json!("ok"), all.map(str::to_owned).to_vec()), "{report}");
    assert!(report["server_version"].is_string() && report["tls_version"] == "TLSv1.3", "{report}");
    assert!(report["certificate_expires_at"].is_string(), "{report}");
    assert!(report["duration_ms"].is_u64(), "{report}");
    let timed = |stage: &Value| stage["duration_ms"].is_u64();
    assert!(report["stages"].as_array().expect("stages").iter().all(timed), "{report}");
    assert_eq!(report["privileges"], json!({"can_read": true, "can_write": true, "superuser": superuser}));
    assert_eq!(registry.get("/api/v1/connections").await.json()["items"], json!([]), "nothing was stored");

    let path = registry.stored(body).await;
    registry.get(&format!("{path}/health")).await.is_problem(404, "not-found");
    assert_eq!(registry.get("/api/v1/connections").await.json()["items"][0]["health"], Value::Null);
    let tested = registry.ask(Method::POST, &format!("{path}/test"), &[], None).await;
    assert_eq!(tested.status, 200, "{}", tested.text);
    let health = registry.get(&format!("{path}/health")).await;
    assert_eq!(health.text, tested.text);
    assert_eq!((&health.json()["is_current"], &health.json()["connection_version"]), (&json!(true), &json!(1)));
    assert_eq!(stages(&health.json()["result"]), all);
    let listed = registry.get("/api/v1/connections").await.json()["items"][0]["health"].clone();
    let summary = json!({"outcome": "ok", "tested_at": health.json()["tested_at"], "is_current": true});
    assert_eq!(listed, summary);

    let databases = registry.get(&format!("{path}/databases")).await;
    assert_eq!(databases.status, 200, "{}", databases.text);
    let name = json!({"name": body["database"]});
    assert!(databases.json()["items"].as_array().expect("items").contains(&name), "{}", databases.text);

    // A change counts at once: the pool that is there is not that of the new definition.
    let moved = registry.change(Method::PATCH, &path, &json!({"username": "nobody", "password": wrong_password})).await;
    assert_eq!(moved.status, 200, "{}", moved.text);
    assert_eq!(registry.get(&format!("{path}/health")).await.json()["is_current"], false);
    let page = registry.get("/api/v1/connections").await.json();
    assert_eq!(
        (&page["items"][0]["health"]["outcome"], &page["items"][0]["health"]["is_current"]),
        (&json!("ok"), &json!(false))
    );
    registry.get(&format!("{path}/databases")).await.is_problem(409, "connection-unusable");
    let tested = registry.ask(Method::POST, &format!("{path}/test"), &[], None).await.json();
    assert_eq!(tested["result"]["outcome"], "auth_failed", "{tested}");
    registry.ask(Method::DELETE, &path, &[("if-match", "*")], None).await;
    for (method, end) in [(Method::GET, "health"), (Method::GET, "databases"), (Method::POST, "test")] {
        registry.ask(method, &format!("{path}/{end}"), &[], None).await.is_problem(404, "not-found");
    }
    let audit = registry.get("/api/v1/connections/audit?action=test&sort=occurred_at").await.json();
    let outcomes: Vec<&str> =
        audit["items"].as_array().expect("items").iter().filter_map(|item| item["outcome"].as_str()).collect();
    assert_eq!(outcomes, ["ok", "ok", "auth_failed", "not-found"]);
}

/// Somebody of a database's own.
pub(super) struct Somebody {
    pub(super) name: String,
    server: Server,
    admin: std::sync::Arc<dyn shared_kernel::database::DatabaseConnection>,
}

impl Somebody {
    pub(super) async fn create(database: &TestDatabase, password: &str) -> Self {
        let (server, admin) = (database.server(), database.connection().await);
        let name = format!("somebody_{}", &SystemIdGenerator.next().simple().to_string()[18..]);
        let somebody = Self { name, server, admin };
        let (name, quoted) = (&somebody.name, password.replace('\'', "''"));
        let script = match server {
            Server::Postgres => format!("CREATE ROLE {name} LOGIN PASSWORD '{quoted}'"),
            _ => format!("CREATE USER '{name}'@'%' IDENTIFIED BY '{}'", quoted.replace('\\', r"\\")),
        };
        somebody.run(&script).await;
        somebody
    }

    /// `{user}` stands for the user.
    pub(super) async fn run(&self, script: &str) {
        let user = if self.server == Server::Postgres { self.name.clone() } else { format!("'{}'@'%'", self.name) };
        let sql = self.admin.sql().expect("SQL");
        sql.run_script(&script.replace("{user}", &user), &RequestContext::system())
            .await
            .expect("an administrator's script");
    }

    pub(super) async fn remove(self) {
        if self.server == Server::Postgres {
            self.run("DROP OWNED BY {user}").await;
        }
        self.run(if self.server == Server::Postgres { "DROP ROLE {user}" } else { "DROP USER {user}" }).await;
    }
}

/// Everything but letters and digits as `%XX`.
fn percent_encoded(text: &str) -> String {
    let byte = |byte: u8| match byte {
        byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// By its fields and by its URL: tested, stored, tested again and used.
async fn logs_in(body: &Value, password: &str) {
    let registry = Registry::start().await;
    let mut by_fields = body.clone();
    by_fields["password"] = json!(password);
    let text = |key: &str| body[key].as_str().expect("a text");
    let (engine, user, database) = (text("engine"), text("username"), text("database"));
    let (password, port) = (percent_encoded(password), &body["port"]);
    let by_url = json!({
        "name": "By its URL",
        "url": format!("{engine}://{user}:{password}@localhost:{port}/{database}"),
        "tls": body["tls"],
    });
    for body in [by_fields, by_url] {
        let report = test(&registry, &body).await;
        assert_eq!(report["outcome"], "ok", "{report}");
        let path = registry.stored(&body).await;
        let stored = registry.get(&path).await;
        assert!(stored.json()["has_password"] == true && !stored.text.contains("p@ss"), "{}", stored.text);
        let tested = registry.ask(Method::POST, &format!("{path}/test"), &[], None).await.json();
        assert_eq!(tested["result"]["outcome"], "ok", "{tested}");
        let databases = registry.get(&format!("{path}/databases")).await;
        assert_eq!(databases.status, 200, "{}", databases.text);
        let own = json!({"name": database});
        assert!(databases.json()["items"].as_array().expect("items").contains(&own), "{}", databases.text);
    }
}

/// The most awkward password that can be tried there: PostgreSQL's driver has no room for emoji.
fn awkward(server: Server) -> &'static str {
    if server == Server::Postgres { AWKWARD } else { CANARY }
}

async fn an_awkward_password_logs_in(server: Server) {
    let database = TestDatabase::create(server).await;
    let password = awkward(server);
    let somebody = Somebody::create(&database, password).await;
    match server {
        Server::Postgres => somebody.run("GRANT ALL ON SCHEMA public TO {user}").await,
        _ => somebody.run(&format!("GRANT ALL ON `{}`.* TO {{user}}", database.name())).await,
    }
    let mut body = body(&database, "By its fields");
    body["username"] = json!(somebody.name);
    logs_in(&body, password).await;
    somebody.remove().await;
}

/// What the login has no room for is not wrong: it cannot be tried.
async fn a_password_beyond_saslprep_is_told_as_one() {
    let database = TestDatabase::create(Server::Postgres).await;
    let somebody = Somebody::create(&database, CANARY).await;
    let mut body = body(&database, "Sales");
    (body["username"], body["password"]) = (json!(somebody.name), json!(CANARY));
    let registry = Registry::start().await;
    let report = test(&registry, &body).await;
    assert_eq!(stages(&report).last().map(String::as_str), Some("login unfit_password"), "{report}");
    assert!(report["remedy"].as_str().is_some_and(|remedy| remedy.contains("SASLprep")), "{report}");
    somebody.remove().await;
}

/// Logins of three kinds: one that can only read, one that can do nothing, and one that may not even look at what there is.
async fn what_a_login_may_do_is_told(server: Server) {
    let database = TestDatabase::create(server).await;
    let registry = Registry::start().await;
    let owner = database.connection().await;
    let script = "CREATE TABLE book (id INTEGER PRIMARY KEY)";
    owner.sql().expect("SQL").run_script(script, &RequestContext::system()).await.expect("made");
    let (reader, nobody) =
        (Somebody::create(&database, "pa55word").await, Somebody::create(&database, "pa55word").await);
    let name = database.name();
    if server == Server::Postgres {
        reader.run("REVOKE CREATE ON SCHEMA public FROM PUBLIC; GRANT SELECT ON book TO {user}").await;
    } else {
        reader.run(&format!("GRANT SELECT ON `{name}`.* TO {{user}}")).await;
        // Without any right there nobody gets as far as the database.
        nobody.run(&format!("GRANT EXECUTE ON `{name}`.* TO {{user}}")).await;
    }
    let mut as_somebody = body(&database, "Sales");
    as_somebody["password"] = json!("pa55word");
    as_somebody["username"] = json!(reader.name);
    let report = test(&registry, &as_somebody).await;
    assert_eq!(report["outcome"], "ok", "{report}");
    assert_eq!(report["privileges"], json!({"can_read": true, "can_write": false, "superuser": false}));
    as_somebody["username"] = json!(nobody.name);
    let report = test(&registry, &as_somebody).await;
    assert_eq!(stages(&report).last().map(String::as_str), Some("privileges no_privileges"), "{report}");
    assert_eq!(report["privileges"], json!({"can_read": false, "can_write": false, "superuser": false}));
    if server == Server::Postgres {
        reader.run("REVOKE SELECT ON pg_catalog.pg_class FROM PUBLIC").await;
        as_somebody["username"] = json!(reader.name);
        let report = test(&registry, &as_somebody).await;
        assert_eq!(stages(&report).last().map(String::as_str), Some("privileges no_privileges"), "{report}");
        assert_eq!(report["privileges"], json!({"can_read": false, "can_write": null, "superuser": null}));
        assert!(report["remedy"].as_str().is_some_and(|remedy| remedy.contains("Grant")), "{report}");
    }
    for somebody in [reader, nobody] {
        somebody.remove().await;
    }
}

async fn an_awkward_password_is_tried_as_it_is(server: Server) {
    let database = TestDatabase::create(server).await;
    let registry = Registry::start().await;
    let mut body = body(&database, "Sales");
    body["password"] = json!(awkward(server));
    let report = test(&registry, &body).await;
    assert_eq!(report["outcome"], "auth_failed", "{report}");
    assert_eq!(stages(&report).last().map(String::as_str), Some("login auth_failed"));
    body["database"] = json!("no_such_database");
    body["password"] = self::body(&database, "Sales")["password"].clone();
    let report = test(&registry, &body).await;
    assert_eq!(stages(&report).last().map(String::as_str), Some("database unknown_database"), "{report}");
}

mod on_servers {
    macro_rules! on {
        ($($module:ident $server:ident),+) => {
            $(mod $module {
                #[test]
                fn a_connection_is_tested_and_listed_and_goes() {
                    testkit::run(super::super::a_connection_is_tested_and_listed_and_goes(testkit::Server::$server));
                }

                #[test]
                fn an_awkward_password_is_tried_as_it_is() {
                    testkit::run(super::super::an_awkward_password_is_tried_as_it_is(testkit::Server::$server));
                }

                #[test]
                fn an_awkward_password_logs_in() {
                    testkit::run(super::super::an_awkward_password_logs_in(testkit::Server::$server));
                }

                #[test]
                fn what_a_login_may_do_is_told() {
                    testkit::run(super::super::what_a_login_may_do_is_told(testkit::Server::$server));
                }
            })+
        };
    }
    on!(mysql MySql, mariadb MariaDb, postgres Postgres);

    mod only_postgres {
        #[test]
        fn a_password_beyond_saslprep_is_told_as_one() {
            testkit::run(super::super::a_password_beyond_saslprep_is_told_as_one());
        }
    }
}

mod on_others {
    mod redis {
        #[test]
        fn is_tested_and_lists_no_databases() {
            testkit::run(super::super::redis_is_tested_and_lists_no_databases());
        }
    }

    mod dynamodb {
        #[test]
        fn is_tested_over_its_table() {
            testkit::run(super::super::dynamodb_is_tested_over_its_table());
        }
    }

    mod mongodb {
        #[test]
        fn a_connection_is_tested_and_listed_and_goes() {
            testkit::run(super::super::mongodb_is_tested_and_listed_and_goes());
        }

        #[test]
        fn an_awkward_password_is_tried_as_it_is() {
            testkit::run(super::super::an_awkward_password_is_tried_at_mongodb());
        }
    }

    mod tds {
        #[test]
        fn a_login_at_sql_server_is_tested() {
            testkit::run(super::super::a_login_at_sql_server_is_tested());
        }
    }
}

async fn redis_is_tested_and_lists_no_databases() {
    let registry = Registry::start().await;
    let own = OwnRedis::start(&[]).await;
    let mut body = json!({
        "name": "Cache", "engine": "redis", "host": "127.0.0.1", "port": own.port(), "password": OwnRedis::PASSWORD,
        "tls": {"mode": "disabled"},
    });
    let report = test(&registry, &body).await;
    assert_eq!(report["outcome"], "ok", "{report}");
    assert_eq!(report["privileges"], json!({"can_read": true, "can_write": true, "superuser": null}));
    let path = registry.stored(&body).await;
    registry.get(&format!("{path}/databases")).await.is_problem(409, "connection-unusable");
    body["password"] = json!(CANARY);
    let report = test(&registry, &body).await;
    assert_eq!(stages(&report).last().map(String::as_str), Some("login auth_failed"), "{report}");
}

/// A table, as those outside define the way to it.
pub(super) fn dynamodb(table: &ConnectionSettings) -> Value {
    json!({
        "name": "Values", "engine": "dynamodb", "host": table.host, "port": table.port, "database": table.database,
        "username": "AKIATESTKIT", "password": "testkit", "options": {"region": "eu-central-1"},
        "tls": {"mode": "disabled"},
    })
}

async fn dynamodb_is_tested_over_its_table() {
    let registry = Registry::start().await;
    let mut body = dynamodb(&testkit::dynamodb::table().await);
    let report = test(&registry, &body).await;
    assert_eq!(report["outcome"], "ok", "{report}");
    body["database"] = json!("no-such-table");
    let report = test(&registry, &body).await;
    assert_eq!(stages(&report).last().map(String::as_str), Some("database unknown_database"), "{report}");
}

/// As awkward as logins with SCRAM allow. They leave no room for emoji, which Unicode 3.2 did not know yet, and have room for its
/// older symbols, of which the last takes four bytes too.
const AWKWARD: &str = "p@ss/w:rd%?#\"'\\ü☃𝄞";

/// The MongoDB that tests share, as a user of the test's own sees it over TLS that is checked. The database is not there yet.
pub(super) async fn mongodb(password: &str) -> (testkit::mongodb::User, Value) {
    let user = testkit::mongodb::User::create(password).await;
    let settings = testkit::mongodb::database();
    let authority = std::fs::read_to_string(testkit::redis::authority()).expect("an authority");
    let body = json!({
        "name": "Library", "engine": "mongodb", "host": "localhost", "port": settings.port,
        "database": settings.database, "username": user.name(), "password": password,
        "tls": {"mode": "verify-full", "ca": authority},
    });
    (user, body)
}

async fn mongodb_is_tested_and_listed_and_goes() {
    let (user, body) = mongodb(AWKWARD).await;
    let settings = testkit::mongodb::shared().with_database(body["database"].as_str().expect("a database"));
    let owner = testkit::connect(settings).await.expect("connected");
    let documents = owner.documents().expect("documents");
    let collection = Collection::try_new(documents.database().expect("a database"), "books").expect("a name");
    documents.insert_one(&collection, &Document::new(), &RequestContext::system()).await.expect("written");
    logs_in(&body, AWKWARD).await;
    is_tested_and_listed_and_goes(&body, "wr0ng", false).await;
    testkit::mongodb::drop_database(&*owner).await;
    user.remove().await;
}

async fn an_awkward_password_is_tried_at_mongodb() {
    let registry = Registry::start().await;
    let (user, mut body) = mongodb("right").await;
    body["password"] = json!(AWKWARD);
    let report = test(&registry, &body).await;
    assert_eq!(stages(&report).last().map(String::as_str), Some("login auth_failed"), "{report}");
    // What the login has no room for is not wrong: it cannot be tried.
    body["password"] = json!(CANARY);
    let report = test(&registry, &body).await;
    assert_eq!(stages(&report).last().map(String::as_str), Some("login unfit_password"), "{report}");
    assert!(report["remedy"].as_str().is_some_and(|remedy| remedy.contains("SASLprep")), "{report}");
    user.set_password(AWKWARD).await;
    body["password"] = json!(AWKWARD);
    // A database is there once something is written to it: to read an empty one is no fault.
    let report = test(&registry, &body).await;
    assert_eq!(report["outcome"], "ok", "{report}");
    body["tls"] = json!({"mode": "verify-full"});
    let report = test(&registry, &body).await;
    assert_eq!(stages(&report).last().map(String::as_str), Some("tls tls_untrusted"), "{report}");
    user.remove().await;
}

async fn a_login_at_sql_server_is_tested() {
    let registry = Registry::start().await;
    let server = TdsServer::builder().user("sa", "secret").database("books").start().await.expect("a server");
    let mut body = json!({
        "name": "Books", "engine": "sqlserver", "host": "localhost", "port": server.address().port(), "database": "books",
        "username": "sa", "password": CANARY, "tls": {"mode": "required"},
    });
    let report = test(&registry, &body).await;
    assert_eq!(stages(&report).last().map(String::as_str), Some("login auth_failed"), "{report}");
    (body["password"], body["database"]) = (json!("secret"), json!("films"));
    let report = test(&registry, &body).await;
    assert_eq!(stages(&report).last().map(String::as_str), Some("database unknown_database"), "{report}");
    body["tls"] = json!({"mode": "verify-full"});
    let report = test(&registry, &body).await;
    assert!(report["outcome"].as_str().is_some_and(|outcome| outcome.starts_with("tls_")), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_reached_is_told_alike_whatever_the_reason() {
    let registry = Registry::configured(|config| {
        config.egress.allow_private = false;
    })
    .await;
    let closed = testkit::free_port();
    let (silent, _kept) = unanswering().await;
    let places = [
        ("localhost", closed),
        ("127.0.0.1", silent),
        ("nowhere.invalid", 5432),
        ("localhost", registry.service.address.port()),
    ];
    let mut bodies = Vec::new();
    for (host, port) in places {
        bodies.push(json!({"name": "A", "engine": "postgres", "host": host, "port": port, "username": "u"}));
        bodies.push(json!({"name": "A", "engine": "mongodb", "host": host, "port": port}));
    }
    let mut answers = Vec::new();
    // No more at a time than are tested at a time.
    for bodies in bodies.chunks(5) {
        let asked = bodies.iter().map(async |body| {
            let began = Instant::now();
            let mut answer = test(&registry, body).await;
            // A floor and no timing of the machine: sooner would tell the reason.
            assert!(began.elapsed() >= Duration::from_millis(3_500), "{body}");
            // What is found out before anything is dialled may take its time.
            answer["stages"][0]["duration_ms"] = json!(0);
            answer
        });
        answers.extend(join_all(asked).await);
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
    assert_eq!(stages(&answers[0]), ["policy ok", "tcp unreachable"]);
    assert_eq!(answers[0]["outcome"], "unreachable");

    // Where SRV records lead is the driver's to find out, and theirs how long that takes.
    let body = json!({"name": "A", "engine": "mongodb", "host": "nowhere.invalid", "options": {"srv": "true"}});
    let began = Instant::now();
    let mut answer = test(&registry, &body).await;
    assert!(began.elapsed() >= Duration::from_secs(10), "{body}");
    (answer["stages"][0]["duration_ms"], answer["duration_ms"]) = (json!(0), answers[0]["duration_ms"].clone());
    assert_eq!(answer, answers[0]);

    let stored = [
        json!({"name": "A", "engine": "postgres", "host": "localhost", "port": closed, "username": "u"}),
        json!({"name": "B", "engine": "mongodb", "host": "localhost", "port": closed}),
        json!({"name": "C", "engine": "postgres", "host": "127.0.0.1", "port": silent, "username": "u"}),
    ];
    let asked = stored.iter().map(async |body| {
        let path = registry.stored(body).await;
        for resource in ["databases", "schema"] {
            let began = Instant::now();
            let answer = registry.get(&format!("{path}/{resource}")).await;
            assert!(began.elapsed() >= Duration::from_millis(5_500), "{resource} of {body}");
            let detail = &answer.is_problem(409, "connection-unusable").json()["detail"];
            assert_eq!(detail, "the connection's server is not reached, or takes too long; a test of it tells more");
        }
    });
    join_all(asked).await;
}

/// Who answers the first dial decides for how long the driver listens before it goes on to the next server, and how long that
/// takes would tell what it found there.
#[tokio::test(flavor = "multi_thread")]
async fn who_answers_first_learns_nothing_of_the_next_server() {
    let registry = Registry::configured(|config| config.egress.allow_private = false).await;
    let closed = testkit::free_port();
    let (silent, _kept) = unanswering().await;
    let first = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = first.local_addr().expect("bound").port();
    tokio::spawn(async move {
        let mut taken = Vec::new();
        while let Ok((next, _)) = first.accept().await {
            taken.push(next);
        }
    });
    let nexts = [format!("127.0.0.1:{closed}"), format!("127.0.0.1:{silent}"), "10.0.0.1:1".to_owned()];
    for (engine, option) in [("mongodb", ("replica_set", "rs0")), ("redis", ("cluster", "true"))] {
        let asked = nexts.iter().map(async |next| {
            let body = json!({
                "name": "A", "engine": engine, "host": "127.0.0.1", "port": port, "tls": {"mode": "disabled"},
                "options": {option.0: option.1, "nodes": next},
            });
            let began = Instant::now();
            let mut answer = test(&registry, &body).await;
            // A floor and no timing of the machine, as above: all of a test's time, whatever was found when.
            assert!(began.elapsed() >= Duration::from_secs(10), "{body}: {answer}");
            for stage in 0..3 {
                answer["stages"][stage]["duration_ms"] = json!(0);
            }
            answer
        });
        let answers = join_all(asked).await;
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
        assert_eq!(stages(&answers[0]), ["policy ok", "dns ok", "tcp ok", "login unreachable"]);
    }
}

/// A port where nobody answers: its queue is full.
async fn unanswering() -> (u16, (TcpListener, Vec<TcpStream>)) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a port");
    let listener = socket.listen(1).expect("it listens");
    let address = listener.local_addr().expect("bound");
    let mut waiting = Vec::new();
    while let Ok(Ok(next)) = tokio::time::timeout(Duration::from_millis(500), TcpStream::connect(address)).await {
        waiting.push(next);
    }
    (address.port(), (listener, waiting))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_ends_in_time_however_many_there_are() {
    let registry = Registry::start().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    // Takes everybody and says nothing.
    tokio::spawn(async move {
        let mut taken = Vec::new();
        while let Ok((next, _)) = listener.accept().await {
            taken.push(next);
        }
    });
    let body = json!({"name": "A", "engine": "postgres", "host": "127.0.0.1", "port": port, "username": "u", "tls": {"mode": "required"}});
    // Eight at a time, each for three seconds: no more than three rounds are over after ten.
    let reports = join_all((0..64).map(|_| test(&registry, &body))).await;
    let mut waited = 0;
    for report in &reports {
        match stages(report).last().map(String::as_str) {
            Some("tls timeout") if !report["stages"][3]["duration_ms"].is_null() => waited += 1,
            // Broken off: before it began, or wherever it was when others made room at the end.
            Some("policy timeout" | "tcp unreachable" | "tls timeout") => {}
            _ => panic!("{report}"),
        }
    }
    assert!(waited <= 24, "{waited} waited for all of their three seconds");
}

/// What is not reached over SRV records is told when the whole time is over.
#[tokio::test(flavor = "multi_thread")]
async fn a_test_takes_as_long_as_is_configured() {
    let registry = Registry::configured(|config| config.registry.test_timeout = Duration::from_secs(5)).await;
    let body = json!({"name": "A", "engine": "mongodb", "host": "nowhere.invalid", "options": {"srv": "true"}});
    let report = test(&registry, &body).await;
    assert_eq!((&report["outcome"], &report["duration_ms"]), (&json!("unreachable"), &json!(5_000)), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_list_shows_can_be_sent_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = testkit::connect(ConnectionSettings::sqlite(folder.path().join("a.db"))).await.expect("made");
    made.close(Duration::ZERO).await;
    let root = folder.path().to_owned();
    let registry = Registry::configured(|config| config.registry.sqlite_root = Some(root)).await;
    let path = registry.stored(&json!({"name": "A", "engine": "sqlite", "path": "a.db"})).await;
    registry.ask(Method::POST, &format!("{path}/test"), &[], None).await;
    let item = registry.get("/api/v1/connections").await.json()["items"][0].clone();
    assert_eq!(item["health"]["outcome"], "ok", "{item}");
    let back = registry.change(Method::PUT, &path, &item).await;
    assert_eq!((back.status.as_u16(), back.header("etag")), (200, "\"r1-v1\""), "{}", back.text);
    let mut noted = item.clone();
    noted["notes"] = json!("Ask Ann.");
    let patched = registry.change(Method::PATCH, &path, &noted).await;
    assert_eq!((patched.status.as_u16(), &patched.json()["notes"]), (200, &noted["notes"]), "{}", patched.text);
    let fresh = json!({"name": "B", "engine": "sqlite", "path": "a.db", "health": item["health"]});
    let refused = registry.ask(Method::POST, "/api/v1/connections", &[], Some(&fresh)).await;
    assert_eq!(refused.is_problem(422, "validation").faults(), ["/health unknown_field"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_as_it_is_written_is_said_so_at_once() {
    let registry = Registry::configured(|config| {
        (config.egress.allow_loopback, config.egress.allow_private) = (false, false);
    })
    .await;
    for host in ["127.0.0.1", "::1", "10.0.0.1", "169.254.169.254", "0x7f.1"] {
        let body = json!({"name": "A", "engine": "postgres", "host": host, "username": "u"});
        let report = test(&registry, &body).await;
        assert_eq!(
            (&report["outcome"], stages(&report)),
            (&json!("blocked_by_policy"), vec!["policy blocked_by_policy".to_owned()])
        );
        assert!(report["remedy"].as_str().is_some_and(|remedy| !remedy.contains(host)), "{report}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_not_tested() {
    let registry = Registry::start().await;
    let body = json!({"name": "A", "engine": "mysql"});
    let refused = registry.ask(Method::POST, TEST, &[], Some(&body)).await;
    assert_eq!(refused.is_problem(422, "validation").faults(), ["/host required", "/username required"]);
    // A login that was dropped is not replaced by the service's own.
    let dynamo = json!({"name": "D", "engine": "dynamodb", "username": "AKIA", "password": CANARY, "options": {"region": "eu-central-1"}});
    let path = registry.stored(&dynamo).await;
    let moved = registry.change(Method::PATCH, &path, &json!({"options": {"region": "eu-west-1"}})).await;
    assert_eq!(moved.is_problem(422, "validation").faults(), ["/password required"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_found_below_its_folder_and_no_link_leads_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let (root, outside) = (folder.path().join("root"), folder.path().join("outside"));
    for path in [&root, &outside] {
        std::fs::create_dir(path).expect("made");
    }
    for file in [root.join("inside.db"), outside.join("secret.db")] {
        let made = testkit::connect(connection_manager::ConnectionSettings::sqlite(&file)).await.expect("made");
        made.close(Duration::ZERO).await;
    }
    std::os::unix::fs::symlink(&outside, root.join("way")).expect("linked");
    std::os::unix::fs::symlink(outside.join("secret.db"), root.join("link.db")).expect("linked");
    let registry = Registry::configured(|config| config.registry.sqlite_root = Some(root.clone())).await;
    let sqlite = |path: &str| json!({"name": path, "engine": "sqlite", "path": path});
    let report = test(&registry, &sqlite("inside.db")).await;
    assert_eq!(report["outcome"], "ok", "{report}");
    let path = registry.stored(&sqlite("inside.db")).await;
    let databases = registry.get(&format!("{path}/databases")).await.json();
    assert_eq!(databases["items"], json!([{"name": "main"}]));
    for path in ["missing.db", "way/secret.db", "link.db"] {
        let report = test(&registry, &sqlite(path)).await;
        assert_ne!(report["outcome"], "ok", "{path}: {report}");
        assert!(!report.to_string().contains("outside"), "{report}");
    }
}

/// There is no server of which host, port and firewalls could be checked.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_database_is_told_as_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().to_owned();
    let text = "no database, but a text that is longer than the head of one".repeat(99);
    std::fs::write(root.join("notes.db"), text).expect("written");
    let made =
        testkit::connect(connection_manager::ConnectionSettings::sqlite(root.join("torn.db"))).await.expect("made");
    let script = "CREATE TABLE book (id INTEGER PRIMARY KEY)";
    made.sql().expect("SQL").run_script(script, &shared_kernel::RequestContext::system()).await.expect("made");
    made.close(Duration::ZERO).await;
    let torn = std::fs::read(root.join("torn.db")).expect("read");
    let (head, rest) = torn.split_at(100);
    std::fs::write(root.join("torn.db"), [head, &vec![0xff; rest.len()]].concat()).expect("written");
    let registry = Registry::configured(|config| config.registry.sqlite_root = Some(root.clone())).await;
    for (file, code, remedy) in [
        ("notes.db", "not_a_database", "SQLite"),
        ("torn.db", "file_unusable", "whole"),
        ("missing.db", "unknown_database", "path"),
    ] {
        let body = json!({"name": file, "engine": "sqlite", "path": file});
        let report = test(&registry, &body).await;
        assert_eq!(report["outcome"], code, "{report}");
        assert!(report["remedy"].as_str().is_some_and(|text| text.contains(remedy)), "{report}");
        let path = registry.stored(&body).await;
        let health = registry.change(Method::POST, &format!("{path}/test"), &json!({})).await;
        assert_eq!(health.json()["result"]["outcome"], code, "{}", health.text);
        let kept = registry.get(&format!("{path}/health")).await.json();
        assert_eq!(kept["result"]["outcome"], code, "{kept}");
        for part in ["schema", "databases"] {
            let answer = registry.get(&format!("{path}/{part}")).await;
            let told = &answer.is_problem(409, "connection-unusable").json()["errors"][0];
            if file == "missing.db" {
                assert!(told.is_null(), "{}", answer.text);
            } else {
                assert_eq!(told["code"], code, "{}", answer.text);
                assert!(told["message"].as_str().is_some_and(|text| text.contains(remedy)), "{}", answer.text);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_instances_on_one_store_agree_within_five_seconds() {
    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let store = TestDatabase::migrated(Server::Postgres, "registry").await;
    let target = TestDatabase::create(Server::Postgres).await;
    let key = connection_manager::config::SealingConfig::of_file("one", "nowhere".into(), &KEY.into()).expect("a key");
    let start = async || {
        let (settings, key) = (store.settings(), key.clone());
        Registry::configured(move |config| {
            config.connections.insert("registry".to_owned(), settings);
            config.registry.sealing = Some(key);
        })
        .await
    };
    let (one, two) = (start().await, start().await);
    let path = one.stored(&body(&target, "Shared")).await;
    let databases = format!("{path}/databases");
    for instance in [&one, &two] {
        assert_eq!(instance.get(&databases).await.status, 200);
    }
    // Both have a pool now. What the one changes, the other notices by itself.
    let moved = one.change(Method::PATCH, &path, &json!({"username": "nobody", "password": CANARY})).await;
    assert_eq!(moved.status, 200, "{}", moved.text);
    one.get(&databases).await.is_problem(409, "connection-unusable");
    tokio::time::sleep(Duration::from_secs(5)).await;
    two.get(&databases).await.is_problem(409, "connection-unusable");
    let back = two.change(Method::PUT, &path, &body(&target, "Shared")).await;
    assert_eq!(back.status, 200, "{}", back.text);
    assert_eq!(two.get(&databases).await.status, 200);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(one.get(&databases).await.status, 200);
    // A schema is never one that was seen by an earlier definition, however soon it is asked for.
    let moved = two.change(Method::PATCH, &path, &json!({"username": "nobody", "password": CANARY})).await;
    assert_eq!(moved.status, 200, "{}", moved.text);
    one.get(&format!("{path}/schema")).await.is_problem(409, "connection-unusable");
    two.ask(Method::DELETE, &path, &[("if-match", "*")], None).await;
    two.get(&databases).await.is_problem(404, "not-found");
    tokio::time::sleep(Duration::from_secs(5)).await;
    one.get(&databases).await.is_problem(404, "not-found");
}
