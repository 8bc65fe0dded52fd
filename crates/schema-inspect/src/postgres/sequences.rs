use schema_model::{ObjectName, Sequence, SequenceOptions};
use shared_kernel::database::{DatabaseError, Row};

use super::grants;
use crate::cells::Cells;

/// A sequence and what it belongs to.
pub(super) struct FoundSequence {
    pub(super) oid: i64,
    pub(super) namespace: String,
    pub(super) sequence: Sequence,
    /// The relation and the column that it numbers by itself.
    pub(super) identity_of: Option<(i64, String)>,
}

pub(super) fn read(row: &Row) -> Result<FoundSequence, DatabaseError> {
    let mut cells = Cells::of(row);
    let (oid, namespace) = (cells.next()?, cells.next()?);
    let (name, data_type) = (cells.next()?, cells.next()?);
    let options = SequenceOptions {
        start: cells.next::<i64>()?.into(),
        increment: cells.next::<i64>()?.into(),
        minimum: cells.next::<i64>()?.into(),
        maximum: cells.next::<i64>()?.into(),
        cache: cells.next::<i64>()?.into(),
        cycle: cells.next()?,
    };
    let (owner, comment) = (cells.next()?, cells.next()?);
    let grants = grants::read(&cells.json::<Vec<String>>()?);
    let how: Option<String> = cells.next()?;
    let relation: Option<i64> = cells.next()?;
    let (table_namespace, table, column): (Option<String>, Option<String>, Option<String>) =
        (cells.next()?, cells.next()?, cells.next()?);
    let identity_of = (how.as_deref() == Some("i")).then(|| relation.zip(column.clone())).flatten();
    let owned_by = table_namespace.zip(table).map(|(namespace, name)| ObjectName { namespace, name }).zip(column);
    Ok(FoundSequence {
        oid,
        namespace,
        sequence: Sequence { name, data_type, options, owned_by, owner, comment, grants },
        identity_of,
    })
}
