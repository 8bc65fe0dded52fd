use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Collection, Event, Grant, NativeObject, ObjectName, Relation, Routine, Sequence, UserType};

/// What only one engine knows of an object, under that engine's words.
pub type Native = BTreeMap<String, serde_json::Value>;

/// What is in a database, without how much of it: two databases of the same shape are equal.
///
/// Every list is in an order that depends on the content alone: by name, columns and parts by their position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SchemaModel))]
pub struct Database {
    /// The product, in the kernel's word for it, such as `postgres`.
    pub engine: String,
    /// The server's version.
    pub version: String,
    /// The database's name.
    pub name: String,
    /// What people have written about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// How text is kept unless something else is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub character_set: Option<String>,
    /// How text is compared unless something else is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collation: Option<String>,
    /// The parts of the database (SQL's *schemas*), those of the engine itself left out.
    pub namespaces: Vec<Namespace>,
    /// What was added to the engine in this database.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<Extension>,
    /// What only this engine has under a name, in the order of kinds, names and signatures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub native_objects: Vec<NativeObject>,
    /// What only this engine knows.
    #[serde(default, skip_serializing_if = "Native::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::BTreeMap<String, serde_json::Value>))]
    pub native: Native,
}

impl Database {
    /// The namespace of this name; letter case counts.
    pub fn namespace(&self, name: &str) -> Option<&Namespace> {
        self.namespaces.iter().find(|namespace| namespace.name == name)
    }

    /// The relation of this name; letter case counts.
    pub fn relation(&self, name: &ObjectName) -> Option<&Relation> {
        self.namespace(&name.namespace)?.relations.iter().find(|relation| relation.name == name.name)
    }

    /// All relations with their names.
    pub fn relations(&self) -> impl Iterator<Item = (ObjectName, &Relation)> {
        let of = |namespace: &Namespace, relation: &Relation| ObjectName::new(&namespace.name, &relation.name);
        self.namespaces.iter().flat_map(move |namespace| {
            namespace.relations.iter().map(move |relation| (of(namespace, relation), relation))
        })
    }

    /// The collection of this name; letter case counts.
    pub fn collection(&self, name: &ObjectName) -> Option<&Collection> {
        self.namespace(&name.namespace)?.collections.iter().find(|collection| collection.name == name.name)
    }

    /// All collections with their names.
    pub fn collections(&self) -> impl Iterator<Item = (ObjectName, &Collection)> {
        self.namespaces.iter().flat_map(|namespace| {
            let named = move |collection: &Collection| ObjectName::new(&namespace.name, &collection.name);
            namespace.collections.iter().map(move |collection| (named(collection), collection))
        })
    }
}

/// A part of a database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Namespace {
    /// Its name.
    pub name: String,
    /// Whose it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// What people have written about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Tables, views and what is like them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relations: Vec<Relation>,
    /// Documents, and what is like them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub collections: Vec<Collection>,
    /// Generators of numbers; those of identity columns are told there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sequences: Vec<Sequence>,
    /// Types that somebody has made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<UserType>,
    /// Functions and procedures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routines: Vec<Routine>,
    /// What happens when its time has come.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Event>,
    /// Who may do what with it; empty where nothing but the engine's default was granted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<Grant>,
    /// What only this engine knows.
    #[serde(default, skip_serializing_if = "Native::is_empty")]
    #[cfg_attr(feature = "openapi", schema(value_type = std::collections::BTreeMap<String, serde_json::Value>))]
    pub native: Native,
}

impl Namespace {
    /// A namespace with nothing in it.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            owner: None,
            comment: None,
            relations: Vec::new(),
            collections: Vec::new(),
            sequences: Vec::new(),
            types: Vec::new(),
            routines: Vec::new(),
            events: Vec::new(),
            grants: Vec::new(),
            native: Native::new(),
        }
    }
}

/// Something that was added to the engine in a database. What it brought along is not listed apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Extension {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The namespace that its objects are in; empty where the engine keeps it in none.
    pub namespace: String,
}
