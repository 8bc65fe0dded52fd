use shared_kernel::database::{DatabaseError, Row};

use crate::cells::Cells;

/// All answers of the pragmas.
pub(super) struct Found {
    pub(super) relations: Vec<FoundRelation>,
    pub(super) columns: Vec<FoundColumn>,
    pub(super) indexes: Vec<FoundIndexPart>,
    pub(super) foreign_keys: Vec<FoundForeignKeyPart>,
    pub(super) triggers: Vec<FoundTrigger>,
}

pub(super) struct Facts {
    pub(super) version: String,
    pub(super) encoding: String,
    pub(super) application_id: i64,
    pub(super) user_version: i64,
}

pub(super) struct FoundRelation {
    pub(super) name: String,
    /// `table`, `view` or `virtual`.
    pub(super) kind: String,
    pub(super) without_rowid: bool,
    pub(super) strict: bool,
    pub(super) sql: String,
}

pub(super) struct FoundColumn {
    pub(super) relation: String,
    pub(super) name: String,
    pub(super) data_type: String,
    pub(super) not_null: bool,
    pub(super) default: Option<String>,
    /// Which one of the primary key it is, from 1; 0 for none of it.
    pub(super) key_position: i64,
    /// 1 is hidden, 2 is computed when read, 3 is computed when written.
    pub(super) hidden: i64,
}

pub(super) struct FoundIndexPart {
    pub(super) relation: String,
    pub(super) index: String,
    pub(super) unique: bool,
    /// `c` for an index that was made as such, `u` and `pk` for what keeps a constraint.
    pub(super) origin: String,
    pub(super) partial: bool,
    /// −1 for the row's number, −2 for an expression.
    pub(super) number: i64,
    pub(super) column: Option<String>,
    pub(super) descending: bool,
    pub(super) collation: Option<String>,
    pub(super) sql: Option<String>,
}

pub(super) struct FoundForeignKeyPart {
    pub(super) relation: String,
    /// The last one that is written is 0.
    pub(super) id: i64,
    pub(super) table: String,
    pub(super) from: String,
    /// `None`: the primary key's column.
    pub(super) to: Option<String>,
    pub(super) on_update: String,
    pub(super) on_delete: String,
}

pub(super) struct FoundTrigger {
    pub(super) relation: String,
    pub(super) name: String,
    pub(super) sql: String,
}

pub(super) fn facts(row: &Row) -> Result<Facts, DatabaseError> {
    let mut cells = Cells::of(row);
    Ok(Facts {
        version: cells.next()?,
        encoding: cells.next()?,
        application_id: cells.next()?,
        user_version: cells.next()?,
    })
}

pub(super) fn relation(row: &Row) -> Result<FoundRelation, DatabaseError> {
    let mut cells = Cells::of(row);
    Ok(FoundRelation {
        name: cells.next()?,
        kind: cells.next()?,
        without_rowid: cells.next()?,
        strict: cells.next()?,
        sql: cells.next()?,
    })
}

pub(super) fn column(row: &Row) -> Result<FoundColumn, DatabaseError> {
    let mut cells = Cells::of(row);
    Ok(FoundColumn {
        relation: cells.next()?,
        name: cells.next()?,
        data_type: cells.next()?,
        not_null: cells.next()?,
        default: cells.next()?,
        key_position: cells.next()?,
        hidden: cells.next()?,
    })
}

pub(super) fn index_part(row: &Row) -> Result<FoundIndexPart, DatabaseError> {
    let mut cells = Cells::of(row);
    Ok(FoundIndexPart {
        relation: cells.next()?,
        index: cells.next()?,
        unique: cells.next()?,
        origin: cells.next()?,
        partial: cells.next()?,
        number: cells.next()?,
        column: cells.next()?,
        descending: cells.next()?,
        collation: cells.next()?,
        sql: cells.next()?,
    })
}

pub(super) fn foreign_key_part(row: &Row) -> Result<FoundForeignKeyPart, DatabaseError> {
    let mut cells = Cells::of(row);
    Ok(FoundForeignKeyPart {
        relation: cells.next()?,
        id: cells.next()?,
        table: cells.next()?,
        from: cells.next()?,
        to: cells.next()?,
        on_update: cells.next()?,
        on_delete: cells.next()?,
    })
}

pub(super) fn trigger(row: &Row) -> Result<FoundTrigger, DatabaseError> {
    let mut cells = Cells::of(row);
    Ok(FoundTrigger { relation: cells.next()?, name: cells.next()?, sql: cells.next()? })
}

pub(super) fn stamp_cells(row: &Row) -> Result<[Option<String>; 4], DatabaseError> {
    let mut cells = Cells::of(row);
    Ok([cells.next()?, cells.next()?, cells.next()?, cells.next()?])
}
