//! Which version a change may be based on.

use serde::Serialize;
use shared_kernel::Version;

use super::etag::IfMatch;
use super::problem::{Problem, ProblemKind};
use super::read_only::ReadOnly;

/// Something that has versions and a representation.
pub(crate) trait Versioned {
    /// How it goes over the wire.
    type Body<'a>: Serialize
    where
        Self: 'a;

    /// The version it is at.
    fn version(&self) -> Version;

    /// Its representation.
    fn body(&self) -> Self::Body<'_>;
}

/// How often a change that may be based on whatever version is tried again because another writer came first.
const ATTEMPTS: usize = 20;

/// Makes a change that is based on a version which `If-Match` allows.
///
/// One named version needs no look at the resource: the change itself compares. Anything else (a list, `*`, fields that
/// must be as they were) is decided on the resource as it is, and the change then holds on to that version. When another
/// writer comes in between, the resource as it is now decides again, so that `*` never fails for having been overtaken.
///
/// # Errors
/// What `read` and `change` fail with; `precondition-failed`; `validation` for read-only fields that differ;
/// `write-conflict` when other writers were first every time.
pub(crate) async fn change<R, E, T, F>(
    if_match: &IfMatch,
    read_only: &ReadOnly,
    read: impl AsyncFn() -> Result<R, E>,
    change: impl AsyncFn(Version) -> Result<T, F>,
) -> Result<T, Problem>
where
    R: Versioned,
    E: Into<Problem>,
    F: Into<Problem>,
{
    if let (Some(version), true) = (if_match.only(), read_only.is_empty()) {
        return change(version).await.map_err(Into::into);
    }
    for _ in 0..ATTEMPTS {
        let present = read().await.map_err(Into::into)?;
        if !if_match.allows(present.version()) {
            return Err(stale());
        }
        read_only.check(&present.body())?;
        match change(present.version()).await.map_err(Into::into) {
            Err(problem) if problem.kind() == ProblemKind::PreconditionFailed => {}
            outcome => return outcome,
        }
    }
    Err(Problem::new(
        ProblemKind::WriteConflict,
        "other writers changed the resource each time; send the request again",
    ))
}

/// The answer when the caller's version is not the present one.
pub(crate) fn stale() -> Problem {
    let detail = "the resource is not, or no longer, at a version that `If-Match` names";
    Problem::new(ProblemKind::PreconditionFailed, detail)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use serde_json::Value;

    use super::*;

    /// A resource that is at a version.
    struct At(Version);

    impl Versioned for At {
        type Body<'a> = Value;

        fn version(&self) -> Version {
            self.0
        }

        fn body(&self) -> Value {
            Value::Null
        }
    }

    fn version(number: i64) -> Version {
        Version::try_new(number).expect("at least 1")
    }

    /// Changes a resource that other writers change `overtaken` times between the look and the change.
    async fn outcome(if_match: &IfMatch, overtaken: i64) -> Result<i64, ProblemKind> {
        let at = Cell::new(1);
        let read = async || Ok::<_, Problem>(At(version(at.get())));
        let write = async |expected: Version| {
            if at.get() <= overtaken {
                at.set(at.get() + 1);
            }
            if expected == version(at.get()) { Ok(at.get()) } else { Err(stale()) }
        };
        change(if_match, &ReadOnly::default(), read, write).await.map_err(|problem| problem.kind())
    }

    #[actix_web::test]
    async fn any_version_is_enough_however_often_others_come_first() {
        assert_eq!(outcome(&IfMatch::Any, 0).await, Ok(1));
        assert_eq!(outcome(&IfMatch::Any, 5).await, Ok(6));
        assert_eq!(outcome(&IfMatch::Any, 1_000).await, Err(ProblemKind::WriteConflict));
    }

    #[actix_web::test]
    async fn a_named_version_that_was_overtaken_is_stale() {
        let stale = Err(ProblemKind::PreconditionFailed);
        assert_eq!(outcome(&IfMatch::Versions(vec![version(1)]), 1).await, stale);
        assert_eq!(outcome(&IfMatch::Versions(vec![version(1), version(2)]), 1).await, Ok(2));
        assert_eq!(outcome(&IfMatch::Versions(vec![version(1), version(2)]), 2).await, stale);
    }
}
