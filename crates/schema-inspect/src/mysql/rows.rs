//! Rows of the answers, each read cell by cell in the order of its question.

use shared_kernel::database::{DatabaseError, DatabaseErrorKind, Row};

use crate::cells::Cells;

/// The namespace and the name of an object, as the server keeps them.
pub(super) type Id = (String, String);

/// A row of an answer that says at its end how much the server had to warn of.
pub(super) enum Told<T> {
    /// What was asked for.
    Row(T),
    /// How many warnings there were: tables that could not be opened are left out of the answer with no other word.
    Warnings(u64),
}

/// A row whose first cell is a letter: `w` for the number of warnings.
pub(super) fn told<T>(
    row: &Row,
    read: impl FnOnce(&str, &mut Cells<'_>) -> Result<T, DatabaseError>,
) -> Result<Told<T>, DatabaseError> {
    let mut cells = Cells::of(row);
    let letter: String = cells.next()?;
    if letter == "w" {
        let count: Option<String> = cells.next()?;
        return Ok(Told::Warnings(count.and_then(|count| count.parse().ok()).unwrap_or(u64::MAX)));
    }
    read(&letter, &mut cells).map(Told::Row)
}

/// An answer, and whether the server warned.
pub(super) struct Answer<T> {
    pub(super) rows: Vec<T>,
    pub(super) warned: bool,
}

impl<T> Answer<T> {
    pub(super) fn of(told: Vec<Told<T>>) -> Self {
        let mut answer = Self { rows: Vec::with_capacity(told.len()), warned: false };
        for told in told {
            match told {
                Told::Row(row) => answer.rows.push(row),
                Told::Warnings(count) => answer.warned |= count > 0,
            }
        }
        answer
    }
}

/// What the server says of itself with each of its databases, or a privilege.
pub(super) enum FoundDatabase {
    Namespace { facts: Facts, name: String, character_set: String, collation: String, comment: Option<String> },
    Grant(FoundGrant),
}

#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    pub(super) version: String,
    /// The database that the session is in; empty where it is in none.
    pub(super) name: String,
    pub(super) character_set: String,
    pub(super) collation: String,
}

pub(super) struct FoundGrant {
    pub(super) grantee: String,
    pub(super) privilege: String,
    pub(super) is_grantable: bool,
    pub(super) namespace: String,
    pub(super) relation: Option<String>,
    pub(super) column: Option<String>,
}

pub(super) fn database(row: &Row) -> Result<FoundDatabase, DatabaseError> {
    let mut cells = Cells::of(row);
    if cells.next::<String>()? == "g" {
        return Ok(FoundDatabase::Grant(FoundGrant {
            grantee: cells.next()?,
            privilege: cells.next()?,
            is_grantable: cells.next::<String>()? == "YES",
            namespace: cells.next()?,
            relation: cells.next()?,
            column: cells.next()?,
        }));
    }
    let facts =
        Facts { version: cells.next()?, name: cells.next()?, character_set: cells.next()?, collation: cells.next()? };
    Ok(FoundDatabase::Namespace {
        facts,
        name: cells.next()?,
        character_set: cells.next()?,
        collation: cells.next()?,
        comment: filled(cells.next()?),
    })
}

