use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use schema_model::{
    Collection, CollectionKind, Column, Database, ForeignKey, Index, NativeObject, ObjectName, PartTarget,
    Partitioning, Reading, Relation, RelationKind, SortDirection, UserTypeKind, WholeNumber,
};

use crate::exporter::why;
use crate::text::{is_unseen, visible, visible_object};
use crate::{Export, ExportError, Exporter, Omission};

/// A data dictionary in Markdown (`CommonMark` with GitHub's tables): a chapter for each namespace, a table for each relation.
#[derive(Debug, Clone, Copy, Default)]
pub struct MarkdownExporter;

impl Exporter for MarkdownExporter {
    fn format(&self) -> &'static str {
        "markdown"
    }

    fn media_type(&self) -> &'static str {
        "text/markdown"
    }

    fn file_extension(&self) -> &'static str {
        "md"
    }

    fn export(&self, database: &Database) -> Result<Export, ExportError> {
        let places = database.relations().zip(1..).map(|((name, _), number)| (name, number)).collect();
        let mut writer = Writer { text: String::new(), omissions: Vec::new(), places };
        writer.database(database);
        Ok(Export { text: writer.text, omissions: writer.omissions })
    }
}

struct Writer {
    text: String,
    omissions: Vec<Omission>,
    /// The number of each relation, by which others link to it.
    places: HashMap<ObjectName, usize>,
}

impl Writer {
    fn database(&mut self, database: &Database) {
        self.line(&format!("# {}", escaped(&visible(&database.name))));
        self.line(&format!("{} {}", escaped(&visible(&database.engine)), escaped(&visible(&database.version))));
        self.paragraph(database.comment.as_deref());
        if !database.extensions.is_empty() {
            self.line("## Extensions");
            self.heading(&["Extension", "Version", "Namespace"]);
            for extension in &database.extensions {
                let cells = [&extension.name, &extension.version, &extension.namespace];
                self.row(&cells.map(|cell| escaped(&visible(cell))));
            }
        }
        self.native_objects(&database.native_objects);
        for namespace in &database.namespaces {
            self.line(&format!("## {}", escaped(&visible(&namespace.name))));
            self.paragraph(namespace.comment.as_deref());
            for relation in &namespace.relations {
                self.relation(&ObjectName::new(&namespace.name, &relation.name), relation);
            }
            for collection in &namespace.collections {
                self.collection(&ObjectName::new(&namespace.name, &collection.name), collection);
            }
            self.types(namespace);
            self.sequences(namespace);
            self.routines(namespace);
        }
    }

    fn native_objects(&mut self, objects: &[NativeObject]) {
        if objects.is_empty() {
            return;
        }
        self.line("## Of this engine alone");
        self.heading(&["What", "Name", "Definition", "Comment"]);
        for NativeObject { kind, name, signature, definition, comment, .. } in objects {
            let written = if name.namespace.is_empty() { visible(&name.name) } else { visible_object(name) };
            let signature = signature.as_deref().map(|signature| format!(" {}", code(signature))).unwrap_or_default();
            let definition = definition.as_ref().map(|definition| self.reading(name, "definition", definition));
            self.row(&[
                escaped(&visible(kind)),
                format!("{}{signature}", escaped(&written)),
                definition.unwrap_or_default(),
                comment.as_deref().map(prose).unwrap_or_default(),
            ]);
        }
    }

    fn line(&mut self, line: &str) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn paragraph(&mut self, text: Option<&str>) {
        if let Some(text) = text.filter(|text| !text.trim().is_empty()) {
            self.line(&prose(text));
        }
    }

    fn heading(&mut self, titles: &[&str]) {
        self.line(&format!("| {} |", titles.join(" | ")));
        let _ = writeln!(self.text, "|{}", " --- |".repeat(titles.len()));
    }

    fn row(&mut self, cells: &[String]) {
        let _ = writeln!(self.text, "| {} |", cells.join(" | "));
    }

    /// What the engine says, or why it is not known.
    fn reading(&mut self, object: &ObjectName, part: &str, reading: &Reading<String>) -> String {
        match reading {
            Reading::Known(text) => code(text),
            Reading::Unknown { unavailable } => {
                self.omissions.push(Omission::new(object, part, why(*unavailable)));
                format!("*unavailable: {}*", why(*unavailable))
            }
        }
    }

