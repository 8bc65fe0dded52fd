//! What an earlier edition of the model did not ask for.

use schema_diff::{Verdict, compare};
use schema_model::{
    Database, EDITION, Exclusion, Gap, Index, IndexPart, Inspection, NativeObject, ObjectName, PartTarget, Reading,
    Relation, Report, Rule, TriggerEvent, Unavailable,
};
use serde_json::json;

use super::{lines, table, with};

fn found(edition: u32, database: Database) -> Inspection {
    Inspection {
        database,
        statistics: Vec::new(),
        samples: Vec::new(),
        key_samples: Vec::new(),
        report: Report { edition, ..Report::default() },
        identities: None,
    }
}

fn rule() -> Rule {
    Rule {
        name: "noted".to_owned(),
        event: TriggerEvent::Delete,
        instead: false,
        definition: Reading::Known("CREATE RULE noted".to_owned()),
        enabled: true,
        comment: None,
        native: schema_model::Native::new(),
    }
}

fn collation(name: &str) -> NativeObject {
    NativeObject {
        kind: "collation".to_owned(),
        name: ObjectName::new("public", name),
        signature: None,
        definition: Some(Reading::Known("CREATE COLLATION".to_owned())),
        owner: None,
        comment: None,
    }
}

/// A table as the first edition told it.
fn books() -> Relation {
    let mut books = table("books", &[("title", "text"), ("n", "integer")]);
    books.columns[0].collation = Some("ours".to_owned());
    let part = IndexPart::new(PartTarget::Column("title".to_owned()));
    books.indexes.push(Index::new("by_title", "btree", vec![part]));
    books.exclusions.push(Exclusion {
        name: "alone".to_owned(),
        operators: vec!["=".to_owned()],
        index: "by_title".to_owned(),
        deferrability: schema_model::Deferrability::NotDeferrable,
        comment: None,
    });
    books
}

/// As the second one tells the same table.
fn whole() -> Relation {
    let mut books = books();
    books.columns[0].collation_namespace = Some("public".to_owned());
    books.columns[1].native.insert("not_null".to_owned(), true.into());
    books.indexes[0].parts[0].operator_class_namespace = Some("public".to_owned());
    books.indexes[0].parts[0].collation_namespace = Some("public".to_owned());
    books.exclusions[0].operators = vec!["OPERATOR(public.=)".to_owned()];
    books.rules.push(rule());
    books
}

fn gap(object: Option<&str>, part: &str) -> Gap {
    let object = object.map(|name| ObjectName::new("public", name));
    Gap { object, part: part.to_owned(), reason: Unavailable::NotAsked }
}

#[test]
fn what_nobody_had_asked_for_is_no_change() {
    let old = found(1, with([books()]));
    let mut database = with([whole()]);
    database.native_objects.push(collation("ours"));
    let now = found(EDITION, database.clone());
    let parts = ["collation_namespace", "exclusions", "native.not_null", "operator_class_namespace", "rules"];
    let mut gaps = vec![gap(None, "native_objects")];
    gaps.extend(parts.map(|part| gap(Some("books"), part)));
    for (before, after) in [(&old, &now), (&now, &old)] {
        let diff = compare(before, after);
        assert_eq!((diff.verdict, lines(&diff)), (Verdict::Equal, vec![]));
        assert_eq!(diff.not_compared, gaps);
    }
    // Two looks that both ask are compared.
    let empty = found(EDITION, with([books()]));
    assert!(compare(&empty, &now).changes.len() > 3, "{:?}", lines(&compare(&empty, &now)));
    assert_eq!(compare(&empty, &now).not_compared, []);
    // What else has changed is told.
    database.namespaces[0].relations[0].columns[0].nullable = true;
    let diff = compare(&old, &found(EDITION, database));
    assert_eq!(lines(&diff), ["compatible: changed column public.books.title nullable"]);
}

#[test]
fn what_is_not_there_is_not_listed() {
    let diff = compare(&found(1, with([books()])), &found(EDITION, with([books()])));
    assert_eq!((diff.verdict, diff.not_compared), (Verdict::Equal, vec![]));
    // Nor is what is told to be new.
    let diff = compare(&found(1, with([])), &found(EDITION, with([whole()])));
    assert_eq!((lines(&diff), diff.not_compared), (vec!["compatible: added relation public.books".to_owned()], vec![]));
}

/// Those who knew of native objects before anybody told an edition have told them.
#[test]
fn who_has_told_it_has_asked_for_it() {
    let mut one = with([books()]);
    one.native_objects.push(collation("ours"));
    let mut other = one.clone();
    other.native_objects.push(collation("more"));
    let diff = compare(&found(1, one.clone()), &found(EDITION, other));
    assert_eq!(lines(&diff), ["compatible: added native object public.more.collation"]);
    let diff = compare(&found(1, one), &found(EDITION, with([books()])));
    assert_eq!(lines(&diff), ["breaking: removed native object public.ours.collation"]);
}

#[test]
fn who_does_not_tell_an_edition_is_of_the_first() {
    let old = json!({"statements": 3, "stages": [], "gaps": []});
    assert_eq!(serde_json::from_value::<Report>(old).expect("a report").edition, 1);
    let now = serde_json::to_value(Report::default()).expect("JSON");
    assert_eq!(now["edition"], EDITION);
}
