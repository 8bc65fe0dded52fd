use std::time::Duration;

use ::redis::{Cmd, cmd};
use async_trait::async_trait;
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, Expiry, KeyValue};

use super::connection::RedisConnection;

/// Further than anybody plans, and what the server can still add to its clock.
const LONGEST: u64 = 1 << 50;

const COMPARE_AND_SET: &str = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end \
     if ARGV[3] == '' then redis.call('SET', KEYS[1], ARGV[2]) \
     else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end return 1";

const COMPARE_AND_DELETE: &str =
    "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end return redis.call('DEL', KEYS[1])";

/// Lua's numbers hold 53 bits, so the sum is read back as text.
const INCREMENT: &str = "local begins = redis.call('EXISTS', KEYS[1]) == 0 \
     redis.call('INCRBY', KEYS[1], ARGV[1]) \
     if begins and ARGV[2] ~= '' then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end \
     return redis.call('GET', KEYS[1])";

#[async_trait]
impl KeyValue for RedisConnection {
    async fn get(&self, key: &[u8], context: &RequestContext) -> Result<Option<Vec<u8>>, DatabaseError> {
        self.send("GET", cmd("GET").arg(key).take(), context).await
    }

    async fn set(
        &self,
        key: &[u8],
        value: &[u8],
        expiry: Expiry,
        context: &RequestContext,
    ) -> Result<(), DatabaseError> {
        self.send("SET", set(key, value, expiry), context).await
    }

    async fn set_if_absent(
        &self,
        key: &[u8],
        value: &[u8],
        expiry: Expiry,
        context: &RequestContext,
    ) -> Result<bool, DatabaseError> {
        let done: Option<String> = self.send("SET", set(key, value, expiry).arg("NX").take(), context).await?;
        Ok(done.is_some())
    }

    async fn compare_and_set(
        &self,
        key: &[u8],
        expected: &[u8],
        value: &[u8],
        expiry: Expiry,
        context: &RequestContext,
    ) -> Result<bool, DatabaseError> {
        let time = milliseconds(expiry).map(|time| time.to_string()).unwrap_or_default();
        let command = script(COMPARE_AND_SET, key).arg(expected).arg(value).arg(time).take();
        self.send("EVAL", command, context).await
    }

    async fn compare_and_delete(
        &self,
        key: &[u8],
        expected: &[u8],
        context: &RequestContext,
    ) -> Result<bool, DatabaseError> {
        self.send("EVAL", script(COMPARE_AND_DELETE, key).arg(expected).take(), context).await
    }

    async fn delete(&self, key: &[u8], context: &RequestContext) -> Result<bool, DatabaseError> {
        self.send("DEL", cmd("DEL").arg(key).take(), context).await
    }

    async fn time_to_live(&self, key: &[u8], context: &RequestContext) -> Result<Option<Expiry>, DatabaseError> {
        let left: i64 = self.send("PTTL", cmd("PTTL").arg(key).take(), context).await?;
        Ok(match left {
            -2 => None,
            -1 => Some(Expiry::Never),
            left => Some(Expiry::After(Duration::from_millis(left.try_into().unwrap_or_default()))),
        })
    }

    async fn increment(
        &self,
        key: &[u8],
        by: i64,
        expiry: Expiry,
        context: &RequestContext,
    ) -> Result<i64, DatabaseError> {
        let time = milliseconds(expiry).map(|time| time.to_string()).unwrap_or_default();
        let sum: String = self.send("EVAL", script(INCREMENT, key).arg(by).arg(time).take(), context).await?;
        sum.parse().map_err(|_| {
            let message = "EVAL: the counter holds no whole number";
            DatabaseError::new(DatabaseErrorKind::Decode, message).on(self.pool().name())
        })
    }
}

fn set(key: &[u8], value: &[u8], expiry: Expiry) -> Cmd {
    let mut command = cmd("SET");
    command.arg(key).arg(value);
    if let Some(time) = milliseconds(expiry) {
        command.arg("PX").arg(time);
    }
    command
}

/// A script on one key. Its text travels along each time: it is short, and a server that has forgotten it needs no
/// second try.
fn script(text: &str, key: &[u8]) -> Cmd {
    cmd("EVAL").arg(text).arg(1).arg(key).take()
}

fn milliseconds(expiry: Expiry) -> Option<u64> {
    match expiry {
        Expiry::Never => None,
        Expiry::After(time) => Some(u64::try_from(time.as_millis()).unwrap_or(LONGEST).clamp(1, LONGEST)),
    }
}
