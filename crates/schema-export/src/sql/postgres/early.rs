use std::fmt;

use schema_model::{NativeObject, ObjectName, Reading, Relation};

use super::Writer;
use super::made::{Kind, Made, needs, object_names};
use super::names::{is_operator, qualified, quoted};
use super::types::Late;
use crate::exporter::why;
use crate::sql::order;

impl<'a> Writer<'a> {
    /// Makes types, routines and what only this engine has, as far as no table is needed for it. Returns what of domains has to wait,
    /// and everything that needs tables.
    pub(super) fn before_tables(&mut self) -> (Vec<Late<'a>>, Vec<Made<'a>>) {
        let database = self.database;
        let mut all: Vec<Made<'a>> = Vec::new();
        for namespace in &database.namespaces {
            let name = |name: &String| ObjectName::new(&namespace.name, name);
            all.extend(namespace.types.iter().map(|one| Made::Type(name(&one.name), one)));
            all.extend(namespace.routines.iter().map(|one| Made::Routine((name(&one.name), one))));
        }
        // What nobody can make needs nothing, and others need it.
        let (made, unmade): (Vec<_>, Vec<_>) =
            database.native_objects.iter().partition(|object| object.definition.is_some());
        for object in unmade {
            self.object(object);
        }
        all.extend(made.into_iter().map(Made::Object));
        all.sort_by_key(Made::kind);
        let needs = needs(&all);
        let is_type = |at: usize| matches!(all[at], Made::Type(..));
        let needs_tables =
            |one: &Made<'_>| one.names().iter().any(|name| self.relations.contains_key(name) && *name != *one.name());
        let mut late: Vec<bool> = all.iter().map(|one| !matches!(one, Made::Type(..)) && needs_tables(one)).collect();
        // What needs something late is late. Where only some of a name are, it may need another one.
        let mut has_changed = true;
        while has_changed {
            has_changed = false;
            for at in (0..all.len()).filter(|at| !is_type(*at)) {
                if !late[at] && needs[at].iter().any(|others| others.iter().all(|other| late[*other])) {
                    (late[at], has_changed) = (true, true);
                }
            }
        }
        let early = |at: &usize| !late[*at];
        let flat = |(at, named): (usize, &Vec<Vec<usize>>)| -> Vec<usize> {
            if late[at] { Vec::new() } else { named.iter().flatten().copied().filter(early).collect() }
        };
        let flat: Vec<Vec<usize>> = needs.iter().enumerate().map(flat).collect();
        let (sorted, circular) = order::sorted(&flat);
        let mut waiting = Vec::new();
        for at in sorted.into_iter().filter(early) {
            match &all[at] {
                Made::Type(name, user_type) => self.user_type(name, user_type, &mut waiting),
                Made::Routine((name, routine)) => self.routine(name, routine),
                Made::Object(object) => self.object(object),
                Made::View(..) => {}
            }
        }
        for at in circular {
            self.not_in_order(&all[at]);
        }
        let late = all.into_iter().zip(late).filter(|(_, late)| *late).map(|(one, _)| one);
        (waiting, late.collect())
    }

    /// Leaves out what has no place in the order.
    pub(super) fn not_in_order(&mut self, one: &Made<'_>) {
        match one {
            Made::Type(name, _) => self.leave_out_named(name, "type", "types are made of each other in a circle"),
            Made::Object(object) => {
                self.leave_out_object(object, &part(object), "it needs something that needs it");
            }
            Made::Routine((name, _)) | Made::View(name, _) => {
                if matches!(one, Made::View(..)) {
                    self.absent.insert(name.clone());
                }
                self.leave_out_named(name, "definition", "views and routines use each other in a circle");
            }
        }
    }

    /// Something that is not made and has no rows.
    pub(super) fn leave_out_named(&mut self, name: &ObjectName, part: &str, reason: &str) {
        self.missing.insert(name.clone());
        self.script.omit(name, part, reason);
    }

