//! Names that are made to break out of what they stand in. Whatever they are, a text has the shape that it has with plain names.

use std::collections::BTreeSet;

use proptest::prelude::*;
use roxmltree::{Document, Node};
use schema_model::{
    Check, Column, ColumnPair, DataType, Database, Deferrability, Event, Extension, ForeignKey, Grant, Index,
    IndexPart, Key, MatchOption, Namespace, Native, NativeObject, ObjectName, PartTarget, Partition, Partitioning,
    Policy, PolicyCommand, Reading, ReferentialAction, Relation, RelationKind, Routine, RoutineKind, RowSecurity, Rule,
    Trigger, TriggerEvent, TriggerLevel, TriggerTiming, TypeFamily, UserType, UserTypeKind,
};

use super::exported;

const PIECES: [&str; 49] = [
    "\"",
    "'",
    "`",
    "\\",
    "-->",
    "<!--",
    "--",
    "/*",
    "*/",
    ";",
    "\n",
    "\r\n",
    "\t",
    "\u{1}",
    "\u{202e}",
    "\u{2028}",
    "\u{feff}",
    "\"}",
    "}",
    "{",
    "</text>",
    "<script>alert(1)</script>",
    "]]>",
    "&amp;",
    "&",
    "|",
    "||",
    "%%{init: {}}%%",
    "%%",
    "@enduml",
    "!include x",
    "<U+0022>",
    "$body$",
    "$$",
    "#34;",
    "_x0020_",
    "[a](b)",
    "**",
    "PK",
    "名前 😀",
    "[[http://x.y z]]",
    "www.evil.example",
    "me@evil.example",
    "_x_",
    "\u{e0041}",
    " ",
    ".",
    "a",
    "select",
];

/// A name that is at least one character long; what cannot be in a name of any engine is not in it.
fn name(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    let piece = prop_oneof![6 => prop::sample::select(pieces).prop_map(str::to_owned), 1 => "[^\\x00]{1,3}"];
    prop::collection::vec(piece, 1..5).prop_map(|pieces| pieces.concat())
}

/// Nine different names made of such pieces, no two of which differ in the case of letters alone.
pub(super) fn names(pieces: &'static [&'static str]) -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(name(pieces), 9).prop_filter("they are different", |names| {
        names.iter().map(|name| name.to_lowercase()).collect::<BTreeSet<_>>().len() == names.len()
    })
}

/// Nine names that are made for nothing.
pub(super) fn plain() -> Vec<String> {
    ["ns", "parents", "children", "id", "parent", "note", "mood", "role", "extra"].map(str::to_owned).to_vec()
}

fn column(name: &str, data_type: &str, nullable: bool) -> Column {
    Column { nullable, ..Column::new(name, 1, DataType::new(data_type, TypeFamily::Text)) }
}

/// A small database in which everything that may be a name, or what people write, is one of the names.
fn database(engine: &str, names: &[String]) -> Database {
    let [namespace, parents, children, id, parent, note, mood, role, extra] = names else { panic!("nine names") };
    let key =
        Key { name: Some(extra.clone()), index: Some(extra.clone()), comment: Some(note.clone()), ..Key::new([id]) };
    let mut one = Relation::new(parents, RelationKind::Table);
    one.columns = vec![column(id, "text", false), column(note, "text", true)];
    one.columns[1].comment = Some(extra.clone());
    one.columns[1].default = Some(Reading::Known(format!("'{}'", note.replace('\'', "''"))));
    one.primary_key = Some(key.clone());
    one.comment = Some(format!("{note}\n{mood}"));
    one.owner = Some(role.clone());
    one.grants = vec![Grant {
        grantee: Some(role.clone()),
        grantor: Some(role.clone()),
        privileges: vec!["SELECT".to_owned()],
        grantable: Vec::new(),
    }];
    if engine == "postgres" {
        one.columns[1].collation = Some(extra.clone());
        one.columns[1].collation_namespace = Some(namespace.clone());
        one.rules = vec![Rule {
            name: mood.clone(),
            event: TriggerEvent::Delete,
            instead: true,
            definition: Reading::Known("CREATE RULE a AS ON DELETE TO b DO INSTEAD NOTHING".to_owned()),
            enabled: false,
            comment: Some(extra.clone()),
            native: Native::new(),
        }];
    }
    one.row_security = Some(RowSecurity {
        enabled: true,
        forced: false,
        policies: vec![Policy {
            name: extra.clone(),
            command: PolicyCommand::All,
            permissive: true,
            roles: vec![role.clone()],
            using: Some(Reading::Known("true".to_owned())),
            with_check: None,
        }],
    });
    let mut other = Relation::new(children, RelationKind::Table);
    other.columns = vec![column(id, "text", false), column(parent, "text", true), column(note, "text", true)];
    other.primary_key = Some(key);
    other.checks = vec![Check {
        name: Some(note.clone()),
        expression: Reading::Known("true".to_owned()),
        columns: Vec::new(),
        validated: true,
        enforced: true,
        inherited: true,
        comment: Some(extra.clone()),
    }];
    other.foreign_keys = vec![ForeignKey {
        name: Some(mood.clone()),
        references: ObjectName::new(namespace, parents),
        columns: vec![ColumnPair { column: parent.clone(), references: id.clone() }],
        target_constraint: None,
        on_update: ReferentialAction::Cascade,
        on_delete: ReferentialAction::SetNull,
        set_on_delete: Vec::new(),
        match_option: MatchOption::Simple,
        deferrability: Deferrability::InitiallyDeferred,
        validated: true,
        enforced: true,
        comment: Some(extra.clone()),
    }];
    let part = IndexPart { collation: Some(extra.clone()), ..IndexPart::new(PartTarget::Column(parent.clone())) };
    other.indexes = vec![Index { comment: Some(note.clone()), ..Index::new(mood, "btree", vec![part]) }];
    namespace_of(engine, names, vec![one, other])
}

