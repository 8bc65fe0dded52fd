//! The span of each query, as a subscriber gets it.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as expected")]

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use connection_manager::{ConnectionSettings, Keyring, LocalSecrets, SqlPool};
use sea_query::{Expr, ExprTrait as _, Query};
use shared_kernel::database::{Engine, Expiry, RawStatement, SqlExecutor, Statement, TransactionMode};
use shared_kernel::{RequestContext, TraceContext};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

use crate::pool::fake::{FakeDriver, Server, settings};

const TARGET: &str = "connection_manager::query";

#[tokio::test]
async fn a_query_has_a_span_with_the_standards_attributes_and_no_value() {
    let seen = Seen::default();
    let _subscribed = tracing::subscriber::set_default(tracing_subscriber::registry().with(seen.clone()));
    let trace = TraceContext { trace_id: 0xabc, span_id: 0xdef, flags: 1 };
    let context = RequestContext { trace, ..RequestContext::system() };
    let pool = pool();
    let select = Query::select().column("name").from("shelves").and_where(Expr::col("id").eq("secret-value")).take();
    pool.query(&Statement::from(select), &context).await.unwrap();
    let span = seen.last();
    for (name, value) in [
        ("otel.name", "SELECT library"),
        ("otel.kind", "client"),
        ("db.system.name", "sqlite"),
        ("db.namespace", "library"),
        ("db.operation.name", "SELECT"),
        ("db.query.text", "SELECT \"name\" FROM \"shelves\" WHERE \"id\" = ?"),
        ("db.client.connection.pool.name", "shelves"),
        ("server.address", "db.example"),
        ("server.port", "5433"),
        ("trace_id", "00000000000000000000000000000abc"),
        ("parent_span_id", "0000000000000def"),
    ] {
        assert_eq!(span.get(name).map(String::as_str), Some(value), "{name} in {span:?}");
    }
    for name in ["error.type", "db.response.status_code"] {
        assert_eq!(span.get(name), None, "{span:?}");
    }
    assert!(!format!("{span:?}").contains("secret-value"));
}

#[tokio::test]
async fn a_failure_is_told_by_its_kind() {
    let seen = Seen::default();
    let _subscribed = tracing::subscriber::set_default(tracing_subscriber::registry().with(seen.clone()));
    pool().execute(&RawStatement::everywhere("VACUUM", "refuse").into(), &RequestContext::system()).await.unwrap_err();
    let span = seen.last();
    assert_eq!((span["error.type"].as_str(), span["db.operation.name"].as_str()), ("query", "VACUUM"), "{span:?}");
}

#[tokio::test]
async fn texts_by_hand_are_told_without_literals_and_scripts_not_at_all() {
    let seen = Seen::default();
    let _subscribed = tracing::subscriber::set_default(tracing_subscriber::registry().with(seen.clone()));
    let (pool, context) = (pool(), RequestContext::system());
    pool.execute(&RawStatement::everywhere("SET", "SET a = 'secret-value', b = 17").into(), &context).await.unwrap();
    assert_eq!(seen.last()["db.query.text"], "SET a = ?, b = ?");
    pool.run_script("ALTER ROLE r PASSWORD 'secret-value'", &context).await.unwrap();
    assert_eq!((seen.last()["db.operation.name"].as_str(), seen.last().get("db.query.text")), ("SCRIPT", None));
    let transaction = pool.begin(TransactionMode::ReadWrite, &context).await.unwrap();
    transaction.execute(&RawStatement::everywhere("DELETE", "DELETE FROM t").into(), &context).await.unwrap();
    transaction.commit(&context).await.unwrap();
    let operations: Vec<String> = seen.all().iter().map(|span| span["db.operation.name"].clone()).collect();
    assert_eq!(operations, ["SET", "SCRIPT", "BEGIN", "DELETE", "COMMIT"]);
}

#[tokio::test]
async fn calls_to_redis_and_dynamodb_are_told_without_keys_and_values() {
    let seen = Seen::default();
    let _subscribed = tracing::subscriber::set_default(tracing_subscriber::registry().with(seen.clone()));
    for (settings, system, operations) in [
        (testkit::redis::shared(), "redis", ["SET", "GET"]),
        (testkit::dynamodb::table().await, "aws.dynamodb", ["PutItem", "GetItem"]),
    ] {
        let before = seen.all().len();
        let connection = testkit::connect(settings).await.unwrap();
        let (values, context) = (connection.key_value().unwrap(), RequestContext::system());
        values
            .set(b"secret-key-of-spans", b"secret-value", Expiry::After(Duration::from_mins(1)), &context)
            .await
            .unwrap();
        values.get(b"secret-key-of-spans", &context).await.unwrap();
        let spans = seen.all().split_off(before);
        let told: Vec<(&str, &str)> =
            spans.iter().map(|span| (span["db.system.name"].as_str(), span["db.operation.name"].as_str())).collect();
        assert_eq!(told, operations.map(|operation| (system, operation)));
        assert!(!format!("{spans:?}").contains("secret"), "{spans:?}");
    }
}

#[tokio::test]
async fn a_subscriber_who_does_not_want_them_gets_none() {
    let seen = Seen { level: Level::INFO, ..Seen::default() };
    let _subscribed = tracing::subscriber::set_default(tracing_subscriber::registry().with(seen.clone()));
    pool().execute(&RawStatement::everywhere("SELECT", "anything").into(), &RequestContext::system()).await.unwrap();
    assert!(seen.all().is_empty());
}

fn pool() -> SqlPool<FakeDriver> {
    let name: shared_kernel::database::ConnectionName = "shelves".parse().unwrap();
    let engine = Engine::from("fake".to_owned());
    let place =
        ConnectionSettings::new(engine.clone()).with_host("db.example").with_port(5433).with_database("library");
    let keyring = Keyring::new(Arc::new(LocalSecrets), name.clone(), place);
    SqlPool::new(name, engine, settings(3), keyring, FakeDriver(Arc::new(Server::default())))
}

type Fields = BTreeMap<String, String>;

/// Keeps the spans of queries.
#[derive(Clone)]
struct Seen {
    level: Level,
    spans: Arc<Mutex<Vec<(Id, Fields)>>>,
}

impl Default for Seen {
    fn default() -> Self {
        Self { level: Level::TRACE, spans: Arc::default() }
    }
}

impl Seen {
    fn all(&self) -> Vec<Fields> {
        self.spans.lock().unwrap().iter().map(|(_, fields)| fields.clone()).collect()
    }

    #[track_caller]
    fn last(&self) -> Fields {
        self.all().pop().expect("a span")
    }
}

impl<S: Subscriber + for<'span> LookupSpan<'span>> Layer<S> for Seen {
    fn enabled(&self, metadata: &tracing::Metadata<'_>, _: Context<'_, S>) -> bool {
        *metadata.level() <= self.level
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, _: Context<'_, S>) {
        if attributes.metadata().target() == TARGET {
            let mut fields = Written::default();
            attributes.record(&mut fields);
            self.spans.lock().unwrap().push((id.clone(), fields.0));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut fields = Written::default();
        values.record(&mut fields);
        let mut spans = self.spans.lock().unwrap();
        // An id is used again once its span is closed; the newest is meant.
        if let Some((_, span)) = spans.iter_mut().rev().find(|(known, _)| known == id) {
            span.extend(fields.0);
        }
    }
}

#[derive(Default)]
struct Written(Fields);

impl Visit for Written {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}"));
    }
}
