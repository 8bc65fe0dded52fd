use std::collections::HashSet;
use std::fmt::Write as _;

use schema_model::{
    Column, Database, ForeignKey, Index, ObjectName, PartTarget, Reading, ReferentialAction, RelationKind, UserTypeKind,
};

use crate::diagram::{Diagram, Entity, Link};
use crate::exporter::{not_drawn, why};
use crate::{Export, ExportError, Exporter, Omission};

/// DBML (<https://dbml.dbdiagram.io/docs/>). Names are in quotes with the language's own escapes.
#[derive(Debug, Clone, Copy, Default)]
pub struct DbmlExporter;

impl Exporter for DbmlExporter {
    fn format(&self) -> &'static str {
        "dbml"
    }

    fn media_type(&self) -> &'static str {
        "text/x-dbml"
    }

    fn file_extension(&self) -> &'static str {
        "dbml"
    }

    fn export(&self, database: &Database) -> Result<Export, ExportError> {
        let mut writer = Writer { omissions: not_drawn(database), ..Writer::default() };
        writer.project(database);
        writer.enumerations(database);
        let diagram = Diagram::of(database);
        diagram.entities.iter().for_each(|entity| writer.table(entity));
        let mut seen = HashSet::new();
        diagram.links.iter().for_each(|link| writer.reference(&diagram, link, &mut seen));
        Ok(Export { text: writer.text, omissions: writer.omissions })
    }
}

#[derive(Default)]
struct Writer {
    text: String,
    omissions: Vec<Omission>,
}

/// The two ends of a reference, in an order that does not tell which is which: there may be one alone between them.
type Ends = [(usize, Vec<String>); 2];

impl Writer {
    fn omit(&mut self, object: &ObjectName, part: impl Into<String>, reason: &str) {
        self.omissions.push(Omission::new(object, part, reason));
    }

    fn project(&mut self, database: &Database) {
        let _ = writeln!(self.text, "Project {} {{", name(&database.name));
        let _ = writeln!(self.text, "  database_type: {}", string(&database.engine));
        self.note(database.comment.as_deref());
        self.text.push_str("}\n");
    }

    fn note(&mut self, comment: Option<&str>) {
        if let Some(comment) = comment {
            let _ = writeln!(self.text, "  Note: {}", string(comment));
        }
    }

    fn enumerations(&mut self, database: &Database) {
        for namespace in &database.namespaces {
            for user_type in &namespace.types {
                let object = ObjectName::new(&namespace.name, &user_type.name);
                match &user_type.kind {
                    UserTypeKind::Enumeration { labels } => self.enumeration(&object, labels),
                    _ => self.omit(&object, "type", "DBML knows no types but enumerations"),
                }
            }
        }
    }

    fn enumeration(&mut self, object: &ObjectName, labels: &[String]) {
        let (named, empty): (Vec<&String>, Vec<&String>) = labels.iter().partition(|label| !label.is_empty());
        if named.is_empty() {
            return self.omit(object, "type", "DBML has no enumeration without words");
        }
        let _ = writeln!(self.text, "\nEnum {} {{", qualified(object));
        self.text.extend(named.iter().map(|label| format!("  {}\n", name(label))));
        self.text.push_str("}\n");
        if !empty.is_empty() {
            self.omit(object, "label \"\"", NO_NAME);
        }
    }

