use schema_inspect::InspectOptions;
use schema_model::{Gap, ObjectName, Reading, Unavailable};
use shared_kernel::database::DatabaseErrorKind;
use testkit::tds::{Answer, Matcher, Reply};

use super::Scripted;
use super::answers::{Answers, question};

fn locked() -> Reply {
    Reply::error(1222, "Lock request time out period exceeded.")
}

fn gap(part: &str, reason: Unavailable) -> Gap {
    Gap { object: None, part: part.to_owned(), reason }
}

#[test]
fn a_lock_in_the_way_has_the_question_asked_without_any() {
    testkit::run(async {
        let answers = Answers::of_the_sample();
        let everything = Scripted::new(&answers).await.inspect().await;
        let scripted = Scripted::new(&answers).await;
        scripted.server.on(Matcher::contains(question("columns")), Answer::once(locked()));
        let found = scripted.inspect().await;
        assert_eq!(found.database, everything.database, "as far as it is certain");
        assert!(found.report.gaps.contains(&gap("columns", Unavailable::Locked)), "{:?}", found.report.gaps);
        assert_eq!(found.report.statements, 13);
        let texts = scripted.server.texts();
        let asked: Vec<bool> = texts
            .iter()
            .filter(|text| text.contains(question("columns")))
            .map(|text| text.contains("sys.columns AS c WITH (NOLOCK)"))
            .collect();
        assert_eq!(asked, [false, true]);
    });
}

#[test]
fn what_is_locked_all_the_same_is_a_gap_and_the_rest_is_told() {
    testkit::run(async {
        for (stage, parts) in [
            ("constraints", &["keys", "foreign_keys", "checks", "policies"][..]),
            ("indexes", &["indexes", "keys", "partitioning"]),
            ("triggers", &["triggers"]),
            ("definitions", &["definitions"]),
            ("uses", &["uses"]),
            ("statistics", &["statistics"]),
        ] {
            let scripted = Scripted::new(&Answers::of_the_sample()).await;
            scripted.server.on(Matcher::contains(question(stage)), locked());
            let found = scripted.inspect().await;
            for part in parts {
                assert!(
                    found.report.gaps.contains(&gap(part, Unavailable::Locked)),
                    "{stage}: {:?}",
                    found.report.gaps
                );
            }
            let goods = found.database.relation(&ObjectName::new("shop", "goods")).expect("the table");
            assert_eq!(goods.columns.len(), 13, "{stage}");
            assert_eq!(goods.primary_key.is_none(), ["constraints", "indexes"].contains(&stage), "{stage}");
            assert_eq!(goods.foreign_keys.is_empty(), stage == "constraints", "{stage}");
            assert_eq!(goods.indexes.is_empty(), stage == "indexes", "{stage}");
            assert_eq!(goods.triggers.is_empty(), stage == "triggers", "{stage}");
            assert_eq!(found.statistics.is_empty(), stage == "statistics", "{stage}");
            let price = goods.checks.iter().find(|check| check.name.as_deref() == Some("goods_price"));
            let reason = price.and_then(|check| check.expression.reason());
            assert_eq!(reason, (stage == "definitions").then_some(Unavailable::Locked), "{stage}");
            // Nothing that is not told is taken for dropped.
            let whole = Scripted::new(&Answers::of_the_sample()).await.inspect().await;
            let changes = schema_diff::compare(&whole, &found).changes;
            assert!(changes.is_empty(), "{stage}: {changes:?}");
        }
    });
}

#[test]
fn without_a_list_of_what_there_is_nothing_is_told() {
    testkit::run(async {
        for stage in ["namespaces", "objects", "columns"] {
            let scripted = Scripted::new(&Answers::of_the_sample()).await;
            scripted.server.on(Matcher::contains(question(stage)), locked());
            let error = scripted.try_inspect(&InspectOptions::default()).await.expect_err(stage);
            let schema_inspect::InspectError::Database { source, .. } = &error else { panic!("{error:?}") };
            assert_eq!(*source.kind(), DatabaseErrorKind::SerializationConflict, "{stage}");
        }
    });
}

#[test]
fn what_takes_more_rights_is_a_gap() {
    testkit::run(async {
        let scripted = Scripted::new(&Answers::of_the_sample()).await;
        let denied = "The SELECT permission was denied on the object 'sql_expression_dependencies'.";
        scripted.server.on(Matcher::contains(question("uses")), Reply::error(229, denied));
        let found = scripted.inspect().await;
        assert!(found.report.gaps.contains(&gap("uses", Unavailable::Forbidden)), "{:?}", found.report.gaps);
        let cheap = found.database.relation(&ObjectName::new("shop", "cheap")).expect("the view");
        assert_eq!(cheap.uses, []);
        assert!(cheap.definition.as_ref().and_then(Reading::known).is_some());
    });
}

#[test]
fn a_deadlock_has_everything_asked_once_more() {
    testkit::run(async {
        let answers = Answers::of_the_sample();
        let scripted = Scripted::new(&answers).await;
        scripted.server.on(Matcher::contains(question("indexes")), Answer::once(Reply::deadlock()));
        let found = scripted.inspect().await;
        assert_eq!(found.database, Scripted::new(&answers).await.inspect().await.database);
        assert_eq!(found.report.statements, 8 + 12);
        scripted.server.on(Matcher::contains(question("indexes")), Reply::deadlock());
        let outcome = scripted.try_inspect(&InspectOptions::default()).await;
        assert!(outcome.is_err(), "{outcome:?}");
    });
}
