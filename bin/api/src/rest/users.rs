//! `/api/v1/users`: one endpoint a file.

pub(crate) mod create;
pub(crate) mod delete;
mod errors;
pub(crate) mod list;
pub(crate) mod patch;
pub(crate) mod read;
pub(crate) mod replace;
pub(crate) mod wire;

use std::sync::Arc;

use actix_web::http::Method;
use shared_kernel::{Clock, IdGenerator};
use user_context::application::{CreateUser, DeleteUser, ListUsers, PatchUser, ReadUser, ReplaceUser};
use user_context::domain::UserRepository;

use super::resource::Resource;

const COLLECTION: &str = "/api/v1/users";
const ITEM: &str = "/api/v1/users/{id}";

/// The use cases behind the endpoints.
#[derive(Debug, Clone)]
pub struct Users {
    pub(crate) create: CreateUser,
    pub(crate) read: ReadUser,
    pub(crate) list: ListUsers,
    pub(crate) replace: ReplaceUser,
    pub(crate) patch: PatchUser,
    pub(crate) delete: DeleteUser,
}

impl Users {
    /// The use cases over their ports.
    pub fn new(users: &Arc<dyn UserRepository>, clock: &Arc<dyn Clock>, ids: &Arc<dyn IdGenerator>) -> Self {
        Self {
            create: CreateUser::new(users.clone(), clock.clone(), ids.clone()),
            read: ReadUser::new(users.clone()),
            list: ListUsers::new(users.clone()),
            replace: ReplaceUser::new(users.clone(), clock.clone()),
            patch: PatchUser::new(users.clone(), clock.clone()),
            delete: DeleteUser::new(users.clone()),
        }
    }
}

/// The resources of this module.
pub(crate) fn resources() -> Vec<Resource> {
    vec![
        Resource::at(COLLECTION).get(list::list_users).on(Method::POST, create::create_user),
        Resource::at(ITEM)
            .get(read::read_user)
            .on(Method::PUT, replace::replace_user)
            .on(Method::PATCH, patch::patch_user)
            .on(Method::DELETE, delete::delete_user),
    ]
}
