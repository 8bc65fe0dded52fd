use std::collections::HashMap;

use schema_model::{Extension, Namespace};
use shared_kernel::database::{DatabaseError, Row};

use super::grants;
use crate::cells::Cells;

/// What the database is, and names that other answers give as numbers.
pub(super) struct Facts {
    pub(super) version: String,
    /// As `server_version_num` writes it: 150018 is 15.18.
    pub(super) version_number: i32,
    pub(super) name: String,
    pub(super) comment: Option<String>,
    pub(super) encoding: String,
    pub(super) collation: String,
    /// In bytes.
    pub(super) block_size: u64,
    pub(super) namespaces: Vec<Namespace>,
    pub(super) extensions: Vec<Extension>,
    /// Those that are no type's usual one.
    pub(super) operator_classes: Names,
    /// Those that some index uses.
    pub(super) collations: Names,
    /// Whether there may be any, those of extensions among them.
    pub(super) has_native_objects: bool,
    /// The cluster and the database that numbers of objects count in; `None` where the login may not know.
    pub(super) origin: Option<String>,
}

/// Names and their namespaces by numbers.
pub(super) type Names = HashMap<String, (String, String)>;

type NamespaceFacts = (String, String, Option<String>, Option<Vec<String>>);

pub(super) fn read(row: &Row) -> Result<Facts, DatabaseError> {
    let mut cells = Cells::of(row);
    Ok(Facts {
        version: cells.next()?,
        version_number: cells.next()?,
        name: cells.next()?,
        comment: cells.next()?,
        encoding: cells.next()?,
        collation: cells.next()?,
        block_size: cells.count()?.unwrap_or_default(),
        namespaces: {
            let found: Vec<NamespaceFacts> = cells.json()?;
            let namespace = |(name, owner, comment, acl): NamespaceFacts| Namespace {
                owner: Some(owner),
                comment,
                grants: grants::read(&acl.unwrap_or_default()),
                ..Namespace::new(name)
            };
            found.into_iter().map(namespace).collect()
        },
        extensions: {
            let found: Vec<(String, String, String)> = cells.json()?;
            let extension = |(name, version, namespace)| Extension { name, version, namespace };
            found.into_iter().map(extension).collect()
        },
        operator_classes: cells.json()?,
        collations: cells.json()?,
        has_native_objects: cells.next()?,
        origin: cells.next()?,
    })
}
