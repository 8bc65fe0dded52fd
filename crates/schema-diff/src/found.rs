use std::collections::BTreeSet;

use schema_model::{Gap, ObjectName, Reading, Unavailable};
use serde::Serialize;
use serde_json::Value;

use crate::diff::{Action, Change, Impact, ObjectKind};
use crate::names::Names;

/// What has been found so far.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) changes: Vec<Change>,
    pub(crate) not_compared: BTreeSet<Gap>,
}

/// Something that is on both sides, or on one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Thing<'a> {
    pub(crate) kind: ObjectKind,
    pub(crate) object: Option<&'a ObjectName>,
    pub(crate) part: Option<&'a str>,
}

impl<'a> Thing<'a> {
    pub(crate) fn of(kind: ObjectKind, object: &'a ObjectName) -> Self {
        Self { kind, object: Some(object), part: None }
    }

    pub(crate) fn part(kind: ObjectKind, object: &'a ObjectName, part: &'a str) -> Self {
        Self { kind, object: Some(object), part: Some(part) }
    }

    /// Something that may have no name.
    pub(crate) fn named(kind: ObjectKind, object: &'a ObjectName, name: Option<&'a str>) -> Self {
        Self { kind, object: Some(object), part: name }
    }

    fn change(self, action: Action, (impact, reason): Effect) -> Change {
        Change {
            kind: self.kind,
            object: self.object.cloned(),
            part: self.part.map(str::to_owned),
            action,
            aspect: None,
            before: None,
            after: None,
            impact,
            reason,
        }
    }
}

/// Whether a change breaks something, and why.
pub(crate) type Effect = (Impact, &'static str);

pub(crate) const fn compatible(reason: &'static str) -> Effect {
    (Impact::Compatible, reason)
}

pub(crate) const fn breaking(reason: &'static str) -> Effect {
    (Impact::Breaking, reason)
}

/// A change that is not as bad as it looks under some condition.
pub(crate) const fn breaking_unless(harmless: bool, if_not: &'static str, otherwise: &'static str) -> Effect {
    if harmless { compatible(otherwise) } else { breaking(if_not) }
}

impl Found {
    pub(crate) fn added(&mut self, thing: Thing<'_>, effect: Effect) {
        self.changes.push(thing.change(Action::Added, effect));
    }

    pub(crate) fn removed(&mut self, thing: Thing<'_>, effect: Effect) {
        self.changes.push(thing.change(Action::Removed, effect));
    }

    pub(crate) fn renamed(&mut self, thing: Thing<'_>, before: impl Serialize, after: impl Serialize, effect: Effect) {
        let change = thing.change(Action::Renamed, effect);
        self.changes.push(Change { before: value(before), after: value(after), ..change });
    }

    /// Something of a thing is different.
    pub(crate) fn differs(
        &mut self,
        thing: Thing<'_>,
        aspect: &str,
        before: impl Serialize,
        after: impl Serialize,
        effect: Effect,
    ) {
        let change = thing.change(Action::Changed, effect);
        let (before, after) = (value(before), value(after));
        self.changes.push(Change { aspect: Some(aspect.to_owned()), before, after, ..change });
    }

    /// As [`Self::differs`], where it is.
    pub(crate) fn aspect<T: PartialEq + Serialize>(
        &mut self,
        thing: Thing<'_>,
        aspect: &str,
        before: &T,
        after: &T,
        effect: Effect,
    ) {
        if before != after {
            self.differs(thing, aspect, before, after, effect);
        }
    }

    /// Whether two expressions differ by more than names that have changed. What is not known does not.
    pub(crate) fn texts_differ(
        &mut self,
        thing: Thing<'_>,
        part: &str,
        before: Option<&Reading<String>>,
        after: Option<&Reading<String>>,
        names: &Names,
    ) -> bool {
        match (before, after) {
            (None, None) => false,
            (Some(Reading::Known(before)), Some(Reading::Known(after))) => !names.same_text(before, after),
            (Some(Reading::Unknown { unavailable }), Some(_)) | (Some(_), Some(Reading::Unknown { unavailable })) => {
                self.unknown(thing.object, part, *unavailable);
                false
            }
            (None, Some(_)) | (Some(_), None) => true,
        }
    }

    pub(crate) fn unknown(&mut self, object: Option<&ObjectName>, part: &str, reason: Unavailable) {
        self.not_compared.insert(Gap { object: object.cloned(), part: part.to_owned(), reason });
    }
}

fn value(of: impl Serialize) -> Option<Value> {
    // The model's types always have a JSON form.
    serde_json::to_value(of).ok().filter(|value| !value.is_null())
}
