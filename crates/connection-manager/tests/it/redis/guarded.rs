//! What is sent on behalf of those who define connections from outside.

use connection_manager::egress::EgressConfig;

use super::*;
use testkit::redis::OwnCluster as Cluster;

fn guarded(settings: ConnectionSettings) -> ConnectionSettings {
    settings.with_egress(EgressConfig::open().egress([])).with_pool(PoolSettings::sized(0, 2))
}

async fn assert_only_reads(connection: &Arc<dyn DatabaseConnection>, key: &[u8]) {
    let values = connection.key_value().unwrap();
    assert_eq!(values.get(key, &context()).await.unwrap(), Some(b"theirs".to_vec()));
    assert_eq!(values.time_to_live(key, &context()).await.unwrap(), Some(Expiry::Never));
    let kind = native(connection).query::<String>(cmd("TYPE").arg(key).take(), &context()).await.unwrap();
    assert_eq!(kind, "string");
    for outcome in [
        values.set(key, b"ours", Expiry::Never, &context()).await,
        values.set_if_absent(key, b"ours", Expiry::Never, &context()).await.map(drop),
        values.compare_and_set(key, b"theirs", b"ours", Expiry::Never, &context()).await.map(drop),
        values.compare_and_delete(key, b"theirs", &context()).await.map(drop),
        values.delete(key, &context()).await.map(drop),
        values.increment(key, 1, Expiry::Never, &context()).await.map(drop),
        native(connection).query::<()>(cmd("APPEND").arg(key).arg("x").take(), &context()).await,
        native(connection).query::<()>(cmd("EVAL").arg("return 1").arg(0).take(), &context()).await,
        native(connection).query::<()>(cmd("CONFIG").arg("GET").arg("*").take(), &context()).await,
        native(connection).query::<()>(cmd("FLUSHALL"), &context()).await,
    ] {
        let error = refused(outcome, &DatabaseErrorKind::ReadOnlyTarget);
        assert_eq!(error.code(), None, "the server was asked: {error}");
        assert!(error.to_string().contains("is not sent"), "{error}");
    }
    assert_eq!(values.get(key, &context()).await.unwrap(), Some(b"theirs".to_vec()));
}

/// How often a node has been asked for what only writes.
async fn writes(node: &OwnRedis) -> usize {
    let connection = node.connection().await;
    let told: String = native(&connection).query(cmd("INFO").arg("commandstats").take(), &context()).await.unwrap();
    ["append", "eval", "del", "flushall", "incrby"]
        .iter()
        .filter(|name| told.contains(&format!("cmdstat_{name}:")))
        .count()
}

#[test]
fn one_server_is_asked_for_nothing_but_what_it_holds() {
    testkit::run(async {
        let node = OwnRedis::start(&[]).await;
        let key = key("guarded");
        let operator = node.connection().await;
        operator.key_value().unwrap().set(&key, b"theirs", Expiry::Never, &context()).await.unwrap();
        assert_only_reads(&open(guarded(node.settings())).await, &key).await;
        assert_eq!(writes(&node).await, 0);
    });
}

#[test]
fn nor_is_a_cluster() {
    testkit::run(async {
        let cluster = Cluster::start().await;
        let operator = open(cluster.settings()).await;
        let connection = open(guarded(cluster.settings())).await;
        for _ in 0..10 {
            let key = key("guarded");
            operator.key_value().unwrap().set(&key, b"theirs", Expiry::Never, &context()).await.unwrap();
            assert_only_reads(&connection, &key).await;
        }
        for node in cluster.nodes() {
            assert_eq!(writes(node).await, 0);
        }
    });
}

/// What the user may do is told by trying, which the guard does not stand in the way of.
#[test]
fn a_look_tells_of_the_user_and_not_of_the_guard() {
    testkit::run(async {
        let factory = connection_manager::ConnectionFactory::compiled();
        let secrets: Arc<dyn connection_manager::SecretSource> = Arc::new(connection_manager::LocalSecrets);
        let name = "guarded".parse().unwrap();
        let stages = connection_manager::probe::examine(&factory, &secrets, &name, &guarded(shared())).await;
        let told: String = stages.iter().filter_map(|stage| stage.outcome.as_ref().ok()).cloned().collect();
        assert!(told.contains("takes writes") && told.contains("writes any key"), "{stages:#?}");
    });
}
