use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use schema_lint::{Evidence, Findings, Lint, Lints, Object, Severity, TooMany};
use schema_model::{Database, ObjectName};

use super::build::{foreign_key, index, keyed, postgres, table};

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

    fn check(&self, _: &Database, _: &mut Findings) -> Result<(), TooMany> {
        Ok(())
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

/// How many findings a rule has made.
struct Endless(AtomicUsize);

impl Lint for Endless {
    fn id(&self) -> &'static str {
        "endless"
    }

    fn summary(&self) -> &'static str {
        "there is always more"
    }

    fn severity(&self) -> Severity {
        Severity::Notice
    }

    fn check(&self, _: &Database, found: &mut Findings) -> Result<(), TooMany> {
        let object = Object::whole(&ObjectName::new("public", "goods"));
        found.extend((0..1_000_000).map(|_| {
            self.0.fetch_add(1, Ordering::Relaxed);
            self.finding(object.clone(), "again".to_owned(), Evidence::new(), "stop")
        }))
    }
}

#[test]
fn no_finding_is_made_once_there_is_no_room() {
    let endless = Arc::new(Endless(AtomicUsize::new(0)));
    let lints = Lints::empty().register(endless.clone());
    assert!(lints.check_within(&postgres(Vec::new()), 10_000).is_err());
    let made = endless.0.load(Ordering::Relaxed);
    assert!((10..1000).contains(&made), "{made}");
}

#[test]
fn what_just_fits_is_told_whole() {
    let database = postgres(vec![table("goods", &["code text!"]), table("shops", &["Price real"])]);
    let found = Lints::builtin().check(&database);
    let length = serde_json::to_string(&found).expect("JSON").len();
    assert!(found.len() > 2);
    assert_eq!(Lints::builtin().check_within(&database, length).as_ref(), Ok(&found));
    assert!(Lints::builtin().check_within(&database, length - 1).is_err());
}

/// Each key without an index tells the names of a hundred, and each index shows the one that it is the same as.
#[test]
fn rules_that_repeat_much_of_a_model_stop_at_the_bound() {
    let mut goods = keyed("goods", &["id bigint!"]);
    let of = |number: usize| format!("a_rather_long_name_of_something_{number}");
    goods.foreign_keys = (0..2000).map(|number| foreign_key(&of(number), &[&format!("c{number} goods.id")])).collect();
    goods.indexes = (0..100).map(|number| index(&of(number), &["x"])).collect();
    let database = postgres(vec![goods]);
    for rule in ["unindexed-foreign-key", "duplicate-index"] {
        let others: Vec<String> = Lints::builtin().all().map(|lint| lint.id().to_owned()).collect();
        let others = others.iter().filter(|id| *id != rule);
        let lints = others.fold(Lints::builtin(), |lints, id| lints.without(id));
        assert_eq!(lints.all().count(), 1);
        assert!(lints.check_within(&database, 20_000).is_err(), "{rule}");
    }
}
