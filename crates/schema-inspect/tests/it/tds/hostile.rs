use schema_inspect::InspectOptions;
use schema_model::{ObjectName, Unavailable};
use testkit::tds::{Column, Matcher, Reply, ResultSet, TdsType};

use super::Scripted;
use super::answers::{Answers, question};

/// Numbers that lead nowhere, or to what is something else.
#[test]
fn an_answer_that_does_not_fit_is_told_as_far_as_it_goes() {
    testkit::run(async {
        let answers = Answers::of_the_sample()
            .and("columns", "c | 102 | 2147483647 | x | 9999 | -32768 | 255 | 255 | 1 | ~ | 99 | 99 | 2147483647 | 9 | ~ | x | y | ~ | ~")
            .and("columns", "t | 999 | 77 | t | 999 | 0 | 0 | 0 | 1 | ~ | 1 | 0 | 0 | 102 | ~ | ~ | ~ | ~ | ~")
            .and("constraints", "k | 1 | 102 | 77 | k | 0 | 0 | 0 | 0 | ~ | ~ | ~")
            .and("constraints", "f | 2 | 102 | 0 | f | 9 | 9 | 9 | 9 | ~ | ~ | ~")
            .and("constraints", "p | 2 | 102 | 1 | ~ | 77 | 0 | 0 | 0 | ~ | ~ | ~")
            .and("indexes", "i | 105 | 1 | 200 | 127 | 0 | 65536 | 0 | ~ | ~ | ~ | ~")
            .and("indexes", "c | 105 | 1 | -1 | 77 | 1 | 1 | 3 | ~ | ~ | ~ | ~")
            .and("triggers", "e | 116 | 0 | 3 | SOMETHING | 0 | ~")
            .and("uses", "102 | ~ | ~")
            .and("statistics", "102 | -1 | ~");
        let found = Scripted::new(&answers).await.inspect().await;
        assert!(found.database.relations().count() >= 9);
    });
}

/// Little of it is sent, and very much would be told.
#[test]
fn what_is_told_at_many_places_is_told_as_often_as_there_is_room() {
    testkit::run(async {
        let long: &'static str = format!("m | 777 | 0 | {}", "x".repeat(9 * 1024 * 1024)).leak();
        let boundary: &'static str =
            format!("b | 65536 | 0 | 3 | 0 | 0 | 0 | 0 | ~ | {} | ~ | ~", "9".repeat(9 * 1024 * 1024)).leak();
        let answers = Answers::of_the_sample()
            .and("definitions", long)
            .and("columns", "c | 102 | 15 | x | 56 | 4 | 10 | 0 | 1 | ~ | 0 | 0 | 0 | 777 | d | ~ | ~ | ~ | ~")
            .and("columns", "c | 102 | 16 | y | 56 | 4 | 10 | 0 | 1 | ~ | 0 | 0 | 0 | 777 | d | ~ | ~ | ~ | ~")
            .and("indexes", boundary);
        let found = Scripted::new(&answers).await.inspect().await;
        let goods = found.database.relation(&ObjectName::new("shop", "goods")).expect("the table");
        let reason = |name: &str| goods.column(name)?.default.as_ref()?.reason();
        assert_eq!(reason("x"), Some(Unavailable::TooLong));
        assert_eq!(reason("y"), Some(Unavailable::OverLimit));
        let sales = found.database.relation(&ObjectName::new("shop", "sales")).expect("the table");
        let partitioning = sales.partitioning.as_ref().expect("it is divided");
        assert_eq!(partitioning.key.reason(), Some(Unavailable::OverLimit));
        let name: &'static str =
            format!("t | 260 | 5 | {} | 56 | 4 | 10 | 0 | 1 | ~ | 1 | 0 | 0 | 0 | ~ | ~ | ~ | ~ | ~", "n".repeat(500))
                .leak();
        let scripted = Scripted::new(&Answers::of_the_sample().and("columns", name)).await;
        let error = scripted.try_inspect(&InspectOptions::default()).await.expect_err("no such name");
        assert_eq!(error.to_string(), "columns could not be read");
    });
}

#[test]
fn what_is_no_answer_is_an_error() {
    testkit::run(async {
        for stage in ["database", "namespaces", "objects", "columns", "indexes", "statistics"] {
            let scripted = Scripted::new(&Answers::of_the_sample()).await;
            let nonsense = ResultSet::new([Column::new("kind", TdsType::Bit)]).row([true.into()]);
            scripted.server.on(Matcher::contains(question(stage)), Reply::rows(nonsense));
            let error = scripted.try_inspect(&InspectOptions::default()).await.expect_err(stage);
            assert_eq!(error.to_string(), format!("{stage} could not be read"));
        }
        let scripted = Scripted::new(&Answers::of_the_sample()).await;
        scripted.server.on(Matcher::contains(question("database")), Reply::done());
        let error = scripted.try_inspect(&InspectOptions::default()).await.expect_err("no row");
        assert_eq!(error.to_string(), "database could not be read");
    });
}
