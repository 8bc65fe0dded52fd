use std::time::Duration;

use connection_manager::egress::{EgressConfig, SessionLimits};
use schema_diff::{Verdict, compare};
use schema_export::Exporters;
use schema_inspect::{InspectError, InspectOptions};
use schema_lint::Lints;
use schema_model::{Database, ObjectName, Reading, Unavailable};

use super::Scripted;
use super::answers::Answers;
use crate::sqlserver::told;

/// The same model is expected of a real server: see `sqlserver::model`.
#[test]
fn everything_in_the_sample_is_told() {
    testkit::run(async {
        let scripted = Scripted::new(&Answers::of_the_sample()).await;
        let found = scripted.inspect().await;
        told(found.database);
        let gaps: Vec<String> = found
            .report
            .gaps
            .iter()
            .map(|gap| format!("{} {}", gap.object.as_ref().map(ToString::to_string).unwrap_or_default(), gap.part))
            .collect();
        assert_eq!(gaps, ["shop.secret definition"], "which is encrypted");
        assert_eq!(scripted.server.violations(), [""; 0]);
    });
}

#[test]
fn ten_questions_are_asked_in_one_transaction_whatever_there_is() {
    testkit::run(async {
        for answers in [Answers::of_the_sample(), Answers::of_nothing()] {
            let scripted = Scripted::new(&answers).await;
            let found = scripted.inspect().await;
            assert_eq!(found.report.statements, 12);
            let stages: Vec<&str> = found.report.stages.iter().map(|stage| stage.name.as_str()).collect();
            assert_eq!(
                stages,
                [
                    "begin",
                    "database",
                    "namespaces",
                    "objects",
                    "columns",
                    "constraints",
                    "indexes",
                    "triggers",
                    "definitions",
                    "uses",
                    "statistics",
                    "end"
                ]
            );
            let received = scripted.server.received();
            let questions: Vec<_> = received.iter().filter(|one| one.statement.text.contains("SELECT")).collect();
            assert_eq!(questions.len(), 10);
            for question in questions {
                assert!(question.in_transaction, "{question:?}");
                assert!(question.statement.text.starts_with("SET LOCK_TIMEOUT 100; SELECT "), "{question:?}");
                assert!(!question.statement.text.contains("NOLOCK"), "{question:?}");
            }
        }
    });
}

/// Such a session sends one SELECT, and nothing before it but how long to wait.
#[test]
fn a_connection_from_outside_that_only_reads_is_inspected_as_any_other() {
    testkit::run(async {
        let answers = Answers::of_the_sample();
        let guarded = Scripted::with(&answers, |settings| settings.with_egress(EgressConfig::open().egress([]))).await;
        let found = guarded.inspect().await;
        assert_eq!(found.database, Scripted::new(&answers).await.inspect().await.database);
        assert_eq!(found.report.statements, 12);
    });
}

/// Whoever allows such sessions little has them refuse more, and not wait.
#[test]
fn a_connection_from_outside_is_asked_to_wait_no_longer_than_it_may() {
    testkit::run(async {
        let limits = SessionLimits { lock_wait: Duration::from_millis(50), ..SessionLimits::default() };
        let egress = EgressConfig::open().egress([]).with_limits(limits);
        let guarded = Scripted::with(&Answers::of_the_sample(), |settings| settings.with_egress(egress)).await;
        let error = guarded.try_inspect(&InspectOptions::default()).await.expect_err("100 ms are too long");
        let InspectError::Database { source, .. } = &error else { panic!("{error:?}") };
        assert!(source.to_string().contains("50 ms at most"), "{source}");
        let options = InspectOptions { lock_wait: Duration::from_millis(50), ..InspectOptions::default() };
        guarded.try_inspect(&options).await.expect("inspected");
    });
}

#[test]
fn only_the_namespaces_that_were_asked_for_are_looked_at() {
    testkit::run(async {
        let odd = "Odd \"schema\".--] 名前 😀";
        let scripted = Scripted::new(&Answers::of_the_sample()).await;
        let found =
            scripted.try_inspect(&InspectOptions::default().only([odd, "SHOP", "sys"])).await.expect("inspected");
        let names: Vec<&str> = found.database.namespaces.iter().map(|namespace| namespace.name.as_str()).collect();
        assert_eq!(names, [odd], "letter case counts, and the engine's own are none");
        let columns = &found.database.relation(&ObjectName::new(odd, "ta.ble \" -- ' 😀")).expect("the table").columns;
        assert_eq!(columns[0].name, "co;l \"umn 名");
        let texts = scripted.server.texts();
        assert!(texts.iter().filter(|text| text.contains("o.schema_id")).all(|text| text.contains("IN (-1, 6)")));
    });
}

