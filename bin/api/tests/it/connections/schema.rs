//! What is in the databases that stored connections lead to.

use std::sync::Arc;

use connection_manager::mongodb::driver_crate::bson::doc;
use connection_manager::redis::RedisConnection;
use connection_manager::redis::driver_crate::cmd;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseConnection, RawStatement, TransactionMode};
use testkit::proxy::Proxy;
use testkit::{Server, TestDatabase};

use super::Registry;
use super::testing::body;

mod on_servers {
    mod postgres {
        #[test]
        fn a_schema_is_read_once_and_kept() {
            testkit::run(super::super::a_schema_is_read_once_and_kept());
        }

        #[test]
        fn a_schema_that_has_not_changed_costs_one_statement() {
            testkit::run(super::super::a_schema_that_has_not_changed_costs_one_statement());
        }

        #[test]
        fn a_state_that_is_not_told_keeps_nobody_from_looking() {
            testkit::run(super::super::a_state_that_is_not_told_keeps_nobody_from_looking());
        }

        #[test]
        fn instances_have_each_others_schemas() {
            testkit::run(super::super::instances_have_each_others_schemas());
        }

        #[test]
        fn another_database_of_the_server_is_read() {
            testkit::run(super::super::another_database_of_the_server_is_read());
        }

        #[test]
        fn a_schema_is_read_beside_a_migration() {
            testkit::run(super::super::a_schema_is_read_beside_a_migration());
        }
    }

    mod mysql {
        #[test]
        fn a_database_of_a_server_with_many_is_read() {
            testkit::run(super::super::a_database_of_a_server_with_many_is_read(testkit::Server::MySql));
        }
    }

    mod mariadb {
        #[test]
        fn a_database_of_a_server_with_many_is_read() {
            testkit::run(super::super::a_database_of_a_server_with_many_is_read(testkit::Server::MariaDb));
        }
    }
}

async fn owner(database: &TestDatabase) -> Arc<dyn DatabaseConnection> {
    testkit::connect(database.settings()).await.expect("a connection")
}

async fn change(connection: &Arc<dyn DatabaseConnection>, text: &'static str) {
    let statement = RawStatement::everywhere("CREATE", text).into();
    connection.sql().expect("SQL").execute(&statement, &RequestContext::system()).await.expect("changed");
}

fn relations(schema: &Value) -> Vec<(&str, &str)> {
    let namespaces = schema["database"]["namespaces"].as_array().expect("namespaces");
    let relations = namespaces.iter().flat_map(|namespace| {
        let name = namespace["name"].as_str().expect("a name");
        let relations = namespace["relations"].as_array().map(Vec::as_slice).unwrap_or_default();
        relations.iter().map(move |relation| (name, relation["name"].as_str().expect("a name")))
    });
    relations.collect()
}

