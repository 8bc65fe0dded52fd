use std::io;

use tokio_rustls::TlsAcceptor;

use super::{Client, Malice};

const GREETING: &[u8] = b"%3\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.0.0\r\n$5\r\nproto\r\n:3\r\n";

pub(super) async fn serve(client: &mut Client, tls: Option<TlsAcceptor>) -> io::Result<()> {
    if let Some(tls) = tls {
        client.encrypt(&tls).await?;
    }
    loop {
        let words = command(client).await?;
        if words.first().is_some_and(|word| word.eq_ignore_ascii_case(b"HELLO")) {
            client.say(GREETING).await?;
            continue;
        }
        match client.malice {
            Malice::Announcing(length) => return client.say(format!("${length}\r\n").as_bytes()).await,
            Malice::AnnouncingElements(count) => return client.say(format!("*{count}\r\n").as_bytes()).await,
            Malice::Endless => {
                client.say(format!("${}\r\n", i64::MAX).as_bytes()).await?;
                let part = vec![b'x'; 0x1_0000];
                loop {
                    client.say(&part).await?;
                }
            }
            _ => client.say(b"+OK\r\n").await?,
        }
    }
}

/// One command: an array of strings.
async fn command(client: &mut Client) -> io::Result<Vec<Vec<u8>>> {
    let mut words = Vec::new();
    for _ in 0..number(client).await? {
        let length = number(client).await?;
        let mut word = client.hear(length + 2).await?;
        word.truncate(length);
        words.push(word);
    }
    Ok(words)
}

/// The number behind `*` or `$`.
async fn number(client: &mut Client) -> io::Result<usize> {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        line.extend(client.hear(1).await?);
    }
    let text = std::str::from_utf8(&line[1..line.len() - 2]).map_err(io::Error::other)?;
    text.parse().map_err(io::Error::other)
}