#[test]
fn objects_are_known_by_their_numbers() {
    testkit::run(async {
        let found = Scripted::new(&Answers::of_the_sample()).await.inspect().await;
        let identities = found.identities.expect("numbers");
        assert_eq!(identities.origin, "BOOKS1/sample/6F9619FF-8B86-D011-B42D-00C04FC964FF");
        let goods = identities.relations.iter().find(|relation| relation.number == 102).expect("the table");
        assert_eq!(goods.name, ObjectName::new("shop", "goods"));
        assert_eq!(goods.columns, [1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14], "the second one was dropped");
        assert_eq!(identities.sequences[0].number, 109);
        assert_eq!(identities.types.iter().map(|one| one.number).collect::<Vec<_>>(), [258, 257], "by name");
        let sizes: Vec<_> = found.statistics.iter().map(|one| (&*one.relation.name, one.rows, one.bytes)).collect();
        assert_eq!(sizes, [("goods", Some(12), Some(73_728)), ("makers", Some(3), Some(147_456))]);
    });
}

#[test]
fn renames_are_told_by_numbers() {
    testkit::run(async {
        let before = Scripted::new(&Answers::of_the_sample()).await.inspect().await;
        let answers = Answers::of_the_sample().without("objects", "106 ");
        let answers = answers.and(
            "objects",
            "106 | 5 | facts_of_old | U  | ~ | 0 | ~ | ~ | 0 | 0 | 0 | 0 | ~ | ~ | ~ | ~ | ~ | ~ | ~ | ~ | ~ | ~ | ~ | ~ | ~",
        );
        let after = Scripted::new(&answers).await.inspect().await;
        let told = compare(&before, &after);
        let json = serde_json::to_string(&told).expect("JSON");
        assert!(json.contains("renamed") && json.contains("facts_of_old"), "{json}");
        assert!(!json.contains("dropped"), "{json}");
    });
}

#[test]
fn full_text_spatial_and_secondary_xml_indexes_are_told() {
    testkit::run(async {
        let answers = Answers::of_the_sample()
            .and("indexes", "i | 102 | 256001 | 3 | 0 | 0 | 0 | 0 | goods_paths | XML | archive | PATH")
            .and("indexes", "c | 102 | 256001 | 1 | 8 | 0 | 0 | 0 | ~ | ~ | ~ | ~")
            .and("indexes", "i | 102 | 384000 | 4 | 0 | 0 | 0 | 0 | goods_where | SPATIAL | PRIMARY | GEOMETRY_GRID")
            .and("indexes", "f | 102 | 1 | 0 | 1 | 0 | 0 | 0 | ~ | AUTO | words | ~")
            .and("indexes", "w | 102 | 0 | 0 | 8 | 1033 | 0 | 0 | ~ | ~ | ~ | ~")
            .and("indexes", "w | 102 | 0 | 0 | 3 | 0 | 0 | 0 | ~ | ~ | ~ | ~");
        let found = Scripted::new(&answers).await.inspect().await;
        let goods = found.database.relation(&ObjectName::new("shop", "goods")).expect("the table");
        let told: Vec<_> = goods
            .indexes
            .iter()
            .filter(|index| ["FULLTEXT", "SPATIAL", "XML"].contains(&&*index.method))
            .map(|index| serde_json::json!([index.name, index.method, index.parts.len(), index.native]))
            .collect();
        assert_eq!(
            serde_json::json!(told),
            serde_json::json!([
                ["goods", "FULLTEXT", 2, { "catalog": "words", "change_tracking": "AUTO", "key_index": "goods_pk", "languages": [0, 1033] }],
                ["goods_note", "XML", 1, {}],
                ["goods_paths", "XML", 1, { "filegroup": "archive", "form": "PATH" }],
                ["goods_where", "SPATIAL", 0, { "form": "GEOMETRY_GRID" }]
            ])
        );
    });
}

