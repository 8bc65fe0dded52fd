use schema_model::Database;

use crate::{Export, ExportError, Exporter};

/// The model itself, as its canonical JSON (RFC 8785): nothing is left out, and what could not be read says so in its place.
#[derive(Debug, Clone, Copy, Default)]
pub struct JsonExporter;

impl Exporter for JsonExporter {
    fn format(&self) -> &'static str {
        "json"
    }

    fn media_type(&self) -> &'static str {
        "application/json"
    }

    fn file_extension(&self) -> &'static str {
        "json"
    }

    fn export(&self, database: &Database) -> Result<Export, ExportError> {
        Ok(Export { text: database.canonical_json(), omissions: Vec::new() })
    }
}
