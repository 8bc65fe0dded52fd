mod boxes;
mod graph;
mod line;
mod order;
mod place;

use std::fmt::Write as _;

use schema_model::Database;

use self::boxes::{Box, HEADER, ROW, Shown};
use self::graph::Edge;
use self::line::Ports;
use crate::diagram::{Diagram, Link};
use crate::exporter::not_drawn;
use crate::text::{columns, visible, visible_object, xml};
use crate::{Export, ExportError, Exporter};

/// An entity-relationship diagram as SVG 1.1, drawn here: tables in layers, those that are referred to on the left, a line with
/// crow's feet for each foreign key, what hangs together side by side. Views are not shown; parts of a table are the table.
///
/// It has no script and loads nothing. It may stand in the midst of a page of HTML: it has no identifiers, its classes begin with
/// `erd-`, and its style is about what is in an element of class `bindery-erd` alone.
#[derive(Debug, Clone, Copy)]
pub struct SvgExporter {
    keys_only_beyond: usize,
}

impl Default for SvgExporter {
    /// Beyond 60 tables, only the columns of keys are shown.
    fn default() -> Self {
        Self { keys_only_beyond: 60 }
    }
}

impl SvgExporter {
    /// Shows the columns of keys alone where there are more tables than that.
    #[must_use]
    pub fn keys_only_beyond(self, tables: usize) -> Self {
        Self { keys_only_beyond: tables }
    }
}

impl Exporter for SvgExporter {
    fn format(&self) -> &'static str {
        "svg"
    }

    fn media_type(&self) -> &'static str {
        "image/svg+xml"
    }

    fn file_extension(&self) -> &'static str {
        "svg"
    }

    fn export(&self, database: &Database) -> Result<Export, ExportError> {
        let diagram = Diagram::of(database);
        let keys_only = diagram.entities.len() > self.keys_only_beyond;
        Ok(Export { text: drawn(database, &diagram, keys_only), omissions: not_drawn(database) })
    }
}

/// Colours that can be told apart on paper, and of a terminal's font, whose letters are all equally wide.
const STYLE: &str = "\
.bindery-erd .erd-paper{fill:#fff}\
.bindery-erd .erd-box{fill:#fff;stroke:#5b6573}\
.bindery-erd .erd-head{fill:#e4e9f0;stroke:#5b6573}\
.bindery-erd .erd-stub{fill:#fff;stroke:#5b6573;stroke-dasharray:4 3}\
.bindery-erd text{font:12px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#1c2430}\
.bindery-erd .erd-name{font-weight:bold}\
.bindery-erd .erd-type,.bindery-erd .erd-mark,.bindery-erd .erd-note{fill:#5b6573}\
.bindery-erd .erd-mark{font-size:9px}\
.bindery-erd .erd-key{text-decoration:underline}\
.bindery-erd .erd-link path{fill:none;stroke:#38598b}\
.bindery-erd .erd-link circle{fill:#fff;stroke:#38598b}\
.bindery-erd .erd-loose path{stroke-dasharray:5 3}\
.bindery-erd .erd-link:hover path{stroke:#c2410c;stroke-width:2}";

fn drawn(database: &Database, diagram: &Diagram<'_>, keys_only: bool) -> String {
    let boxes: Vec<Box> = diagram.entities.iter().map(|entity| Box::of(entity, keys_only)).collect();
    let sizes: Vec<(f64, f64)> = boxes.iter().map(|one| (one.width, one.height)).collect();
    let ports = Ports::of(diagram, &boxes);
    let edges: Vec<Edge> = diagram
        .links
        .iter()
        .zip(&ports.0)
        .map(|(link, (here, there))| Edge { child: link.child, parent: link.parent, here: *here, there: *there })
        .collect();
    let layout = place::placed(&sizes, &edges);
    let (width, height) = (layout.width.ceil(), layout.height.ceil());
    let counted = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
    let (tables, keys) = (counted(diagram.entities.len(), "table"), counted(diagram.links.len(), "foreign key"));
    let title = format!("Entity-relationship diagram of {}", xml(&visible(&database.name)));
    // Two pictures in a page would have the same identifiers, so that the label is a text.
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"bindery-erd\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{title}: {tables}, {keys}\" xml:space=\"preserve\">\n"
    );
    let _ = writeln!(text, "<title>{title}</title>");
    let _ = writeln!(text, "<desc>{tables}, {keys}</desc>");
    let _ = writeln!(text, "<style>{STYLE}</style>");
    let _ = writeln!(text, "<rect class=\"erd-paper\" width=\"{width}\" height=\"{height}\"/>");
    for (at, link) in diagram.links.iter().enumerate() {
        draw_link(&mut text, diagram, link, &line::of(link, &edges[at], &layout, at, &sizes));
    }
    for (at, one) in boxes.iter().enumerate() {
        draw_box(&mut text, &visible_object(&diagram.entities[at].name), one, layout.nodes[at]);
    }
    text.push_str("</svg>\n");
    text
}

