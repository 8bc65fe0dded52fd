//! What is brought along from outside: a connector, and who looks at its databases, writes them and judges them.

use std::sync::Arc;

use api::Plugins;
use async_trait::async_trait;
use connection_manager::{ConnectionSettings, Connector, Endpoint, SettingFault};
use reqwest::Method;
use schema_export::{Export, ExportError, Exporter};
use schema_inspect::{InspectError, InspectOptions, Inspector, SqliteInspector};
use schema_model::{Database, Inspection};
use serde_json::{Value, json};
use shared_kernel::RequestContext;
use shared_kernel::database::{ConnectionName, DatabaseConnection, DatabaseError, Engine};

use super::Registry;

/// The example of the crate `connection-manager`, as it is.
#[path = "../../../../../crates/connection-manager/examples/own_connector.rs"]
#[expect(dead_code, reason = "what it does as a program of its own is not done here")]
mod own_connector;

/// In a scratch database is what SQLite's inspector finds there.
struct ScratchInspector([Engine; 1]);

#[async_trait]
impl Inspector for ScratchInspector {
    fn engines(&self) -> &[Engine] {
        &self.0
    }

    async fn inspect(
        &self,
        connection: &dyn DatabaseConnection,
        options: &InspectOptions,
        context: &RequestContext,
    ) -> Result<Inspection, InspectError> {
        SqliteInspector.inspect(connection, options, context).await
    }
}

/// The names of the tables.
struct Names;

impl Exporter for Names {
    fn format(&self) -> &'static str {
        "names"
    }

    fn media_type(&self) -> &'static str {
        "text/plain"
    }

    fn file_extension(&self) -> &'static str {
        "txt"
    }

    fn export(&self, database: &Database) -> Result<Export, ExportError> {
        let names: Vec<&str> = database.relations().map(|(_, relation)| relation.name.as_str()).collect();
        Ok(Export { text: names.join("\n"), omissions: Vec::new() })
    }
}

fn with_connector() -> Plugins {
    let plugins = Plugins::compiled();
    Plugins { connectors: plugins.connectors.register(own_connector::connector()), ..plugins }
}

fn with_everything() -> Plugins {
    let plugins = with_connector();
    let scratch = ScratchInspector([Engine::from("scratch".to_owned())]);
    Plugins {
        inspectors: plugins.inspectors.register(Arc::new(scratch)),
        exporters: plugins.exporters.register(Arc::new(Names)),
        ..plugins
    }
}

async fn scratch_among(registry: &Registry) -> Option<Value> {
    let engines = registry.get("/api/v1/connections/engines").await.json();
    engines["items"].as_array().expect("items").iter().find(|engine| engine["engine"] == "scratch").cloned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_from_outside_is_an_engine_like_the_others() {
    let registry = Registry::with_plugins(&with_connector(), |_| {}).await;
    let engine = scratch_among(&registry).await.expect("it is among them");
    assert_eq!(
        (&engine["title"], &engine["default_port"], &engine["tls"]),
        (&json!("Scratch"), &Value::Null, &json!(false))
    );
    let fields = engine["fields"].as_object().expect("fields");
    assert!(fields.values().all(|presence| presence == "unused"), "{engine}");
    assert_eq!((&engine["options"][0]["name"], &engine["options"][0]["kind"]), (&json!("filled"), &json!("switch")));

    // What its connector knows is checked.
    let scratch = |options: Value| json!({"name": "Notes", "engine": "scratch", "options": options});
    for (body, fault) in [
        (scratch(json!({"filled": "perhaps"})), "/options/filled unknown_value"),
        (scratch(json!({"fill": "true"})), "/options/fill unknown_option"),
        (json!({"name": "Notes", "engine": "scratch", "host": "db.example"}), "/host not_applicable"),
    ] {
        assert_eq!(registry.post(&body).await.is_problem(422, "validation").faults(), [fault], "{body}");
    }
    let body = scratch(json!({"filled": "true"}));
    let report = registry.ask(Method::POST, "/api/v1/connections/test", &[], Some(&body)).await.json();
    assert_eq!(report["outcome"], "ok", "{report}");
    let path = registry.stored(&body).await;
    let stored = registry.get(&path).await.json();
    assert_eq!((&stored["engine"], &stored["options"]), (&json!("scratch"), &json!({"filled": "true"})));
    let listed = registry.get("/api/v1/connections?engine=scratch").await.json();
    assert_eq!(listed["items"][0]["name"], "Notes", "{listed}");
    let tested = registry.ask(Method::POST, &format!("{path}/test"), &[], None).await.json();
    let stages: Vec<&Value> =
        tested["result"]["stages"].as_array().expect("stages").iter().map(|one| &one["stage"]).collect();
    assert_eq!(
        (&tested["result"]["outcome"], &stages[..2]),
        (&json!("ok"), &[&json!("policy"), &json!("database")][..])
    );
    let databases = registry.get(&format!("{path}/databases")).await.json();
    assert_eq!(databases["items"], json!([{"name": "main"}]));
    // Nobody has said how its databases are looked at.
    let refused = registry.get(&format!("{path}/schema")).await;
    let problem = refused.is_problem(409, "connection-unusable").json();
    assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("engine")), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_looks_and_who_writes_come_from_outside_as_well() {
    let registry = Registry::with_plugins(&with_everything(), |_| {}).await;
    let path = registry.stored(&json!({"name": "Notes", "engine": "scratch", "options": {"filled": "true"}})).await;
    let schema = registry.get(&format!("{path}/schema")).await;
    assert_eq!(schema.status, 200, "{}", schema.text);
    let names = registry.get(&format!("{path}/schema/export?format=names")).await;
    assert_eq!((names.status.as_u16(), names.text.trim()), (200, "notes"));
    // What is served tells of it; what is committed is about the program as it comes.
    let served = registry.service.get("/openapi.json").await;
    assert!(served.text.contains("\"names\"") && !api::rest::openapi::document_text().contains("\"names\""));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_has_brought_along_is_no_engine() {
    let registry = Registry::start().await;
    assert_eq!(scratch_among(&registry).await, None);
    let refused = registry.post(&json!({"name": "Notes", "engine": "scratch"})).await;
    assert_eq!(refused.is_problem(422, "validation").faults(), ["/engine unknown_value"]);
}

/// A connector that says nothing of itself but the engine's name.
#[derive(Debug)]
struct Silent(Engine);

#[async_trait]
impl Connector for Silent {
    fn engine(&self) -> &Engine {
        &self.0
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
        panic!("it is led somewhere, and nobody knows where");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_that_promises_nothing_is_led_nowhere() {
    let plugins = Plugins::compiled();
    let connectors = plugins.connectors.register(Arc::new(Silent(Engine::from("silent".to_owned()))));
    let registry = Registry::with_plugins(&Plugins { connectors, ..plugins }, |_| {}).await;
    let path = registry.stored(&json!({"name": "Silence", "engine": "silent"})).await;
    let tested = registry.ask(Method::POST, &format!("{path}/test"), &[], None).await.json();
    assert_eq!(tested["result"]["outcome"], "misconfigured", "{tested}");
    registry.get(&format!("{path}/databases")).await.is_problem(409, "connection-unusable");
}
