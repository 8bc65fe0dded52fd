//! What a scraper finds after the service has worked: names, types, units and bounds of the standard.

use std::collections::{BTreeMap, BTreeSet};

use connection_manager::ServerSettings;
use reqwest::Method;
use serde_json::json;
use testkit::{Server, TestDatabase};

use crate::support::Service;

/// The standard's metrics of a database client, as Prometheus writes them.
const DATABASE: [(&str, &str); 10] = [
    ("db_client_operation_duration_seconds", "histogram"),
    ("db_client_connection_count", "gauge"),
    ("db_client_connection_idle_max", "gauge"),
    ("db_client_connection_idle_min", "gauge"),
    ("db_client_connection_max", "gauge"),
    ("db_client_connection_pending_requests", "gauge"),
    ("db_client_connection_timeouts_total", "counter"),
    ("db_client_connection_create_time_seconds", "histogram"),
    ("db_client_connection_wait_time_seconds", "histogram"),
    ("db_client_connection_use_time_seconds", "histogram"),
];

/// Our own, where the standard has none.
const OWN: [(&str, &str); 9] = [
    ("bindery_pool_renewals_total", "counter"),
    ("bindery_pool_cancels_total", "counter"),
    ("bindery_pool_leaks_total", "counter"),
    ("bindery_circuit_state", "gauge"),
    ("bindery_circuit_rejections_total", "counter"),
    ("bindery_server_connections_limit", "gauge"),
    ("bindery_server_connections_used", "gauge"),
    ("bindery_server_connections_waiting_pools", "gauge"),
    ("bindery_resource_changes_total", "counter"),
];

const BOUNDS: [&str; 10] = ["0.001", "0.005", "0.01", "0.05", "0.1", "0.5", "1", "5", "10", "+Inf"];

mod on_engines {
    mod postgres {
        #[test]
        fn every_metric_has_the_standards_name_type_unit_and_bounds() {
            testkit::run(super::super::every_metric_has_the_standards_name_type_unit_and_bounds());
        }
    }
}

async fn every_metric_has_the_standards_name_type_unit_and_bounds() {
    let books = TestDatabase::migrated(Server::Postgres, "books").await;
    let settings = books.settings();
    let server = format!("{}:{}", settings.host.as_ref().expect("a server"), settings.port.expect("a port"));
    let service = Service::configured(|config| {
        config.connections.insert("books".to_owned(), settings);
        config.servers.insert(server.clone(), ServerSettings::limited(12).with_instances(2));
    })
    .await;
    let book = json!({"title": "T", "authors": ["A"], "isbn": "9780306406157"});
    service.created("/api/v1/books", &book).await;
    service.created("/api/v1/users", &json!({"name": "Ada", "email": "ada@example.org"})).await;
    service.post("/api/v1/books", &book).await.is_problem(409, "already-exists");
    assert_eq!(service.send(Method::GET, "/api/v1/books", &[], None).await.status, 200);
    let page = Page::read(&service.get("/metrics").await.text);

    for (name, kind) in DATABASE.into_iter().chain(OWN) {
        assert_eq!(page.types.get(name).map(String::as_str), Some(kind), "{name} in {:#?}", page.types);
    }
    let own: BTreeSet<&str> = DATABASE.into_iter().map(|(name, _)| name).collect();
    let others: Vec<_> = page.types.keys().filter(|name| name.starts_with("db_")).collect();
    assert_eq!(others.len(), own.len(), "a metric that is none of the standard's: {others:?}");

    for (name, kind) in DATABASE {
        let samples = page.of(&if kind == "histogram" { format!("{name}_count") } else { name.to_owned() });
        for (engine, connection) in [("postgresql", "books"), ("sqlite", "users")] {
            assert!(
                samples.iter().any(|(labels, _)| labels["db_system_name"] == engine
                    && labels["db_client_connection_pool_name"] == connection),
                "{name} of {connection}: {samples:?}"
            );
        }
        if kind == "histogram" {
            let bounds: BTreeSet<String> =
                page.of(&format!("{name}_bucket")).iter().map(|(labels, _)| labels["le"].clone()).collect();
            assert_eq!(bounds, BOUNDS.map(str::to_owned).into(), "{name}");
        }
    }
    for state in ["idle", "used"] {
        let samples = page.of("db_client_connection_count");
        assert!(samples.iter().any(|(labels, _)| labels["db_client_connection_state"] == state), "{samples:?}");
    }
    let used = page.of("db_client_connection_use_time_seconds_count");
    assert!(used.iter().all(|(_, value)| *value > 0.0), "connections were taken and given back: {used:?}");
    let operations = page.of("db_client_operation_duration_seconds_count");
    let failed =
        operations.iter().find(|(labels, _)| labels.get("error_type").is_some_and(|kind| kind == "unique_violation"));
    assert!(failed.is_some_and(|(labels, _)| labels["db_operation_name"] == "INSERT"), "{operations:?}");
    let budget = |name: &str| {
        let samples = page.of(&format!("bindery_server_connections_{name}"));
        samples.iter().find(|(labels, _)| labels["server"] == server).map(|(_, value)| *value)
    };
    assert_eq!([budget("limit"), budget("waiting_pools")], [Some(6.0), Some(0.0)]);
    assert!(budget("used").is_some_and(|used| used > 0.0), "books have a connection");

    // Labels are the standard's attributes, and few.
    let known: BTreeSet<&str> = [
        "db_system_name",
        "db_client_connection_pool_name",
        "db_client_connection_state",
        "db_operation_name",
        "error_type",
        "le",
    ]
    .into();
    for (name, labels, _) in page.samples.iter().filter(|(name, ..)| name.starts_with("db_client")) {
        assert!(labels.keys().all(|label| known.contains(label.as_str())), "{name} {labels:?}");
    }
}

type Labels = BTreeMap<String, String>;

/// A page in Prometheus's text format.
struct Page {
    types: BTreeMap<String, String>,
    samples: Vec<(String, Labels, f64)>,
}

impl Page {
    fn read(text: &str) -> Self {
        let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
        let types = types.map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect();
        let samples = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(|line| {
            let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let labels = labels.trim_end_matches('}').split("\",").filter(|label| !label.is_empty()).map(|label| {
                let (name, value) = label.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
                (name.to_owned(), value.trim_end_matches('"').to_owned())
            });
            (name.to_owned(), labels.collect(), value.parse().unwrap_or_else(|_| panic!("{line}")))
        });
        Self { types, samples: samples.collect() }
    }

    fn of(&self, name: &str) -> Vec<(&Labels, f64)> {
        self.samples.iter().filter(|(known, ..)| known == name).map(|(_, labels, value)| (labels, *value)).collect()
    }
}
