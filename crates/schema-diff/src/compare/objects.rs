use schema_model::{
    Check, Event, NativeObject, ObjectName, Routine, Sequence, SequenceOptions, UserType, UserTypeKind, WholeNumber,
};

use super::Comparison;
use super::matching::{HasName, Located, located, name_now};
use super::relations::is_unlisted;
use crate::diff::ObjectKind;
use crate::found::{Found, Thing, breaking, breaking_unless, compatible};
use crate::names::Names;
use crate::pairing::{At, Pairing, pair};

impl Comparison<'_> {
    /// What is in namespaces besides relations.
    pub(super) fn objects(&self, found: &mut Found) {
        self.sequences(found);
        self.types(found);
        self.routines(found);
        self.events(found);
        self.native_objects(found);
    }

    /// What is gone and what is new, but for what its namespace tells of.
    fn gone_and_new<T: HasName>(
        &self,
        kind: ObjectKind,
        pairs: &Pairing<Located<'_, T>>,
        is_told: impl Fn(At, &T) -> bool,
        found: &mut Found,
    ) {
        for gone in &pairs.removed {
            // What is there and cannot be read is not gone.
            let is_hidden = self.lacking.1.names(&self.matched.names.object(&gone.name()));
            if self.namespace_stayed(&gone.namespace.name)
                && !is_told(At::Before, gone.of)
                && !is_hidden
                && !is_unlisted(self.lacking.1, &gone.name(), found)
            {
                found.removed(Thing::of(kind, &gone.name()), breaking("whoever names it fails"));
            }
        }
        for new in &pairs.added {
            let was_hidden = self.lacking.0.names(&new.name());
            if !self.namespace_is_new(&new.namespace.name)
                && !is_told(At::After, new.of)
                && !was_hidden
                && !is_unlisted(self.lacking.0, &new.name(), found)
            {
                found.added(Thing::of(kind, &new.name()), compatible("nothing used it before"));
            }
        }
    }

    fn sequences(&self, found: &mut Found) {
        let pairs = &self.matched.sequences;
        // It comes and goes with its column.
        let is_told = |at, sequence: &Sequence| {
            let Some((table, column)) = &sequence.owned_by else { return false };
            let alone = if at == At::Before { &self.matched.removed } else { &self.matched.added };
            let is_new_or_gone = || {
                let (one, other) = self.matched.relation(at, table)?;
                let columns = self.matched.columns(one, other);
                let alone = if at == At::Before { columns.removed } else { columns.added };
                Some(alone.iter().any(|new_or_gone| new_or_gone.name == *column))
            };
            alone.contains(table) || is_new_or_gone().unwrap_or_default()
        };
        self.gone_and_new(ObjectKind::Sequence, pairs, is_told, found);
        for (one, other) in &pairs.both {
            let (old, new) = (one.name(), other.name());
            let thing = Thing::of(ObjectKind::Sequence, &new);
            self.name(thing, &old, &new, found);
            let (before, after) = (one.of, other.of);
            let fits = breaking_unless(
                range(&after.options).0 <= range(&before.options).0
                    && range(&after.options).1 >= range(&before.options).1,
                "it ends sooner than before",
                "new numbers follow in another way",
            );
            found.aspect(thing, "data_type", &before.data_type, &after.data_type, fits);
            found.aspect(thing, "options", &before.options, &after.options, fits);
            let owned_by = before.owned_by.as_ref().map(|(table, column)| {
                (self.matched.names.object(table), self.matched.names.column(table, column).to_owned())
            });
            let effect = compatible("it goes when another column goes, or none");
            found.aspect(thing, "owned_by", &owned_by, &after.owned_by, effect);
            found.told(thing, (&before.owner, &before.comment), (&after.owner, &after.comment));
            found.grants(thing, &before.grants, &after.grants);
        }
    }

    fn types(&self, found: &mut Found) {
        let pairs = &self.matched.types;
        self.gone_and_new(ObjectKind::Type, pairs, |_, _| false, found);
        for (one, other) in &pairs.both {
            let (old, new) = (one.name(), other.name());
            let thing = Thing::of(ObjectKind::Type, &new);
            self.name(thing, &old, &new, found);
            self.user_type(thing, one.of, other.of, found);
            found.told(thing, (&one.of.owner, &one.of.comment), (&other.of.owner, &other.of.comment));
            found.grants(thing, &one.of.grants, &other.of.grants);
        }
    }

    fn user_type(&self, thing: Thing<'_>, before: &UserType, after: &UserType, found: &mut Found) {
        let names = &self.matched.names;
        let values = breaking("values of before may be none of it");
        match (&before.kind, &after.kind) {
            (UserTypeKind::Enumeration { labels }, UserTypeKind::Enumeration { labels: now }) => {
                // All of before, in their order, with others between them.
                let mut rest = now.iter();
                let effect = breaking_unless(
                    labels.iter().all(|label| rest.any(|other| other == label)),
                    "words are gone, or sort in another way",
                    "every word of before is there",
                );
                found.aspect(thing, "labels", labels, now, effect);
            }
            (
                UserTypeKind::Domain { base, nullable, default, collation, collation_namespace, checks },
                UserTypeKind::Domain {
                    base: base_now,
                    nullable: nullable_now,
                    default: default_now,
                    collation: collation_now,
                    collation_namespace: home_now,
                    checks: checks_now,
                },
            ) => {
                found.aspect(thing, "base", base, base_now, values);
                let effect = breaking_unless(*nullable_now, "NULL is refused", "NULL is not refused any more");
                found.aspect(thing, "nullable", nullable, nullable_now, effect);
                if found.texts_differ(thing, "default", default.as_ref(), default_now.as_ref(), names) {
                    let effect = compatible("who gives no value gets another one");
                    found.differs(thing, "default", default, default_now, effect);
                }
                let compared = breaking("text may compare in another way");
                found.aspect(thing, "collation", collation, collation_now, compared);
                let home = collation_namespace.as_deref().map(|namespace| names.namespace(namespace));
                found.aspect(thing, "collation_namespace", &home, &home_now.as_deref(), compared);
                self.domain_checks(thing, checks, checks_now, found);
            }
            (UserTypeKind::Composite { attributes }, UserTypeKind::Composite { attributes: now }) => {
                self.attributes(thing, attributes, now, found);
            }
            (
                UserTypeKind::Range { subtype, multirange },
                UserTypeKind::Range { subtype: now, multirange: several },
            ) => {
                found.aspect(thing, "subtype", subtype, now, values);
                found.aspect(thing, "multirange", multirange, several, breaking("who uses the old name finds nothing"));
            }
            (one, other) => found.differs(thing, "kind", one, other, values),
        }
    }

    fn domain_checks(&self, thing: Thing<'_>, before: &[Check], after: &[Check], found: &mut Found) {
        let Some(object) = thing.object else { return };
        let of = |name| Thing::named(ObjectKind::Check, object, name);
        let pairs = pair(
            before.iter(),
            after.iter(),
            &[&|_, check: &Check| check.name.clone(), &|at, check| {
                check.expression.known().map(|text| self.matched.names.rewritten(at, text))
            }],
        );
        for gone in pairs.removed {
            found.removed(of(gone.name.as_deref()), compatible("whatever was written may be written"));
        }
        for new in pairs.added {
            found.added(of(new.name.as_deref()), breaking("values that do not meet it are refused"));
        }
        for (one, other) in pairs.both {
            self.check(of(other.name.as_deref()), one, other, found);
        }
    }

    /// Routines by their names and arguments; one that is alone under its name by that.
    fn routines(&self, found: &mut Found) {
        let names = &self.matched.names;
        let with_arguments = |at, routine: Located<'_, Routine>| {
            Some(format!("{}({})", name_now(names, at, routine), routine.of.arguments))
        };
        let by_name = |at, routine: Located<'_, Routine>| Some(name_now(names, at, routine));
        let before = located(self.before, |namespace| &namespace.routines);
        let after = located(self.after, |namespace| &namespace.routines);
        let pairs = pair(before, after, &[&with_arguments, &by_name]);
        self.gone_and_new(ObjectKind::Routine, &pairs, |_, _| false, found);
        for (one, other) in pairs.both {
            let new = other.name();
            self.routine(Thing::part(ObjectKind::Routine, &new, &other.of.arguments), one.of, other.of, found);
        }
    }

    fn routine(&self, thing: Thing<'_>, before: &Routine, after: &Routine, found: &mut Found) {
        let told = found.changes.len();
        let calls = breaking("calls of before may fail, or mean something else");
        let does = compatible("calls work, and what they do may be different");
        found.aspect(thing, "kind", &before.kind, &after.kind, calls);
        found.aspect(thing, "arguments", &before.arguments, &after.arguments, calls);
        found.aspect(thing, "returns", &before.returns, &after.returns, calls);
        found.aspect(thing, "language", &before.language, &after.language, does);
        found.native(thing, &before.native, &after.native, &[]);
        let (text, now) = (before.definition.as_ref(), after.definition.as_ref());
        // The text tells of the rest as well.
        let names = &self.matched.names;
        if found.texts_differ(thing, "definition", text, now, names) && found.changes.len() == told {
            found.differs(thing, "definition", text, now, does);
        }
        found.told(thing, (&before.owner, &before.comment), (&after.owner, &after.comment));
        found.grants(thing, &before.grants, &after.grants);
    }
}