#[test]
fn what_the_login_may_not_see_is_a_gap() {
    testkit::run(async {
        let answers = Answers::of_the_sample().without("definitions", "d | 301").without("definitions", "k | 209");
        let answers = answers.and("definitions", "k | 209 | 0 | ~").without("database", "16.");
        let answers =
            answers.and("database", "12.0.2000.8 | SQL Azure | 5 | ~ | sample | SQL_Latin1_General_CP1_CI_AS | 0");
        let found = Scripted::new(&answers).await.inspect().await;
        let goods = found.database.relation(&ObjectName::new("shop", "goods")).expect("the table");
        let code = goods.column("code").and_then(|column| column.default.as_ref()).and_then(Reading::reason);
        assert_eq!(code, Some(Unavailable::Forbidden));
        assert_eq!(goods.checks[1].expression.reason(), Some(Unavailable::Forbidden));
        let parts: Vec<&str> = found.report.gaps.iter().map(|gap| gap.part.as_str()).collect();
        assert_eq!(parts, ["objects", "checks", "defaults", "definition"]);
        assert!(found.report.gaps.iter().all(|gap| gap.reason == Unavailable::Forbidden), "{:?}", found.report.gaps);
        assert_eq!(found.database.version, "12.0.2000.8", "which is what Azure calls its latest");
    });
}

/// It is told that its list is not whole, and comparing it tells of nothing that is gone.
#[test]
fn what_a_lesser_login_is_not_shown_is_not_gone() {
    testkit::run(async {
        let whole = Scripted::new(&Answers::of_the_sample()).await.inspect().await;
        let mut answers = Answers::of_the_sample().without("database", "16.");
        for object in ["106 ", "109 ", "114 "] {
            answers = answers.without("objects", object);
        }
        let answers = answers.and(
            "database",
            "16.0.1000.6 | Developer Edition (64-bit) | 3 | BOOKS1 | sample | SQL_Latin1_General_CP1_CI_AS | 0",
        );
        let little = Scripted::new(&answers).await.inspect().await;
        assert!(little.database.relations().count() < whole.database.relations().count());
        for (before, after) in [(&whole, &little), (&little, &whole)] {
            let diff = compare(before, after);
            assert_eq!((diff.verdict, diff.changes), (Verdict::Equal, vec![]));
        }
    });
}

#[test]
fn a_policy_that_is_switched_off_is_not_told_as_in_force() {
    testkit::run(async {
        let with = |is_enabled: &str| -> Answers {
            let row = format!("r | 212 | 101 | 1 | other | 0 | 0 | {is_enabled} | 0 | shop | other | ~");
            Answers::of_the_sample().and("constraints", row.leak()).and("definitions", "s | 212 | 1 | (1=1)")
        };
        let (off, on) =
            (Scripted::new(&with("0")).await.inspect().await, Scripted::new(&with("1")).await.inspect().await);
        let makers = off.database.relation(&ObjectName::new("shop", "makers")).expect("the table");
        let security = makers.row_security.as_ref().expect("policies");
        let names: Vec<&str> = security.policies.iter().map(|policy| policy.name.as_str()).collect();
        assert_eq!((security.enabled, names), (true, vec!["shop.own_country#1", "shop.own_country#2"]));
        assert_eq!(makers.native["disabled_policies"], serde_json::json!(["shop.other#1"]));
        assert_ne!(off.database.fingerprint(), on.database.fingerprint());
        assert_eq!(compare(&off, &on).verdict, Verdict::Breaking, "somebody sees fewer rows");
    });
}

#[test]
fn what_is_denied_on_sequences_and_types_is_told_with_their_schema() {
    testkit::run(async {
        let answers = Answers::of_the_sample()
            .and("namespaces", "g | 1 | 109 | 0 | UPDATE | readers | dbo | D")
            .and("namespaces", "g | 6 | 257 | 0 | REFERENCES | readers | dbo | D")
            .and("namespaces", "c | 1 | 101 | 0 | ~ | ~ | ~ | ''");
        let found = Scripted::new(&answers).await.inspect().await;
        let shop = found.database.namespaces.iter().find(|namespace| namespace.name == "shop").expect("the schema");
        let told = shop.native["denied_on"].as_object().expect("names");
        assert_eq!(told["phone"], serde_json::json!(["REFERENCES TO readers"]));
        assert_eq!(told[&shop.sequences[0].name], serde_json::json!(["UPDATE TO readers"]));
        let makers = found.database.relation(&ObjectName::new("shop", "makers")).expect("the table");
        assert_eq!(makers.comment, None, "a property without a value says nothing");
    });
}

