use std::collections::{BTreeMap, HashMap};

use schema_model::{Native, Reading, Trigger, TriggerEvent, TriggerLevel, TriggerTiming};
use shared_kernel::database::{DatabaseError, Row};

use super::about::{About, class};
use super::bounds;
use super::definitions::{Definitions, ModuleFacts, Whose};
use crate::cells::Cells;

/// A trigger, or what one waits for.
pub(super) enum FoundTrigger {
    Trigger { id: i64, parent: i64, facts: i64, name: String, module: ModuleFacts },
    Event { id: i64, facts: i64, name: String },
}

const DISABLED: i64 = 1;
const INSTEAD_OF: i64 = 2;
const NOT_FOR_REPLICATION: i64 = 4;
const CLR: i64 = 8;

pub(super) fn read(row: &Row) -> Result<FoundTrigger, DatabaseError> {
    let mut cells = Cells::of(row);
    let kind: String = cells.next()?;
    let (id, parent, facts) = (cells.next()?, cells.next()?, cells.next()?);
    let name = bounds::name(&mut cells)?.unwrap_or_default();
    Ok(match kind.as_str() {
        "e" => FoundTrigger::Event { id, facts, name },
        _ => FoundTrigger::Trigger { id, parent, facts, name, module: ModuleFacts::read(&mut cells)? },
    })
}

/// Triggers by the object that they are on, in the order of their names.
pub(super) fn assembled(
    found: Vec<FoundTrigger>,
    definitions: &mut Definitions,
    about: &mut About,
) -> HashMap<i64, Vec<Trigger>> {
    let mut events: HashMap<i64, BTreeMap<TriggerEvent, i64>> = HashMap::new();
    for found in &found {
        let FoundTrigger::Event { id, facts, name } = found else { continue };
        let event = match name.as_str() {
            "INSERT" => TriggerEvent::Insert,
            "UPDATE" => TriggerEvent::Update,
            "DELETE" => TriggerEvent::Delete,
            _ => continue,
        };
        events.entry(*id).or_default().insert(event, *facts);
    }
    let mut triggers: HashMap<i64, Vec<Trigger>> = HashMap::new();
    for found in found {
        let FoundTrigger::Trigger { id, parent, facts, name, module } = found else { continue };
        let events = events.remove(&id).unwrap_or_default();
        let mut native = Native::new();
        for (bit, word) in [(NOT_FOR_REPLICATION, "not_for_replication"), (CLR, "clr")] {
            if facts & bit != 0 {
                native.insert(word.to_owned(), true.into());
            }
        }
        for (bit, word) in [(1, "first_for"), (2, "last_for")] {
            let of: Vec<serde_json::Value> = events
                .iter()
                .filter(|(_, facts)| **facts & bit != 0)
                .map(|(event, _)| serde_json::json!(event))
                .collect();
            if !of.is_empty() {
                native.insert(word.to_owned(), of.into());
            }
        }
        module.describe(&mut native);
        triggers.entry(parent).or_default().push(Trigger {
            name,
            timing: if facts & INSTEAD_OF == 0 { TriggerTiming::After } else { TriggerTiming::InsteadOf },
            events: events.into_keys().collect(),
            columns: Vec::new(),
            level: TriggerLevel::Statement,
            routine: None,
            // What is written in CLR has no text.
            definition: if facts & CLR == 0 {
                definitions.take(Whose::Module, id, 0)
            } else {
                Reading::Known(String::new())
            },
            enabled: facts & DISABLED == 0,
            comment: about.comment((class::OBJECT, id, 0)),
            native,
        });
    }
    for of_object in triggers.values_mut() {
        of_object.sort_by(|one, other| one.name.cmp(&other.name));
    }
    triggers
}
