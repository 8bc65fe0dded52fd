//! What a connection reports, as a scraper reads it.

use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusBuilder;
use shared_kernel::RequestContext;
use shared_kernel::database::{RawStatement, SqlExecutor, TransactionMode};

use crate::pool::fake::{Server, settings, sql_pool};

#[tokio::test]
async fn queries_failures_and_the_pool_are_reported_by_connection_and_operation() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let scraper = recorder.handle();
    let server = Arc::new(Server::default());
    // Handles are made with the connection and report to the recorder of that moment.
    let pool = metrics::with_local_recorder(&recorder, || sql_pool(&server, settings(3)));
    let context = RequestContext::system();
    let statement = |operation, text| RawStatement::everywhere(operation, text).into();
    pool.execute(&statement("INSERT", "anything"), &context).await.unwrap();
    pool.execute(&statement("INSERT", "anything"), &context).await.unwrap();
    // A verb or a failure that was not met before gets its handle then; the test's runtime has but this thread.
    let recording = metrics::set_default_local_recorder(&recorder);
    pool.execute(&statement("VACUUM", "refuse"), &context).await.unwrap_err();
    drop(recording);
    let transaction = pool.begin(TransactionMode::ReadWrite, &context).await.unwrap();
    let text = scraper.render();
    let told = |name: &str, labels: &[&str], value: &str| {
        let line = text.lines().find(|line| line.starts_with(name) && labels.iter().all(|label| line.contains(label)));
        let line = line.unwrap_or_else(|| panic!("no {name} with {labels:?} in\n{text}"));
        assert!(line.ends_with(&format!(" {value}")), "{line}");
    };
    let connection = r#"db_client_connection_pool_name="fake""#;
    told("db_client_operation_duration_count", &[connection, r#"db_operation_name="INSERT""#], "2");
    told("db_client_operation_duration_count", &[connection, r#"db_operation_name="BEGIN""#], "1");
    told(
        "db_client_operation_duration_count",
        &[connection, r#"db_operation_name="VACUUM""#, r#"error_type="query""#],
        "1",
    );
    told("db_client_connection_count", &[connection, r#"db_client_connection_state="used""#], "1");
    told("db_client_connection_count", &[connection, r#"db_client_connection_state="idle""#], "0");
    for limit in ["max", "idle_max"] {
        told(&format!("db_client_connection_{limit}"), &[connection], "3");
    }
    told("db_client_connection_idle_min", &[connection], "0");
    told("db_client_connection_use_time_count", &[connection], "3");
    told("db_client_connection_pending_requests", &[connection], "0");
    told("db_client_connection_create_time_count", &[connection], "1");
    told("db_client_connection_wait_time_count", &[connection], "4");
    transaction.rollback(&context).await.unwrap();
}
