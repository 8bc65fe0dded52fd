use std::fmt::Write as _;

use schema_model::Database;

use crate::diagram::{Attribute, Diagram, Link};
use crate::exporter::not_drawn;
use crate::text::{visible, visible_object};
use crate::{Export, ExportError, Exporter, Omission};

/// Mermaid's `erDiagram` (<https://mermaid.js.org/syntax/entityRelationshipDiagram.html>).
///
/// A table is `e1`, `e2` … with its name as the label, in which what Mermaid's grammar knows is written as `#34;`. The names of
/// columns may be letters, digits and `_` there: all else is `_x0020_`, the characters' numbers as SQL/XML writes names (ISO/IEC
/// 9075-14, 9.1), and the name itself stands beside it as a comment.
///
/// Mermaid draws no more than 50,000 characters (its `maxTextSize`). Where all columns are more than that, only those of keys are
/// written, and that is an omission; where these are more as well, that is one, too.
#[derive(Debug, Clone, Copy, Default)]
pub struct MermaidExporter;

impl Exporter for MermaidExporter {
    fn format(&self) -> &'static str {
        "mermaid"
    }

    fn media_type(&self) -> &'static str {
        "text/vnd.mermaid"
    }

    fn file_extension(&self) -> &'static str {
        "mmd"
    }

    fn export(&self, database: &Database) -> Result<Export, ExportError> {
        let diagram = Diagram::of(database);
        let mut omissions = not_drawn(database);
        let mut text = written(&diagram, false);
        if is_too_long(&text) {
            text = written(&diagram, true);
            omissions.push(of_all(
                "columns",
                "Mermaid draws 50,000 characters at most: only the columns of keys are written",
            ));
        }
        if is_too_long(&text) {
            omissions.push(of_all(
                "diagram",
                "it is drawn only where `maxTextSize` of Mermaid is set beyond 50,000 characters",
            ));
        }
        Ok(Export { text, omissions })
    }
}

/// As Mermaid counts, in the units of UTF-16.
fn is_too_long(text: &str) -> bool {
    text.encode_utf16().count() > 50_000
}

fn of_all(part: &str, reason: &str) -> Omission {
    Omission { object: None, part: part.to_owned(), reason: reason.to_owned() }
}

fn written(diagram: &Diagram<'_>, keys_only: bool) -> String {
    let mut text = "erDiagram\n".to_owned();
    for (number, entity) in (1..).zip(&diagram.entities) {
        let label = quoted(&visible_object(&entity.name));
        let lines: Vec<String> =
            entity.attributes.iter().filter(|attribute| !keys_only || attribute.is_of_key()).map(line).collect();
        if lines.is_empty() {
            let _ = writeln!(text, "    e{number}[{label}]");
            continue;
        }
        let _ = writeln!(text, "    e{number}[{label}] {{");
        for line in lines {
            let _ = writeln!(text, "        {line}");
        }
        text.push_str("    }\n");
    }
    for link in &diagram.links {
        let Link { parent, child, .. } = link;
        let at_parent = if link.optional { "|o" } else { "||" };
        let at_child = if link.many { "o{" } else { "o|" };
        let stroke = if link.identifying { "--" } else { ".." };
        let label = quoted(&visible(&link.label()));
        let _ = writeln!(text, "    e{} {at_parent}{stroke}{at_child} e{} : {label}", parent + 1, child + 1);
    }
    text
}

fn line(attribute: &Attribute<'_>) -> String {
    let Attribute { column, primary, foreign, unique } = attribute;
    let (name, kind) = (encoded(&column.name), type_word(&column.data_type.text));
    let keys = [(*primary, "PK"), (*foreign, "FK"), (*unique && !*primary, "UK")];
    let keys: Vec<&str> = keys.iter().filter(|(is, _)| *is).map(|(_, key)| *key).collect();
    let mut notes = Vec::new();
    if name != column.name || is_shown_as_a_style(&name) {
        notes.push(visible(&column.name));
    }
    if (kind != column.data_type.text || is_shown_as_a_style(&kind)) && !column.data_type.text.is_empty() {
        notes.push(visible(&column.data_type.text));
    }
    if !column.nullable && !primary {
        notes.push("not null".to_owned());
    }
    let mut line = format!("{kind} {name}");
    if !keys.is_empty() {
        let _ = write!(line, " {}", keys.join(","));
    }
    if !notes.is_empty() {
        let _ = write!(line, " {}", quoted(&notes.join("; ")));
    }
    line
}

/// Whether Mermaid draws a word as Markdown that is in italics, without its outer signs.
fn is_shown_as_a_style(word: &str) -> bool {
    word.starts_with('_') && word.ends_with('_')
}

