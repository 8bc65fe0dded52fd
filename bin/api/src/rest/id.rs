//! Identifiers in paths.

use std::future::{Ready, ready};
use std::str::FromStr;

use actix_web::{FromRequest, HttpRequest, dev::Payload};

use super::problem::Problem;

/// The `{id}` of the path. What is no UUID in its usual form names nothing, and the answer is 404.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PathId<T>(pub(crate) T);

impl<T: FromStr + 'static> FromRequest for PathId<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(path_id(request, "id").map(Self).ok_or_else(|| Problem::not_found("resource")))
    }
}

/// The identifier that stands in the path's segment `name`.
pub(crate) fn path_id<T: FromStr>(request: &HttpRequest, name: &str) -> Option<T> {
    // 36 characters is the form with hyphens (RFC 9562, section 4); the parser would take others too.
    request.match_info().get(name).filter(|text| text.len() == 36).and_then(|text| text.parse().ok())
}
