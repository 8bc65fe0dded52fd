//! What the connections to one server have in common.

use std::error::Error;
use std::fmt;

use shared_kernel::database::{ConnectionName, DatabaseError, DatabaseErrorKind};

use crate::breaker::Breaker;
use crate::budget::Budget;
use crate::credentials::Keyring;
use crate::retry::Retries;

/// What a connector hands on to the pool that it opens: the credentials, and the circuit breaker and the budget of the
/// server, which connections of other names may share.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// What its connections log in with.
    pub keyring: Keyring,
    /// Who may try to reach it.
    pub breaker: Breaker,
    /// What may be sent to it again.
    pub retries: Retries,
    /// How many connections it may have.
    pub budget: Budget,
    /// The name that its pool has in measurements, when it is not the connection's own: pools of which nobody has limited the number
    /// are counted together.
    pub counted_as: Option<ConnectionName>,
}

impl Endpoint {
    /// The name that the pool of the connection `name` has in measurements.
    pub fn series<'a>(&'a self, name: &'a ConnectionName) -> &'a ConnectionName {
        self.counted_as.as_ref().unwrap_or(name)
    }
}

impl From<Keyring> for Endpoint {
    /// With a circuit that never opens, without retries, and with a budget without a limit.
    fn from(keyring: Keyring) -> Self {
        let (breaker, retries, budget) = (Breaker::always_closed(), Retries::never(), Budget::unlimited());
        Self { keyring, breaker, retries, budget, counted_as: None }
    }
}

/// The cause of an error that comes of a wait for others, or of what is known already. It says nothing about the server that they
/// have not said.
#[derive(Debug)]
pub(crate) struct NotAsked {
    /// What was told when the server was asked.
    before: Option<DatabaseError>,
}

impl NotAsked {
    /// Because it was not this one's turn, or it was no use.
    pub(crate) fn at_all() -> Self {
        Self { before: None }
    }

    /// Because of an error that was told before. Its cause, which is what the server said then, is told again.
    pub(crate) fn after(told: &DatabaseError) -> Self {
        Self { before: Some(told.clone()) }
    }
}

impl fmt::Display for NotAsked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the server was not asked")?;
        if self.before.is_some() { f.write_str(" again") } else { Ok(()) }
    }
}

impl Error for NotAsked {
    /// The error that was told before is the one that this is a cause of: behind it comes its cause.
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.before.as_ref()?.source()
    }
}

/// Whether somebody asked the server before there was this error.
pub(crate) fn was_asked(error: &DatabaseError) -> bool {
    let mut cause = error.source();
    while let Some(found) = cause {
        if found.is::<NotAsked>() {
            return false;
        }
        cause = found.source();
    }
    true
}

/// Whether the error says that the server could not be reached, rather than what it answered or that nobody asked it.
pub(crate) fn is_out_of_reach(error: &DatabaseError) -> bool {
    *error.kind() == DatabaseErrorKind::Unreachable && was_asked(error)
}
