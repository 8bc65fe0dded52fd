//! What only PostgreSQL has, as an inspector tells it.

use schema_diff::{Verdict, compare};
use schema_model::{
    Database, Gap, Identities, Inspection, Namespace, Native, NativeObject, ObjectIdentity, ObjectName, Reading,
    Report, Rule, TriggerEvent, Unavailable, UserType, UserTypeKind,
};

use super::{database, lines, table, with};

fn object(kind: &str, name: &str, signature: Option<&str>, definition: &str) -> NativeObject {
    NativeObject {
        kind: kind.to_owned(),
        name: ObjectName::new("public", name),
        signature: signature.map(str::to_owned),
        definition: Some(Reading::Known(definition.to_owned())),
        owner: None,
        comment: None,
    }
}

/// It is in no namespace.
fn cast(from: &str, to: &str, how: &str) -> NativeObject {
    let name = format!("{from} AS {to}");
    NativeObject {
        name: ObjectName::new("", &name),
        ..object("cast", "", None, &format!("CREATE CAST ({name}) WITH {how}"))
    }
}

/// One of each kind.
fn each() -> Vec<NativeObject> {
    vec![
        object("base type", "raw", None, ""),
        cast("numeric", "public.amount", "FUNCTION public.to_amount(numeric)"),
        object("collation", "ours", None, "CREATE COLLATION public.ours (PROVIDER = icu, LOCALE = 'de')"),
        object(
            "operator",
            "<#",
            Some("(public.amount, public.amount)"),
            "CREATE OPERATOR public.<# (FUNCTION = public.less, LEFTARG = public.amount, RIGHTARG = public.amount)",
        ),
        object(
            "operator class",
            "by_worth",
            Some("USING btree"),
            "CREATE OPERATOR CLASS public.by_worth FOR TYPE public.amount USING btree FAMILY public.family AS \
             OPERATOR 1 public.<#(public.amount,public.amount)",
        ),
        object("operator family", "family", Some("USING btree"), "CREATE OPERATOR FAMILY public.family USING btree"),
        object(
            "text search configuration",
            "words",
            None,
            "CREATE TEXT SEARCH CONFIGURATION public.words (PARSER = public.parser)",
        ),
        object(
            "text search dictionary",
            "stems",
            None,
            "CREATE TEXT SEARCH DICTIONARY public.stems (TEMPLATE = public.plain)",
        ),
        object("text search parser", "parser", None, "CREATE TEXT SEARCH PARSER public.parser (START = prsd_start)"),
        object("text search template", "plain", None, "CREATE TEXT SEARCH TEMPLATE public.plain (LEXIZE = lexize)"),
    ]
}

fn holding(native_objects: Vec<NativeObject>) -> Database {
    Database { native_objects, ..database() }
}

#[track_caller]
fn check(before: &Database, after: &Database, expected: &[&str]) {
    assert_eq!(lines(&compare(before, after)), expected);
}

/// What is said of a thing: its name, and what it is.
fn said(object: &NativeObject) -> String {
    let NativeObject { kind, name, signature, .. } = object;
    let name = if kind == "cast" { format!(".{}", name.name) } else { name.to_string() };
    let signature = signature.as_ref().map(|signature| format!(" {signature}")).unwrap_or_default();
    format!("native object {name}.{kind}{signature}")
}

#[test]
fn each_of_them_comes_goes_and_changes() {
    let whole = holding(each());
    assert_eq!(compare(&whole, &whole).verdict, Verdict::Equal);
    for place in 0..each().len() {
        let said = said(&each()[place]);
        let mut fewer = whole.clone();
        fewer.native_objects.remove(place);
        check(&whole, &fewer, &[&format!("breaking: removed {said}")]);
        check(&fewer, &whole, &[&format!("compatible: added {said}")]);

        let mut other = whole.clone();
        let object = &mut other.native_objects[place];
        object.definition = Some(Reading::Known("CREATE something else".to_owned()));
        check(&whole, &other, &[&format!("breaking: changed {said} definition")]);
        check(&other, &whole, &[&format!("breaking: changed {said} definition")]);

        let mut told = whole.clone();
        told.native_objects[place].owner = Some("somebody".to_owned());
        told.native_objects[place].comment = Some("ours".to_owned());
        let lines = ["owner", "comment"].map(|aspect| format!("compatible: changed {said} {aspect}"));
        check(&whole, &told, &lines.each_ref().map(String::as_str));
    }
}

