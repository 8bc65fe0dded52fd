use std::collections::HashMap;

use schema_model::{
    Check, Column, ColumnPair, DataType, Deferrability, ForeignKey, Generated, GenerationStorage, Index, IndexPart,
    Key, MatchOption, Native, NullsOrder, ObjectName, PartTarget, Reading, ReferentialAction, Relation, RelationKind,
    SortDirection, Trigger, TriggerEvent, TriggerLevel, TriggerTiming, TypeFamily,
};

use super::MAIN;
use super::rows::{Found, FoundColumn, FoundForeignKeyPart, FoundIndexPart, FoundRelation, FoundTrigger};
use super::text::{self, TableText};

/// Relations in the order of their names.
pub(super) fn assembled(found: Found) -> Vec<Relation> {
    let Found { relations, columns, indexes, foreign_keys, triggers, .. } = found;
    let tables = Tables {
        names: relations.iter().map(|found| (folded(&found.name), found.name.clone())).collect(),
        keys: primary_keys(&columns),
    };
    let mut columns = grouped(columns, |column| &column.relation);
    let mut indexes = grouped(indexes, |part| &part.relation);
    let mut foreign_keys = grouped(foreign_keys, |part| &part.relation);
    let mut triggers = grouped(triggers, |trigger| &trigger.relation);
    let mut relations: Vec<Relation> = relations
        .into_iter()
        .map(|found| {
            let mut relation = relation(&found);
            let written =
                if relation.kind == RelationKind::Table { text::table(&found.sql) } else { TableText::default() };
            let key = tables.keys.get(&folded(&found.name)).cloned().unwrap_or_default();
            let columns = columns.remove(&found.name).unwrap_or_default();
            relation.columns = placed(columns, &written);
            let parts = indexes.remove(&found.name).unwrap_or_default();
            relation.indexes = made_indexes(parts, &relation.columns);
            name_keys(&mut relation, key, &written);
            let parts = foreign_keys.remove(&found.name).unwrap_or_default();
            relation.foreign_keys = made_foreign_keys(parts, &tables, &written);
            relation.checks = written.checks.iter().map(check).collect();
            relation.triggers = triggers.remove(&found.name).unwrap_or_default().into_iter().map(trigger).collect();
            relation.triggers.sort_by(|one, other| one.name.cmp(&other.name));
            if written.auto_increment {
                relation.native.insert("autoincrement".to_owned(), true.into());
            }
            relation
        })
        .collect();
    relations.sort_by(|one, other| one.name.cmp(&other.name));
    relations
}

/// Tables by their folded names.
struct Tables {
    /// As they were made: whoever refers to one may write it in other letters.
    names: HashMap<String, String>,
    /// The columns of the primary key, in its order.
    keys: HashMap<String, Vec<String>>,
}

/// SQLite compares names without regard to the case of ASCII's letters.
fn folded(name: &str) -> String {
    name.to_ascii_lowercase()
}

fn grouped<T>(all: Vec<T>, owner: impl Fn(&T) -> &String) -> HashMap<String, Vec<T>> {
    let mut groups: HashMap<String, Vec<T>> = HashMap::new();
    for one in all {
        groups.entry(owner(&one).clone()).or_default().push(one);
    }
    groups
}

/// The columns of each table's primary key in the order of the key, by the table's folded name.
fn primary_keys(columns: &[FoundColumn]) -> HashMap<String, Vec<String>> {
    let mut keys: HashMap<String, Vec<(i64, String)>> = HashMap::new();
    for column in columns.iter().filter(|column| column.key_position > 0) {
        keys.entry(folded(&column.relation)).or_default().push((column.key_position, column.name.clone()));
    }
    let in_order = |(table, mut key): (String, Vec<(i64, String)>)| {
        key.sort_unstable();
        (table, key.into_iter().map(|(_, name)| name).collect())
    };
    keys.into_iter().map(in_order).collect()
}

fn relation(found: &FoundRelation) -> Relation {
    let kind = match found.kind.as_str() {
        "view" => RelationKind::View,
        "virtual" => RelationKind::VirtualTable,
        _ => RelationKind::Table,
    };
    let mut relation = Relation::new(&found.name, kind);
    if kind == RelationKind::View {
        relation.definition = text::view(&found.sql).map(Reading::Known);
    }
    for (key, is) in [("without_rowid", found.without_rowid), ("strict", found.strict)] {
        if is {
            relation.native.insert(key.to_owned(), true.into());
        }
    }
    // The whole of it: what is not told here by itself is told by the statement.
    relation.native.insert("sql".to_owned(), found.sql.clone().into());
    relation
}

