use std::borrow::Cow;

use shared_kernel::database::{ConnectionName, DatabaseError};

use super::SecretSource;
use crate::settings::ConnectionSettings;

/// Where a secret says that its database is. None of it is secret.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecretEndpoint {
    /// Host name or address of the server.
    pub host: Option<String>,
    /// TCP port.
    pub port: Option<u16>,
    /// The database on the server.
    pub database: Option<String>,
}

/// The settings of the connection `name` with what they leave out taken from its secret. What they say themselves stays,
/// each value on its own. Without a secret that says anything they are returned as they are.
///
/// # Errors
/// Why the source has no answer.
pub async fn completed<'a>(
    source: &dyn SecretSource,
    name: &ConnectionName,
    settings: &'a ConnectionSettings,
) -> Result<Cow<'a, ConnectionSettings>, DatabaseError> {
    if settings.host.is_some() && settings.port.is_some() && settings.database.is_some() {
        return Ok(Cow::Borrowed(settings));
    }
    let Some(endpoint) = source.endpoint(name, settings).await? else { return Ok(Cow::Borrowed(settings)) };
    let mut settings = settings.clone();
    settings.host = settings.host.or(endpoint.host);
    settings.port = settings.port.or(endpoint.port);
    settings.database = settings.database.or(endpoint.database);
    Ok(Cow::Owned(settings))
}
