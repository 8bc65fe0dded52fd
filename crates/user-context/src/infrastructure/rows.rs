use shared_kernel::Version;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, Dialect, Row};
use shared_kernel::paging::{Position, SortKey};

use super::statements::columns;
use crate::domain::{Email, User, UserId, UserName, UserRecord, UserSort};

/// Reads a row of `users`. The rules of the domain hold for what comes out of the database as well.
pub(super) fn user(row: &Row) -> Result<User, DatabaseError> {
    let id: uuid::Uuid = row.get(columns::ID)?;
    Ok(User::restore(UserRecord {
        id: UserId::new(id),
        name: UserName::parse(&row.get::<String>(columns::NAME)?).map_err(|error| invalid(id, error))?,
        email: Email::parse(&row.get::<String>(columns::EMAIL)?).map_err(|error| invalid(id, error))?,
        status: row.get::<String>(columns::STATUS)?.parse().map_err(|error| invalid(id, error))?,
        version: Version::try_new(row.get(columns::VERSION)?).map_err(|error| invalid(id, error))?,
        created_at: row.get(columns::CREATED_AT)?,
        updated_at: row.get(columns::UPDATED_AT)?,
    }))
}

/// Where a row stands in a list. Keys are taken as they are stored: they may have been folded by an older Unicode.
pub(super) fn position(row: &Row, sort: UserSort, dialect: Dialect) -> Result<Position, DatabaseError> {
    let key = match sort {
        UserSort::Name => SortKey::Text(row.get_text_key(dialect, columns::NAME_SORT)?),
        UserSort::Email => SortKey::Text(row.get_text_key(dialect, columns::EMAIL_KEY)?),
        UserSort::CreatedAt => SortKey::Instant(row.get(columns::CREATED_AT)?),
        UserSort::UpdatedAt => SortKey::Instant(row.get(columns::UPDATED_AT)?),
    };
    Ok(Position { key: Some(key), id: row.get(columns::ID)? })
}

fn invalid(id: uuid::Uuid, cause: impl std::error::Error + Send + Sync + 'static) -> DatabaseError {
    DatabaseError::new(DatabaseErrorKind::Decode, format!("the stored user {id} breaks a rule")).with_source(cause)
}