    /// As [`Self::leave_out_named`]. Nothing names a cast, but for the type that it leads to.
    fn leave_out_object(&mut self, object: &NativeObject, part: &str, reason: &str) {
        self.missing_casts.extend(led_to(object));
        self.missing_objects.insert((object.name.clone(), Kind::of(object)));
        self.leave_out_named(&object.name, part, reason);
    }

    /// Something of another kind that has the object's own name, may be what it needs, and is not made.
    fn missing_namesake(&self, object: &NativeObject) -> Option<ObjectName> {
        let kind = Kind::of(object);
        let is_needed =
            |(name, other): &(ObjectName, Kind)| *name == object.name && *other != kind && kind.may_need(*other);
        self.missing_objects.iter().any(is_needed).then(|| object.name.clone())
    }

    /// Something that only this engine has, but for what comes with an extension.
    pub(super) fn object(&mut self, object: &NativeObject) {
        let NativeObject { kind, name, signature, definition, owner, comment } = object;
        let part = part(object);
        let Some(definition) = definition else {
            return self.leave_out_object(object, &part, "the model has no statement that makes it");
        };
        let is_known = match Kind::of(object) {
            Kind::Unknown => false,
            Kind::Operator => is_operator(&name.name),
            _ => true,
        };
        if !is_known {
            return self.leave_out_object(object, &part, "it is nothing that is known of this engine");
        }
        let missing = self.missing_of(&object_names(object));
        if let Some(missing) = missing.or_else(|| self.missing_namesake(object)) {
            return self.leave_out_object(object, &part, &uses(missing));
        }
        let text = match definition {
            Reading::Known(text) => text,
            Reading::Unknown { unavailable } => return self.leave_out_object(object, &part, why(*unavailable)),
        };
        self.script.statement(text);
        let written = match Kind::of(object) {
            Kind::Cast => format!("({})", name.name),
            Kind::Operator => format!("{}.{}", quoted(&name.namespace), name.name),
            _ => qualified(name),
        };
        let mut target = format!("{} {written}", kind.to_uppercase());
        if let Some(signature) = signature {
            target = format!("{target} {signature}");
        }
        self.owner(&target, owner.as_ref());
        self.comment(&target, comment.as_ref());
    }

    pub(super) fn rules(&mut self) {
        for (name, relation) in self.relations.clone() {
            if self.is_made(&name) && !relation.native.contains_key("extension") {
                self.rules_of(&name, relation);
            }
        }
    }

    fn rules_of(&mut self, name: &ObjectName, relation: &Relation) {
        let table = qualified(name);
        for rule in &relation.rules {
            let part = format!("rule {}", rule.name);
            let Some(text) = self.usable(name, &part, &rule.definition) else { continue };
            self.script.statement(&text);
            let written = quoted(&rule.name);
            let counts = rule.native.get("counts").and_then(|counts| counts.as_str());
            let change = match (rule.enabled, counts) {
                (false, _) => Some("DISABLE"),
                (true, Some("always")) => Some("ENABLE ALWAYS"),
                (true, Some("replica")) => Some("ENABLE REPLICA"),
                (true, _) => None,
            };
            if let Some(change) = change {
                self.script.statement(&format!("ALTER TABLE {table} {change} RULE {written}"));
            }
            self.comment(&format!("RULE {written} ON {table}"), rule.comment.as_ref());
        }
    }
}

/// What is in a text where something becomes what a cast leads to.
pub(super) fn led_to(object: &NativeObject) -> Option<String> {
    let (_, target) = object.name.name.rsplit_once(" AS ")?;
    (Kind::of(object) == Kind::Cast).then(|| format!("::{target}"))
}

fn part(object: &NativeObject) -> String {
    match &object.signature {
        Some(signature) => format!("{} {signature}", object.kind),
        None => object.kind.clone(),
    }
}

/// Why something that uses something else is left out.
pub(super) fn uses(missing: impl fmt::Display) -> String {
    format!("it uses {missing}, which is not made")
}
