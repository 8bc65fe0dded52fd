//! Scripts for SQL Server: batches as its clients cut them, whatever names and texts the server has told. They need no server, and so are not
//! called as those are that do.

mod dump;
mod hostile;

use schema_export::{Export, Exporter, SqlExporter, SqlOptions};
use schema_model::{
    Check, Column, DataType, Database, Grant, Index, IndexPart, ObjectName, PartTarget, Reading, Relation,
    RelationKind, Routine, TypeFamily, Unavailable,
};

use super::{exported, sqlserver};

#[track_caller]
fn relation<'a>(database: &'a mut Database, name: &str) -> &'a mut Relation {
    let shop = shop(database);
    shop.relations.iter_mut().find(|relation| relation.name == name).expect("the relation")
}

#[track_caller]
fn shop(database: &mut Database) -> &mut schema_model::Namespace {
    database.namespaces.iter_mut().find(|namespace| namespace.name == "shop").expect("the shop")
}

fn routine<'a>(database: &'a mut Database, name: &str) -> &'a mut Routine {
    shop(database).routines.iter_mut().find(|routine| routine.name == name).expect("the routine")
}

fn known(text: &str) -> Reading<String> {
    Reading::Known(text.to_owned())
}

/// What is sent to the server at once: a client cuts at each line that has the word alone, wherever it stands.
fn batches(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in text.split_inclusive('\n') {
        let word = line.trim();
        if word.len() >= 2 && word.is_char_boundary(2) && word[..2].eq_ignore_ascii_case("go") {
            let rest = word[2..].trim();
            if rest.is_empty() || rest.chars().all(|one| one.is_ascii_digit()) {
                found.push(text[start..at].trim_end_matches('\n'));
                start = at + line.len();
            }
        }
        at += line.len();
    }
    assert_eq!(&text[start..], "", "each batch has its end");
    found
}

/// Of which objects which parts are not there.
fn left_out(export: &Export) -> Vec<(&str, &str)> {
    let omissions = export.omissions.iter();
    omissions.filter_map(|one| Some((one.object.as_ref()?.name.as_str(), one.part.as_str()))).collect()
}

/// What is left out of the sample, whatever is done to it.
const ALWAYS: [(&str, &str); 6] = [
    ("goods", "index goods_note"),
    ("makers", "policy shop.own_country#1"),
    ("makers", "policy shop.own_country#2"),
    ("sales", "key sales_pk: partition_scheme by_year_all"),
    ("sales", "partitioning"),
    ("secret", "definition"),
];

/// What is left out besides.
#[track_caller]
fn besides(export: &Export) -> Vec<(&str, &str)> {
    let found = left_out(export);
    for one in ALWAYS {
        assert!(found.contains(&one), "{one:?} in {found:?}");
    }
    found.into_iter().filter(|one| !ALWAYS.contains(one) && *one != ("secret", "trigger no_deletes")).collect()
}

#[test]
fn a_module_stands_alone_in_its_batch() {
    let found = exported("sql", &sqlserver());
    for batch in batches(&found.text) {
        let kinds = ["VIEW", "FUNCTION", "PROCEDURE", "TRIGGER"].map(|kind| format!("CREATE {kind} "));
        if kinds.iter().any(|kind| batch.contains(kind)) {
            assert!(kinds.iter().any(|kind| batch.starts_with(kind)), "{batch}");
        }
        assert_eq!(batch.starts_with("--"), batch.lines().all(|line| line.starts_with("--")), "{batch}");
    }
    assert_eq!(besides(&found), []);
}

#[test]
fn what_could_not_be_read_is_left_out_with_what_needs_it() {
    let mut database = sqlserver();
    let locked = || Reading::unavailable(Unavailable::Locked);
    let goods = relation(&mut database, "goods");
    goods.columns[1].default = Some(locked());
    goods.columns[3].generated.as_mut().expect("computed").expression = locked();
    goods.checks[0].expression = locked();
    goods.triggers[0].definition = locked();
    goods.indexes[0].predicate = Some(locked());
    relation(&mut database, "makers").kind = RelationKind::ForeignTable;
    relation(&mut database, "prices_history").native.insert("memory_optimized".to_owned(), true.into());
    routine(&mut database, "may_see").definition = Some(locked());
    let found = exported("sql", &database);
    let parts = left_out(&found);
    for one in [
        ("cheap", "definition"),
        ("goods", "check cheap_enough"),
        ("goods", "column code: default"),
        ("goods", "column doubled: generated"),
        ("goods", "foreign key made_by"),
        ("goods", "index goods_made"),
        ("goods", "trigger touched"),
        ("makers", "table"),
        ("may_see", "routine (@country char(2))"),
        ("prices", "system versioning"),
        ("prices_history", "table"),
    ] {
        assert!(parts.contains(&one), "{one:?} in {parts:?}");
    }
    assert_eq!(found.text.matches("-- left out: ").count(), parts.len());
    assert!(!found.text.contains("NOCHECK CONSTRAINT [cheap_enough]"), "it is not there");
}

