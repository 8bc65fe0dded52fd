//! What all connections of one server share: the script, the users, the log.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use secrecy::{ExposeSecret, SecretString};
use tokio::sync::watch;

use super::login::Login;
use super::request::Statement;
use super::script::{Answer, Matcher, Reply, ServerMessage};
use super::tls::{Certificates, Tls};

/// How new TCP connections are met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Admission {
    /// As a server meets them.
    #[default]
    Normal,
    /// Accepted and listened to until the client hangs up, and not a byte is sent.
    Silent,
    /// Accepted and closed at once.
    Close,
    /// Accepted and reset at once.
    Reset,
}

/// How connections under way are ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Orderly (FIN).
    Close,
    /// By a reset (RST).
    Reset,
}

/// An order to all connections, and to the listener too when the server is to stop.
#[derive(Debug, Clone, Copy)]
pub(super) struct Order {
    pub(super) ending: Ending,
    pub(super) stop: bool,
}

/// A statement as it arrived.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// The connection's number, from 1 in the order of their arrival.
    pub connection: u64,
    /// Whether a transaction was open when it arrived.
    pub in_transaction: bool,
    /// The statement.
    pub statement: Statement,
}

/// Counts since the server was built; a restart does not reset them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Connections {
    /// TCP connections accepted.
    pub accepted: u64,
    /// TCP connections open at this moment.
    pub open: u64,
    /// Logins that went well.
    pub logged_in: u64,
    /// Logins that were turned away.
    pub rejected: u64,
    /// Connections that agreed on TLS, for the login at least.
    pub encrypted: u64,
    /// ATTENTION signals received.
    pub attentions: u64,
}

#[derive(Debug)]
pub(super) struct Settings {
    pub(super) users: BTreeMap<String, SecretString>,
    /// The first is the default. Empty: every name is known.
    pub(super) databases: Vec<String>,
    pub(super) tls: Tls,
    pub(super) admission: Admission,
    pub(super) login_error: Option<ServerMessage>,
    pub(super) redirection: Option<(String, u16)>,
    /// Later rules go first.
    rules: Vec<(Matcher, Answer)>,
}

impl Settings {
    pub(super) fn new() -> Self {
        Self {
            users: BTreeMap::new(),
            databases: Vec::new(),
            tls: Tls::default(),
            admission: Admission::default(),
            login_error: None,
            redirection: None,
            rules: Vec::new(),
        }
    }

    pub(super) fn add_rule(&mut self, matcher: Matcher, answer: Answer) {
        self.rules.push((matcher, answer));
    }

    /// The scripted reply, if any rule is for this statement.
    pub(super) fn reply_to(&mut self, statement: &Statement) -> Option<Reply> {
        let (_, answer) = self
            .rules
            .iter_mut()
            .rev()
            .find(|(matcher, answer)| !matches!(answer, Answer::Times(0, _)) && matcher.matches(statement))?;
        Some(match answer {
            Answer::Always(reply) => reply.clone(),
            Answer::Times(left, reply) => {
                *left -= 1;
                reply.clone()
            }
            Answer::Computed(compute) => compute(statement),
        })
    }

    /// The database that the client ends up in, or the messages that turn it away.
    pub(super) fn admit(&self, login: &Login) -> Result<String, Vec<ServerMessage>> {
        let failed = || ServerMessage::new(18456, format!("Login failed for user '{}'.", login.user));
        if let Some(error) = &self.login_error {
            return Err(vec![error.clone()]);
        }
        let password = self.users.get(&login.user).map(ExposeSecret::expose_secret);
        if password != Some(login.password.expose_secret()) {
            return Err(vec![failed()]);
        }
        let default = self.databases.first().map_or("master", String::as_str);
        let database = if login.database.is_empty() { default } else { &login.database };
        if !self.databases.is_empty() && !self.databases.iter().any(|known| known == database) {
            let text = format!("Cannot open database \"{database}\" requested by the login. The login failed.");
            return Err(vec![ServerMessage::new(4060, text), failed()]);
        }
        Ok(database.to_owned())
    }
}

#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) received: Vec<Received>,
    pub(super) logins: Vec<Login>,
    pub(super) committed: Vec<Statement>,
    pub(super) violations: Vec<String>,
    pub(super) connections: Connections,
}

/// Shared by the server's handle and its sessions.
#[derive(Debug)]
pub(super) struct Shared {
    settings: Mutex<Settings>,
    log: Mutex<Log>,
    pub(super) certificates: Certificates,
    /// Told whenever the log changes.
    pub(super) changed: watch::Sender<()>,
    /// The last order to end all connections.
    pub(super) order: watch::Sender<Order>,
}

impl Shared {
    pub(super) fn new(settings: Settings, certificates: Certificates) -> Self {
        Self {
            settings: Mutex::new(settings),
            log: Mutex::default(),
            certificates,
            changed: watch::Sender::new(()),
            order: watch::Sender::new(Order { ending: Ending::Close, stop: false }),
        }
    }

    pub(super) fn settings(&self) -> MutexGuard<'_, Settings> {
        // A panic in a test's own closure must not hide behind a poisoned lock.
        self.settings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn read_log<T>(&self, read: impl FnOnce(&Log) -> T) -> T {
        read(&self.log.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn write_log<T>(&self, write: impl FnOnce(&mut Log) -> T) -> T {
        let result = write(&mut self.log.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.send_replace(());
        result
    }
}