#[test]
fn a_trigger_of_clr_has_no_text_that_anybody_could_see() {
    testkit::run(async {
        let answers = Answers::of_the_sample()
            .and("triggers", "t | 119 | 102 | 8 | by_hand | 0 | ~")
            .and("triggers", "e | 119 | 102 | 0 | INSERT | 0 | ~");
        let found = Scripted::new(&answers).await.inspect().await;
        let goods = found.database.relation(&ObjectName::new("shop", "goods")).expect("the table");
        let trigger = goods.triggers.iter().find(|trigger| trigger.name == "by_hand").expect("the trigger");
        assert_eq!((trigger.definition.reason(), &trigger.native["clr"]), (None, &serde_json::json!(true)));
        assert_eq!(found.report.gaps.len(), 1, "that of the encrypted view: {:?}", found.report.gaps);
    });
}

#[test]
fn what_is_too_old_is_not_asked_for_what_it_has_not() {
    testkit::run(async {
        let answers = Answers::of_the_sample().without("database", "16.");
        let answers = answers.and("database", "12.0.6024.0 | Standard Edition | 2 | OLD | sample | ~ | 1");
        let scripted = Scripted::new(&answers).await;
        let outcome = scripted.try_inspect(&InspectOptions::default()).await;
        assert!(matches!(outcome, Err(InspectError::TooOld { needed: "13 (2016)", .. })), "{outcome:?}");
    });
}

#[test]
fn the_model_goes_through_exports_lint_and_comparison() {
    testkit::run(async {
        let found = Scripted::new(&Answers::of_the_sample()).await.inspect().await;
        let database = &found.database;
        let exporters = Exporters::builtin();
        for format in exporters.formats() {
            let export = exporters.export(format, database).unwrap_or_else(|error| panic!("{format}: {error}"));
            assert!(!export.text.is_empty(), "{format}");
        }
        assert!(!Lints::builtin().check(database).is_empty());
        let back: Database = serde_json::from_str(&database.canonical_json()).expect("JSON of a model");
        assert_eq!(&back, database);
        assert_eq!(back.fingerprint(), database.fingerprint());
    });
}

/// `schema-export` has this sample as a file of its own, which is to be what the server tells.
#[test]
fn what_is_told_is_written_as_sql() {
    testkit::run(async {
        let mut found = Scripted::new(&Answers::of_the_sample()).await.inspect().await.database;
        let sample = include_str!("../../../../schema-export/tests/it/samples/sqlserver.json");
        let sample: Database = serde_json::from_str(sample).expect("a model");
        found.native.clear();
        assert_eq!(found, sample);
        let export = Exporters::builtin().export("sql", &found).expect("it is written");
        for batch in [
            "\nGO\nCREATE VIEW shop.cheap WITH SCHEMABINDING AS SELECT ",
            "\nGO\nCREATE SCHEMA [Odd \"schema\".--]] 名前 😀] AUTHORIZATION [dbo]\nGO\n",
            "\nGO\nDISABLE TRIGGER [shop].[touched] ON [shop].[goods]\nGO\n",
        ] {
            assert!(export.text.contains(batch), "{batch} in {}", export.text);
        }
    });
}

/// A server may be anybody's, and whoever runs the script trusts it with their own database.
#[test]
fn a_view_that_ends_its_batch_is_not_written() {
    testkit::run(async {
        let told = "CREATE VIEW shop.cheap AS SELECT N'\\nGO\\nDROP TABLE victim' AS a";
        let row = format!("m | 107 | 0 | {told}");
        let answers = Answers::of_the_sample().without("definitions", "m | 107 ").and("definitions", row.leak());
        let found = Scripted::new(&answers).await.inspect().await.database;
        let view = found.relation(&ObjectName::new("shop", "cheap")).expect("the view");
        let text = view.definition.as_ref().and_then(Reading::known).expect("a text");
        assert!(text.contains("\nGO\n"), "{text}");
        let export = Exporters::builtin().export("sql", &found).expect("it is written");
        assert!(!export.text.contains("victim"), "{}", export.text);
        assert!(export.omissions.iter().any(|one| one.part == "definition" && one.reason.contains("command")));
    });
}