async fn a_schema_is_read_once_and_kept() {
    let database = TestDatabase::create(Server::Postgres).await;
    let owner = owner(&database).await;
    change(&owner, "CREATE TABLE book (id bigint PRIMARY KEY, title text NOT NULL)").await;
    change(&owner, "CREATE SCHEMA \"old; stock\"").await;
    change(&owner, "CREATE TABLE \"old; stock\".\"Bücher 😀\" (id bigint)").await;
    let registry = Registry::start().await;
    let path = registry.stored(&body(&database, "Sales")).await;
    let schema = format!("{path}/schema");

    // Those who come together have one look taken for them.
    let answers = join_all((0..20).map(|_| registry.get(&schema))).await;
    let first = answers[0].json();
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.json() == first), "{first}");
    assert_eq!(relations(&first), [("old; stock", "Bücher 😀"), ("public", "book")]);
    assert_eq!(first["database"]["namespaces"][1]["relations"][0]["primary_key"]["columns"], json!(["id"]));
    assert!(first["report"]["statements"].as_u64().is_some_and(|statements| statements <= 13), "{first}");

    // What is there already is not sent again, and stays what it is until it is asked for anew.
    let tag = answers[0].header("etag").to_owned();
    assert_eq!(tag, format!("W/\"r1-{}\"", first["fingerprint"].as_str().expect("a digest")));
    change(&owner, "CREATE TABLE film (id bigint)").await;
    let known = registry.ask(Method::GET, &schema, &[("if-none-match", &tag)], None).await;
    assert_eq!((known.status.as_u16(), known.text.as_str()), (304, ""));
    assert!(known.header("age").parse::<u64>().is_ok());
    assert_eq!(registry.get(&schema).await.json(), first);
    let anew = format!("{schema}?refresh=true");
    let second = registry.ask(Method::GET, &anew, &[("if-none-match", &tag)], None).await;
    assert_eq!(second.status, 200);
    assert_eq!(relations(&second.json()), [("old; stock", "Bücher 😀"), ("public", "book"), ("public", "film")]);
    assert_ne!(second.header("etag"), tag);
    assert_eq!(registry.get(&schema).await.json(), second.json());

    let part = registry.get(&format!("{schema}?schema=old%3B%20stock")).await.json();
    assert_eq!(relations(&part), [("old; stock", "Bücher 😀")]);
    // Nothing is sampled here, so that it is the same look, however closely it was to be.
    let closer = registry.get(&format!("{schema}?schema=old%3B%20stock&sample=50&depth=5")).await.json();
    assert_eq!(closer, part);
    // What is not there is not kept as that; what is gone can be compared.
    let archive = format!("{schema}?schema=archive");
    registry.get(&archive).await.is_problem(404, "unknown-schema");
    change(&owner, "CREATE SCHEMA archive CREATE TABLE film (id bigint)").await;
    assert_eq!(relations(&registry.get(&archive).await.json()), [("archive", "film")]);
    let part = json!({"schema": "archive"});
    let taken = registry.ask(Method::POST, &format!("{path}/snapshots"), &[], Some(&part)).await;
    let taken = taken.json()["id"].as_str().expect("an id").to_owned();
    change(&owner, "DROP SCHEMA archive CASCADE").await;
    let diff = registry.get(&format!("{path}/diff?from={taken}")).await;
    assert_eq!((diff.status.as_u16(), &diff.json()["changes"][0]["action"]), (200, &json!("removed")), "{}", diff.text);
    registry.get(&archive).await.is_problem(404, "unknown-schema");
    let refused = registry.get(&format!("{schema}?schema=&refresh=yes&tables=x")).await;
    assert_eq!(refused.is_problem(400, "invalid-query").faults().len(), 3, "{}", refused.text);

    // Another definition is another database.
    let other = TestDatabase::create(Server::Postgres).await;
    let moved = registry.change(Method::PUT, &path, &body(&other, "Sales")).await;
    assert_eq!(moved.status, 200, "{}", moved.text);
    let moved = registry.get(&schema).await.json();
    assert_eq!((relations(&moved), &moved["connection_version"]), (vec![], &json!(2)));
    registry.ask(Method::DELETE, &path, &[("if-match", "*")], None).await;
    registry.get(&schema).await.is_problem(404, "not-found");
    let audit = registry.get("/api/v1/connections/audit?action=read_schema&outcome=not-found").await.json();
    assert_eq!(audit["items"].as_array().map(Vec::len), Some(1), "{audit}");
}

/// How many statements an answer took, and whether the state was asked for.
fn cost(schema: &Value) -> (u64, bool) {
    let report = &schema["report"];
    let stages = report["stages"].as_array().expect("stages");
    (report["statements"].as_u64().expect("a number"), stages.iter().any(|stage| stage["name"] == "stamp"))
}

