use schema_model::{Collection, CollectionKind, Gap, Index, ObjectName, Reading, Validator};

use super::Comparison;
use crate::diff::ObjectKind;
use crate::found::{Effect, Found, Thing, breaking, breaking_unless, compatible};
use crate::pairing::pair;

const QUERIES: Effect = compatible("the same is found, faster or slower");

/// The part of a gap about the collections of a database, and of those about all that was declared of a collection, its indexes alone,
/// and the field that says until when its documents are kept.
const LIST: &str = "collections";
const DECLARED: &str = "description";
const INDEXES: &str = "indexes";
const TIME_TO_LIVE: &str = "time_to_live";

/// What is read of a collection that may be called otherwise than before, as its database may be.
#[derive(Clone, Copy)]
struct Both<'a> {
    before: &'a Collection,
    after: &'a Collection,
    old: &'a ObjectName,
    new: &'a ObjectName,
}

impl Comparison<'_> {
    /// Documents and what is like them, by their names. What documents look like is in no model, and is not compared.
    pub(super) fn collections(&self, found: &mut Found) {
        let pairs = &self.matched.collections;
        for gone in pairs.removed.iter().filter(|gone| self.namespace_stayed(&gone.namespace.name)) {
            let name = gone.name();
            // Of a list that is cut nobody knows what it lacks.
            match self.lacking.1.any(&name, &[LIST]) {
                Some(gap) => found.unknown(Some(&name), LIST, gap.reason),
                None => found.removed(
                    Thing::of(ObjectKind::Collection, &name),
                    breaking("whoever reads it finds nothing, and whoever writes to it makes another"),
                ),
            }
        }
        for new in pairs.added.iter().filter(|new| !self.namespace_is_new(&new.namespace.name)) {
            let name = new.name();
            match self.lacking.0.any(&name, &[LIST]) {
                Some(gap) => found.unknown(Some(&name), LIST, gap.reason),
                None => {
                    found.added(Thing::of(ObjectKind::Collection, &name), compatible("nothing used it before"));
                }
            }
        }
        for (one, other) in &pairs.both {
            let (old, new) = (one.name(), other.name());
            self.collection(Both { before: one.of, after: other.of, old: &old, new: &new }, found);
        }
    }

    fn collection(&self, both: Both<'_>, found: &mut Found) {
        let thing = Thing::of(ObjectKind::Collection, both.new);
        let (before, after) = (both.before, both.after);
        let is_view = |collection: &Collection| collection.kind == CollectionKind::View;
        let another = breaking("statements of one kind do not work on the other");
        if !self.is_whole() {
            if is_view(before) != is_view(after) {
                found.differs(thing, "kind", before.kind, after.kind, another);
            }
            return;
        }
        found.aspect(thing, "kind", &before.kind, &after.kind, another);
        if let Some(gap) = self.lacks(both, DECLARED) {
            found.unknown(Some(both.new), DECLARED, gap.reason);
            return;
        }
        let found_by = breaking("who asks by the old key finds nothing");
        found.aspect(thing, "key", &before.key, &after.key, found_by);
        validator(thing, before, after, found);
        let query = compatible("it may have other documents");
        let uses: Vec<ObjectName> = before.uses.iter().map(|used| self.matched.names.object(used)).collect();
        if !readings(thing, "definition", before.definition.as_ref(), after.definition.as_ref(), query, found) {
            found.aspect(thing, "uses", &uses, &after.uses, query);
        }
        let kept = breaking("documents are kept, or refused, in another way");
        found.aspect(thing, "time_series", &before.time_series, &after.time_series, kept);
        let room = breaking_unless(after.capped.is_some(), "documents may be lost sooner", "documents stay longer");
        found.aspect(thing, "capped", &before.capped, &after.capped, room);
        found.aspect(
            thing,
            "collation",
            &before.collation,
            &after.collation,
            breaking("text may compare in another way"),
        );
        if let Some(gap) = self.lacks(both, TIME_TO_LIVE) {
            found.unknown(Some(both.new), TIME_TO_LIVE, gap.reason);
            found.native(thing, &before.native, &after.native, &[TIME_TO_LIVE]);
        } else {
            found.native(thing, &before.native, &after.native, &[]);
        }
        self.indexes_of(both, found);
    }

    /// Why one or the other does not tell a part of itself.
    fn lacks(&self, both: Both<'_>, part: &str) -> Option<&Gap> {
        self.lacking.0.any(both.old, &[part]).or_else(|| self.lacking.1.any(both.new, &[part]))
    }

    fn indexes_of(&self, both: Both<'_>, found: &mut Found) {
        let lacking = self.lacks(both, INDEXES);
        let (before, after) = (&both.before.indexes, &both.after.indexes);
        if let Some(gap) = lacking.filter(|_| before.is_empty() || after.is_empty()) {
            found.unknown(Some(both.new), INDEXES, gap.reason);
            return;
        }
        let by_name = |_, index: &Index| Some(index.name.clone());
        let made_of = |_, index: &Index| serde_json::to_string(&Index { name: String::new(), ..index.clone() }).ok();
        let pairs = pair(before.iter(), after.iter(), &[&by_name, &made_of]);
        for gone in pairs.removed {
            let effect = if gone.unique { compatible("values may be there twice") } else { QUERIES };
            found.removed(Thing::part(ObjectKind::Index, both.new, &gone.name), effect);
        }
        for new in pairs.added {
            let effect = breaking_unless(!new.unique, "values that are there already are refused", QUERIES.1);
            found.added(Thing::part(ObjectKind::Index, both.new, &new.name), effect);
        }
        for (one, other) in pairs.both {
            index(Thing::part(ObjectKind::Index, both.new, &other.name), one, other, found);
        }
    }
}

