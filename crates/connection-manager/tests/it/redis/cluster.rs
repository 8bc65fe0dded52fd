use super::*;
use shared_kernel::database::{KeyPlace, KeyQuestion};
use testkit::free_port;
use testkit::proxy::{Proxy, Traffic};
use testkit::redis::OwnCluster as Cluster;

#[test]
fn keys_find_their_nodes_and_follow_a_slot_that_moves() {
    testkit::run(async {
        let cluster = Cluster::start().await;
        let connection = open(cluster.settings()).await;
        let values = connection.key_value().unwrap();
        let keys: Vec<_> = (0..60_u8).map(|_| key("spread")).collect();
        for (number, key) in (0..).zip(&keys) {
            values.set(key, &[number], Expiry::Never, &context()).await.unwrap();
            assert_eq!(values.get(key, &context()).await.unwrap(), Some(vec![number]));
            assert!(values.compare_and_set(key, &[number], b"x", Expiry::Never, &context()).await.unwrap());
        }
        for node in cluster.nodes() {
            let kept: u64 = node.tell(cmd("DBSIZE")).await;
            assert!(kept > 0, "the node on port {} keeps none of 60 keys", node.port());
        }
        assert!(connection.ping(&context()).await.unwrap().server_version.is_some());
        // One of them may lie in the very slot that is to move.
        for key in &keys {
            assert!(values.delete(key, &context()).await.unwrap());
        }

        // A slot without a key moves from the first node to the last, and nobody tells the client.
        let moving = b"moves-away";
        let slot: u16 = cluster.nodes()[0].tell(cmd("CLUSTER").arg("KEYSLOT").arg(moving).take()).await;
        let owner = usize::from(slot > 5460) + usize::from(slot > 10922);
        let taker = (owner + 1) % 3;
        let id: String = cluster.nodes()[taker].tell(cmd("CLUSTER").arg("MYID").take()).await;
        for node in [&cluster.nodes()[taker], &cluster.nodes()[owner]] {
            let command = cmd("CLUSTER").arg("SETSLOT").arg(slot).arg("NODE").arg(&id).take();
            node.tell::<()>(command).await;
        }
        values.set(moving, b"arrived", Expiry::Never, &context()).await.unwrap();
        let moved: Option<String> = cluster.nodes()[taker].tell(cmd("GET").arg(moving).take()).await;
        assert_eq!(moved.as_deref(), Some("arrived"));

        // Without the option, a redirection is a fault of the settings and says so.
        let single = cluster.nodes()[owner].connection().await;
        let error =
            refused(single.key_value().unwrap().get(moving, &context()).await, &DatabaseErrorKind::Misconfigured);
        assert_eq!(error.code(), Some("MOVED"));
        assert!(error.message().contains("options.cluster"), "{error}");
    });
}

#[test]
fn a_cluster_is_looked_at_in_its_one_database() {
    testkit::run(async {
        let cluster = Cluster::start().await;
        let connection = open(cluster.settings()).await;
        let keyspace = connection.keyspace().unwrap();
        let nodes = keyspace.nodes(&context()).await.unwrap();
        assert_eq!(nodes.len(), 3);
        let opened = connection.stats().opened_total;
        for node in nodes.into_iter().map(Some) {
            let questions = [KeyQuestion::Scan { cursor: 0, count: 10 }];
            let mut at = KeyPlace { database: 1, node };
            refused(keyspace.look(&at, &questions, &context()).await, &DatabaseErrorKind::UnknownDatabase);
            at.database = 0;
            assert!(keyspace.look(&at, &questions, &context()).await.unwrap()[0].is_ok());
        }
        for node in cluster.nodes() {
            let stats: String = node.tell(cmd("INFO").arg("commandstats").take()).await;
            assert!(stats.contains("cmdstat_scan:") && !stats.contains("cmdstat_select:"), "{stats}");
        }
        assert_eq!(connection.stats().opened_total, opened, "a refusal costs no connection");
    });
}

#[test]
fn a_cluster_is_found_through_any_node_and_rejects_a_login_once() {
    testkit::run(async {
        let cluster = Cluster::start().await;
        let gone = free_port();
        let further = format!("127.0.0.1:{}", cluster.nodes()[2].port());
        let settings = cluster.settings().with_port(gone).with_option("nodes", further);
        assert_serves(&open(settings).await).await;
        // It takes connections and never says a word; the others have their share of the time all the same.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut settings = cluster
            .settings()
            .with_port(silent.local_addr().unwrap().port())
            .with_option("nodes", format!("127.0.0.1:{gone},127.0.0.1:{}", cluster.nodes()[1].port()));
        settings.pool.connect_timeout = Duration::from_secs(8);
        assert_serves(&open(settings).await).await;
        let outcome = testkit::connect(with_password(cluster.settings(), "wr0ng")).await;
        assert_eq!(refused(outcome, &DatabaseErrorKind::AuthRejected).code(), Some("WRONGPASS"));
    });
}

#[test]
fn a_command_whose_answer_was_lost_is_not_sent_again() {
    testkit::run(async {
        let (port, bus) = (free_port(), free_port().to_string());
        let proxy = Proxy::start(format!("127.0.0.1:{port}")).await.unwrap();
        let announced = proxy.port().to_string();
        let further = ["--cluster-enabled", "yes", "--cluster-port", &bus];
        let address = ["--cluster-announce-ip", "127.0.0.1", "--cluster-announce-port", &announced];
        let node = OwnRedis::start_at(port, &[&further[..], &address[..]].concat()).await;
        node.tell::<()>(cmd("CLUSTER").arg("ADDSLOTSRANGE").arg(0).arg(16383).take()).await;
        eventually_some(Duration::from_secs(30), || async {
            let info: String = node.tell(cmd("CLUSTER").arg("INFO").take()).await;
            info.contains("cluster_state:ok").then_some(())
        })
        .await;
        let settings = node.settings().with_option("cluster", "true").with_port(proxy.port());
        let connection = open(settings.with_pool(PoolSettings::sized(0, 1))).await;
        let (key, direct) = (key("counter"), node.connection().await);
        proxy.set(Traffic::Mute).await;
        let counting = tokio::spawn({
            let (connection, key) = (connection.clone(), key.clone());
            async move { connection.key_value().unwrap().increment(&key, 1, Expiry::Never, &context()).await }
        });
        let counted = async || direct.key_value().unwrap().get(&key, &context()).await.unwrap();
        eventually_some(SOON, || async { counted().await }).await;
        // The connection is lost, and the next one is let through at once.
        proxy.set(Traffic::Pass).await;
        refused(counting.await.unwrap(), &DatabaseErrorKind::Unreachable);
        assert_eq!(counted().await.as_deref(), Some(&b"1"[..]));
        assert_serves(&connection).await;
        assert_eq!(counted().await.as_deref(), Some(&b"1"[..]));
    });
}

#[tokio::test]
async fn one_server_is_no_cluster_and_says_so() {
    let outcome = testkit::connect(shared().with_option("cluster", "true")).await;
    let error = refused(outcome, &DatabaseErrorKind::Misconfigured);
    assert!(error.message().contains("cluster support disabled"), "{error}");
}