fn draw_link(text: &mut String, diagram: &Diagram<'_>, link: &Link<'_>, drawn: &line::Line) {
    let of = |entity: usize| visible_object(&diagram.entities[entity].name);
    let list = |columns: Vec<&String>| columns.into_iter().map(|name| visible(name)).collect::<Vec<_>>().join(", ");
    let here = list(link.key.columns.iter().map(|pair| &pair.column).collect());
    let there = list(link.key.columns.iter().map(|pair| &pair.references).collect());
    let label = visible(&link.label());
    let title = format!("{label}: {} ({here}) → {} ({there})", of(link.child), of(link.parent));
    let class = if link.key.enforced { "erd-link" } else { "erd-link erd-loose" };
    let _ = write!(text, "<g class=\"{class}\"><title>{}</title><path d=\"{}\"/>", xml(&title), drawn.path);
    for (x, y) in &drawn.circles {
        let _ = write!(text, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>");
    }
    text.push_str("</g>\n");
}

fn draw_box(svg: &mut String, name: &str, one: &Box, (x, y): (f64, f64)) {
    let Box { width, height, title, rows, stub, .. } = one;
    let _ = write!(svg, "<g class=\"erd-table\" transform=\"translate({x:.1} {y:.1})\"><title>{}</title>", xml(name));
    let class = if *stub { "erd-stub" } else { "erd-box" };
    let _ = write!(svg, "<rect class=\"{class}\" width=\"{width:.1}\" height=\"{height:.1}\"/>");
    if !stub {
        let _ = write!(svg, "<rect class=\"erd-head\" width=\"{width:.1}\" height=\"{HEADER:.1}\"/>");
    }
    let _ = writeln!(svg, "<text class=\"erd-name\" x=\"8\" y=\"17\">{}</text>", xml(title));
    for (number, row) in (0_u32..).zip(rows) {
        let baseline = HEADER + f64::from(number) * ROW + 13.0;
        if !row.mark.is_empty() {
            let _ = write!(svg, "<text class=\"erd-mark\" x=\"6\" y=\"{baseline:.1}\">{}</text>", row.mark);
        }
        let class = match row.kind {
            boxes::RowKind::Key => " class=\"erd-key\"",
            boxes::RowKind::Column => "",
            boxes::RowKind::Note => " class=\"erd-note\"",
        };
        let _ = write!(svg, "<text{class} x=\"{:.1}\" y=\"{baseline:.1}\">{}</text>", boxes::NAME_AT, shown(&row.name));
        if !row.data_type.text.is_empty() {
            let at = width - 8.0 - boxes::text_width(columns(&row.data_type.text));
            let shown = shown(&row.data_type);
            let _ = write!(svg, "<text class=\"erd-type\" x=\"{at:.1}\" y=\"{baseline:.1}\">{shown}</text>");
        }
        svg.push('\n');
    }
    svg.push_str("</g>\n");
}

/// A text, with all of it as what is shown to who points at it.
fn shown(text: &Shown) -> String {
    let title = text.whole.as_ref().map(|whole| format!("<title>{}</title>", xml(whole))).unwrap_or_default();
    format!("{title}{}", xml(&text.text))
}
