use std::collections::BTreeSet;

use schema_model::{ObjectName, Persistence, Relation, RelationKind};

use super::Comparison;
use super::matching::Located;
use crate::diff::ObjectKind;
use crate::found::{Found, Thing, breaking, breaking_unless, compatible};
use crate::pairing::pair;
use crate::side::Lacking;

/// Where SQLite's models have the statement that made a relation.
const STATEMENT: &str = "sql";

/// The part of a gap about what is in the namespaces of a database.
pub(super) const OBJECTS: &str = "objects";

/// A relation on both sides.
#[derive(Clone, Copy)]
pub(super) struct Both<'a> {
    pub(super) before: &'a Relation,
    pub(super) after: &'a Relation,
    /// What it was called.
    pub(super) old: &'a ObjectName,
    /// What it is called.
    pub(super) new: &'a ObjectName,
}

impl<'a> Both<'a> {
    pub(super) fn thing(&self, kind: ObjectKind, part: &'a str) -> Thing<'a> {
        Thing::part(kind, self.new, part)
    }
}

pub(super) fn is_view(relation: &Relation) -> bool {
    matches!(relation.kind, RelationKind::View | RelationKind::MaterializedView)
}

/// Whether an object may be on a side all the same whose list of them is not whole, which is then noted.
pub(super) fn is_unlisted(side: &Lacking<'_>, name: &ObjectName, found: &mut Found) -> bool {
    let gap = side.list(&[OBJECTS]);
    if let Some(gap) = gap {
        found.unknown(Some(name), OBJECTS, gap.reason);
    }
    gap.is_some()
}

impl<'a> Comparison<'a> {
    /// Tables, views and what is like them, with all that belongs to them.
    pub(super) fn relations(&self, found: &mut Found) {
        let pairs = &self.matched.relations;
        for gone in pairs.removed.iter().filter(|relation| self.namespace_stayed(relation.namespace.name.as_str())) {
            let name = gone.name();
            if !is_unlisted(self.lacking.1, &name, found) {
                found.removed(Thing::of(ObjectKind::Relation, &name), breaking("whoever reads or writes it fails"));
            }
        }
        for new in pairs.added.iter().filter(|relation| !self.namespace_is_new(relation.namespace.name.as_str())) {
            let name = new.name();
            if !is_unlisted(self.lacking.0, &name, found) {
                found.added(Thing::of(ObjectKind::Relation, &name), compatible("nothing used it before"));
            }
        }
        for (one, other) in &pairs.both {
            let (old, new) = (one.name(), other.name());
            self.relation(Both { before: one.of, after: other.of, old: &old, new: &new }, *one, *other, found);
        }
    }

    /// Whether a namespace of before is still there.
    pub(super) fn namespace_stayed(&self, name: &str) -> bool {
        !self.matched.namespaces.removed.iter().any(|gone| gone.name == name)
    }

    pub(super) fn namespace_is_new(&self, name: &str) -> bool {
        self.matched.namespaces.added.iter().any(|new| new.name == name)
    }

    /// Tells of an object's new name, unless it is its namespace that is called otherwise.
    pub(super) fn name(&self, thing: Thing<'_>, old: &ObjectName, new: &ObjectName, found: &mut Found) {
        let name = ObjectName::new(self.matched.names.namespace(&old.namespace), &old.name);
        if name != *new {
            found.renamed(thing, old, new, breaking("who uses the old name finds nothing"));
        }
    }

