//! What the server says of itself.

use std::collections::BTreeMap;

use schema_model::{Extension, Native};

/// The most lines of an answer that are read, and the longest of them, in bytes.
const MOST_LINES: usize = 10_000;
const LONGEST: usize = 200;

/// What the model has no word for and does not change while the server runs: the server's word for it, and ours.
const SETTINGS: [(&str, &str); 5] = [
    ("maxmemory", "max_memory"),
    ("maxmemory_policy", "eviction"),
    ("redis_mode", "mode"),
    ("server_name", "server"),
    ("valkey_version", "valkey_version"),
];

/// How many keys a database has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Count {
    pub(super) keys: u64,
    pub(super) expiring: u64,
}

fn lines(told: &str) -> impl Iterator<Item = (&str, &str)> {
    told.lines().take(MOST_LINES).filter(|line| line.len() <= LONGEST).filter_map(|line| line.split_once(':'))
}

/// Adds what is set.
pub(super) fn settings(told: &str, native: &mut Native) {
    for (name, value) in lines(told) {
        if let Some((_, word)) = SETTINGS.iter().find(|(theirs, _)| *theirs == name) {
            native.insert((*word).to_owned(), value.into());
        }
    }
}

/// Modules, which bring along types of their own.
pub(super) fn modules(told: &str) -> Vec<Extension> {
    let read = |line: &str| {
        let part = |name: &str| line.split(',').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        let (name, version) = (part("name")?, part("ver")?);
        Some(Extension { name: name.to_owned(), version: version.to_owned(), namespace: String::new() })
    };
    let mut modules: Vec<Extension> =
        lines(told).filter(|(name, _)| *name == "module").filter_map(|(_, line)| read(line)).collect();
    modules.sort_by(|one, other| one.name.cmp(&other.name));
    modules.dedup_by(|one, other| one.name == other.name);
    modules
}

/// Adds how many keys there are in each database that has any.
pub(super) fn counts(told: &str, counts: &mut BTreeMap<u32, Count>) {
    for (name, line) in lines(told) {
        let Some(database) = number(name) else { continue };
        let part = |name: &str| {
            let value = line.split(',').find_map(|part| part.strip_prefix(name)?.strip_prefix('='))?;
            value.parse::<u64>().ok()
        };
        let count = counts.entry(database).or_default();
        count.keys = count.keys.saturating_add(part("keys").unwrap_or_default());
        count.expiring = count.expiring.saturating_add(part("expires").unwrap_or_default());
    }
}

/// What a database is called.
pub(super) fn name(database: u32) -> String {
    format!("db{database}")
}

/// The number of the database that is called so: `db1`, or `1` as `SELECT` has it.
pub(super) fn number(called: &str) -> Option<u32> {
    let digits = called.strip_prefix("db").unwrap_or(called);
    digits.parse::<u32>().ok().filter(|number| number.to_string() == digits)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_set_is_told_and_what_changes_is_not() {
        let told = "# Server\r\nredis_version:8.0.2\r\nredis_mode:cluster\r\nuptime_in_seconds:7\r\nmaxmemory:1024\r\n\
                    used_memory:99\r\nmaxmemory_policy:allkeys-lru\r\nmaxmemory_policy_x:y\r\nmode\r\n";
        let mut native = Native::new();
        settings(told, &mut native);
        assert_eq!(json!(native), json!({"eviction": "allkeys-lru", "max_memory": "1024", "mode": "cluster"}));
        settings(&format!("redis_mode:{}", "x".repeat(1_000)), &mut native);
        assert_eq!(native["mode"], "cluster");
    }

    #[test]
    fn modules_are_extensions() {
        let told =
            "# Modules\r\nmodule:name=search,ver=20811,api=1,filters=0\r\nmodule:name=ReJSON,ver=20809\r\nmodule:x\r\n";
        let told: Vec<_> = modules(told).into_iter().map(|module| (module.name, module.version)).collect();
        assert_eq!(told, [("ReJSON".to_owned(), "20809".to_owned()), ("search".to_owned(), "20811".to_owned())]);
    }

    #[test]
    fn databases_are_counted_on_all_servers_together() {
        let mut all = BTreeMap::new();
        counts("# Keyspace\r\ndb0:keys=2,expires=1,avg_ttl=5,subexpiry=0\r\ndb12:keys=1\r\ndb01:keys=9\r\n", &mut all);
        counts(&format!("db0:keys={},expires=x\r\ndb99999999999:keys=1\r\n", u64::MAX), &mut all);
        let count = |keys, expiring| Count { keys, expiring };
        assert_eq!(all, BTreeMap::from([(0, count(u64::MAX, 1)), (12, count(1, 0))]));
    }

    #[test]
    fn a_database_has_a_name_and_a_number() {
        assert_eq!((number("db0"), number("db15"), name(15)), (Some(0), Some(15), "db15".to_owned()));
        assert_eq!(number("15"), Some(15));
        for called in ["", "db", "00", "+1", "dbdb1", "db01", "db-1", "db+1", "DB0", "db 1", "db4294967296"] {
            assert_eq!(number(called), None, "{called}");
        }
    }
}
