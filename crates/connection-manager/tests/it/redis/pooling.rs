use super::*;

fn pooled(max: u32) -> ConnectionSettings {
    shared().with_pool(PoolSettings { acquire_timeout: SOON, ..PoolSettings::sized(0, max) })
}

async fn hold(connection: &Arc<dyn DatabaseConnection>) -> tokio::task::JoinHandle<Result<(), DatabaseError>> {
    let busy = connection.stats().in_use;
    let running = tokio::spawn({
        let connection = connection.clone();
        async move { native(&connection).query::<()>(slow(50), &context()).await }
    });
    eventually(SOON, || connection.stats().in_use == busy + 1).await;
    running
}

#[tokio::test]
async fn a_cancelled_command_takes_its_connection_along_and_nothing_else() {
    let connection = open(pooled(1)).await;
    for round in 1..=3 {
        hold(&connection).await.abort();
        assert_serves(&connection).await;
        eventually(SOON, || connection.stats().closed_total == round).await;
    }
    let stats = connection.stats();
    assert_eq!((stats.open, stats.in_use, stats.opened_total), (1, 0, 4), "{stats:?}");
}

#[tokio::test]
async fn a_deadline_ends_a_command_and_leaves_the_pool_healthy() {
    let connection = open(pooled(1)).await;
    let soon = RequestContext::system().within(Duration::from_millis(200));
    refused(native(&connection).query::<()>(slow(50), &soon).await, &DatabaseErrorKind::Timeout);
    assert_serves(&connection).await;
    let passed = RequestContext::system().within(Duration::ZERO);
    let error = connection.key_value().unwrap().get(b"x", &passed).await.expect_err("it is too late");
    assert!([DatabaseErrorKind::Timeout, DatabaseErrorKind::Saturated].contains(error.kind()), "{error:?}");
}

#[tokio::test]
async fn a_connection_that_carries_state_is_nobody_else_s() {
    let connection = open(pooled(1)).await;
    native(&connection).query::<()>(cmd("SELECT").arg(3).take(), &context()).await.unwrap();
    let key = key("state");
    connection.key_value().unwrap().set(&key, b"x", Expiry::After(SOON), &context()).await.unwrap();
    let elsewhere = open(shared().with_database("3")).await;
    assert_eq!(elsewhere.key_value().unwrap().get(&key, &context()).await.unwrap(), None);
    assert_eq!(connection.stats().opened_total, 2);
}

#[tokio::test]
async fn a_restarted_server_is_reached_again() {
    let server = OwnRedis::start(&[]).await;
    let (port, connection) = (server.port(), server.connection().await);
    assert_serves(&connection).await;
    drop(server);
    refused(connection.key_value().unwrap().get(b"x", &context()).await, &DatabaseErrorKind::Unreachable);
    let _server = OwnRedis::start_at(port, &[]).await;
    eventually_some(SOON, || async { connection.ping(&context()).await.ok() }).await;
    assert_serves(&connection).await;
    assert_eq!(connection.stats().in_use, 0);
}

#[tokio::test]
async fn measurements_bear_the_engine_s_own_name() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let scraper = recorder.handle();
    let recording = metrics::set_default_local_recorder(&recorder);
    let driver = connection_manager::redis::RedisDriver::try_new(connection_manager::redis::RedisOptions::new(
        connection_manager::redis::Node { host: "127.0.0.1".to_owned(), port: shared().port.unwrap() },
    ));
    let name: shared_kernel::database::ConnectionName = "measured".parse().unwrap();
    let secrets = Arc::new(connection_manager::LocalSecrets);
    let keyring = connection_manager::Keyring::new(secrets, name.clone(), shared());
    let connection = RedisConnection::open(name, PoolSettings::sized(0, 3), keyring, driver.unwrap()).await.unwrap();
    connection.get(b"x", &context()).await.unwrap();
    drop(recording);
    let text = scraper.render();
    for wanted in ["db_client_connection_max", "db_client_connection_create_time", "db_client_operation_duration"] {
        let lines = || text.lines().filter(|line| line.starts_with(wanted));
        assert!(lines().count() > 0, "no {wanted} in\n{text}");
        assert!(lines().all(|line| line.contains("db_system_name=\"redis\"")), "{text}");
    }
}
