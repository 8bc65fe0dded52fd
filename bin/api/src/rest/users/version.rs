use shared_kernel::{RequestContext, Version};
use user_context::domain::UserId;

use super::Users;
use super::errors::stale;
use super::wire::UserBody;
use crate::rest::etag::IfMatch;
use crate::rest::problem::Problem;
use crate::rest::read_only::ReadOnly;

/// The version that a change may be based on.
///
/// One named version needs no look at the user: the change itself compares. Anything else (a list, `*`, fields that
/// must be as they were) is decided on the user as it is, and the change then holds on to that version.
pub(super) async fn expected(
    users: &Users,
    id: UserId,
    if_match: &IfMatch,
    read_only: &ReadOnly,
    context: &RequestContext,
) -> Result<Version, Problem> {
    if let (Some(version), true) = (if_match.only(), read_only.is_empty()) {
        return Ok(version);
    }
    let user = users.read.execute(id, context).await?;
    if !if_match.allows(user.version()) {
        return Err(stale());
    }
    read_only.check(&UserBody::from(&user))?;
    Ok(user.version())
}
