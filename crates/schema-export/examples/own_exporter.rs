//! An exporter of one's own, beside those that are there: the columns of each table as lines of comma-separated values.

use std::sync::Arc;

use schema_export::{Export, ExportError, Exporter, Exporters};
use schema_model::{Database, Namespace, Native, Relation, RelationKind};

struct Csv;

impl Exporter for Csv {
    fn format(&self) -> &'static str {
        "csv"
    }

    fn media_type(&self) -> &'static str {
        "text/csv"
    }

    fn file_extension(&self) -> &'static str {
        "csv"
    }

    fn export(&self, database: &Database) -> Result<Export, ExportError> {
        // RFC 4180: quotes around everything, and those within twice.
        let cell = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let mut text = String::from("namespace,relation,column,type\r\n");
        for (name, relation) in database.relations() {
            for column in &relation.columns {
                let cells = [&name.namespace, &name.name, &column.name, &column.data_type.text].map(|text| cell(text));
                text.push_str(&cells.join(","));
                text.push_str("\r\n");
            }
        }
        Ok(Export { text, omissions: Vec::new() })
    }
}

#[expect(clippy::print_stdout, reason = "what is made here is to be seen")]
fn main() -> Result<(), ExportError> {
    let mut namespace = Namespace::new("public");
    namespace.relations.push(Relation::new("books", RelationKind::Table));
    let database = Database {
        engine: "postgres".to_owned(),
        version: "15.18".to_owned(),
        name: "shop".to_owned(),
        comment: None,
        character_set: None,
        collation: None,
        namespaces: vec![namespace],
        extensions: Vec::new(),
        native_objects: Vec::new(),
        native: Native::new(),
    };
    let exporters = Exporters::builtin().register(Arc::new(Csv));
    for format in exporters.formats() {
        println!("== {format}\n{}", exporters.export(format, &database)?.text);
    }
    Ok(())
}
