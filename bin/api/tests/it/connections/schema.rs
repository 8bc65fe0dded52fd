//! What is in the databases that stored connections lead to.

use std::sync::Arc;

use connection_manager::mongodb::driver_crate::bson::doc;
use connection_manager::redis::driver_crate::cmd;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use shared_kernel::RequestContext;
use shared_kernel::database::{
    Collection, DatabaseConnection, Document, DocumentValue, Expiry, RawStatement, TransactionMode,
};
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

    mod redis {
        #[test]
        fn keys_are_read_as_patterns() {
            testkit::run(super::super::keys_are_read_as_patterns());
        }
    }

    mod mongodb {
        #[test]
        fn a_database_of_documents_is_read() {
            testkit::run(super::super::a_database_of_documents_is_read());
        }

        #[test]
        fn a_database_is_chosen_where_none_is_named() {
            testkit::run(super::super::a_database_is_chosen_where_none_is_named());
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
    assert!(first["report"]["statements"].as_u64().is_some_and(|statements| statements <= 12), "{first}");

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

    // Rows that come are no change; a column is.
    change(&owner, "INSERT INTO book (title) VALUES ('one')").await;
    let anew = registry.get(&format!("{schema}&refresh=true")).await;
    assert_eq!(anew.header("etag"), answer.header("etag"));
    change(&owner, "ALTER TABLE film ADD COLUMN title text").await;
    let anew = registry.get(&format!("{schema}&refresh=true")).await;
    assert_ne!(anew.header("etag"), answer.header("etag"));
}

/// A connection with documents behind it, for the one who owns them and for the one who looks.
async fn documents(password: &str) -> (Arc<dyn DatabaseConnection>, testkit::mongodb::User, Value) {
    let (user, body) = super::testing::mongodb(password).await;
    let settings = testkit::mongodb::shared().with_database(body["database"].as_str().expect("a database"));
    let owner = testkit::connect(settings).await.expect("connected");
    insert(&owner, Document::new().with("title", "a title of nobody's").with("pages", 7)).await;
    insert(&owner, Document::new().with("title", DocumentValue::Null)).await;
    (owner, user, body)
}

async fn insert(owner: &Arc<dyn DatabaseConnection>, document: Document) {
    let documents = owner.documents().expect("documents");
    let books = Collection::try_new(documents.database().expect("a database"), "books").expect("a name");
    documents.insert_one(&books, &document, &RequestContext::system()).await.expect("written");
}

async fn a_database_of_documents_is_read() {
    let (owner, user, body) = documents("right").await;
    let registry = Registry::start().await;
    let path = registry.stored(&body).await;
    let schema = format!("{path}/schema");
    let answer = registry.get(&schema).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let read = answer.json();
    let namespace = &read["database"]["namespaces"][0];
    assert_eq!((&namespace["name"], &read["database"]["engine"]), (&body["database"], &json!("mongodb")));
    assert_eq!(namespace["collections"][0]["name"], "books");
    assert_eq!(namespace["collections"][0]["indexes"][0]["name"], "_id_");
    let sample = &read["samples"][0];
    assert_eq!((&sample["documents"], &sample["method"]), (&json!(2), &json!("random")));
    let pages = &sample["fields"][1];
    let interval = json!({"lower": 0.0945, "upper": 0.9055});
    assert_eq!(pages["presence"], json!({"count": 1, "of": 2, "share": 0.5, "interval": interval}));
    assert_eq!(sample["fields"][2]["values"]["types"][0], json!({"name": "null", "count": 1, "share": 0.5}));
    assert!(!answer.text.contains("nobody's"), "{}", answer.text);
    assert_eq!(read["report"]["statements"], 5);
    let known = registry.ask(Method::GET, &schema, &[("if-none-match", answer.header("etag"))], None).await;
    assert_eq!(known.status, 304);

    // A document that comes is no change, however odd; an index is.
    let taken = registry.ask(Method::POST, &format!("{path}/snapshots"), &[], Some(&json!({}))).await;
    assert_eq!(taken.status, 201, "{}", taken.text);
    assert_eq!(taken.json()["relations"], 1);
    let kept = registry.get(taken.header("location")).await.json();
    assert_eq!(kept["samples"], read["samples"]);
    insert(&owner, Document::new().with("odd", true)).await;
    let anew = registry.get(&format!("{schema}?refresh=true")).await;
    assert_eq!(anew.header("etag"), answer.header("etag"));
    assert_eq!(anew.json()["samples"][0]["documents"], 3);
    let index = doc! { "createIndexes": "books", "indexes": [{ "name": "titles", "key": { "title": 1 } }] };
    let name = body["database"].as_str().expect("a database");
    testkit::mongodb::run(&*owner, name, index).await.expect("made");
    let anew = registry.get(&format!("{schema}?refresh=true")).await;
    assert_ne!(anew.header("etag"), answer.header("etag"));
    let id = taken.json()["id"].as_str().expect("an id").to_owned();
    let diff = registry.get(&format!("{path}/diff?from={id}")).await;
    assert_eq!(diff.status, 200, "{}", diff.text);
    let changes = diff.json()["changes"].clone();
    let change = &changes[0];
    assert_eq!(changes.as_array().map(Vec::len), Some(1), "{changes}");
    assert_eq!([&change["kind"], &change["action"], &change["part"]], ["index", "added", "titles"]);
    testkit::mongodb::drop_database(&*owner).await;
    user.remove().await;
}

async fn a_database_is_chosen_where_none_is_named() {
    let (owner, user, mut body) = documents("right").await;
    let name = body["database"].take();
    let registry = Registry::start().await;
    let path = registry.stored(&body).await;
    let chosen = registry.get(&format!("{path}/schema")).await;
    assert_eq!(chosen.status, 200, "{}", chosen.text);
    let choice = chosen.json()["report"]["choice"].clone();
    // Other tests have databases on the same server.
    assert!(choice["among"].as_u64().is_some_and(|among| among > 0), "{choice}");
    assert_eq!(choice["name"], chosen.json()["database"]["name"]);
    assert!(["only", "only_filled", "largest", "first"].iter().any(|reason| choice["reason"] == *reason), "{choice}");
    let asked = registry.get(&format!("{path}/schema?schema={}", name.as_str().expect("a name"))).await.json();
    assert_eq!(asked["report"]["choice"], Value::Null);
    assert_eq!(asked["database"]["namespaces"][0]["collections"][0]["name"], "books");
    testkit::mongodb::drop_database(&*owner).await;
    user.remove().await;
}

async fn keys_are_read_as_patterns() {
    let redis = testkit::redis::OwnRedis::start(&[]).await;
    for number in 0..3 {
        let key = format!("session:5f1c2a3e-0000-4000-8000-{number:012}");
        redis.tell::<i64>(cmd("HSET").arg(key).arg("user").arg("nobody's").take()).await;
    }
    let body = json!({
        "name": "Cache", "engine": "redis", "host": "127.0.0.1", "port": redis.port(),
        "password": testkit::redis::OwnRedis::PASSWORD, "tls": {"mode": "disabled"},
    });
    let registry = Registry::start().await;
    let path = registry.stored(&body).await;
    let schema = format!("{path}/schema");
    let answer = registry.get(&schema).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let read = answer.json();
    assert_eq!((&read["database"]["engine"], &read["database"]["name"]), (&json!("redis"), &json!("db0")));
    assert_eq!(read["database"]["namespaces"], json!([{"name": "db0"}]));
    let sample = &read["key_samples"][0];
    assert_eq!((&sample["namespace"], &sample["keys"], &sample["total"]), (&json!("db0"), &json!(3), &json!(3)));
    let pattern = &sample["patterns"][0];
    assert_eq!(pattern["pattern"], "session:{uuid}");
    assert_eq!(pattern["expiry"]["presence"], json!({"count": 0, "of": 3, "share": 0.0}));
    let of_type = &pattern["types"][0];
    assert_eq!((&of_type["name"], &of_type["fields"]["fields"][0]["name"]), (&json!("hash"), &json!("user")));
    assert!(!answer.text.contains("nobody's") && !answer.text.contains("5f1c2a3e"), "{}", answer.text);
    assert_eq!(read["report"]["gaps"], json!([]));

    // A key that comes is no change; a database that gets its first one is.
    let taken = registry.ask(Method::POST, &format!("{path}/snapshots"), &[], Some(&json!({}))).await;
    assert_eq!(taken.status, 201, "{}", taken.text);
    let kept = registry.get(taken.header("location")).await.json();
    assert_eq!(kept["key_samples"][0]["patterns"][0]["pattern"], "session:{uuid}");
    redis.tell::<()>(cmd("SET").arg("lock").arg("x").take()).await;
    let known = [("if-none-match", answer.header("etag"))];
    let anew = registry.ask(Method::GET, &format!("{schema}?refresh=true"), &known, None).await;
    assert_eq!(anew.status, 304, "{}", anew.text);
    let other = testkit::connect(redis.settings().with_database("7")).await.expect("connected");
    let values = other.key_value().expect("values");
    values.set(b"k", b"v", Expiry::Never, &RequestContext::system()).await.expect("set");
    let id = taken.json()["id"].as_str().expect("an id").to_owned();
    let diff = registry.get(&format!("{path}/diff?from={id}")).await;
    assert_eq!(diff.status, 200, "{}", diff.text);
    let changes = diff.json()["changes"].clone();
    assert_eq!((changes.as_array().map(Vec::len), &changes[0]["action"]), (Some(1), &json!("added")), "{changes}");
    let part = registry.get(&format!("{schema}?schema=db7")).await.json();
    assert_eq!(part["database"]["namespaces"], json!([{"name": "db7"}]));

    for format in ["json", "mermaid", "dbml", "plantuml", "dot", "markdown", "svg"] {
        let export = registry.get(&format!("{schema}/export?format={format}")).await;
        assert_eq!(export.status, 200, "{format}: {}", export.text);
    }
    let lint = registry.get(&format!("{schema}/lint")).await;
    assert_eq!((lint.status.as_u16(), &lint.json()["findings"]), (200, &json!([])), "{}", lint.text);
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
}
