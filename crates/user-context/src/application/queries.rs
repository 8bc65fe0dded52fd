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

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use shared_kernel::paging::{Position, SortKey};
    use uuid::Uuid;

    use super::*;
    use crate::application::test_support::{Bench, Fault};
    use crate::domain::UserSort;

    #[tokio::test]
    async fn a_user_is_read_or_said_to_be_absent() {
        let bench = Bench::default();
        let ann = bench.ann().await;
        let read = ReadUser::new(bench.users.clone());
        assert_eq!(read.execute(ann.id(), &bench.context).await.expect("she is there"), ann);
        let absent = read.execute(UserId::new(Uuid::nil()), &bench.context).await;
        assert_eq!(absent.expect_err("nobody").to_string(), "there is no user 00000000-0000-0000-0000-000000000000");
        assert_eq!(format!("{read:?}"), "ReadUser { .. }");
    }

    #[tokio::test]
    async fn a_position_of_another_list_is_refused() {
        let bench = Bench::default();
        let ann = bench.ann().await;
        let list_users = ListUsers::new(bench.users.clone());
        let page = list_users.execute(&UserList::default(), &bench.context).await.expect("a page");
        assert_eq!(page.items, [ann]);
        let after = Some(Position { key: Some(SortKey::Instant(DateTime::UNIX_EPOCH)), id: Uuid::nil() });
        let list = UserList { sort: UserSort::Name, after, ..UserList::default() };
        let refused = list_users.execute(&list, &bench.context).await;
        assert!(matches!(refused, Err(ListUsersError::ForeignPosition)), "{refused:?}");
        let list = UserList { sort: UserSort::CreatedAt, ..list };
        assert!(list_users.execute(&list, &bench.context).await.is_ok());
        assert_eq!(format!("{list_users:?}"), "ListUsers { .. }");
    }

    #[tokio::test]
    async fn a_database_that_is_away_is_said_to_be() {
        let bench = Bench::default();
        bench.users.fail_with(Fault::Away);
        let list = ListUsers::new(bench.users.clone()).execute(&UserList::default(), &bench.context).await;
        assert!(matches!(&list, Err(ListUsersError::Database(error)) if error.is_unavailable()), "{list:?}");
        let read = ReadUser::new(bench.users.clone()).execute(UserId::new(Uuid::nil()), &bench.context).await;
        assert!(matches!(&read, Err(ReadUserError::Database(error)) if error.is_unavailable()), "{read:?}");
    }
}
