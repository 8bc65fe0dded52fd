use schema_model::{ColumnPair, Deferrability, MatchOption, ObjectName, Reading, ReferentialAction};
use shared_kernel::database::{DatabaseError, Row};

use super::relations::or_locked;
use crate::cells::Cells;

/// A constraint, and what it belongs to.
#[expect(clippy::struct_excessive_bools, reason = "they are the catalog's columns")]
pub(super) struct FoundConstraint {
    /// 0 for a domain's.
    pub(super) relation: i64,
    /// The domain that it is of; 0 for a table's.
    pub(super) domain: i64,
    pub(super) name: String,
    pub(super) kind: FoundKind,
    pub(super) deferrability: Deferrability,
    pub(super) validated: bool,
    pub(super) enforced: bool,
    /// Whether tables that inherit from its table have it too.
    pub(super) inheritable: bool,
    /// Whether it came from a table that it inherits from or is a part of.
    pub(super) inherited: bool,
    /// The catalog's numbers of its columns.
    pub(super) columns: Vec<i32>,
    pub(super) index: Option<String>,
    pub(super) comment: Option<String>,
}

pub(super) enum FoundKind {
    Primary,
    Unique,
    Foreign(FoundForeignKey),
    Check(Reading<String>),
    Exclusion(Vec<String>),
}

pub(super) struct FoundForeignKey {
    pub(super) pairs: Vec<ColumnPair>,
    pub(super) references: ObjectName,
    pub(super) target_constraint: Option<String>,
    pub(super) on_update: ReferentialAction,
    pub(super) on_delete: ReferentialAction,
    pub(super) match_option: MatchOption,
    pub(super) set_on_delete: Vec<String>,
}

/// What a constraint's columns or operators are told as.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Names {
    Pairs(Vec<(String, String)>),
    Operators(Vec<String>),
}

pub(super) fn read(row: &Row) -> Result<FoundConstraint, DatabaseError> {
    let mut cells = Cells::of(row);
    let (relation, domain, name) = (cells.next()?, cells.next()?, cells.next()?);
    let kind: String = cells.next()?;
    let deferrability = match (cells.next::<bool>()?, cells.next::<bool>()?) {
        (false, _) => Deferrability::NotDeferrable,
        (true, false) => Deferrability::InitiallyImmediate,
        (true, true) => Deferrability::InitiallyDeferred,
    };
    let (validated, enforced) = (cells.next()?, cells.next()?);
    let inheritable = !cells.next::<bool>()?;
    let inherited = cells.next()?;
    let columns = cells.json()?;
    let index = cells.next()?;
    let (pairs, operators) = match cells.json::<Option<Names>>()? {
        Some(Names::Pairs(pairs)) => (pairs, Vec::new()),
        Some(Names::Operators(operators)) => (Vec::new(), operators),
        None => (Vec::new(), Vec::new()),
    };
    let (namespace, table): (Option<String>, Option<String>) = (cells.next()?, cells.next()?);
    let target_constraint = cells.next()?;
    let on_update = action(&cells.next::<String>()?);
    let on_delete = action(&cells.next::<String>()?);
    let match_option = match cells.next::<String>()?.as_str() {
        "f" => MatchOption::Full,
        "p" => MatchOption::Partial,
        _ => MatchOption::Simple,
    };
    let set_on_delete = cells.json()?;
    let expression: Option<String> = cells.next()?;
    let kind = match kind.as_str() {
        "p" => FoundKind::Primary,
        "u" => FoundKind::Unique,
        "c" => FoundKind::Check(or_locked(expression)),
        "x" => FoundKind::Exclusion(operators),
        _ => FoundKind::Foreign(FoundForeignKey {
            pairs: pairs.into_iter().map(|(column, references)| ColumnPair { column, references }).collect(),
            references: ObjectName::new(namespace.unwrap_or_default(), table.unwrap_or_default()),
            target_constraint,
            on_update,
            on_delete,
            match_option,
            set_on_delete,
        }),
    };
    let comment = cells.next()?;
    Ok(FoundConstraint {
        relation,
        domain,
        name,
        kind,
        deferrability,
        validated,
        enforced,
        inheritable,
        inherited,
        columns,
        index,
        comment,
    })
}

fn action(letter: &str) -> ReferentialAction {
    match letter {
        "r" => ReferentialAction::Restrict,
        "c" => ReferentialAction::Cascade,
        "n" => ReferentialAction::SetNull,
        "d" => ReferentialAction::SetDefault,
        _ => ReferentialAction::NoAction,
    }
}
