use std::collections::BTreeSet;

use roxmltree::{Document, Node};
use schema_model::{
    Column, ColumnPair, DataType, Database, ForeignKey, Key, Namespace, Native, ObjectName, Relation, RelationKind,
    TypeFamily, UserType, UserTypeKind,
};

use super::{exported, postgres};

fn column(name: &str, nullable: bool) -> Column {
    Column { nullable, ..Column::new(name, 1, DataType::new("bigint", TypeFamily::Integer)) }
}

fn key(columns: &[&str]) -> Key {
    Key::new(columns.iter().copied())
}

fn leads(column: &str, table: &str) -> ForeignKey {
    let pair = ColumnPair { column: column.to_owned(), references: "id".to_owned() };
    ForeignKey { name: Some(format!("{column}_key")), ..ForeignKey::new(ObjectName::new("public", table), vec![pair]) }
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
        native_objects: Vec::new(),
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
    of_class(document, "erd-table")
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
    assert_eq!(of_class(&document, "erd-link").len(), 3);
    let titles: BTreeSet<&str> = of_class(&document, "erd-table")
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
    let label = root.attribute("aria-label").expect("a label");
    assert!(
        label.starts_with("Entity-relationship diagram of sample: ") && label.ends_with(" tables, 3 foreign keys"),
        "{label}"
    );
    for node in document.descendants().filter(Node::is_element) {
        assert!(!matches!(node.tag_name().name(), "script" | "image" | "use" | "foreignObject" | "a"), "{node:?}");
        for attribute in node.attributes() {
            assert!(!attribute.name().starts_with("on") && attribute.name() != "href", "{attribute:?}");
        }
    }
    assert!(!svg.contains("url(") && !svg.contains("@import"));
}

#[test]
fn a_picture_in_a_page_styles_nothing_else_and_is_not_styled_as_something_else() {
    let svg = exported("svg", &postgres()).text;
    let document = Document::parse(&svg).expect("XML");
    assert_eq!(document.root_element().attribute("class"), Some("bindery-erd"));
    for node in document.root_element().descendants().filter(Node::is_element).skip(1) {
        assert_eq!(node.attribute("id"), None, "{node:?}");
        assert!(
            node.attribute("class").is_none_or(|found| found.split(' ').all(|one| one.starts_with("erd-"))),
            "{node:?}"
        );
    }
    let style = document.descendants().find(|node| node.tag_name().name() == "style").and_then(|node| node.text());
    let rules: Vec<&str> = style.expect("a style").split_terminator('}').collect();
    assert!(rules.len() > 10);
    for rule in rules {
        let (selectors, _) = rule.split_once('{').expect("a rule");
        assert!(selectors.split(',').all(|selector| selector.starts_with(".bindery-erd ")), "{rule}");
    }
}

#[test]
fn one_is_not_several() {
    assert!(
        exported("svg", &database(vec![table("goods", &[])])).text.contains("<desc>1 table, 0 foreign keys</desc>")
    );
    let two = exported("svg", &database(vec![table("goods", &["makers"]), table("makers", &[])])).text;
    assert!(two.contains("<desc>2 tables, 1 foreign key</desc>"));
}

#[test]
fn what_is_cut_is_whole_to_who_points_at_it() {
    let mut goods = table("goods", &[]);
    let long = "x".repeat(60);
    goods.columns.push(column(&format!("{long}1"), true));
    goods.columns.push(column(&format!("{long}2"), true));
    goods.columns[1].data_type.text = format!("enum('{}')", "y".repeat(40));
    let svg = exported("svg", &database(vec![goods])).text;
    let document = Document::parse(&svg).expect("XML");
    let texts = document.descendants().filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "text")));
    let titles: Vec<&str> = texts.filter_map(|text| text.first_element_child()?.text()).collect();
    assert_eq!(titles, [format!("enum('{}')", "y".repeat(40)), format!("{long}1"), format!("{long}2")]);
}

#[test]
fn a_dot_in_the_title_of_a_table_is_told_from_the_one_in_between() {
    let mut both = database(vec![table("x.y", &[])]);
    let mut other = Namespace::new("x");
    other.relations.push(table("y", &[]));
    both.namespaces.push(other);
    let svg = exported("svg", &both).text;
    assert!(svg.contains(">x\\.y</text>") && svg.contains(">x.y</text>"), "{svg}");
}

/// The lines of the columns of one table in Mermaid.
fn mermaid_columns(table: Relation) -> Vec<String> {
    let text = exported("mermaid", &database(vec![table])).text;
    text.lines().filter(|line| line.starts_with("        ")).map(|line| line.trim().to_owned()).collect()
}

#[test]
fn a_word_that_mermaid_shows_in_another_way_has_its_name_beside_it() {
    let mut goods = table("goods", &[]);
    goods.columns = vec![column("_z_", true), column("a", true), column(" ", true), column("_y", true)];
    goods.columns[1].data_type.text = "_t_".to_owned();
    goods.columns[3].data_type.text = "PK".to_owned();
    goods.primary_key = None;
    assert_eq!(
        mermaid_columns(goods),
        [r##"bigint _z_ "#95;z#95;""##, r##"_t_ a "#95;t#95;""##, r##"bigint _x0020_ "#32;""##, r#"_PK _y "PK""#]
    );
}

#[test]
fn what_mermaid_would_not_draw_is_less_and_says_so() {
    let wide = |number: usize| {
        let mut wide = table(&format!("t{number}"), &[]);
        wide.columns.extend((0..100).map(|at| column(&format!("column_{at}"), true)));
        wide
    };
    let parts = |tables: usize| {
        let found = exported("mermaid", &database((0..tables).map(wide).collect()));
        let parts: Vec<String> = found.omissions.into_iter().map(|omission| omission.part).collect();
        (found.text.len() > 50_000, found.text.contains("column_7"), parts)
    };
    assert_eq!(parts(15), (false, true, Vec::new()));
    assert_eq!(parts(30), (false, false, vec!["columns".to_owned()]));
    assert_eq!(parts(1500), (true, false, vec!["columns".to_owned(), "diagram".to_owned()]));
}

#[test]
fn what_has_no_name_is_not_in_dbml_and_all_else_is() {
    let mut goods = table("goods", &[]);
    goods.columns.push(column("", false));
    goods.primary_key = Some(key(&["id", ""]));
    goods.foreign_keys.push(leads("", "goods"));
    let mut nameless = table("nameless", &[]);
    nameless.columns = vec![column("", true)];
    nameless.primary_key = None;
    let mut both = database(vec![goods, nameless]);
    both.namespaces[0].types.push(UserType {
        name: "mood".to_owned(),
        kind: UserTypeKind::Enumeration { labels: vec![String::new(), "good".to_owned()] },
        owner: None,
        comment: None,
        grants: Vec::new(),
    });
    let found = exported("dbml", &both);
    assert!(!found.text.contains("\"\"") && !found.text.contains("nameless"), "{}", found.text);
    assert!(found.text.contains("\"id\"") && found.text.contains("\"good\""), "{}", found.text);
    let parts: Vec<&str> = found.omissions.iter().map(|omission| omission.part.as_str()).collect();
    assert_eq!(parts, ["label \"\"", "column \"\"", "primary key", "table", "foreign key _key"]);
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
    assert_eq!((of_class(&document, "erd-stub").len(), of_class(&document, "erd-link").len()), (1, 1));
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
    assert_eq!(of_class(&document, "erd-link").len(), keys);
    assert_eq!(boxes(&document).len(), 1000);
    nothing_overlaps(&document);
    assert_eq!(svg, exported("svg", &large).text, "it is drawn in the same way each time");
}
