use futures_util::FutureExt;

use super::*;

fn rows() -> Reply {
    let columns = [Column::new("text", TdsType::NVarChar(Length::Max))];
    Reply::rows(ResultSet::new(columns).row(["x".repeat(5000).into()]))
}

async fn text(client: &mut TestClient) -> tiberius::Result<usize> {
    let row = client.query("SELECT text", &[]).await?.into_row().await?.unwrap();
    Ok(row.get::<&str, _>(0).unwrap().len())
}

#[tokio::test]
async fn an_answer_in_drops_is_whole_in_the_end() {
    let server = server().on("SELECT text", rows().dripping(700, Duration::from_millis(1))).start().await.unwrap();
    assert_eq!(text(&mut connect(&server).await).await.unwrap(), 5000);
}

#[tokio::test]
async fn an_answer_can_break_off_anywhere() {
    for cut in [0, 1, 9, 4096, 4097, 5000] {
        for reply in [rows().closing_after(cut), rows().resetting_after(cut)] {
            let server = server().on("SELECT text", reply).start().await.unwrap();
            assert!(text(&mut connect(&server).await).await.is_err(), "{cut}");
            server.wait_until(LIMIT, |server| server.connections().open == 0).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_gate_holds_an_answer_until_it_opens() {
    let gate = Gate::new();
    let server = server().on("SELECT text", rows().held_by(&gate)).start().await.unwrap();
    let mut client = connect(&server).await;
    let mut waiting = Box::pin(text(&mut client));
    assert!((&mut waiting).now_or_never().is_none());
    server.wait_until(LIMIT, |server| server.received().len() == 1).await.unwrap();
    gate.open();
    assert_eq!(waiting.await.unwrap(), 5000);
}

#[tokio::test]
async fn an_attention_ends_silence_and_leaves_the_connection_usable() {
    let server = server().on("SELECT text", Answer::once(Reply::silence())).start().await.unwrap();
    let mut client = connect(&server).await;
    assert!(tokio::time::timeout(Duration::from_millis(50), text(&mut client)).await.is_err());
    client.cancel_query().await.unwrap();
    assert_eq!(server.connections().attentions, 1);
    assert_eq!(number(&mut client, "SELECT 1").await, 1);
}

#[tokio::test]
async fn a_fatal_message_closes_the_connection() {
    let server = server().on("SELECT text", Reply::error(596, "Session is killed.")).start().await.unwrap();
    let mut client = connect(&server).await;
    assert_eq!(text(&mut client).await.unwrap_err().code(), Some(596));
    server.wait_until(LIMIT, |server| server.connections().open == 0).await.unwrap();
}

#[tokio::test]
async fn a_stopped_server_refuses_and_comes_back_on_the_same_port() {
    let mut server = server().start().await.unwrap();
    let mut client = connect(&server).await;
    server.stop(Ending::Reset).await.unwrap();
    assert_eq!(server.connections().open, 0);
    assert!(text(&mut client).await.is_err());
    let refused = TcpStream::connect(server.address()).await.unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);

    server.restart().await.unwrap();
    assert_eq!(number(&mut connect(&server).await, "SELECT 1").await, 1);
    server.restart().await.unwrap();
    assert_eq!(number(&mut connect(&server).await, "SELECT 1").await, 1);
}

#[tokio::test]
async fn a_server_can_be_stopped_before_anybody_came() {
    let mut server = server().start().await.unwrap();
    server.stop(Ending::Close).await.unwrap();
    assert!(TcpStream::connect(server.address()).await.is_err());
}

#[tokio::test]
async fn new_connections_can_be_met_with_silence_or_shown_the_door() {
    let server = server().start().await.unwrap();
    let config = || {
        let mut config = config(&server, EncryptionLevel::NotSupported);
        config.handshake_timeout(Some(Duration::from_millis(50)));
        config
    };
    for admission in [Admission::Silent, Admission::Close, Admission::Reset] {
        server.set_admission(admission);
        assert!(connect_with(&server, config()).await.is_err(), "{admission:?}");
    }
    server.set_admission(Admission::Normal);
    connect(&server).await;
}

#[tokio::test]
async fn the_rule_added_last_decides_and_an_exhausted_one_steps_back() {
    let server = server().on(Matcher::any(), Reply::changed(1)).start().await.unwrap();
    server.on(Matcher::contains("from [t]"), Answer::Times(2, Reply::changed(2)));
    server.on("DELETE  FROM [t]", Answer::computed(|statement| Reply::changed(statement.parameters.len() as u64)));
    let mut client = connect(&server).await;
    let mut counts = Vec::new();
    for text in ["DELETE FROM [t]", "SELECT FROM [t]", "SELECT FROM [T]", "SELECT FROM [t]"] {
        counts.push(client.execute(text, &[]).await.unwrap().total());
    }
    assert_eq!(counts, [0, 2, 2, 1]);
}
