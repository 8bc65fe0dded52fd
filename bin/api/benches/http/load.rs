//! A closed-loop load: a number of clients, each with one kept-alive connection, each sending its next request when the
//! last one was answered. Written over bare sockets so that the generator costs less than what it measures.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Makes the bytes of request number `n`.
pub(crate) type RequestMaker = Arc<dyn Fn(u64) -> Vec<u8> + Send + Sync>;

/// What a run measured.
#[derive(Debug, Clone)]
pub(crate) struct Measured {
    /// Answered requests a second.
    pub(crate) throughput: f64,
    /// Latency of each answer, ascending.
    latencies: Vec<Duration>,
    /// Answers whose status was not 2xx.
    pub(crate) refused: u64,
}

impl Measured {
    /// How many answers.
    #[expect(clippy::cast_precision_loss, reason = "a run has far fewer than 2^52 answers")]
    pub(crate) fn count(&self) -> f64 {
        self.latencies.len() as f64
    }

    /// The latency that a share of the answers did not exceed; `share` is between 0 and 1.
    pub(crate) fn quantile(&self, share: f64) -> Duration {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length is an index")]
        #[expect(clippy::cast_precision_loss, reason = "a run has far fewer than 2^52 answers")]
        let index = ((self.latencies.len() as f64 * share).ceil() as usize).clamp(1, self.latencies.len().max(1)) - 1;
        self.latencies.get(index).copied().unwrap_or_default()
    }
}

/// Sends requests from `clients` connections for `length` and measures the answers.
///
/// # Errors
/// When a connection cannot be opened or an answer cannot be read.
pub(crate) async fn run(
    address: SocketAddr,
    clients: usize,
    length: Duration,
    requests: RequestMaker,
) -> io::Result<Measured> {
    let counter = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|_| tokio::spawn(client(address, begun + length, Arc::clone(&requests), Arc::clone(&counter))))
        .collect();
    let mut latencies = Vec::new();
    let mut refused = 0;
    for task in tasks {
        let (of_one, refused_of_one) = task.await.map_err(io::Error::other)??;
        latencies.extend(of_one);
        refused += refused_of_one;
    }
    let took = begun.elapsed().as_secs_f64();
    latencies.sort_unstable();
    #[expect(clippy::cast_precision_loss, reason = "a run has far fewer than 2^52 answers")]
    let throughput = latencies.len() as f64 / took;
    Ok(Measured { throughput, latencies, refused })
}

async fn client(
    address: SocketAddr,
    until: Instant,
    requests: RequestMaker,
    counter: Arc<AtomicU64>,
) -> io::Result<(Vec<Duration>, u64)> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(64 * 1024);
    let mut latencies = Vec::new();
    let mut refused = 0;
    while Instant::now() < until {
        let request = requests(counter.fetch_add(1, Ordering::Relaxed));
        let sent = Instant::now();
        stream.write_all(&request).await?;
        let status = read_answer(&mut stream, &mut buffer).await?;
        latencies.push(sent.elapsed());
        refused += u64::from(!(200..300).contains(&status));
    }
    Ok((latencies, refused))
}

/// Reads one answer with a `Content-Length` and returns its status.
async fn read_answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<u16> {
    buffer.clear();
    loop {
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = std::str::from_utf8(&buffer[..end]).map_err(io::Error::other)?;
            let status = head.get(9..12).and_then(|digits| digits.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
            let length = content_length(head)?;
            while buffer.len() < end + 4 + length {
                if stream.read_buf(buffer).await? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            return Ok(status);
        }
    }
}

fn content_length(head: &str) -> io::Result<usize> {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse().ok())
        .ok_or_else(|| io::Error::other("the answer has no content length"))
}