    fn relation(&self, both: Both<'_>, one: Located<'a, Relation>, other: Located<'a, Relation>, found: &mut Found) {
        let told = found.changes.len();
        let thing = Thing::of(ObjectKind::Relation, both.new);
        self.name(thing, both.old, both.new, found);
        let (before, after) = (both.before, both.after);
        let another = breaking("statements of one kind do not work on the other");
        if self.is_whole() {
            found.aspect(thing, "kind", &before.kind, &after.kind, another);
        } else if is_view(before) != is_view(after) {
            found.differs(thing, "kind", before.kind, after.kind, another);
        }
        let columns = self.columns(both, one, other, found);
        let before_constraints = found.changes.len();
        self.constraints(both, &columns, found);
        self.indexes(both, &columns, found.changes.len() > before_constraints, found);
        if !self.is_whole() {
            return;
        }
        let lasts = breaking_unless(
            after.persistence == Persistence::Permanent,
            "its rows may be lost sooner",
            "its rows last longer",
        );
        found.aspect(thing, "persistence", &before.persistence, &after.persistence, lasts);
        // Of what could not be opened nothing is told but its name.
        let is_open =
            (!before.columns.is_empty() && !after.columns.is_empty()) || self.both_are_known(both, &["columns"], found);
        if is_open {
            found.told(thing, (&before.owner, &before.comment), (&after.owner, &after.comment));
        }
        found.grants(thing, &before.grants, &after.grants);
        let names = &self.matched.names;
        let uses: Vec<ObjectName> = before.uses.iter().map(|used| names.object(used)).collect();
        let query = compatible("it has the same columns, and maybe other rows");
        if found.texts_differ(thing, "definition", before.definition.as_ref(), after.definition.as_ref(), names) {
            found.differs(thing, "definition", &before.definition, &after.definition, query);
        } else if !same_set(&uses, &after.uses) && self.both_are_known(both, &["definition", "uses"], found) {
            found.differs(thing, "uses", &before.uses, &after.uses, query);
        }
        let inherits: Vec<ObjectName> = before.inherits.iter().map(|table| names.object(table)).collect();
        if inherits != after.inherits {
            let effect = breaking("its rows are seen through other tables, or not any more");
            found.differs(thing, "inherits", &before.inherits, &after.inherits, effect);
        }
        self.row_security(both, found);
        self.triggers(both, found);
        self.rules(both, found);
        self.partitioning(both, found);
        if is_open {
            found.native(thing, &before.native, &after.native, &[STATEMENT]);
        }
        // The statement that made it tells of every other change as well.
        let statement =
            |relation: &Relation| relation.native.get(STATEMENT).and_then(|text| text.as_str().map(str::to_owned));
        let (one, other) = (statement(before), statement(after));
        let same = match (&one, &other) {
            (Some(one), Some(other)) => names.same_text(one, other),
            (one, other) => one.is_none() && other.is_none(),
        };
        if !same && found.changes.len() == told {
            found.differs(thing, "native.sql", one, other, compatible("it was written in other words"));
        }
    }

    /// Whether both sides tell of these parts; what they do not is noted.
    pub(super) fn both_are_known(&self, both: Both<'_>, parts: &[&str], found: &mut Found) -> bool {
        let lacking = self.lacking.0.any(both.old, parts).or_else(|| self.lacking.1.any(both.new, parts));
        if let Some(gap) = lacking {
            found.unknown(Some(both.new), &gap.part, gap.reason);
        }
        lacking.is_none()
    }

    fn row_security(&self, both: Both<'_>, found: &mut Found) {
        let thing = Thing::of(ObjectKind::Relation, both.new);
        let (one, other) = (both.before.row_security.as_ref(), both.after.row_security.as_ref());
        if one.is_some() != other.is_some() && !self.both_are_known(both, &["policies"], found) {
            return;
        }
        let counts = |security: Option<&schema_model::RowSecurity>| {
            security.map(|security| (security.enabled, security.forced)).unwrap_or_default()
        };
        let (enabled, forced) = counts(one);
        let (enabled_now, forced_now) = counts(other);
        let seen = |fewer: bool| breaking_unless(!fewer, "some rows are not seen any more", "nobody sees less");
        found.aspect(thing, "row_security.enabled", &enabled, &enabled_now, seen(enabled_now));
        found.aspect(thing, "row_security.forced", &forced, &forced_now, seen(forced_now));
        let policies = |security: Option<&'_ schema_model::RowSecurity>| {
            security.map(|security| security.policies.clone()).unwrap_or_default()
        };
        let (one, other) = (policies(one), policies(other));
        let pairs = pair(one.iter(), other.iter(), &[&|_, policy: &schema_model::Policy| Some(policy.name.clone())]);
        let rows = breaking("other rows are seen or written than before");
        for gone in pairs.removed {
            found.removed(both.thing(ObjectKind::Policy, &gone.name), rows);
        }
        for new in pairs.added {
            found.added(both.thing(ObjectKind::Policy, &new.name), rows);
        }
        for (one, other) in pairs.both {
            let thing = both.thing(ObjectKind::Policy, &other.name);
            let names = &self.matched.names;
            if found.texts_differ(thing, "policies", one.using.as_ref(), other.using.as_ref(), names) {
                found.differs(thing, "using", &one.using, &other.using, rows);
            }
            if found.texts_differ(thing, "policies", one.with_check.as_ref(), other.with_check.as_ref(), names) {
                found.differs(thing, "with_check", &one.with_check, &other.with_check, rows);
            }
            found.aspect(thing, "command", &one.command, &other.command, rows);
            found.aspect(thing, "permissive", &one.permissive, &other.permissive, rows);
            found.aspect(thing, "roles", &one.roles, &other.roles, rows);
        }
    }

