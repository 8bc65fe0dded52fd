use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;

#[tokio::test]
async fn a_connection_tells_its_name_and_engine_and_speaks_no_sql() {
    let connection = open(shared()).await;
    assert_eq!((connection.name().as_str(), connection.engine()), ("test", &Engine::REDIS));
    assert!(connection.is_connected());
    refused(connection.sql().map(drop), &DatabaseErrorKind::Unsupported);
}

#[tokio::test]
async fn a_value_is_kept_until_its_time_is_over_or_it_is_deleted() {
    let connection = open(shared()).await;
    let values = connection.key_value().unwrap();
    let (kept, fleeting) = (key("kept"), key("fleeting"));
    assert_eq!(values.get(&kept, &context()).await.unwrap(), None);
    assert_eq!(values.time_to_live(&kept, &context()).await.unwrap(), None);
    values.set(&kept, b"one", Expiry::Never, &context()).await.unwrap();
    assert_eq!(values.time_to_live(&kept, &context()).await.unwrap(), Some(Expiry::Never));
    values.set(&kept, b"two", Expiry::After(Duration::from_mins(1)), &context()).await.unwrap();
    let Some(Expiry::After(left)) = values.time_to_live(&kept, &context()).await.unwrap() else { panic!("it expires") };
    assert!(left <= Duration::from_mins(1) && left > Duration::from_secs(1), "{left:?}");
    assert!(values.delete(&kept, &context()).await.unwrap());
    assert!(!values.delete(&kept, &context()).await.unwrap());
    values.set(&fleeting, b"x", Expiry::After(Duration::ZERO), &context()).await.unwrap();
    eventually_some(SOON, || async { values.get(&fleeting, &context()).await.unwrap().is_none().then_some(()) }).await;
}

#[tokio::test]
async fn of_many_who_set_an_absent_key_one_succeeds() {
    let connection = open(shared()).await;
    let key = key("lease");
    let mut callers = tokio::task::JoinSet::new();
    for token in 0..32_u8 {
        let (connection, key) = (connection.clone(), key.clone());
        callers.spawn(async move {
            let expiry = Expiry::After(SOON);
            connection.key_value().unwrap().set_if_absent(&key, &[token], expiry, &context()).await.unwrap()
        });
    }
    let winners = callers.join_all().await.into_iter().filter(|won| *won).count();
    assert_eq!(winners, 1);
}

#[tokio::test]
async fn a_lease_is_renewed_and_given_up_by_its_token_alone() {
    let connection = open(shared()).await;
    let values = connection.key_value().unwrap();
    let (key, expiry) = (key("token"), Expiry::After(Duration::from_mins(1)));
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

#[tokio::test]
async fn a_counter_keeps_the_expiry_it_began_with_and_every_bit() {
    let connection = open(shared()).await;
    let values = connection.key_value().unwrap();
    let (key, day) = (key("counter"), Duration::from_hours(24));
    assert_eq!(values.increment(&key, 1, Expiry::After(Duration::from_mins(1)), &context()).await.unwrap(), 1);
    assert_eq!(values.increment(&key, 41, Expiry::After(day), &context()).await.unwrap(), 42);
    let Some(Expiry::After(left)) = values.time_to_live(&key, &context()).await.unwrap() else { panic!("it expires") };
    assert!(left <= Duration::from_mins(1), "{left:?}");
    // More than a script's numbers hold.
    let most = i64::MAX - 42;
    assert_eq!(values.increment(&key, most, Expiry::Never, &context()).await.unwrap(), i64::MAX);
    refused(values.increment(&key, 1, Expiry::Never, &context()).await, &DatabaseErrorKind::Decode);
    values.set(&key, b"not a number", Expiry::After(SOON), &context()).await.unwrap();
    refused(values.increment(&key, 1, Expiry::Never, &context()).await, &DatabaseErrorKind::Decode);
}

#[tokio::test]
async fn what_is_no_value_is_told_apart() {
    let connection = open(shared()).await;
    let key = key("list");
    native(&connection).query::<i64>(cmd("RPUSH").arg(&key).arg("x").take(), &context()).await.unwrap();
    let error = refused(connection.key_value().unwrap().get(&key, &context()).await, &DatabaseErrorKind::Decode);
    assert_eq!(error.code(), Some("WRONGTYPE"));
    assert!(connection.key_value().unwrap().delete(&key, &context()).await.unwrap());
    let error = refused(
        native(&connection).query::<()>(cmd("NOSUCHCOMMAND").arg("hunter2").take(), &context()).await,
        &DatabaseErrorKind::Query,
    );
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    assert_eq!(connection.stats().opened_total, 1, "a refused command costs no connection");
}

#[test]
fn any_bytes_survive_as_keys_and_as_values() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let connection = runtime.block_on(open(shared()));
    let prefix = key("bytes");
    let bytes = || proptest::collection::vec(any::<u8>(), 0..300);
    TestRunner::new(Config { cases: 128, failure_persistence: None, ..Config::default() })
        .run(&(bytes(), bytes(), bytes()), |(name, value, other)| {
            let key = [prefix.clone(), name].concat();
            runtime.block_on(async {
                let values = connection.key_value().unwrap();
                let expiry = Expiry::After(Duration::from_mins(1));
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
