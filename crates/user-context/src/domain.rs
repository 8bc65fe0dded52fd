//! What a user is, and the port through which users are kept.

mod email;
mod list;
mod repository;
mod status;
mod user;
mod user_name;

pub use email::{Email, EmailError};
pub use list::{UserFilter, UserList, UserSort};
pub use repository::{AddUserError, UpdateUserError, UserRepository};
pub use status::{UnknownUserStatus, UserStatus};
pub use user::{User, UserId, UserRecord};
pub use user_name::{UserName, UserNameError};
