//! Names and texts that are made to be something else to the server, or to the client that sends them.

use proptest::prelude::*;
use schema_model::{
    Check, Column, ColumnPair, DataType, Database, ForeignKey, Grant, Index, IndexPart, Key, Namespace, Native,
    ObjectName, PartTarget, Relation, RelationKind, Routine, RoutineKind, Trigger, TriggerEvent, TriggerLevel,
    TriggerTiming, TypeFamily, UserType, UserTypeKind,
};

use super::{batches, besides, exported, known, left_out, relation, routine, sqlserver};
use crate::hostile::{names, plain};

const PIECES: [&str; 32] = [
    "]",
    "[",
    "]]",
    "'",
    "''",
    "\"",
    "--",
    "/*",
    "*/",
    ";",
    "\n",
    "\r\n",
    "\r",
    "\\",
    "\u{2028}",
    "\u{85}",
    "\u{feff}",
    "GO",
    "go",
    "\nGO\n",
    "\rgo 5\r",
    "\u{2028}Go\u{2028}",
    "\n:r x.sql\n",
    "\n!!dir\n",
    "EXIT(",
    "$(x)",
    "$",
    "(",
    " ",
    ".",
    "a",
    "名前 😀",
];

/// One with names that are made for nothing.
pub(super) fn plain_database() -> Database {
    database(&plain())
}

fn column(name: &str) -> Column {
    Column::new(name, 1, DataType::new("nvarchar(20)", TypeFamily::Text))
}

/// A small database in which everything that may be a name, or what people write, is one of the names.
fn database(names: &[String]) -> Database {
    let [namespace, parents, children, id, parent, note, mood, role, extra] = names else { panic!("nine names") };
    let key = |name: &String| Key { name: Some(name.clone()), index: Some(name.clone()), ..Key::new([id]) };
    let index = |name: &String, of: &String| {
        Index::new(name, "NONCLUSTERED", vec![IndexPart::new(PartTarget::Column(of.clone()))])
    };
    let mut one = Relation::new(parents, RelationKind::Table);
    one.columns = vec![Column { nullable: false, ..column(id) }, column(note)];
    one.columns[1].comment = Some(extra.clone());
    one.columns[1].native.insert("default_constraint".to_owned(), mood.as_str().into());
    one.columns[1].default = Some(known(&format!("(N'{}')", note.replace('\'', "''"))));
    one.primary_key = Some(key(extra));
    one.indexes = vec![Index { constraint: Some(extra.clone()), unique: true, ..index(extra, id) }];
    one.comment = Some(format!("{note}\n{mood}"));
    one.owner = Some(role.clone());
    let grant = |privilege: &str| Grant {
        grantee: Some(role.clone()),
        grantor: None,
        privileges: vec![privilege.to_owned()],
        grantable: Vec::new(),
    };
    one.grants = vec![grant("SELECT")];
    one.columns[1].grants = vec![grant("UPDATE")];
    one.native.insert("denied".to_owned(), serde_json::json!([format!("DELETE TO {role}")]));
    one.triggers = vec![Trigger {
        name: note.clone(),
        timing: TriggerTiming::After,
        events: vec![TriggerEvent::Delete],
        columns: Vec::new(),
        level: TriggerLevel::Statement,
        routine: None,
        definition: known("CREATE TRIGGER t ON u AFTER DELETE AS SET NOCOUNT ON"),
        enabled: false,
        comment: Some(mood.clone()),
        native: Native::from([("first_for".to_owned(), serde_json::json!(["delete"]))]),
    }];
    let mut other = Relation::new(children, RelationKind::Table);
    other.columns = vec![column(id), column(parent)];
    other.checks = vec![Check {
        name: Some(mood.clone()),
        expression: known("(1=1)"),
        columns: Vec::new(),
        validated: false,
        enforced: true,
        inherited: false,
        comment: Some(extra.clone()),
    }];
    let pair = ColumnPair { column: parent.clone(), references: id.clone() };
    other.foreign_keys = vec![ForeignKey {
        name: Some(role.clone()),
        enforced: false,
        validated: false,
        comment: Some(note.clone()),
        ..ForeignKey::new(ObjectName::new(namespace, parents), vec![pair])
    }];
    let predicate = known(&format!("([{}] IS NOT NULL)", parent.replace(']', "]]")));
    other.indexes =
        vec![Index { predicate: Some(predicate), valid: false, include: vec![id.clone()], ..index(note, parent) }];
    let mut view = Relation::new(note, RelationKind::View);
    view.definition = Some(known(&format!("CREATE VIEW v AS SELECT 1 AS [{}]", extra.replace(']', "]]"))));
    let mut part = Namespace::new(namespace);
    part.relations = vec![one, other, view];
    part.owner = Some(extra.clone());
    part.comment = Some(extra.clone());
    part.native.insert(
        "synonyms".to_owned(),
        serde_json::json!([{ "name": mood, "base": format!("[{}]", parents.replace(']', "]]")) }]),
    );
    part.types = vec![UserType {
        name: mood.clone(),
        kind: UserTypeKind::Composite { attributes: vec![column(id), column(note)] },
        owner: Some(role.clone()),
        comment: Some(note.clone()),
        grants: Vec::new(),
    }];
    part.routines = vec![Routine {
        name: extra.clone(),
        arguments: note.clone(),
        kind: RoutineKind::Procedure,
        returns: None,
        language: "T-SQL".to_owned(),
        definition: Some(known(&format!("CREATE PROCEDURE p AS PRINT N'{}'", mood.replace('\'', "''")))),
        owner: None,
        comment: Some(role.clone()),
        grants: Vec::new(),
        native: Native::new(),
    }];
    Database {
        engine: "sqlserver".to_owned(),
        version: note.clone(),
        name: extra.clone(),
        comment: Some(mood.clone()),
        character_set: None,
        collation: Some(note.clone()),
        namespaces: vec![part],
        extensions: Vec::new(),
        native_objects: Vec::new(),
        native: Native::new(),
    }
}