    fn triggers(&self, both: Both<'_>, found: &mut Found) {
        let (one, other) = (&both.before.triggers, &both.after.triggers);
        if (one.is_empty() || other.is_empty()) && !self.both_are_known(both, &["triggers"], found) {
            return;
        }
        let pairs = pair(one.iter(), other.iter(), &[&|_, trigger: &schema_model::Trigger| Some(trigger.name.clone())]);
        let writes = compatible("statements work, and what happens besides is different");
        for gone in pairs.removed {
            found.removed(both.thing(ObjectKind::Trigger, &gone.name), writes);
        }
        for new in pairs.added {
            found.added(both.thing(ObjectKind::Trigger, &new.name), writes);
        }
        for (one, other) in pairs.both {
            let thing = both.thing(ObjectKind::Trigger, &other.name);
            let names = &self.matched.names;
            let told = found.changes.len();
            found.aspect(thing, "timing", &one.timing, &other.timing, writes);
            found.aspect(thing, "events", &one.events, &other.events, writes);
            found.aspect(thing, "columns", &names.columns(both.old, &one.columns), &other.columns, writes);
            found.aspect(thing, "level", &one.level, &other.level, writes);
            let routine = one.routine.as_ref().map(|routine| names.object(routine));
            found.aspect(thing, "routine", &routine, &other.routine, writes);
            found.aspect(thing, "enabled", &one.enabled, &other.enabled, writes);
            found.told(thing, (&None, &one.comment), (&None, &other.comment));
            found.native(thing, &one.native, &other.native, &[]);
            let (text, now) = (Some(&one.definition), Some(&other.definition));
            // The text tells of the rest as well.
            if found.texts_differ(thing, "triggers", text, now, names) && found.changes.len() == told {
                found.differs(thing, "definition", text, now, writes);
            }
        }
    }
}

impl Comparison<'_> {
    fn rules(&self, both: Both<'_>, found: &mut Found) {
        let (one, other) = (&both.before.rules, &both.after.rules);
        if (one.is_empty() || other.is_empty()) && !self.both_are_known(both, &["rules"], found) {
            return;
        }
        let pairs = pair(one.iter(), other.iter(), &[&|_, rule: &schema_model::Rule| Some(rule.name.clone())]);
        // What is written through a view may be written by none but a rule.
        let does = breaking("statements do something else than before, or fail");
        for gone in pairs.removed {
            found.removed(both.thing(ObjectKind::Rule, &gone.name), does);
        }
        for new in pairs.added {
            found.added(both.thing(ObjectKind::Rule, &new.name), does);
        }
        for (one, other) in pairs.both {
            let thing = both.thing(ObjectKind::Rule, &other.name);
            let told = found.changes.len();
            found.aspect(thing, "event", &one.event, &other.event, does);
            found.aspect(thing, "instead", &one.instead, &other.instead, does);
            found.aspect(thing, "enabled", &one.enabled, &other.enabled, does);
            found.told(thing, (&None, &one.comment), (&None, &other.comment));
            found.native(thing, &one.native, &other.native, &[]);
            let (text, now) = (Some(&one.definition), Some(&other.definition));
            // The text tells of the rest as well.
            let names = &self.matched.names;
            if found.texts_differ(thing, "rules", text, now, names) && found.changes.len() == told {
                found.differs(thing, "definition", text, now, does);
            }
        }
    }
}

fn same_set(one: &[ObjectName], other: &[ObjectName]) -> bool {
    let sorted = |names: &[ObjectName]| names.iter().cloned().collect::<BTreeSet<ObjectName>>();
    one.len() == other.len() && sorted(one) == sorted(other)
}
