use utoipa::Modify;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{OpenApi, RefOr, Required};

use super::errors::operations;

const FRESHNESS: &str = "Bindery-Freshness";

/// Adds the headers that the conventions read: versions on items, idempotency keys on creations, and everywhere how recent the
/// data must be; to answers to changes, the last.
pub(super) struct Preconditions;

impl Modify for Preconditions {
    fn modify(&self, openapi: &mut OpenApi) {
        for (path, item) in &mut openapi.paths.paths {
            if !path.starts_with("/api/") {
                continue;
            }
            for (method, operation) in operations(item) {
                let answers = |status: &str| operation.responses.responses.contains_key(status);
                let header = match method {
                    "get" if answers("304") => Some(if_none_match()),
                    "put" | "patch" | "delete" => Some(if_match()),
                    "post" if answers("201") => Some(idempotency_key()),
                    _ => None,
                };
                let parameters = operation.parameters.get_or_insert_default();
                parameters.extend(header.map(Into::into));
                parameters.push(freshness().into());
                if method != "get" {
                    give_freshness(operation);
                }
            }
        }
    }
}

fn header(name: &str, required: Required, description: &str, schema: ObjectBuilder) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(required)
        .description(Some(description))
        .schema(Some(schema.schema_type(Type::String).build()))
        .build()
}

fn tags() -> ObjectBuilder {
    ObjectBuilder::new().format(Some(SchemaFormat::Custom("entity-tags".to_owned()))).examples(["\"r1-v1\""])
}

fn if_match() -> Parameter {
    let text = "The `ETag` that the change is based on; a list of them, or `*`. Weak tags never match.";
    header("If-Match", Required::True, text, tags())
}

fn if_none_match() -> Parameter {
    let text = "The `ETag` of the representation that the caller has; 304 is the answer when it is the present one.";
    header("If-None-Match", Required::False, text, tags())
}

fn idempotency_key() -> Parameter {
    let text = "A name for this very request, for 24 hours: sent again, it creates nothing and is answered the same.";
    let schema = ObjectBuilder::new()
        .min_length(Some(1))
        .max_length(Some(255))
        .pattern(Some("^[!-~]+$"))
        .format(Some(SchemaFormat::Custom("idempotency-key".to_owned())));
    header("Idempotency-Key", Required::False, text, schema)
}

fn freshness() -> Parameter {
    let text =
        "What the answer to an earlier change gave: the request sees that change, also where replicas serve reads.";
    let schema = ObjectBuilder::new().format(Some(SchemaFormat::Custom("freshness-token".to_owned())));
    header(FRESHNESS, Required::False, text, schema)
}

/// Says of the answers to a change that went well what they give.
fn give_freshness(operation: &mut Operation) {
    let text = "What later requests show to see this change; there where the data has replicas";
    for (status, response) in &mut operation.responses.responses {
        if let (true, RefOr::T(response)) = (status.starts_with('2'), response) {
            let schema = ObjectBuilder::new().schema_type(Type::String).build();
            let header = HeaderBuilder::new().description(Some(text)).schema(Some(schema)).build();
            response.headers.insert(FRESHNESS.to_owned(), RefOr::T(header));
        }
    }
}