/// What was declared of documents. A validator tells of its fields as well.
fn validator(thing: Thing<'_>, before: &Collection, after: &Collection, found: &mut Found) {
    let told = found.changes.len();
    let refused = breaking("documents that were taken before may be refused");
    let expression = |validator: Option<&'_ Validator>| validator.map(|validator| validator.expression.clone());
    let (one, other) = (before.validator.as_ref(), after.validator.as_ref());
    let (one_says, other_says) = (expression(one), expression(other));
    let effect = if other.is_some() { refused } else { compatible("whatever was written may be written") };
    let are_told = readings(thing, "validator", one_says.as_ref(), other_says.as_ref(), effect, found);
    if let (Some(one), Some(other)) = (one, other) {
        found.aspect(thing, "validator.level", &one.level, &other.level, refused);
        found.aspect(thing, "validator.action", &one.action, &other.action, refused);
    }
    if !are_told && found.changes.len() == told {
        found.aspect(thing, "fields", &before.fields, &after.fields, refused);
    }
}

/// Whether two texts differ, which is then told. What is not known does not.
fn readings(
    thing: Thing<'_>,
    part: &str,
    before: Option<&Reading<String>>,
    after: Option<&Reading<String>>,
    effect: Effect,
    found: &mut Found,
) -> bool {
    let unknown = [before, after].into_iter().flatten().find_map(Reading::reason);
    match unknown {
        Some(reason) if before.is_some() && after.is_some() => found.unknown(thing.object, part, reason),
        _ if before != after => found.differs(thing, part, before, after, effect),
        _ => {}
    }
    before != after
}

fn index(thing: Thing<'_>, before: &Index, after: &Index, found: &mut Found) {
    let unique =
        breaking_unless(!after.unique, "values that are there already are refused", "values may be there twice");
    if before.name != after.name {
        found.renamed(thing, &before.name, &after.name, compatible("hints that name it do not find it"));
    }
    found.aspect(thing, "unique", &before.unique, &after.unique, unique);
    let parts = if after.unique { breaking("other documents are refused than before") } else { QUERIES };
    found.aspect(thing, "parts", &before.parts, &after.parts, parts);
    readings(thing, "predicate", before.predicate.as_ref(), after.predicate.as_ref(), parts, found);
    found.aspect(thing, "method", &before.method, &after.method, QUERIES);
    found.aspect(thing, "nulls_distinct", &before.nulls_distinct, &after.nulls_distinct, parts);
    found.aspect(thing, "include", &before.include, &after.include, QUERIES);
    found.aspect(thing, "constraint", &before.constraint, &after.constraint, QUERIES);
    found.told(thing, (&None, &before.comment), (&None, &after.comment));
    found.aspect(thing, "valid", &before.valid, &after.valid, QUERIES);
    found.native(thing, &before.native, &after.native, &[]);
}
