use utoipa::Modify;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, Response, ResponseBuilder};

use super::access::needs_token;
use crate::rest::problem::PROBLEM_JSON;

/// Adds to every operation the errors that the conventions can answer with, so that no endpoint lists them by hand.
pub(super) struct Errors;

/// One status, why it is sent, and the headers that come with it.
type Entry = (u16, &'static str, &'static [(&'static str, &'static str)]);

const RETRY: &[(&str, &str)] = &[("Retry-After", "Seconds after which to try again")];

const EVERYWHERE: &[Entry] = &[
    (400, "The request line, a header or the query string cannot be used, or the tenant is not named", &[]),
    (421, "The request is for a host that the service does not answer for", &[]),
    (431, "The headers are too large", &[]),
    (500, "A fault in the service", &[]),
    (
        503,
        "A database is away or not at the version needed, the answer took too long, or the service is about to stop",
        RETRY,
    ),
];
const JSON: &[Entry] = &[(406, "The caller does not accept JSON", &[])];
const ITEM: &[Entry] = &[(404, "There is nothing of this name", &[])];
const TOKEN: &[Entry] = &[(
    401,
    "The request names no token, or none that counts",
    &[("WWW-Authenticate", "What is to be shown (RFC 6750, section 3)")],
)];
const TENANT: &[Entry] = &[
    (403, "The tenant is named in a header by somebody who is not trusted", &[]),
    (404, "There is no such tenant", &[]),
];
const BODY: &[Entry] = &[
    (413, "The body is too large", &[]),
    (415, "The body's media type is not supported", &[]),
    (422, "The body's values break rules; every fault is named", &[]),
];
const CREATION: &[Entry] =
    &[(409, "A unique value is taken, or a request with the same idempotency key is under way", RETRY)];
const CHANGE: &[Entry] = &[
    (409, "A unique value is taken, or the change collided with another", RETRY),
    (412, "The resource is not at a version that `If-Match` names", &[]),
    (428, "`If-Match` is missing", &[]),
];

impl Modify for Errors {
    fn modify(&self, openapi: &mut OpenApi) {
        for (path, item) in &mut openapi.paths.paths {
            let is_api = path.starts_with("/api/");
            let is_item = path.contains('{');
            for (method, operation) in operations(item) {
                let has_body = operation.request_body.is_some();
                let mut entries = vec![EVERYWHERE];
                entries.extend((is_api && method != "delete").then_some(JSON));
                entries.extend(is_item.then_some(ITEM));
                entries.extend(needs_token(path).then_some(TOKEN));
                entries.extend((is_api && !needs_token(path)).then_some(TENANT));
                entries.extend(has_body.then_some(BODY));
                entries.extend((method == "post" && !path.ends_with("/test")).then_some(CREATION));
                entries.extend(matches!(method, "put" | "patch" | "delete").then_some(CHANGE));
                for (status, description, headers) in entries.into_iter().flatten() {
                    let responses = &mut operation.responses.responses;
                    responses.entry(status.to_string()).or_insert_with(|| problem(description, headers));
                }
            }
        }
    }
}

fn problem(description: &str, headers: &[(&str, &str)]) -> RefOr<Response> {
    let content = Content::new(Some(Ref::from_schema_name("Problem")));
    let mut response = ResponseBuilder::new().description(description).content(PROBLEM_JSON, content);
    for (name, description) in headers {
        let text = ObjectBuilder::new().schema_type(Type::String).build();
        let header = HeaderBuilder::new().schema(Some(text)).description(Some(*description)).build();
        response = response.header(*name, header);
    }
    RefOr::T(response.build())
}

/// The operations of a path by their methods.
pub(super) fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    [
        ("get", item.get.as_mut()),
        ("post", item.post.as_mut()),
        ("put", item.put.as_mut()),
        ("patch", item.patch.as_mut()),
        ("delete", item.delete.as_mut()),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation?)))
}