/// The database of two tables, and a view, a type and an extension beside them.
fn namespace_of(engine: &str, names: &[String], mut tables: Vec<Relation>) -> Database {
    let [namespace, _, _, _, _, note, mood, _, extra] = names else { panic!("nine names") };
    // What could not be read is told of in a comment, which a name may want to leave.
    let mut view = Relation::new(note, RelationKind::View);
    view.definition = Some(Reading::unavailable(schema_model::Unavailable::Locked));
    let mut part = Namespace::new(namespace);
    part.comment = Some(extra.clone());
    tables.push(view);
    part.relations = tables;
    part.types = vec![UserType {
        name: mood.clone(),
        kind: UserTypeKind::Enumeration { labels: vec![note.clone(), extra.clone()] },
        owner: None,
        comment: Some(note.clone()),
        grants: Vec::new(),
    }];
    let extension = Extension { name: extra.clone(), version: note.clone(), namespace: namespace.clone() };
    Database {
        engine: engine.to_owned(),
        version: note.clone(),
        name: extra.clone(),
        comment: Some(mood.clone()),
        character_set: None,
        collation: None,
        namespaces: vec![part],
        extensions: if engine == "postgres" { vec![extension] } else { Vec::new() },
        native_objects: if engine == "postgres" { vec![collation(names)] } else { Vec::new() },
        native: Native::new(),
    }
}

/// A collation of somebody's own.
fn collation(names: &[String]) -> NativeObject {
    let [namespace, _, _, _, _, note, _, role, extra] = names else { panic!("nine names") };
    NativeObject {
        kind: "collation".to_owned(),
        name: ObjectName::new(namespace, extra),
        signature: None,
        definition: Some(Reading::Known("CREATE COLLATION a (LOCALE = 'C')".to_owned())),
        owner: Some(role.clone()),
        comment: Some(note.clone()),
    }
}

/// A text without what is in it: names become `N`, texts `T`, comments are left out, and each statement, in the order of statements.
fn sql_shape(text: &str) -> Vec<String> {
    let mut shape = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after_quote = |quote: char| {
            let mut from = 1;
            loop {
                let end = from + rest[from..].find(quote).expect("a quote that ends");
                if !rest[end + 1..].starts_with(quote) {
                    return end + 1;
                }
                from = end + 2;
            }
        };
        let taken = match first {
            '"' => {
                shape.push('N');
                after_quote('"')
            }
            '\'' => {
                shape.push('T');
                after_quote('\'')
            }
            '-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            '$' => {
                let word = rest[1..].find('$').expect("a word of dollars") + 2;
                let end = rest[word..].find(&rest[..word]).expect("the same dollars again");
                shape.push('T');
                word * 2 + end
            }
            '\n' | ' ' => {
                if !shape.ends_with([' ', ';']) {
                    shape.push(' ');
                }
                1
            }
            _ => {
                assert!(!first.is_control() && first.is_ascii(), "{first:?} is in no quotes");
                shape.push(first);
                first.len_utf8()
            }
        };
        rest = &rest[taken..];
    }
    let mut statements: Vec<String> = shape.split(';').map(|statement| statement.trim().to_owned()).collect();
    statements.sort_unstable();
    statements
}