#[test]
fn what_has_one_name_is_told_apart_by_what_it_is_and_is_for() {
    let one = object("operator", "<#", Some("(public.amount, public.amount)"), "CREATE one");
    let other = object("operator", "<#", Some("(public.amount, numeric)"), "CREATE other");
    let class = object("operator class", "<#", Some("USING hash"), "CREATE class");
    let before = holding(vec![one.clone(), class.clone()]);
    let after = holding(vec![one, other, class]);
    check(&before, &after, &["compatible: added native object public.<#.operator (public.amount, numeric)"]);
}

/// What makes a class makes its family, where nobody says another one.
#[test]
fn a_family_comes_and_goes_with_the_class_that_it_was_made_for() {
    let class = object("operator class", "ints", Some("USING btree"), "CREATE OPERATOR CLASS public.ints");
    let family = object("operator family", "ints", Some("USING btree"), "CREATE OPERATOR FAMILY public.ints");
    let hash = NativeObject { signature: Some("USING hash".to_owned()), ..family.clone() };
    let both = holding(vec![class.clone(), family.clone()]);
    check(&database(), &both, &["compatible: added native object public.ints.operator class USING btree"]);
    check(&both, &database(), &["breaking: removed native object public.ints.operator class USING btree"]);
    check(&holding(vec![family]), &both, &["compatible: added native object public.ints.operator class USING btree"]);
    check(
        &database(),
        &holding(vec![class, hash]),
        &[
            "compatible: added native object public.ints.operator class USING btree",
            "compatible: added native object public.ints.operator family USING hash",
        ],
    );
}

fn of_type(name: &str) -> UserType {
    UserType {
        name: name.to_owned(),
        kind: UserTypeKind::Enumeration { labels: Vec::new() },
        owner: None,
        comment: None,
        grants: Vec::new(),
    }
}

/// A type with a cast to it and one from it, an operator on it, and a class that sorts it.
fn typed(namespace: &str, name: &str) -> Database {
    let written = format!("{namespace}.{name}");
    let mut database = database();
    database.namespaces[0] = Namespace { types: vec![of_type(name)], ..Namespace::new(namespace) };
    let mut operator = object("operator", "<#", Some(&format!("({written}, {written})")), "CREATE OPERATOR");
    operator.name = ObjectName::new(namespace, "<#");
    let definition = format!("CREATE OPERATOR {namespace}.<# (LEFTARG = {written}, RIGHTARG = {written})");
    operator.definition = Some(Reading::Known(definition));
    let definition = format!("CREATE OPERATOR CLASS {namespace}.sorted FOR TYPE {written} USING btree");
    let class = object("operator class", "sorted", Some("USING btree"), &definition);
    database.native_objects = vec![
        cast("numeric", &written, &format!("FUNCTION {namespace}.made(numeric)")),
        cast(&written, "numeric[]", "INOUT"),
        operator,
        NativeObject { name: ObjectName::new(namespace, "sorted"), ..class },
    ];
    database
}