    fn relation(&mut self, name: &ObjectName, relation: &Relation) {
        let number = self.places.get(name).copied().unwrap_or_default();
        self.line(&format!("### <a id=\"r{number}\"></a>{}", escaped(&visible(&relation.name))));
        self.line(match relation.kind {
            RelationKind::Table => "Table",
            RelationKind::View => "View",
            RelationKind::MaterializedView => "Materialized view",
            RelationKind::ForeignTable => "Foreign table",
            RelationKind::VirtualTable => "Virtual table",
        });
        self.paragraph(relation.comment.as_deref());
        if !relation.columns.is_empty() {
            self.heading(&["Column", "Type", "Null", "Key", "Default", "Comment"]);
            let keys = Keys::of(relation);
            for column in &relation.columns {
                let row = self.column(name, &keys, column);
                self.row(&row);
            }
        }
        self.constraints(name, relation);
        self.indexes(name, &relation.indexes);
        if !relation.triggers.is_empty() {
            self.heading(&["Trigger", "Enabled", "Definition"]);
            for trigger in &relation.triggers {
                let part = format!("trigger {}", trigger.name);
                let definition = self.reading(name, &part, &trigger.definition);
                let enabled = if trigger.enabled { "yes" } else { "no" };
                self.row(&[escaped(&visible(&trigger.name)), enabled.to_owned(), definition]);
            }
        }
        if !relation.rules.is_empty() {
            self.heading(&["Rule", "Enabled", "Definition"]);
            for rule in &relation.rules {
                let definition = self.reading(name, &format!("rule {}", rule.name), &rule.definition);
                let enabled = if rule.enabled { "yes" } else { "no" };
                self.row(&[escaped(&visible(&rule.name)), enabled.to_owned(), definition]);
            }
        }
        if let Some(partitioning) = &relation.partitioning {
            let key = self.reading(name, "partitioning", &partitioning.key);
            self.line(&format!("Partitioned by {key}"));
            self.heading(&["Partition", "Bound"]);
            self.partitions(partitioning);
        }
        if let Some(definition) = &relation.definition {
            self.text_block(name, "definition", definition, "sql");
        }
    }

    fn collection(&mut self, name: &ObjectName, collection: &Collection) {
        self.line(&format!("### {}", escaped(&visible(&collection.name))));
        self.line(match collection.kind {
            CollectionKind::Collection => "Collection",
            CollectionKind::View => "View",
            CollectionKind::TimeSeries => "Time series",
            CollectionKind::Table => "Table of items",
            CollectionKind::Other => "Other",
        });
        if let Some(kept) = &collection.time_series {
            let of = kept.meta_field.iter().map(|field| format!(" of {}", escaped(&visible(field))));
            self.line(&format!("Measured at {}{}", escaped(&visible(&kept.time_field)), of.collect::<String>()));
        }
        if !collection.key.is_empty() {
            self.line(&format!("Key: {}", list(&collection.key)));
        }
        if let Some(capped) = &collection.capped {
            let limit = |number: Option<WholeNumber>, of: &str| number.map(|number| format!("{number} {of}"));
            let limits = [limit(capped.documents, "documents"), limit(capped.bytes, "bytes")];
            self.line(&format!("At most {}", limits.into_iter().flatten().collect::<Vec<_>>().join(", ")));
        }
        if !collection.fields.is_empty() {
            self.heading(&["Declared field", "Types", "Required", "Comment"]);
            for field in &collection.fields {
                let types = field.types.iter().map(|word| code(word)).collect::<Vec<_>>().join(", ");
                let required = if field.required { "yes" } else { "no" }.to_owned();
                let comment = field.comment.as_deref().map(prose).unwrap_or_default();
                self.row(&[escaped(&visible(&field.name)), types, required, comment]);
            }
        }
        if let Some(validator) = &collection.validator {
            let (level, action) = (escaped(&visible(&validator.level)), escaped(&visible(&validator.action)));
            self.line(&format!("Validated: {level}, {action}"));
            self.text_block(name, "validator", &validator.expression, "json");
        }
        self.indexes(name, &collection.indexes);
        if !collection.uses.is_empty() {
            let uses: Vec<String> = collection.uses.iter().map(|used| escaped(&visible_object(used))).collect();
            self.line(&format!("Made from {}", uses.join(", ")));
        }
        if let Some(definition) = &collection.definition {
            self.text_block(name, "definition", definition, "json");
        }
    }

    fn indexes(&mut self, name: &ObjectName, indexes: &[Index]) {
        if indexes.is_empty() {
            return;
        }
        self.heading(&["Index", "Method", "Parts", "Unique", "Where", "Comment"]);
        for index in indexes {
            let row = self.index(name, index);
            self.row(&row);
        }
    }

