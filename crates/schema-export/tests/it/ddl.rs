use schema_export::{Export, Exporter, Omission, SqlExporter, SqlOptions};
use schema_model::{Grant, Key, ObjectName, PartTarget, Reading, Relation, RelationKind, RoutineKind, Unavailable};

use super::{exported, mariadb, mysql, postgres, sqlite};

#[track_caller]
fn relation<'a>(database: &'a mut schema_model::Database, name: &str) -> &'a mut Relation {
    let namespace = database.namespaces.iter_mut().find(|namespace| namespace.name == "shop").expect("the shop");
    namespace.relations.iter_mut().find(|relation| relation.name == name).expect("the relation")
}

/// Of which objects which parts are not there.
fn left_out(export: &Export) -> Vec<(&str, &str)> {
    let omissions = export.omissions.iter();
    omissions.filter_map(|one| Some((one.object.as_ref()?.name.as_str(), one.part.as_str()))).collect()
}

#[test]
fn what_could_not_be_read_is_a_comment_and_an_omission() {
    let mut database = postgres();
    let locked = || Reading::unavailable(Unavailable::Locked);
    let goods = relation(&mut database, "goods");
    goods.columns[1].default = Some(locked());
    goods.columns[10].generated.as_mut().expect("generated").expression = locked();
    goods.checks[0].expression = locked();
    goods.triggers[0].definition = locked();
    goods.indexes[4].parts[0].target = PartTarget::Expression(locked());
    relation(&mut database, "cheap_goods").definition = Some(locked());
    relation(&mut database, "makers").row_security.as_mut().expect("policies").policies[0].using = Some(locked());
    relation(&mut database, "sales").partitioning.as_mut().expect("parts").partitions[0].bound = locked();
    let found = exported("sql", &database);
    let parts: Vec<(&str, &str)> = found
        .omissions
        .iter()
        .map(|Omission { object, part, .. }| {
            (object.as_ref().map(|object| object.name.as_str()).unwrap_or_default(), part.as_str())
        })
        .collect();
    assert_eq!(
        parts,
        [
            ("cheap_goods", "definition"),
            ("goods", "check cheap"),
            ("goods", "column code: default"),
            ("goods", "column doubled: generated"),
            ("goods", "index goods_words"),
            ("goods", "trigger emptied"),
            ("makers", "policy own_country"),
            ("sales_2025", "bound"),
            ("sales_2025_eu", "table"),
        ]
    );
    assert_eq!(found.omissions.iter().filter(|omission| omission.reason.contains("lock")).count(), 8);
    assert_eq!(found.text.matches("-- left out: ").count(), 9);
    assert!(!found.text.contains("cheap_goods\" AS") && !found.text.contains("CREATE POLICY"));
}

#[test]
fn what_needs_something_that_is_not_made_is_not_made_either() {
    let mut database = postgres();
    relation(&mut database, "makers").kind = RelationKind::ForeignTable;
    let found = exported("sql", &database);
    let told = |name: &str, part: &str| {
        let object = Some(ObjectName::new("shop", name));
        found.omissions.iter().any(|omission| omission.object == object && omission.part == part)
    };
    assert!(told("makers", "table"));
    assert!(told("goods", "foreign key made_by"), "it leads there");
    assert!(told("cheap_goods", "definition"), "it reads from there");
    assert!(!found.text.contains("CREATE VIEW"));
}

/// Views, conditions and routines whose text is understood when they are made, and all that needs those.
#[test]
fn what_calls_a_routine_that_could_not_be_read_is_not_made() {
    let mut database = postgres();
    let shop = database.namespaces.iter_mut().find(|namespace| namespace.name == "shop").expect("the shop");
    let mut routine = shop.routines.iter().find(|routine| routine.name == "twice").expect("a routine").clone();
    "caller".clone_into(&mut routine.name);
    let text = "CREATE OR REPLACE FUNCTION shop.caller()\n RETURNS integer\n LANGUAGE sql\nRETURN shop.twice(1)\n";
    (routine.arguments, routine.definition) = (String::new(), Some(Reading::Known(text.to_owned())));
    let mut opaque = routine.clone();
    "later".clone_into(&mut opaque.name);
    let text =
        "CREATE OR REPLACE FUNCTION shop.later()\n RETURNS integer\n LANGUAGE sql\nAS $$SELECT shop.twice(1)$$\n";
    opaque.definition = Some(Reading::Known(text.to_owned()));
    shop.routines.extend([routine, opaque]);
    for routine in shop.routines.iter_mut().filter(|routine| routine.name == "twice") {
        routine.definition = Some(Reading::unavailable(Unavailable::TooLong));
    }
    relation(&mut database, "cheap_goods").definition = Some(Reading::Known("SELECT shop.caller()".to_owned()));
    let base = relation(&mut database, "base");
    base.columns[0].default = Some(Reading::Known("shop.twice(2)".to_owned()));
    let found = exported("sql", &database);
    let told: Vec<String> = found.omissions.iter().map(|one| format!("{}: {}", one.part, one.reason)).collect();
    for expected in [
        "definition: it uses shop.caller, which is not made",
        "routine (): it uses shop.twice, which is not made",
        "column a: default: it uses shop.twice, which is not made",
    ] {
        assert!(told.iter().any(|told| told == expected), "{expected}: {told:#?}");
    }
    assert!(found.text.contains("FUNCTION shop.later()"), "its text is looked into when it is called");
    assert!(!found.text.contains("FUNCTION shop.caller()") && !found.text.contains("DEFAULT shop.twice"));
}

