//! Which commands are sent on behalf of those who define connections from outside.

use ::redis::{Arg, Cmd};
use shared_kernel::database::{DatabaseError, DatabaseErrorKind};

/// Commands that only read, and neither block nor run what others wrote. `KEYS` is none: it holds up the server for as long as
/// there are keys; nor is `PFCOUNT`, which may write what it has counted, nor `TOUCH`, whose reading is remembered.
const READING: [&str; 75] = [
    "BITCOUNT",
    "BITFIELD_RO",
    "BITPOS",
    "DBSIZE",
    "DUMP",
    "ECHO",
    "EXISTS",
    "EXPIRETIME",
    "GEODIST",
    "GEOHASH",
    "GEOPOS",
    "GEORADIUSBYMEMBER_RO",
    "GEORADIUS_RO",
    "GEOSEARCH",
    "GET",
    "GETBIT",
    "GETRANGE",
    "HEXISTS",
    "HGET",
    "HGETALL",
    "HKEYS",
    "HLEN",
    "HMGET",
    "HRANDFIELD",
    "HSCAN",
    "HSTRLEN",
    "HVALS",
    "INFO",
    "LASTSAVE",
    "LCS",
    "LINDEX",
    "LLEN",
    "LPOS",
    "LRANGE",
    "MGET",
    "PEXPIRETIME",
    "PING",
    "PTTL",
    "RANDOMKEY",
    "ROLE",
    "SCAN",
    "SCARD",
    "SDIFF",
    "SINTER",
    "SINTERCARD",
    "SISMEMBER",
    "SMEMBERS",
    "SMISMEMBER",
    "SORT_RO",
    "SRANDMEMBER",
    "SSCAN",
    "STRLEN",
    "SUBSTR",
    "SUNION",
    "TIME",
    "TTL",
    "TYPE",
    "XLEN",
    "XRANGE",
    "XREVRANGE",
    "ZCARD",
    "ZCOUNT",
    "ZDIFF",
    "ZINTER",
    "ZINTERCARD",
    "ZLEXCOUNT",
    "ZMSCORE",
    "ZRANDMEMBER",
    "ZRANGE",
    "ZRANGEBYLEX",
    "ZRANGEBYSCORE",
    "ZRANK",
    "ZREVRANGE",
    "ZSCAN",
    "ZSCORE",
];

/// Commands of which only some words that may follow are for reading.
const FAMILIES: [(&str, &[&str]); 6] = [
    ("ACL", &["CAT", "WHOAMI"]),
    ("CLUSTER", &["COUNTKEYSINSLOT", "INFO", "KEYSLOT", "MYID", "NODES", "SHARDS", "SLOTS"]),
    ("COMMAND", &["COUNT", "DOCS", "GETKEYS", "INFO", "LIST"]),
    ("MEMORY", &["USAGE"]),
    ("OBJECT", &["ENCODING", "FREQ", "IDLETIME", "REFCOUNT"]),
    ("XINFO", &["CONSUMERS", "GROUPS", "STREAM"]),
];

/// Refuses what is on no list, whatever a server may think of it.
pub(super) fn admit(command: &Cmd) -> Result<(), DatabaseError> {
    let mut words = command.args_iter().map_while(|word| match word {
        Arg::Simple(word) => Some(String::from_utf8_lossy(word).to_ascii_uppercase()),
        _ => None,
    });
    let verb = words.next().unwrap_or_default();
    if READING.contains(&verb.as_str()) {
        return Ok(());
    }
    let family = FAMILIES.iter().find(|(family, _)| *family == verb);
    if let (Some((_, reading)), Some(word)) = (family, words.next())
        && reading.contains(&word.as_str())
    {
        return Ok(());
    }
    // What stands where a command should may be anything.
    let is_name =
        (1..=32).contains(&verb.len()) && verb.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let told = if is_name { format!("`{verb}`") } else { "this command".to_owned() };
    let message = format!("{told} is not sent: the connection only reads, by commands that do nothing else");
    Err(DatabaseError::new(DatabaseErrorKind::ReadOnlyTarget, message))
}

#[cfg(test)]
mod tests {
    use ::redis::cmd;

    use super::*;

    #[test]
    fn what_reads_is_sent_and_nothing_else() {
        for words in [&["get", "k"][..], &["HGETALL", "k"], &["cluster", "slots"], &["MEMORY", "USAGE", "k"]] {
            assert!(admit(cmd(words[0]).arg(&words[1..])).is_ok(), "{words:?}");
        }
        for words in [
            &["SET", "k", "v"][..],
            &["GETDEL", "k"],
            &["GETEX", "k", "PX", "1"],
            &["SORT", "k", "STORE", "l"],
            &["EVAL", "return 1", "0"],
            &["EVAL_RO", "return 1", "0"],
            &["CLUSTER", "RESET"],
            &["MEMORY", "PURGE"],
            &["MEMORY"],
            &["CONFIG", "GET", "requirepass"],
            &["KEYS", "*"],
            &["MULTI"],
            &["SUBSCRIBE", "c"],
            &["MONITOR"],
            &["REPLICAOF", "127.0.0.1", "1"],
            &["GET k", "v"],
        ] {
            let error = admit(cmd(words[0]).arg(&words[1..])).unwrap_err();
            assert_eq!(*error.kind(), DatabaseErrorKind::ReadOnlyTarget, "{words:?}");
        }
        assert_eq!(
            admit(cmd("set").arg("k")).unwrap_err().message(),
            "`SET` is not sent: the connection only reads, by commands that do nothing else"
        );
        assert!(admit(&cmd("se\ncret")).unwrap_err().message().starts_with("this command"));
        assert!(admit(&Cmd::new()).is_err());
    }

    #[test]
    fn nothing_is_listed_twice() {
        let mut sorted = READING.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted, READING);
    }
}
