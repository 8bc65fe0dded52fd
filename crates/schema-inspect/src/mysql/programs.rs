//! What is run: triggers, events and routines.

use std::collections::HashMap;

use schema_model::{Event, Native, Routine, RoutineKind, Trigger, TriggerEvent, TriggerLevel, TriggerTiming};

use super::assembly::or_forbidden;
use super::reserved::is_reserved;
use super::rows::{FoundEvent, FoundProgram, FoundRoutine, FoundTrigger, Id, RoutineFacts, TypeText};

#[derive(Default)]
pub(super) struct Programs {
    pub(super) triggers: HashMap<Id, Vec<Trigger>>,
    pub(super) events: Vec<(Id, Event)>,
}

pub(super) fn sorted(found: Vec<FoundProgram>) -> Programs {
    let mut programs = Programs::default();
    for found in found {
        match found {
            FoundProgram::Trigger(found) => {
                let table = found.table.clone();
                programs.triggers.entry(table).or_default().push(trigger(found));
            }
            FoundProgram::Event(found) => programs.events.push((found.id.clone(), event(found))),
        }
    }
    programs
}

fn trigger(found: FoundTrigger) -> Trigger {
    let mut native =
        texts([("definer", found.definer), ("sql_mode", found.sql_mode), ("collation_connection", found.collation)]);
    if let Some(order) = found.order {
        native.insert("order".to_owned(), order.into());
    }
    Trigger {
        name: found.name,
        timing: if found.timing == "BEFORE" { TriggerTiming::Before } else { TriggerTiming::After },
        events: vec![match found.event.as_str() {
            "UPDATE" => TriggerEvent::Update,
            "DELETE" => TriggerEvent::Delete,
            _ => TriggerEvent::Insert,
        }],
        columns: Vec::new(),
        level: TriggerLevel::Row,
        routine: None,
        definition: or_forbidden(found.statement.map(alone)),
        enabled: true,
        comment: None,
        native,
    }
}

fn event(found: FoundEvent) -> Event {
    let status = found.status.to_ascii_uppercase();
    let mut native = texts([
        ("sql_mode", found.sql_mode),
        ("collation_connection", found.collation),
        ("on_completion", found.on_completion),
        ("time_zone", found.time_zone),
    ]);
    if status != "ENABLED" && status != "DISABLED" {
        native.insert("status".to_owned(), found.status.into());
    }
    Event {
        name: found.id.1,
        schedule: found.schedule,
        definition: or_forbidden(found.statement.map(alone)),
        enabled: status == "ENABLED",
        owner: found.definer,
        comment: found.comment,
        native,
    }
}

/// Routines with their namespaces. A function and a procedure may have one name.
pub(super) fn routines(found: Vec<FoundRoutine>, usual: &HashMap<String, String>) -> Vec<(String, Routine)> {
    let mut arguments: HashMap<(Id, String), Vec<(i64, String)>> = HashMap::new();
    let mut routines = Vec::new();
    for found in found {
        match found {
            FoundRoutine::Routine(facts) => routines.push(facts),
            FoundRoutine::Argument { id, kind, position, mode, name, type_text } => {
                // A function's arguments all go in, and are written without a word for that.
                let mode = mode.filter(|_| kind != "FUNCTION");
                let type_text = with_collation(type_text, usual.get(&id.0));
                let words = [mode, name.as_deref().map(as_written), type_text];
                let words: Vec<String> = words.into_iter().flatten().collect();
                arguments.entry((id, kind)).or_default().push((position, words.join(" ")));
            }
        }
    }
    let with_arguments = |facts: RoutineFacts| {
        let mut arguments = arguments.remove(&(facts.id.clone(), facts.kind.clone())).unwrap_or_default();
        arguments.sort_unstable();
        let arguments: Vec<String> = arguments.into_iter().map(|(_, argument)| argument).collect();
        let usual = usual.get(&facts.id.0);
        (facts.id.0.clone(), routine(facts, arguments.join(", "), usual))
    };
    routines.into_iter().map(with_arguments).collect()
}

/// A type with its collation, where that is another than the usual one of its database.
fn with_collation(found: TypeText, usual: Option<&String>) -> Option<String> {
    let TypeText { text, character_set, collation } = found;
    let collation = collation.filter(|collation| Some(collation) != usual);
    let words =
        character_set.zip(collation).map(|(set, collation)| format!(" CHARACTER SET {set} COLLATE {collation}"));
    text.map(|text| text + &words.unwrap_or_default())
}

fn routine(facts: RoutineFacts, arguments: String, usual: Option<&String>) -> Routine {
    let mut native = texts([
        ("data_access", facts.data_access),
        ("security", facts.security),
        ("sql_mode", facts.sql_mode),
        ("collation_connection", facts.collation),
    ]);
    if facts.is_deterministic {
        native.insert("deterministic".to_owned(), true.into());
    }
    Routine {
        name: facts.id.1,
        arguments,
        kind: if facts.kind == "FUNCTION" { RoutineKind::Function } else { RoutineKind::Procedure },
        returns: with_collation(facts.returns, usual),
        language: facts.language.unwrap_or_else(|| "SQL".to_owned()),
        definition: Some(or_forbidden(facts.body.map(alone))),
        owner: facts.definer,
        comment: facts.comment,
        grants: Vec::new(),
        native,
    }
}

/// A statement without the semicolon that parted it from others where it was made: to MySQL it is a part of the text.
fn alone(statement: String) -> String {
    let last_line = statement.rsplit('\n').next().unwrap_or_default();
    match statement.trim_end().strip_suffix(';') {
        // What stands in a comment is no end.
        Some(before) if !last_line.contains("--") && !last_line.contains('#') => before.trim_end().to_owned(),
        _ => statement,
    }
}

/// A name as it stands in a list of arguments: quoted where it could be taken for something else.
fn as_written(name: &str) -> String {
    let is_plain = name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && !is_reserved(name);
    if is_plain { name.to_owned() } else { format!("`{}`", name.replace('`', "``")) }
}

fn texts<const N: usize>(found: [(&str, Option<String>); N]) -> Native {
    let filled = found.into_iter().filter_map(|(key, text)| Some((key.to_owned(), text?.into())));
    filled.collect()
}
