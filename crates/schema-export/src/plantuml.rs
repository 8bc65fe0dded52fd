use std::fmt::Write as _;

use schema_model::Database;

use crate::diagram::{Attribute, Diagram};
use crate::exporter::not_drawn;
use crate::text::{visible, visible_object};
use crate::{Export, ExportError, Exporter};

/// `PlantUML`'s entities (<https://plantuml.com/ie-diagram>). A table is `e1`, `e2` … with its name as the title, in which every sign
/// that `PlantUML` could know is written by its number, as `<U+0022>`.
#[derive(Debug, Clone, Copy, Default)]
pub struct PlantUmlExporter;

impl Exporter for PlantUmlExporter {
    fn format(&self) -> &'static str {
        "plantuml"
    }

    fn media_type(&self) -> &'static str {
        "text/x-plantuml"
    }

    fn file_extension(&self) -> &'static str {
        "puml"
    }

    fn export(&self, database: &Database) -> Result<Export, ExportError> {
        let diagram = Diagram::of(database);
        let mut text = "@startuml\nhide circle\nhide methods\n".to_owned();
        for (number, entity) in (1..).zip(&diagram.entities) {
            let _ = writeln!(text, "entity \"{}\" as e{number} {{", title(&visible_object(&entity.name)));
            let (keys, others): (Vec<_>, Vec<_>) = entity.attributes.iter().partition(|attribute| attribute.primary);
            text.extend(keys.iter().map(|attribute| format!("  {}\n", line(attribute))));
            if !keys.is_empty() && !others.is_empty() {
                text.push_str("  --\n");
            }
            text.extend(others.iter().map(|attribute| format!("  {}\n", line(attribute))));
            text.push_str("}\n");
        }
        for link in &diagram.links {
            let at_parent = if link.optional { "|o" } else { "||" };
            let at_child = if link.many { "o{" } else { "o|" };
            let stroke = if link.identifying { "--" } else { ".." };
            let (parent, child, label) = (link.parent + 1, link.child + 1, escaped(&visible(&link.label())));
            let _ = writeln!(text, "e{parent} {at_parent}{stroke}{at_child} e{child} : {label}");
        }
        text.push_str("@enduml\n");
        Ok(Export { text, omissions: not_drawn(database) })
    }
}

fn line(attribute: &Attribute<'_>) -> String {
    let Attribute { column, primary, foreign, unique } = attribute;
    let mut line = format!("{{field}} {}", escaped(&visible(&column.name)));
    if !column.data_type.text.is_empty() {
        let _ = write!(line, " : {}", escaped(&visible(&column.data_type.text)));
    }
    let marks = [
        (*primary, "PK"),
        (*foreign, "FK"),
        (*unique && !*primary, "UNIQUE"),
        (!column.nullable && !*primary, "NOT NULL"),
        (column.generated.is_some() || column.identity.is_some(), "generated"),
    ];
    for (_, mark) in marks.iter().filter(|(is, _)| *is) {
        let _ = write!(line, " <<{mark}>>");
    }
    line
}

/// A text as a title, which must not end as the parameters of a type do: they would have a box of their own.
fn title(text: &str) -> String {
    let mut title = escaped(text);
    if title.ends_with('>') {
        title.push(' ');
    }
    title
}

/// A text with nothing in it but letters, digits and single signs that mean nothing to `PlantUML`.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut last = '_';
    for character in text.chars() {
        let plain = match character {
            // Two of them are the beginning of a style.
            '_' | '.' => last != character && !escaped.is_empty(),
            ' ' => !escaped.is_empty(),
            ',' | '(' | ')' => true,
            _ => character.is_alphanumeric(),
        };
        if plain {
            escaped.push(character);
        } else {
            let _ = write!(escaped, "<U+{:04X}>", u32::from(character));
        }
        last = character;
    }
    if escaped.is_empty() { "<U+200B>".to_owned() } else { escaped }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_are_written_by_their_numbers() {
        assert_eq!(escaped("shop.goods_1"), "shop.goods_1");
        assert_eq!(escaped("a\"b"), "a<U+0022>b");
        assert_eq!(escaped("__a__"), "<U+005F><U+005F>a_<U+005F>");
        assert_eq!(escaped("[[http://x.y z]]"), "<U+005B><U+005B>http<U+003A><U+002F><U+002F>x.y z<U+005D><U+005D>");
        assert_eq!(escaped("@enduml"), "<U+0040>enduml");
        assert_eq!(escaped("<U+0022>"), "<U+003C>U<U+002B>0022<U+003E>");
    }

    #[test]
    fn no_title_ends_as_a_type_with_parameters_does() {
        assert_eq!(title("main.why?"), "main.why<U+003F> ");
        assert_eq!(title("main.why"), "main.why");
    }
}
