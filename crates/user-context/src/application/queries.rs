use std::fmt;
use std::sync::Arc;

use shared_kernel::RequestContext;
use shared_kernel::database::DatabaseError;
use shared_kernel::paging::Page;

use crate::domain::{User, UserId, UserList, UserRepository};

/// Reads one user.
#[derive(Clone)]
pub struct ReadUser {
    users: Arc<dyn UserRepository>,
}

/// Why a user was not read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReadUserError {
    /// There is no user of this id.
    #[error("there is no user {0}")]
    NotFound(UserId),
    /// The database failed.
    #[error("the user could not be read")]
    Database(#[from] DatabaseError),
}

impl ReadUser {
    /// The use case over its port.
    pub fn new(users: Arc<dyn UserRepository>) -> Self {
        Self { users }
    }

    /// Reads the user.
    ///
    /// # Errors
    /// [`ReadUserError`]
    pub async fn execute(&self, id: UserId, context: &RequestContext) -> Result<User, ReadUserError> {
        self.users.find(id, context).await?.ok_or(ReadUserError::NotFound(id))
    }
}

impl fmt::Debug for ReadUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadUser").finish_non_exhaustive()
    }
}

/// Lists users, a page at a time.
#[derive(Clone)]
pub struct ListUsers {
    users: Arc<dyn UserRepository>,
}

/// Why users were not listed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ListUsersError {
    /// The position belongs to a list in another order.
    #[error("the position does not belong to this list")]
    ForeignPosition,
    /// The database failed.
    #[error("the users could not be listed")]
    Database(#[from] DatabaseError),
}

impl ListUsers {
    /// The use case over its port.
    pub fn new(users: Arc<dyn UserRepository>) -> Self {
        Self { users }
    }

    /// Reads a page. Users that are not written meanwhile come exactly once over all pages, whatever becomes of others.
    ///
    /// # Errors
    /// [`ListUsersError`]
    pub async fn execute(&self, list: &UserList, context: &RequestContext) -> Result<Page<User>, ListUsersError> {
        if list.after.as_ref().is_some_and(|position| !list.sort.accepts(position)) {
            return Err(ListUsersError::ForeignPosition);
        }
        Ok(self.users.list(list, context).await?)
    }
}

impl fmt::Debug for ListUsers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListUsers").finish_non_exhaustive()
    }
}