#[test]
fn constraints_are_as_they_were() {
    let text = exported("sql", &sqlserver()).text;
    for statement in [
        "[price] decimal(10,2) NULL CONSTRAINT [goods_price] CHECK ([price]>=(0)),",
        "ALTER TABLE [shop].[goods] NOCHECK CONSTRAINT [cheap_enough]\nGO\nALTER TABLE [shop].[goods] WITH NOCHECK CHECK CONSTRAINT [cheap_enough]\nGO",
        "ALTER TABLE [shop].[goods] WITH NOCHECK ADD CONSTRAINT [goods_parent] FOREIGN KEY",
        "ALTER TABLE [shop].[goods] NOCHECK CONSTRAINT [goods_parent]",
        "WITH CHECK ADD CONSTRAINT [made_by] FOREIGN KEY ([maker_number], [maker_country]) REFERENCES [shop].[makers] ([number], [country]) ON DELETE SET NULL ON UPDATE CASCADE",
        "CONSTRAINT [makers_name] UNIQUE CLUSTERED ([name] DESC)",
    ] {
        assert!(text.contains(statement), "{statement}");
    }
    let disabled = text.find("ALTER INDEX [goods_old] ON [shop].[goods] DISABLE").expect("it is off");
    assert!(disabled > text.find("CREATE TRIGGER").expect("a trigger"), "behind what might read the table");
}

#[test]
fn a_table_has_its_past_before_anybody_asks_for_it() {
    let text = exported("sql", &sqlserver()).text;
    let at = |words: &str| text.find(words).unwrap_or_else(|| panic!("{words}"));
    assert!(text.contains("[valid_from] datetime2(7) GENERATED ALWAYS AS ROW START NOT NULL"));
    let versioning =
        at("ALTER TABLE [shop].[prices] SET (SYSTEM_VERSIONING = ON (HISTORY_TABLE = [shop].[prices_history]))");
    assert!(at("CREATE CLUSTERED INDEX [ix_prices_history]") < versioning && versioning < at("CREATE VIEW"));
}

#[test]
fn a_module_keeps_the_settings_that_it_was_made_under() {
    let mut database = sqlserver();
    let sweep = routine(&mut database, "sweep");
    sweep.native.insert("quoted_identifier_off".to_owned(), true.into());
    sweep.native.insert("ansi_nulls_off".to_owned(), true.into());
    let text = exported("sql", &database).text;
    let before = "SET ANSI_NULLS OFF\nGO\nSET QUOTED_IDENTIFIER OFF\nGO\nCREATE PROCEDURE shop.sweep ";
    let behind = "SET @count = 0\nGO\nSET ANSI_NULLS ON\nGO\nSET QUOTED_IDENTIFIER ON\nGO\n";
    assert!(text.contains(before) && text.contains(behind), "{text}");
    assert_eq!(text.matches(" OFF\nGO").count(), 3, "NUMERIC_ROUNDABORT is off as well");
}

#[test]
fn what_was_renamed_is_made_under_its_name() {
    let mut database = sqlserver();
    relation(&mut database, "cheap").definition = Some(known("CREATE VIEW cheapest AS SELECT 1 AS a"));
    relation(&mut database, "goods").triggers[0].definition =
        known("/* as ever */ CREATE TRIGGER old_one ON things AFTER DELETE AS RETURN");
    let found = exported("sql", &database);
    assert!(found.text.contains("\nGO\nCREATE VIEW [shop].[cheap] AS SELECT 1 AS a\nGO\n"), "{}", found.text);
    assert!(found.text.contains("/* as ever */ CREATE TRIGGER [shop].[touched] ON [shop].[goods] AFTER DELETE"));
    assert_eq!(besides(&found), []);
}

