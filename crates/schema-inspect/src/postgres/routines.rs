use schema_model::{Native, Routine, RoutineKind};
use shared_kernel::database::{DatabaseError, Row};

use super::grants;
use super::relations::or_locked;
use crate::cells::Cells;

/// A routine and the namespace that it is in.
pub(super) struct FoundRoutine {
    pub(super) namespace: String,
    pub(super) routine: Routine,
}

pub(super) fn read(row: &Row) -> Result<FoundRoutine, DatabaseError> {
    let mut cells = Cells::of(row);
    let namespace = cells.next()?;
    let (name, arguments) = (cells.next()?, cells.next()?);
    let kind = match cells.next::<String>()?.as_str() {
        "p" => RoutineKind::Procedure,
        "a" => RoutineKind::Aggregate,
        "w" => RoutineKind::Window,
        _ => RoutineKind::Function,
    };
    let (returns, language) = (cells.next()?, cells.next()?);
    let mut native = Native::new();
    let volatility = match cells.next::<String>()?.as_str() {
        "i" => "immutable",
        "s" => "stable",
        _ => "volatile",
    };
    native.insert("volatility".to_owned(), volatility.into());
    for key in ["security_definer", "strict"] {
        if cells.next::<bool>()? {
            native.insert(key.to_owned(), true.into());
        }
    }
    match cells.next::<String>()?.as_str() {
        "s" => native.insert("parallel".to_owned(), "safe".into()),
        "r" => native.insert("parallel".to_owned(), "restricted".into()),
        _ => None,
    };
    let definition: Option<String> = cells.next()?;
    let routine = Routine {
        name,
        arguments,
        kind,
        returns,
        language,
        definition: Some(or_locked(definition)),
        owner: cells.next()?,
        comment: cells.next()?,
        grants: grants::read(&cells.json::<Vec<String>>()?),
        native,
    };
    Ok(FoundRoutine { namespace, routine })
}