/// A batch without what is in it: names become `N`, texts `T`, and there is no comment.
fn shape(batch: &str) -> String {
    let mut shape = String::new();
    let mut rest = batch;
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '[' => Some(']'),
            '\'' => Some('\''),
            _ => None,
        };
        let taken = if let Some(end) = end {
            shape.push(if first == '[' { 'N' } else { 'T' });
            let mut at = 1;
            loop {
                at += rest[at..].find(end).expect("a quote that ends") + 1;
                if !rest[at..].starts_with(end) {
                    break at;
                }
                at += 1;
            }
        } else {
            let is_plain = first.is_ascii() && (first == '\n' || !first.is_control());
            assert!(is_plain, "{first:?} is in no quotes: {batch}");
            assert!(!rest.starts_with("--") && !rest.starts_with("/*"), "a comment: {batch}");
            shape.push(first);
            first.len_utf8()
        };
        rest = &rest[taken..];
    }
    shape
}

fn shapes(text: &str) -> Vec<String> {
    let is_remark = |batch: &&str| batch.lines().all(|line| line.starts_with("-- "));
    let mut shapes: Vec<String> = batches(text).into_iter().filter(|batch| !is_remark(batch)).map(shape).collect();
    shapes.sort_unstable();
    shapes
}

/// Where a client of SQL Server ends a line, or may.
const LINE_ENDS: [char; 10] =
    ['\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}', '\u{85}', '\u{2028}', '\u{2029}'];

