use utoipa::Modify;
use utoipa::openapi::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};

use super::errors::operations;

/// The scheme's name in the document.
const SCHEME: &str = "token";

/// Says where a token is needed.
pub(super) struct Access;

/// Whether it is needed at a path.
pub(super) fn needs_token(path: &str) -> bool {
    path.starts_with("/api/v1/connections")
}

impl Modify for Access {
    fn modify(&self, openapi: &mut OpenApi) {
        let text = "A token that the operator has given you (RFC 6750).";
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(text)).build();
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme(SCHEME, SecurityScheme::Http(scheme));
        for (path, item) in &mut openapi.paths.paths {
            if !needs_token(path) {
                continue;
            }
            for (_, operation) in operations(item) {
                operation.security = Some(vec![SecurityRequirement::new(SCHEME, Vec::<String>::new())]);
            }
        }
    }
}
