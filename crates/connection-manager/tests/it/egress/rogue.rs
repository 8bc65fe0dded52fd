//! Servers that mean ill.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A node of a Redis Cluster that lets everybody in and says that every key is at `elsewhere`. Returns its port.
pub(super) async fn cluster_of(elsewhere: String) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(serve(client, elsewhere.clone()));
        }
    });
    port
}

async fn serve(client: TcpStream, elsewhere: String) -> Option<()> {
    let mut client = BufReader::new(client);
    loop {
        let words = command(&mut client).await?;
        let answer = answer(words.first()?, &elsewhere)?;
        client.get_mut().write_all(answer.as_bytes()).await.ok()?;
    }
}

/// What is answered to a command so called, every key being at `place`.
fn answer(command: &str, place: &str) -> Option<String> {
    let (host, port) = place.split_once(':')?;
    Some(match command.to_ascii_uppercase().as_str() {
        "HELLO" => {
            "%3\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.0.0\r\n$5\r\nproto\r\n:3\r\n".to_owned()
        }
        "CLUSTER" => {
            format!("*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n${}\r\n{host}\r\n:{port}\r\n$2\r\nid\r\n", host.len())
        }
        "GET" | "SET" => format!("-MOVED 1 {place}\r\n"),
        _ => "+OK\r\n".to_owned(),
    })
}

/// One command: an array of strings.
async fn command(client: &mut BufReader<TcpStream>) -> Option<Vec<String>> {
    let mut words = Vec::new();
    for _ in 0..number(client).await? {
        let mut word = vec![0; number(client).await? + 2];
        client.read_exact(&mut word).await.ok()?;
        word.truncate(word.len() - 2);
        words.push(String::from_utf8(word).ok()?);
    }
    Some(words)
}

/// The number behind `*` or `$`.
async fn number(client: &mut BufReader<TcpStream>) -> Option<usize> {
    let mut line = String::new();
    client.read_line(&mut line).await.ok()?;
    line.get(1..)?.trim_end().parse().ok()
}

/// A node of a Redis Cluster that lets everybody in, has every key itself, and answers to each question about one with a text of so many
/// bytes. Returns its port, and where it counts what it has sent of such texts.
pub(super) async fn talkative_cluster(length: usize) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(talk(client, port, length, Arc::clone(&counted)));
        }
    });
    (port, sent)
}

async fn talk(client: TcpStream, port: u16, length: usize, sent: Arc<AtomicUsize>) -> Option<()> {
    let mut client = BufReader::new(client);
    loop {
        let words = command(&mut client).await?;
        if words.first()?.eq_ignore_ascii_case("GET") {
            client.get_mut().write_all(format!("${length}\r\n").as_bytes()).await.ok()?;
            let mut left = length;
            while left > 0 {
                let piece = left.min(1 << 16);
                client.get_mut().write_all(&vec![b'a'; piece]).await.ok()?;
                sent.fetch_add(piece, Ordering::SeqCst);
                left -= piece;
            }
            client.get_mut().write_all(b"\r\n").await.ok()?;
        } else {
            let answer = answer(words.first()?, &format!("127.0.0.1:{port}"))?;
            client.get_mut().write_all(answer.as_bytes()).await.ok()?;
        }
    }
}
