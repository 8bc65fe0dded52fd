use std::io;

use tokio_rustls::TlsAcceptor;

use super::{Client, Malice};

pub(super) async fn serve(client: &mut Client, tls: Option<TlsAcceptor>) -> io::Result<()> {
    if let Some(tls) = tls {
        let _request = hear(client).await?;
        client.say(b"S").await?;
        client.encrypt(&tls).await?;
    }
    let _startup = hear(client).await?;
    // The password as it is, please.
    client.say(b"R\0\0\0\x08\0\0\0\x03").await?;
    let _kind = client.hear(1).await?;
    let _password = hear(client).await?;
    client.say(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I").await?;
    if let Malice::Rows(columns) = client.malice {
        return rows_without_end(client, columns).await;
    }
    let _kind = client.hear(1).await?;
    let _question = hear(client).await?;
    match client.malice {
        Malice::Announcing(length) => {
            let length = u32::try_from(length).map_err(io::Error::other)?.to_be_bytes();
            client.say(&[b"D", &length[..]].concat()).await
        }
        Malice::Endless => {
            // Notices, which a client passes over.
            let mut notice = b"N\0\x01\0\x08SNOTICE\0C00000\0M".to_vec();
            notice.resize(0x1_0008 - 1, b'x');
            notice.extend([0, 0]);
            loop {
                client.say(&notice).await?;
            }
        }
        _ => Ok(()),
    }
}

/// Goes along with everything until a statement is to be executed.
async fn rows_without_end(client: &mut Client, columns: u16) -> io::Result<()> {
    let message = |kind: u8, body: &[u8]| {
        let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX).to_be_bytes();
        [&[kind][..], &length, body].concat()
    };
    // A name, no table, INT4.
    let column = b"c\0\0\0\0\0\0\0\0\0\0\x17\0\x04\xff\xff\xff\xff\0\0".repeat(columns.into());
    let description = message(b'T', &[&columns.to_be_bytes()[..], &column].concat());
    let row = message(b'D', &[&columns.to_be_bytes()[..], &[0xff; 4].repeat(columns.into())].concat()).repeat(64);
    loop {
        let kind = client.hear(1).await?[0];
        let _body = hear(client).await?;
        match kind {
            b'P' => client.say(&message(b'1', &[])).await?,
            b'D' => client.say(&[message(b't', &[0, 0]), description.clone()].concat()).await?,
            b'B' => client.say(&message(b'2', &[])).await?,
            b'Q' => client.say(&[message(b'C', b"OK\0"), message(b'Z', b"T")].concat()).await?,
            b'S' => client.say(&message(b'Z', b"T")).await?,
            b'E' => loop {
                client.say(&row).await?;
            },
            _ => {}
        }
    }
}

/// A message without its letter: a length that counts itself, and the rest.
async fn hear(client: &mut Client) -> io::Result<Vec<u8>> {
    let length = client.hear(4).await?;
    let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]).saturating_sub(4);
    client.hear(usize::try_from(length).map_err(io::Error::other)?).await
}