async fn a_schema_that_has_not_changed_costs_one_statement() {
    let database = TestDatabase::create(Server::Postgres).await;
    let owner = owner(&database).await;
    change(&owner, "CREATE TABLE book (id bigint PRIMARY KEY, title text NOT NULL)").await;
    let registry = Registry::start().await;
    let path = registry.stored(&body(&database, "Sales")).await;
    let (schema, anew) = (format!("{path}/schema"), format!("{path}/schema?refresh=true"));
    let first = registry.get(&schema).await.json();
    assert_eq!(cost(&first), (12, true), "it is asked for before the look");
    // It is as good as looked at, for those who ask later as well.
    let again = registry.get(&anew).await;
    assert_eq!((cost(&again.json()), again.header("age")), ((3, true), "0"), "{}", again.text);
    assert_eq!(again.json()["report"]["stages"].as_array().map(Vec::len), Some(3));
    for part in ["database", "fingerprint", "statistics"] {
        assert_eq!(again.json()[part], first[part]);
    }
    assert!(again.json()["taken_at"].as_str() > first["taken_at"].as_str(), "{}", again.text);
    assert_eq!(registry.get(&schema).await.json(), again.json());
    let tag = again.header("etag");
    assert_eq!(registry.ask(Method::GET, &anew, &[("if-none-match", tag)], None).await.status, 304);
    for answer in join_all((0..20).map(|_| registry.get(&anew))).await {
        assert_eq!((cost(&answer.json()), &answer.json()["database"]), ((3, true), &first["database"]));
    }

    // A change is looked at, in each part that was seen before, and so are counts of rows.
    let part = format!("{schema}?schema=public&refresh=true");
    assert_eq!(cost(&registry.get(&part).await.json()), (12, true), "nobody has seen it alone");
    change(&owner, "CREATE TABLE film (id bigint)").await;
    for path in [&anew, &part] {
        let changed = registry.get(path).await.json();
        assert_eq!((cost(&changed), relations(&changed).len()), ((12, true), 2));
        assert_eq!(cost(&registry.get(path).await.json()), (3, true));
    }
    change(&owner, "INSERT INTO film SELECT generate_series(1, 20)").await;
    change(&owner, "ANALYZE film").await;
    let counted = registry.get(&anew).await.json();
    assert_eq!((cost(&counted), &counted["statistics"][1]["rows"]), ((12, true), &json!(20)));

    // A snapshot is a look of its own, which others may have.
    let taken = registry.ask(Method::POST, &format!("{path}/snapshots"), &[], Some(&json!({}))).await;
    assert_eq!(cost(&registry.get(taken.header("location")).await.json()), (12, true));
    // What is gone is not what it was.
    change(&owner, "CREATE SCHEMA archive").await;
    let archive = format!("{schema}?schema=archive");
    assert_eq!(registry.get(&archive).await.status, 200);
    change(&owner, "DROP SCHEMA archive").await;
    registry.get(&format!("{archive}&refresh=true")).await.is_problem(404, "unknown-schema");
    registry.get(&archive).await.is_problem(404, "unknown-schema");
}

async fn a_state_that_is_not_told_keeps_nobody_from_looking() {
    let database = TestDatabase::create(Server::Postgres).await;
    let (owner, context) = (owner(&database).await, RequestContext::system());
    let role = format!("reader_{}", database.name());
    // A look reads nothing of that catalog.
    let script = format!(
        "CREATE TABLE book (id bigint); CREATE ROLE {role} LOGIN PASSWORD 'first'; \
         REVOKE SELECT ON pg_catalog.pg_partitioned_table FROM PUBLIC"
    );
    owner.sql().expect("SQL").run_script(&script, &context).await.expect("done");
    let registry = Registry::start().await;
    let mut sales = body(&database, "Sales");
    (sales["username"], sales["password"]) = (json!(role), json!("first"));
    let path = registry.stored(&sales).await;
    for _ in 0..2 {
        let schema = registry.get(&format!("{path}/schema?refresh=true")).await.json();
        assert_eq!((cost(&schema), relations(&schema)), ((14, true), vec![("public", "book")]));
    }
    drop(registry);
    owner.sql().expect("SQL").run_script(&format!("DROP ROLE {role}"), &context).await.expect("done");
}