#[test]
fn views_and_functions_come_behind_what_they_name() {
    let mut database = sqlserver();
    let mut view = relation(&mut database, "cheap").clone();
    "a_first".clone_into(&mut view.name);
    view.definition = Some(known("CREATE VIEW shop.a_first AS SELECT code FROM shop.of_all(1)"));
    view.uses = vec![ObjectName::new("shop", "of_all")];
    shop(&mut database).relations.insert(0, view);
    let mut function = routine(&mut database, "of_maker").clone();
    "of_all".clone_into(&mut function.name);
    function.definition =
        Some(known("CREATE FUNCTION shop.of_all (@n int) RETURNS TABLE AS RETURN (SELECT code FROM CHEAP)"));
    shop(&mut database).routines.push(function);
    let text = exported("sql", &database).text;
    let at = |words: &str| text.find(words).unwrap_or_else(|| panic!("{words}"));
    assert!(at("CREATE VIEW shop.cheap") < at("CREATE FUNCTION shop.of_all"));
    assert!(at("CREATE FUNCTION shop.of_all") < at("CREATE VIEW shop.a_first"));
    assert!(at("CREATE FUNCTION shop.twice") < at("CREATE TABLE [shop].[goods]"), "a table may call it");
}

#[test]
fn views_that_use_each_other_are_left_out() {
    let mut database = sqlserver();
    let mut view = relation(&mut database, "cheap").clone();
    "dear".clone_into(&mut view.name);
    view.uses = vec![ObjectName::new("shop", "cheap")];
    shop(&mut database).relations.push(view);
    relation(&mut database, "cheap").uses = vec![ObjectName::new("shop", "dear")];
    assert_eq!(besides(&exported("sql", &database)), [("cheap", "definition"), ("dear", "definition")]);
}

#[test]
fn what_calls_a_function_waits_for_it() {
    let mut database = more();
    relation(&mut database, "seen").columns.truncate(1);
    let found = exported("sql", &database);
    let at = |words: &str| found.text.find(words).unwrap_or_else(|| panic!("{words} in {}", found.text));
    let made = at("CREATE FUNCTION shop.twice");
    assert!(made > at("CREATE TABLE [shop].[goods]"), "it names the table");
    assert!(at("ADD CONSTRAINT [goods_code] DEFAULT ([shop].[Twice]((1))) FOR [code]") > made);
    let check = at("WITH CHECK ADD CONSTRAINT [goods_price] CHECK ([shop].[twice]([price])>(0))");
    assert!(check > made && at("NOCHECK CONSTRAINT [goods_price]") > check && at("N'it''s late'") > check);
    assert_eq!(besides(&found), []);
    routine(&mut database, "twice").definition = Some(known("DROP TABLE victim"));
    relation(&mut database, "goods").columns[3].generated.as_mut().expect("computed").expression =
        known("([shop].[twice]([price]))");
    let found = exported("sql", &database);
    assert_eq!(
        besides(&found),
        [
            ("goods", "check goods_price"),
            ("goods", "column code: default"),
            ("goods", "column doubled: generated"),
            ("twice", "routine (@n int, @times tinyint)")
        ]
    );
    assert!(!found.text.contains("victim"));
}

#[test]
fn owners_and_permissions_are_left_to_who_asks() {
    let mut database = sqlserver();
    relation(&mut database, "goods").owner = Some("ann]".to_owned());
    relation(&mut database, "goods").grants = vec![Grant {
        grantee: Some("it's".to_owned()),
        grantor: Some("bob".to_owned()),
        privileges: vec!["SELECT".to_owned(), "SELECT TO x; --".to_owned()],
        grantable: Vec::new(),
    }];
    let found = exported("sql", &database);
    for statement in [
        "CREATE SCHEMA [shop] AUTHORIZATION [dbo]\nGO",
        "ALTER AUTHORIZATION ON OBJECT::[shop].[goods] TO [ann]]]\nGO",
        "GRANT SELECT ON OBJECT::[shop].[goods] TO [it's]\nGO",
        "GRANT INSERT, SELECT ON OBJECT::[shop].[makers] TO [public]\nGO",
        "GRANT UPDATE ([name]) ON OBJECT::[shop].[makers] TO [public]\nGO",
        "DENY DELETE ON OBJECT::[shop].[makers] TO [readers]\nGO",
        "GRANT EXECUTE ON OBJECT::[shop].[twice] TO [readers] WITH GRANT OPTION\nGO",
        "GRANT SELECT ON SCHEMA::[shop] TO [readers]\nGO",
    ] {
        assert!(found.text.contains(statement), "{statement} in {}", found.text);
    }
    assert_eq!(besides(&found), [("goods", "grant to it's"), ("goods", "grant to it's: SELECT TO x; --")]);
    let options = SqlOptions::default().without_owners().without_grants();
    let text = SqlExporter::new(options).export(&database).expect("written").text;
    for word in ["AUTHORIZATION", "GRANT", "DENY"] {
        assert!(!text.contains(word), "{word}");
    }
}

