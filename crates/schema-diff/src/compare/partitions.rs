use std::collections::BTreeMap;

use schema_model::{ObjectName, Partition, Partitioning};

use super::Comparison;
use super::relations::Both;
use crate::diff::ObjectKind;
use crate::found::{Found, Thing, breaking, compatible};

impl Comparison<'_> {
    /// How the rows of a table are kept in several.
    pub(super) fn partitioning(&self, both: Both<'_>, found: &mut Found) {
        let thing = Thing::of(ObjectKind::Relation, both.new);
        let (before, after) = (both.before.partitioning.as_ref(), both.after.partitioning.as_ref());
        let kept = compatible("the same rows are kept in another way");
        let (Some(before), Some(after)) = (before, after) else {
            if !self.both_are_known(both, &["partitioning"], found) {
                return;
            }
            if before.is_some() != after.is_some() {
                found.differs(thing, "partitioning", before.map(|of| &of.key), after.map(|of| &of.key), kept);
            }
            return;
        };
        let names = &self.matched.names;
        if found.texts_differ(thing, "partitioning", Some(&before.key), Some(&after.key), names) {
            found.differs(thing, "partitioning.key", &before.key, &after.key, kept);
        }
        let (mut one, mut other) = (BTreeMap::new(), BTreeMap::new());
        collect(before, &|name| names.object(name), &mut one);
        collect(after, &ObjectName::clone, &mut other);
        for (name, _) in one.iter().filter(|(name, _)| !other.contains_key(name)) {
            found.removed(part(both, name), breaking("its rows are gone from the table, and new ones may be refused"));
        }
        for (name, _) in other.iter().filter(|(name, _)| !one.contains_key(name)) {
            found.added(part(both, name), compatible("rows that were refused may be kept"));
        }
        for (name, before) in &one {
            if let Some(after) = other.get(name) {
                self.partition(part(both, name), before, after, found);
            }
        }
    }

    fn partition(&self, thing: Thing<'_>, before: &Partition, after: &Partition, found: &mut Found) {
        let names = &self.matched.names;
        let bound = breaking("other rows are kept in it than before");
        if found.texts_differ(thing, "partitioning", Some(&before.bound), Some(&after.bound), names) {
            found.differs(thing, "bound", &before.bound, &after.bound, bound);
        }
        let key = |of: &Partition| of.partitioning.as_ref().map(|of| of.key.clone());
        let (one, other) = (key(before), key(after));
        if found.texts_differ(thing, "partitioning", one.as_ref(), other.as_ref(), names) {
            found.differs(thing, "partitioning.key", one, other, compatible("the same rows are kept in another way"));
        }
        let refused = breaking("other rows are refused than before");
        found.aspect(thing, "primary_key", &before.primary_key, &after.primary_key, refused);
        found.aspect(thing, "unique", &before.unique, &after.unique, refused);
        found.aspect(thing, "foreign_keys", &before.foreign_keys, &after.foreign_keys, refused);
        found.aspect(thing, "checks", &before.checks, &after.checks, refused);
        found.aspect(
            thing,
            "indexes",
            &before.indexes,
            &after.indexes,
            compatible("the same is found, faster or slower"),
        );
        found.native(thing, &before.native, &after.native, &[]);
    }
}

/// A part is told with its table; one elsewhere is called by its whole name.
fn part<'a>(both: Both<'a>, name: &'a (ObjectName, String)) -> Thing<'a> {
    Thing::part(ObjectKind::Partition, both.new, &name.1)
}

/// All parts, those of parts included, by the names that they have now.
fn collect<'a>(
    of: &'a Partitioning,
    now: &dyn Fn(&ObjectName) -> ObjectName,
    into: &mut BTreeMap<(ObjectName, String), &'a Partition>,
) {
    for partition in &of.partitions {
        let name = now(&partition.name);
        let shown = name.name.clone();
        into.insert((name, shown), partition);
        if let Some(inner) = &partition.partitioning {
            collect(inner, now, into);
        }
    }
}