/// Whatever the names are, a script has the batches that it has with plain ones, or tells what it left out.
fn assert_held(names: &[String]) {
    let found = exported("sql", &database(names));
    let mut usual = plain_database();
    if left_out(&found).iter().any(|(_, part)| part.starts_with("column ") && part.ends_with(": default")) {
        // Its table stands without it.
        usual.namespaces[0].relations[0].columns[1].default = None;
    }
    let mut usual = shapes(&exported("sql", &usual).text);
    let all = usual.len();
    let hostile = shapes(&found.text);
    for shape in &hostile {
        let at = usual.iter().position(|one| one == shape);
        usual.remove(at.unwrap_or_else(|| panic!("{shape} in {}", found.text)));
    }
    // What is not there was left out, and that is said.
    assert!(hostile.len() == all || !found.omissions.is_empty());
    assert!(!found.text.contains("$("), "a variable in {}", found.text);
    for line in found.text.split(LINE_ENDS) {
        let line = line.trim_start_matches(|one: char| one.is_whitespace() || one == '\u{feff}');
        assert!(!line.starts_with([':', '!']), "{line}");
        assert!(!line.to_lowercase().starts_with("exit("), "{line}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) })]

    #[test]
    fn every_batch_has_a_shape_that_one_has_with_plain_names(names in names(&PIECES)) {
        assert_held(&names);
    }
}

#[test]
fn a_table_stands_without_the_default_that_is_left_out() {
    // What SQL Server takes out of a text: a backslash at the end of a line.
    let names = ["]]", "'", "]", "''", "\"", "\\\n", "--", "/*", "*/"].map(str::to_owned);
    let found = exported("sql", &database(&names));
    assert!(left_out(&found).contains(&("'", "column \\\n: default")), "{:?}", left_out(&found));
    assert_held(&names);
}

#[test]
fn plain_names_leave_nothing_out() {
    let found = exported("sql", &database(&plain()));
    assert_eq!(left_out(&found), []);
    assert!(shapes(&found.text).len() > 30, "{}", found.text);
}

#[test]
fn a_text_that_is_more_than_its_object_is_left_out() {
    for text in [
        "CREATE VIEW shop.cheap AS SELECT 1 AS a\nGO\nDROP TABLE victim",
        "CREATE VIEW shop.cheap AS SELECT N'\ngo 2\nDROP TABLE victim' AS a",
        "CREATE VIEW shop.cheap AS SELECT 1 AS a /*\r GO \rDROP TABLE victim */",
        "CREATE VIEW shop.cheap AS SELECT 1 AS a -- x\u{2028}GO\u{2028}DROP TABLE victim",
        "CREATE VIEW shop.cheap AS SELECT 1 AS a\n:r victim.sql",
        "CREATE VIEW shop.cheap AS SELECT 1 AS a\n!!victim",
        "CREATE VIEW shop.cheap AS SELECT '$(victim)' AS a",
        "CREATE VIEW shop.cheap AS SELECT 1 AS a; DROP TABLE victim",
        "CREATE VIEW shop.cheap AS SELECT 1 AS a DROP TABLE victim",
        "CREATE VIEW shop.cheap AS SELECT 1 AS a /* victim",
        "CREATE VIEW shop.cheap AS SELECT 1 AS [victim",
        "DROP TABLE victim",
        "DROP TABLE victim CREATE VIEW shop.cheap AS SELECT 1 AS a",
        "CREATE TABLE victim (a int)",
    ] {
        let mut database = sqlserver();
        relation(&mut database, "cheap").definition = Some(known(text));
        let found = exported("sql", &database);
        assert_eq!(besides(&found), [("cheap", "definition")], "{text}");
        assert!(!found.text.contains("victim"), "{text}");
    }
    for text in [
        "CREATE FUNCTION shop.twice () RETURNS int AS BEGIN RETURN 1 END DROP TABLE victim",
        "CREATE FUNCTION shop.twice () RETURNS int AS BEGIN RETURN 1\nGO\nDROP TABLE victim END",
        "CREATE PROCEDURE shop.twice AS DROP TABLE victim",
    ] {
        let mut database = sqlserver();
        routine(&mut database, "twice").definition = Some(known(text));
        let found = exported("sql", &database);
        assert_eq!(besides(&found), [("twice", "routine (@n int, @times tinyint)")], "{text}");
        assert!(!found.text.contains("victim"), "{text}");
    }
}

#[test]
fn an_expression_does_not_end_its_statement() {
    for text in [
        "(1)) DROP TABLE victim --",
        "1) DROP TABLE victim; SELECT (1",
        "(1)\nGO\nDROP TABLE victim",
        "(N'\nGO\nDROP TABLE victim')",
        "('$(victim)')",
        "(1) /* victim",
        "CREATE DEFAULT victim AS 1",
        "(1) DROP TABLE victim (2)",
    ] {
        let mut database = sqlserver();
        let goods = relation(&mut database, "goods");
        goods.columns[1].default = Some(known(text));
        goods.columns[3].generated.as_mut().expect("computed").expression = known(text);
        goods.checks[0].expression = known(text);
        goods.indexes[0].predicate = Some(known(text));
        let found = exported("sql", &database);
        assert!(!found.text.contains("victim"), "{text}: {}", found.text);
        assert!(!besides(&found).is_empty(), "{text}");
    }
}

#[test]
fn words_that_stand_in_no_quotes_are_words() {
    let mut database = sqlserver();
    let makers = relation(&mut database, "makers");
    makers.columns[2].collation = Some("a NULL); DROP TABLE victim --".to_owned());
    makers.columns[0].native.insert("denied".to_owned(), serde_json::json!(["SELECT ON victim TO a", "x"]));
    let shop = super::shop(&mut database);
    "int; DROP TABLE victim".clone_into(&mut shop.sequences[0].data_type);
    shop.native.insert("synonyms".to_owned(), serde_json::json!([{ "name": "a", "base": "b; DROP TABLE victim" }, 1]));
    let found = exported("sql", &database);
    assert!(!found.text.lines().any(|line| line.contains("victim") && !line.starts_with("-- ")), "{}", found.text);
    assert_eq!(
        besides(&found),
        [
            ("", "synonym"),
            ("a", "synonym"),
            ("makers", "column name: collation"),
            ("makers", "denied SELECT ON victim TO a"),
            ("makers", "denied x"),
            ("tickets", "sequence")
        ]
    );
}
