use schema_diff::{Depth, Verdict, compare};
use schema_model::{
    Check, ColumnPair, Database, ForeignKey, Grant, Identities, Index, IndexPart, Inspection, Namespace, ObjectName,
    PartTarget, Reading, ReferentialAction, Relation, RelationIdentity, RelationKind, Report,
};

use super::{column, database, key, lines, table, with};

#[track_caller]
fn check(before: &Database, after: &Database, expected: &[&str]) {
    assert_eq!(lines(&compare(before, after)), expected);
}

fn books() -> Relation {
    table("books", &[("id", "integer"), ("title", "character varying(50)"), ("note", "text?")])
}

/// What is told of a table that was changed so, and then changed back.
#[track_caller]
fn changes(change: impl Fn(&mut Relation), forth: &[&str], back: &[&str]) {
    let mut other = books();
    change(&mut other);
    let (before, after) = (with([books()]), with([other]));
    check(&before, &after, forth);
    check(&after, &before, back);
}

fn foreign_key(name: &str, column: &str, table: &str, references: &str) -> ForeignKey {
    let pair = ColumnPair { column: column.to_owned(), references: references.to_owned() };
    ForeignKey { name: Some(name.to_owned()), ..ForeignKey::new(ObjectName::new("public", table), vec![pair]) }
}

fn index(name: &str, columns: &[&str]) -> Index {
    let part = |column: &&str| IndexPart::new(PartTarget::Column((*column).to_owned()));
    Index::new(name, "btree", columns.iter().map(part).collect())
}

fn condition(name: &str, expression: &str, columns: &[&str]) -> Check {
    Check {
        name: Some(name.to_owned()),
        expression: Reading::Known(expression.to_owned()),
        columns: columns.iter().map(|&column| column.to_owned()).collect(),
        validated: true,
        enforced: true,
        inherited: true,
        comment: None,
    }
}

#[test]
fn columns_that_come_and_go() {
    changes(
        |books| books.columns.push(column(4, "isbn", "text?")),
        &["compatible: added column public.books.isbn"],
        &["breaking: removed column public.books.isbn"],
    );
    changes(
        |books| books.columns.push(column(4, "isbn", "text")),
        &["breaking: added column public.books.isbn"],
        &["breaking: removed column public.books.isbn"],
    );
    changes(
        |books| {
            books.columns.push(column(4, "isbn", "text"));
            books.columns[3].default = Some(Reading::Known("''".to_owned()));
        },
        &["compatible: added column public.books.isbn"],
        &["breaking: removed column public.books.isbn"],
    );
    changes(|books| books.columns.swap(0, 1), &[], &[]);
    changes(
        |books| {
            books.columns.swap(0, 1);
            (books.columns[0].position, books.columns[1].position) = (1, 2);
        },
        &["breaking: changed relation public.books column_order"],
        &["breaking: changed relation public.books column_order"],
    );
}

#[test]
fn what_a_column_holds() {
    changes(
        |books| "bigint".clone_into(&mut books.columns[0].data_type.text),
        &["compatible: changed column public.books.id data_type"],
        &["breaking: changed column public.books.id data_type"],
    );
    changes(
        |books| books.columns[2].nullable = false,
        &["breaking: changed column public.books.note nullable"],
        &["compatible: changed column public.books.note nullable"],
    );
    changes(
        |books| books.columns[1].default = Some(Reading::Known("'x'".to_owned())),
        &["compatible: changed column public.books.title default"],
        &["breaking: changed column public.books.title default"],
    );
    changes(
        |books| books.columns[2].comment = Some("for us".to_owned()),
        &["compatible: changed column public.books.note comment"],
        &["compatible: changed column public.books.note comment"],
    );
}

#[test]
fn keys_and_conditions() {
    changes(
        |books| books.primary_key = Some(key("books_pkey", &["id"])),
        &["breaking: added primary key public.books.books_pkey"],
        &["breaking: removed primary key public.books.books_pkey"],
    );
    changes(
        |books| books.unique.push(key("once", &["title"])),
        &["breaking: added unique constraint public.books.once"],
        &["compatible: removed unique constraint public.books.once"],
    );
    changes(
        |books| books.checks.push(condition("positive", "(id > 0)", &["id"])),
        &["breaking: added check public.books.positive"],
        &["compatible: removed check public.books.positive"],
    );
    changes(
        |books| books.foreign_keys.push(foreign_key("to_itself", "id", "books", "id")),
        &["breaking: added foreign key public.books.to_itself"],
        &["compatible: removed foreign key public.books.to_itself"],
    );
    changes(
        |books| books.indexes.push(index("by_title", &["title"])),
        &["compatible: added index public.books.by_title"],
        &["compatible: removed index public.books.by_title"],
    );
    changes(
        |books| books.indexes.push(Index { unique: true, ..index("by_title", &["title"]) }),
        &["breaking: added index public.books.by_title"],
        &["compatible: removed index public.books.by_title"],
    );
}

