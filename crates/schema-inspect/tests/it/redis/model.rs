use connection_manager::redis::driver_crate::cmd;
use schema_inspect::InspectOptions;
use schema_model::{Inspection, MapKeys, SampleLimit, SampleMethod, Spread};
use testkit::redis::{OwnCluster, OwnRedis};

use super::sample::{SECRETS, fill};
use super::{inspect, keys, only, pattern, patterns, tell};

async fn sampled() -> (OwnRedis, Inspection) {
    let server = OwnRedis::start(&["--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru"]).await;
    fill(&server).await;
    let found = inspect(&*server.connection().await, &InspectOptions::default()).await;
    (server, found)
}

fn namespaces(found: &Inspection) -> Vec<&str> {
    found.database.namespaces.iter().map(|namespace| namespace.name.as_str()).collect()
}

#[test]
fn what_the_server_is_set_to_is_the_model() {
    testkit::run(async {
        let (server, found) = sampled().await;
        let told: String = server.tell(cmd("INFO").arg("server").take()).await;
        assert!(told.contains(&format!("redis_version:{}", found.database.version)), "{}", found.database.version);
        assert_eq!((found.database.engine.as_str(), found.database.name.as_str()), ("redis", "db0"));
        assert_eq!(namespaces(&found), ["db0", "db3"]);
        assert_eq!(found.database.native["mode"], "standalone");
        assert_eq!(found.database.native["eviction"], "allkeys-lru");
        assert_eq!(found.database.native["max_memory"], (64 * 1024 * 1024).to_string());
        assert_eq!(found.report.gaps, []);

        // Keys come and go, and the model stays.
        let connection = server.connection().await;
        tell::<()>(&*connection, cmd("SET").arg("one:more").arg("x").take()).await;
        let again = inspect(&*connection, &InspectOptions::default()).await;
        assert_eq!(again.database.fingerprint(), found.database.fingerprint());
        tell::<()>(&*connection, cmd("FLUSHDB").take()).await;
        let empty = inspect(&*connection, &InspectOptions::default()).await;
        assert_eq!(empty.database.fingerprint(), found.database.fingerprint(), "its own database is always there");
        assert_eq!((keys(&empty, "db0").total, keys(&empty, "db0").patterns.len()), (Some(0), 0));
    });
}

#[test]
fn keys_are_told_as_patterns_with_all_that_is_known_of_them() {
    testkit::run(async {
        let (server, found) = sampled().await;
        let sample = keys(&found, "db0");
        let total: u64 = server.tell(cmd("DBSIZE")).await;
        assert_eq!((sample.keys, sample.total, sample.expiring), (total, Some(total), Some(40)));
        assert_eq!((sample.method, sample.limits.as_slice()), (SampleMethod::First, &[][..]));
        let mut told = patterns(sample);
        told.sort_unstable();
        let expected = [
            ("", 1),
            ("Robert'); --\\x0a\u{1f600}", 1),
            ("bits", 1),
            ("blob:{binary}", 1),
            ("board:{{{address}}}", 1),
            ("by-day", 1),
            ("config", 1),
            ("counter", 1),
            ("events", 1),
            ("large", 1),
            ("mail:{email}", 1),
            ("odd", 1),
            ("pi\\xf1a:menu", 1),
            ("places", 1),
            ("queue{number}", 12),
            ("seen:{date}", 12),
            ("sess:{text}", 12),
            ("session:{uuid}", 40),
            ("user:{number}:name", 12),
            ("visitors", 1),
            ("wide", 1),
        ];
        assert_eq!(told, expected);

        let sessions = pattern(sample, "session:{uuid}");
        assert_eq!((sessions.keys.of, sessions.estimated), (total, Some(40)));
        let expiry = sessions.expiry.as_ref().expect("an expiry");
        assert_eq!((expiry.presence.count, expiry.presence.of), (40, 40));
        let Spread { count, least, most, .. } = expiry.milliseconds.expect("a spread");
        assert_eq!(count, 40);
        assert!((900_000..=1_000_000).contains(&least) && (939_000..=1_039_000).contains(&most), "{least} {most}");
        let of_type = only(sessions);
        assert_eq!((of_type.name.as_str(), of_type.count), ("hash", 40));
        let lengths = of_type.lengths.expect("lengths");
        assert_eq!((lengths.count, lengths.least, lengths.most), (20, 2, 3));
        assert_eq!(of_type.memory.expect("memory").count, 20);
        assert_eq!(of_type.encodings.iter().map(|encoding| encoding.count).sum::<u64>(), 20);
        let fields = of_type.fields.as_ref().expect("fields");
        let names: Vec<(&str, u64)> =
            fields.fields.iter().map(|field| (field.name.as_str(), field.presence.of)).collect();
        assert_eq!((fields.hashes, fields.partial), (20, 0));
        assert!(names.contains(&("token", 20)) && names.contains(&("user", 20)), "{names:?}");

        assert_eq!(pattern(sample, "user:{number}:name").expiry.as_ref().expect("known").milliseconds, None);
        for (key, kind, length) in [
            ("events", "stream", 2),
            ("large", "set", 2_000),
            ("board:{{{address}}}", "zset", 1),
            ("queue{number}", "list", 2),
            ("config", "string", 100),
            ("visitors", "string", 0),
            ("wide", "hash", 500),
        ] {
            let of_type = only(pattern(sample, key));
            assert_eq!(of_type.name, kind, "{key}");
            let lengths = of_type.lengths.expect("lengths");
            assert!(lengths.least == length || kind == "string", "{key}: {lengths:?}");
        }
    });
}

