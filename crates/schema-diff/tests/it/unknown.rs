use schema_diff::{Verdict, compare};
use schema_model::{
    Collection, CollectionKind, Gap, Inspection, Namespace, ObjectName, Reading, Report, Unavailable, UserType,
    UserTypeKind,
};

use super::{lines, table, with};

fn found(database: schema_model::Database, gaps: &[(&str, &str)]) -> Inspection {
    let gap = |(object, part): &(&str, &str)| Gap {
        object: Some(ObjectName::new("public", *object)),
        part: (*part).to_owned(),
        reason: Unavailable::Locked,
    };
    let report = Report { gaps: gaps.iter().map(gap).collect(), ..Report::default() };
    Inspection {
        database,
        statistics: Vec::new(),
        samples: Vec::new(),
        key_samples: Vec::new(),
        report,
        identities: None,
    }
}

#[test]
fn what_somebody_s_lock_hides_is_no_change() {
    let whole = found(with([table("books", &[("title", "text")])]), &[]);
    let hidden = found(with([table("books", &[])]), &[("books", "columns")]);
    for (before, after) in [(&whole, &hidden), (&hidden, &whole)] {
        let diff = compare(before, after);
        assert_eq!((diff.verdict, lines(&diff)), (Verdict::Equal, vec![]));
        assert_eq!(diff.not_compared, hidden.report.gaps);
    }
    // A list that is told in part is compared.
    let in_part = found(with([table("books", &[("pages", "integer")])]), &[("books", "columns")]);
    assert_eq!(compare(&whole, &in_part).changes.len(), 2);
}

/// Who sees little of a database, or looks past a lock, has a list that nobody knows the rest of.
#[test]
fn what_a_list_that_is_not_whole_lacks_is_neither_gone_nor_new() {
    let mut full = with([table("books", &[("title", "text")]), table("secrets", &[("title", "text")])]);
    full.engine = "sqlserver".to_owned();
    let mut little = full.clone();
    little.namespaces[0].relations.pop();
    let inside = &mut full.namespaces[0];
    inside.types.push(UserType {
        name: "mood".to_owned(),
        kind: UserTypeKind::Enumeration { labels: Vec::new() },
        owner: None,
        comment: None,
        grants: Vec::new(),
    });
    full.namespaces.push(Namespace::new("hidden"));
    for (part, reason) in [
        ("objects", Unavailable::Forbidden),
        ("objects", Unavailable::Locked),
        ("namespaces", Unavailable::Forbidden),
        ("namespaces", Unavailable::Locked),
    ] {
        let whole = found(full.clone(), &[]);
        let mut cut = found(little.clone(), &[]);
        cut.report.gaps.push(Gap { object: None, part: part.to_owned(), reason });
        for (before, after) in [(&whole, &cut), (&cut, &whole)] {
            let diff = compare(before, after);
            let namespaces_alone = part == "namespaces";
            assert_eq!(diff.changes.len(), if namespaces_alone { 2 } else { 0 }, "{part}: {:?}", lines(&diff));
            assert!(!lines(&diff).iter().any(|line| line.contains("hidden")), "{part}: {:?}", lines(&diff));
            for name in ["secrets", "mood"] {
                let object = Some(ObjectName::new("public", name));
                let gap = Gap { object, part: part.to_owned(), reason };
                assert_eq!(diff.not_compared.contains(&gap), !namespaces_alone, "{part}: {:?}", diff.not_compared);
            }
            assert!(diff.not_compared.contains(&cut.report.gaps[0]), "{:?}", diff.not_compared);
        }
        assert_eq!(
            compare(&whole, &found(little.clone(), &[])).verdict,
            Verdict::Breaking,
            "which has all that is there"
        );
    }
}

#[test]
fn an_expression_that_is_not_known_is_no_change() {
    let mut database = with([table("books", &[("title", "text")])]);
    let default = |database: &mut schema_model::Database, text: Reading<String>| {
        database.namespaces[0].relations[0].columns[0].default = Some(text);
    };
    default(&mut database, Reading::Known("'a'::text".to_owned()));
    let known = found(database.clone(), &[]);
    default(&mut database, Reading::unavailable(Unavailable::Locked));
    let unknown = found(database, &[("books", "defaults")]);
    let diff = compare(&known, &unknown);
    assert_eq!((diff.verdict, lines(&diff)), (Verdict::Equal, vec![]));
    assert_eq!(diff.not_compared, unknown.report.gaps);
    // A model by itself has no list of them, and the same is told of it.
    assert_eq!(compare(&known.database, &unknown.database).not_compared, unknown.report.gaps);
}

fn items(table: Collection, part: Option<&str>) -> Inspection {
    let mut database = with([]);
    "dynamodb".clone_into(&mut database.engine);
    database.namespaces[0].collections.push(table);
    found(database, &part.map(|part| ("orders", part)).into_iter().collect::<Vec<_>>())
}

#[test]
fn what_was_not_told_of_a_table_of_items_is_no_change() {
    let mut table = Collection::new("orders", CollectionKind::Table);
    table.key = vec!["customer".to_owned()];
    table.native = [("billing_mode", "PROVISIONED"), ("time_to_live", "until")]
        .map(|(name, word)| (name.to_owned(), word.into()))
        .into();
    let mut without = table.clone();
    without.native.remove("time_to_live");
    let whole = items(table, None);
    let name_alone = Collection::new("orders", CollectionKind::Table);
    for (hidden, part) in [(name_alone, "description"), (without.clone(), "time_to_live")] {
        let hidden = items(hidden, Some(part));
        for (before, after) in [(&whole, &hidden), (&hidden, &whole)] {
            let diff = compare(before, after);
            assert_eq!((diff.verdict, lines(&diff)), (Verdict::Equal, vec![]), "{part}");
            assert_eq!(diff.not_compared, hidden.report.gaps);
        }
    }
    // Beside it, everything is compared.
    without.native.insert("billing_mode".to_owned(), "PAY_PER_REQUEST".into());
    let diff = compare(&whole, &items(without.clone(), Some("time_to_live")));
    assert_eq!(lines(&diff), ["compatible: changed collection public.orders native.billing_mode"]);
    let diff = compare(&whole, &items(without, None));
    assert_eq!(diff.changes.len(), 2);
}
