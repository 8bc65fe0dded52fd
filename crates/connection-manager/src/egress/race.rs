//! Several addresses of one name, of which the first to answer is taken.

use std::io;
use std::net::SocketAddr;

use futures_util::future::select_ok;
use tokio::net::TcpStream;

/// So many addresses of a name are dialled; no name that is meant well has more.
const MOST: usize = 16;

/// Opens a socket to whichever of the addresses answers first. All are dialled at once: one after the other, whoever owns the last
/// one would hear of those before it, in how long it takes, whether they are closed or silent. Of more than 16 the others are left
/// out.
///
/// Dropping the future gives up; there is no limit of time.
///
/// # Errors
/// When none of them answers: the one of the last to say no.
pub(crate) async fn first(addresses: &[SocketAddr]) -> io::Result<(TcpStream, SocketAddr)> {
    if addresses.is_empty() {
        return Err(io::ErrorKind::AddrNotAvailable.into());
    }
    let dialled = addresses
        .iter()
        .take(MOST)
        .map(|address| Box::pin(async move { TcpStream::connect(address).await.map(|stream| (stream, *address)) }));
    select_ok(dialled).await.map(|(won, _lost)| won)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::time::Duration;

    use testkit::SilentPort;

    use super::*;

    #[tokio::test]
    async fn one_that_answers_is_reached_whatever_stands_before_it() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = server.local_addr().unwrap();
        let closed = SocketAddr::from(([127, 0, 0, 1], testkit::free_port()));
        let silent = SilentPort::at("127.0.0.1:0".parse().unwrap());
        for before in [closed, silent.address()] {
            let reached = tokio::time::timeout(Duration::from_secs(10), first(&[before, server])).await;
            assert_eq!(reached.expect("nobody waits for the silent one").unwrap().1, server, "after {before}");
        }
    }

    #[tokio::test]
    async fn of_many_some_are_left_out() {
        let server = TcpListener::bind("127.0.0.1:0").unwrap();
        let closed = SocketAddr::from(([127, 0, 0, 1], testkit::free_port()));
        let mut addresses = vec![closed; MOST - 1];
        addresses.push(server.local_addr().unwrap());
        first(&addresses).await.unwrap();
        addresses.insert(0, closed);
        first(&addresses).await.unwrap_err();
    }

    #[tokio::test]
    async fn none_that_answers_is_an_error() {
        let closed = |_| SocketAddr::from(([127, 0, 0, 1], testkit::free_port()));
        assert_eq!(first(&[0, 1].map(closed)).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        assert!(first(&[]).await.is_err());
    }
}