async fn another_database_of_the_server_is_read() {
    let (own, other) = (TestDatabase::create(Server::Postgres).await, TestDatabase::create(Server::Postgres).await);
    change(&owner(&own).await, "CREATE TABLE book (id bigint PRIMARY KEY)").await;
    let owner = owner(&other).await;
    change(&owner, "CREATE TABLE film (id bigint PRIMARY KEY)").await;
    change(&owner, "CREATE SEQUENCE numbers").await;
    let registry = Registry::start().await;
    let settings = own.settings();
    let upstream = format!("{}:{}", settings.host.expect("a host"), settings.port.expect("a port"));
    let proxy = Proxy::start(upstream).await.expect("a port");
    let mut sales = body(&own, "Sales");
    sales["host"] = json!("127.0.0.1");
    sales["port"] = json!(proxy.port());
    let path = registry.stored(&sales).await;
    let schema = format!("{path}/schema?database={}", other.name());
    let answer = registry.get(&schema).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let read = answer.json();
    assert_eq!((relations(&read), &read["database"]["name"]), (vec![("public", "film")], &json!(other.name())));
    assert_eq!(relations(&registry.get(&format!("{path}/schema")).await.json()), [("public", "book")]);
    let export = registry.get(&format!("{path}/schema/export?format=mermaid&database={}", other.name())).await;
    assert!(export.status == 200 && export.text.contains("film"), "{}", export.text);
    let lint = registry.get(&format!("{path}/schema/lint?database={}", other.name())).await.json();
    assert_eq!(lint["fingerprint"], read["fingerprint"]);

    // Only so much of it is told, and known by another tag.
    let part = registry.get(&format!("{schema}&include=sequences,statistics")).await;
    let told = part.json();
    let namespace = &told["database"]["namespaces"][0];
    assert_eq!((&namespace["sequences"][0]["name"], namespace.get("relations")), (&json!("numbers"), None));
    assert_eq!((&told["fingerprint"], &told["statistics"]), (&read["fingerprint"], &read["statistics"]));
    assert_eq!(registry.get(&format!("{schema}&include=relations")).await.json().get("statistics"), None);
    assert_ne!(part.header("etag"), answer.header("etag"));
    let known = registry.ask(Method::GET, &schema, &[("if-none-match", part.header("etag"))], None).await;
    assert_eq!(known.status, 200, "a part of an answer is not the answer");

    let absent = registry.get(&format!("{path}/schema?database=absent")).await;
    absent.is_problem(404, "unknown-database");
    let refused = registry.get(&format!("{path}/schema?database=&sample=101&depth=0&include=tables")).await;
    assert_eq!(refused.is_problem(400, "invalid-query").faults().len(), 4, "{}", refused.text);

    // Whoever changes the connection changes the way to all of its server, at once.
    let role = format!("reader_{}", other.name());
    let admin = owner.sql().expect("SQL");
    let tell = async |text: String| {
        let statement = RawStatement::everywhere("ROLE", text).into();
        admin.execute(&statement, &RequestContext::system()).await.expect("done");
    };
    tell(format!("CREATE ROLE {role} LOGIN PASSWORD 'first'")).await;
    let changed = registry.change(Method::PATCH, &path, &json!({"username": role, "password": "first"})).await;
    assert_eq!(changed.status, 200, "{}", changed.text);
    let anew = registry.get(&format!("{schema}&refresh=true")).await;
    assert_eq!(anew.status, 200, "{}", anew.text);
    let count =
        format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND usename = '{role}'", other.name());
    let sessions = admin.query_one(&RawStatement::everywhere("SELECT", count).into(), &RequestContext::system()).await;
    let sessions = sessions.expect("counted").expect("a row").get::<i64>(0);
    assert!(sessions.expect("a number") > 0, "it was looked at as somebody else");

    // A password that is good no more is tried once for all databases of a server.
    tell(format!("ALTER ROLE {role} PASSWORD 'second'")).await;
    let further = [TestDatabase::create(Server::Postgres).await, TestDatabase::create(Server::Postgres).await];
    let mut accepted = Vec::new();
    for database in &further {
        let refused = registry.get(&format!("{path}/schema?database={}", database.name())).await;
        refused.is_problem(409, "connection-unusable");
        accepted.push(proxy.accepted());
    }
    assert_eq!(accepted[0], accepted[1], "nobody tried it again");
    drop(registry);
    tell(format!("DROP ROLE {role}")).await;
}