#[test]
fn views_come_behind_the_views_that_they_use() {
    let mut database = postgres();
    // `a_first` comes first by its name.
    let mut view = Relation::new("a_first", RelationKind::View);
    view.definition = Some(Reading::Known("SELECT id FROM shop.cheap_goods".to_owned()));
    view.uses = vec![ObjectName::new("shop", "cheap_goods")];
    database.namespaces[2].relations.insert(0, view);
    let text = exported("sql", &database).text;
    let at = |words: &str| text.find(words).expect("it is made");
    assert!(at("VIEW \"shop\".\"cheap_goods\"") < at("VIEW \"shop\".\"a_first\""));
}

#[test]
fn views_that_use_each_other_are_left_out() {
    let mut database = postgres();
    relation(&mut database, "cheap_goods").uses = vec![ObjectName::new("shop", "totals")];
    relation(&mut database, "totals").uses = vec![ObjectName::new("shop", "cheap_goods")];
    let found = exported("sql", &database);
    let circular = found.omissions.iter().filter(|omission| omission.reason.contains("circle"));
    assert_eq!(circular.count(), 2);
}

#[test]
fn owners_and_grants_are_left_to_who_asks() {
    let options = SqlOptions::default().without_owners().without_grants();
    let text = SqlExporter::new(options).export(&postgres()).expect("written").text;
    assert!(!text.contains("OWNER TO") && !text.contains("GRANT") && !text.contains("REVOKE"));
    let text = exported("sql", &postgres()).text;
    assert!(text.contains("OWNER TO") && text.contains("GRANT UPDATE (\"name\")"));
}

#[test]
fn an_index_that_is_not_valid_is_not_made_valid() {
    let mut database = postgres();
    relation(&mut database, "goods").indexes[1].valid = false;
    let found = exported("sql", &database);
    assert_eq!(found.omissions[0].part, "index goods_feels");
    assert!(!found.text.contains("CREATE INDEX \"goods_feels\""));
}

#[test]
fn sqlite_is_written_from_the_model_where_no_statement_was_kept() {
    let mut database = sqlite();
    for relation in &mut database.namespaces[0].relations {
        relation.native.remove("sql");
    }
    let found = exported("sql", &database);
    insta::assert_snapshot!("sqlite-sql-of-the-model", found.text);
    assert_eq!(found.omissions.len(), 1, "a virtual table is its statement");
}

#[test]
fn what_of_mysql_and_mariadb_could_not_be_read_is_left_out_with_what_needs_it() {
    for mut database in [mysql(), mariadb()] {
        let broken = || Reading::unavailable(Unavailable::Broken);
        let makers = relation(&mut database, "makers");
        makers.columns.clear();
        makers.native.insert("unavailable".to_owned(), "locked".into());
        let goods = relation(&mut database, "goods");
        goods.columns[4].default = Some(broken());
        goods.columns[21].generated.as_mut().expect("generated").expression = broken();
        let odd = goods.checks.iter_mut().find(|check| check.name.as_deref() == Some("odd `check"));
        odd.expect("the condition").expression = broken();
        goods.triggers[1].definition = broken();
        goods.indexes[1].parts[0].target = PartTarget::Expression(broken());
        relation(&mut database, "regions").partitioning.as_mut().expect("parts").partitions[1].bound = broken();
        let shop = database.namespaces.last_mut().expect("the shop");
        shop.routines[0].definition = Some(broken());
        shop.events[1].definition = broken();
        let found = exported("sql", &database);
        assert_eq!(
            left_out(&found),
            [
                ("cheap_makers", "definition"),
                ("goods", "check odd `check"),
                ("goods", "column doubled: generated"),
                ("goods", "column label: default"),
                ("goods", "foreign key made_by"),
                ("goods", "index based_on"),
                ("goods", "trigger goods_first"),
                ("makers", "table"),
                ("once", "event"),
                ("south", "bound"),
                ("twice", "routine (IN n int, OUT m decimal(5,2), INOUT k varchar(3))")
            ]
            .map(|(name, part)| match (name, database.engine.as_str()) {
                ("twice", "mariadb") => (name, "routine (IN n int(11), OUT m decimal(5,2), INOUT k varchar(3))"),
                _ => (name, part),
            })
        );
        assert_eq!(found.text.matches("-- left out: ").count(), left_out(&found).len());
    }
}

