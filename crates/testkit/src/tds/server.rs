//! The server: how it is built, steered and asked what it saw.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::task::{JoinHandle, JoinSet};

use super::login::Login;
use super::request::Statement;
use super::script::{Answer, Matcher, ServerMessage};
use super::session;
use super::state::{Admission, Connections, Ending, Order, Received, Settings, Shared};
use super::tls::{Certificates, Tls};

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No socket could be had on the loopback interface.
    #[error("cannot listen on the loopback interface")]
    Listen(#[from] io::Error),
    /// The certificates could not be issued.
    #[error("cannot issue the server's certificate")]
    Certificate(#[from] rcgen::Error),
    /// The certificates cannot be used.
    #[error("cannot use the server's certificate")]
    Tls(#[from] rustls::Error),
    /// The private key cannot be used.
    #[error("cannot use the server's private key: {0}")]
    Key(&'static str),
}

/// The condition of [`TdsServer::wait_until`] did not come true in time.
#[derive(Debug, thiserror::Error)]
#[error("the server did not get there within {0:?}")]
pub struct TooLate(Duration);

/// How the server is to begin.
#[derive(Debug)]
pub struct TdsServerBuilder {
    settings: Settings,
    certificate_names: Vec<String>,
}

impl TdsServerBuilder {
    /// Lets a user in.
    #[must_use]
    pub fn user(mut self, name: &str, password: &str) -> Self {
        self.settings.users.insert(name.to_owned(), password.into());
        self
    }

    /// Names a database. The first is where logins without one end up; without any, every name is known.
    #[must_use]
    pub fn database(mut self, name: &str) -> Self {
        self.settings.databases.push(name.to_owned());
        self
    }

    /// What it does about TLS.
    #[must_use]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.settings.tls = tls;
        self
    }

    /// For which host names and addresses its certificate is good, in place of `localhost` and `127.0.0.1`.
    #[must_use]
    pub fn certificate_for(mut self, names: &[&str]) -> Self {
        self.certificate_names = names.iter().map(|name| (*name).to_owned()).collect();
        self
    }

    /// Answers the statements that match. Of several rules the one added last decides.
    #[must_use]
    pub fn on(mut self, matcher: impl Into<Matcher>, answer: impl Into<Answer>) -> Self {
        self.settings.add_rule(matcher.into(), answer.into());
        self
    }

    /// Listens on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// [`StartError`] when there is no port or no certificate.
    pub async fn start(self) -> Result<TdsServer, StartError> {
        let certificates = Certificates::issue(&self.certificate_names)?;
        let shared = Arc::new(Shared::new(self.settings, certificates));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let accepting = accept(Arc::clone(&shared), listener);
        Ok(TdsServer { shared, address, state: State::Listening(accepting) })
    }
}

#[derive(Debug)]
enum State {
    Listening(JoinHandle<()>),
    /// Bound and not listening: connections are refused, and the port stays ours.
    Refusing(TcpSocket),
}

/// A server that speaks TDS 7.4 and 8.0 and says what it was told to say.
///
/// Dropping it closes its connections and its port.
#[derive(Debug)]
pub struct TdsServer {
    shared: Arc<Shared>,
    address: SocketAddr,
    state: State,
}

impl TdsServer {
    /// A server without users, with TLS for those who want it.
    pub fn builder() -> TdsServerBuilder {
        TdsServerBuilder {
            settings: Settings::new(),
            certificate_names: vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
        }
    }

    /// Where it listens. The port stays the same over restarts.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate of the authority that signed its certificate, in PEM.
    pub fn ca_pem(&self) -> &str {
        &self.shared.certificates.ca_pem
    }

    /// Adds a rule; it goes before all that are there.
    pub fn on(&self, matcher: impl Into<Matcher>, answer: impl Into<Answer>) {
        self.shared.settings().add_rule(matcher.into(), answer.into());
    }

    /// Changes a user's password, or adds a user. Connections that are logged in stay.
    pub fn set_password(&self, user: &str, password: &str) {
        self.shared.settings().users.insert(user.to_owned(), password.into());
    }

    /// Turns all logins away with this message, or with `None` no longer.
    pub fn set_login_error(&self, error: Option<ServerMessage>) {
        self.shared.settings().login_error = error;
    }

    /// Sends clients on to another address once they are logged in, as a gateway does; with `None` no longer.
    pub fn redirect_to(&self, target: Option<(&str, u16)>) {
        self.shared.settings().redirection = target.map(|(host, port)| (host.to_owned(), port));
    }

    /// What it does about TLS from the next connection on.
    pub fn set_tls(&self, tls: Tls) {
        self.shared.settings().tls = tls;
    }

    /// How it meets connections from the next one on.
    pub fn set_admission(&self, admission: Admission) {
        self.shared.settings().admission = admission;
    }

    /// Ends all connections and goes on listening.
    pub fn end_connections(&self, ending: Ending) {
        self.shared.order.send_replace(Order { ending, stop: false });
    }

    /// Ends all connections and refuses new ones, until [`TdsServer::restart`].
    ///
    /// # Errors
    /// When the port cannot be taken back.
    pub async fn stop(&mut self, ending: Ending) -> io::Result<()> {
        if let State::Listening(accepting) = &mut self.state {
            self.shared.order.send_replace(Order { ending, stop: true });
            // It ends by itself when its connections have; a panic of a test's own closure is that test's to report.
            let _ = accepting.await;
            self.state = State::Refusing(bind(self.address)?);
        }
        Ok(())
    }

    /// Listens again on the same port; a server that listens is stopped first, as a restart of the machine would do it.
    ///
    /// # Errors
    /// When the port cannot be taken back.
    pub async fn restart(&mut self) -> io::Result<()> {
        self.stop(Ending::Reset).await?;
        let socket = match &mut self.state {
            State::Listening(_) => return Ok(()),
            State::Refusing(socket) => std::mem::replace(socket, TcpSocket::new_v4()?),
        };
        self.state = State::Listening(accept(Arc::clone(&self.shared), socket.listen(1024)?));
        Ok(())
    }

    /// The statements received so far, in order of arrival.
    pub fn received(&self) -> Vec<Received> {
        self.shared.read_log(|log| log.received.clone())
    }

    /// The texts received so far.
    pub fn texts(&self) -> Vec<String> {
        self.shared.read_log(|log| log.received.iter().map(|one| one.statement.text.clone()).collect())
    }

    /// The INSERT, UPDATE, DELETE and MERGE statements that were answered without an error and are permanent: outside a
    /// transaction, or in one that was committed.
    pub fn committed(&self) -> Vec<Statement> {
        self.shared.read_log(|log| log.committed.clone())
    }

    /// The logins tried so far, without their passwords.
    pub fn logins(&self) -> Vec<Login> {
        self.shared.read_log(|log| log.logins.clone())
    }

    /// Where clients broke the protocol. A driver that works leaves this empty.
    pub fn violations(&self) -> Vec<String> {
        self.shared.read_log(|log| log.violations.clone())
    }

    /// How many connections there were and are.
    pub fn connections(&self) -> Connections {
        self.shared.read_log(|log| log.connections)
    }

    /// Waits until `condition` holds; it is asked again whenever something arrives, opens or closes.
    ///
    /// # Errors
    /// [`TooLate`] when it does not hold within `limit`.
    pub async fn wait_until(&self, limit: Duration, condition: impl Fn(&Self) -> bool) -> Result<(), TooLate> {
        let mut changed = self.shared.changed.subscribe();
        let wait = async {
            while !condition(self) {
                // The sender lives in `self`.
                let _ = changed.changed().await;
            }
        };
        tokio::time::timeout(limit, wait).await.map_err(|_| TooLate(limit))
    }
}

impl Drop for TdsServer {
    fn drop(&mut self) {
        if let State::Listening(accepting) = &self.state {
            accepting.abort();
        }
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

fn accept(shared: Arc<Shared>, listener: TcpListener) -> JoinHandle<()> {
    // Subscribed before the task runs, so that no order slips in before it.
    let mut orders = shared.order.subscribe();
    tokio::spawn(async move {
        // Owns the sessions: when this task is cancelled, they are too.
        let mut sessions = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => {
                    // A connection that its client gave up before it was accepted is none.
                    let Ok((stream, _)) = accepted else { continue };
                    // Small answers are not to wait for more to send.
                    let _ = stream.set_nodelay(true);
                    let connection = shared.write_log(|log| {
                        log.connections.accepted += 1;
                        log.connections.accepted
                    });
                    // Subscribed here, so that no order slips in before the session runs.
                    let orders = shared.order.subscribe();
                    sessions.spawn(session::serve(Arc::clone(&shared), stream, connection, orders));
                }
                _ = orders.changed() => {
                    if orders.borrow_and_update().stop {
                        break;
                    }
                }
                Some(_) = sessions.join_next() => {}
            }
        }
        drop(listener);
        while sessions.join_next().await.is_some() {}
    })
}
