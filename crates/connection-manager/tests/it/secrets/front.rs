//! What stands in front of the emulator: counts the questions that reach it, and can answer in its place.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The header that names the operation, in lower case.
const QUESTION: &str = "x-amz-target: secretsmanager.getsecretvalue";

/// Ends when it is dropped, with its runtime.
pub(super) struct Front {
    address: String,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    upstream: String,
    questions: AtomicU64,
    in_its_place: Mutex<Option<(u16, &'static str)>>,
}

impl Front {
    /// Listens on a free port and passes every request to `upstream`, such as `http://127.0.0.1:5000`.
    pub(super) async fn start(upstream: &str) -> Self {
        let upstream = upstream.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let state = Arc::new(State { upstream, ..State::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let shared = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = shared.clone();
                // A client that goes away in mid-request is no fault of the front.
                tokio::spawn(async move { serve(stream, &state).await.ok() });
            }
        });
        Self { address, state }
    }

    pub(super) fn url(&self) -> &str {
        &self.address
    }

    /// How many `GetSecretValue` came by.
    pub(super) fn questions(&self) -> u64 {
        self.state.questions.load(Ordering::SeqCst)
    }

    /// Answers with a failure of AWS from now on; `None` passes requests on again.
    pub(super) fn answer(&self, failure: Option<(u16, &'static str)>) {
        *self.state.in_its_place.lock().unwrap() = failure;
    }
}

async fn serve(mut client: TcpStream, state: &State) -> io::Result<()> {
    while let Some(request) = message(&mut client).await? {
        if String::from_utf8_lossy(&request).to_ascii_lowercase().contains(QUESTION) {
            state.questions.fetch_add(1, Ordering::SeqCst);
        }
        let failure = *state.in_its_place.lock().unwrap();
        let answer = if let Some((status, code)) = failure {
            let body = format!(r#"{{"__type":"{code}","message":"as planned"}}"#);
            let head = format!("HTTP/1.1 {status} X\r\ncontent-type: application/x-amz-json-1.1\r\n");
            format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
        } else {
            let mut server = TcpStream::connect(&state.upstream).await?;
            server.write_all(&request).await?;
            message(&mut server).await?.unwrap_or_default()
        };
        client.write_all(&answer).await?;
    }
    Ok(())
}

/// One HTTP message whose length its head tells. `None` when the other side has closed.
async fn message(stream: &mut TcpStream) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
            if bytes.len() >= end + 4 + length.unwrap_or(0) {
                return Ok(Some(bytes));
            }
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    }
}
