//! What is in databases of documents, items and keys: inferred from some of them.

use std::sync::Arc;

use connection_manager::dynamodb::DynamoDbConnection;
use connection_manager::dynamodb::driver_crate::types::TimeToLiveSpecification;
use connection_manager::mongodb::driver_crate::bson::doc;
use connection_manager::redis::driver_crate::cmd;
use reqwest::Method;
use serde_json::{Value, json};
use shared_kernel::RequestContext;
use shared_kernel::database::{Collection, DatabaseConnection, Document, DocumentValue, Expiry};

use super::Registry;

mod on_servers {
    mod redis {
        #[test]
        fn keys_are_read_as_patterns() {
            testkit::run(super::super::keys_are_read_as_patterns());
        }
    }

    mod dynamodb {
        #[test]
        fn a_table_of_items_is_read() {
            testkit::run(super::super::a_table_of_items_is_read());
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
    let one = registry.get(&format!("{schema}?sample=1&depth=1")).await.json();
    assert_eq!((&one["samples"][0]["documents"], &one["fingerprint"]), (&json!(1), &read["fingerprint"]));
    let named = registry.get(&format!("{schema}?database={}", namespace["name"].as_str().expect("a name"))).await;
    assert_eq!(named.json()["fingerprint"], read["fingerprint"]);
    registry.get(&format!("{schema}?database=bindery_absent")).await.is_problem(404, "unknown-database");
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

async fn a_table_of_items_is_read() {
    let table = testkit::dynamodb::table().await;
    let owner = testkit::connect(table.clone()).await.expect("connected");
    let values = owner.key_value().expect("values");
    let put = async |key: &[u8]| {
        values.set(key, b"nobody's", Expiry::Never, &RequestContext::system()).await.expect("written");
    };
    put(b"one").await;
    let registry = Registry::start().await;
    let name = table.database.clone().expect("a table");
    let path = registry.stored(&super::testing::dynamodb(&table)).await;
    let schema = format!("{path}/schema");
    let answer = registry.get(&schema).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let read = answer.json();
    assert_eq!((&read["database"]["engine"], &read["database"]["name"]), (&json!("dynamodb"), &json!(name)));
    let declared = json!({
        "name": name, "kind": "table", "key": ["key"], "fields": [{"name": "key", "types": ["B"], "required": true}],
        "native": {"billing_mode": "PAY_PER_REQUEST", "table_class": "STANDARD"},
    });
    assert_eq!(read["database"]["namespaces"][0]["name"], "default");
    assert_eq!(read["database"]["namespaces"][0]["collections"], json!([declared]));
    let sample = &read["samples"][0];
    assert_eq!((&sample["documents"], &sample["method"]), (&json!(1), &json!("first")));
    let value = &sample["fields"][1];
    assert_eq!((&value["name"], &value["presence"]), (&json!("value"), &json!({"count": 1, "of": 1, "share": 1.0})));
    // In base64, as the service has it.
    assert!(!answer.text.contains("nobody's") && !answer.text.contains("bm9ib2R5J3M"), "{}", answer.text);
    assert_eq!((&read["report"]["statements"], &read["report"]["gaps"]), (&json!(4), &json!([])));
    let known = registry.ask(Method::GET, &schema, &[("if-none-match", answer.header("etag"))], None).await;
    assert_eq!(known.status, 304);
    registry.get(&format!("{schema}?schema=elsewhere")).await.is_problem(404, "unknown-schema");
    registry.get(&format!("{schema}?database=elsewhere")).await.is_problem(404, "unknown-database");

    // An item that comes is no change; that items end at some time is.
    let taken = registry.ask(Method::POST, &format!("{path}/snapshots"), &[], Some(&json!({}))).await;
    assert_eq!((taken.status.as_u16(), &taken.json()["relations"]), (201, &json!(1)), "{}", taken.text);
    assert_eq!(registry.get(taken.header("location")).await.json()["samples"], read["samples"]);
    put(b"two").await;
    let anew = registry.get(&format!("{schema}?refresh=true")).await;
    assert_eq!(anew.header("etag"), answer.header("etag"));
    assert_eq!(anew.json()["samples"][0]["documents"], 2);
    let native = owner.native_as::<DynamoDbConnection>().expect("the native handle");
    let expiry = TimeToLiveSpecification::builder().enabled(true).attribute_name("expires_at").build().expect("a time");
    let work = async |client: connection_manager::dynamodb::driver_crate::Client| {
        client
            .update_time_to_live()
            .table_name(&name)
            .time_to_live_specification(expiry)
            .send()
            .await
            .expect("changed");
        Ok(())
    };
    native.with_client(work, &RequestContext::system()).await.expect("it is done");
    let anew = registry.get(&format!("{schema}?refresh=true")).await;
    assert_ne!(anew.header("etag"), answer.header("etag"));
    let id = taken.json()["id"].as_str().expect("an id").to_owned();
    let diff = registry.get(&format!("{path}/diff?from={id}")).await;
    assert_eq!(diff.status, 200, "{}", diff.text);
    let changes = diff.json()["changes"].clone();
    assert_eq!(changes.as_array().map(Vec::len), Some(1), "{changes}");
    assert_eq!(
        (&changes[0]["kind"], &changes[0]["aspect"]),
        (&json!("collection"), &json!("native.time_to_live")),
        "{changes}"
    );

    let markdown = registry.get(&format!("{schema}/export?format=markdown")).await;
    assert!(markdown.status == 200 && markdown.text.contains("Table of items"), "{}", markdown.text);
    let picture = registry.get(&format!("{schema}/export?format=svg")).await;
    assert_eq!((picture.status.as_u16(), picture.header("bindery-omissions")), (200, "1"));
    let lint = registry.get(&format!("{schema}/lint")).await;
    assert_eq!((lint.status.as_u16(), &lint.json()["findings"]), (200, &json!([])), "{}", lint.text);
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
    for absent in ["database=db8", "schema=db99", "schema=sales"] {
        registry.get(&format!("{schema}?{absent}")).await.is_problem(404, "unknown-database");
    }

    for format in ["json", "mermaid", "dbml", "plantuml", "dot", "markdown", "svg"] {
        let export = registry.get(&format!("{schema}/export?format={format}")).await;
        assert_eq!(export.status, 200, "{format}: {}", export.text);
    }
    let lint = registry.get(&format!("{schema}/lint")).await;
    assert_eq!((lint.status.as_u16(), &lint.json()["findings"]), (200, &json!([])), "{}", lint.text);
}
