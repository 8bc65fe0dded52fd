//! What has to be there before something else: by the names that texts have in them.

use std::collections::{BTreeSet, HashMap};

use schema_model::{DataType, NativeObject, ObjectName, Relation, RoutineKind, UserType, UserTypeKind};

use super::names::{is_operator, mentioned};
use super::routines::{Named, is_opaque, needed_text};
use super::tables::text_of;

/// Something that comes behind what it needs, in an order that has to be found.
#[derive(Clone)]
pub(super) enum Made<'a> {
    Type(ObjectName, &'a UserType),
    Routine(Named<'a>),
    Object(&'a NativeObject),
    View(ObjectName, &'a Relation),
}

/// What it is, in the order in which things are made that do not need each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Collation,
    Type,
    /// Its text is looked into when it is called.
    Opaque,
    /// Texts do not say where one is used.
    Cast,
    Operator,
    OperatorFamily,
    OperatorClass,
    Parser,
    Template,
    Dictionary,
    Configuration,
    Aggregate,
    View,
    /// Its text is understood when it is made.
    Understood,
    /// Something that is not made.
    Unknown,
}

impl Kind {
    pub(super) fn of(object: &NativeObject) -> Self {
        match object.kind.as_str() {
            "collation" => Self::Collation,
            "cast" => Self::Cast,
            "operator" => Self::Operator,
            "operator family" => Self::OperatorFamily,
            "operator class" => Self::OperatorClass,
            "text search parser" => Self::Parser,
            "text search template" => Self::Template,
            "text search dictionary" => Self::Dictionary,
            "text search configuration" => Self::Configuration,
            _ => Self::Unknown,
        }
    }

    fn is_routine(self) -> bool {
        matches!(self, Self::Opaque | Self::Aggregate | Self::Understood)
    }

    /// Whether one of this kind can be made of one of the other. Several kinds of things have one name, and an operator names
    /// others that need not be there yet.
    pub(super) fn may_need(self, other: Self) -> bool {
        let is_type = matches!(other, Self::Type | Self::View);
        match self {
            Self::Collation | Self::Unknown => false,
            Self::Type => is_type || other == Self::Collation,
            Self::Parser | Self::Template => other.is_routine(),
            Self::Dictionary => matches!(other, Self::Template | Self::Dictionary),
            Self::Configuration => matches!(other, Self::Parser | Self::Dictionary),
            Self::Cast | Self::Operator => is_type || other.is_routine(),
            Self::OperatorFamily | Self::OperatorClass => {
                is_type || other.is_routine() || matches!(other, Self::Operator | Self::OperatorFamily)
            }
            Self::View | Self::Opaque | Self::Aggregate | Self::Understood => true,
        }
    }
}

impl Made<'_> {
    pub(super) fn name(&self) -> &ObjectName {
        match self {
            Self::Type(name, _) | Self::Routine((name, _)) | Self::View(name, _) => name,
            Self::Object(object) => &object.name,
        }
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Type(..) => Kind::Type,
            Self::View(..) => Kind::View,
            Self::Object(object) => Kind::of(object),
            Self::Routine((_, routine)) if is_opaque(routine) => Kind::Opaque,
            Self::Routine((_, routine)) if routine.kind == RoutineKind::Aggregate => Kind::Aggregate,
            Self::Routine(_) => Kind::Understood,
        }
    }

    /// What its text names, of what has to be there when it is made.
    pub(super) fn names(&self) -> BTreeSet<ObjectName> {
        match self {
            Self::Type(_, user_type) => type_names(user_type),
            Self::Routine((_, routine)) => mentioned(&needed_text(routine)),
            Self::Object(object) => object_names(object),
            Self::View(_, view) => mentioned(text_of(view.definition.as_ref())),
        }
    }
}

/// What a statement that makes an object names, but for its own name. An operator names those that mirror and negate it, which come when they come.
pub(super) fn object_names(object: &NativeObject) -> BTreeSet<ObjectName> {
    let mut names = mentioned(text_of(object.definition.as_ref()));
    names.remove(&object.name);
    if Kind::of(object) == Kind::Operator {
        names.retain(|name| !is_operator(&name.name));
    }
    names
}

/// What a type is made of, but for the conditions and the default of a domain.
fn type_names(user_type: &UserType) -> BTreeSet<ObjectName> {
    let mut names = BTreeSet::new();
    let mut collated = |collation: &Option<String>, namespace: &Option<String>| {
        names.extend(collation_name(collation.as_ref(), namespace.as_ref()));
    };
    match &user_type.kind {
        UserTypeKind::Domain { collation, collation_namespace, .. } => collated(collation, collation_namespace),
        UserTypeKind::Composite { attributes } => {
            for attribute in attributes {
                collated(&attribute.collation, &attribute.collation_namespace);
            }
        }
        UserTypeKind::Enumeration { .. } | UserTypeKind::Range { .. } => {}
    }
    for part in parts(user_type) {
        names.extend(mentioned(&part.text));
        names.extend(part.user_type.clone());
    }
    names
}

/// A collation that is somebody's own.
pub(super) fn collation_name(collation: Option<&String>, namespace: Option<&String>) -> Option<ObjectName> {
    namespace.zip(collation).map(|(namespace, name)| ObjectName::new(namespace, name))
}

/// The types that a type is made of.
fn parts(user_type: &UserType) -> Box<dyn Iterator<Item = &DataType> + '_> {
    match &user_type.kind {
        UserTypeKind::Enumeration { .. } => Box::new(std::iter::empty()),
        UserTypeKind::Domain { base, .. } => Box::new(std::iter::once(base)),
        UserTypeKind::Range { subtype, .. } => Box::new(std::iter::once(subtype)),
        UserTypeKind::Composite { attributes } => Box::new(attributes.iter().map(|attribute| &attribute.data_type)),
    }
}

/// Which of all each of them needs: by name, for each name that it has in its text.
pub(super) fn needs(all: &[Made<'_>]) -> Vec<Vec<Vec<usize>>> {
    let mut places: HashMap<&ObjectName, Vec<usize>> = HashMap::new();
    for (at, one) in all.iter().enumerate() {
        places.entry(one.name()).or_default().push(at);
    }
    let kinds: Vec<Kind> = all.iter().map(Made::kind).collect();
    let of = |(at, one): (usize, &Made<'_>)| {
        let mut names = one.names();
        match one {
            Made::View(_, view) => names.extend(view.uses.iter().cloned()),
            // The family of a class, or the template of a dictionary, often has its very name.
            Made::Object(object) => drop(names.insert(object.name.clone())),
            Made::Type(..) | Made::Routine(_) => {}
        }
        let mut found = Vec::new();
        for name in &names {
            let may = |other: &&usize| {
                // Which relations a view uses is told.
                let is_told = kinds[at] == Kind::View && kinds[**other] == Kind::View;
                let uses = |view: &Relation| view.uses.contains(name);
                let counts = !is_told || matches!(one, Made::View(_, view) if uses(view));
                let is_namesake = matches!(one, Made::Object(_)) && name == one.name() && kinds[at] == kinds[**other];
                **other != at && counts && !is_namesake && kinds[at].may_need(kinds[**other])
            };
            let others: Vec<usize> = places.get(name).into_iter().flatten().filter(may).copied().collect();
            if !others.is_empty() {
                found.push(others);
            }
        }
        found
    };
    all.iter().enumerate().map(of).collect()
}
