//! The OpenAPI document is complete, true to its own rules, and the committed copy is the present one.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::Service;

/// Pages for people and what they load; a description for programs has no use for them.
const PAGES: [&str; 6] = ["/", "/docs", "/docs/{file:.*}", "/redoc", "/redoc/redoc.standalone.js", "/openapi.json"];

fn document() -> Value {
    serde_json::from_str(&api::rest::openapi::document_text()).expect("JSON")
}

fn operations(document: &Value) -> BTreeSet<String> {
    let paths = document["paths"].as_object().expect("paths");
    let methods =
        |item: &Value| item.as_object().map(|item| item.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
    paths
        .iter()
        .flat_map(|(path, item)| {
            methods(item).into_iter().map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect()
}

fn routes() -> BTreeSet<String> {
    let resources = api::rest::resources(true);
    let described = resources.iter().filter(|resource| !PAGES.contains(&resource.path()));
    described
        .flat_map(|resource| resource.methods().map(move |method| format!("{method} {}", resource.path())))
        .collect()
}

#[test]
fn every_route_is_described_and_every_description_is_a_route() {
    assert_eq!(operations(&document()), routes());
}

#[test]
fn a_route_that_is_missing_would_be_noticed() {
    let mut document = document();
    document["paths"].as_object_mut().expect("paths").remove("/api/v1/users");
    assert_ne!(operations(&document), routes());
}

#[test]
fn the_committed_copy_is_the_present_one() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let committed = std::fs::read_to_string(&file).expect("docs/openapi.json is there");
    let current = api::rest::openapi::document_text();
    assert!(committed == current, "docs/openapi.json is old: write it anew with `cargo xtask openapi`");
}

/// Every place of the document that has both a schema and an example of it.
fn examples(value: &Value, pointer: &str, found: &mut Vec<(String, Value, Value)>) {
    match value {
        Value::Object(object) => {
            if let Some(schema) = object.get("schema")
                && let Some(example) = object.get("example")
            {
                found.push((pointer.to_owned(), schema.clone(), example.clone()));
            }
            // A schema itself, with examples of what it describes.
            if object.contains_key("type") || object.contains_key("properties") || object.contains_key("oneOf") {
                let singular = object.get("example").cloned();
                let plural = object.get("examples").and_then(Value::as_array).cloned().unwrap_or_default();
                for example in singular.into_iter().chain(plural) {
                    found.push((pointer.to_owned(), value.clone(), example));
                }
            }
            object.iter().for_each(|(key, value)| examples(value, &format!("{pointer}/{key}"), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| examples(item, &format!("{pointer}/{at}"), found));
        }
        _ => {}
    }
}

fn faults(document: &Value, schema: &Value, example: &Value) -> Vec<String> {
    let mut root = schema.as_object().cloned().unwrap_or_default();
    root.insert("components".to_owned(), document["components"].clone());
    let validator = jsonschema::draft202012::new(&Value::Object(root)).expect("a schema");
    validator.iter_errors(example).map(|error| error.to_string()).collect()
}

#[test]
fn every_example_fits_its_schema() {
    let document = document();
    let mut found = Vec::new();
    examples(&document, "", &mut found);
    assert!(found.len() > 50, "only {} examples", found.len());
    for (pointer, schema, example) in found {
        assert_eq!(faults(&document, &schema, &example), Vec::<String>::new(), "{pointer}: {example}");
    }
}

#[test]
fn an_example_that_does_not_fit_would_be_noticed() {
    let document = document();
    let schema = json!({"$ref": "#/components/schemas/NewUser"});
    assert!(faults(&document, &schema, &json!({"name": "Ada", "email": "ada@example.org"})).is_empty());
    for example in [
        json!({"name": "Ada"}),
        json!({"name": "", "email": "ada@example.org"}),
        json!({"name": "Ada", "email": "a@b", "x": 1}),
    ] {
        assert!(!faults(&document, &schema, &example).is_empty(), "{example}");
    }
}

#[test]
fn every_error_is_a_problem() {
    let document = document();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for (method, operation) in item.as_object().expect("operations") {
            for (status, response) in operation["responses"].as_object().expect("responses") {
                // Readiness and health say in their own words what is away.
                let own_words = path.starts_with("/health") && status == "503";
                if status.starts_with(['4', '5']) && !own_words {
                    let content = response["content"].as_object().expect("content");
                    let types: Vec<&String> = content.keys().collect();
                    assert_eq!(types, ["application/problem+json"], "{method} {path} {status}");
                }
            }
            for status in ["400", "431", "500", "503"] {
                assert!(operation["responses"].get(status).is_some(), "{method} {path} {status}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_and_its_pages_are_served_from_the_binary() {
    let service = Service::start().await;
    let served = service.get("/openapi.json").await;
    assert_eq!(served.text, api::rest::openapi::document_text());
    assert_eq!(served.json()["openapi"], "3.1.0");
    let known =
        service.send(reqwest::Method::GET, "/openapi.json", &[("if-none-match", served.header("etag"))], None).await;
    assert_eq!(known.status, 304);

    let pages = [
        "/docs/",
        "/docs/swagger-ui-bundle.js",
        "/docs/swagger-initializer.js",
        "/redoc",
        "/redoc/redoc.standalone.js",
    ];
    for path in pages {
        assert_eq!(service.get(path).await.status, 200, "{path}");
    }
    for page in ["/docs/", "/redoc"] {
        let text = service.get(page).await.text;
        assert!(!text.contains("src=\"http") && !text.contains("href=\"http"), "{page} loads from elsewhere: {text}");
    }
    let landing = service.get("/docs").await;
    assert!(landing.text.contains("swagger-ui"), "{}", landing.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_root_leads_on() {
    let service = Service::start().await;
    let index = service.get("/").await;
    assert_eq!((index.status.as_u16(), index.header("content-type")), (200, "application/json"), "{}", index.text);
    let links = index.json()["links"].as_object().expect("links").clone();
    assert!(links.values().any(|link| link == "/openapi.json"), "{}", index.text);
    for link in links.values().filter_map(Value::as_str) {
        assert_eq!(service.get(link).await.status, 200, "{link}");
    }
    let browser = [("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")];
    let page = service.send(reqwest::Method::GET, "/", &browser, None).await;
    assert!(page.text.contains("swagger-ui"), "a browser is led to the pages: {}", page.text);
    service.send(reqwest::Method::POST, "/", &[], None).await.is_problem(405, "method-not-allowed");
    service.get("/?x=1").await.is_problem(400, "invalid-query");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documentation_can_be_switched_off() {
    let service = Service::configured(|config| config.server.docs = false).await;
    for path in ["/", "/openapi.json", "/docs", "/docs/", "/redoc"] {
        service.get(path).await.is_problem(404, "not-found");
    }
    assert_eq!(service.get("/problems/validation").await.status, 200);
}
