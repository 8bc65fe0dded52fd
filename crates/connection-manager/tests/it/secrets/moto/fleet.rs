//! Processes that share what they know through a Redis of the test's own.

use std::collections::HashMap;
use std::sync::Arc;

use connection_manager::credentials::cache::{
    CacheSettings, SealedLevel, SealedSettings, SealingKey, SealingKeys, SecretCache,
};
use connection_manager::redis::RedisConnection;
use connection_manager::redis::driver_crate::{Cmd, FromRedisValue, cmd};
use connection_manager::{ConnectionManager, LocalSecrets};
use shared_kernel::RequestContext;

use super::*;

fn key(name: &str, byte: u8) -> SealingKey {
    SealingKey::try_new(name, &[byte; 32]).unwrap()
}

fn one_key() -> SealingKeys {
    SealingKeys::try_new(key("one", 1), []).unwrap()
}

/// One process: a cache of its own over its own connection to Redis.
fn process(desk: &Desk, redis: &OwnRedis, keys: SealingKeys) -> SecretCache {
    let manager = ConnectionManager::builder(ConnectionFactory::compiled())
        .connection("cache", redis.settings())
        .secrets(Arc::new(LocalSecrets))
        .build()
        .unwrap();
    // The machine that tests run on may be busy; what is shown is not how quick it is.
    let settings = SealedSettings { timeout: Duration::from_secs(5), ..SealedSettings::new("cache") };
    let level = SealedLevel::new(Arc::new(manager), keys, settings, desk.clock.clone());
    SecretCache::with_shared(Arc::new(desk.store()), Arc::new(level), CacheSettings::default(), desk.clock.clone())
}

async fn version(desk: &Desk, cache: &SecretCache) -> String {
    let found = cache.get(&desk.id("users"), SecretStage::Current, Freshness::Cached).await.unwrap().unwrap();
    assert!(found.content.expose_secret().contains(CANARY));
    found.version
}

async fn tell<T: FromRedisValue>(redis: &OwnRedis, command: Cmd) -> T {
    let connection = redis.connection().await;
    let context = RequestContext::system().within(Duration::from_mins(1));
    let native: &RedisConnection = connection.native_as().unwrap();
    let answer = native.query(command, &context).await.unwrap();
    connection.close(Duration::ZERO).await;
    answer
}

#[test]
fn ten_processes_that_start_together_ask_aws_once() {
    testkit::run(async {
        let (desk, redis) = (Desk::open().await, OwnRedis::start(&[]).await);
        let (_, created) = desk.create("users", WHOLE).await;
        let fleet: Vec<_> = (0..10).map(|_| process(&desk, &redis, one_key())).collect();
        let found = futures_util::future::join_all(fleet.iter().map(|cache| version(&desk, cache))).await;
        assert!(found.iter().all(|version| *version == created), "{found:?}");
        assert_eq!(desk.front.questions(), 1);
        let keys: Vec<String> = tell(&redis, cmd("KEYS").arg("*").take()).await;
        assert_eq!(keys.len(), 1, "the lease was given back: {keys:?}");
    });
}

#[test]
fn what_lies_in_redis_holds_no_secret() {
    testkit::run(async {
        let (desk, redis) = (Desk::open().await, OwnRedis::start(&["--rdbcompression", "no"]).await);
        let (_, created) = desk.create("users", WHOLE).await;
        version(&desk, &process(&desk, &redis, one_key())).await;
        let settings: HashMap<String, String> = tell(&redis, cmd("CONFIG").arg("GET").arg("dir").take()).await;
        let dump = async || {
            tell::<()>(&redis, cmd("SAVE")).await;
            std::fs::read(std::path::Path::new(&settings["dir"]).join("dump.rdb")).unwrap()
        };
        let holds = |dump: &[u8], text: &str| dump.windows(text.len()).any(|bytes| bytes == text.as_bytes());
        let saved = dump().await;
        assert!(holds(&saved, &created), "the version stands in clear");
        for secret in [CANARY, "svc", "db.example"] {
            assert!(!holds(&saved, secret), "{secret} can be read in Redis's file");
        }
        // What is looked for would be seen.
        tell::<()>(&redis, cmd("SET").arg("plain").arg(CANARY).take()).await;
        assert!(holds(&dump().await, CANARY));
    });
}

#[test]
fn a_copy_that_is_damaged_foreign_or_at_its_end_is_fetched_anew() {
    testkit::run(async {
        let (desk, redis) = (Desk::open().await, OwnRedis::start(&[]).await);
        desk.create("users", WHOLE).await;
        let fresh = async |keys| version(&desk, &process(&desk, &redis, keys)).await;
        fresh(one_key()).await;
        fresh(one_key()).await;
        assert_eq!(desk.front.questions(), 1);
        // A byte of the content.
        let place = format!("bindery:secret:AWSCURRENT:{}", desk.id("users"));
        tell::<i64>(&redis, cmd("SETRANGE").arg(&place).arg(120).arg("XX").take()).await;
        fresh(one_key()).await;
        assert_eq!(desk.front.questions(), 2);
        // A key that this process does not have.
        fresh(SealingKeys::try_new(key("two", 2), []).unwrap()).await;
        assert_eq!(desk.front.questions(), 3);
        // One that it has, behind its own.
        fresh(SealingKeys::try_new(key("three", 3), [key("two", 2)]).unwrap()).await;
        assert_eq!(desk.front.questions(), 3);
        // Redis keeps it for longer, and it has ended all the same.
        desk.clock.advance(Duration::from_hours(2));
        fresh(SealingKeys::try_new(key("two", 2), []).unwrap()).await;
        assert_eq!(desk.front.questions(), 4);
    });
}

#[test]
fn without_redis_each_process_carries_on_by_itself() {
    testkit::run(async {
        let (desk, redis) = (Desk::open().await, OwnRedis::start(&[]).await);
        desk.create("users", WHOLE).await;
        let (before, after) = (process(&desk, &redis, one_key()), process(&desk, &redis, one_key()));
        version(&desk, &before).await;
        drop(redis);
        version(&desk, &after).await;
        desk.clock.advance(Duration::from_hours(2));
        version(&desk, &before).await;
        assert_eq!(desk.front.questions(), 3);
    });
}

#[test]
fn a_process_that_starts_while_aws_is_away_lives_on_what_another_left() {
    testkit::run(async {
        let (desk, redis) = (Desk::open().await, OwnRedis::start(&[]).await);
        desk.create("users", WHOLE).await;
        version(&desk, &process(&desk, &redis, one_key())).await;
        desk.front.answer(Some((500, "InternalServiceError")));
        desk.clock.advance(Duration::from_hours(20));
        let started = process(&desk, &redis, one_key());
        version(&desk, &started).await;
        assert_eq!(started.snapshot().stale_serves, 1);
    });
}
