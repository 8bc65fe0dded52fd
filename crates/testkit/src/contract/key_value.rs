use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use shared_kernel::database::{DatabaseConnection, DatabaseErrorKind, Expiry};
use shared_kernel::{IdGenerator, SystemIdGenerator};
use tokio::runtime::Handle;

use super::Target;
use super::target::{context, refused};
use crate::eventually_some;

const SOON: Duration = Duration::from_secs(10);
const MINUTE: Duration = Duration::from_mins(1);

/// A key that no other test uses.
fn key(name: &str) -> Vec<u8> {
    format!("{name}:{}", SystemIdGenerator.next()).into_bytes()
}

/// A value is there until its time is over or somebody deletes it, and a later one takes its place with its own time.
pub async fn a_value_is_kept_until_its_time_is_over_or_it_is_deleted(target: Target) {
    let connection = target.open().await;
    let values = connection.key_value().unwrap();
    let (kept, fleeting) = (key("kept"), key("fleeting"));
    assert_eq!(values.get(&kept, &context()).await.unwrap(), None);
    assert_eq!(values.time_to_live(&kept, &context()).await.unwrap(), None);
    values.set(&kept, b"one", Expiry::Never, &context()).await.unwrap();
    assert_eq!(values.time_to_live(&kept, &context()).await.unwrap(), Some(Expiry::Never));
    values.set(&kept, b"two", Expiry::After(MINUTE), &context()).await.unwrap();
    assert_eq!(values.get(&kept, &context()).await.unwrap().as_deref(), Some(&b"two"[..]));
    let Some(Expiry::After(left)) = values.time_to_live(&kept, &context()).await.unwrap() else { panic!("it expires") };
    assert!(left <= MINUTE && left > Duration::from_secs(1), "{left:?}");
    assert!(values.delete(&kept, &context()).await.unwrap());
    assert!(!values.delete(&kept, &context()).await.unwrap());
    values.set(&fleeting, b"x", Expiry::After(Duration::ZERO), &context()).await.unwrap();
    eventually_some(SOON, || async { values.get(&fleeting, &context()).await.unwrap().is_none().then_some(()) }).await;
    assert!(!values.delete(&fleeting, &context()).await.unwrap(), "what has ended is not there");
}

/// Of many who want to be the first, one is; when its value has ended, the next may be.
pub async fn of_many_who_set_an_absent_key_one_succeeds(target: Target) {
    let connection = target.open().await;
    let key = key("lease");
    let mut callers = tokio::task::JoinSet::new();
    for token in 0..32_u8 {
        let (connection, key) = (Arc::clone(&connection), key.clone());
        callers.spawn(async move {
            let expiry = Expiry::After(MINUTE);
            connection.key_value().unwrap().set_if_absent(&key, &[token], expiry, &context()).await.unwrap()
        });
    }
    let winners = callers.join_all().await.into_iter().filter(|won| *won).count();
    assert_eq!(winners, 1);
    let values = connection.key_value().unwrap();
    values.set(&key, b"ends", Expiry::After(Duration::from_millis(1)), &context()).await.unwrap();
    let next = || async { values.set_if_absent(&key, b"next", Expiry::Never, &context()).await.unwrap().then_some(()) };
    eventually_some(SOON, next).await;
}

/// Who knows the value may put another in its place, or delete it; nobody else.
pub async fn a_lease_is_renewed_and_given_up_by_its_token_alone(target: Target) {
    let connection = target.open().await;
    let values = connection.key_value().unwrap();
    let (key, expiry) = (key("token"), Expiry::After(MINUTE));
    assert!(!values.compare_and_set(&key, b"", b"mine", expiry, &context()).await.unwrap(), "nothing is there");
    assert!(!values.compare_and_delete(&key, b"", &context()).await.unwrap(), "nothing is there");
    assert!(values.set_if_absent(&key, b"mine", expiry, &context()).await.unwrap());
    assert!(!values.compare_and_set(&key, b"theirs", b"stolen", expiry, &context()).await.unwrap());
    assert!(!values.compare_and_delete(&key, b"theirs", &context()).await.unwrap());
    assert!(values.compare_and_set(&key, b"mine", b"next", Expiry::Never, &context()).await.unwrap());
    assert_eq!(values.time_to_live(&key, &context()).await.unwrap(), Some(Expiry::Never));
    assert!(values.compare_and_set(&key, b"next", b"last", expiry, &context()).await.unwrap());
    assert!(matches!(values.time_to_live(&key, &context()).await.unwrap(), Some(Expiry::After(_))));
    assert!(values.compare_and_delete(&key, b"last", &context()).await.unwrap());
    assert_eq!(values.get(&key, &context()).await.unwrap(), None);
}