    /// A text in a block of its own, or why it is not known.
    fn text_block(&mut self, name: &ObjectName, part: &str, text: &Reading<String>, language: &str) {
        match text {
            Reading::Known(text) => self.block(text, language),
            Reading::Unknown { .. } => {
                let text = self.reading(name, part, text);
                self.line(&text);
            }
        }
    }

    fn column(&mut self, name: &ObjectName, keys: &Keys<'_>, column: &Column) -> [String; 6] {
        let part = |what: &str| format!("column {}: {what}", column.name);
        let of = [(&keys.primary, "primary"), (&keys.unique, "unique"), (&keys.foreign, "foreign")];
        let keys: Vec<&str> =
            of.iter().filter(|(columns, _)| columns.contains(column.name.as_str())).map(|(_, key)| *key).collect();
        let default = match (&column.default, &column.generated, &column.identity) {
            (Some(default), ..) => self.reading(name, &part("default"), default),
            (_, Some(generated), _) => {
                format!("generated as {}", self.reading(name, &part("generated"), &generated.expression))
            }
            (.., Some(_)) => "identity".to_owned(),
            _ => String::new(),
        };
        [
            escaped(&visible(&column.name)),
            code(&column.data_type.text),
            if column.nullable { "yes" } else { "no" }.to_owned(),
            keys.join(", "),
            default,
            column.comment.as_deref().map(prose).unwrap_or_default(),
        ]
    }

    fn constraints(&mut self, name: &ObjectName, relation: &Relation) {
        let mut rows: Vec<[String; 3]> = Vec::new();
        let named = |name: Option<&String>| name.map(|name| escaped(&visible(name))).unwrap_or_default();
        let keys = relation.primary_key.iter().map(|key| ("primary key", key));
        for (kind, key) in keys.chain(relation.unique.iter().map(|key| ("unique", key))) {
            rows.push([named(key.name.as_ref()), kind.to_owned(), list(&key.columns)]);
        }
        for key in &relation.foreign_keys {
            rows.push([named(key.name.as_ref()), "foreign key".to_owned(), self.leads_to(key)]);
        }
        for check in &relation.checks {
            let part = format!("check {}", check.name.as_deref().unwrap_or_default());
            let text = self.reading(name, &part, &check.expression);
            rows.push([named(check.name.as_ref()), "check".to_owned(), text]);
        }
        for exclusion in &relation.exclusions {
            let operators = exclusion.operators.iter().map(|operator| code(operator)).collect::<Vec<_>>().join(" ");
            rows.push([named(Some(&exclusion.name)), "exclusion".to_owned(), operators]);
        }
        if !rows.is_empty() {
            self.heading(&["Constraint", "Kind", "What"]);
            for row in &rows {
                self.row(row);
            }
        }
    }

    fn leads_to(&self, key: &ForeignKey) -> String {
        let here: Vec<String> = key.columns.iter().map(|pair| pair.column.clone()).collect();
        let there: Vec<String> = key.columns.iter().map(|pair| pair.references.clone()).collect();
        let table = escaped(&visible_object(&key.references));
        let table = match self.places.get(&key.references) {
            Some(number) => format!("[{table}](#r{number})"),
            None => table,
        };
        format!("({}) → {table} ({})", list(&here), list(&there))
    }

    fn index(&mut self, name: &ObjectName, index: &Index) -> [String; 6] {
        let part = format!("index {}", index.name);
        let mut parts = Vec::new();
        for one in &index.parts {
            let text = match &one.target {
                PartTarget::Column(column) => escaped(&visible(column)),
                PartTarget::Expression(expression) => self.reading(name, &part, expression),
            };
            let direction = if one.direction == Some(SortDirection::Descending) { " descending" } else { "" };
            parts.push(format!("{text}{direction}"));
        }
        let predicate = index.predicate.as_ref().map(|predicate| self.reading(name, &part, predicate));
        [
            escaped(&visible(&index.name)),
            escaped(&visible(&index.method)),
            parts.join(", "),
            if index.unique { "yes" } else { "no" }.to_owned(),
            predicate.unwrap_or_default(),
            index.comment.as_deref().map(prose).unwrap_or_default(),
        ]
    }