fn placed(found: Vec<FoundColumn>, written: &TableText) -> Vec<Column> {
    let mut columns = Vec::with_capacity(found.len());
    for (position, found) in (1..).zip(found) {
        let text = written.columns.iter().find(|text| folded(&text.name) == folded(&found.name));
        let storage = match found.hidden {
            2 => Some(GenerationStorage::Virtual),
            3 => Some(GenerationStorage::Stored),
            _ => None,
        };
        let generated = storage.map(|storage| {
            let expression = text.and_then(|text| text.generated.clone()).unwrap_or_default();
            Generated { expression: Reading::Known(expression), storage }
        });
        let mut native = Native::new();
        if found.hidden == 1 {
            native.insert("hidden".to_owned(), true.into());
        }
        columns.push(Column {
            position,
            data_type: DataType {
                family: family(&found.data_type),
                text: found.data_type,
                user_type: None,
                array_dimensions: 0,
            },
            nullable: !found.not_null,
            default: found.default.map(Reading::Known),
            identity: None,
            generated,
            collation: text.and_then(|text| text.collation.clone()),
            collation_namespace: None,
            comment: None,
            grants: Vec::new(),
            native,
            name: found.name,
        });
    }
    columns
}

/// By what people write as a type, and else by the rules of affinity (<https://www.sqlite.org/datatype3.html>, section 3.1).
fn family(declared: &str) -> TypeFamily {
    let declared = declared.to_ascii_uppercase();
    let has = |words: &[&str]| words.iter().any(|word| declared.contains(word));
    match declared.split('(').next().unwrap_or_default().trim() {
        "BOOLEAN" | "BOOL" => TypeFamily::Boolean,
        "DATE" => TypeFamily::Date,
        "TIME" => TypeFamily::Time,
        "DATETIME" | "TIMESTAMP" => TypeFamily::Timestamp,
        "JSON" | "JSONB" => TypeFamily::Json,
        "UUID" => TypeFamily::Uuid,
        _ if has(&["INT"]) => TypeFamily::Integer,
        _ if has(&["CHAR", "CLOB", "TEXT"]) => TypeFamily::Text,
        _ if has(&["BLOB"]) => TypeFamily::Binary,
        _ if has(&["REAL", "FLOA", "DOUB"]) => TypeFamily::Float,
        _ if has(&["DEC", "NUMERIC"]) => TypeFamily::Decimal,
        _ => TypeFamily::Other,
    }
}

fn made_indexes(parts: Vec<FoundIndexPart>, columns: &[Column]) -> Vec<Index> {
    let mut indexes: Vec<Index> = Vec::new();
    let mut texts = Vec::new();
    for part in parts {
        if indexes.last().is_none_or(|index| index.name != part.index) {
            let (expressions, predicate) = part.sql.as_deref().map(text::index).unwrap_or_default();
            texts = expressions;
            indexes.push(Index {
                name: part.index.clone(),
                method: "btree".to_owned(),
                unique: part.unique,
                nulls_distinct: true,
                constraint: None,
                parts: Vec::new(),
                include: Vec::new(),
                predicate: predicate.filter(|_| part.partial).map(Reading::Known),
                valid: true,
                comment: None,
                native: Native::from([("origin".to_owned(), part.origin.clone().into())]),
            });
        }
        let Some(index) = indexes.last_mut() else { continue };
        let target = match part.column {
            Some(name) => PartTarget::Column(name),
            None if part.number == -1 => PartTarget::Column("rowid".to_owned()),
            None => PartTarget::Expression(Reading::Known(texts.get(index.parts.len()).cloned().unwrap_or_default())),
        };
        // What is the column's own goes without saying.
        let usual = match &target {
            PartTarget::Column(name) => columns.iter().find(|column| column.name == *name),
            PartTarget::Expression(_) => None,
        };
        let usual = usual.and_then(|column| column.collation.as_deref()).unwrap_or("BINARY");
        let direction = if part.descending { SortDirection::Descending } else { SortDirection::Ascending };
        index.parts.push(IndexPart {
            collation: part.collation.filter(|collation| !collation.eq_ignore_ascii_case(usual)),
            direction: Some(direction),
            // NULL is less than everything else, and there is no choice that is kept.
            nulls: Some(if part.descending { NullsOrder::Last } else { NullsOrder::First }),
            ..IndexPart::new(target)
        });
    }
    indexes
}