/// A text in quotes; Mermaid reads `#34;` as the character of that number, so that none of its own signs is left.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    // An empty text in quotes is none to Mermaid.
    if text.is_empty() {
        quoted.push_str("#8203;");
    }
    // Nor can it place a text of blanks.
    let is_blank = text.trim_matches(' ').is_empty();
    let characters: Vec<char> = text.chars().collect();
    let is_word = |at: Option<usize>| at.and_then(|at| characters.get(at)).is_some_and(|other| other.is_alphanumeric());
    for (at, character) in characters.iter().copied().enumerate() {
        match character {
            ' ' if !is_blank => quoted.push(character),
            // It is the beginning of a style but for within a word.
            '_' if is_word(at.checked_sub(1)) && is_word(Some(at + 1)) => quoted.push(character),
            '.' | '-' | ',' | '(' | ')' => quoted.push(character),
            _ if character.is_alphanumeric() => quoted.push(character),
            _ => {
                let _ = write!(quoted, "#{};", u32::from(character));
            }
        }
    }
    quoted.push('"');
    // Two of them would begin a directive or a comment, or end an arrow.
    quoted.replace("--", "#45;#45;")
}

/// The name of a column as a word of the grammar.
pub(crate) fn encoded(name: &str) -> String {
    let is_key = ["PK", "FK", "UK"].iter().any(|key| key.eq_ignore_ascii_case(name));
    let mut word = String::with_capacity(name.len());
    let characters: Vec<char> = name.chars().collect();
    for (at, character) in characters.iter().copied().enumerate() {
        let begins_a_code = character == '_' && characters.get(at + 1) == Some(&'x');
        let allowed = match character {
            '_' => !begins_a_code,
            '0'..='9' => at > 0,
            'a'..='z' | 'A'..='Z' => !(is_key && at == 0),
            // The grammar's letters end where UTF-16's single units do.
            '\u{C0}'..='\u{FFFD}' => character.is_alphabetic(),
            _ => false,
        };
        if allowed {
            word.push(character);
        } else {
            let _ = write!(word, "_x{:04X}_", u32::from(character));
        }
    }
    if word.is_empty() { "_x0000_".to_owned() } else { word }
}

/// A type as a word: it is for people, and what it is exactly stands beside it.
fn type_word(text: &str) -> String {
    let fits = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '(' | ')' | '[' | ']');
    let word: String = text.chars().map(|character| if fits(character) { character } else { '_' }).collect();
    let end = word.find(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    let first = &word[..end.unwrap_or(word.len())];
    match word.chars().next() {
        None => "any".to_owned(),
        // Which the grammar takes for the mark of a key.
        _ if ["PK", "FK", "UK"].iter().any(|key| key.eq_ignore_ascii_case(first)) => format!("_{word}"),
        Some('a'..='z' | 'A'..='Z' | '_') => word,
        Some(_) => format!("_{word}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_no_words_are_encoded_and_stay_apart() {
        assert_eq!(encoded("price"), "price");
        assert_eq!(encoded("a b"), "a_x0020_b");
        assert_eq!(encoded("a_x0020_b"), "a_x005F_x0020_b");
        assert_eq!(encoded("pk"), "_x0070_k");
        assert_eq!(encoded("1st"), "_x0031_st");
        assert_eq!(encoded("Größe"), "Größe");
        assert_eq!(encoded("😀"), "_x1F600_");
    }

    #[test]
    fn nothing_that_mermaid_knows_is_left_in_quotes() {
        assert_eq!(quoted("%%{init: \"x\"}%%\\"), "\"#37;#37;#123;init#58; #34;x#34;#125;#37;#37;#92;\"");
        assert_eq!(quoted("a--b"), "\"a#45;#45;b\"");
        assert_eq!(type_word("numeric(10,2)"), "numeric(10_2)");
    }

    #[test]
    fn no_type_is_the_mark_of_a_key() {
        assert_eq!(
            (type_word("PK").as_str(), type_word("fk(2)").as_str(), type_word("uk[]").as_str()),
            ("_PK", "_fk(2)", "_uk[]")
        );
        assert_eq!((type_word("pk_a").as_str(), type_word("pkx").as_str()), ("pk_a", "pkx"));
    }

    #[test]
    fn nothing_is_in_italics_and_blanks_are_seen() {
        assert_eq!(quoted("_x_"), "\"#95;x#95;\"");
        assert_eq!(quoted("a__b"), "\"a#95;#95;b\"");
        assert_eq!(quoted("goods_1"), "\"goods_1\"");
        assert_eq!(quoted("  "), "\"#32;#32;\"");
        assert_eq!(quoted("a b"), "\"a b\"");
    }
}
