use std::borrow::Cow;

use schema_model::{Database, Namespace};

use crate::rest::query::Query;

/// What of a schema is told, by the names that it has in the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Relations,
    Collections,
    Sequences,
    Types,
    Routines,
    Events,
    Extensions,
    NativeObjects,
    Statistics,
    Samples,
}

impl Part {
    const ALL: [Self; 10] = [
        Self::Relations,
        Self::Collections,
        Self::Sequences,
        Self::Types,
        Self::Routines,
        Self::Events,
        Self::Extensions,
        Self::NativeObjects,
        Self::Statistics,
        Self::Samples,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Relations => "relations",
            Self::Collections => "collections",
            Self::Sequences => "sequences",
            Self::Types => "types",
            Self::Routines => "routines",
            Self::Events => "events",
            Self::Extensions => "extensions",
            Self::NativeObjects => "native_objects",
            Self::Statistics => "statistics",
            Self::Samples => "samples",
        }
    }
}

/// Which parts of a schema a caller wants to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Included(Option<Vec<Part>>);

impl Included {
    /// Reads `include`; without it, everything is told.
    pub(super) fn take(query: &mut Query) -> Self {
        Self(query.with("include", "unknown_part", parts))
    }

    /// Whether everything is told.
    pub(super) fn is_all(&self) -> bool {
        self.0.is_none()
    }

    /// Whether this part is told.
    pub(super) fn has(&self, part: Part) -> bool {
        self.0.as_ref().is_none_or(|parts| parts.contains(&part))
    }

    /// What tells the answer from one with other parts: nothing where it is whole.
    pub(super) fn mark(&self) -> String {
        let parts = self.0.iter().flatten();
        parts.fold(String::new(), |mark, part| format!("{mark}-{}", part.as_str()))
    }

    /// The model with these parts alone.
    pub(super) fn of<'a>(&self, database: &'a Database) -> Cow<'a, Database> {
        if self.0.is_none() {
            return Cow::Borrowed(database);
        }
        Cow::Owned(Database {
            engine: database.engine.clone(),
            version: database.version.clone(),
            name: database.name.clone(),
            comment: database.comment.clone(),
            character_set: database.character_set.clone(),
            collation: database.collation.clone(),
            namespaces: database.namespaces.iter().map(|namespace| self.within(namespace)).collect(),
            extensions: self.list(Part::Extensions, &database.extensions),
            native_objects: self.list(Part::NativeObjects, &database.native_objects),
            native: database.native.clone(),
        })
    }

    fn within(&self, namespace: &Namespace) -> Namespace {
        Namespace {
            name: namespace.name.clone(),
            owner: namespace.owner.clone(),
            comment: namespace.comment.clone(),
            relations: self.list(Part::Relations, &namespace.relations),
            collections: self.list(Part::Collections, &namespace.collections),
            sequences: self.list(Part::Sequences, &namespace.sequences),
            types: self.list(Part::Types, &namespace.types),
            routines: self.list(Part::Routines, &namespace.routines),
            events: self.list(Part::Events, &namespace.events),
            grants: namespace.grants.clone(),
            native: namespace.native.clone(),
        }
    }

    fn list<T: Clone>(&self, part: Part, list: &[T]) -> Vec<T> {
        if self.has(part) { list.to_vec() } else { Vec::new() }
    }
}

fn parts(text: &str) -> Result<Vec<Part>, String> {
    let known = |name: &str| Part::ALL.into_iter().find(|part| part.as_str() == name);
    let parts: Option<Vec<Part>> = text.split(',').map(known).collect();
    let mut parts = parts.ok_or_else(|| {
        let names = Part::ALL.map(Part::as_str);
        format!("some of {}, with commas between them", names.join(", "))
    })?;
    parts.sort_unstable();
    parts.dedup();
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use schema_model::{Extension, Relation, RelationKind};

    use super::*;

    #[test]
    fn names_are_those_of_the_answer() {
        let included = Included(parts("statistics,relations,statistics").ok());
        assert_eq!(included.mark(), "-relations-statistics");
        assert!(included.has(Part::Statistics) && !included.has(Part::Samples));
        assert_eq!(Included(None).mark(), "");
        for text in ["", "tables", "relations,", ",relations", "Relations", "relations, types"] {
            assert!(parts(text).is_err_and(|told| told.contains("relations, collections")), "{text}");
        }
        assert!(parts(&Part::ALL.map(Part::as_str).join(",")).is_ok_and(|parts| parts == Part::ALL));
    }

    #[test]
    fn what_is_not_asked_for_is_left_out() {
        let mut namespace = Namespace::new("public");
        namespace.comment = Some("kept".to_owned());
        namespace.relations = vec![Relation::new("book", RelationKind::Table)];
        let database = Database {
            engine: "postgres".to_owned(),
            version: "15.1".to_owned(),
            name: "sales".to_owned(),
            comment: None,
            character_set: None,
            collation: None,
            namespaces: vec![namespace],
            extensions: vec![Extension {
                name: "hstore".to_owned(),
                version: "1.8".to_owned(),
                namespace: "public".to_owned(),
            }],
            native_objects: vec![schema_model::NativeObject {
                kind: "collation".to_owned(),
                name: schema_model::ObjectName::new("public", "ours"),
                signature: None,
                definition: None,
                owner: None,
                comment: None,
            }],
            native: schema_model::Native::new(),
        };
        assert!(matches!(Included(None).of(&database), Cow::Borrowed(_)));
        let told = Included(Some(vec![Part::Relations])).of(&database).into_owned();
        let mut expected = database;
        expected.extensions.clear();
        expected.native_objects.clear();
        assert_eq!(told, expected);
    }
}