#[test]
fn what_is_denied_on_a_sequence_or_a_type_is_denied_again() {
    let mut database = sqlserver();
    let denied = serde_json::json!({ "phone": ["REFERENCES TO a TO b"], "tickets": ["UPDATE TO readers", "x TO y"] });
    shop(&mut database).native.insert("denied_on".to_owned(), denied);
    let found = exported("sql", &database);
    assert!(found.text.contains("DENY REFERENCES ON TYPE::[shop].[phone] TO [a TO b]\nGO"), "{}", found.text);
    assert!(found.text.contains("DENY UPDATE ON OBJECT::[shop].[tickets] TO [readers]\nGO"), "{}", found.text);
    assert_eq!(besides(&found), [("tickets", "denied x TO y")]);
}

/// The sample, and what columns and modules may have besides.
fn more() -> Database {
    let mut database = sqlserver();
    let mut column = |name: &str, of: &str, facts: &[&str]| {
        let native = facts.iter().map(|fact| ((*fact).to_owned(), true.into())).collect();
        let column = Column { native, ..Column::new(name, 1, DataType::new(of, TypeFamily::Other)) };
        relation(&mut database, "seen").columns.push(column);
    };
    column("thin", "int", &["sparse", "masked"]);
    column("all", "xml", &["column_set"]);
    column("typed", "xml(CONTENT shop.[order v2])", &[]);
    column("kept", "varbinary(max)", &["filestream"]);
    routine(&mut database, "twice").definition = Some(known(
        "CREATE FUNCTION shop.twice (@n int) RETURNS bigint AS BEGIN RETURN (SELECT COUNT(*) FROM shop.goods) END",
    ));
    let goods = relation(&mut database, "goods");
    goods.columns[1].default = Some(known("([shop].[Twice]((1)))"));
    goods.checks[1].expression = known("([shop].[twice]([price])>(0))");
    goods.checks[1].enforced = false;
    goods.checks[1].comment = Some("it's late".to_owned());
    goods.owner = Some("ann]".to_owned());
    database
}

#[test]
fn columns_have_what_the_model_says_of_them() {
    let mut database = more();
    let found = exported("sql", &database);
    for line in ["  [thin] int SPARSE NULL,", "  [all] xml COLUMN_SET FOR ALL_SPARSE_COLUMNS,", "  [typed] xml NULL,"] {
        assert!(found.text.contains(line), "{line} in {}", found.text);
    }
    for line in [
        "  [id] bigint IDENTITY(100, 10) NOT NULL,",
        "  [code] varchar(12) NOT NULL,",
        "  [doubled] AS (CONVERT([decimal](12,2),[price]*(2))) PERSISTED,",
        "  [phone] [shop].[phone] NOT NULL,",
        "  [row_guid] uniqueidentifier CONSTRAINT [goods_guid] DEFAULT (newsequentialid()) NOT NULL ROWGUIDCOL,",
        "  [name] nvarchar(100) COLLATE Latin1_General_BIN2 NOT NULL,",
    ] {
        assert!(found.text.contains(line), "{line} in {}", found.text);
    }
    let seen = ["column kept: filestream", "column thin: masked", "column typed"].map(|part| ("seen", part));
    assert_eq!(besides(&found), seen);
    for of in ["vector", "", "int) DROP TABLE victim --"] {
        relation(&mut database, "seen").columns[1].data_type.text = of.to_owned();
        assert!(left_out(&exported("sql", &database)).contains(&("seen", "table")), "{of}");
    }
}

#[test]
fn indexes_of_other_kinds_are_left_out() {
    let mut database = sqlserver();
    let part = || IndexPart::new(PartTarget::Column("country".to_owned()));
    let seen = relation(&mut database, "seen");
    for (name, method) in [("a", "SPATIAL"), ("b", "FULLTEXT"), ("c", "NONCLUSTERED HASH"), ("d", "x] y"), ("e", "")] {
        seen.indexes.push(Index::new(name, method, vec![part()]));
    }
    seen.indexes.push(Index { unique: true, ..Index::new("f", "NONCLUSTERED COLUMNSTORE", Vec::new()) });
    seen.checks.push(Check {
        name: None,
        expression: known("(1=1)"),
        columns: Vec::new(),
        validated: false,
        enforced: true,
        inherited: false,
        comment: Some("why".to_owned()),
    });
    let found = exported("sql", &database);
    let parts = ["check ", "constraint : comment", "index a", "index b", "index c", "index d", "index e", "index f"];
    assert_eq!(besides(&found), parts.map(|part| ("seen", part)));
    assert!(!found.text.contains("x] y"), "{}", found.text);
}
