use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use testkit::eventually_some;

use crate::support::Service;

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_stops_says_so_first_and_finishes_what_it_began() {
    let mut service = Service::configured(|config| config.server.drain_delay = Duration::from_secs(2)).await;
    // A request that is half sent when the signal comes.
    let mut half = TcpStream::connect(service.address).expect("it listens");
    let body = r#"{"name":"Ada","email":"ada@example.org"}"#;
    let length = body.len();
    let head = format!(
        "POST /api/v1/users HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    half.write_all(head.as_bytes()).expect("sent");
    assert_eq!(service.get("/health/ready").await.status, 200);

    service.stop();
    let draining = eventually_some(Duration::from_secs(10), || async {
        let ready = service.get("/health/ready").await;
        (ready.status == 503).then_some(ready)
    })
    .await;
    assert_eq!(draining.json()["status"], "draining");
    assert_eq!(service.get("/health/live").await.status, 200);

    let answer = tokio::task::spawn_blocking(move || {
        half.write_all(body.as_bytes()).expect("sent");
        half.set_read_timeout(Some(Duration::from_secs(10))).expect("a limit");
        let mut text = String::new();
        half.read_to_string(&mut text).expect("an answer");
        text
    });
    assert!(answer.await.expect("no panic").starts_with("HTTP/1.1 201"));
    service.ended().await.expect("a good end");
    assert!(TcpStream::connect(service.address).is_err(), "nobody listens any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_never_ends_is_cut_at_the_limit() {
    let mut service = Service::configured(|config| {
        config.server.drain_limit = Duration::from_secs(1);
        // Nothing but the end of the service ends it.
        config.server.limits.request_timeout = Duration::from_hours(1);
    })
    .await;
    let mut half = TcpStream::connect(service.address).expect("it listens");
    let head = "POST /api/v1/users HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\
                expect: 100-continue\r\n\r\n";
    half.write_all(head.as_bytes()).expect("sent");
    // The one worker has it as soon as it asks for the body.
    let mut half = tokio::task::spawn_blocking(move || {
        half.set_read_timeout(Some(Duration::from_secs(10))).expect("a limit");
        let mut said = [0; 25];
        half.read_exact(&mut said).expect("a word");
        assert_eq!(String::from_utf8_lossy(&said), "HTTP/1.1 100 Continue\r\n\r\n");
        half
    })
    .await
    .expect("no panic");
    service.stop();
    // Less than the framework would wait when nothing is said.
    let ended = tokio::time::timeout(Duration::from_secs(25), service.ended()).await;
    ended.expect("it does not wait for the request").expect("a good end");
    assert!(TcpStream::connect(service.address).is_err(), "nobody listens any more");
    let mut text = Vec::new();
    let _reset_or_over = half.read_to_end(&mut text);
    assert_eq!(String::from_utf8_lossy(&text), "", "it was cut and not answered");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_data_folder_is_free_again_after_the_end() {
    let mut service = Service::start().await;
    let data = service.folder.path().join("data");
    assert!(api::data_folder::DataFolder::open(&data).is_err());
    service.stop();
    service.ended().await.expect("a good end");
    assert!(api::data_folder::DataFolder::open(&data).is_ok());
}
