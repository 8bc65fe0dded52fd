use std::collections::BTreeSet;

use roxmltree::{Document, Node};
use schema_model::{
    Column, ColumnPair, DataType, Database, Deferrability, ForeignKey, Key, MatchOption, Namespace, Native, ObjectName,
    ReferentialAction, Relation, RelationKind, TypeFamily,
};

use super::{exported, postgres};

fn column(name: &str, nullable: bool) -> Column {
    Column {
        name: name.to_owned(),
        position: 1,
        data_type: DataType {
            text: "bigint".to_owned(),
            family: TypeFamily::Integer,
            user_type: None,
            array_dimensions: 0,
        },
        nullable,
        default: None,
        identity: None,
        generated: None,
        collation: None,
        comment: None,
        grants: Vec::new(),
        native: Native::new(),
    }
}

fn key(columns: &[&str]) -> Key {
    Key {
        name: None,
        columns: columns.iter().map(|&name| name.to_owned()).collect(),
        include: Vec::new(),
        index: None,
        nulls_distinct: true,
        deferrability: Deferrability::NotDeferrable,
        comment: None,
    }
}

fn leads(column: &str, table: &str) -> ForeignKey {
    ForeignKey {
        name: Some(format!("{column}_key")),
        references: ObjectName::new("public", table),
        columns: vec![ColumnPair { column: column.to_owned(), references: "id".to_owned() }],
        target_constraint: None,
        on_update: ReferentialAction::NoAction,
        on_delete: ReferentialAction::NoAction,
        set_on_delete: Vec::new(),
        match_option: MatchOption::Simple,
        deferrability: Deferrability::NotDeferrable,
        validated: true,
        enforced: true,
        comment: None,
    }
}

fn table(name: &str, parents: &[&str]) -> Relation {
    let mut table = Relation::new(name, RelationKind::Table);
    table.columns = vec![column("id", false), column("note", true)];
    table.primary_key = Some(key(&["id"]));
    for parent in parents {
        let name = format!("{parent}_id");
        table.columns.push(column(&name, false));
        table.foreign_keys.push(leads(&name, parent));
    }
    table
}

fn database(relations: Vec<Relation>) -> Database {
    let mut namespace = Namespace::new("public");
    namespace.relations = relations;
    Database {
        engine: "postgres".to_owned(),
        version: "15".to_owned(),
        name: "shop".to_owned(),
        comment: None,
        character_set: None,
        collation: None,
        namespaces: vec![namespace],
        extensions: Vec::new(),
        native: Native::new(),
    }
}

fn of_class<'a>(document: &'a Document<'_>, class: &str) -> Vec<Node<'a, 'a>> {
    let has =
        |node: &Node<'_, '_>| node.attribute("class").is_some_and(|found| found.split(' ').any(|one| one == class));
    document.descendants().filter(has).collect()
}

/// Left, top, right and bottom of each table.
fn boxes(document: &Document<'_>) -> Vec<[f64; 4]> {
    of_class(document, "table")
        .iter()
        .map(|group| {
            let place = group.attribute("transform").expect("a place");
            let place = place.trim_start_matches("translate(").trim_end_matches(')');
            let (x, y) = place.split_once(' ').expect("two numbers");
            let (x, y): (f64, f64) = (x.parse().expect("a number"), y.parse().expect("a number"));
            let size = |name: &str| {
                let rectangle =
                    group.children().find(|child| child.has_tag_name(("http://www.w3.org/2000/svg", "rect")));
                rectangle.and_then(|rectangle| rectangle.attribute(name)?.parse::<f64>().ok()).expect("a size")
            };
            [x, y, x + size("width"), y + size("height")]
        })
        .collect()
}

#[track_caller]
fn nothing_overlaps(document: &Document<'_>) {
    let boxes = boxes(document);
    let root = document.root_element();
    let size = |name: &str| root.attribute(name).and_then(|text| text.parse::<f64>().ok()).expect("a size");
    let (width, height) = (size("width"), size("height"));
    for (at, [left, top, right, bottom]) in boxes.iter().enumerate() {
        assert!(*left >= 0.0 && *top >= 0.0 && *right <= width && *bottom <= height, "{at} is in the picture");
        for [other_left, other_top, other_right, other_bottom] in &boxes[at + 1..] {
            let apart = right < other_left || other_right < left || bottom < other_top || other_bottom < top;
            assert!(apart, "{at} lies on another one");
        }
    }
}