impl Comparison<'_> {
    fn events(&self, found: &mut Found) {
        let names = &self.matched.names;
        let by_name = |at, event: Located<'_, Event>| Some(name_now(names, at, event));
        let before = located(self.before, |namespace| &namespace.events);
        let pairs = pair(before, located(self.after, |namespace| &namespace.events), &[&by_name]);
        // No statement of anybody's depends on one.
        let does = compatible("statements work, and what happens besides is different");
        for gone in pairs.removed.iter().filter(|gone| self.namespace_stayed(&gone.namespace.name)) {
            found.removed(Thing::of(ObjectKind::Event, &gone.name()), does);
        }
        for new in pairs.added.iter().filter(|new| !self.namespace_is_new(&new.namespace.name)) {
            found.added(Thing::of(ObjectKind::Event, &new.name()), does);
        }
        for (one, other) in pairs.both {
            let new = other.name();
            let thing = Thing::of(ObjectKind::Event, &new);
            let (before, after) = (one.of, other.of);
            found.aspect(thing, "schedule", &before.schedule, &after.schedule, does);
            found.aspect(thing, "enabled", &before.enabled, &after.enabled, does);
            if found.texts_differ(thing, "definition", Some(&before.definition), Some(&after.definition), names) {
                found.differs(thing, "definition", &before.definition, &after.definition, does);
            }
            found.told(thing, (&before.owner, &before.comment), (&after.owner, &after.comment));
            found.native(thing, &before.native, &after.native, &[]);
        }
    }
}

