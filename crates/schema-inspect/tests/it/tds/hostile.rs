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
        let long: &'static str = format!("m | 777 | 0 | {}", "x".repeat(2 * 1024 * 1024 + 1)).leak();
        let answers = Answers::of_the_sample()
            .and("definitions", long)
            .and("columns", "c | 102 | 15 | x | 56 | 4 | 10 | 0 | 1 | ~ | 0 | 0 | 0 | 777 | d | ~ | ~ | ~ | ~")
            .and("columns", "c | 102 | 16 | y | 56 | 4 | 10 | 0 | 1 | ~ | 0 | 0 | 0 | 777 | d | ~ | ~ | ~ | ~");
        let found = Scripted::new(&answers).await.inspect().await;
        let goods = found.database.relation(&ObjectName::new("shop", "goods")).expect("the table");
        let reason = |name: &str| goods.column(name)?.default.as_ref()?.reason();
        assert_eq!(reason("x"), Some(Unavailable::TooLong));
        assert_eq!(reason("y"), Some(Unavailable::OverLimit));
        let name: &'static str =
            format!("t | 260 | 5 | {} | 56 | 4 | 10 | 0 | 1 | ~ | 1 | 0 | 0 | 0 | ~ | ~ | ~ | ~ | ~", "n".repeat(500))
                .leak();
        let scripted = Scripted::new(&Answers::of_the_sample().and("columns", name)).await;
        let error = scripted.try_inspect(&InspectOptions::default()).await.expect_err("no such name");
        assert_eq!(error.to_string(), "columns could not be read");
    });
}

/// It would be told with all that belongs to it each time.
#[test]
fn what_is_sent_again_and_again_is_told_once() {
    testkit::run(async {
        let once = Scripted::new(&Answers::of_the_sample()).await.inspect().await;
        for (stage, beginning) in [
            ("objects", "102 "),
            ("objects", "110 "),
            ("constraints", "k | 202 "),
            ("constraints", "k | 205 "),
            ("indexes", "i | 102 "),
            ("indexes", "i | 105 "),
        ] {
            let answers = Answers::of_the_sample().again(stage, beginning, 1_000);
            let found = Scripted::new(&answers).await.inspect().await;
            assert_eq!(found.database, once.database, "{stage}: {beginning}");
            assert_eq!(found.identities, once.identities, "{stage}: {beginning}");
            assert_eq!(found.report.gaps, once.report.gaps, "{stage}: {beginning}");
        }
    });
}

/// Names are told with much that belongs to what they are of.
#[test]
fn no_name_is_longer_than_any_of_the_server_s() {
    testkit::run(async {
        let nothing = " | ~".repeat(12);
        for (stage, row) in [
            ("objects", format!("300 | 5 | NAME | U  | ~ | 0 | ~ | ~ | 0 | 0 | 0 | 0{nothing} | ~")),
            ("objects", format!("300 | 5 | t | U  | NAME | 0 | ~ | ~ | 0 | 0 | 0 | 0{nothing} | ~")),
            ("objects", format!("300 | 5 | t | U  | ~ | 0 | NAME | h | 0 | 0 | 0 | 0{nothing} | ~")),
            ("objects", format!("300 | 5 | t | U  | ~ | 0 | s | NAME | 0 | 0 | 0 | 0{nothing} | ~")),
            ("objects", format!("300 | 5 | t | U  | ~ | 0 | ~ | ~ | 0 | 0 | 0 | 0{nothing} | NAME")),
            ("constraints", "c | 309 | 102 | 4 | NAME | 0 | 0 | 0 | 0 | ~ | ~ | ~".to_owned()),
            ("constraints", "f | 309 | 102 | 0 | f | 0 | 0 | 2 | 1 | shop | NAME | makers_pk".to_owned()),
            ("constraints", "f | 309 | 102 | 0 | f | 0 | 0 | 2 | 1 | shop | makers | NAME".to_owned()),
            ("triggers", "t | 316 | 102 | 1 | NAME | 0 | ~".to_owned()),
            ("triggers", "t | 316 | 102 | 1 | t | 0 | NAME".to_owned()),
            ("uses", "107 | shop | NAME".to_owned()),
        ] {
            let longest: &'static str = row.replace("NAME", &"n".repeat(3 * 128)).leak();
            let fits = Scripted::new(&Answers::of_the_sample().and(stage, longest)).await;
            assert!(fits.try_inspect(&InspectOptions::default()).await.is_ok(), "{row}");
            let longer: &'static str = row.replace("NAME", &"n".repeat(3 * 128 + 1)).leak();
            let scripted = Scripted::new(&Answers::of_the_sample().and(stage, longer)).await;
            let error = scripted.try_inspect(&InspectOptions::default()).await.expect_err(&row);
            assert_eq!(error.to_string(), format!("{stage} could not be read"), "{row}");
        }
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
