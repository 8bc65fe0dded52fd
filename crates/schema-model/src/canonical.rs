//! The one JSON text of a model. Whoever adds a field to [`Database`] or [`Namespace`] adds it here, where its name stands in order.

use serde::ser::{Error as _, Serialize, SerializeSeq as _, Serializer};

use crate::{
    Collection, Database, Event, Extension, Grant, Namespace, Native, NativeObject, Relation, Routine, Sequence,
    UserType,
};

/// A model that is written in its canonical form (RFC 8785) by a serializer that adds no space.
///
/// No more than one thing of a list is held a second time while it is written, however many there are.
#[derive(Debug, Clone, Copy)]
pub struct Canonical<'a>(pub(crate) &'a Database);

impl Serialize for Canonical<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Database {
            engine,
            version,
            name,
            comment,
            character_set,
            collation,
            namespaces,
            extensions,
            native_objects,
            native,
        } = self.0;
        let namespaces = namespaces.iter().map(NamespaceInOrder::of).collect();
        let extensions = InOrder(extensions);
        DatabaseInOrder {
            character_set,
            collation,
            comment,
            engine,
            extensions,
            name,
            namespaces,
            native,
            native_objects: InOrder(native_objects),
            version,
        }
        .serialize(serializer)
    }
}

#[derive(serde::Serialize)]
struct DatabaseInOrder<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    character_set: &'a Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    collation: &'a Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: &'a Option<String>,
    engine: &'a str,
    #[serde(skip_serializing_if = "InOrder::is_empty")]
    extensions: InOrder<'a, Extension>,
    name: &'a str,
    namespaces: Vec<NamespaceInOrder<'a>>,
    #[serde(skip_serializing_if = "Native::is_empty")]
    native: &'a Native,
    #[serde(skip_serializing_if = "InOrder::is_empty")]
    native_objects: InOrder<'a, NativeObject>,
    version: &'a str,
}

#[derive(serde::Serialize)]
struct NamespaceInOrder<'a> {
    #[serde(skip_serializing_if = "InOrder::is_empty")]
    collections: InOrder<'a, Collection>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: &'a Option<String>,
    #[serde(skip_serializing_if = "InOrder::is_empty")]
    events: InOrder<'a, Event>,
    #[serde(skip_serializing_if = "InOrder::is_empty")]
    grants: InOrder<'a, Grant>,
    name: &'a str,
    #[serde(skip_serializing_if = "Native::is_empty")]
    native: &'a Native,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: &'a Option<String>,
    #[serde(skip_serializing_if = "InOrder::is_empty")]
    relations: InOrder<'a, Relation>,
    #[serde(skip_serializing_if = "InOrder::is_empty")]
    routines: InOrder<'a, Routine>,
    #[serde(skip_serializing_if = "InOrder::is_empty")]
    sequences: InOrder<'a, Sequence>,
    #[serde(skip_serializing_if = "InOrder::is_empty")]
    types: InOrder<'a, UserType>,
}

impl<'a> NamespaceInOrder<'a> {
    fn of(namespace: &'a Namespace) -> Self {
        let Namespace {
            name,
            owner,
            comment,
            relations,
            collections,
            sequences,
            types,
            routines,
            events,
            grants,
            native,
        } = namespace;
        Self {
            collections: InOrder(collections),
            comment,
            events: InOrder(events),
            grants: InOrder(grants),
            name,
            native,
            owner,
            relations: InOrder(relations),
            routines: InOrder(routines),
            sequences: InOrder(sequences),
            types: InOrder(types),
        }
    }
}

/// Things whose keys are written in order.
struct InOrder<'a, T>(&'a [T]);

impl<T> InOrder<'_, T> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Serialize> Serialize for InOrder<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for thing in self.0 {
            // Values keep their keys in order; the derived form has them in the order of the source.
            let value = thing.serialize(serde_json::value::Serializer).map_err(S::Error::custom)?;
            list.serialize_element(&value)?;
        }
        list.end()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::Database;

    /// Something of everything that a database and a namespace can have, in no order.
    fn full() -> Database {
        let full = json!({
            "version": "15.18",
            "native": { "settings": { "z": 1, "a": [true, null] }, "b": "text" },
            "name": "Bücher \"\u{1f600}\"\u{1}",
            "engine": "postgres",
            "comment": "of the database",
            "collation": "C",
            "character_set": "UTF8",
            "extensions": [{ "version": "1.8", "namespace": "public", "name": "hstore" }],
            "native_objects": [{ "name": { "namespace": "public", "name": "===" }, "kind": "operator", "signature": "(a, b)" }],
            "namespaces": [
                { "name": "empty" },
                {
                    "types": [{ "name": "mood", "enumeration": { "labels": ["sad", "ok"] } }],
                    "sequences": [{ "name": "numbers", "data_type": "bigint", "options": {
                        "start": "1", "increment": "1", "minimum": "1", "maximum": "9", "cache": "1", "cycle": false } }],
                    "routines": [{ "name": "f", "kind": "function", "language": "sql", "arguments": "" }],
                    "relations": [
                        { "name": "goods", "kind": "table", "comment": "things", "columns": [] },
                        { "name": "more", "kind": "view", "columns": [] },
                    ],
                    "owner": "somebody",
                    "native": { "z": 2, "a": 1 },
                    "name": "public",
                    "grants": [{ "privileges": ["USAGE"], "grantee": "reader" }],
                    "events": [{ "name": "nightly", "schedule": "EVERY 1 DAY", "definition": "DO 1", "enabled": true }],
                    "comment": "of the namespace",
                    "collections": [{ "name": "documents", "kind": "collection" }],
                },
            ],
        });
        let database: Database = serde_json::from_value(full).expect("a model");
        let of = &database.namespaces[1];
        let lists = [of.types.len(), of.sequences.len(), of.routines.len(), of.events.len(), of.collections.len()];
        assert_eq!(lists, [1; 5], "nothing was read past");
        database
    }

    #[test]
    fn it_is_what_a_whole_tree_in_order_says() {
        let database = full();
        let tree = serde_json::to_value(&database).expect("a tree");
        assert_eq!(database.canonical_json(), tree.to_string());
    }
}
