//! SQLite. It keeps the statements that tables, views and triggers were made with; where a model has them they are written as they
//! are, and otherwise they are made of the model.

mod one_statement;

use std::collections::HashSet;
use std::fmt::Write as _;

use schema_model::{
    Column, Database, Deferrability, ForeignKey, GenerationStorage, Index, Key, ObjectName, PartTarget,
    ReferentialAction, Relation, RelationKind, SortDirection,
};

use super::script::Script;
use crate::Export;

pub(super) fn script(database: &Database) -> Export {
    let mut script = Script::default();
    script.remark(&format!("Made from a model of SQLite {}.", database.version));
    for pragma in ["application_id", "user_version"] {
        if let Some(number) = database.native.get(pragma).and_then(serde_json::Value::as_i64) {
            script.statement(&format!("PRAGMA {pragma} = {number}"));
        }
    }
    let relations: Vec<(ObjectName, &Relation)> = database.relations().collect();
    let is_view = |relation: &Relation| matches!(relation.kind, RelationKind::View | RelationKind::MaterializedView);
    // A foreign key may lead to a table that is not there yet, and so may a view.
    for (name, relation) in relations.iter().filter(|(_, relation)| !is_view(relation)) {
        table(&mut script, name, relation);
    }
    for (name, relation) in relations.iter().filter(|(_, relation)| is_view(relation)) {
        view(&mut script, name, relation);
    }
    for (name, relation) in &relations {
        let keys = relation.primary_key.iter().chain(&relation.unique);
        let keep_keys: HashSet<&str> = keys.filter_map(|key| key.index.as_deref()).collect();
        for index in &relation.indexes {
            if !keep_keys.contains(index.name.as_str()) {
                make_index(&mut script, name, relation, index);
            }
        }
    }
    for (name, relation) in &relations {
        for trigger in &relation.triggers {
            let part = format!("trigger {}", trigger.name);
            if let Some(text) = script.known(name, &part, &trigger.definition) {
                as_kept(&mut script, name, &part, text);
            }
        }
    }
    script.export()
}

/// The statement that the file keeps.
fn kept(relation: &Relation) -> Option<&str> {
    relation.native.get("sql").and_then(|sql| sql.as_str()).filter(|sql| !sql.is_empty())
}

/// Writes a statement as it was written, where it is one.
fn as_kept(script: &mut Script, name: &ObjectName, part: &str, sql: &str) {
    // A blank beyond ASCII is a letter for SQLite.
    let sql = sql.trim_end_matches(|last: char| last.is_ascii_whitespace());
    match one_statement::end_of(sql) {
        Some(end) => script.ended(sql, end),
        None => script.omit(name, part, "what the file keeps of it is more or less than one statement"),
    }
}

fn table(script: &mut Script, name: &ObjectName, relation: &Relation) {
    if let Some(sql) = kept(relation) {
        return as_kept(script, name, "table", sql);
    }
    if relation.kind != RelationKind::Table {
        return script.omit(name, "table", "the model has no statement of a virtual table");
    }
    let has = |key: &str| relation.native.get(key).and_then(serde_json::Value::as_bool) == Some(true);
    let mut items: Vec<String> = Vec::new();
    let row_number = has("autoincrement") && relation.primary_key.as_ref().is_some_and(|key| key.columns.len() == 1);
    for column in &relation.columns {
        let mut text = column_text(script, name, column);
        let is_key = || relation.primary_key.as_ref().is_some_and(|key| key.columns.contains(&column.name));
        if row_number && is_key() {
            text.push_str(" PRIMARY KEY AUTOINCREMENT");
        }
        items.push(text);
    }
    if let Some(key) = relation.primary_key.as_ref().filter(|_| !row_number) {
        items.push(key_text("PRIMARY KEY", key));
    }
    items.extend(relation.unique.iter().map(|key| key_text("UNIQUE", key)));
    for check in &relation.checks {
        let part = format!("check {}", check.name.as_deref().unwrap_or_default());
        if let Some(text) = script.known(name, &part, &check.expression) {
            items.push(format!("{}CHECK ({text})", constraint(check.name.as_ref())));
        }
    }
    items.extend(relation.foreign_keys.iter().map(foreign_key));
    let options = [("strict", "STRICT"), ("without_rowid", "WITHOUT ROWID")];
    let options: Vec<&str> = options.iter().filter(|(key, _)| has(key)).map(|(_, word)| *word).collect();
    let options = if options.is_empty() { String::new() } else { format!(" {}", options.join(", ")) };
    script.statement(&format!("CREATE TABLE {} (\n  {}\n){options}", quoted(&name.name), items.join(",\n  ")));
}

