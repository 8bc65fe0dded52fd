use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::{Canonical, Database};

/// What a database looks like, in 32 bytes: equal models have equal fingerprints, and others almost surely not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// That of a model whose [`Database::canonical_json`] is at hand.
    pub fn of(canonical_json: &str) -> Self {
        Self(Sha256::digest(canonical_json).into())
    }
}

/// 64 hexadecimal digits.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Database {
    /// The one JSON text that stands for this model (RFC 8785): keys in order, no space that is not needed.
    ///
    /// Keys are ASCII, as the standard's order by UTF-16 is then the order by bytes; whoever makes [`crate::Native`] facts
    /// keeps to that, and to numbers that are whole and below 2⁵³.
    pub fn canonical_json(&self) -> String {
        // Nothing that a model can hold fails; where something did, the text would still be JSON.
        serde_json::to_string(&self.canonical()).unwrap_or_else(|_| "null".to_owned())
    }

    /// The model as [`Self::canonical_json`] has it, for any serializer that adds no space: to a file, or as a part of another text.
    pub fn canonical(&self) -> Canonical<'_> {
        Canonical(self)
    }

    /// The SHA-256 of [`Self::canonical_json`].
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.canonical_json())
    }
}

#[cfg(test)]
mod tests {
    use crate::{Database, Namespace, Native, Relation, RelationKind};

    fn database() -> Database {
        let mut namespace = Namespace::new("public");
        namespace.relations.push(Relation::new("Bücher \"😀\"\u{1}", RelationKind::Table));
        Database {
            engine: "postgres".to_owned(),
            version: "15.18".to_owned(),
            name: "shop".to_owned(),
            comment: None,
            character_set: None,
            collation: None,
            namespaces: vec![namespace],
            extensions: Vec::new(),
            native_objects: Vec::new(),
            native: Native::new(),
        }
    }

    #[test]
    fn the_canonical_form_is_in_order_and_comes_back() {
        let json = database().canonical_json();
        assert_eq!(
            json,
            r#"{"engine":"postgres","name":"shop","namespaces":[{"name":"public","relations":[{"columns":[],"kind":"table","#
                .to_owned()
                + r#""name":"Bücher \"😀\"\u0001"}]}],"version":"15.18"}"#
        );
        assert_eq!(serde_json::from_str::<Database>(&json).expect("a model"), database());
    }

    #[test]
    fn a_fingerprint_is_that_of_the_content() {
        let one = database();
        assert_eq!(one.fingerprint(), database().fingerprint());
        assert_eq!(one.fingerprint().to_string().len(), 64);
        let mut other = database();
        other.namespaces[0].relations[0].comment = Some("x".to_owned());
        assert_ne!(one.fingerprint(), other.fingerprint());
    }
}
