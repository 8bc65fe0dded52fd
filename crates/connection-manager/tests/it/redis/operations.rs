use super::*;

#[tokio::test]
async fn a_connection_tells_its_name_and_engine_and_speaks_no_sql() {
    let connection = open(shared()).await;
    assert_eq!((connection.name().as_str(), connection.engine()), ("test", &Engine::REDIS));
    assert!(connection.is_connected());
    refused(connection.sql().map(drop), &DatabaseErrorKind::Unsupported);
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
