//! Redis, each test with a server of its own: numbered databases, users and counters are the server's.

mod counting;
mod limited;
mod model;
mod sample;

use connection_manager::redis::RedisConnection;
use connection_manager::redis::driver_crate::{Cmd, FromRedisValue};
use schema_inspect::{InspectOptions, Inspectors};
use schema_model::{Inspection, KeyPattern, KeySample, KeyType};
use shared_kernel::RequestContext;
use shared_kernel::database::DatabaseConnection;

async fn inspect(connection: &dyn DatabaseConnection, options: &InspectOptions) -> Inspection {
    let context = RequestContext::system();
    Inspectors::builtin().inspect(connection, options, &context).await.expect("it is inspected")
}

async fn tell<T: FromRedisValue>(connection: &dyn DatabaseConnection, command: Cmd) -> T {
    let native = connection.native_as::<RedisConnection>().expect("the native handle");
    native.query(command, &RequestContext::system()).await.expect("an answer")
}

#[track_caller]
fn keys<'a>(found: &'a Inspection, database: &str) -> &'a KeySample {
    let sample = found.key_samples.iter().find(|sample| sample.namespace == database);
    sample.unwrap_or_else(|| panic!("there is no sample of {database}"))
}

#[track_caller]
fn pattern<'a>(sample: &'a KeySample, pattern: &str) -> &'a KeyPattern {
    let found = sample.patterns.iter().find(|found| found.pattern == pattern);
    found.unwrap_or_else(|| panic!("there is no {pattern} among {:?}", patterns(sample)))
}

#[track_caller]
fn only(pattern: &KeyPattern) -> &KeyType {
    let [only] = pattern.types.as_slice() else { panic!("{} has more than one type", pattern.pattern) };
    only
}

fn patterns(sample: &KeySample) -> Vec<(&str, u64)> {
    sample.patterns.iter().map(|pattern| (pattern.pattern.as_str(), pattern.keys.count)).collect()
}
