mod boxes;
mod graph;
mod line;
mod order;
mod place;

use std::fmt::Write as _;

use schema_model::Database;

use self::boxes::{Box, HEADER, ROW};
use self::graph::Edge;
use self::line::Ports;
use crate::diagram::{Diagram, Link};
use crate::exporter::not_drawn;
use crate::text::{columns, visible, visible_object, xml};
use crate::{Export, ExportError, Exporter};

/// An entity-relationship diagram as SVG 1.1, drawn here: tables in layers, those that are referred to on the left, a line with
/// crow's feet for each foreign key, what hangs together side by side. Views are not shown; parts of a table are the table.
///
/// It has no script and loads nothing.
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
.paper{fill:#fff}\
.box{fill:#fff;stroke:#5b6573}\
.head{fill:#e4e9f0;stroke:#5b6573}\
.stub{fill:#fff;stroke:#5b6573;stroke-dasharray:4 3}\
text{font:12px ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#1c2430}\
.name{font-weight:bold}\
.type,.mark,.note{fill:#5b6573}\
.mark{font-size:9px}\
.key{text-decoration:underline}\
.link path{fill:none;stroke:#38598b}\
.link circle{fill:#fff;stroke:#38598b}\
.loose path{stroke-dasharray:5 3}\
.link:hover path{stroke:#c2410c;stroke-width:2}";

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
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         role=\"img\" aria-labelledby=\"title description\" xml:space=\"preserve\">\n"
    );
    let (tables, keys) = (diagram.entities.len(), diagram.links.len());
    let name = xml(&visible(&database.name));
    let _ = writeln!(text, "<title id=\"title\">Entity-relationship diagram of {name}</title>");
    let counted = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
    let (tables, keys) = (counted(tables, "table"), counted(keys, "foreign key"));
    let _ = writeln!(text, "<desc id=\"description\">{tables}, {keys}</desc>");
    let _ = writeln!(text, "<style>{STYLE}</style>");
    let _ = writeln!(text, "<rect class=\"paper\" width=\"{width}\" height=\"{height}\"/>");
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
    let class = if link.key.enforced { "link" } else { "link loose" };
    let _ = write!(text, "<g class=\"{class}\"><title>{}</title><path d=\"{}\"/>", xml(&title), drawn.path);
    for (x, y) in &drawn.circles {
        let _ = write!(text, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>");
    }
    text.push_str("</g>\n");
}

fn draw_box(svg: &mut String, name: &str, one: &Box, (x, y): (f64, f64)) {
    let Box { width, height, title, rows, stub, .. } = one;
    let _ = write!(svg, "<g class=\"table\" transform=\"translate({x:.1} {y:.1})\"><title>{}</title>", xml(name));
    let class = if *stub { "stub" } else { "box" };
    let _ = write!(svg, "<rect class=\"{class}\" width=\"{width:.1}\" height=\"{height:.1}\"/>");
    if !stub {
        let _ = write!(svg, "<rect class=\"head\" width=\"{width:.1}\" height=\"{HEADER:.1}\"/>");
    }
    let _ = writeln!(svg, "<text class=\"name\" x=\"8\" y=\"17\">{}</text>", xml(title));
    for (number, row) in (0_u32..).zip(rows) {
        let baseline = HEADER + f64::from(number) * ROW + 13.0;
        if !row.mark.is_empty() {
            let _ = write!(svg, "<text class=\"mark\" x=\"6\" y=\"{baseline:.1}\">{}</text>", row.mark);
        }
        let class = match row.kind {
            boxes::RowKind::Key => " class=\"key\"",
            boxes::RowKind::Column => "",
            boxes::RowKind::Note => " class=\"note\"",
        };
        let _ = write!(svg, "<text{class} x=\"{:.1}\" y=\"{baseline:.1}\">{}</text>", boxes::NAME_AT, xml(&row.name));
        if !row.data_type.is_empty() {
            let at = width - 8.0 - boxes::text_width(columns(&row.data_type));
            let shown = xml(&row.data_type);
            let _ = write!(svg, "<text class=\"type\" x=\"{at:.1}\" y=\"{baseline:.1}\">{shown}</text>");
        }
        svg.push('\n');
    }
    svg.push_str("</g>\n");
}