    fn table(&mut self, entity: &Entity<'_>) {
        let Some(relation) = entity.relation else { return };
        if entity.attributes.iter().all(|attribute| attribute.column.name.is_empty()) {
            let reason = if entity.attributes.is_empty() { "DBML has no table without columns" } else { NO_NAME };
            return self.omit(&entity.name, "table", reason);
        }
        let _ = writeln!(self.text, "\nTable {} {{", qualified(&entity.name));
        let single = relation.primary_key.as_ref().is_some_and(|key| key.columns.len() == 1);
        for attribute in &entity.attributes {
            if attribute.column.name.is_empty() {
                self.omit(&entity.name, "column \"\"", NO_NAME);
                continue;
            }
            let mut settings: Vec<String> = Vec::new();
            if attribute.primary && single {
                settings.push("pk".to_owned());
            } else if attribute.unique {
                settings.push("unique".to_owned());
            }
            if !attribute.column.nullable {
                settings.push("not null".to_owned());
            }
            self.column(&entity.name, attribute.column, settings);
        }
        let mut indexes = Vec::new();
        if let Some(key) = relation.primary_key.as_ref().filter(|key| key.columns.len() > 1) {
            let columns: Vec<String> = key.columns.iter().map(|column| name(column)).collect();
            if key.columns.contains(&String::new()) {
                self.omit(&entity.name, "primary key", NO_NAME);
            } else {
                indexes.push(format!("({}) [pk]", columns.join(", ")));
            }
        }
        let kept = relation.primary_key.as_ref().and_then(|key| key.index.as_ref());
        for index in relation.indexes.iter().filter(|index| Some(&index.name) != kept) {
            match index_line(index) {
                Ok(line) => indexes.push(line),
                Err(reason) => self.omit(&entity.name, format!("index {}", index.name), reason),
            }
        }
        if !indexes.is_empty() {
            self.text.push_str("\n  indexes {\n");
            self.text.extend(indexes.iter().map(|line| format!("    {line}\n")));
            self.text.push_str("  }\n");
        }
        for check in &relation.checks {
            let part = format!("check {}", check.name.as_deref().unwrap_or_default());
            let reason = check.expression.reason().map_or("DBML has no conditions that every reader understands", why);
            self.omit(&entity.name, part, reason);
        }
        let kind = match relation.kind {
            RelationKind::ForeignTable => Some("foreign table"),
            RelationKind::VirtualTable => Some("virtual table"),
            _ => None,
        };
        let partitions = (entity.partitions > 0).then(|| format!("{} partitions", entity.partitions));
        let notes = [relation.comment.clone(), kind.map(str::to_owned), partitions];
        let notes: Vec<String> = notes.into_iter().flatten().collect();
        self.note((!notes.is_empty()).then(|| notes.join("\n")).as_deref());
        self.text.push_str("}\n");
    }

    fn column(&mut self, table: &ObjectName, column: &Column, mut settings: Vec<String>) {
        if column.identity.is_some() {
            settings.push("increment".to_owned());
        }
        let mut notes: Vec<String> = column.comment.iter().cloned().collect();
        match &column.default {
            Some(Reading::Known(text)) => match expression(text) {
                Some(expression) => settings.push(format!("default: {expression}")),
                None => self.omit(table, format!("column {}: default", column.name), NO_EXPRESSION),
            },
            Some(Reading::Unknown { unavailable }) => {
                self.omit(table, format!("column {}: default", column.name), why(*unavailable));
            }
            None => {}
        }
        match column.generated.as_ref().map(|generated| &generated.expression) {
            Some(Reading::Known(text)) => notes.push(format!("generated as {text}")),
            Some(Reading::Unknown { unavailable }) => {
                self.omit(table, format!("column {}: generated", column.name), why(*unavailable));
            }
            None => {}
        }
        if !notes.is_empty() {
            settings.push(format!("note: {}", string(&notes.join("\n"))));
        }
        let kind = match &column.data_type {
            data_type if data_type.text.is_empty() => "\"any\"".to_owned(),
            data_type => match &data_type.user_type {
                // An enumeration is found by its name.
                Some(user_type) if data_type.array_dimensions == 0 => qualified(user_type),
                _ => name(&data_type.text),
            },
        };
        let settings = if settings.is_empty() { String::new() } else { format!(" [{}]", settings.join(", ")) };
        let _ = writeln!(self.text, "  {} {kind}{settings}", name(&column.name));
    }

