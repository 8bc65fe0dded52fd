//! What the service was told of a table.

use schema_model::{Collection, CollectionKind, DeclaredField, Index, IndexPart, Native, PartTarget};
use serde_json::Value;
use shared_kernel::database::{TableDescription, TableFact, TableFacts, TableIndex};

/// The largest number that the canonical form can tell as one: 2⁵³ − 1.
const LARGEST: u64 = (1 << 53) - 1;

/// A table as it was made.
pub(super) fn collection(name: &str, described: TableDescription) -> Collection {
    let TableDescription { attributes, key, indexes, facts, .. } = described;
    let mut made = Collection::new(name, CollectionKind::Table);
    // The service tells them in an order of its own.
    made.fields = attributes.into_iter().map(|(name, word)| field(name, word, &key)).collect();
    made.fields.sort_by(|one, other| one.name.cmp(&other.name));
    made.key = key;
    made.indexes = indexes.into_iter().map(index).collect();
    made.indexes.sort_by(|one, other| one.name.cmp(&other.name));
    made.native = native(facts);
    made
}

/// An item has to have what it is found by. What an index is searched by it may lack: the index lacks it then.
fn field(name: String, word: String, key: &[String]) -> DeclaredField {
    DeclaredField { required: key.contains(&name), name, types: vec![word], comment: None }
}

fn index(index: TableIndex) -> Index {
    let part = |name: String| IndexPart::new(PartTarget::Column(name));
    Index {
        name: index.name,
        method: index.method.to_owned(),
        unique: false,
        nulls_distinct: true,
        constraint: None,
        parts: index.key.into_iter().map(part).collect(),
        include: index.include,
        predicate: None,
        valid: index.is_active,
        comment: None,
        native: native(index.facts),
    }
}

fn native(facts: TableFacts) -> Native {
    facts.into_iter().map(|(name, fact)| (name.to_owned(), value(fact))).collect()
}

fn value(fact: TableFact) -> Value {
    match fact {
        TableFact::Flag(flag) => flag.into(),
        TableFact::Number(number) if number <= LARGEST => number.into(),
        TableFact::Number(number) => number.to_string().into(),
        TableFact::Word(word) => word.into(),
        TableFact::Words(words) => words.into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn facts_are_told_as_the_canonical_form_can_tell_them() {
        let facts = TableFacts::from([
            ("flag", TableFact::Flag(true)),
            ("largest", TableFact::Number(LARGEST)),
            ("larger", TableFact::Number(LARGEST + 1)),
            ("word", TableFact::Word("ü".to_owned())),
            ("words", TableFact::Words(vec!["a".to_owned(), "b".to_owned()])),
        ]);
        let expected = json!({
            "flag": true, "largest": 9_007_199_254_740_991_u64, "larger": "9007199254740992", "word": "ü",
            "words": ["a", "b"],
        });
        assert_eq!(json!(native(facts)), expected);
    }
}