impl Comparison<'_> {
    /// What only the engine has, by its kind, its name and what tells it from others of that name.
    fn native_objects(&self, found: &mut Found) {
        let names = &self.matched.names;
        let key = |at, object: &NativeObject| {
            let NativeObject { kind, name, signature, .. } = object;
            let now = |text: &String| names.rewritten(at, text);
            let name = match at {
                // What is in no namespace is called by what it is of: a cast by its types.
                _ if name.namespace.is_empty() => ObjectName::new("", now(&name.name)),
                At::Before => names.object(name),
                At::After => name.clone(),
            };
            serde_json::to_string(&(kind, name, signature.as_ref().map(now))).ok()
        };
        let (before, after) = (&self.before.database.native_objects, &self.after.database.native_objects);
        let pairs = pair(before.iter(), after.iter(), &[&key]);
        let is_told = |at, object: &NativeObject, all: &[&NativeObject]| {
            self.goes_with_a_type(at, object) || goes_with_a_class(object, all)
        };
        for gone in pairs.removed.iter().filter(|gone| self.namespace_stayed(&gone.name.namespace)) {
            let part = what(gone);
            if !is_told(At::Before, gone, &pairs.removed) && !is_unlisted(self.lacking.1, &gone.name, found) {
                let thing = Thing::part(ObjectKind::NativeObject, &gone.name, &part);
                found.removed(thing, breaking("whoever names it fails"));
            }
        }
        for new in pairs.added.iter().filter(|new| !self.namespace_is_new(&new.name.namespace)) {
            let part = what(new);
            if !is_told(At::After, new, &pairs.added) && !is_unlisted(self.lacking.0, &new.name, found) {
                let thing = Thing::part(ObjectKind::NativeObject, &new.name, &part);
                found.added(thing, compatible("nothing used it before"));
            }
        }
        for (one, other) in pairs.both {
            let part = what(other);
            let thing = Thing::part(ObjectKind::NativeObject, &other.name, &part);
            let (text, now) = (one.definition.as_ref(), other.definition.as_ref());
            if found.texts_differ(thing, "definition", text, now, names) {
                let effect = breaking("what uses it may fail, or mean something else");
                found.differs(thing, "definition", text, now, effect);
            }
            found.told(thing, (&one.owner, &one.comment), (&other.owner, &other.comment));
        }
    }

    /// Whether something comes and goes with a type that is new or gone, as a cast and an operator do.
    fn goes_with_a_type(&self, at: At, object: &NativeObject) -> bool {
        let text = match object.kind.as_str() {
            "cast" => &object.name.name,
            "operator" => object.signature.as_ref().unwrap_or(&object.name.name),
            _ => return false,
        };
        let (types, relations) = match at {
            At::Before => (&self.matched.types.removed, &self.matched.removed),
            At::After => (&self.matched.types.added, &self.matched.added),
        };
        Names::names_any(text, |name| relations.contains(name) || types.iter().any(|alone| alone.name() == *name))
    }
}

/// Whether a family of operators comes and goes with the class that it was made for.
fn goes_with_a_class(object: &NativeObject, all: &[&NativeObject]) -> bool {
    let is_its = |class: &NativeObject| class.kind == "operator class" && class.name == object.name;
    object.kind == "operator family" && all.iter().any(|class| is_its(class) && class.signature == object.signature)
}

/// The kind of something, and what tells it from others of its name.
fn what(object: &NativeObject) -> String {
    match &object.signature {
        Some(signature) => format!("{} {signature}", object.kind),
        None => object.kind.clone(),
    }
}

/// The least number and the greatest one.
fn range(options: &SequenceOptions) -> (WholeNumber, WholeNumber) {
    (options.minimum, options.maximum)
}
