use schema_diff::{Verdict, compare};
use schema_model::{Collection, CollectionKind, Gap, Inspection, ObjectName, Reading, Report, Unavailable};

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
