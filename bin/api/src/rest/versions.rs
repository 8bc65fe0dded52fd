//! Which version a change may be based on.

use std::future::Future;

use serde::Serialize;
use shared_kernel::Version;

use super::etag::IfMatch;
use super::problem::{Problem, ProblemKind};
use super::read_only::ReadOnly;

/// Something that has versions and a representation.
pub(crate) trait Versioned {
    /// How it goes over the wire.
    type Body: Serialize;

    /// The version it is at.
    fn version(&self) -> Version;

    /// Its representation.
    fn body(&self) -> Self::Body;
}

/// The version that a change may be based on.
///
/// One named version needs no look at the resource: the change itself compares. Anything else (a list, `*`, fields that
/// must be as they were) is decided on the resource as it is, and the change then holds on to that version.
///
/// # Errors
/// What `read` fails with; `precondition-failed`; `validation` for read-only fields that differ.
pub(crate) async fn expected<R: Versioned, E: Into<Problem>>(
    if_match: &IfMatch,
    read_only: &ReadOnly,
    read: impl Future<Output = Result<R, E>>,
) -> Result<Version, Problem> {
    if let (Some(version), true) = (if_match.only(), read_only.is_empty()) {
        return Ok(version);
    }
    let present = read.await.map_err(Into::into)?;
    if !if_match.allows(present.version()) {
        return Err(stale());
    }
    read_only.check(&present.body())?;
    Ok(present.version())
}

/// The answer when the caller's version is not the present one.
pub(crate) fn stale() -> Problem {
    let detail = "the resource is not, or no longer, at a version that `If-Match` names";
    Problem::new(ProblemKind::PreconditionFailed, detail)
}
