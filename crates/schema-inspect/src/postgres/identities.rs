use schema_model::{Identities, ObjectIdentity, ObjectName, RelationIdentity};

use super::parts::Parts;
use super::relations::FoundRelation;

/// The catalog's numbers, as far as they are known.
#[derive(Default)]
pub(super) struct Found {
    relations: Vec<RelationIdentity>,
    sequences: Vec<ObjectIdentity>,
    types: Vec<ObjectIdentity>,
}

impl Found {
    /// Parts of a table are left out, as they are told with it.
    pub(super) fn relation(&mut self, found: &FoundRelation, parts: Option<&Parts>) {
        if found.bound.is_none() {
            let columns = parts.map(|parts| parts.columns.iter().map(|column| column.number).collect());
            self.relations.push(RelationIdentity {
                name: ObjectName::new(&found.namespace, &found.relation.name),
                number: found.oid,
                columns: columns.unwrap_or_default(),
            });
        }
    }

    pub(super) fn sequence(&mut self, number: i64, name: ObjectName) {
        self.sequences.push(ObjectIdentity { name, number });
    }

    pub(super) fn user_type(&mut self, number: i64, name: ObjectName) {
        self.types.push(ObjectIdentity { name, number });
    }

    pub(super) fn of(mut self, origin: String) -> Identities {
        self.relations.sort_unstable();
        self.sequences.sort_unstable();
        self.types.sort_unstable();
        Identities { origin, relations: self.relations, sequences: self.sequences, types: self.types }
    }
}
