//! Encryption: what the server agrees to, its certificate, and TLS inside TDS packets.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls_pki_types::PrivateKeyDer;
use tds_protocol::{PACKET_HEADER_SIZE, PacketHeader, PacketStatus, PacketType};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::packet::invalid;
use super::server::StartError;

/// What the server answers to a client's wish for encryption (MS-TDS section 2.2.6.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tls {
    /// No TLS: clients that require it must give up.
    NotSupported,
    /// As the client likes it. The default.
    #[default]
    Optional,
    /// TLS or nothing: a client that does not support it is turned away.
    Required,
    /// TDS 8.0: TLS comes first, before any TDS packet, and its ALPN name is `tds/8.0`.
    Strict,
}

/// A certificate authority of the server's own and a certificate that it signed.
#[derive(Debug)]
pub(super) struct Certificates {
    pub(super) ca_pem: String,
    /// For TLS inside TDS packets: at most TLS 1.2, because the packets end with the handshake and TLS 1.3 goes on
    /// sending handshake messages behind it. SQL Server sets the same limit.
    pub(super) inside: Arc<ServerConfig>,
    /// For TDS 8.0.
    pub(super) strict: Arc<ServerConfig>,
}

impl Certificates {
    pub(super) fn issue(names: &[String]) -> Result<Self, StartError> {
        let mut authority = CertificateParams::default();
        authority.distinguished_name.push(DnType::CommonName, "testkit certificate authority");
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;

        let key = KeyPair::generate()?;
        let mut leaf = CertificateParams::new(names)?;
        leaf.distinguished_name.push(DnType::CommonName, "testkit TDS server");
        let leaf = leaf.signed_by(&key, &authority)?;

        let config = |versions: &[&'static rustls::SupportedProtocolVersion]| {
            let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
            let key = PrivateKeyDer::try_from(key.serialize_der()).map_err(StartError::Key)?;
            Ok::<_, StartError>(
                ServerConfig::builder_with_provider(provider)
                    .with_protocol_versions(versions)?
                    .with_no_client_auth()
                    .with_single_cert(vec![leaf.der().clone()], key)?,
            )
        };
        let mut strict = config(rustls::ALL_VERSIONS)?;
        strict.alpn_protocols = vec![b"tds/8.0".to_vec()];
        Ok(Self {
            ca_pem: authority.pem(),
            inside: Arc::new(config(&[&rustls::version::TLS12])?),
            strict: Arc::new(strict),
        })
    }
}

/// Carries TLS records inside TDS packets of type PRELOGIN until the handshake is over, and bare from then on.
#[derive(Debug)]
pub(super) struct InPackets<S> {
    io: S,
    packed: bool,
    incoming: BytesMut,
    /// Bytes of the packet under way that were not handed on yet.
    left: usize,
    outgoing: BytesMut,
    framed: BytesMut,
}

impl<S> InPackets<S> {
    pub(super) fn new(io: S, packed: bool) -> Self {
        Self { io, packed, incoming: BytesMut::new(), left: 0, outgoing: BytesMut::new(), framed: BytesMut::new() }
    }

    pub(super) const fn handshake_is_over(&mut self) {
        self.packed = false;
    }

    pub(super) fn into_inner(self) -> S {
        self.io
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for InPackets<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.packed {
            return Pin::new(&mut this.io).poll_read(cx, buffer);
        }
        // Reads no byte past the packet under way: what follows the handshake is no packet of this kind.
        while this.left == 0 {
            let mut byte = [0];
            let mut one = ReadBuf::new(&mut byte);
            ready!(Pin::new(&mut this.io).poll_read(cx, &mut one))?;
            if one.filled().is_empty() {
                return Poll::Ready(Ok(()));
            }
            this.incoming.extend_from_slice(one.filled());
            if this.incoming.len() == PACKET_HEADER_SIZE {
                let header = PacketHeader::decode(&mut this.incoming).map_err(|error| invalid(error.to_string()))?;
                if header.packet_type != PacketType::PreLogin {
                    return Poll::Ready(Err(invalid("a TLS handshake travels in PRELOGIN packets")));
                }
                this.left = usize::from(header.length)
                    .checked_sub(PACKET_HEADER_SIZE)
                    .ok_or_else(|| invalid("a packet is shorter than its header"))?;
            }
        }
        let room = buffer.remaining().min(this.left);
        let mut part = ReadBuf::new(buffer.initialize_unfilled_to(room));
        ready!(Pin::new(&mut this.io).poll_read(cx, &mut part))?;
        let count = part.filled().len();
        buffer.advance(count);
        this.left -= count;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> InPackets<S> {
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.outgoing.is_empty() {
            let part = self.outgoing.split_to(self.outgoing.len().min(4096 - PACKET_HEADER_SIZE));
            let status = if self.outgoing.is_empty() { PacketStatus::END_OF_MESSAGE } else { PacketStatus::NORMAL };
            let length = u16::try_from(part.len() + PACKET_HEADER_SIZE).unwrap_or(u16::MAX);
            PacketHeader::new(PacketType::PreLogin, status, length).encode(&mut self.framed);
            self.framed.unsplit(part);
        }
        while self.framed.has_remaining() {
            let written = ready!(Pin::new(&mut self.io).poll_write(cx, &self.framed))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.framed.advance(written);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for InPackets<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.packed {
            this.outgoing.extend_from_slice(bytes);
            return Poll::Ready(Ok(bytes.len()));
        }
        ready!(this.poll_send(cx))?;
        Pin::new(&mut this.io).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_send(cx))?;
        Pin::new(&mut this.io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_send(cx))?;
        Pin::new(&mut this.io).poll_shutdown(cx)
    }
}
