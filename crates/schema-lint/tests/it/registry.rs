use std::collections::BTreeSet;
use std::sync::Arc;

use schema_lint::{Finding, Lint, Lints, Severity};
use schema_model::Database;

use super::build::{index, keyed, postgres, table};

#[test]
fn every_rule_has_a_name_of_its_own_and_says_what_it_finds() {
    let lints = Lints::builtin();
    let ids: BTreeSet<&str> = lints.all().map(Lint::id).collect();
    assert_eq!((ids.len(), lints.all().count()), (19, 19));
    for lint in lints.all() {
        assert!(lint.id().chars().all(|character| character.is_ascii_lowercase() || character == '-'), "{}", lint.id());
        assert!(!lint.summary().is_empty() && !lint.summary().ends_with('.'), "{}", lint.summary());
    }
}

struct Nothing;

impl Lint for Nothing {
    fn id(&self) -> &'static str {
        "no-primary-key"
    }

    fn summary(&self) -> &'static str {
        "nothing is found"
    }

    fn severity(&self) -> Severity {
        Severity::Notice
    }

    fn check(&self, _: &Database) -> Vec<Finding> {
        Vec::new()
    }
}

#[test]
fn a_rule_from_outside_takes_the_place_of_a_built_in_one() {
    let database = postgres(vec![table("goods", &["code text!"])]);
    assert_eq!(Lints::builtin().check(&database).len(), 1);
    let lints = Lints::builtin().register(Arc::new(Nothing));
    assert_eq!((lints.check(&database).len(), lints.all().count()), (0, 19));
    assert_eq!(Lints::builtin().without("no-primary-key").check(&database).len(), 0);
}

#[test]
fn the_worst_comes_first() {
    let mut goods = keyed("zzz", &["id bigint!", "Note text"]);
    let mut broken = index("broken", &["Note"]);
    broken.valid = false;
    goods.indexes = vec![broken];
    let found = Lints::builtin().check(&postgres(vec![table("aaa", &["code text!"]), goods]));
    let severities: Vec<Severity> = found.iter().map(|finding| finding.severity).collect();
    assert_eq!(severities, [Severity::Error, Severity::Warning, Severity::Notice]);
}

/// The sample of `schema-inspect`, as it was found on a real server.
#[test]
fn the_sample_of_postgres_has_these_findings() {
    let database: Database = serde_json::from_str(include_str!("samples/postgres.json")).expect("a model");
    let lines = Lints::builtin()
        .check(&database)
        .into_iter()
        .map(|finding| format!("{:?} {}: {}\n", finding.severity, finding.rule, finding.message.replace('\n', "\\n")));
    insta::assert_snapshot!(lines.collect::<String>());
}
