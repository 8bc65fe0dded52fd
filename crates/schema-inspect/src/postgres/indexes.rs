use schema_model::{Native, NullsOrder, Reading, SortDirection};
use shared_kernel::database::{DatabaseError, Row};

use super::relations::or_locked;
use crate::cells::Cells;

/// An index in the catalog's numbers.
#[expect(clippy::struct_excessive_bools, reason = "they are the catalog's columns")]
pub(super) struct FoundIndex {
    pub(super) relation: i64,
    pub(super) name: String,
    pub(super) method: String,
    pub(super) unique: bool,
    pub(super) valid: bool,
    pub(super) nulls_distinct: bool,
    pub(super) parts: Vec<FoundPart>,
    /// The numbers of columns that it holds besides.
    pub(super) include: Vec<i64>,
    pub(super) predicate: Option<Reading<String>>,
    /// Whether it is a part of an index of the table that its table is a part of.
    pub(super) is_part: bool,
    pub(super) constraint: Option<String>,
    pub(super) comment: Option<String>,
    pub(super) native: Native,
    pub(super) pages: u64,
}

pub(super) struct FoundPart {
    pub(super) target: FoundTarget,
    pub(super) direction: Option<SortDirection>,
    pub(super) nulls: Option<NullsOrder>,
    pub(super) operator_class: i64,
    pub(super) collation: i64,
}

pub(super) enum FoundTarget {
    /// The number of the column.
    Column(i64),
    Expression(Reading<String>),
}

pub(super) fn read(row: &Row) -> Result<FoundIndex, DatabaseError> {
    let mut cells = Cells::of(row);
    let (relation, name) = (cells.next()?, cells.next()?);
    let method: String = cells.next()?;
    let (unique, valid, nulls_distinct) = (cells.next()?, cells.next()?, cells.next()?);
    let key_parts = usize::try_from(cells.next::<i32>()?).unwrap_or_default();
    let mut numbers = cells.numbers()?;
    let include = numbers.split_off(key_parts.min(numbers.len()));
    let (options, operator_classes, collations) = (cells.numbers()?, cells.numbers()?, cells.numbers()?);
    let mut expressions = cells.json::<Vec<String>>()?.into_iter();
    // Only a B-tree is sorted.
    let sorted = method == "btree";
    let part = |(position, number): (usize, i64)| {
        let at = |numbers: &[i64]| numbers.get(position).copied().unwrap_or_default();
        let option = at(&options);
        let direction = if option & 1 == 0 { SortDirection::Ascending } else { SortDirection::Descending };
        let nulls = if option & 2 == 0 { NullsOrder::Last } else { NullsOrder::First };
        FoundPart {
            target: match number {
                0 => FoundTarget::Expression(or_locked(expressions.next())),
                number => FoundTarget::Column(number),
            },
            direction: sorted.then_some(direction),
            nulls: sorted.then_some(nulls),
            operator_class: at(&operator_classes),
            collation: at(&collations),
        }
    };
    let parts = numbers.into_iter().enumerate().map(part).collect();
    let is_partial: bool = cells.next()?;
    let predicate: Option<String> = cells.next()?;
    let is_part = cells.next()?;
    let mut native = Native::new();
    for key in ["clustered", "replica_identity"] {
        if cells.next::<bool>()? {
            native.insert(key.to_owned(), true.into());
        }
    }
    let storage: Vec<String> = cells.json()?;
    if !storage.is_empty() {
        native.insert("options".to_owned(), storage.into());
    }
    if let Some(tablespace) = cells.next::<Option<String>>()? {
        native.insert("tablespace".to_owned(), tablespace.into());
    }
    Ok(FoundIndex {
        relation,
        name,
        method,
        unique,
        valid,
        nulls_distinct,
        parts,
        include,
        predicate: is_partial.then(|| or_locked(predicate)),
        is_part,
        constraint: cells.next()?,
        comment: cells.next()?,
        native,
        pages: cells.count()?.unwrap_or_default(),
    })
}
