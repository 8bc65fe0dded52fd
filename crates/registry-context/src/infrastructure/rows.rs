use shared_kernel::Version;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, Dialect, Engine, Row, position_of};
use shared_kernel::paging::{Position, SortKey};
use uuid::Uuid;

use super::documents;
use crate::domain::{
    ConnectionId, ConnectionRecord, ConnectionSort, DatabaseName, Definition, DisplayName, FilePath, Host, Notes, Port,
    Resealable, SealedSecrets, SecretName, StoredConnection, Username,
};

/// Where the columns stand in what is selected.
mod at {
    use super::super::statements::columns::{self, CONNECTION, KEYS};
    use super::position_of;

    pub(super) const ID: usize = position_of(&CONNECTION, columns::ID);
    pub(super) const VERSION: usize = position_of(&CONNECTION, columns::VERSION);
    pub(super) const KEY_NAME: usize = position_of(&CONNECTION, columns::KEY_NAME);
    pub(super) const DATA_KEY: usize = position_of(&CONNECTION, columns::DATA_KEY);
    pub(super) const SEALED_PASSWORD: usize = position_of(&CONNECTION, columns::SEALED_PASSWORD);
    pub(super) const SEALED_CLIENT_KEY: usize = position_of(&CONNECTION, columns::SEALED_CLIENT_KEY);
    pub(super) const NAME: usize = position_of(&CONNECTION, columns::NAME);
    pub(super) const ENGINE: usize = position_of(&CONNECTION, columns::ENGINE);
    pub(super) const HOST: usize = position_of(&CONNECTION, columns::HOST);
    pub(super) const PORT: usize = position_of(&CONNECTION, columns::PORT);
    pub(super) const DATABASE: usize = position_of(&CONNECTION, columns::DATABASE);
    pub(super) const PATH: usize = position_of(&CONNECTION, columns::PATH);
    pub(super) const USERNAME: usize = position_of(&CONNECTION, columns::USERNAME);
    pub(super) const TLS: usize = position_of(&CONNECTION, columns::TLS);
    pub(super) const OPTIONS: usize = position_of(&CONNECTION, columns::OPTIONS);
    pub(super) const LABELS: usize = position_of(&CONNECTION, columns::LABELS);
    pub(super) const NOTES: usize = position_of(&CONNECTION, columns::NOTES);
    pub(super) const SECRET: usize = position_of(&CONNECTION, columns::SECRET);
    pub(super) const CREATED_AT: usize = position_of(&CONNECTION, columns::CREATED_AT);
    pub(super) const UPDATED_AT: usize = position_of(&CONNECTION, columns::UPDATED_AT);
    /// In a list's rows alone.
    pub(super) const NAME_KEY: usize = CONNECTION.len() + position_of(&KEYS, columns::NAME_KEY);
}

/// Reads a row of `connections`. The rules of the domain hold for what comes out of the database as well.
pub(super) fn connection(row: &Row) -> Result<StoredConnection, DatabaseError> {
    let id: Uuid = row.get(at::ID)?;
    let text = |column| row.get::<Option<String>>(column);
    let definition = Definition {
        name: parsed(id, DisplayName::parse(&row.get::<String>(at::NAME)?))?,
        engine: Engine::from(row.get::<String>(at::ENGINE)?),
        host: optional(id, text(at::HOST)?, |host| Host::parse(&host))?,
        port: optional(id, row.get::<Option<i32>>(at::PORT)?, |port| Port::try_new(port.into()))?,
        database: optional(id, text(at::DATABASE)?, |database| DatabaseName::parse(&database))?,
        path: optional(id, text(at::PATH)?, |path| FilePath::parse(&path))?,
        username: optional(id, text(at::USERNAME)?, |username| Username::parse(&username))?,
        secret: optional(id, text(at::SECRET)?, |secret| SecretName::parse(&secret))?,
        tls: optional(id, text(at::TLS)?, |json| documents::tls(&json))?,
        options: parsed(id, documents::options(&row.get::<String>(at::OPTIONS)?))?,
        labels: parsed(id, documents::labels(&row.get::<String>(at::LABELS)?))?,
        notes: optional(id, text(at::NOTES)?, |notes| Notes::parse(&notes))?,
    };
    Ok(StoredConnection::restore(ConnectionRecord {
        id: ConnectionId::new(id),
        definition,
        sealed: sealed(row)?,
        version: parsed(id, Version::try_new(row.get(at::VERSION)?))?,
        created_at: row.get(at::CREATED_AT)?,
        updated_at: row.get(at::UPDATED_AT)?,
    }))
}

/// Reads what is selected of sealed secrets; `None` for a row without.
pub(super) fn resealable(row: &Row) -> Result<Option<Resealable>, DatabaseError> {
    let (id, version) = version(row)?;
    Ok(sealed(row)?.map(|sealed| Resealable { id, version, sealed }))
}

/// Reads an id and, right behind it, a version.
pub(super) fn version(row: &Row) -> Result<(ConnectionId, Version), DatabaseError> {
    let id: Uuid = row.get(at::ID)?;
    Ok((ConnectionId::new(id), parsed(id, Version::try_new(row.get(at::VERSION)?))?))
}

fn sealed(row: &Row) -> Result<Option<SealedSecrets>, DatabaseError> {
    let key_name: Option<String> = row.get(at::KEY_NAME)?;
    let data_key: Option<Vec<u8>> = row.get(at::DATA_KEY)?;
    let (Some(key_name), Some(data_key)) = (key_name, data_key) else { return Ok(None) };
    Ok(Some(SealedSecrets {
        key_name,
        data_key,
        password: row.get(at::SEALED_PASSWORD)?,
        client_key: row.get(at::SEALED_CLIENT_KEY)?,
    }))
}

/// Where a row stands in a list. Keys are taken as they are stored: they may have been folded by an older Unicode.
pub(super) fn position(row: &Row, sort: ConnectionSort, dialect: Dialect) -> Result<Position, DatabaseError> {
    let key = match sort {
        ConnectionSort::Name => SortKey::Text(row.get_text_key(dialect, at::NAME_KEY)?),
        ConnectionSort::CreatedAt => SortKey::Instant(row.get(at::CREATED_AT)?),
        ConnectionSort::UpdatedAt => SortKey::Instant(row.get(at::UPDATED_AT)?),
    };
    Ok(Position { key: Some(key), id: row.get(at::ID)? })
}

fn optional<S, T, E: std::error::Error + Send + Sync + 'static>(
    id: Uuid,
    stored: Option<S>,
    parse: impl FnOnce(S) -> Result<T, E>,
) -> Result<Option<T>, DatabaseError> {
    stored.map(|stored| parsed(id, parse(stored))).transpose()
}

fn parsed<T, E: std::error::Error + Send + Sync + 'static>(id: Uuid, result: Result<T, E>) -> Result<T, DatabaseError> {
    result.map_err(|error| {
        let message = format!("the stored connection {id} breaks a rule");
        DatabaseError::new(DatabaseErrorKind::Decode, message).with_source(error)
    })
}
