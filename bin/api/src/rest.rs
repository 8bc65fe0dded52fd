//! The HTTP side: the conventions once, and the endpoints of each context.

mod accept;
pub(crate) mod access;
pub(crate) mod audit;
pub mod books;
pub mod connections;
mod conventions;
mod cors;
mod documents;
mod etag;
mod file_name;
mod freshness;
mod health;
mod hosts;
mod id;
mod idempotency;
mod in_pieces;
mod instant;
mod json;
mod limits;
pub mod openapi;
mod paging;
pub mod problem;
mod query;
mod read_only;
mod resource;
mod scope;
mod tenant;
pub mod users;
mod versions;

pub use cors::{Cors, is_origin};
pub use limits::Limits;
pub use resource::Resource;
pub use tenant::{HostPattern, Network};

pub(crate) use conventions::conventions;
pub(crate) use documents::Description;
pub(crate) use hosts::{AllowedHosts, is_host};
pub(crate) use resource::nothing_here;
pub(crate) use tenant::Tenancy;

/// Every resource of the service; `docs` says whether the documentation is among them.
pub fn resources(docs: bool) -> Vec<Resource> {
    let mut resources = users::resources();
    resources.extend(books::resources());
    resources.extend(connections::resources());
    resources.extend(health::resources());
    resources.push(documents::problem_pages());
    if docs {
        resources.extend(documents::resources());
    }
    resources
}
