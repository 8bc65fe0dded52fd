use schema_model::{Native, NativeObject, ObjectName, Reading, Routine, RoutineKind};
use shared_kernel::database::{DatabaseError, Row};

use super::grants;
use super::relations::or_locked;
use crate::cells::Cells;

/// What the question about routines is answered with.
pub(super) enum FoundRoutine {
    /// A routine, and the namespace that it is in.
    Routine(String, Routine),
    Object(NativeObject),
}

pub(super) fn read(row: &Row) -> Result<FoundRoutine, DatabaseError> {
    let mut cells = Cells::of(row);
    let namespace = cells.next()?;
    let name = cells.next()?;
    let arguments: Option<String> = cells.next()?;
    let kind = match cells.next::<String>()?.as_str() {
        "f" => RoutineKind::Function,
        "p" => RoutineKind::Procedure,
        "a" => RoutineKind::Aggregate,
        "w" => RoutineKind::Window,
        kind => {
            let name = ObjectName { namespace, name };
            return Ok(FoundRoutine::Object(object(kind.to_owned(), name, arguments, &mut cells)?));
        }
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
        arguments: arguments.unwrap_or_default(),
        kind,
        returns,
        language,
        definition: Some(or_locked(definition)),
        owner: cells.next()?,
        comment: cells.next()?,
        grants: grants::read(&cells.json::<Vec<String>>()?),
        native,
    };
    Ok(FoundRoutine::Routine(namespace, routine))
}

/// Something that is told beside routines, from what stands behind its signature.
fn object(
    kind: String,
    name: ObjectName,
    signature: Option<String>,
    cells: &mut Cells<'_>,
) -> Result<NativeObject, DatabaseError> {
    // What only routines have.
    for _ in 0..3 {
        cells.next::<Option<String>>()?;
    }
    for _ in 0..2 {
        cells.next::<Option<bool>>()?;
    }
    cells.next::<Option<String>>()?;
    let definition: Option<String> = cells.next()?;
    let definition = definition.map(Reading::Known);
    Ok(NativeObject { kind, name, signature, definition, owner: cells.next()?, comment: cells.next()? })
}