fn column_text(script: &mut Script, table: &ObjectName, column: &Column) -> String {
    let mut text = format!("{} {}", quoted(&column.name), column.data_type.text);
    let text_end = text.trim_end().len();
    text.truncate(text_end);
    if let Some(collation) = &column.collation {
        let _ = write!(text, " COLLATE {}", quoted(collation));
    }
    if !column.nullable {
        text.push_str(" NOT NULL");
    }
    if let Some(default) = &column.default
        && let Some(default) = script.known(table, &format!("column {}: default", column.name), default)
    {
        let _ = write!(text, " DEFAULT ({default})");
    }
    if let Some(generated) = &column.generated
        && let Some(expression) =
            script.known(table, &format!("column {}: generated", column.name), &generated.expression)
    {
        let storage = if generated.storage == GenerationStorage::Stored { "STORED" } else { "VIRTUAL" };
        let _ = write!(text, " GENERATED ALWAYS AS ({expression}) {storage}");
    }
    text
}

fn constraint(name: Option<&String>) -> String {
    name.map(|name| format!("CONSTRAINT {} ", quoted(name))).unwrap_or_default()
}

fn key_text(words: &str, key: &Key) -> String {
    format!("{}{words} ({})", constraint(key.name.as_ref()), list(&key.columns))
}

fn list(columns: &[String]) -> String {
    columns.iter().map(|column| quoted(column)).collect::<Vec<_>>().join(", ")
}

fn foreign_key(key: &ForeignKey) -> String {
    let here: Vec<String> = key.columns.iter().map(|pair| pair.column.clone()).collect();
    let there: Vec<String> = key.columns.iter().map(|pair| pair.references.clone()).collect();
    let mut text = format!(
        "{}FOREIGN KEY ({}) REFERENCES {} ({})",
        constraint(key.name.as_ref()),
        list(&here),
        quoted(&key.references.name),
        list(&there)
    );
    for (words, action) in [("ON UPDATE", key.on_update), ("ON DELETE", key.on_delete)] {
        if action != ReferentialAction::NoAction {
            let _ = write!(text, " {words} {}", super::action(action));
        }
    }
    text.push_str(match key.deferrability {
        Deferrability::NotDeferrable => "",
        Deferrability::InitiallyImmediate => " DEFERRABLE",
        Deferrability::InitiallyDeferred => " DEFERRABLE INITIALLY DEFERRED",
    });
    text
}

fn view(script: &mut Script, name: &ObjectName, relation: &Relation) {
    if let Some(sql) = kept(relation) {
        return as_kept(script, name, "definition", sql);
    }
    match &relation.definition {
        Some(definition) => {
            if let Some(query) = script.known(name, "definition", definition) {
                script.statement(&format!("CREATE VIEW {} AS {query}", quoted(&name.name)));
            }
        }
        None => script.omit(name, "definition", "the model has none"),
    }
}

fn make_index(script: &mut Script, table: &ObjectName, relation: &Relation, index: &Index) {
    let part = format!("index {}", index.name);
    let mut parts = Vec::new();
    for index_part in &index.parts {
        let mut text = match &index_part.target {
            PartTarget::Column(column) => quoted(column),
            PartTarget::Expression(expression) => match script.known(table, &part, expression) {
                Some(expression) if expression.is_empty() => {
                    return script.omit(table, &part, "an expression of it was not understood");
                }
                Some(expression) => expression.clone(),
                None => return,
            },
        };
        if let Some(collation) = &index_part.collation {
            let _ = write!(text, " COLLATE {}", quoted(collation));
        }
        if index_part.direction == Some(SortDirection::Descending) {
            text.push_str(" DESC");
        }
        parts.push(text);
    }
    let unique = if index.unique { "UNIQUE " } else { "" };
    let (name, on) = (quoted(&index.name), quoted(&relation.name));
    let mut text = format!("CREATE {unique}INDEX {name} ON {on} ({})", parts.join(", "));
    if let Some(predicate) = &index.predicate {
        match script.known(table, &part, predicate) {
            Some(predicate) => {
                let _ = write!(text, " WHERE {predicate}");
            }
            None => return,
        }
    }
    script.statement(&text);
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
