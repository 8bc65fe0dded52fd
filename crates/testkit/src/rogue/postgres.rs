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
    client.say(b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I").await?;
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

/// A message without its letter: a length that counts itself, and the rest.
async fn hear(client: &mut Client) -> io::Result<Vec<u8>> {
    let length = client.hear(4).await?;
    let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]).saturating_sub(4);
    client.hear(usize::try_from(length).map_err(io::Error::other)?).await
}
