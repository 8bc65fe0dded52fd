use shared_kernel::Version;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, Dialect, Row, position_of};
use shared_kernel::paging::{Position, SortKey};

use crate::domain::{Email, User, UserId, UserName, UserRecord, UserSort};

/// Where the columns stand in what is selected.
mod at {
    use super::super::statements::columns::{self, KEYS, USER};
    use super::position_of;

    pub(super) const ID: usize = position_of(&USER, columns::ID);
    pub(super) const NAME: usize = position_of(&USER, columns::NAME);
    pub(super) const EMAIL: usize = position_of(&USER, columns::EMAIL);
    pub(super) const STATUS: usize = position_of(&USER, columns::STATUS);
    pub(super) const VERSION: usize = position_of(&USER, columns::VERSION);
    pub(super) const CREATED_AT: usize = position_of(&USER, columns::CREATED_AT);
    pub(super) const UPDATED_AT: usize = position_of(&USER, columns::UPDATED_AT);
    /// In a list's rows alone, as is the other key.
    pub(super) const NAME_SORT: usize = USER.len() + position_of(&KEYS, columns::NAME_SORT);
    pub(super) const EMAIL_KEY: usize = USER.len() + position_of(&KEYS, columns::EMAIL_KEY);
}

/// Reads a row of `users`. The rules of the domain hold for what comes out of the database as well.
pub(super) fn user(row: &Row) -> Result<User, DatabaseError> {
    let id: uuid::Uuid = row.get(at::ID)?;
    Ok(User::restore(UserRecord {
        id: UserId::new(id),
        name: UserName::try_from(row.get::<String>(at::NAME)?).map_err(|error| invalid(id, error))?,
        email: Email::parse(&row.get::<String>(at::EMAIL)?).map_err(|error| invalid(id, error))?,
        status: row.get::<String>(at::STATUS)?.parse().map_err(|error| invalid(id, error))?,
        version: Version::try_new(row.get(at::VERSION)?).map_err(|error| invalid(id, error))?,
        created_at: row.get(at::CREATED_AT)?,
        updated_at: row.get(at::UPDATED_AT)?,
    }))
}

/// Where a row stands in a list. Keys are taken as they are stored: they may have been folded by an older Unicode.
pub(super) fn position(row: &Row, sort: UserSort, dialect: Dialect) -> Result<Position, DatabaseError> {
    let key = match sort {
        UserSort::Name => SortKey::Text(row.get_text_key(dialect, at::NAME_SORT)?),
        UserSort::Email => SortKey::Text(row.get_text_key(dialect, at::EMAIL_KEY)?),
        UserSort::CreatedAt => SortKey::Instant(row.get(at::CREATED_AT)?),
        UserSort::UpdatedAt => SortKey::Instant(row.get(at::UPDATED_AT)?),
    };
    Ok(Position { key: Some(key), id: row.get(at::ID)? })
}

fn invalid(id: uuid::Uuid, cause: impl std::error::Error + Send + Sync + 'static) -> DatabaseError {
    DatabaseError::new(DatabaseErrorKind::Decode, format!("the stored user {id} breaks a rule")).with_source(cause)
}