#[test]
fn each_foreign_key_is_one_line_composites_too_and_partitions_are_their_table() {
    let svg = exported("svg", &postgres()).text;
    let document = Document::parse(&svg).expect("XML");
    // makers and goods by two columns, goods to itself, refunds and sales by two.
    assert_eq!(of_class(&document, "link").len(), 3);
    let titles: BTreeSet<&str> = of_class(&document, "table")
        .iter()
        .filter_map(|group| group.first_element_child().and_then(|title| title.text()))
        .collect();
    assert!(titles.contains("shop.sales") && !titles.iter().any(|title| title.contains("sales_2025")), "{titles:?}");
    assert!(!titles.contains("shop.cheap_goods"), "views have no keys");
    assert!(svg.contains("3 partitions"));
    nothing_overlaps(&document);
}

#[test]
fn a_picture_says_what_it_is_and_neither_runs_nor_loads_anything() {
    let svg = exported("svg", &postgres()).text;
    let document = Document::parse(&svg).expect("XML");
    let root = document.root_element();
    assert_eq!((root.tag_name().name(), root.attribute("role")), ("svg", Some("img")));
    let title = root.first_element_child().expect("a title");
    assert_eq!(title.text(), Some("Entity-relationship diagram of sample"));
    for node in document.descendants().filter(Node::is_element) {
        assert!(!matches!(node.tag_name().name(), "script" | "image" | "use" | "foreignObject" | "a"), "{node:?}");
        for attribute in node.attributes() {
            assert!(!attribute.name().starts_with("on") && attribute.name() != "href", "{attribute:?}");
        }
    }
    assert!(!svg.contains("url(") && !svg.contains("@import"));
}

/// What Mermaid says of the ends of the only link.
#[track_caller]
fn ends(child: Relation, expected: &str) {
    let text = exported("mermaid", &database(vec![child, table("makers", &[])])).text;
    let line = text.lines().find(|line| line.contains(" : ")).expect("a link");
    assert_eq!(line.trim(), format!("e2 {expected} e1 : \"makers_id_key\""));
}

#[test]
fn ends_come_from_keys_and_from_what_may_be_null() {
    let goods = table("goods", &["makers"]);
    ends(goods.clone(), "||..o{");
    let mut optional = goods.clone();
    optional.columns[2].nullable = true;
    ends(optional.clone(), "|o..o{");
    optional.unique.push(key(&["makers_id"]));
    ends(optional, "|o..o|");
    let mut identifying = goods.clone();
    identifying.primary_key = Some(key(&["makers_id"]));
    ends(identifying, "||--o|");
    // More than the key is unique together: several may still lead to one.
    let mut wider = goods;
    wider.unique.push(key(&["makers_id", "note"]));
    ends(wider, "||..o{");
}

#[test]
fn a_table_that_is_not_in_the_model_is_drawn_without_columns() {
    let svg = exported("svg", &database(vec![table("goods", &["elsewhere"])])).text;
    let document = Document::parse(&svg).expect("XML");
    assert_eq!((of_class(&document, "stub").len(), of_class(&document, "link").len()), (1, 1));
}

#[test]
fn beyond_sixty_tables_only_keys_are_shown() {
    let tables = |count: usize| (0..count).map(|number| table(&format!("t{number}"), &[])).collect::<Vec<_>>();
    assert!(exported("svg", &database(tables(60))).text.contains(">note<"));
    let many = exported("svg", &database(tables(61))).text;
    assert!(!many.contains(">note<") && many.contains(">id<") && many.contains(">1 more<"));
}

/// A thousand tables, one of which all others lead to, in chains, circles and by themselves.
fn large() -> Database {
    let name = |number: usize| format!("table_{number}");
    let tables = (0..1000_usize).map(|number| {
        let mut parents: Vec<String> = Vec::new();
        if number > 0 && number < 900 {
            parents.push(name(0));
            parents.push(name(number / 3));
            parents.push(name((number * 7919) % 900));
        }
        parents.sort_unstable();
        parents.dedup();
        table(&name(number), &parents.iter().map(String::as_str).collect::<Vec<_>>())
    });
    database(tables.collect())
}

#[test]
fn a_thousand_tables_do_not_lie_on_each_other() {
    let large = large();
    let svg = exported("svg", &large).text;
    let document = Document::parse(&svg).expect("XML");
    let keys: usize = large.relations().map(|(_, relation)| relation.foreign_keys.len()).sum();
    assert_eq!(of_class(&document, "link").len(), keys);
    assert_eq!(boxes(&document).len(), 1000);
    nothing_overlaps(&document);
    assert_eq!(svg, exported("svg", &large).text, "it is drawn in the same way each time");
}
