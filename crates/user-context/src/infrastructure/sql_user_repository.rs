use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use shared_kernel::database::{Access, Connections, DatabaseConnection, DatabaseError};
use shared_kernel::idempotency::{Receipt, ReceiptTable, StoreError, Stored, store};
use shared_kernel::paging::Page;
use shared_kernel::{RequestContext, Version};

use super::{rows, statements};
use crate::domain::{AddUserError, UpdateUserError, User, UserId, UserList, UserRepository};

/// Users in the table `users` of a SQL database.
///
/// The only unique key of the table beside the primary key is the folded e-mail address, so that every unique
/// violation is a taken address: engines do not agree on whether and how they tell a constraint's name.
#[derive(Clone)]
pub struct SqlUserRepository {
    connections: Arc<dyn Connections>,
    connection: Arc<str>,
}

impl SqlUserRepository {
    /// Where the receipts of creations are kept, for whoever sweeps them.
    pub const RECEIPTS: ReceiptTable = ReceiptTable::named("user_receipts");

    /// A repository over the connection of the given name.
    pub fn new(connections: Arc<dyn Connections>, connection: &str) -> Self {
        Self { connections, connection: connection.into() }
    }

    async fn connection(
        &self,
        access: Access,
        context: &RequestContext,
    ) -> Result<Arc<dyn DatabaseConnection>, DatabaseError> {
        self.connections.get(&self.connection, access, context).await
    }

    async fn read(&self, id: UserId, access: Access, context: &RequestContext) -> Result<Option<User>, DatabaseError> {
        let connection = self.connection(access, context).await?;
        let sql = connection.sql()?;
        let row = sql.query_one(&statements::select_by_id(id, sql.dialect()), context).await?;
        row.as_ref().map(rows::user).transpose()
    }
}

#[async_trait]
impl UserRepository for SqlUserRepository {
    async fn find(&self, id: UserId, context: &RequestContext) -> Result<Option<User>, DatabaseError> {
        self.read(id, Access::Read, context).await
    }

    async fn load(&self, id: UserId, context: &RequestContext) -> Result<Option<User>, DatabaseError> {
        self.read(id, Access::Write, context).await
    }

    async fn list(&self, list: &UserList, context: &RequestContext) -> Result<Page<User>, DatabaseError> {
        let connection = self.connection(Access::Read, context).await?;
        let sql = connection.sql()?;
        let dialect = sql.dialect();
        let select = statements::select_list(&list.filter);
        let rows = statements::keyset(list).read(sql, &select, list.after.as_ref(), list.limit, context).await?;
        Page::cut(rows, list.limit, |last| rows::position(last, list.sort, dialect)).try_map(|row| rows::user(&row))
    }

    async fn add(
        &self,
        user: &User,
        receipt: Option<&Receipt>,
        context: &RequestContext,
    ) -> Result<Stored, AddUserError> {
        let connection = self.connection(Access::Write, context).await?;
        let sql = connection.sql()?;
        let receipt = receipt.map(|receipt| (Self::RECEIPTS, receipt));
        store(sql, receipt, &[statements::insert(user, sql.dialect())], context).await.map_err(|error| match error {
            StoreError::Database(error) if error.is_unique_violation() => AddUserError::EmailTaken,
            StoreError::Database(error) => error.into(),
            StoreError::Idempotency(error) => error.into(),
        })
    }

    async fn update(&self, user: &User, expected: Version, context: &RequestContext) -> Result<bool, UpdateUserError> {
        let connection = self.connection(Access::Write, context).await?;
        let sql = connection.sql()?;
        match sql.execute(&statements::update(user, expected, sql.dialect()), context).await {
            Ok(rows) => Ok(rows > 0),
            Err(error) if error.is_unique_violation() => Err(UpdateUserError::EmailTaken),
            Err(error) => Err(error.into()),
        }
    }

    async fn remove(&self, id: UserId, expected: Version, context: &RequestContext) -> Result<bool, DatabaseError> {
        let connection = self.connection(Access::Write, context).await?;
        let sql = connection.sql()?;
        Ok(sql.execute(&statements::delete(id, expected, sql.dialect()), context).await? > 0)
    }
}

impl fmt::Debug for SqlUserRepository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlUserRepository").field("connection", &self.connection).finish_non_exhaustive()
    }
}
