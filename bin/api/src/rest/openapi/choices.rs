use schema_lint::Lint;
use utoipa::Modify;
use utoipa::openapi::path::Parameter;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{OpenApi, RefOr};

use super::errors::operations;
use crate::registry::Exports;

/// Says which formats and rules there are.
pub(super) struct Choices<'a>(pub(super) &'a Exports);

impl Modify for Choices<'_> {
    fn modify(&self, openapi: &mut OpenApi) {
        let formats: Vec<&str> = self.0.formats();
        let rules: Vec<&str> = self.0.lints().all().map(Lint::id).collect();
        for (path, item) in &mut openapi.paths.paths {
            let (name, choices) = match path.rsplit('/').next() {
                Some("export") => ("format", &formats),
                Some("lint") => ("rule", &rules),
                _ => continue,
            };
            for (_, operation) in operations(item) {
                for parameter in operation.parameters.iter_mut().flatten() {
                    if let RefOr::T(parameter) = parameter
                        && parameter.name == name
                    {
                        choose(parameter, choices);
                    }
                }
            }
        }
    }
}

fn choose(parameter: &mut Parameter, choices: &[&str]) {
    if let Some(RefOr::T(Schema::Object(schema))) = &mut parameter.schema {
        schema.enum_values = Some(choices.iter().map(|choice| (*choice).into()).collect());
        schema.pattern = None;
    }
}
