use std::fmt::Write as _;

use schema_model::Database;

use crate::diagram::{Diagram, Entity, Link};
use crate::exporter::not_drawn;
use crate::text::{visible, visible_object, xml};
use crate::{Export, ExportError, Exporter};

/// Graphviz's language (<https://graphviz.org/doc/info/lang.html>): a node for each table, a port for each column, an edge for each
/// foreign key from its first column, with crow's feet.
///
/// To Graphviz a backslash is the beginning of something in every text, so that there are more of them than are shown.
#[derive(Debug, Clone, Copy, Default)]
pub struct DotExporter;

impl Exporter for DotExporter {
    fn format(&self) -> &'static str {
        "dot"
    }

    fn media_type(&self) -> &'static str {
        "text/vnd.graphviz"
    }

    fn file_extension(&self) -> &'static str {
        "dot"
    }

    fn export(&self, database: &Database) -> Result<Export, ExportError> {
        let diagram = Diagram::of(database);
        let mut text = "digraph schema {\n  graph [rankdir=RL]\n  node [shape=plain, fontname=\"Helvetica\"]\n  \
                        edge [dir=both]\n"
            .to_owned();
        for (number, entity) in (1..).zip(&diagram.entities) {
            let _ = writeln!(text, "  t{number} [label=<{}>]", table(entity));
        }
        for link in &diagram.links {
            let _ = writeln!(text, "  {}", edge(&diagram, link));
        }
        text.push_str("}\n");
        Ok(Export { text, omissions: not_drawn(database) })
    }
}

fn table(entity: &Entity<'_>) -> String {
    let mut rows = format!("<tr><td bgcolor=\"#dddddd\"><b>{}</b></td></tr>", cell(&visible_object(&entity.name)));
    for (number, attribute) in (1..).zip(&entity.attributes) {
        let marks = [(attribute.primary, " PK"), (attribute.foreign, " FK"), (attribute.unique, " U")];
        let marks: String = marks.iter().filter(|(is, _)| *is).map(|(_, mark)| *mark).collect();
        let column = attribute.column;
        let required = if column.nullable { "" } else { " *" };
        let kind = cell(&visible(&column.data_type.text));
        let name = cell(&visible(&column.name));
        let _ = write!(rows, "<tr><td port=\"c{number}\" align=\"left\">{name}{required} {kind}{marks}</td></tr>");
    }
    format!("<table border=\"0\" cellborder=\"1\" cellspacing=\"0\">{rows}</table>")
}

/// A text in a label of HTML, where two backslashes are one.
fn cell(text: &str) -> String {
    xml(text).replace('\\', "\\\\")
}

/// A text in quotes, of which the references of HTML are read as well. The quotes leave the backslashes to the label, where two are
/// one, and so does the label to the picture.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\\\\\").replace('&', "&amp;").replace('"', "\\\""))
}

fn edge(diagram: &Diagram<'_>, link: &Link<'_>) -> String {
    let port = |entity: usize, column: Option<&String>| {
        let place = column.and_then(|column| diagram.entities[entity].place(column));
        place.map_or(format!("t{}", entity + 1), |place| format!("t{}:c{}", entity + 1, place + 1))
    };
    let pair = link.key.columns.first();
    let tail = port(link.child, pair.map(|pair| &pair.column));
    let head = port(link.parent, pair.map(|pair| &pair.references));
    let at_child = if link.many { "crowodot" } else { "teeodot" };
    let at_parent = if link.optional { "teeodot" } else { "teetee" };
    let label = quoted(&visible(&link.label()));
    format!("{tail} -> {head} [arrowtail={at_child}, arrowhead={at_parent}, tooltip={label}]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn graphviz_reads_what_is_to_be_seen() {
        // Version 2.43 shows `a\\b`, `a\nb` and `&lt;` of these.
        assert_eq!(cell(&visible("a\\b")), r"a\\\\b");
        assert_eq!(cell(&visible("a\nb")), r"a\\nb");
        assert_eq!(cell("&lt;"), "&amp;lt;");
        assert_eq!(quoted(&visible("a\nb")), r#""a\\\\nb""#);
        assert_eq!(quoted("&lt;"), r#""&amp;lt;""#);
        assert_eq!(quoted("a\"b"), r#""a\"b""#);
    }
}
