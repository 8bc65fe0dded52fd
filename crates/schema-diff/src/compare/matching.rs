use std::collections::{HashMap, HashSet};

use schema_model::{
    Collection, Column, Event, Identities, Namespace, ObjectIdentity, ObjectName, Relation, RelationIdentity, Routine,
    Sequence, UserType,
};

use crate::names::Names;
use crate::pairing::{At, Pairing, pair};
use crate::side::Side;

/// Something with the namespace that it is in.
#[derive(Debug)]
pub(super) struct Located<'a, T> {
    pub(super) namespace: &'a Namespace,
    pub(super) of: &'a T,
}

impl<T> Clone for Located<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Located<'_, T> {}

impl<T: HasName> Located<'_, T> {
    pub(super) fn name(&self) -> ObjectName {
        ObjectName::new(&self.namespace.name, self.of.name())
    }
}

/// What has a name within its namespace.
pub(super) trait HasName {
    fn name(&self) -> &str;
}

macro_rules! has_name {
    ($($kind:ty),+) => {
        $(impl HasName for $kind {
            fn name(&self) -> &str {
                &self.name
            }
        })+
    };
}

has_name!(Collection, Event, Relation, Routine, Sequence, UserType);

/// Which things are the same on both sides.
pub(super) struct Matched<'a> {
    pub(super) namespaces: Pairing<&'a Namespace>,
    pub(super) relations: Pairing<Located<'a, Relation>>,
    pub(super) collections: Pairing<Located<'a, Collection>>,
    pub(super) sequences: Pairing<Located<'a, Sequence>>,
    pub(super) types: Pairing<Located<'a, UserType>>,
    pub(super) names: Names,
    /// The names of relations and collections that are gone.
    pub(super) removed: HashSet<ObjectName>,
    /// The names of relations and collections that are new.
    pub(super) added: HashSet<ObjectName>,
    /// Where pairs of relations stand among them, by the names before and after.
    places: [HashMap<ObjectName, usize>; 2],
    numbers: Numbers<'a>,
}

impl<'a> Matched<'a> {
    pub(super) fn of(before: Side<'a>, after: Side<'a>) -> Self {
        let numbers = Numbers::of(before.identities, after.identities);
        let mut names = Names::default();
        let namespaces = namespaces(before, after, &numbers);
        for (one, other) in &namespaces.both {
            names.namespace_is(&one.name, &other.name);
        }
        let relations =
            objects(before, after, |namespace| &namespace.relations, &|at, name| numbers.relation(at, name), &names);
        // No engine numbers them.
        let collections = objects(before, after, |namespace| &namespace.collections, &|_, _| None, &names);
        let sequences =
            objects(before, after, |namespace| &namespace.sequences, &|at, name| numbers.sequence(at, name), &names);
        let types =
            objects(before, after, |namespace| &namespace.types, &|at, name| numbers.user_type(at, name), &names);
        let renamed = |names: &mut Names, pairs: Vec<(ObjectName, ObjectName)>| {
            for (one, other) in pairs {
                names.object_is(&one, &other);
            }
        };
        renamed(&mut names, sequences.both.iter().map(|(one, other)| (one.name(), other.name())).collect());
        renamed(&mut names, types.both.iter().map(|(one, other)| (one.name(), other.name())).collect());
        renamed(&mut names, relations.both.iter().map(|(one, other)| (one.name(), other.name())).collect());
        let alone = |relations: &[Located<'_, Relation>], collections: &[Located<'_, Collection>]| {
            relations.iter().map(Located::name).chain(collections.iter().map(Located::name)).collect()
        };
        let removed = alone(&relations.removed, &collections.removed);
        let added = alone(&relations.added, &collections.added);
        let places = [
            relations.both.iter().enumerate().map(|(place, (one, _))| (one.name(), place)).collect(),
            relations.both.iter().enumerate().map(|(place, (_, other))| (other.name(), place)).collect(),
        ];
        let mut matched =
            Self { namespaces, relations, collections, sequences, types, names, removed, added, places, numbers };
        for (one, other) in &matched.relations.both {
            for (column, now) in matched.columns(*one, *other).both {
                matched.names.column_is(&one.name(), &column.name, &now.name);
            }
        }
        matched
    }

    /// The relation on both sides that is called so on one.
    pub(super) fn relation(&self, at: At, name: &ObjectName) -> Option<(Located<'a, Relation>, Located<'a, Relation>)> {
        self.places[at as usize].get(name).map(|place| self.relations.both[*place])
    }

    /// Which columns of two relations are the same.
    pub(super) fn columns(&self, one: Located<'a, Relation>, other: Located<'a, Relation>) -> Pairing<&'a Column> {
        let (before, after) = (self.numbers.columns(At::Before, one), self.numbers.columns(At::After, other));
        // Those of a table that was made anew under its old name begin again.
        let is_one = self.numbers.relation(At::Before, &one.name()) == self.numbers.relation(At::After, &other.name());
        let number = |at, column: &'a Column| {
            if !is_one {
                return None;
            }
            let numbers = if at == At::Before { &before } else { &after };
            numbers.get(column.name.as_str()).map(ToString::to_string)
        };
        pair(one.of.columns.iter(), other.of.columns.iter(), &[&number, &|_, column| Some(column.name.clone())])
    }
}