#[test]
fn fields_that_are_data_are_folded() {
    testkit::run(async {
        let (_server, found) = sampled().await;
        let sample = keys(&found, "db0");
        let fields = |key: &str| only(pattern(sample, key)).fields.clone().expect("fields");
        let days = fields("by-day").map.expect("a map");
        assert_eq!((days.keys, days.entries), (vec![MapKeys::Date], 12));
        let wide = fields("wide");
        assert_eq!((wide.hashes, wide.partial, wide.fields.len()), (1, 1, 0));
        let map = wide.map.expect("a map");
        assert_eq!((map.keys, map.entries), (vec![MapKeys::Uuid], 100));
        let odd = fields("odd");
        let names: Vec<&str> = odd.fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!((names, odd.map.expect("a map").keys), (vec!["score:{number}"], vec![MapKeys::Text]));
    });
}

#[test]
fn no_value_is_told_nor_a_key_that_is_one() {
    testkit::run(async {
        let (_server, found) = sampled().await;
        let told = serde_json::to_string(&found).expect("JSON");
        for secret in SECRETS {
            assert!(!told.contains(secret), "{secret}: {told}");
        }
        assert!(told.contains("customer-name"), "it is the name of a field");
        let read: Inspection = serde_json::from_str(&told).expect("an inspection");
        assert_eq!(read, found);
    });
}

#[test]
fn other_databases_are_entered_and_left_again() {
    testkit::run(async {
        let (server, found) = sampled().await;
        let third = keys(&found, "db3");
        assert_eq!((third.total, third.expiring, third.keys), (Some(2), Some(1), 2));
        let mut told = patterns(third);
        told.sort_unstable();
        assert_eq!(told, [("flag:{uuid}", 1), ("lock", 1)]);

        let connection = testkit::connect(server.settings().with_pool(connection_manager::PoolSettings::sized(1, 1)));
        let connection = connection.await.expect("connected");
        let one = inspect(&*connection, &InspectOptions::default().only(["db3", "db9", "3", "nonsense"])).await;
        assert_eq!(namespaces(&one), ["db3"]);
        assert_eq!(one.key_samples.len(), 1);
        let size: u64 = tell(&*connection, cmd("DBSIZE")).await;
        assert_eq!(Some(size), keys(&found, "db0").total, "the pool's connection is in its own database");
        assert_eq!(connection.stats().opened_total, 1);

        let third = testkit::connect(server.settings().with_database("3")).await.expect("connected");
        let found = inspect(&*third, &InspectOptions::default()).await;
        assert_eq!((found.database.name.as_str(), namespaces(&found)), ("db3", vec!["db0", "db3"]));
    });
}

#[test]
fn every_master_of_a_cluster_is_asked() {
    testkit::run(async {
        let cluster = OwnCluster::start().await;
        let connection = testkit::connect(cluster.settings()).await.expect("connected");
        for number in 0..300 {
            tell::<i64>(&*connection, cmd("HSET").arg(format!("cart:{number}")).arg("sum").arg(1).take()).await;
        }
        let found = inspect(&*connection, &InspectOptions::default()).await;
        assert_eq!(found.database.native["mode"], "cluster");
        let sample = keys(&found, "db0");
        assert_eq!(
            (patterns(sample), sample.total, found.report.gaps.clone()),
            (vec![("cart:{number}", 300)], Some(300), vec![])
        );
        let of_type = only(&sample.patterns[0]);
        assert_eq!((of_type.count, of_type.fields.as_ref().map(|fields| fields.hashes)), (300, Some(20)));

        // A share of each node.
        let sampling = schema_inspect::SamplingOptions { keys: 30, ..Default::default() };
        let few = inspect(&*connection, &InspectOptions { sampling, ..InspectOptions::default() }).await;
        let few = keys(&few, "db0");
        assert_eq!(
            (few.keys, few.patterns[0].estimated, few.limits.as_slice()),
            (30, Some(300), &[SampleLimit::Keys][..])
        );
        // A connection that leads to one of them says so.
        let one = inspect(&*cluster.nodes()[0].connection().await, &InspectOptions::default()).await;
        assert!((1..300).contains(&keys(&one, "db0").keys));
        let gaps: Vec<&str> = one.report.gaps.iter().map(|gap| gap.part.as_str()).collect();
        assert_eq!(gaps, ["other nodes"]);
        for node in cluster.nodes() {
            let stats: String = node.tell(cmd("INFO").arg("commandstats").take()).await;
            assert!(stats.contains("cmdstat_scan:") && !stats.contains("cmdstat_keys:"), "{stats}");
        }

        // A key has gone ahead of its slot: it is met where it is, and whoever asks there is sent back.
        let (key, nodes) = ("cart:7", cluster.nodes());
        let slot: u16 = nodes[0].tell(cmd("CLUSTER").arg("KEYSLOT").arg(key).take()).await;
        let owner = usize::from(slot > 5460) + usize::from(slot > 10922);
        let (owner, taker) = (&nodes[owner], &nodes[(owner + 1) % 3]);
        for (node, state, other) in [(taker, "IMPORTING", owner), (owner, "MIGRATING", taker)] {
            let id: String = other.tell(cmd("CLUSTER").arg("MYID").take()).await;
            node.tell::<()>(cmd("CLUSTER").arg("SETSLOT").arg(slot).arg(state).arg(id).take()).await;
        }
        let mut migrate = cmd("MIGRATE");
        migrate.arg("127.0.0.1").arg(taker.port()).arg(key).arg(0).arg(5_000).arg("AUTH").arg(OwnRedis::PASSWORD);
        assert_eq!(owner.tell::<String>(migrate).await, "OK");
        let found = inspect(&*connection, &InspectOptions::default()).await;
        let sample = keys(&found, "db0");
        assert_eq!((patterns(sample), found.report.gaps.clone()), (vec![("cart:{number}", 300)], vec![]));
        assert_eq!(only(&sample.patterns[0]).count, 299);
    });
}