fn numbered(database: Database, types: &[(&str, i64)]) -> Inspection {
    let namespace = &database.namespaces[0].name;
    let types = types
        .iter()
        .map(|(name, number)| ObjectIdentity { name: ObjectName::new(namespace, *name), number: *number })
        .collect();
    let identities = Identities { origin: "a".to_owned(), relations: Vec::new(), sequences: Vec::new(), types };
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
fn a_type_with_another_name_keeps_its_casts_and_operators() {
    let before = numbered(typed("public", "amount"), &[("amount", 7)]);
    for now in ["money", "its \"new\" name"] {
        let written = if now == "money" { now.to_owned() } else { format!("\"{}\"", now.replace('"', "\"\"")) };
        let mut after = typed("public", &written);
        now.clone_into(&mut after.namespaces[0].types[0].name);
        let after = numbered(after, &[(now, 7)]);
        assert_eq!(lines(&compare(&before, &after)), [format!("breaking: renamed type public.{now}")]);
    }
    // A cast that has changed as well is told by itself.
    let mut after = typed("public", "money");
    after.native_objects[1].definition = Some(Reading::Known("CREATE CAST (x AS y) WITHOUT FUNCTION".to_owned()));
    assert_eq!(
        lines(&compare(&before, &numbered(after, &[("money", 7)]))),
        [
            "breaking: changed native object .public.money AS numeric[].cast definition",
            "breaking: renamed type public.money"
        ]
    );
}

/// Something else of that name has become something else.
#[test]
fn a_name_that_two_things_have_had_is_followed_by_its_namespace() {
    let mut before = typed("public", "amount");
    before.namespaces.push(Namespace { types: vec![of_type("amount")], ..Namespace::new("other") });
    let mut after = typed("public", "money");
    after.namespaces.push(Namespace { types: vec![of_type("sum")], ..Namespace::new("other") });
    let (mut before, mut after) = (numbered(before, &[("amount", 7)]), numbered(after, &[("money", 7)]));
    let other = |name: &str| ObjectIdentity { name: ObjectName::new("other", name), number: 8 };
    before.identities.as_mut().expect("numbers").types.push(other("amount"));
    after.identities.as_mut().expect("numbers").types.push(other("sum"));
    assert_eq!(
        lines(&compare(&before, &after)),
        ["breaking: renamed type other.sum", "breaking: renamed type public.money"]
    );
}

#[test]
fn a_type_takes_its_casts_and_operators_along() {
    let whole = typed("public", "amount");
    let mut without = whole.clone();
    without.namespaces[0].types.clear();
    without.native_objects.clear();
    check(
        &whole,
        &without,
        &[
            "breaking: removed type public.amount",
            // It may have been for another type before as well as behind.
            "breaking: removed native object public.sorted.operator class USING btree",
        ],
    );
    check(
        &without,
        &whole,
        &[
            "compatible: added type public.amount",
            "compatible: added native object public.sorted.operator class USING btree",
        ],
    );
    // Whole namespaces take along what is in them, and what is in none but of them.
    let mut gone = database();
    gone.namespaces[0] = Namespace::new("rest");
    check(&whole, &gone, &["breaking: removed namespace public", "compatible: added namespace rest"]);
}

fn rule(name: &str, definition: &str) -> Rule {
    Rule {
        name: name.to_owned(),
        event: TriggerEvent::Delete,
        instead: false,
        definition: Reading::Known(definition.to_owned()),
        enabled: true,
        comment: None,
        native: Native::new(),
    }
}

#[test]
fn rules_come_go_and_change() {
    let ruled = |rules: Vec<Rule>| {
        let mut books = table("books", &[("title", "text")]);
        books.rules = rules;
        with([books])
    };
    let text = "CREATE RULE noted AS ON DELETE TO public.books DO NOTIFY gone";
    let (before, none) = (ruled(vec![rule("noted", text)]), ruled(Vec::new()));
    check(&before, &none, &["breaking: removed rule public.books.noted"]);
    check(&none, &before, &["breaking: added rule public.books.noted"]);
    let changed = |change: fn(&mut Rule), aspect: &str, impact: &str| {
        let mut other = rule("noted", text);
        change(&mut other);
        check(&before, &ruled(vec![other]), &[&format!("{impact}: changed rule public.books.noted {aspect}")]);
    };
    changed(|rule| rule.enabled = false, "enabled", "breaking");
    changed(|rule| rule.comment = Some("ours".to_owned()), "comment", "compatible");
    changed(|rule| rule.definition = Reading::Known("CREATE RULE another".to_owned()), "definition", "breaking");
    changed(|rule| drop(rule.native.insert("counts".to_owned(), "always".into())), "native.counts", "compatible");
    // The text tells the same as these, and is not told besides.
    let instead = |rule: &mut Rule| {
        rule.instead = true;
        rule.definition =
            Reading::Known("CREATE RULE noted AS ON DELETE TO public.books DO INSTEAD NOTHING".to_owned());
    };
    changed(instead, "instead", "breaking");
    let event = |rule: &mut Rule| {
        rule.event = TriggerEvent::Update;
        rule.definition = Reading::Known("CREATE RULE noted AS ON UPDATE TO public.books DO NOTIFY gone".to_owned());
    };
    changed(event, "event", "breaking");
}

#[test]
fn rules_behind_somebody_s_lock_have_not_changed() {
    let mut books = table("books", &[("title", "text")]);
    books.rules = vec![rule("noted", "CREATE RULE noted")];
    let known = with([books.clone()]);
    books.rules[0].definition = Reading::unavailable(Unavailable::Locked);
    let locked = with([books]);
    let gap =
        Gap { object: Some(ObjectName::new("public", "books")), part: "rules".to_owned(), reason: Unavailable::Locked };
    for (before, after) in [(&known, &locked), (&locked, &known)] {
        let diff = compare(before, after);
        assert_eq!((diff.verdict, diff.not_compared), (Verdict::Equal, vec![gap.clone()]));
    }
}