/// Makes keys of the indexes that keep them, and of the primary key that is the row's number and has none.
fn name_keys(relation: &mut Relation, key: Vec<String>, written: &TableText) {
    let name_of = |primary: bool, columns: &[String]| {
        let folded_columns: Vec<String> = columns.iter().map(|column| folded(column)).collect();
        let same = |other: &[String]| other.iter().map(|column| folded(column)).eq(folded_columns.iter().cloned());
        written.keys.iter().find(|key| key.primary == primary && same(&key.columns)).and_then(|key| key.name.clone())
    };
    let made = |name: Option<String>, columns: Vec<String>, index: Option<String>| Key {
        name,
        columns,
        include: Vec::new(),
        index,
        nulls_distinct: true,
        deferrability: Deferrability::NotDeferrable,
        comment: None,
    };
    let mut kept_by = None;
    for index in &mut relation.indexes {
        let origin = index.native.remove("origin");
        let columns = index.parts.iter().filter_map(|part| match &part.target {
            PartTarget::Column(name) => Some(name.clone()),
            PartTarget::Expression(_) => None,
        });
        let columns: Vec<String> = columns.collect();
        match origin.as_ref().and_then(|origin| origin.as_str()) {
            Some("pk") => {
                index.constraint = name_of(true, &columns);
                kept_by = Some(index.name.clone());
            }
            Some("u") => {
                index.constraint = name_of(false, &columns);
                relation.unique.push(made(index.constraint.clone(), columns, Some(index.name.clone())));
            }
            _ => {}
        }
    }
    relation.unique.sort_by(|one, other| one.index.cmp(&other.index));
    if let ([only], None) = (key.as_slice(), &kept_by)
        && let Some(column) = relation.columns.iter_mut().find(|column| column.name == *only)
    {
        // It is the row's number, which every row has; other keys may be NULL, as SQLite has it.
        column.nullable = false;
    }
    if !key.is_empty() {
        relation.primary_key = Some(made(name_of(true, &key), key, kept_by));
    }
}

fn made_foreign_keys(parts: Vec<FoundForeignKeyPart>, tables: &Tables, written: &TableText) -> Vec<ForeignKey> {
    let mut made: Vec<(i64, ForeignKey)> = Vec::new();
    for part in parts {
        if made.last().is_none_or(|(id, _)| *id != part.id) {
            let table = tables.names.get(&folded(&part.table)).unwrap_or(&part.table);
            let key = ForeignKey {
                name: None,
                references: ObjectName::new(MAIN, table),
                columns: Vec::new(),
                target_constraint: None,
                on_update: action(&part.on_update),
                on_delete: action(&part.on_delete),
                set_on_delete: Vec::new(),
                match_option: MatchOption::Simple,
                deferrability: Deferrability::NotDeferrable,
                validated: true,
                enforced: true,
                comment: None,
            };
            made.push((part.id, key));
        }
        let Some((_, key)) = made.last_mut() else { continue };
        let implied = tables.keys.get(&folded(&part.table)).and_then(|target| target.get(key.columns.len()));
        let references = part.to.or_else(|| implied.cloned()).unwrap_or_default();
        key.columns.push(ColumnPair { column: part.from, references });
    }
    // The pragma begins with the last one that is written.
    made.reverse();
    for ((_, key), text) in made.iter_mut().zip(&written.foreign_keys) {
        key.name.clone_from(&text.name);
        key.deferrability = match (text.deferrable, text.deferred) {
            (false, _) => Deferrability::NotDeferrable,
            (true, false) => Deferrability::InitiallyImmediate,
            (true, true) => Deferrability::InitiallyDeferred,
        };
    }
    made.into_iter().map(|(_, key)| key).collect()
}

fn action(words: &str) -> ReferentialAction {
    match words {
        "RESTRICT" => ReferentialAction::Restrict,
        "CASCADE" => ReferentialAction::Cascade,
        "SET NULL" => ReferentialAction::SetNull,
        "SET DEFAULT" => ReferentialAction::SetDefault,
        _ => ReferentialAction::NoAction,
    }
}

fn check(text: &text::CheckText) -> Check {
    Check {
        name: text.name.clone(),
        expression: Reading::Known(text.expression.clone()),
        columns: Vec::new(),
        validated: true,
        enforced: true,
        inherited: false,
        comment: None,
    }
}

fn trigger(found: FoundTrigger) -> Trigger {
    let words = text::trigger(&found.sql);
    let has = |word: &str| words.iter().any(|found| found == word);
    let timing = match () {
        () if has("INSTEAD") => TriggerTiming::InsteadOf,
        () if has("AFTER") => TriggerTiming::After,
        // What says nothing happens before.
        () => TriggerTiming::Before,
    };
    let event = match () {
        () if has("DELETE") => TriggerEvent::Delete,
        () if has("UPDATE") => TriggerEvent::Update,
        () => TriggerEvent::Insert,
    };
    Trigger {
        name: found.name,
        timing,
        events: vec![event],
        columns: Vec::new(),
        level: TriggerLevel::Row,
        routine: None,
        definition: Reading::Known(found.sql),
        enabled: true,
        comment: None,
        native: Native::new(),
    }
}