async fn instances_have_each_others_schemas() {
    const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let store = TestDatabase::migrated(Server::Postgres, "registry").await;
    let target = TestDatabase::create(Server::Postgres).await;
    let owner = owner(&target).await;
    change(&owner, "CREATE TABLE secret_plans (id bigint PRIMARY KEY)").await;
    let redis = testkit::redis::OwnRedis::start(&[]).await;
    let key = connection_manager::config::SealingConfig::of_file("one", "nowhere".into(), &KEY.into()).expect("a key");
    let shared = redis.settings();
    let start = async || {
        let (settings, cache, key) = (store.settings(), shared.clone(), key.clone());
        Registry::configured(move |config| {
            config.connections.insert("registry".to_owned(), settings);
            config.connections.insert("cache".to_owned(), cache);
            config.registry.schema_cache = Some("cache".to_owned());
            config.registry.sealing = Some(key);
        })
        .await
    };
    let (one, two) = (start().await, start().await);
    let path = one.stored(&body(&target, "Sales")).await;
    let schema = format!("{path}/schema");
    let first = one.get(&schema).await;
    assert_eq!(first.status, 200, "{}", first.text);

    // The other one has it although the database has changed since: it did not look.
    change(&owner, "CREATE TABLE film (id bigint)").await;
    let hits = async || {
        let metrics = two.service.get("/metrics").await.text;
        let line = metrics.lines().find_map(|line| line.strip_prefix("bindery_schema_shared_hits_total "));
        line.map_or(0, |count| count.parse::<u64>().expect("a number"))
    };
    let before = hits().await;
    let answers = join_all((0..20).map(|_| two.get(&schema))).await;
    assert!(answers.iter().all(|answer| answer.json() == first.json()), "{}", answers[0].text);
    assert_eq!(hits().await - before, 1, "it was fetched once for all of them");
    let anew = one.get(&format!("{schema}?refresh=true")).await.json();
    assert_eq!(relations(&anew), [("public", "film"), ("public", "secret_plans")]);
    let three = start().await;
    assert_eq!(three.get(&schema).await.json(), anew);
    assert_eq!(three.get(&format!("{schema}?schema=public")).await.json()["database"], anew["database"]);

    // Whoever has none of its own compares with the one that is shared, and what has not changed is new for all of them.
    let four = start().await;
    let again = four.get(&format!("{schema}?refresh=true")).await.json();
    assert_eq!((cost(&again), &again["database"]), ((3, true), &anew["database"]));
    assert_eq!(start().await.get(&schema).await.json(), again);

    // What one finds gone, nobody has a copy of.
    change(&owner, "CREATE SCHEMA archive CREATE TABLE film (id bigint)").await;
    let archive = format!("{schema}?schema=archive");
    assert_eq!(relations(&one.get(&archive).await.json()), [("archive", "film")]);
    change(&owner, "DROP SCHEMA archive CASCADE").await;
    one.get(&format!("{archive}&refresh=true")).await.is_problem(404, "unknown-schema");
    for instance in [&one, &three] {
        instance.get(&archive).await.is_problem(404, "unknown-schema");
    }

    // Nothing of it can be read in Redis, and what somebody else puts there is not believed.
    let cache = redis.connection().await;
    let context = RequestContext::system();
    let native = cache.native_as::<RedisConnection>().expect("Redis");
    let keys: Vec<Vec<u8>> = native.query(cmd("KEYS").arg("bindery:schema:*").take(), &context).await.expect("listed");
    assert_eq!(keys.len(), 2, "the whole database and a part of it");
    let values = cache.key_value().expect("keys and values");
    for key in keys {
        let value = values.get(&key, &context).await.expect("read").expect("there");
        assert!(!String::from_utf8_lossy(&value).contains("secret_plans"));
        values.set(&key, b"changed", shared_kernel::database::Expiry::Never, &context).await.expect("written");
    }
    assert_eq!(start().await.get(&schema).await.json()["fingerprint"], anew["fingerprint"]);

    // While it is away, everybody looks for himself.
    drop(redis);
    let alone = start().await.get(&schema).await;
    assert_eq!((alone.status.as_u16(), &alone.json()["fingerprint"]), (200, &anew["fingerprint"]));
}

