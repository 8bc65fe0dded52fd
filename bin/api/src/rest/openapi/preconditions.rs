use utoipa::Modify;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, SchemaFormat, Type};
use utoipa::openapi::{OpenApi, Required};

use super::errors::operations;

/// Adds the headers that the conventions read: versions on items, idempotency keys on creations.
pub(super) struct Preconditions;

impl Modify for Preconditions {
    fn modify(&self, openapi: &mut OpenApi) {
        for (path, item) in &mut openapi.paths.paths {
            if !path.starts_with("/api/") {
                continue;
            }
            let is_item = path.contains('{');
            for (method, operation) in operations(item) {
                let header = match method {
                    "get" if is_item => if_none_match(),
                    "put" | "patch" | "delete" => if_match(),
                    "post" => idempotency_key(),
                    _ => continue,
                };
                operation.parameters.get_or_insert_default().push(header.into());
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