/// Namespaces by their names. One that has another name is known by what is in it, and where there are two databases, the only one of
/// one is the only one of the other.
fn namespaces<'a>(before: Side<'a>, after: Side<'a>, numbers: &Numbers<'_>) -> Pairing<&'a Namespace> {
    let (one, other) = (&before.database.namespaces, &after.database.namespaces);
    let elsewhere = before.database.engine != after.database.engine || before.database.name != after.database.name;
    let alone = elsewhere && one.len() == 1 && other.len() == 1;
    let by_content = |at, namespace: &'a Namespace| match at {
        At::After => Some(namespace.name.clone()),
        At::Before => numbers.all_went_to(namespace),
    };
    pair(
        one.iter(),
        other.iter(),
        &[&|_, namespace| Some(namespace.name.clone()), &by_content, &|_, _| alone.then(String::new)],
    )
}

fn objects<'a, T: HasName>(
    before: Side<'a>,
    after: Side<'a>,
    list: impl Fn(&'a Namespace) -> &'a Vec<T>,
    number: &dyn Fn(At, &ObjectName) -> Option<i64>,
    names: &Names,
) -> Pairing<Located<'a, T>> {
    let by_number = |at, object: Located<'a, T>| number(at, &object.name()).map(|number| number.to_string());
    let by_name = |at, object| Some(name_now(names, at, object));
    pair(located(before, &list), located(after, &list), &[&by_number, &by_name])
}

/// What something is called now, as a key to find its like by.
pub(super) fn name_now<T: HasName>(names: &Names, at: At, object: Located<'_, T>) -> String {
    let name = object.name();
    let name = if at == At::Before { names.object(&name) } else { name };
    // Names have dots in them as well: with the length of the first part this is exact.
    format!("{} {name}", name.namespace.len())
}

/// Everything of a kind that is on a side.
pub(super) fn located<'a, T>(
    side: Side<'a>,
    list: impl Fn(&'a Namespace) -> &'a Vec<T>,
) -> std::vec::IntoIter<Located<'a, T>> {
    let mut located = Vec::new();
    for namespace in &side.database.namespaces {
        located.extend(list(namespace).iter().map(|of| Located { namespace, of }));
    }
    located.into_iter()
}

/// The engine's numbers of objects; nothing at all where those of the two sides say nothing of each other.
#[derive(Default)]
struct Numbers<'a> {
    relations: [HashMap<&'a ObjectName, &'a RelationIdentity>; 2],
    sequences: [HashMap<&'a ObjectName, i64>; 2],
    types: [HashMap<&'a ObjectName, i64>; 2],
    /// The one namespace that everything of a namespace is in now; `None` where there are several.
    went_to: HashMap<&'a str, Option<&'a str>>,
}

impl<'a> Numbers<'a> {
    fn of(before: Option<&'a Identities>, after: Option<&'a Identities>) -> Self {
        let Some(both) = before.zip(after).filter(|(before, after)| before.origin == after.origin) else {
            return Self::default();
        };
        let both = [both.0, both.1];
        let relations =
            |side: &'a Identities| side.relations.iter().map(|identity| (&identity.name, identity)).collect();
        let numbers =
            |list: &'a [ObjectIdentity]| list.iter().map(|identity| (&identity.name, identity.number)).collect();
        let now: HashMap<i64, &str> =
            both[1].relations.iter().map(|identity| (identity.number, identity.name.namespace.as_str())).collect();
        let mut went_to: HashMap<&str, Option<&str>> = HashMap::new();
        for identity in &both[0].relations {
            let place = now.get(&identity.number).copied();
            let all = went_to.entry(&identity.name.namespace).or_insert(place);
            *all = all.filter(|all| Some(*all) == place);
        }
        Self {
            went_to,
            relations: both.map(relations),
            sequences: both.map(|side| numbers(&side.sequences)),
            types: both.map(|side| numbers(&side.types)),
        }
    }

    fn relation(&self, at: At, name: &ObjectName) -> Option<i64> {
        self.relations[at as usize].get(name).map(|identity| identity.number)
    }

    fn sequence(&self, at: At, name: &ObjectName) -> Option<i64> {
        self.sequences[at as usize].get(name).copied()
    }

    fn user_type(&self, at: At, name: &ObjectName) -> Option<i64> {
        self.types[at as usize].get(name).copied()
    }

    /// Columns by their names; none where the relation as such is another one.
    fn columns(&self, at: At, relation: Located<'a, Relation>) -> HashMap<&'a str, i32> {
        let identity = self.relations[at as usize].get(&relation.name());
        let columns = relation.of.columns.iter().map(|column| column.name.as_str());
        identity.map(|identity| columns.zip(identity.columns.iter().copied()).collect()).unwrap_or_default()
    }

    fn all_went_to(&self, namespace: &Namespace) -> Option<String> {
        self.went_to.get(namespace.name.as_str()).copied().flatten().map(str::to_owned)
    }
}
