//! What the server says of itself that it was asked.

use std::collections::BTreeMap;

use connection_manager::PoolSettings;
use connection_manager::egress::EgressConfig;
use connection_manager::redis::driver_crate::cmd;
use schema_inspect::{InspectOptions, SamplingOptions};
use shared_kernel::database::DatabaseConnection;
use testkit::redis::OwnRedis;

use super::sample::fill;
use super::{inspect, keys, tell};

/// How often each command was sent since the counters began, but for what began them.
async fn sent(operator: &dyn DatabaseConnection) -> BTreeMap<String, u32> {
    let told: String = tell(operator, cmd("INFO").arg("commandstats").take()).await;
    let line = |line: &str| {
        let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(':')?;
        let calls = rest.strip_prefix("calls=")?.split(',').next()?.parse().ok()?;
        (name != "config|resetstat").then(|| (name.to_owned(), calls))
    };
    told.lines().filter_map(line).collect()
}

/// How often something was changed since the server began.
async fn changes(operator: &dyn DatabaseConnection) -> String {
    let told: String = tell(operator, cmd("INFO").arg("persistence").take()).await;
    let line = told.lines().find(|line| line.starts_with("rdb_changes_since_last_save:"));
    line.expect("the server counts").to_owned()
}

const READING: [&str; 15] = [
    "hlen",
    "hrandfield",
    "info",
    "llen",
    "memory|usage",
    "object|encoding",
    "ping",
    "pttl",
    "scan",
    "scard",
    "select",
    "strlen",
    "type",
    "xlen",
    "zcard",
];

#[test]
fn the_server_counts_the_same_statements_and_nothing_but_reads() {
    testkit::run(async {
        let server = OwnRedis::start(&[]).await;
        fill(&server).await;
        let operator = server.connection().await;
        let before = changes(&*operator).await;
        // As a connection is that somebody from outside has defined.
        let settings =
            server.settings().with_pool(PoolSettings::sized(1, 1)).with_egress(EgressConfig::open().egress([]));
        let connection = testkit::connect(settings).await.expect("connected");
        tell::<()>(&*operator, cmd("CONFIG").arg("RESETSTAT").take()).await;
        let found = inspect(&*connection, &InspectOptions::default()).await;
        let sent = sent(&*operator).await;
        assert_eq!(sent.keys().collect::<Vec<_>>(), READING.iter().collect::<Vec<_>>());
        assert_eq!(sent.values().sum::<u32>(), found.report.statements, "{sent:?}");
        assert_eq!(found.report.gaps, []);
        let stages: Vec<&str> = found.report.stages.iter().map(|stage| stage.name.as_str()).collect();
        assert_eq!(stages, ["version", "nodes", "facts", "keys", "types", "values", "fields"]);
        assert_eq!(changes(&*operator).await, before);
    });
}

#[test]
fn however_many_keys_there_are_so_many_are_looked_at() {
    testkit::run(async {
        let server = OwnRedis::start(&[]).await;
        let operator = server.connection().await;
        let fill = "for n = 1, 50000 do redis.call('SET', 'item:' .. n, n) end";
        tell::<()>(&*operator, cmd("EVAL").arg(fill).arg(0).take()).await;
        let connection = server.connection().await;
        let found = inspect(&*connection, &InspectOptions::default()).await;
        let sample = keys(&found, "db0");
        assert_eq!((sample.keys, sample.total), (1_000, Some(50_000)));
        assert_eq!(
            (sample.patterns[0].pattern.as_str(), sample.patterns[0].estimated),
            ("item:{number}", Some(50_000))
        );
        // One for each key's type and one for its time; three for each of twenty; what it takes to meet them.
        let most = 2 * 1_000 + 3 * 20 + 5 + 200;
        assert!(found.report.statements <= most, "{}", found.report.statements);

        let sampling = SamplingOptions { keys: 0, ..SamplingOptions::default() };
        let none = inspect(&*connection, &InspectOptions { sampling, ..InspectOptions::default() }).await;
        assert_eq!((none.key_samples.len(), none.report.statements), (0, 5));
        assert_eq!(none.database.fingerprint(), found.database.fingerprint());
    });
}
