//! Servers that mean ill.

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
    let (host, port) = elsewhere.split_once(':')?;
    loop {
        let words = command(&mut client).await?;
        let answer = match words.first()?.to_ascii_uppercase().as_str() {
            "HELLO" => {
                "%3\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.0.0\r\n$5\r\nproto\r\n:3\r\n".to_owned()
            }
            "CLUSTER" => {
                format!("*1\r\n*3\r\n:0\r\n:16383\r\n*3\r\n${}\r\n{host}\r\n:{port}\r\n$2\r\nid\r\n", host.len())
            }
            "GET" | "SET" => format!("-MOVED 1 {elsewhere}\r\n"),
            _ => "+OK\r\n".to_owned(),
        };
        client.get_mut().write_all(answer.as_bytes()).await.ok()?;
    }
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