#[test]
fn what_is_made_of_the_same_has_only_another_name() {
    let named = |suffix: &str| {
        let name = |of: &str| format!("{of}{suffix}");
        let mut books = books();
        books.primary_key = Some(key(&name("pkey"), &["id"]));
        books.unique.push(key(&name("once"), &["title"]));
        books.checks.push(condition(&name("positive"), "(id > 0)", &["id"]));
        books.foreign_keys.push(foreign_key(&name("to_itself"), "id", "books", "id"));
        books.indexes.push(index(&name("by_title"), &["title"]));
        with([books])
    };
    check(
        &named(""),
        &named("_2"),
        &[
            "compatible: renamed primary key public.books.pkey_2",
            "compatible: renamed unique constraint public.books.once_2",
            "compatible: renamed foreign key public.books.to_itself_2",
            "compatible: renamed check public.books.positive_2",
            "compatible: renamed index public.books.by_title_2",
        ],
    );
}

#[test]
fn a_cause_is_told_once() {
    let mut books = books();
    books.primary_key = Some(key("books_pkey", &["id"]));
    books.unique.push(key("once", &["title"]));
    books.checks.push(condition("long", "(length(title) > 3)", &["title"]));
    books.indexes.push(index("by_title", &["note", "title"]));
    let mut loans = table("loans", &[("book", "integer")]);
    loans.foreign_keys.push(foreign_key("book", "book", "books", "id"));
    let before = with([books.clone(), loans.clone()]);

    // A table takes what is in it along, and what led to it.
    let mut free = loans.clone();
    free.foreign_keys.clear();
    check(&before, &with([free]), &["breaking: removed relation public.books"]);
    check(&with([]), &before, &["compatible: added relation public.books", "compatible: added relation public.loans"]);

    // So does a column.
    let mut without = books.clone();
    without.columns.remove(1);
    without.unique.clear();
    without.checks.clear();
    without.indexes.clear();
    check(&before, &with([without, loans]), &["breaking: removed column public.books.title"]);

    // And a part of the database.
    let mut gone = before.clone();
    gone.namespaces = vec![Namespace::new("other"), Namespace::new("one more")];
    check(
        &before,
        &gone,
        &[
            "compatible: added namespace one more",
            "compatible: added namespace other",
            "breaking: removed namespace public",
        ],
    );
}

fn numbered(database: Database, origin: &str, numbers: &[(&str, i64, &[i32])]) -> Inspection {
    let relation = |(name, number, columns): &(&str, i64, &[i32])| RelationIdentity {
        name: ObjectName::new(&database.namespaces[0].name, *name),
        number: *number,
        columns: columns.to_vec(),
    };
    let relations = numbers.iter().map(relation).collect();
    let identities = Identities { origin: origin.to_owned(), relations, sequences: Vec::new(), types: Vec::new() };
    Inspection {
        database,
        statistics: Vec::new(),
        samples: Vec::new(),
        key_samples: Vec::new(),
        report: Report::default(),
        identities: Some(identities),
    }
}

#[test]
fn renames_are_known_by_numbers_of_one_origin() {
    let mut books = books();
    books.unique.push(key("once", &["title"]));
    books.checks.push(condition("long", "(length(title) > 3)", &["title"]));
    let mut loans = table("loans", &[("book", "integer")]);
    loans.foreign_keys.push(foreign_key("book", "book", "books", "id"));
    let mut volumes = books.clone();
    "volumes".clone_into(&mut volumes.name);
    "name".clone_into(&mut volumes.columns[1].name);
    volumes.unique[0].columns = vec!["name".to_owned()];
    volumes.checks[0] = condition("long", "(length(name) > 3)", &["name"]);
    let mut moved = loans.clone();
    moved.foreign_keys[0].references = ObjectName::new("public", "volumes");
    let before = numbered(with([books, loans]), "a", &[("books", 7, &[1, 2, 3]), ("loans", 8, &[1])]);
    let after = with([moved, volumes]);
    let same = numbered(after.clone(), "a", &[("volumes", 7, &[1, 2, 3]), ("loans", 8, &[1])]);
    let diff = compare(&before, &same);
    assert_eq!(
        lines(&diff),
        ["breaking: renamed relation public.volumes", "breaking: renamed column public.volumes.name"]
    );
    assert_eq!(diff.changes[0].before, Some(serde_json::json!({"namespace": "public", "name": "books"})));
    assert_eq!(diff.changes[1].before, Some("title".into()));

    // Somebody else's numbers say nothing.
    let elsewhere = numbered(after, "b", &[("volumes", 7, &[1, 2, 3]), ("loans", 8, &[1])]);
    assert_eq!(
        lines(&compare(&before, &elsewhere)),
        [
            "breaking: removed relation public.books",
            "breaking: changed foreign key public.loans.book references",
            "compatible: added relation public.volumes",
        ]
    );
}

