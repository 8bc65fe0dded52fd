//! The seam between a name and an engine.

pub mod checks;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use shared_kernel::database::{ConnectionName, DatabaseConnection, DatabaseError, Engine, EngineDescription};

use crate::endpoint::Endpoint;
use crate::settings::ConnectionSettings;

/// Turns settings and what is known of the server into a live connection to one engine.
///
/// Connectors can be registered from outside this crate; see [`crate::ConnectionFactory::register`].
#[async_trait]
pub trait Connector: Send + Sync + fmt::Debug {
    /// The engine that [`ConnectionSettings::engine`] names to get this connector.
    fn engine(&self) -> &Engine;

    /// The TCP port where the engine's servers listen when the settings name none; `None` for embedded engines.
    fn default_port(&self) -> Option<u16> {
        None
    }

    /// What a definition of a connection to this engine is made of, for those who make forms and check input. Without a word
    /// of the connector's own: nothing is required and there are no options.
    fn describe(&self) -> EngineDescription {
        EngineDescription::unknown(self.engine(), self.default_port())
    }

    /// Whether every dial on behalf of [`ConnectionSettings::egress`] asks there first, redirections of the server's and files
    /// of an embedded engine included. One that does not is never given such settings.
    fn honours_egress(&self) -> bool {
        false
    }

    /// The host and the port that the settings lead to, for those who want to look at the way before a login goes there. `None`
    /// for an embedded engine, and where the servers are found in another way.
    fn address<'a>(&self, settings: &'a ConnectionSettings) -> Option<(&'a str, u16)> {
        Some((settings.host.as_deref()?, settings.port.or(self.default_port())?))
    }

    /// Everything about the settings that cannot work, without touching network or files. Empty when all is well.
    fn validate(&self, settings: &ConnectionSettings) -> Vec<SettingFault>;

    /// Opens a pool and one connection, so that what is wrong is known now and not at the first statement. Every login goes
    /// through the endpoint's keyring; a pool that the endpoint is handed on to sees to that.
    ///
    /// Must be called on the tokio runtime that is to drive the connection's input and output. Dropping the future
    /// gives up the attempt.
    ///
    /// # Errors
    /// The reason, typed: `Unreachable`, `TlsFailed`, `AuthRejected`, `UnknownDatabase`, `Misconfigured` …
    async fn connect(
        &self,
        name: &ConnectionName,
        settings: &ConnectionSettings,
        endpoint: Endpoint,
    ) -> Result<Arc<dyn DatabaseConnection>, DatabaseError>;
}

/// One setting that cannot work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingFault {
    /// The key as the configuration file writes it, such as `host` or `pool.max`.
    pub key: String,
    /// What is wrong and what would be right; lower case, no full stop, no secret.
    pub message: String,
}

impl SettingFault {
    /// A fault of `key`.
    pub fn new(key: impl Into<String>, message: impl Into<String>) -> Self {
        Self { key: key.into(), message: message.into() }
    }
}

impl fmt::Display for SettingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.key, self.message)
    }
}
