use schema_model::{Check, Column, ColumnPair, Exclusion, ForeignKey, Key, Relation};

use super::Comparison;
use super::indexes::columns_of;
use super::relations::Both;
use crate::diff::ObjectKind;
use crate::found::{Effect, Found, Thing, breaking, breaking_unless, compatible};
use crate::pairing::{At, Pairing, pair};

/// What parts the names of constraints and columns in keys of pairs; no name has it on any engine.
const BETWEEN: &str = "\0";

impl Comparison<'_> {
    /// Keys, foreign keys, checks and exclusions of a relation.
    pub(super) fn constraints(&self, both: Both<'_>, columns: &Pairing<&Column>, found: &mut Found) {
        let is_known = |has: bool, other: bool, parts: &[&str], found: &mut Found| {
            (has && other) || self.both_are_known(both, parts, found)
        };
        let (before, after) = (both.before, both.after);
        if is_known(before.primary_key.is_some(), after.primary_key.is_some(), &["keys"], found) {
            self.primary_key(both, columns, found);
        }
        if is_known(!before.unique.is_empty(), !after.unique.is_empty(), &["keys"], found) {
            self.unique(both, columns, found);
        }
        let (one, other) = (!before.foreign_keys.is_empty(), !after.foreign_keys.is_empty());
        if is_known(one, other, &["foreign_keys"], found) {
            self.foreign_keys(both, columns, found);
        }
        if !self.is_whole() {
            return;
        }
        if is_known(!before.checks.is_empty(), !after.checks.is_empty(), &["checks"], found) {
            self.checks(both, columns, found);
        }
        exclusions(both, columns, found);
    }

    fn primary_key(&self, both: Both<'_>, columns: &Pairing<&Column>, found: &mut Found) {
        match (&both.before.primary_key, &both.after.primary_key) {
            (None, None) => {}
            (Some(one), None) => {
                if !lost(columns, &one.columns) {
                    let thing = Thing::named(ObjectKind::PrimaryKey, both.new, one.name.as_deref());
                    found.removed(thing, breaking("rows are not told apart by it any more"));
                }
            }
            (None, Some(other)) => {
                let thing = Thing::named(ObjectKind::PrimaryKey, both.new, other.name.as_deref());
                found.added(thing, breaking("rows that have the same values, or none, are refused"));
            }
            (Some(one), Some(other)) => self.key(ObjectKind::PrimaryKey, both, one, other, found),
        }
    }

    fn unique(&self, both: Both<'_>, columns: &Pairing<&Column>, found: &mut Found) {
        let by_columns = |at, key: &Key| match at {
            At::Before => Some(self.matched.names.columns(both.old, &key.columns).join(BETWEEN)),
            At::After => Some(key.columns.join(BETWEEN)),
        };
        let by_name = |_, key: &Key| key.name.clone().filter(|_| self.is_whole());
        let (before, after) = (&both.before.unique, &both.after.unique);
        let pairs = pair(before.iter(), after.iter(), &[&by_name, &by_columns]);
        for gone in pairs.removed.into_iter().filter(|gone| !lost(columns, &gone.columns)) {
            let thing = Thing::named(ObjectKind::Unique, both.new, gone.name.as_deref());
            found.removed(thing, compatible("whatever was written may be written; values may be there twice"));
        }
        for new in pairs.added {
            let thing = Thing::named(ObjectKind::Unique, both.new, new.name.as_deref());
            found.added(thing, breaking("values that are there already are refused"));
        }
        for (one, other) in pairs.both {
            self.key(ObjectKind::Unique, both, one, other, found);
        }
    }

    fn key(&self, kind: ObjectKind, both: Both<'_>, before: &Key, after: &Key, found: &mut Found) {
        let thing = Thing::named(kind, both.new, after.name.as_deref());
        let names = &self.matched.names;
        let columns = names.columns(both.old, &before.columns);
        if columns != after.columns {
            let effect = breaking("other rows are refused than before");
            found.differs(thing, "columns", &before.columns, &after.columns, effect);
        }
        if !self.is_whole() {
            return;
        }
        constraint_name(thing, before.name.as_ref(), after.name.as_ref(), found);
        let include = names.columns(both.old, &before.include);
        found.aspect(thing, "include", &include, &after.include, compatible(QUERIES));
        let refused = breaking_unless(after.nulls_distinct, "rows with NULL are refused", "fewer rows are refused");
        found.aspect(thing, "nulls_distinct", &before.nulls_distinct, &after.nulls_distinct, refused);
        found.aspect(thing, "deferrability", &before.deferrability, &after.deferrability, CHECKED);
        found.told(thing, (&None, &before.comment), (&None, &after.comment));
        // Most are called as their key is.
        let index = |key: &Key| (key.index == key.name, key.index.clone().filter(|_| key.index != key.name));
        if index(before) != index(after) {
            found.differs(thing, "index", &before.index, &after.index, compatible(QUERIES));
        }
    }

    fn foreign_keys(&self, both: Both<'_>, columns: &Pairing<&Column>, found: &mut Found) {
        let names = &self.matched.names;
        let made_of = |at, key: &ForeignKey| {
            let (target, pairs) = match at {
                At::Before => (names.object(&key.references), self.pairs(both, key)),
                At::After => (key.references.clone(), key.columns.clone()),
            };
            let pairs = pairs.into_iter().flat_map(|pair| [pair.column, pair.references]);
            // Of another engine's database, whatever it calls its namespace.
            let namespace = if self.is_whole() { target.namespace } else { String::new() };
            Some([namespace, target.name].into_iter().chain(pairs).collect::<Vec<String>>().join(BETWEEN))
        };
        let by_name = |_, key: &ForeignKey| key.name.clone().filter(|_| self.is_whole());
        let pairs = pair(both.before.foreign_keys.iter(), both.after.foreign_keys.iter(), &[&by_name, &made_of]);
        for gone in pairs.removed {
            let here: Vec<String> = gone.columns.iter().map(|pair| pair.column.clone()).collect();
            let target = self.matched.removed.contains(&gone.references);
            let there = self.matched.relation(At::Before, &gone.references).is_some_and(|(one, other)| {
                let there: Vec<String> = gone.columns.iter().map(|pair| pair.references.clone()).collect();
                lost(&self.matched.columns(one, other), &there)
            });
            // Its cause is told elsewhere: what it led from or to is gone.
            if !lost(columns, &here) && !target && !there {
                let thing = Thing::named(ObjectKind::ForeignKey, both.new, gone.name.as_deref());
                found.removed(thing, compatible("whatever was written may be written; rows may lead nowhere"));
            }
        }
        for new in pairs.added {
            let thing = Thing::named(ObjectKind::ForeignKey, both.new, new.name.as_deref());
            found.added(thing, breaking("rows that lead nowhere are refused"));
        }
        for (one, other) in pairs.both {
            self.foreign_key(both, one, other, found);
        }
    }

    /// The columns of a foreign key as they are called now.
    fn pairs(&self, both: Both<'_>, key: &ForeignKey) -> Vec<ColumnPair> {
        let names = &self.matched.names;
        let now = |pair: &ColumnPair| ColumnPair {
            column: names.column(both.old, &pair.column).to_owned(),
            references: names.column(&key.references, &pair.references).to_owned(),
        };
        key.columns.iter().map(now).collect()
    }

    fn foreign_key(&self, both: Both<'_>, before: &ForeignKey, after: &ForeignKey, found: &mut Found) {
        let thing = Thing::named(ObjectKind::ForeignKey, both.new, after.name.as_deref());
        let names = &self.matched.names;
        let elsewhere = breaking("other rows are refused than before");
        let same_place = if self.is_whole() {
            names.object(&before.references) == after.references
        } else {
            before.references.name == after.references.name
        };
        if !same_place {
            found.differs(thing, "references", &before.references, &after.references, elsewhere);
        }
        if self.pairs(both, before) != after.columns {
            found.differs(thing, "columns", &before.columns, &after.columns, elsewhere);
        }
        let acts = breaking("deleting or changing the other row does something else");
        found.aspect(thing, "on_update", &before.on_update, &after.on_update, acts);
        found.aspect(thing, "on_delete", &before.on_delete, &after.on_delete, acts);
        if !self.is_whole() {
            return;
        }
        constraint_name(thing, before.name.as_ref(), after.name.as_ref(), found);
        let set = names.columns(both.old, &before.set_on_delete);
        found.aspect(thing, "set_on_delete", &set, &after.set_on_delete, acts);
        found.aspect(thing, "match_option", &before.match_option, &after.match_option, elsewhere);
        found.aspect(thing, "deferrability", &before.deferrability, &after.deferrability, CHECKED);
        enforcement(thing, (before.validated, before.enforced), (after.validated, after.enforced), found);
        found.told(thing, (&None, &before.comment), (&None, &after.comment));
        // The other table tells of its own key's new name.
        let is_told = before.target_constraint != after.target_constraint
            && self.matched.relation(At::Before, &before.references).is_some_and(|(one, other)| {
                let has = |relation: &Relation, name: &Option<String>| {
                    relation.primary_key.iter().chain(&relation.unique).any(|key| key.name == *name)
                };
                !has(other.of, &before.target_constraint) && has(one.of, &before.target_constraint)
            });
        if !is_told {
            let target = compatible("another key of the other table makes it unique");
            found.aspect(thing, "target_constraint", &before.target_constraint, &after.target_constraint, target);
        }
    }

    fn checks(&self, both: Both<'_>, columns: &Pairing<&Column>, found: &mut Found) {
        let names = &self.matched.names;
        let by_name = |_, check: &Check| check.name.clone();
        let by_text = |at, check: &Check| check.expression.known().map(|text| names.rewritten(at, text));
        let pairs = pair(both.before.checks.iter(), both.after.checks.iter(), &[&by_name, &by_text]);
        for gone in pairs.removed.into_iter().filter(|gone| !lost(columns, &gone.columns)) {
            let thing = Thing::named(ObjectKind::Check, both.new, gone.name.as_deref());
            found.removed(thing, compatible("whatever was written may be written"));
        }
        for new in pairs.added {
            let thing = Thing::named(ObjectKind::Check, both.new, new.name.as_deref());
            found.added(thing, breaking("rows that do not meet it are refused"));
        }
        for (one, other) in pairs.both {
            let thing = Thing::named(ObjectKind::Check, both.new, other.name.as_deref());
            self.check(thing, one, other, found);
            found.aspect(thing, "columns", &names.columns(both.old, &one.columns), &other.columns, OTHER_ROWS);
        }
    }

    /// A condition of a relation or of a domain.
    pub(super) fn check(&self, thing: Thing<'_>, before: &Check, after: &Check, found: &mut Found) {
        constraint_name(thing, before.name.as_ref(), after.name.as_ref(), found);
        let names = &self.matched.names;
        if found.texts_differ(thing, "checks", Some(&before.expression), Some(&after.expression), names) {
            found.differs(thing, "expression", &before.expression, &after.expression, OTHER_ROWS);
        }
        enforcement(thing, (before.validated, before.enforced), (after.validated, after.enforced), found);
        found.aspect(thing, "inherited", &before.inherited, &after.inherited, OTHER_ROWS);
        found.told(thing, (&None, &before.comment), (&None, &after.comment));
    }
}