    fn reference(&mut self, diagram: &Diagram<'_>, link: &Link<'_>, seen: &mut HashSet<Ends>) {
        let (child, parent) = (&diagram.entities[link.child], &diagram.entities[link.parent]);
        let ForeignKey { columns, name: key_name, on_update, on_delete, .. } = link.key;
        let part = || format!("foreign key {}", link.label());
        let here: Vec<String> = columns.iter().map(|pair| pair.column.clone()).collect();
        let there: Vec<String> = columns.iter().map(|pair| pair.references.clone()).collect();
        let is_there = |columns: &[String], entity: &Entity<'_>| {
            !columns.is_empty() && columns.iter().all(|name| entity.place(name).is_some())
        };
        if !is_there(&here, child) || !is_there(&there, parent) {
            return self.omit(&child.name, part(), "what it leads to is not in the model");
        }
        if here.iter().chain(&there).any(String::is_empty) {
            return self.omit(&child.name, part(), NO_NAME);
        }
        let mut ends = [(link.child, here.clone()), (link.parent, there.clone())];
        ends.sort_unstable();
        if ends[0] == ends[1] || !seen.insert(ends) {
            return self.omit(&child.name, part(), "DBML has one reference between the same columns");
        }
        let tuple = |columns: &[String]| {
            let columns: Vec<String> = columns.iter().map(|column| name(column)).collect();
            if let [only] = columns.as_slice() { only.clone() } else { format!("({})", columns.join(", ")) }
        };
        let sign = if link.many { '>' } else { '-' };
        let label = key_name.as_ref().map(|key| format!("{} ", name(key))).unwrap_or_default();
        let (delete, update) = (action(*on_delete), action(*on_update));
        let (from, to) = (qualified(&child.name), qualified(&parent.name));
        let _ = writeln!(
            self.text,
            "\nRef {label}: {from}.{} {sign} {to}.{} [delete: {delete}, update: {update}]",
            tuple(&here),
            tuple(&there)
        );
    }
}

const NO_NAME: &str = "DBML has no column and no label without a name";
const NO_EXPRESSION: &str = "DBML has no expression with a backtick or in several lines";

fn index_line(index: &Index) -> Result<String, &'static str> {
    let mut parts = Vec::new();
    for part in &index.parts {
        parts.push(match &part.target {
            PartTarget::Column(column) if column.is_empty() => return Err(NO_NAME),
            PartTarget::Column(column) => name(column),
            PartTarget::Expression(Reading::Known(text)) => expression(text).ok_or(NO_EXPRESSION)?,
            PartTarget::Expression(Reading::Unknown { unavailable }) => return Err(why(*unavailable)),
        });
    }
    if parts.is_empty() {
        return Err("it has no parts");
    }
    let mut notes = Vec::new();
    let mut seen = HashSet::new();
    let count = parts.len();
    parts.retain(|part| seen.insert(part.clone()));
    if parts.len() < count {
        // DBML has each column of an index once.
        notes.push("a part of it stands there more than once, in other ways".to_owned());
    }
    let mut settings = vec![format!("name: {}", string(&index.name))];
    if index.unique {
        settings.push("unique".to_owned());
    }
    match index.method.as_str() {
        method @ ("btree" | "hash") => settings.push(format!("type: {method}")),
        method => notes.push(format!("using {method}")),
    }
    match &index.predicate {
        Some(Reading::Known(text)) => notes.push(format!("where {text}")),
        Some(Reading::Unknown { unavailable }) => return Err(why(*unavailable)),
        None => {}
    }
    notes.extend(index.comment.clone());
    if !notes.is_empty() {
        settings.push(format!("note: {}", string(&notes.join("\n"))));
    }
    Ok(format!("({}) [{}]", parts.join(", "), settings.join(", ")))
}

fn action(action: ReferentialAction) -> &'static str {
    match action {
        ReferentialAction::NoAction => "no action",
        ReferentialAction::Restrict => "restrict",
        ReferentialAction::Cascade => "cascade",
        ReferentialAction::SetNull => "set null",
        ReferentialAction::SetDefault => "set default",
    }
}

fn expression(text: &str) -> Option<String> {
    let fits = !text.is_empty() && !text.contains(|character: char| character == '`' || character.is_control());
    fits.then(|| format!("`{text}`"))
}

fn name(text: &str) -> String {
    in_quotes(text, '"')
}

fn string(text: &str) -> String {
    in_quotes(text, '\'')
}

fn qualified(object: &ObjectName) -> String {
    format!("{}.{}", name(&object.namespace), name(&object.name))
}

fn in_quotes(text: &str, quote: char) -> String {
    let mut quoted = String::from(quote);
    for character in text.chars() {
        match character {
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            _ if character == quote => quoted.extend(['\\', quote]),
            _ if character.is_control() || matches!(character, '\u{2028}' | '\u{2029}') => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(character));
            }
            _ => quoted.push(character),
        }
    }
    quoted.push(quote);
    quoted
}