async fn a_schema_is_read_beside_a_migration() {
    let database = TestDatabase::create(Server::Postgres).await;
    let owner = owner(&database).await;
    change(&owner, "CREATE TABLE book (id bigint PRIMARY KEY, title text CHECK (title <> ''))").await;
    change(&owner, "CREATE TABLE film (id bigint PRIMARY KEY, title text CHECK (title <> ''))").await;
    let registry = Registry::start().await;
    let path = registry.stored(&body(&database, "Sales")).await;
    let context = RequestContext::system();
    let sql = owner.sql().expect("SQL");
    let migration = sql.begin(TransactionMode::ReadWrite, &context).await.expect("a transaction");
    let lock = RawStatement::everywhere("LOCK", "LOCK TABLE book IN ACCESS EXCLUSIVE MODE");
    migration.execute(&lock.into(), &context).await.expect("locked");
    let schema = registry.get(&format!("{path}/schema")).await;
    assert_eq!(schema.status, 200, "{}", schema.text);
    let schema = schema.json();
    assert_eq!(relations(&schema), [("public", "book"), ("public", "film")]);
    let gaps = schema["report"]["gaps"].as_array().expect("gaps");
    let of_book = |gap: &Value| gap["object"]["name"] == "book" && gap["reason"] == "locked";
    assert!(!gaps.is_empty() && gaps.iter().all(of_book), "{schema}");
    migration.rollback(&context).await.expect("rolled back");
    // The database is in the same state, and not all of it was seen.
    let whole = registry.get(&format!("{path}/schema?refresh=true")).await.json();
    assert_eq!((cost(&whole), &whole["report"]["gaps"]), ((12, true), &json!([])));
    let again = registry.get(&format!("{path}/schema?refresh=true")).await.json();
    assert_eq!((cost(&again), &again["database"]), ((3, true), &whole["database"]));
}

