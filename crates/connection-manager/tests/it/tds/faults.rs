use testkit::tds::{Answer, Ending, Length};

use super::*;

fn long() -> Reply {
    one(TdsType::NVarChar(Length::Max), "x".repeat(20_000))
}

#[tokio::test]
async fn an_answer_cut_off_anywhere_is_unreachable_and_costs_one_connection() {
    for cut in [0, 5, 8, 100, 4096, 12_000] {
        for reply in [long().closing_after(cut), long().resetting_after(cut)] {
            let server = server().on("SELECT long", Answer::once(reply)).on("SELECT 2", long()).start().await.unwrap();
            let connection = connect(&server).await;
            refused(query(&connection, "SELECT long").await, &DatabaseErrorKind::Unreachable);
            assert_serves(&connection).await;
            assert_eq!(server.connections().accepted, 2, "cut after {cut} bytes");
        }
    }
}

#[tokio::test]
async fn an_answer_that_drips_in_is_whole_in_the_end() {
    let server = server().on("SELECT long", long().dripping(999, Duration::from_millis(1))).start().await.unwrap();
    let rows = query(&connect(&server).await, "SELECT long").await.unwrap();
    assert_eq!(rows[0].get::<String>("value").unwrap().len(), 20_000);
}

#[tokio::test]
async fn a_restarted_server_is_reached_again() {
    let mut server = server().start().await.unwrap();
    let connection = connect(&server).await;
    assert_serves(&connection).await;
    server.restart().await.unwrap();
    // The first caller may be the one to find the old connection gone.
    let _ = query(&connection, "SELECT 1").await;
    for _ in 0..3 {
        assert_serves(&connection).await;
    }
}

#[tokio::test]
async fn an_idle_connection_that_was_closed_is_replaced() {
    for ending in [Ending::Close, Ending::Reset] {
        let server = server().start().await.unwrap();
        let pool = PoolSettings { validate_after: Duration::ZERO, ..PoolSettings::sized(0, 1) };
        let connection = testkit::connect(settings(&server).with_pool(pool)).await.unwrap();
        assert_serves(&connection).await;
        server.end_connections(ending);
        server.wait_until(LIMIT, |server| server.connections().open == 0).await.unwrap();
        assert_serves(&connection).await;
    }
}

#[tokio::test]
async fn garbage_from_the_server_costs_the_connection_and_no_panic() {
    use tokio::io::AsyncWriteExt;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let garbage = tokio::spawn(async move {
        for bytes in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], &[4, 1, 0, 9, 0, 0, 0, 0, 0xFF], &[0; 8]] {
            let (mut stream, _) = listener.accept().await.unwrap();
            // The client may be gone before all is written.
            let _ = stream.write_all(bytes).await;
        }
    });
    let server = server().start().await.unwrap();
    for _ in 0..3 {
        let outcome = testkit::connect(settings(&server).with_host("127.0.0.1").with_port(port)).await;
        refused(outcome, &DatabaseErrorKind::Unreachable);
    }
    garbage.await.unwrap();
}