/// What MySQL and MariaDB have besides: programs and a view in somebody's name, partitions, and backslashes that escape.
fn with_programs(mut database: Database, names: &[String]) -> Database {
    let [namespace, _, _, _, _, note, mood, role, extra] = names else { panic!("nine names") };
    let text = |text: &str| Reading::Known(text.to_owned());
    let owner = Some(format!("{role}@%"));
    let native = Native::from([
        ("definer".to_owned(), format!("{role}@%").into()),
        ("comment".to_owned(), note.as_str().into()),
    ]);
    let part = &mut database.namespaces[0];
    let mut view = Relation::new(role, RelationKind::View);
    view.columns = vec![column(note, "text", true)];
    (view.definition, view.owner) = (Some(text("select 1 AS `a`")), owner.clone());
    let [one, other, ..] = &mut part.relations[..] else { panic!("two tables") };
    one.columns[1].default = Some(Reading::Known(format!("'{}'", note.replace('\\', "\\\\").replace('\'', "''"))));
    one.grants[0].grantee = Some(format!("'{role}'@'%'"));
    one.triggers = vec![Trigger {
        name: mood.clone(),
        timing: TriggerTiming::Before,
        events: vec![TriggerEvent::Insert],
        columns: Vec::new(),
        level: TriggerLevel::Row,
        routine: None,
        definition: text("BEGIN SET @a = 1; END"),
        enabled: true,
        comment: None,
        native: native.clone(),
    }];
    other.partitioning = Some(Partitioning {
        key: text("KEY (`a`)"),
        partitions: vec![Partition {
            name: ObjectName::new(namespace, extra),
            bound: text(""),
            partitioning: None,
            primary_key: None,
            unique: Vec::new(),
            foreign_keys: Vec::new(),
            checks: Vec::new(),
            indexes: Vec::new(),
            native,
        }],
    });
    part.relations.push(view);
    part.routines = vec![Routine {
        name: mood.clone(),
        arguments: String::new(),
        kind: RoutineKind::Procedure,
        returns: None,
        language: "SQL".to_owned(),
        definition: Some(text("SET @a = 1")),
        owner: owner.clone(),
        comment: Some(note.clone()),
        grants: Vec::new(),
        native: Native::new(),
    }];
    part.events = vec![Event {
        name: extra.clone(),
        schedule: "EVERY 1 DAY".to_owned(),
        definition: text("BEGIN END"),
        enabled: true,
        owner,
        comment: Some(mood.clone()),
        native: Native::new(),
    }];
    database
}

/// The same for MySQL and MariaDB, cut where their clients cut.
fn mysql_shape(text: &str) -> Vec<String> {
    let (mut statements, mut current, mut delimiter) = (Vec::new(), String::new(), ";".to_owned());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let line = rest.split('\n').next().unwrap_or_default();
        let taken = match first {
            _ if current.trim().is_empty() && line.starts_with("DELIMITER ") => {
                line["DELIMITER ".len()..].clone_into(&mut delimiter);
                line.len()
            }
            _ if rest.starts_with(&delimiter) => {
                statements.push(std::mem::take(&mut current).trim().to_owned());
                delimiter.len()
            }
            '`' | '\'' => {
                current.push(if first == '`' { 'N' } else { 'T' });
                let mut escaped = false;
                let mut end = 1;
                while escaped || !rest[end..].starts_with(first) || rest[end + 1..].starts_with(first) {
                    let is_two = !escaped && rest[end..].starts_with(first);
                    let one = rest[end..].chars().next().expect("a quote that ends");
                    escaped = first == '\'' && one == '\\' && !escaped;
                    end += if is_two { 2 } else { one.len_utf8() };
                }
                end + 1
            }
            '-' if rest.starts_with("-- ") => line.len(),
            _ => {
                assert!(first.is_ascii() && (first == '\n' || !first.is_control()), "{first:?} is in no quotes");
                current.push(if first == '\n' { ' ' } else { first });
                1
            }
        };
        rest = &rest[taken..];
    }
    assert_eq!((current.trim(), delimiter.as_str()), ("", ";"));
    statements.sort_unstable();
    statements
}

