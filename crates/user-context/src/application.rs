//! What can be done with users: one use case a file.
//!
//! Every use case takes its ports in the constructor and has one method, `execute`. Dropping its future is safe: a
//! write took effect as a whole or not at all.

mod change;
mod create_user;
mod delete_user;
mod patch_user;
mod queries;
mod replace_user;
#[cfg(test)]
mod test_support;

pub use change::ChangeUserError;
pub use create_user::{CreateUser, CreateUserCommand, CreateUserError};
pub use delete_user::{DeleteUser, DeleteUserCommand, DeleteUserError};
pub use patch_user::{PatchUser, PatchUserCommand};
pub use queries::{ListUsers, ListUsersError, ReadUser, ReadUserError};
pub use replace_user::{ReplaceUser, ReplaceUserCommand};
