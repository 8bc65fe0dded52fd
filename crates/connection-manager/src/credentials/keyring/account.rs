use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use shared_kernel::TenantId;
use shared_kernel::database::ConnectionName;

use super::Keyring;
use super::book::Book;
use crate::credentials::SecretSource;
use crate::settings::ConnectionSettings;

/// The keyrings of a program. Connections that log in to the same server as the same user with the same secret share what
/// the server said: a version that it rejected for one of them is not tried by the others.
///
/// A connection manager has one. A program with several managers can give them the same one.
#[derive(Clone, Default)]
pub struct Keychain(Arc<Mutex<HashMap<Account, Arc<Book>>>>);

/// Whom a server knows by one password.
#[derive(PartialEq, Eq, Hash)]
enum Account {
    Shared {
        host: String,
        port: Option<u16>,
        /// The settings' user; the secret's own is the same wherever the secret is.
        username: Option<String>,
        secret: String,
    },
    /// What else uses it cannot be told.
    Own(ConnectionName, Option<TenantId>),
}

impl Keychain {
    /// The keyring of the connection `name`, whose settings are complete; `port` is where its server listens when they name
    /// none.
    pub fn keyring(
        &self,
        source: Arc<dyn SecretSource>,
        name: ConnectionName,
        settings: ConnectionSettings,
        port: Option<u16>,
    ) -> Keyring {
        let account = match (&settings.host, source.identity(&settings)) {
            (Some(host), Some(secret)) => Account::Shared {
                host: host.to_ascii_lowercase(),
                port: settings.port.or(port),
                username: settings.username.clone(),
                secret,
            },
            _ => Account::Own(name.clone(), settings.tenant.clone()),
        };
        let book = {
            let mut books = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(books.entry(account).or_default())
        };
        Keyring::with_book(source, name, settings, book)
    }
}

impl fmt::Debug for Keychain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let accounts = self.0.lock().unwrap_or_else(PoisonError::into_inner).len();
        f.debug_struct("Keychain").field("accounts", &accounts).finish_non_exhaustive()
    }
}
