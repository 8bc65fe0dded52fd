//! Stored connections as they go over the wire.

mod input;
mod merge;
mod schema;
mod url;

use std::collections::BTreeMap;

use registry_context::domain::{
    Certificates, DatabaseName, Definition, FilePath, Host, Notes, Port, SecretName, StoredConnection, Tls, Username,
};
use serde::Serialize;
use shared_kernel::Version;
use utoipa::ToSchema;
use uuid::Uuid;

pub(crate) use input::ConnectionInput;
pub(crate) use merge::without_secrets;
pub(crate) use schema::{ConnectionPatchBody, ConnectionReplacementBody, NewConnectionBody};

use super::report::HealthSummaryBody;
use crate::rest::instant::instant;
use crate::rest::versions::Versioned;

/// The fields that only the service sets.
pub(crate) const SERVICE_FIELDS: &[&str] =
    &["id", "has_password", "has_client_key", "version", "created_at", "updated_at"];
/// A list shows it with each connection. It may come back and is not compared, because each test makes it another.
const OF_LISTS: &str = "health";

/// A connection that a team has stored.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Connection)]
pub(crate) struct ConnectionBody<'a> {
    /// Which connection it is: a UUID of version 7.
    #[schema(example = "0190163d-8694-739b-aea5-966c26f8ad91")]
    id: Uuid,
    /// What it is called.
    #[schema(min_length = 1, max_length = 100, example = "Sales (read only)")]
    name: &'a str,
    /// The product behind it: one of those that `/api/v1/connections/engines` lists.
    #[schema(example = "postgres")]
    engine: &'a str,
    /// The server; null where the engine has none or knows it.
    #[schema(required, max_length = 253, example = "db.example.com")]
    host: Option<&'a str>,
    /// The server's port; null is the engine's usual one.
    #[schema(required, minimum = 1, maximum = 65_535, example = 5432)]
    port: Option<u16>,
    /// The database on the server.
    #[schema(required, max_length = 255, example = "sales")]
    database: Option<&'a str>,
    /// The file of an embedded database, below the folder that the service keeps for such files.
    #[schema(required, max_length = 500, example = "team/sales.sqlite3")]
    path: Option<&'a str>,
    /// The user to log in as.
    #[schema(required, max_length = 255, example = "reader")]
    username: Option<&'a str>,
    /// The name of a secret in a secrets manager that holds the login.
    #[schema(required, max_length = 512, example = "bindery/registry/sales")]
    secret: Option<&'a str>,
    /// Whether a password is stored. It is never given back.
    #[schema(example = true)]
    has_password: bool,
    /// Whether the key of the client certificate is stored. It is never given back.
    #[schema(example = false)]
    has_client_key: bool,
    /// How the way to the server is protected; null where the engine knows no TLS.
    #[schema(required)]
    tls: Option<TlsBody<'a>>,
    /// What only this engine knows, by the engine's own keys.
    #[schema(value_type = BTreeMap<String, String>, example = json!({"application_name": "bindery"}))]
    options: BTreeMap<&'a str, &'a str>,
    /// What people sort connections by.
    #[schema(value_type = BTreeMap<String, String>, example = json!({"team": "sales"}))]
    labels: BTreeMap<&'a str, &'a str>,
    /// What people want to know of it.
    #[schema(required, max_length = 10_000, example = "Ask Ann before you load it.")]
    notes: Option<&'a str>,
    /// How often the connection was written; the `ETag` follows it.
    #[schema(minimum = 1, example = 1)]
    version: i64,
    /// When the connection was stored: UTC, microseconds.
    #[schema(format = "date-time", example = "2026-01-31T12:00:00.000000Z")]
    created_at: String,
    /// When the connection was last changed: UTC, microseconds.
    #[schema(format = "date-time", example = "2026-01-31T12:00:00.000000Z")]
    updated_at: String,
}

/// How the way to a server is protected.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConnectionTls)]
pub(crate) struct TlsBody<'a> {
    /// `disabled`, `required` (encrypted, whoever answers is believed) or `verify-full`.
    #[schema(pattern = "^(disabled|required|verify-full)$", example = "verify-full")]
    mode: &'static str,
    /// The authorities to trust instead of the system's, as text in PEM.
    #[schema(required)]
    ca: Option<&'a str>,
    /// What the client shows of itself, with its chain, as text in PEM.
    #[schema(required)]
    client_certificate: Option<&'a str>,
}

/// A connection as a list has it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ListedConnection)]
pub(crate) struct ListedConnectionBody<'a> {
    #[serde(flatten)]
    pub(crate) connection: ConnectionBody<'a>,
    /// What its last test came to; null where there was none.
    #[schema(required)]
    pub(crate) health: Option<HealthSummaryBody>,
}

/// A page of connections.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConnectionPage<'a> {
    /// The connections, in the order that was asked for.
    #[schema(max_items = 200)]
    pub(crate) items: Vec<ListedConnectionBody<'a>>,
    /// Where the list goes on; null on the last page.
    #[schema(required)]
    pub(crate) next_cursor: Option<String>,
}

impl<'a> From<&'a StoredConnection> for ConnectionBody<'a> {
    fn from(connection: &'a StoredConnection) -> Self {
        let Definition { name, engine, host, port, database, path, username, secret, tls, options, labels, notes } =
            connection.definition();
        let held = connection.held();
        Self {
            id: connection.id().uuid(),
            name: name.as_str(),
            engine: engine.as_str(),
            host: host.as_ref().map(Host::as_str),
            port: port.map(Port::get),
            database: database.as_ref().map(DatabaseName::as_str),
            path: path.as_ref().map(FilePath::as_str),
            username: username.as_ref().map(Username::as_str),
            secret: secret.as_ref().map(SecretName::as_str),
            has_password: held.password,
            has_client_key: held.client_key,
            tls: tls.as_ref().map(Into::into),
            options: options.iter().map(|(name, value)| (name, value.as_str())).collect(),
            labels: labels.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect(),
            notes: notes.as_ref().map(Notes::as_str),
            version: connection.version().get(),
            created_at: instant(connection.created_at()),
            updated_at: instant(connection.updated_at()),
        }
    }
}

impl<'a> From<&'a Tls> for TlsBody<'a> {
    fn from(tls: &'a Tls) -> Self {
        Self {
            mode: tls.mode.as_str(),
            ca: tls.ca.as_ref().map(Certificates::as_str),
            client_certificate: tls.client_certificate.as_ref().map(Certificates::as_str),
        }
    }
}

impl Versioned for StoredConnection {
    type Body<'a> = ConnectionBody<'a>;

    fn version(&self) -> Version {
        self.version()
    }

    fn body(&self) -> ConnectionBody<'_> {
        self.into()
    }
}