/// The same for DBML, whose quotes have escapes.
fn dbml_shape(text: &str) -> Vec<String> {
    let mut shape = String::new();
    let mut characters = text.chars();
    while let Some(first) = characters.next() {
        match first {
            '"' | '\'' | '`' => {
                loop {
                    match characters.next().expect("a quote that ends") {
                        '\\' if first != '`' => drop(characters.next()),
                        '\n' => panic!("a line ends in quotes"),
                        found if found == first => break,
                        _ => {}
                    }
                }
                shape.push('N');
            }
            _ => {
                assert!(first.is_ascii() && (first == '\n' || !first.is_control()), "{first:?} is in no quotes");
                shape.push(first);
            }
        }
    }
    let mut lines: Vec<String> = shape.lines().map(str::to_owned).collect();
    lines.sort_unstable();
    lines
}

/// The same for formats whose quotes are `"` without escapes, line by line.
fn line_shape(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text
        .lines()
        .map(|line| {
            let parts: Vec<&str> = line.split('"').collect();
            assert!(parts.len() % 2 == 1, "{line}");
            parts.into_iter().step_by(2).collect::<Vec<_>>().join("N")
        })
        .collect();
    lines.sort_unstable();
    lines
}

fn text(format: &str, engine: &str, names: &[String]) -> String {
    exported(format, &database(engine, names)).text
}

fn titles(document: &Document<'_>, class: &str) -> BTreeSet<String> {
    let has = |node: &Node<'_, '_>| node.attribute("class") == Some(class);
    document
        .descendants()
        .filter(has)
        .filter_map(|node| node.first_element_child()?.text().map(str::to_owned))
        .collect()
}

