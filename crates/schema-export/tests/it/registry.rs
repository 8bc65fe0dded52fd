use std::sync::Arc;

use schema_export::{Export, ExportError, Exporter, Exporters};
use schema_model::Database;

use super::postgres;

struct Names;

impl Exporter for Names {
    fn format(&self) -> &'static str {
        "json"
    }

    fn media_type(&self) -> &'static str {
        "text/plain"
    }

    fn file_extension(&self) -> &'static str {
        "txt"
    }

    fn export(&self, database: &Database) -> Result<Export, ExportError> {
        Ok(Export { text: database.name.clone(), omissions: Vec::new() })
    }
}

#[test]
fn there_are_eight_formats_each_with_a_type_and_an_extension() {
    let exporters = Exporters::builtin();
    assert_eq!(exporters.formats(), ["json", "sql", "mermaid", "dbml", "plantuml", "dot", "markdown", "svg"]);
    for format in exporters.formats() {
        let exporter = exporters.get(format).expect("an exporter");
        assert!(exporter.media_type().contains('/') && !exporter.file_extension().is_empty(), "{format}");
    }
}

#[test]
fn one_from_outside_counts_before_a_built_in_one() {
    let exporters = Exporters::builtin().register(Arc::new(Names));
    assert_eq!(exporters.formats().len(), 8);
    assert_eq!(exporters.export("json", &postgres()).expect("written").text, "sample");
}

#[test]
fn what_nobody_writes_is_refused() {
    assert_eq!(
        Exporters::builtin().export("pdf", &postgres()).expect_err("refused"),
        ExportError::UnknownFormat("pdf".to_owned())
    );
    let mut database = postgres();
    "oracle".clone_into(&mut database.engine);
    let error = Exporters::builtin().export("sql", &database).expect_err("refused");
    assert_eq!(error.to_string(), "format `sql` is not written for engine `oracle`");
}
