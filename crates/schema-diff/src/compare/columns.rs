use schema_model::{Column, IdentityGeneration, Relation};

use super::Comparison;
use super::matching::Located;
use super::relations::{Both, is_view};
use crate::diff::ObjectKind;
use crate::found::{Effect, Found, Thing, breaking, breaking_unless, compatible};
use crate::pairing::{Pairing, pair};
use crate::widening;

impl<'a> Comparison<'a> {
    /// Columns of a relation; returns which of them are the same.
    pub(super) fn columns(
        &self,
        both: Both<'_>,
        one: Located<'a, Relation>,
        other: Located<'a, Relation>,
        found: &mut Found,
    ) -> Pairing<&'a Column> {
        if (both.before.columns.is_empty() || both.after.columns.is_empty())
            && !self.both_are_known(both, &["columns"], found)
        {
            return Pairing { both: Vec::new(), removed: Vec::new(), added: Vec::new() };
        }
        let pairs = self.matched.columns(one, other);
        for gone in &pairs.removed {
            found.removed(both.thing(ObjectKind::Column, &gone.name), breaking("whoever reads or writes it fails"));
        }
        for new in &pairs.added {
            let effect = breaking_unless(
                is_view(both.after) || goes_without_saying(new),
                "whoever adds rows has to name it, and does not",
                "whoever does not know it need not name it",
            );
            found.added(both.thing(ObjectKind::Column, &new.name), effect);
        }
        for (column, now) in &pairs.both {
            let thing = both.thing(ObjectKind::Column, &now.name);
            if column.name != now.name {
                let effect = breaking("who uses the old name finds nothing");
                found.renamed(thing, &column.name, &now.name, effect);
            }
            self.column(thing, column, now, found);
        }
        if self.is_whole() {
            let effect = breaking("statements that name no columns read and write others");
            order(Thing::of(ObjectKind::Relation, both.new), "column_order", &pairs, effect, found);
        }
        pairs
    }

    /// A column on both sides. Attributes of types are compared alike.
    pub(super) fn column(&self, thing: Thing<'_>, before: &Column, after: &Column, found: &mut Found) {
        self.data_type(thing, before, after, found);
        let nullable = breaking_unless(
            after.nullable,
            "writing NULL fails, and rows that have it are in the way",
            "whoever writes a value still may; whoever reads may meet NULL",
        );
        found.aspect(thing, "nullable", &before.nullable, &after.nullable, nullable);
        let generated = (before.generated.as_ref(), after.generated.as_ref());
        let kinds = (generated.0.map(|generated| generated.storage), generated.1.map(|generated| generated.storage));
        if generated.0.is_some() != generated.1.is_some() {
            let effect = breaking_unless(
                generated.1.is_none(),
                "whoever writes a value fails",
                "it keeps what is written; nobody computes it any more",
            );
            found.differs(thing, "generated", generated.0, generated.1, effect);
        }
        let numbered = (before.identity.as_ref(), after.identity.as_ref());
        if numbered.0.is_some() != numbered.1.is_some() {
            let effect = match numbered.1 {
                Some(identity) => breaking_unless(
                    identity.generation != IdentityGeneration::Always,
                    "whoever writes a value fails",
                    "who gives no value gets a number",
                ),
                None => {
                    breaking_unless(goes_without_saying(after), "who gives no value fails", "it gets another value")
                }
            };
            found.differs(thing, "identity", numbered.0, numbered.1, effect);
        }
        if !self.is_whole() {
            if before.default.is_some() != after.default.is_some() && numbered.0.is_some() == numbered.1.is_some() {
                default(thing, before, after, found);
            }
            return;
        }
        let names = &self.matched.names;
        if found.texts_differ(thing, "defaults", before.default.as_ref(), after.default.as_ref(), names) {
            default(thing, before, after, found);
        }
        if let (Some(one), Some(other)) = generated {
            let values = compatible("its values are others");
            if found.texts_differ(thing, "generated", Some(&one.expression), Some(&other.expression), names) {
                found.differs(thing, "generated.expression", &one.expression, &other.expression, values);
            }
            found.aspect(thing, "generated.storage", &kinds.0, &kinds.1, compatible("it is computed at another time"));
        }
        if let (Some(one), Some(other)) = numbered {
            let effect = breaking_unless(
                other.generation == IdentityGeneration::ByDefault,
                "whoever writes a value fails",
                "whoever writes a value may",
            );
            found.aspect(thing, "identity.generation", &one.generation, &other.generation, effect);
            let counts = compatible("new numbers follow in another way");
            found.aspect(thing, "identity.options", &one.options, &other.options, counts);
        }
        let compared = breaking("text may compare and sort in another way");
        found.aspect(thing, "collation", &before.collation, &after.collation, compared);
        let home = before.collation_namespace.as_deref().map(|namespace| names.namespace(namespace));
        found.aspect(thing, "collation_namespace", &home, &after.collation_namespace.as_deref(), compared);
        found.told(thing, (&None, &before.comment), (&None, &after.comment));
        found.grants(thing, &before.grants, &after.grants);
        found.native(thing, &before.native, &after.native, &[]);
    }

    fn data_type(&self, thing: Thing<'_>, before: &Column, after: &Column, found: &mut Found) {
        let (one, other) = (&before.data_type, &after.data_type);
        if !self.is_whole() {
            if !widening::alike(one, other) {
                found.differs(thing, "data_type", one, other, breaking("it holds values of another kind"));
            }
            return;
        }
        let named = one.user_type.as_ref().map(|name| self.matched.names.object(name));
        let is_same = named == other.user_type
            && one.family == other.family
            && one.array_dimensions == other.array_dimensions
            && (one.text == other.text || named.is_some() && named != one.user_type);
        if !is_same {
            let effect = breaking_unless(
                widening::holds_all_of(other, one),
                "values may not fit, or read as others",
                "whatever was kept fits",
            );
            found.differs(thing, "data_type", one, other, effect);
        }
    }

    /// Attributes of a type.
    pub(super) fn attributes(&self, thing: Thing<'_>, before: &[Column], after: &[Column], found: &mut Found) {
        let Some(object) = thing.object else { return };
        let pairs = pair(before.iter(), after.iter(), &[&|_, column: &Column| Some(column.name.clone())]);
        let shape = breaking("whoever writes the value out has to know it");
        for gone in &pairs.removed {
            found.removed(Thing::part(ObjectKind::Column, object, &gone.name), shape);
        }
        for new in &pairs.added {
            found.added(Thing::part(ObjectKind::Column, object, &new.name), shape);
        }
        order(thing, "attribute_order", &pairs, shape, found);
        for (one, other) in pairs.both {
            self.column(Thing::part(ObjectKind::Column, object, &other.name), one, other, found);
        }
    }
}

