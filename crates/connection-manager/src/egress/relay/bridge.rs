//! Looking into what is said under TLS: the driver speaks TLS with the relay, and the relay with the server, whose certificate
//! it checks as the driver would have.

use std::io;
use std::sync::{Arc, LazyLock};

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::wire::Protocol;

/// Either side of a relay.
pub(super) trait Side: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Side for S {}

/// How TLS is spoken with the server.
pub(super) struct ServerTls {
    pub(super) config: Arc<ClientConfig>,
    /// Whom its certificate has to name.
    pub(super) name: ServerName<'static>,
}

/// The certificate that drivers are shown, made when first needed. They do not look at it: whoever is at the other end of the
/// socket is this process.
static OURSELVES: LazyLock<Result<TlsAcceptor, String>> = LazyLock::new(|| {
    let made = rcgen::generate_simple_self_signed(["relay".to_owned()]).map_err(|error| error.to_string())?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key))
        .map_err(|error| error.to_string())?;
    Ok(TlsAcceptor::from(Arc::new(config)))
});

/// `SSLRequest` (PostgreSQL's protocol, section 55.7).
#[cfg(feature = "postgres")]
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// The longest greeting that a server of MySQL's protocol is heard out.
#[cfg(feature = "mysql")]
const LONGEST_GREETING: usize = 4 << 10;

/// A server with which it was agreed how to go on.
pub(super) struct Agreed {
    pub(super) server: Box<dyn Side>,
    /// Whether it speaks TLS, and the driver is about to. Where it does not, the driver has heard so.
    pub(super) is_encrypted: bool,
}

/// Carries what both sides say until they speak TLS, and begins to speak it with the server.
///
/// # Errors
/// When the server's TLS is not to be trusted, or either side hangs up.
pub(super) async fn agree(
    protocol: Protocol,
    tls: &ServerTls,
    client: &mut impl Side,
    mut server: impl Side + 'static,
) -> io::Result<Agreed> {
    let is_encrypted = match protocol {
        #[cfg(feature = "mysql")]
        Protocol::MySql => greet(client, &mut server).await?,
        #[cfg(feature = "postgres")]
        Protocol::Postgres => {
            let mut request = [0; SSL_REQUEST.len()];
            client.read_exact(&mut request).await?;
            server.write_all(&request).await?;
            request == SSL_REQUEST && server.read_u8().await? == b'S'
        }
    };
    let server: Box<dyn Side> = if is_encrypted {
        Box::new(TlsConnector::from(Arc::clone(&tls.config)).connect(tls.name.clone(), server).await?)
    } else {
        Box::new(server)
    };
    #[cfg(feature = "postgres")]
    if protocol == Protocol::Postgres {
        client.write_all(if is_encrypted { b"S" } else { b"N" }).await?;
    }
    Ok(Agreed { server, is_encrypted })
}

/// The driver, which begins to speak TLS.
pub(super) async fn welcome(client: impl Side + 'static) -> io::Result<Box<dyn Side>> {
    let ourselves = OURSELVES.as_ref().map_err(|error| io::Error::other(error.clone()))?;
    Ok(Box::new(ourselves.accept(client).await?))
}

/// The server's greeting, and what the client answers. Whether that asks for TLS.
#[cfg(feature = "mysql")]
async fn greet(client: &mut impl Side, server: &mut impl Side) -> io::Result<bool> {
    /// An `SSLRequest` is as long as this; what goes on without TLS is longer.
    const SSL_REQUEST: usize = 32;
    let greeting = packet(server).await?;
    client.write_all(&greeting).await?;
    let answer = packet(client).await?;
    server.write_all(&answer).await?;
    Ok(answer.len() == 4 + SSL_REQUEST)
}

#[cfg(feature = "mysql")]
async fn packet(side: &mut impl Side) -> io::Result<Vec<u8>> {
    let mut packet = vec![0; 4];
    side.read_exact(&mut packet).await?;
    let length = usize::from(packet[0]) | usize::from(packet[1]) << 8 | usize::from(packet[2]) << 16;
    if length > LONGEST_GREETING {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a packet of the login is too long"));
    }
    packet.resize(4 + length, 0);
    side.read_exact(&mut packet[4..]).await?;
    Ok(packet)
}

#[cfg(all(test, feature = "mysql"))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_greeting_is_heard_out_up_to_a_length() {
        for (length, is_heard) in [(LONGEST_GREETING, true), (LONGEST_GREETING + 1, false)] {
            let bytes = [&u32::try_from(length).unwrap().to_le_bytes()[..3], &[0], &vec![b'x'; length]].concat();
            assert_eq!(packet(&mut io::Cursor::new(bytes)).await.is_ok(), is_heard, "{length} bytes");
        }
    }
}