pub(super) struct FoundRelation {
    pub(super) id: Id,
    pub(super) kind: String,
    pub(super) engine: Option<String>,
    pub(super) row_format: Option<String>,
    pub(super) collation: Option<String>,
    pub(super) options: Option<String>,
    pub(super) comment: Option<String>,
    pub(super) size: Size,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Size {
    pub(super) rows: Option<u64>,
    pub(super) bytes: Option<u64>,
}

pub(super) fn relation(row: &Row) -> Result<FoundRelation, DatabaseError> {
    let mut cells = Cells::of(row);
    Ok(FoundRelation {
        id: id(&mut cells)?,
        kind: cells.next()?,
        engine: cells.next()?,
        row_format: cells.next()?,
        collation: cells.next()?,
        options: filled(cells.next()?),
        comment: filled(cells.next()?),
        size: Size { rows: cells.count()?, bytes: cells.count()? },
    })
}

/// What MySQL says where it could not ask a table in time: all ones, in 32 bits.
const NOT_COUNTED: u64 = u32::MAX as u64;

pub(super) fn statistics(row: &Row) -> Result<(Id, Option<Size>), DatabaseError> {
    let mut cells = Cells::of(row);
    let id = id(&mut cells)?;
    let size = Size { rows: cells.count()?, bytes: cells.count()? };
    let counted = !(size.rows == Some(NOT_COUNTED) && size.bytes == Some(0));
    Ok((id, counted.then_some(size)))
}

pub(super) struct FoundColumn {
    pub(super) relation: Id,
    pub(super) name: String,
    pub(super) position: i64,
    pub(super) default: Option<String>,
    pub(super) nullable: bool,
    pub(super) type_name: String,
    pub(super) type_text: String,
    pub(super) character_set: Option<String>,
    pub(super) collation: Option<String>,
    pub(super) extra: String,
    pub(super) comment: Option<String>,
    pub(super) generated_as: Option<String>,
    pub(super) reference_system: Option<i64>,
}

pub(super) fn column(_: &str, cells: &mut Cells<'_>) -> Result<FoundColumn, DatabaseError> {
    Ok(FoundColumn {
        relation: id(cells)?,
        name: cells.next()?,
        position: cells.next()?,
        default: cells.next()?,
        nullable: cells.next::<String>()? == "YES",
        type_name: cells.next::<String>()?.to_ascii_lowercase(),
        type_text: cells.next()?,
        character_set: cells.next()?,
        collation: cells.next()?,
        extra: cells.next::<Option<String>>()?.unwrap_or_default(),
        comment: filled(cells.next()?),
        generated_as: filled(cells.next()?),
        reference_system: cells.next()?,
    })
}

pub(super) struct FoundIndexPart {
    pub(super) relation: Id,
    pub(super) is_unique: bool,
    pub(super) index: String,
    pub(super) position: i64,
    pub(super) column: Option<String>,
    pub(super) direction: Option<String>,
    pub(super) prefix_length: Option<i64>,
    pub(super) method: String,
    pub(super) remark: Option<String>,
    pub(super) comment: Option<String>,
    pub(super) is_used: bool,
    pub(super) expression: Option<String>,
}

pub(super) fn index_part(_: &str, cells: &mut Cells<'_>) -> Result<FoundIndexPart, DatabaseError> {
    Ok(FoundIndexPart {
        relation: id(cells)?,
        is_unique: cells.next::<i64>()? == 0,
        index: cells.next()?,
        position: cells.next()?,
        column: cells.next()?,
        direction: cells.next()?,
        prefix_length: cells.next()?,
        method: cells.next()?,
        remark: cells.next()?,
        comment: filled(cells.next()?),
        is_used: cells.next::<String>()? == "YES",
        expression: cells.next()?,
    })
}

/// A part of what is told of a constraint.
pub(super) struct FoundConstraint {
    pub(super) namespace: String,
    /// MySQL tells a condition without its table.
    pub(super) table: Option<String>,
    pub(super) name: String,
    pub(super) fact: ConstraintFact,
}

pub(super) enum ConstraintFact {
    /// A column of a foreign key, and where it leads.
    Column { position: i64, column: String, namespace: String, table: String, references: String },
    /// The rules of a foreign key.
    Rules { target: Option<String>, match_option: String, on_update: String, on_delete: String },
    /// A condition.
    Check(String),
    /// Whether a condition is checked.
    Enforced(bool),
}

pub(super) fn constraint(letter: &str, cells: &mut Cells<'_>) -> Result<FoundConstraint, DatabaseError> {
    let (namespace, table, name) = (cells.next()?, cells.next()?, cells.next()?);
    let position: Option<i64> = cells.next()?;
    let fact = match letter {
        "k" => ConstraintFact::Column {
            position: position.unwrap_or_default(),
            column: cells.next()?,
            namespace: cells.next()?,
            table: cells.next()?,
            references: cells.next()?,
        },
        "r" => ConstraintFact::Rules {
            target: cells.next()?,
            match_option: cells.next()?,
            on_update: cells.next()?,
            on_delete: cells.next()?,
        },
        "c" => ConstraintFact::Check(cells.next()?),
        _ => ConstraintFact::Enforced(cells.next::<String>()? == "YES"),
    };
    Ok(FoundConstraint { namespace, table, name, fact })
}

pub(super) enum FoundView {
    View {
        id: Id,
        definition: Option<String>,
        check_option: String,
        definer: String,
        security: String,
        algorithm: Option<String>,
        collation: Option<String>,
    },
    /// A table that a view is made from.
    Use { id: Id, of: Id },
}

pub(super) fn view(row: &Row) -> Result<FoundView, DatabaseError> {
    let mut cells = Cells::of(row);
    let letter: String = cells.next()?;
    let id = id(&mut cells)?;
    if letter == "u" {
        return Ok(FoundView::Use { id, of: self::id(&mut cells)? });
    }
    Ok(FoundView::View {
        id,
        definition: filled(cells.next()?),
        check_option: cells.next()?,
        definer: cells.next()?,
        security: cells.next()?,
        algorithm: cells.next()?,
        collation: cells.next()?,
    })
}

pub(super) struct FoundPartition {
    pub(super) table: Id,
    pub(super) name: String,
    pub(super) part: Option<String>,
    pub(super) position: i64,
    pub(super) part_position: Option<i64>,
    pub(super) method: Option<String>,
    pub(super) part_method: Option<String>,
    pub(super) expression: Option<String>,
    pub(super) part_expression: Option<String>,
    pub(super) description: Option<String>,
    pub(super) comment: Option<String>,
    pub(super) tablespace: Option<String>,
}

pub(super) fn partition(_: &str, cells: &mut Cells<'_>) -> Result<FoundPartition, DatabaseError> {
    Ok(FoundPartition {
        table: id(cells)?,
        name: cells.next()?,
        part: cells.next()?,
        position: cells.next::<Option<i64>>()?.unwrap_or_default(),
        part_position: cells.next()?,
        method: cells.next()?,
        part_method: cells.next()?,
        expression: cells.next()?,
        part_expression: cells.next()?,
        description: cells.next()?,
        comment: filled(cells.next()?),
        tablespace: filled(cells.next()?),
    })
}

pub(super) enum FoundProgram {
    Trigger(FoundTrigger),
    Event(FoundEvent),
}

pub(super) struct FoundTrigger {
    pub(super) table: Id,
    pub(super) name: String,
    pub(super) timing: String,
    pub(super) event: String,
    pub(super) order: Option<i64>,
    pub(super) statement: Option<String>,
    pub(super) definer: Option<String>,
    pub(super) sql_mode: Option<String>,
    pub(super) collation: Option<String>,
}

pub(super) struct FoundEvent {
    pub(super) id: Id,
    pub(super) schedule: String,
    pub(super) status: String,
    pub(super) on_completion: Option<String>,
    pub(super) statement: Option<String>,
    pub(super) definer: Option<String>,
    pub(super) sql_mode: Option<String>,
    pub(super) collation: Option<String>,
    pub(super) comment: Option<String>,
    pub(super) time_zone: Option<String>,
}

pub(super) fn program(letter: &str, cells: &mut Cells<'_>) -> Result<FoundProgram, DatabaseError> {
    let id = id(cells)?;
    if letter == "t" {
        return Ok(FoundProgram::Trigger(FoundTrigger {
            table: id,
            name: cells.next()?,
            timing: cells.next()?,
            event: cells.next()?,
            order: cells.next()?,
            statement: cells.next()?,
            definer: cells.next()?,
            sql_mode: filled(cells.next()?),
            collation: cells.next()?,
        }));
    }
    let (schedule, status, on_completion) = (cells.next()?, cells.next()?, cells.next()?);
    cells.next::<Option<i64>>()?;
    Ok(FoundProgram::Event(FoundEvent {
        id,
        schedule,
        status,
        on_completion,
        statement: cells.next()?,
        definer: cells.next()?,
        sql_mode: filled(cells.next()?),
        collation: cells.next()?,
        comment: filled(cells.next()?),
        time_zone: cells.next()?,
    }))
}

pub(super) enum FoundRoutine {
    Routine(RoutineFacts),
    Argument { id: Id, kind: String, position: i64, mode: Option<String>, name: Option<String>, type_text: TypeText },
}

/// A type of an argument, or of what is returned.
#[derive(Default)]
pub(super) struct TypeText {
    pub(super) text: Option<String>,
    pub(super) character_set: Option<String>,
    pub(super) collation: Option<String>,
}

fn type_text(cells: &mut Cells<'_>) -> Result<TypeText, DatabaseError> {
    Ok(TypeText { text: filled(cells.next()?), character_set: cells.next()?, collation: cells.next()? })
}

pub(super) struct RoutineFacts {
    pub(super) id: Id,
    pub(super) kind: String,
    pub(super) returns: TypeText,
    pub(super) language: Option<String>,
    pub(super) body: Option<String>,
    pub(super) is_deterministic: bool,
    pub(super) data_access: Option<String>,
    pub(super) security: Option<String>,
    pub(super) sql_mode: Option<String>,
    pub(super) comment: Option<String>,
    pub(super) definer: Option<String>,
    /// How the literals of its body are compared.
    pub(super) collation: Option<String>,
}

pub(super) fn routine(letter: &str, cells: &mut Cells<'_>) -> Result<FoundRoutine, DatabaseError> {
    let id = id(cells)?;
    let kind = cells.next()?;
    let position: Option<i64> = cells.next()?;
    if letter == "a" {
        return Ok(FoundRoutine::Argument {
            id,
            kind,
            position: position.unwrap_or_default(),
            mode: cells.next()?,
            name: cells.next()?,
            type_text: type_text(cells)?,
        });
    }
    Ok(FoundRoutine::Routine(RoutineFacts {
        id,
        kind,
        returns: type_text(cells)?,
        language: cells.next()?,
        body: cells.next()?,
        is_deterministic: cells.next::<Option<String>>()?.as_deref() == Some("YES"),
        data_access: cells.next()?,
        security: cells.next()?,
        sql_mode: filled(cells.next()?),
        comment: filled(cells.next()?),
        definer: cells.next()?,
        collation: cells.next()?,
    }))
}

/// How the sequence of this number in the question counts.
pub(super) fn sequence(row: &Row) -> Result<(usize, [i128; 5], bool), DatabaseError> {
    let mut cells = Cells::of(row);
    let number: i64 = cells.next()?;
    let mut counts = [0; 5];
    for count in &mut counts {
        let text: String = cells.next()?;
        *count = text.parse().map_err(|error: std::num::ParseIntError| {
            let message = "a number of a sequence is none";
            DatabaseError::new(DatabaseErrorKind::Decode, message).with_source(error)
        })?;
    }
    Ok((usize::try_from(number).unwrap_or(usize::MAX), counts, cells.next::<i64>()? != 0))
}

fn id(cells: &mut Cells<'_>) -> Result<Id, DatabaseError> {
    Ok((cells.next()?, cells.next()?))
}

/// Nothing is written as an empty text.
fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}