/// The elements and attributes of a document, without texts and places.
fn xml_shape(document: &Document<'_>) -> Vec<String> {
    document
        .descendants()
        .filter(Node::is_element)
        // What is cut has a title with all of it.
        .filter(|node| node.parent_element().is_none_or(|parent| parent.tag_name().name() != "text"))
        .map(|node| {
            let attributes: Vec<&str> = node.attributes().map(|attribute| attribute.name()).collect();
            format!("{} {}", node.tag_name().name(), attributes.join(" "))
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn sql_has_the_shape_that_it_has_with_plain_names(names in names(&PIECES)) {
        for engine in ["postgres", "sqlite"] {
            prop_assert_eq!(sql_shape(&text("sql", engine, &names)), sql_shape(&text("sql", engine, &plain())));
        }
    }

    #[test]
    fn sql_of_mysql_and_mariadb_has_the_shape_that_it_has_with_plain_names(names in names(&PIECES)) {
        for engine in ["mysql", "mariadb"] {
            let shape = |names: &[String]| {
                let found = exported("sql", &with_programs(database(engine, names), names));
                mysql_shape(&found.text)
            };
            prop_assert_eq!(shape(&names), shape(&plain()));
        }
    }

    #[test]
    fn dbml_has_the_shape_that_it_has_with_plain_names(names in names(&PIECES)) {
        // A default that no expression can hold is left out.
        let shape = |names: &[String]| {
            let lines = dbml_shape(&text("dbml", "postgres", names));
            lines.into_iter().map(|line| line.replace("default: N, ", "")).collect::<BTreeSet<_>>()
        };
        prop_assert_eq!(shape(&names), shape(&plain()));
    }

    #[test]
    fn mermaid_has_nothing_but_words_and_quotes_and_keeps_names_apart(names in names(&PIECES)) {
        let text = text("mermaid", "postgres", &names);
        prop_assert!(!text.contains("%%"));
        let mut entities = BTreeSet::new();
        let mut attributes = BTreeSet::new();
        for line in line_shape(&text) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let is_word = |word: &str| {
                word.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_')
                    && word.chars().all(|c| c.is_alphanumeric() && u32::from(c) < 0xFFFE || c == '_')
            };
            let fits = match words.as_slice() {
                ["erDiagram" | "}"] | [_, "|o..o{", _, ":", "N"] => true,
                [entity, "{"] => entities.insert((*entity).to_owned()) && entity.ends_with("[N]"),
                ["text", name, rest @ ..] => {
                    attributes.insert((*name).to_owned());
                    is_word(name) && rest.iter().all(|word| matches!(*word, "PK" | "FK" | "PK,FK" | "N"))
                }
                _ => false,
            };
            prop_assert!(fits, "{}", line);
        }
        prop_assert_eq!((entities.len(), attributes.len()), (2, 3));
        let labels: BTreeSet<&str> = text.lines().filter(|line| line.ends_with('{')).filter_map(|line| line.split('"').nth(1)).collect();
        prop_assert_eq!(labels.len(), 2);
    }

    #[test]
    fn plantuml_has_the_shape_that_it_has_with_plain_names(names in names(&PIECES)) {
        // What is not in quotes is behind a colon or the word for a field.
        let shape = |text: &str| {
            let lines = line_shape(text).into_iter().map(|line| {
                let fields = line.trim_start().starts_with("{field}") || line.contains(" : ");
                if fields { line.split_whitespace().next().unwrap_or_default().to_owned() } else { line }
            });
            lines.collect::<Vec<_>>()
        };
        let text_of_names = text("plantuml", "postgres", &names);
        prop_assert_eq!(text_of_names.matches('@').count(), 2);
        prop_assert!(!text_of_names.contains('!') && !text_of_names.contains('%') && !text_of_names.contains('\\'));
        prop_assert_eq!(shape(&text_of_names), shape(&text("plantuml", "postgres", &plain())));
    }

    #[test]
    fn labels_of_graphviz_are_well_formed_and_keep_names_apart(names in names(&PIECES)) {
        let text = text("dot", "postgres", &names);
        let mut seen = BTreeSet::new();
        for line in text.lines().filter(|line| line.contains("label=<")) {
            let (_, label) = line.split_once("label=<").expect("a label");
            let label = label.strip_suffix(">]").expect("its end");
            let document = Document::parse(label).expect("XML");
            seen.insert(document.descendants().find(|node| node.has_tag_name("b")).and_then(|node| node.text()).map(str::to_owned));
            prop_assert!(document.descendants().filter(Node::is_element).all(|node| matches!(node.tag_name().name(), "table" | "tr" | "td" | "b")));
        }
        prop_assert_eq!(seen.len(), 2);
        let edges: Vec<&str> = text.lines().filter(|line| line.contains(" -> ")).collect();
        prop_assert_eq!(edges.len(), 1);
        prop_assert!(edges[0].ends_with("\"]"));
    }

    #[test]
    fn svg_is_well_formed_has_the_shape_that_it_has_with_plain_names_and_keeps_them_apart(names in names(&PIECES)) {
        let (hostile, usual) = (text("svg", "postgres", &names), text("svg", "postgres", &plain()));
        let document = Document::parse(&hostile).expect("XML");
        prop_assert_eq!(xml_shape(&document), xml_shape(&Document::parse(&usual).expect("XML")));
        prop_assert_eq!(titles(&document, "erd-table").len(), 2);
    }

    #[test]
    fn tables_of_markdown_have_the_cells_that_they_have_with_plain_names(names in names(&PIECES)) {
        let cells = |text: &str| {
            let count = |line: &str| {
                let mut escaped = false;
                line.chars().filter(|c| { let is = *c == '|' && !escaped; escaped = *c == '\\' && !escaped; is }).count()
            };
            // A comment of nothing but space is left out.
            text.lines().map(count).filter(|count| *count > 0).collect::<Vec<_>>()
        };
        let hostile = text("markdown", "postgres", &names);
        prop_assert_eq!(cells(&hostile), cells(&text("markdown", "postgres", &plain())));
        // No tag but ours.
        let ours = ["<a id=\"r", "</a>", "<br>", "<code>", "</code>", "<!-- -->"];
        let mut rest = hostile.as_str();
        while let Some(first) = rest.chars().next() {
            let taken = match first {
                '\\' => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
                // Code ends at as many backticks as it began with.
                '`' => {
                    let fence = rest.len() - rest.trim_start_matches('`').len();
                    let mut end = fence;
                    loop {
                        end += rest[end..].find('`').expect("code that ends");
                        let run = rest[end..].len() - rest[end..].trim_start_matches('`').len();
                        end += run;
                        if run == fence { break end; }
                    }
                }
                '<' => {
                    prop_assert!(ours.iter().any(|tag| rest.starts_with(tag)), "{}", rest);
                    1
                }
                _ => first.len_utf8(),
            };
            rest = &rest[taken..];
        }
    }

    #[test]
    fn json_comes_back_with_every_name(names in names(&PIECES)) {
        let database = database("postgres", &names);
        let back: Database = serde_json::from_str(&exported("json", &database).text).expect("a model");
        prop_assert_eq!(back, database);
    }
}
