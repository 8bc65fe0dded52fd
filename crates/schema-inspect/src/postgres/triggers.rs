use schema_model::{Native, ObjectName, Trigger, TriggerEvent, TriggerLevel, TriggerTiming};
use shared_kernel::database::{DatabaseError, Row};

use super::relations::or_locked;
use crate::cells::Cells;

/// A trigger, whose columns are not known yet.
pub(super) struct FoundTrigger {
    pub(super) relation: i64,
    /// The numbers of the columns that an update has to name.
    pub(super) columns: Vec<i64>,
    pub(super) trigger: Trigger,
}

/// Bits of `pg_trigger.tgtype`, as PostgreSQL's header `catalog/pg_trigger.h` names them.
const ROW: i32 = 1;
const BEFORE: i32 = 1 << 1;
const INSTEAD: i32 = 1 << 6;
const EVENTS: [(i32, TriggerEvent); 4] = [
    (1 << 2, TriggerEvent::Insert),
    (1 << 4, TriggerEvent::Update),
    (1 << 3, TriggerEvent::Delete),
    (1 << 5, TriggerEvent::Truncate),
];

pub(super) fn read(row: &Row) -> Result<FoundTrigger, DatabaseError> {
    let mut cells = Cells::of(row);
    let relation = cells.next()?;
    let name = cells.next()?;
    let bits: i32 = cells.next()?;
    let enabled: String = cells.next()?;
    let columns = cells.numbers()?;
    let routine = ObjectName::new(cells.next::<String>()?, cells.next::<String>()?);
    let trigger = Trigger {
        name,
        timing: match bits {
            _ if bits & INSTEAD != 0 => TriggerTiming::InsteadOf,
            _ if bits & BEFORE != 0 => TriggerTiming::Before,
            _ => TriggerTiming::After,
        },
        events: EVENTS.iter().filter(|(bit, _)| bits & bit != 0).map(|(_, event)| *event).collect(),
        columns: Vec::new(),
        level: if bits & ROW == 0 { TriggerLevel::Statement } else { TriggerLevel::Row },
        routine: Some(routine),
        definition: or_locked(cells.next()?),
        enabled: enabled != "D",
        comment: cells.next()?,
        native: Native::new(),
    };
    Ok(FoundTrigger { relation, columns, trigger })
}