    fn partitions(&mut self, partitioning: &Partitioning) {
        for partition in &partitioning.partitions {
            let bound = self.reading(&partition.name, "bound", &partition.bound);
            self.row(&[escaped(&visible_object(&partition.name)), bound]);
            if let Some(inner) = &partition.partitioning {
                self.partitions(inner);
            }
        }
    }

    fn types(&mut self, namespace: &schema_model::Namespace) {
        if namespace.types.is_empty() {
            return;
        }
        self.line("### Types");
        self.heading(&["Type", "Kind", "What", "Comment"]);
        for user_type in &namespace.types {
            let (kind, what) = match &user_type.kind {
                UserTypeKind::Enumeration { labels } => {
                    ("enumeration", labels.iter().map(|label| code(label)).collect::<Vec<_>>().join(", "))
                }
                UserTypeKind::Domain { base, .. } => ("domain", code(&base.text)),
                UserTypeKind::Range { subtype, .. } => ("range", code(&subtype.text)),
                UserTypeKind::Composite { attributes } => {
                    let part = |column: &Column| {
                        format!("{} {}", escaped(&visible(&column.name)), code(&column.data_type.text))
                    };
                    ("composite", attributes.iter().map(part).collect::<Vec<_>>().join(", "))
                }
            };
            let comment = user_type.comment.as_deref().map(prose).unwrap_or_default();
            self.row(&[escaped(&visible(&user_type.name)), kind.to_owned(), what, comment]);
        }
    }

    fn sequences(&mut self, namespace: &schema_model::Namespace) {
        if namespace.sequences.is_empty() {
            return;
        }
        self.line("### Sequences");
        self.heading(&["Sequence", "Type", "From", "To", "Step", "Comment"]);
        for sequence in &namespace.sequences {
            let options = &sequence.options;
            let numbers = [options.minimum, options.maximum, options.increment].map(|number| number.to_string());
            let [minimum, maximum, increment] = numbers;
            let comment = sequence.comment.as_deref().map(prose).unwrap_or_default();
            let (name, kind) = (escaped(&visible(&sequence.name)), code(&sequence.data_type));
            self.row(&[name, kind, minimum, maximum, increment, comment]);
        }
    }

    fn routines(&mut self, namespace: &schema_model::Namespace) {
        if namespace.routines.is_empty() {
            return;
        }
        self.line("### Routines");
        self.heading(&["Routine", "Arguments", "Returns", "Language", "Comment"]);
        for routine in &namespace.routines {
            let comment = routine.comment.as_deref().map(prose).unwrap_or_default();
            let returns = routine.returns.as_deref().map(code).unwrap_or_default();
            let (name, language) = (escaped(&visible(&routine.name)), escaped(&visible(&routine.language)));
            self.row(&[name, code(&routine.arguments), returns, language, comment]);
        }
    }

    /// A text in a block of its own, whose fence is longer than any in the text.
    fn block(&mut self, text: &str, language: &str) {
        let fence = "`".repeat(longest_run(text).max(2) + 1);
        self.line(&format!("{fence}{language}\n{}\n{fence}", text.replace('\r', "")));
    }
}

/// The columns that are in the keys of a relation.
struct Keys<'a> {
    primary: HashSet<&'a str>,
    unique: HashSet<&'a str>,
    foreign: HashSet<&'a str>,
}

impl<'a> Keys<'a> {
    fn of(relation: &'a Relation) -> Self {
        let pairs = relation.foreign_keys.iter().flat_map(|key| &key.columns);
        Self {
            primary: relation.primary_key.iter().flat_map(|key| &key.columns).map(String::as_str).collect(),
            unique: relation.unique.iter().flat_map(|key| &key.columns).map(String::as_str).collect(),
            foreign: pairs.map(|pair| pair.column.as_str()).collect(),
        }
    }
}

fn list(names: &[String]) -> String {
    names.iter().map(|name| escaped(&visible(name))).collect::<Vec<_>>().join(", ")
}

/// What parts a text that would else be an address to GitHub and others, escaped or not: a comment of HTML, which nobody sees.
const NO_LINK: &str = "<!-- -->";

/// Whether an address would be found around here: of mail, or one that begins with `www.` or has `://`.
fn is_in_address(characters: &[char], at: usize) -> bool {
    match characters[at] {
        '@' => true,
        ':' => characters[at + 1..].starts_with(&['/', '/']),
        '.' => at >= 3 && characters[at - 3..at].iter().all(|before| before.eq_ignore_ascii_case(&'w')),
        _ => false,
    }
}

