use super::*;

#[track_caller]
fn code(result: tiberius::Result<TestClient>) -> Option<u32> {
    result.err().and_then(|error| error.code())
}

#[tokio::test]
async fn a_right_password_is_let_in() {
    let server = server().start().await.unwrap();
    assert_eq!(number(&mut connect(&server).await, "SELECT 1").await, 1);
    assert_eq!(server.connections().logged_in, 1);
}

#[tokio::test]
async fn a_wrong_password_is_turned_away_with_18456() {
    let server = server().start().await.unwrap();
    let mut config = config(&server, EncryptionLevel::NotSupported);
    config.authentication(AuthMethod::sql_server("sa", "wrong"));
    assert_eq!(code(connect_with(&server, config).await), Some(18456));
    assert_eq!(server.connections().rejected, 1);
}

#[tokio::test]
async fn an_unknown_database_is_turned_away_with_4060() {
    let server = server().database("books").start().await.unwrap();
    let mut config = config(&server, EncryptionLevel::NotSupported);
    config.database("nowhere");
    assert_eq!(code(connect_with(&server, config).await), Some(4060));
}

#[tokio::test]
async fn a_changed_password_holds_from_the_next_login_on() {
    let server = server().start().await.unwrap();
    let mut old = connect(&server).await;
    server.set_password("sa", "changed");
    let refused = connect_with(&server, config(&server, EncryptionLevel::NotSupported)).await;
    assert_eq!(code(refused), Some(18456));
    assert_eq!(number(&mut old, "SELECT 1").await, 1);
}

#[tokio::test]
async fn every_login_can_be_turned_away_with_a_message_of_choice() {
    let server = server().start().await.unwrap();
    server.set_login_error(Some(ServerMessage::new(40613, "Database is not currently available.")));
    let refused = connect_with(&server, config(&server, EncryptionLevel::NotSupported)).await;
    assert_eq!(code(refused), Some(40613));
}

#[tokio::test]
async fn a_client_can_be_sent_on_to_another_address() {
    let server = server().start().await.unwrap();
    server.redirect_to(Some(("db.example", 1433)));
    let outcome = connect_with(&server, config(&server, EncryptionLevel::NotSupported)).await;
    let Err(tiberius::error::Error::Routing { host, port }) = outcome else { panic!("not sent on") };
    assert_eq!((host.as_str(), port), ("db.example", 1433));
}

#[tokio::test]
async fn tls_comes_about_where_both_sides_want_it() {
    for (tls, encryption, expected) in [
        (Tls::NotSupported, EncryptionLevel::NotSupported, Some(0)),
        (Tls::NotSupported, EncryptionLevel::Required, None),
        (Tls::Optional, EncryptionLevel::NotSupported, Some(0)),
        (Tls::Optional, EncryptionLevel::Off, Some(1)),
        (Tls::Optional, EncryptionLevel::Required, Some(1)),
        (Tls::Optional, EncryptionLevel::Strict, Some(1)),
        (Tls::Required, EncryptionLevel::NotSupported, None),
        (Tls::Required, EncryptionLevel::Required, Some(1)),
        (Tls::Strict, EncryptionLevel::Strict, Some(1)),
        (Tls::Strict, EncryptionLevel::Required, None),
    ] {
        let server = server().tls(tls).start().await.unwrap();
        let outcome = match connect_with(&server, config(&server, encryption)).await {
            Ok(mut client) => {
                assert_eq!(number(&mut client, "SELECT 1").await, 1);
                Some(server.connections().encrypted)
            }
            Err(_) => None,
        };
        assert_eq!(outcome, expected, "server {tls:?}, client {encryption:?}");
    }
}

#[tokio::test]
async fn the_certificate_is_good_for_its_names_alone() {
    let server = server().certificate_for(&["db.example"]).start().await.unwrap();
    let refused = connect_with(&server, config(&server, EncryptionLevel::Required)).await;
    assert!(refused.is_err_and(|error| error.to_string().contains("not valid for name")));

    let mut config = config(&server, EncryptionLevel::Required);
    config.hostname_in_certificate("db.example");
    connect_with(&server, config).await.unwrap();
}