fn default(thing: Thing<'_>, before: &Column, after: &Column, found: &mut Found) {
    let effect = breaking_unless(
        after.default.is_some() || goes_without_saying(after),
        "who gives no value fails",
        "who gives no value gets another one",
    );
    found.differs(thing, "default", &before.default, &after.default, effect);
}

/// Tells where those that are on both sides stand in another order.
fn order(thing: Thing<'_>, aspect: &str, pairs: &Pairing<&Column>, effect: Effect, found: &mut Found) {
    let mut sorted: Vec<(&Column, &Column)> = pairs.both.clone();
    sorted.sort_by_key(|(one, _)| one.position);
    let before: Vec<&str> = sorted.iter().map(|(one, _)| one.name.as_str()).collect();
    let kept: Vec<&str> = sorted.iter().map(|(_, other)| other.name.as_str()).collect();
    sorted.sort_by_key(|(_, other)| other.position);
    let now: Vec<&str> = sorted.iter().map(|(_, other)| other.name.as_str()).collect();
    if kept != now {
        found.differs(thing, aspect, before, now, effect);
    }
}

/// Whether rows can be added without naming the column.
fn goes_without_saying(column: &Column) -> bool {
    column.nullable || column.default.is_some() || column.identity.is_some() || column.generated.is_some()
}
