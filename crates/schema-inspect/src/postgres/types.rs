use schema_model::{DataType, Reading, UserType, UserTypeKind};
use shared_kernel::database::{DatabaseError, Row};

use super::columns::data_type;
use super::grants;
use crate::cells::Cells;

/// A type; a domain's checks and a composite's attributes are not known yet.
pub(super) struct FoundType {
    pub(super) oid: i64,
    /// What has a composite's attributes.
    pub(super) relation: i64,
    pub(super) namespace: String,
    pub(super) user_type: UserType,
}

pub(super) fn read(row: &Row) -> Result<FoundType, DatabaseError> {
    let mut cells = Cells::of(row);
    let (oid, relation, namespace) = (cells.next()?, cells.next()?, cells.next()?);
    let name = cells.next()?;
    let kind: String = cells.next()?;
    let (owner, comment) = (cells.next()?, cells.next()?);
    let grants = grants::read(&cells.json::<Vec<String>>()?);
    let labels = cells.json()?;
    let not_null: bool = cells.next()?;
    let default: Option<String> = cells.next()?;
    let (collation, collation_namespace) = (cells.next()?, cells.next()?);
    let text: Option<String> = cells.next()?;
    let base: DataType = data_type(text.unwrap_or_default(), &mut cells)?;
    let multirange = cells.next()?;
    let kind = match kind.as_str() {
        "e" => UserTypeKind::Enumeration { labels },
        "d" => UserTypeKind::Domain {
            base,
            nullable: !not_null,
            default: default.map(Reading::Known),
            collation,
            collation_namespace,
            checks: Vec::new(),
        },
        "r" => UserTypeKind::Range { subtype: base, multirange },
        _ => UserTypeKind::Composite { attributes: Vec::new() },
    };
    Ok(FoundType { oid, relation, namespace, user_type: UserType { name, kind, owner, comment, grants } })
}
