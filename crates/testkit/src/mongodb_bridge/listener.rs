//! The port: TLS for clients that begin with it, and a session for each.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use thiserror::Error;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::BridgeOptions;
use super::cursors::Cursors;
use super::engine::Engine;
use super::session::{Session, Shared};

/// Why the bridge could not start.
#[derive(Debug, Error)]
pub enum BridgeError {
    /// The engine does not answer, or refuses.
    #[error("the engine cannot be used")]
    Engine(#[from] sqlx::Error),
    /// The port cannot be listened on.
    #[error("the port cannot be listened on")]
    Port(#[from] io::Error),
    /// The certificate or its key cannot be used.
    #[error("the certificate cannot be used: {0}")]
    Certificate(String),
}

/// A bridge that listens.
pub struct Bridge {
    listener: TcpListener,
    tls: TlsAcceptor,
    shared: Arc<Shared>,
}

impl Bridge {
    /// Waits for the engine, then listens.
    ///
    /// # Errors
    /// What is missing for that.
    pub async fn start(options: BridgeOptions) -> Result<Self, BridgeError> {
        let tls = acceptor(&options)?;
        let engine = Engine::try_new(&options.engine)?;
        engine.prepare().await?;
        let listener = TcpListener::bind(&options.listen).await?;
        Ok(Self { listener, tls, shared: Arc::new(Shared { engine, cursors: Cursors::default() }) })
    }

    /// Serves whoever comes, until the future is dropped.
    pub async fn serve(self) {
        let mut number = 0;
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    number += 1;
                    let session = Session::new(Arc::clone(&self.shared), number);
                    tokio::spawn(converse(stream, self.tls.clone(), session));
                }
                Err(error) => {
                    // No descriptor is free: others end.
                    tracing::warn!(%error, "a client could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }
}

impl std::fmt::Debug for Bridge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bridge").field("listener", &self.listener).finish_non_exhaustive()
    }
}

async fn converse(stream: TcpStream, tls: TlsAcceptor, session: Session) {
    let outcome = async {
        stream.set_nodelay(true)?;
        if begins_with_tls(&stream).await? {
            session.serve(tls.accept(stream).await?).await
        } else {
            session.serve(stream).await
        }
    };
    if let Err(error) = outcome.await {
        tracing::debug!(%error, "a client is gone");
    }
}

/// A TLS record is a handshake (22) of a version 3.x. A message would begin with these bytes if it were 790 bytes long, but
/// then its third byte would be 0.
async fn begins_with_tls(stream: &TcpStream) -> io::Result<bool> {
    let mut head = [0; 3];
    loop {
        match stream.peek(&mut head).await? {
            0 => return Ok(false),
            3 => return Ok(head[0] == 22 && head[1] == 3 && head[2] != 0),
            _ => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    }
}

fn acceptor(options: &BridgeOptions) -> Result<TlsAcceptor, BridgeError> {
    let wrong = |error: &dyn std::fmt::Display| BridgeError::Certificate(error.to_string());
    let chain: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(&options.certificate).map_err(|error| wrong(&error))?.collect();
    let key = PrivateKeyDer::from_pem_file(&options.key).map_err(|error| wrong(&error))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| wrong(&error))?
        .with_no_client_auth()
        .with_single_cert(chain.map_err(|error| wrong(&error))?, key)
        .map_err(|error| wrong(&error))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}
