use shared_kernel::database::{DatabaseError, Row};

use crate::cells::Cells;

/// How much is in an object.
pub(super) struct FoundSize {
    pub(super) object: i64,
    pub(super) rows: Option<u64>,
    pub(super) bytes: Option<u64>,
}

pub(super) fn read(row: &Row) -> Result<FoundSize, DatabaseError> {
    let mut cells = Cells::of(row);
    Ok(FoundSize { object: cells.next()?, rows: cells.count()?, bytes: cells.count()? })
}