#[test]
fn definers_and_grants_of_mysql_are_left_to_who_asks() {
    let mut database = mysql();
    relation(&mut database, "log").grants = vec![Grant {
        grantee: Some("'ann'@'%'".to_owned()),
        grantor: None,
        privileges: vec!["INSERT".to_owned(), "SELECT".to_owned()],
        grantable: vec!["SELECT".to_owned()],
    }];
    let options = SqlOptions::default().without_owners().without_grants();
    let text = SqlExporter::new(options).export(&database).expect("written").text;
    assert!(!text.contains("DEFINER =") && !text.contains("GRANT"), "{text}");
    let text = exported("sql", &database).text;
    assert!(text.contains("CREATE DEFINER = `root`@`%` TRIGGER"), "{text}");
    assert!(text.contains("GRANT INSERT ON `shop`.`log` TO `ann`@`%`;"), "{text}");
    assert!(text.contains("GRANT SELECT ON `shop`.`log` TO `ann`@`%` WITH GRANT OPTION;"), "{text}");
}

#[test]
fn views_of_mariadb_come_behind_the_views_that_their_queries_name() {
    let mut database = mariadb();
    let mut view = relation(&mut database, "cheap").clone();
    "a_first".clone_into(&mut view.name);
    view.definition = Some(Reading::Known("select `c`.`id` AS `id` from `shop`.`cheap_makers` `c`".to_owned()));
    database.namespaces[0].relations.insert(0, view);
    let text = exported("sql", &database).text;
    let at = |name: &str| text.find(&format!("VIEW `shop`.`{name}`")).expect("it is made");
    assert!(at("cheap") < at("cheap_makers") && at("cheap_makers") < at("a_first"));
}

#[test]
fn a_view_that_calls_a_function_that_is_left_out_is_left_out_too() {
    for mut database in [mysql(), mariadb()] {
        let broken = Reading::unavailable(Unavailable::Broken);
        let mut view = relation(&mut database, "cheap").clone();
        "calling".clone_into(&mut view.name);
        view.definition = Some(Reading::Known("select `Twice`(1,'a') AS `n`".to_owned()));
        database.namespaces[0].relations.push(view);
        assert_eq!(left_out(&exported("sql", &database)), []);
        let functions = database.namespaces[0].routines.iter_mut();
        let mut functions = functions.filter(|routine| routine.kind == RoutineKind::Function);
        functions.next().expect("a function").definition = Some(broken);
        let found = exported("sql", &database);
        assert_eq!(left_out(&found).iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["calling", "twice"]);
        assert_eq!(found.omissions[0].reason, "it calls shop.twice, which is not made");
        assert!(!found.text.contains("VIEW `shop`.`calling`"), "{}", found.text);
    }
}

#[test]
fn a_key_of_mysql_that_has_no_name_is_made() {
    let mut database = mysql();
    let log = relation(&mut database, "log");
    log.unique.push(Key::new(["id"]));
    let found = exported("sql", &database);
    assert_eq!(left_out(&found), []);
    assert!(found.text.contains("  UNIQUE KEY (`id`)"), "{}", found.text);
}

#[test]
fn what_mysql_and_mariadb_cannot_be_told_is_left_out() {
    let mut database = mariadb();
    relation(&mut database, "log").kind = RelationKind::ForeignTable;
    relation(&mut database, "old_engine").native.insert("engine".to_owned(), "MRG_MyISAM".into());
    let placed = relation(&mut database, "goods").indexes.iter_mut().find(|index| index.name == "placed");
    "VECTOR".clone_into(&mut placed.expect("an index").method);
    let dated = relation(&mut database, "dated").partitioning.as_mut().expect("parts");
    dated.partitions[0].bound = Reading::Known("2026-01-01 00:00:00".to_owned());
    let shop = &mut database.namespaces[0];
    shop.routines[0].native.insert("sql_mode".to_owned(), "PIPES_AS_CONCAT,ORACLE".into());
    "PYTHON".clone_into(&mut shop.routines[1].language);
    let found = exported("sql", &database);
    let routines = [0, 1].map(|number| format!("routine ({})", database.namespaces[0].routines[number].arguments));
    assert_eq!(
        left_out(&found),
        [
            ("goods", "index placed"),
            ("log", "table"),
            ("old_engine", "table"),
            ("orphan", "definition"),
            ("past", "bound"),
            ("twice", routines[0].as_str()),
            ("twice", routines[1].as_str())
        ]
    );
}