async fn a_database_of_a_server_with_many_is_read(server: Server) {
    let database = TestDatabase::create(server).await;
    let owner = owner(&database).await;
    change(&owner, "CREATE TABLE book (id bigint unsigned AUTO_INCREMENT PRIMARY KEY, title varchar(20) NOT NULL)")
        .await;
    change(&owner, "CREATE TABLE film (id int, book bigint unsigned, FOREIGN KEY (book) REFERENCES book (id))").await;
    change(&owner, "CREATE VIEW titles AS SELECT title FROM book").await;
    let registry = Registry::start().await;
    let path = registry.stored(&body(&database, "Sales")).await;
    let schema = format!("{path}/schema?schema={}", database.name());
    let answer = registry.get(&schema).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let read = answer.json();
    let name = database.name();
    assert_eq!(relations(&read), [(name, "book"), (name, "film"), (name, "titles")]);
    assert_eq!(read["database"]["engine"], server.to_string());
    let relations = &read["database"]["namespaces"][0]["relations"];
    assert_eq!(relations[0]["columns"][0]["data_type"]["family"], "integer");
    let key = &relations[1]["foreign_keys"][0];
    assert_eq!(key["references"], json!({"namespace": name, "name": "book"}));
    assert_eq!(key["columns"], json!([{"column": "book", "references": "id"}]));
    assert!(relations[2]["definition"].as_str().is_some_and(|text| text.contains("title")), "{read}");
    assert_eq!(read["report"]["gaps"], json!([]));
    assert!(read["report"]["statements"].as_u64().is_some_and(|statements| statements <= 12), "{read}");
    let known = registry.ask(Method::GET, &schema, &[("if-none-match", answer.header("etag"))], None).await;
    assert_eq!(known.status, 304);

    // A schema is a database here, whatever the parameter is called.
    let same = registry.get(&format!("{path}/schema?database={name}")).await;
    assert_eq!((same.header("etag"), same.json()), (answer.header("etag"), read.clone()));
    let both = registry.get(&format!("{schema}&database=mysql")).await;
    both.is_problem(409, "connection-unusable");
    for absent in ["database=absent", "schema=absent", "schema=mysql"] {
        registry.get(&format!("{path}/schema?{absent}")).await.is_problem(404, "unknown-database");
    }

    // Rows that come are no change; a column is.
    change(&owner, "INSERT INTO book (title) VALUES ('one')").await;
    let anew = registry.get(&format!("{schema}&refresh=true")).await;
    assert_eq!(anew.header("etag"), answer.header("etag"));
    // Such an engine tells no state, so that it is looked at each time.
    assert_eq!(cost(&anew.json()), cost(&read));
    assert!(!cost(&read).1);
    change(&owner, "ALTER TABLE film ADD COLUMN title text").await;
    let anew = registry.get(&format!("{schema}&refresh=true")).await;
    assert_ne!(anew.header("etag"), answer.header("etag"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_looked_at_as_well() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("shelf.db");
    let made = testkit::connect(connection_manager::ConnectionSettings::sqlite(&file)).await.expect("made");
    change(&made, "CREATE TABLE book (id INTEGER PRIMARY KEY, title TEXT NOT NULL) STRICT").await;
    made.close(std::time::Duration::ZERO).await;
    let root = folder.path().to_owned();
    let registry = Registry::configured(move |config| config.registry.sqlite_root = Some(root)).await;
    let path = registry.stored(&json!({"name": "Shelf", "engine": "sqlite", "path": "shelf.db"})).await;
    let schema = registry.get(&format!("{path}/schema")).await;
    assert_eq!(schema.status, 200, "{}", schema.text);
    assert_eq!(relations(&schema.json()), [("main", "book")]);
    // A part of the answer and a snapshot have the model's keys in the same order as the whole.
    let model = |text: &str| {
        let (_, rest) = text.split_once("\"database\":").expect("a model");
        rest.split_once(",\"report\":").expect("a report").0.replace(",\"statistics\":[]", "")
    };
    let part = registry.get(&format!("{path}/schema?include=relations")).await;
    assert_eq!(model(&part.text), model(&schema.text));
    let taken = registry.ask(Method::POST, &format!("{path}/snapshots"), &[], Some(&json!({}))).await;
    assert_eq!(model(&registry.get(taken.header("location")).await.text), model(&schema.text));
    // As long as it is the same, it is not read again.
    let anew = format!("{path}/schema?refresh=true");
    assert_eq!((cost(&schema.json()), cost(&registry.get(&anew).await.json())), ((9, true), (3, true)));
    let made = testkit::connect(connection_manager::ConnectionSettings::sqlite(&file)).await.expect("opened");
    change(&made, "CREATE INDEX titles ON book (title)").await;
    made.close(std::time::Duration::ZERO).await;
    let schema = registry.get(&anew).await;
    assert_eq!(cost(&schema.json()), (9, true));
    assert_eq!(schema.json()["database"]["namespaces"][0]["relations"][0]["indexes"][0]["name"], "titles");
    assert_eq!(cost(&registry.get(&anew).await.json()), (3, true));
    // It has a name, and no other one beside it.
    let named = registry.get(&format!("{path}/schema?database=main")).await;
    assert_eq!((named.status.as_u16(), model(&named.text)), (200, model(&schema.text)));
    registry.get(&format!("{path}/schema?schema=other")).await.is_problem(404, "unknown-schema");
    let other = registry.ask(Method::POST, &format!("{path}/snapshots"), &[], Some(&json!({"schema": "other"}))).await;
    other.is_problem(404, "unknown-schema");
    let refused = registry.get(&format!("{path}/schema?database=other")).await;
    let detail = refused.is_problem(404, "unknown-database").json()["detail"].clone();
    assert_eq!(detail, "a connection to this engine leads to one database, which is called `main`");
}

/// It is sent in many pieces.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_schema_arrives_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = testkit::connect(connection_manager::ConnectionSettings::sqlite(folder.path().join("large.db"))).await;
    let made = made.expect("made");
    let tables =
        (0..400).map(|number| format!("CREATE TABLE t{number} (id INTEGER PRIMARY KEY, a TEXT, b TEXT, c BLOB)"));
    for table in tables {
        let statement = RawStatement::everywhere("CREATE", table).into();
        made.sql().expect("SQL").execute(&statement, &RequestContext::system()).await.expect("created");
    }
    made.close(std::time::Duration::ZERO).await;
    let root = folder.path().to_owned();
    let registry = Registry::configured(move |config| config.registry.sqlite_root = Some(root)).await;
    let path = registry.stored(&json!({"name": "Large", "engine": "sqlite", "path": "large.db"})).await;
    let whole = registry.get(&format!("{path}/schema")).await;
    assert_eq!(whole.status, 200, "{}", whole.text);
    assert!(whole.text.len() > 100_000, "{}", whole.text.len());
    assert_eq!(whole.header("content-length"), whole.text.len().to_string());
    let told = whole.json();
    assert_eq!(relations(&told).len(), 400);
    let (_, model) = whole.text.split_once("\"database\":").expect("a model");
    let (model, _) = model.split_once(",\"statistics\":").expect("statistics");
    assert_eq!(told["fingerprint"], schema_model::Fingerprint::of(model).to_string());
    let part = registry.get(&format!("{path}/schema?include=relations")).await;
    let (_, of_part) = part.text.split_once("\"database\":").expect("a model");
    assert_eq!(of_part.split_once(",\"report\":").expect("a report").0, model);
}