/// Words with every sign escaped that Markdown or HTML could know.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let characters: Vec<char> = text.chars().collect();
    let is_word = |at: Option<usize>| at.and_then(|at| characters.get(at)).is_some_and(|other| other.is_alphanumeric());
    for (at, character) in characters.iter().copied().enumerate() {
        let inside = is_word(at.checked_sub(1)) && is_word(Some(at + 1));
        let plain = match character {
            ',' | '/' | '\'' => true,
            // Within a word they are a part of it.
            '.' | '-' | '_' => inside,
            _ => !character.is_ascii_punctuation(),
        };
        if is_in_address(&characters, at) {
            escaped.push_str(NO_LINK);
        }
        if !plain {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    // Spaces at either end would be lost.
    let inner = escaped.trim_matches(' ');
    let start = escaped.len() - escaped.trim_start_matches(' ').len();
    let end = escaped.len().saturating_sub(start + inner.len());
    format!("{}{inner}{}", "&#32;".repeat(start), "&#32;".repeat(end))
}

/// What people have written, whose lines stay lines.
fn prose(text: &str) -> String {
    text.lines().map(|line| escaped(&visible(line))).collect::<Vec<_>>().join("<br>")
}

fn longest_run(text: &str) -> usize {
    text.split(|character| character != '`').map(str::len).max().unwrap_or_default()
}

/// What an engine would read. In a table a pipe is escaped even there; a text that Markdown's code cannot hold is HTML.
fn code(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    if text.contains(['|', '\\']) || text.chars().any(is_unseen) {
        return html_code(text);
    }
    let fence = "`".repeat(longest_run(text) + 1);
    // Of blanks at both ends Markdown takes one off, unless there is nothing else.
    let is_within_blanks = text.starts_with(' ') && text.ends_with(' ') && !text.trim_matches(' ').is_empty();
    let pad = if is_within_blanks || text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Code whose lines stay lines, and in which everything else is as it is. What is not seen is shown between pieces of code, since in
/// code `\u{1}` is a backslash and what comes behind it.
fn html_code(text: &str) -> String {
    let mut code = "<code>".to_owned();
    let characters: Vec<char> = text.chars().collect();
    for (at, character) in characters.iter().copied().enumerate() {
        if is_in_address(&characters, at) {
            code.push_str(NO_LINK);
        }
        match character {
            '\n' => code.push_str("<br>"),
            _ if is_unseen(character) => {
                let _ = write!(code, "</code>{}<code>", escaped(&visible(character.encode_utf8(&mut [0; 4]))));
            }
            _ if character.is_ascii_punctuation() => {
                let _ = write!(code, "&#{};", u32::from(character));
            }
            _ => code.push(character),
        }
    }
    code.push_str("</code>");
    code.replace("<code></code>", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_markdown() {
        assert_eq!(escaped("a|b"), "a\\|b");
        assert_eq!(escaped("snake_case.x"), "snake_case.x");
        assert_eq!(escaped("<b>*x*"), "\\<b\\>\\*x\\*");
        assert_eq!(escaped(" a "), "&#32;a&#32;");
    }

    #[test]
    fn no_code_ends_early() {
        assert_eq!(code("a `b`"), "`` a `b` ``");
        assert_eq!(code("a||b"), "<code>a&#124;&#124;b</code>");
        assert_eq!(code("a\nb"), "<code>a<br>b</code>");
    }

    #[test]
    fn code_shows_what_is_not_seen_beside_itself_and_keeps_its_blanks() {
        assert_eq!(code("a\u{202e}b"), "<code>a</code>\\\\u\\{202e\\}<code>b</code>");
        assert_eq!(code("\u{2028}"), "\\\\u\\{2028\\}");
        assert_eq!(code("\\u{1}"), "<code>&#92;u&#123;1&#125;</code>");
        assert_eq!((code(" x ").as_str(), code(" x").as_str(), code("  ").as_str()), ("`  x  `", "` x`", "`  `"));
    }

    #[test]
    fn no_name_is_an_address() {
        assert_eq!(escaped("www.evil.example"), "www<!-- -->.evil.example");
        assert_eq!(escaped("me@evil.example"), "me<!-- -->\\@evil.example");
        assert_eq!(escaped("http://evil"), "http<!-- -->\\://evil");
        assert_eq!(escaped("a:b.c"), "a\\:b.c");
        assert_eq!(code("|me@www.x://"), "<code>&#124;me<!-- -->&#64;www<!-- -->&#46;x<!-- -->&#58;&#47;&#47;</code>");
    }
}