/// A counter begins at zero, keeps the time it began with, and holds 64 bits; anything else is refused.
pub async fn a_counter_keeps_the_expiry_it_began_with_and_every_bit(target: Target) {
    let connection = target.open().await;
    let values = connection.key_value().unwrap();
    let (key, day) = (key("counter"), Duration::from_hours(24));
    assert_eq!(values.increment(&key, 1, Expiry::After(MINUTE), &context()).await.unwrap(), 1);
    assert_eq!(values.increment(&key, 41, Expiry::After(day), &context()).await.unwrap(), 42);
    assert_eq!(values.get(&key, &context()).await.unwrap().as_deref(), Some(&b"42"[..]), "its digits are its value");
    let Some(Expiry::After(left)) = values.time_to_live(&key, &context()).await.unwrap() else { panic!("it expires") };
    assert!(left <= MINUTE, "{left:?}");
    // More than a script's numbers hold.
    let most = i64::MAX - 42;
    assert_eq!(values.increment(&key, most, Expiry::Never, &context()).await.unwrap(), i64::MAX);
    refused(values.increment(&key, 1, Expiry::Never, &context()).await, &DatabaseErrorKind::Decode);
    values.set(&key, b"not a number", Expiry::After(MINUTE), &context()).await.unwrap();
    refused(values.increment(&key, 1, Expiry::Never, &context()).await, &DatabaseErrorKind::Decode);
}

/// Many who count at the same time lose nothing.
pub async fn what_many_add_is_all_counted(target: Target) {
    let connection = target.open().await;
    let key = key("crowd");
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let (connection, key) = (Arc::clone(&connection), key.clone());
        callers.spawn(async move {
            for _ in 0..5 {
                connection.key_value().unwrap().increment(&key, 1, Expiry::Never, &context()).await.unwrap();
            }
        });
    }
    callers.join_all().await;
    let sum = connection.key_value().unwrap().increment(&key, 0, Expiry::Never, &context()).await.unwrap();
    assert_eq!(sum, 40);
}

/// Keys and values are bytes, whatever they hold.
pub async fn any_bytes_survive_as_keys_and_as_values(target: Target) {
    let connection = target.open().await;
    let runtime = Handle::current();
    let work = tokio::task::spawn_blocking(move || bytes_survive(&connection, &runtime));
    work.await.unwrap();
}

fn bytes_survive(connection: &Arc<dyn DatabaseConnection>, runtime: &Handle) {
    let prefix = key("bytes");
    let bytes = || proptest::collection::vec(any::<u8>(), 0..300);
    TestRunner::new(Config { cases: 64, failure_persistence: None, ..Config::default() })
        .run(&(bytes(), bytes(), bytes()), |(name, value, other)| {
            let key = [prefix.clone(), name].concat();
            runtime.block_on(async {
                let values = connection.key_value().unwrap();
                let expiry = Expiry::After(MINUTE);
                values.set(&key, &value, expiry, &context()).await.unwrap();
                prop_assert_eq!(values.get(&key, &context()).await.unwrap(), Some(value.clone()));
                let same = other == value;
                let changed = values.compare_and_set(&key, &other, b"changed", expiry, &context()).await.unwrap();
                prop_assert_eq!(changed, same);
                let left = if same { b"changed".to_vec() } else { value };
                prop_assert!(values.compare_and_delete(&key, &left, &context()).await.unwrap());
                Ok(())
            })
        })
        .unwrap();
}
