use async_trait::async_trait;
use shared_kernel::database::DatabaseError;
use shared_kernel::idempotency::{IdempotencyError, Receipt, Stored};
use shared_kernel::paging::Page;
use shared_kernel::{RequestContext, Version};

use super::{User, UserId, UserList};

/// Where users are kept.
///
/// Cancelling a call: reads have no effect; a write either took effect as a whole or not at all.
#[async_trait]
pub trait UserRepository: Send + Sync {
    /// The user of this id, perhaps as a replica knows it.
    async fn find(&self, id: UserId, context: &RequestContext) -> Result<Option<User>, DatabaseError>;

    /// The user of this id in its present state, to be changed.
    async fn load(&self, id: UserId, context: &RequestContext) -> Result<Option<User>, DatabaseError>;

    /// A page of a list. The list's position fits its order.
    async fn list(&self, list: &UserList, context: &RequestContext) -> Result<Page<User>, DatabaseError>;

    /// Keeps a new user, together with the receipt of the request that asked for it.
    async fn add(
        &self,
        user: &User,
        receipt: Option<&Receipt>,
        context: &RequestContext,
    ) -> Result<Stored, AddUserError>;

    /// Keeps a changed user, if it is still at version `expected`. `false`: it is not, and nothing was written.
    async fn update(&self, user: &User, expected: Version, context: &RequestContext) -> Result<bool, UpdateUserError>;

    /// Forgets a user, if it is still at version `expected`. `false`: it is not, and nothing was deleted.
    async fn remove(&self, id: UserId, expected: Version, context: &RequestContext) -> Result<bool, DatabaseError>;
}

/// Why a new user is not kept.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AddUserError {
    /// Another user has the e-mail address.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// The receipt's key cannot be served.
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    /// The database failed.
    #[error("the user could not be written")]
    Database(#[from] DatabaseError),
}

/// Why a changed user is not kept.
#[derive(Debug, Clone, thiserror::Error)]
pub enum UpdateUserError {
    /// Another user has the e-mail address.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// The database failed.
    #[error("the user could not be written")]
    Database(#[from] DatabaseError),
}