const QUERIES: &str = "the same is found, faster or slower";
const CHECKED: Effect = breaking("rows are refused at another time");
const OTHER_ROWS: Effect = breaking("other rows are refused than before");

/// Whether some of these columns are gone, and with them what was on them.
pub(super) fn lost(columns: &Pairing<&Column>, of: &[String]) -> bool {
    of.iter().any(|name| columns.removed.iter().any(|gone| gone.name == *name))
}

fn exclusions(both: Both<'_>, columns: &Pairing<&Column>, found: &mut Found) {
    let by_name = |_, exclusion: &Exclusion| Some(exclusion.name.clone());
    let pairs = pair(both.before.exclusions.iter(), both.after.exclusions.iter(), &[&by_name]);
    let on =
        |exclusion: &Exclusion| both.before.indexes.iter().find(|index| index.name == exclusion.index).map(columns_of);
    for gone in pairs.removed.into_iter().filter(|gone| !lost(columns, &on(gone).unwrap_or_default())) {
        let effect = compatible("whatever was written may be written");
        found.removed(both.thing(ObjectKind::Exclusion, &gone.name), effect);
    }
    for new in pairs.added {
        let effect = breaking("rows that meet it together are refused");
        found.added(both.thing(ObjectKind::Exclusion, &new.name), effect);
    }
    for (one, other) in pairs.both {
        let thing = both.thing(ObjectKind::Exclusion, &other.name);
        found.aspect(thing, "operators", &one.operators, &other.operators, OTHER_ROWS);
        found.aspect(thing, "index", &one.index, &other.index, compatible(QUERIES));
        found.aspect(thing, "deferrability", &one.deferrability, &other.deferrability, CHECKED);
        found.told(thing, (&None, &one.comment), (&None, &other.comment));
    }
}

fn constraint_name(thing: Thing<'_>, before: Option<&String>, after: Option<&String>, found: &mut Found) {
    if before != after {
        let effect = compatible("rows are refused as before, in the name of another constraint");
        found.renamed(thing, before, after, effect);
    }
}

/// Whether rows of before were checked, and whether new ones are.
fn enforcement(thing: Thing<'_>, before: (bool, bool), after: (bool, bool), found: &mut Found) {
    found.aspect(thing, "validated", &before.0, &after.0, compatible("new rows are checked as before"));
    let enforced = breaking_unless(!after.1, "rows that do not meet it are refused", "nothing is refused any more");
    found.aspect(thing, "enforced", &before.1, &after.1, enforced);
}
