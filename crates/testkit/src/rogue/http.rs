use std::io;

use tokio_rustls::TlsAcceptor;

use super::{Client, Malice};

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\n";

pub(super) async fn serve(client: &mut Client, tls: Option<TlsAcceptor>) -> io::Result<()> {
    if let Some(tls) = tls {
        client.encrypt(&tls).await?;
    }
    // The head of the request is enough; of its body, nobody asks.
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.extend(client.hear(1).await?);
    }
    match client.malice {
        Malice::Announcing(length) => client.say(format!("{HEAD}content-length: {length}\r\n\r\n{{").as_bytes()).await,
        Malice::Endless => {
            client.say(format!("{HEAD}transfer-encoding: chunked\r\n\r\n").as_bytes()).await?;
            let chunk = [b"10000\r\n", &vec![b' '; 0x1_0000][..], b"\r\n"].concat();
            loop {
                client.say(&chunk).await?;
            }
        }
        Malice::Redirecting(elsewhere) => {
            let answer = format!(
                "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://{elsewhere}/\r\ncontent-length: 0\r\n\r\n"
            );
            client.say(answer.as_bytes()).await
        }
        _ => client.say(format!("{HEAD}content-length: 2\r\n\r\n{{}}").as_bytes()).await,
    }
}