#[test]
fn names_may_change_places() {
    let before = with([table("one", &[("a", "integer"), ("b", "integer")]), table("two", &[])]);
    let mut one = table("two", &[("b", "integer"), ("a", "integer")]);
    one.columns.sort_by_key(|column| column.position);
    let after = with([table("one", &[]), one]);
    let before = numbered(before, "a", &[("one", 1, &[1, 2]), ("two", 2, &[])]);
    let after = numbered(after, "a", &[("two", 1, &[1, 2]), ("one", 2, &[])]);
    assert_eq!(
        lines(&compare(&before, &after)),
        [
            "breaking: renamed relation public.one",
            "breaking: renamed relation public.two",
            "breaking: renamed column public.two.a",
            "breaking: renamed column public.two.b",
        ]
    );
}

#[test]
fn a_part_of_the_database_that_everything_went_to_has_another_name() {
    let before = numbered(with([books()]), "a", &[("books", 7, &[1, 2, 3])]);
    let mut database = with([books()]);
    "library".clone_into(&mut database.namespaces[0].name);
    database.namespaces.push(Namespace::new("new"));
    let after = numbered(database, "a", &[("books", 7, &[1, 2, 3])]);
    assert_eq!(
        lines(&compare(&before, &after)),
        ["breaking: renamed namespace library", "compatible: added namespace new"]
    );
}

#[test]
fn privileges() {
    let grant = |grantee: &str, privileges: &[&str]| Grant {
        grantee: Some(grantee.to_owned()),
        grantor: None,
        privileges: privileges.iter().map(|&privilege| privilege.to_owned()).collect(),
        grantable: Vec::new(),
    };
    let mut before = with([books()]);
    before.namespaces[0].relations[0].grants = vec![grant("reader", &["SELECT"])];
    let mut after = before.clone();
    after.namespaces[0].relations[0].grants = vec![grant("reader", &["INSERT", "SELECT"]), grant("x", &["SELECT"])];
    check(&before, &after, &["compatible: changed relation public.books grants"]);
    check(&after, &before, &["breaking: changed relation public.books grants"]);
}

#[test]
fn two_databases_of_one_engine_may_have_other_names() {
    let mut other = with([books()]);
    "staging".clone_into(&mut other.name);
    "staging".clone_into(&mut other.namespaces[0].name);
    let diff = compare(&with([books()]), &other);
    assert_eq!((diff.verdict, diff.depth), (Verdict::Equal, Depth::Whole));
}

#[test]
fn databases_of_two_engines_are_compared_by_what_both_say() {
    let mut books = books();
    books.primary_key = Some(key("books_pkey", &["id"]));
    books.indexes.push(index("by_title", &["title"]));
    books.checks.push(condition("long", "(length(title) > 3)", &["title"]));
    let mut loans = table("loans", &[("book", "integer")]);
    loans.foreign_keys.push(foreign_key("book", "book", "books", "id"));
    let postgres = with([books, loans]);

    let mut sqlite = database();
    "sqlite".clone_into(&mut sqlite.engine);
    "main".clone_into(&mut sqlite.namespaces[0].name);
    let mut books = table("books", &[("id", "int"), ("title", "varchar(50)"), ("note", "text?")]);
    books.primary_key = Some(schema_model::Key { name: None, ..key("", &["id"]) });
    books.indexes.push(Index { method: "tree".to_owned(), ..index("titles", &["title"]) });
    let mut loans = table("loans", &[("book", "int")]);
    loans.foreign_keys.push(ForeignKey {
        name: None,
        references: ObjectName::new("main", "books"),
        ..foreign_key("", "book", "books", "id")
    });
    sqlite.namespaces[0].relations = vec![books, loans];
    let diff = compare(&postgres, &sqlite);
    assert_eq!((lines(&diff), diff.depth), (vec![], Depth::Neutral));

    let relations = &mut sqlite.namespaces[0].relations;
    "varchar(40)".clone_into(&mut relations[0].columns[1].data_type.text);
    relations[0].columns[2].nullable = false;
    relations[0].indexes.clear();
    relations[1].foreign_keys[0].on_delete = ReferentialAction::Cascade;
    relations.push(Relation::new("more", RelationKind::View));
    check(
        &postgres,
        &sqlite,
        &[
            "breaking: changed column main.books.note nullable",
            "breaking: changed column main.books.title data_type",
            "compatible: removed index main.books.by_title",
            "breaking: changed foreign key main.loans on_delete",
            "compatible: added relation main.more",
        ],
    );
}
