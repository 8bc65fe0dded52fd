use schema_diff::{Depth, Verdict, compare};
use schema_model::{Collection, CollectionKind, Database, Namespace, Reading, Relation, RelationKind, Validator};

use super::{database, lines};

fn documents(collections: impl IntoIterator<Item = Collection>) -> Database {
    let mut found = database();
    "mongodb".clone_into(&mut found.engine);
    let mut namespace = Namespace::new("shop");
    namespace.collections.extend(collections);
    found.namespaces = vec![namespace];
    found
}

fn validated(expression: &str) -> Collection {
    let expression = Reading::Known(expression.to_owned());
    Collection {
        validator: Some(Validator { expression, level: "strict".to_owned(), action: "error".to_owned() }),
        ..Collection::new("goods", CollectionKind::Collection)
    }
}

#[test]
fn a_condition_breaks_what_was_written_and_none_does_not() {
    let plain = || documents([Collection::new("goods", CollectionKind::Collection)]);
    let (one, other) = (documents([validated("{\"a\":1}")]), documents([validated("{\"a\":2}")]));
    assert_eq!(compare(&one, &one).verdict, Verdict::Equal);
    assert_eq!(lines(&compare(&one, &other)), ["breaking: changed collection shop.goods validator"]);
    assert_eq!(lines(&compare(&plain(), &one)), ["breaking: changed collection shop.goods validator"]);
    assert_eq!(lines(&compare(&one, &plain())), ["compatible: changed collection shop.goods validator"]);
}

#[test]
fn spaces_within_a_text_of_json_are_not_between_words() {
    let (one, other) = (documents([validated("{\"a\":\"b  c\"}")]), documents([validated("{\"a\":\"b c\"}")]));
    assert_eq!(compare(&one, &other).verdict, Verdict::Breaking);
}

/// Of an engine with other words, what there is is told by its name alone.
#[test]
fn databases_of_two_engines_have_the_same_collections_or_not() {
    let goods = || Collection::new("goods", CollectionKind::Collection);
    let mut elsewhere = documents([validated("{}"), Collection::new("new", CollectionKind::Table)]);
    "dynamodb".clone_into(&mut elsewhere.engine);
    let diff = compare(&documents([goods()]), &elsewhere);
    assert_eq!((diff.depth, lines(&diff)), (Depth::Neutral, vec!["compatible: added collection shop.new".to_owned()]));
    // A table of rows and documents of the same name are two things.
    let mut rows = documents([]);
    "postgres".clone_into(&mut rows.engine);
    rows.namespaces[0].relations.push(Relation::new("goods", RelationKind::Table));
    let diff = compare(&documents([goods()]), &rows);
    assert_eq!(lines(&diff), ["compatible: added relation shop.goods", "breaking: removed collection shop.goods"]);
}
