use std::collections::HashMap;

use schema_model::{ObjectName, Partition, Partitioning, Reading, Relation, Unavailable};

/// How many levels of parts are told.
const DEEPEST: usize = 16;

/// A table that is a part of another one.
pub(super) struct Part {
    pub(super) namespace: String,
    pub(super) relation: Relation,
    pub(super) bound: Reading<String>,
    /// By what it is kept in several tables itself.
    pub(super) key: Option<Reading<String>>,
    pub(super) size: Size,
}

/// How much is in a table.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Size {
    pub(super) rows: Option<u64>,
    pub(super) pages: u64,
}

/// The parts of tables, by the table that they are of.
#[derive(Default)]
pub(super) struct Partitions(HashMap<ObjectName, Vec<Part>>);

impl Partitions {
    pub(super) fn add(&mut self, table: ObjectName, part: Part) {
        self.0.entry(table).or_default().push(part);
    }

    /// Takes the parts of a table out, those of parts included, and adds up how much is in them.
    pub(super) fn take(&mut self, key: Reading<String>, table: &ObjectName, size: &mut Size) -> Partitioning {
        self.take_below(key, table, size, DEEPEST)
    }

    fn take_below(&mut self, key: Reading<String>, table: &ObjectName, size: &mut Size, levels: usize) -> Partitioning {
        // Nobody's tables are so deep; a catalog that is made up may be.
        let Some(levels) = levels.checked_sub(1) else {
            return Partitioning { key: Reading::unavailable(Unavailable::TooLong), partitions: Vec::new() };
        };
        let mut partitions: Vec<Partition> = Vec::new();
        for Part { namespace, relation, bound, key, size: own } in self.0.remove(table).unwrap_or_default() {
            let name = ObjectName::new(namespace, &relation.name);
            let partitioning = key.map(|key| Box::new(self.take_below(key, &name, size, levels)));
            // A part that is kept in several tables itself has no rows of its own.
            let rows = own.rows.filter(|_| partitioning.is_none());
            size.rows = size.rows.into_iter().chain(rows).reduce(u64::saturating_add);
            size.pages += own.pages;
            partitions.push(Partition {
                name,
                bound,
                partitioning,
                primary_key: relation.primary_key,
                unique: relation.unique,
                foreign_keys: relation.foreign_keys,
                checks: relation.checks,
                indexes: relation.indexes,
                native: relation.native,
            });
        }
        partitions.sort_by(|one, other| one.name.cmp(&other.name));
        Partitioning { key, partitions }
    }
}

#[cfg(test)]
mod tests {
    use schema_model::RelationKind;

    use super::*;

    #[test]
    fn a_tree_without_an_end_is_told_as_far_as_it_goes() {
        let mut partitions = Partitions::default();
        for level in 0..100_000 {
            let name = |level: i32| format!("t{level}");
            let part = Part {
                namespace: "public".to_owned(),
                relation: Relation::new(name(level + 1), RelationKind::Table),
                bound: Reading::Known("DEFAULT".to_owned()),
                key: Some(Reading::Known("LIST (a)".to_owned())),
                size: Size::default(),
            };
            partitions.add(ObjectName::new("public", name(level)), part);
        }
        let key = Reading::Known("LIST (a)".to_owned());
        let told = partitions.take(key, &ObjectName::new("public", "t0"), &mut Size::default());
        let mut level = &told;
        let mut levels = 1;
        while let Some(inner) = level.partitions.first().and_then(|part| part.partitioning.as_deref()) {
            level = inner;
            levels += 1;
        }
        assert_eq!((levels, level.key.reason()), (DEEPEST + 1, Some(Unavailable::TooLong)));
    }
}
