//! `/api/v1/connections/{id}/snapshots`: one endpoint a file.

pub(crate) mod delete;
pub(crate) mod export;
pub(crate) mod lint;
pub(crate) mod list;
pub(crate) mod read;
pub(crate) mod take;
pub(crate) mod wire;

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use registry_context::application::{DeleteSnapshot, ListSnapshots, ReadSnapshot, TakeSnapshot};
use registry_context::domain::{ConnectionId, SnapshotId};

use crate::rest::id::path_id;
use crate::rest::problem::Problem;

pub(super) const COLLECTION: &str = "/api/v1/connections/{id}/snapshots";
pub(super) const ITEM: &str = "/api/v1/connections/{id}/snapshots/{snapshot}";
pub(super) const EXPORT: &str = "/api/v1/connections/{id}/snapshots/{snapshot}/export";
pub(super) const LINT: &str = "/api/v1/connections/{id}/snapshots/{snapshot}/lint";

/// The use cases behind the endpoints.
#[derive(Debug, Clone)]
pub(crate) struct Snapshots {
    pub(crate) take: TakeSnapshot,
    pub(crate) list: ListSnapshots,
    pub(crate) read: ReadSnapshot,
    pub(crate) delete: DeleteSnapshot,
}

/// The `{id}` and the `{snapshot}` of the path. What is no UUID names nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PathIds {
    connection: ConnectionId,
    snapshot: SnapshotId,
}

impl FromRequest for PathIds {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let ids = path_id(request, "id").zip(path_id(request, "snapshot"));
        let ids = ids.map(|(connection, snapshot)| Self { connection, snapshot });
        ready(ids.ok_or_else(|| Problem::not_found("resource")))
    }
}
