use std::collections::{BTreeMap, HashMap};

use schema_model::Namespace;
use shared_kernel::database::{DatabaseError, Row};

use super::about::{About, Permission, class};
use super::bounds;
use crate::InspectOptions;
use crate::cells::Cells;

/// What the server says of itself and of the database.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    /// As `16.0.1000.6`; Azure's databases call themselves 12.
    pub(super) version: String,
    pub(super) edition: Option<String>,
    /// 5 is Azure SQL Database, 8 a managed instance, 9 Azure SQL Edge, 12 a database of Fabric.
    engine_edition: i64,
    server: Option<String>,
    pub(super) name: String,
    pub(super) collation: Option<String>,
    /// Whether the login may see how everything is defined; what it has no right at all to is not even listed for it.
    pub(super) sees_definitions: bool,
}

impl Facts {
    /// Whether the server has what is asked for.
    pub(super) fn is_known(&self) -> bool {
        let major = self.version.split('.').next().and_then(|major| major.parse::<u32>().ok());
        matches!(self.engine_edition, 5 | 8 | 9 | 12) || major.is_some_and(|major| major >= 13)
    }

    /// The server and the database that numbers of objects count in. A copy has the number of what it was made from, and another name.
    pub(super) fn origin(&self, database: &str) -> String {
        format!("{}/{}/{database}", self.server.as_deref().unwrap_or_default(), self.name)
    }
}

pub(super) fn facts(row: &Row) -> Result<Facts, DatabaseError> {
    let mut cells = Cells::of(row);
    Ok(Facts {
        version: cells.next::<Option<String>>()?.unwrap_or_default(),
        edition: cells.next()?,
        engine_edition: cells.next::<Option<i64>>()?.unwrap_or_default(),
        server: cells.next()?,
        name: cells.next::<Option<String>>()?.unwrap_or_default(),
        collation: cells.next()?,
        sees_definitions: cells.next::<Option<i64>>()? == Some(1),
    })
}

/// A row of the answer about the database and its schemas.
pub(super) enum FoundAbout {
    Database { compatibility_level: i64, broker: Option<String> },
    Schema { id: i64, name: String, owner: Option<String> },
    Permission { thing: (i64, i64, i64), permission: Permission },
    Comment { thing: (i64, i64, i64), text: Option<String> },
}

pub(super) fn read(row: &Row) -> Result<FoundAbout, DatabaseError> {
    let mut cells = Cells::of(row);
    let kind: String = cells.next()?;
    let thing: (i64, i64, i64) = (cells.next()?, cells.next()?, cells.next()?);
    let text = if kind == "s" { bounds::name(&mut cells)? } else { cells.next()? };
    let whom = bounds::name(&mut cells)?;
    Ok(match kind.as_str() {
        "d" => FoundAbout::Database { compatibility_level: thing.0, broker: text },
        "s" => FoundAbout::Schema { id: thing.1, name: text.unwrap_or_default(), owner: whom },
        "g" => FoundAbout::Permission {
            thing,
            permission: Permission {
                name: text.unwrap_or_default(),
                grantee: whom.unwrap_or_default(),
                grantor: bounds::name(&mut cells)?,
                state: cells.next()?,
            },
        },
        _ => FoundAbout::Comment { thing, text },
    })
}

/// Schemas and what is said of things, by their numbers.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Of all schemas.
    names: HashMap<i64, String>,
    /// Those that are looked at.
    pub(super) namespaces: BTreeMap<i64, Namespace>,
    pub(super) about: About,
    pub(super) compatibility_level: Option<i64>,
    /// A number of the database that no other one has, but a copy of it.
    pub(super) broker: Option<String>,
}

/// `INFORMATION_SCHEMA` and `sys`.
pub(super) const SYSTEM: [i64; 2] = [3, 4];

/// Whether it is `guest`, or one that a fixed role has. Nobody made them, and hardly anybody uses them.
fn is_given(schema: i64) -> bool {
    schema == 2 || schema >= 16_384
}

impl Known {
    pub(super) fn of(found: Vec<FoundAbout>, options: &InspectOptions) -> Self {
        let mut known = Self::default();
        for found in found {
            match found {
                FoundAbout::Database { compatibility_level, broker } => {
                    known.compatibility_level = Some(compatibility_level);
                    known.broker = broker;
                }
                FoundAbout::Schema { id, name, owner } => {
                    let is_wanted = options.namespaces.as_ref().is_none_or(|names| names.contains(&name));
                    if is_wanted && !SYSTEM.contains(&id) {
                        known.namespaces.insert(id, Namespace { owner, ..Namespace::new(&*name) });
                    }
                    known.names.insert(id, name);
                }
                FoundAbout::Permission { thing, permission } => known.about.permit(thing, permission),
                FoundAbout::Comment { thing, text: Some(text) } => known.about.comment_on(thing, text),
                FoundAbout::Comment { text: None, .. } => {}
            }
        }
        for (id, namespace) in &mut known.namespaces {
            let thing = (class::SCHEMA, *id, 0);
            namespace.comment = known.about.comment(thing);
            namespace.grants = known.about.grants(thing, Some(&mut namespace.native));
        }
        known
    }

    pub(super) fn selected(&self) -> Vec<i64> {
        self.namespaces.keys().copied().collect()
    }

    pub(super) fn name(&self, schema: i64) -> &str {
        self.names.get(&schema).map(String::as_str).unwrap_or_default()
    }

    /// The namespaces in the order of their names. Of those that every database has, the empty ones go without saying.
    pub(super) fn told(namespaces: BTreeMap<i64, Namespace>) -> Vec<Namespace> {
        let is_empty = |namespace: &Namespace| {
            let Namespace { relations, sequences, types, routines, native, .. } = namespace;
            relations.is_empty() && sequences.is_empty() && types.is_empty() && routines.is_empty() && native.is_empty()
        };
        let told = namespaces.into_iter().filter(|(id, namespace)| !is_given(*id) || !is_empty(namespace));
        let mut told: Vec<Namespace> = told.map(|(_, namespace)| namespace).collect();
        told.sort_by(|one, other| one.name.cmp(&other.name));
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_told_from_those_of_azure() {
        let known = |version: &str, engine_edition| {
            Facts { version: version.to_owned(), engine_edition, ..Facts::default() }.is_known()
        };
        assert!(known("13.0.1601.5", 2) && known("16.0.1000.6", 3) && known("12.0.2000.8", 5));
        assert!(!known("12.0.2000.8", 3) && !known("", 3) && !known("13x", 3));
    }
}
