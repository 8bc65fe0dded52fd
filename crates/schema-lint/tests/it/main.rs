//! Each rule on a model that breaks it and on one that does not.

mod build;
mod columns;
mod constraints;
mod foreign_keys;
mod indexes;
mod keys;
mod names;
mod numbers;
mod registry;

use schema_lint::{Finding, Findings, Lints};
use schema_model::Database;

/// What one rule finds: where, and what.
fn found(rule: &str, database: &Database) -> Vec<Finding> {
    let lints = Lints::builtin();
    let lint = lints.all().find(|lint| lint.id() == rule).expect("a rule of this name");
    let mut found = Findings::unbounded();
    lint.check(database, &mut found).expect("there is room");
    let found = found.into_vec();
    for finding in &found {
        assert_eq!((finding.rule.as_str(), finding.severity), (rule, lint.severity()));
        assert!(!finding.evidence.is_empty() && !finding.suggestion.is_empty(), "{finding:?}");
    }
    found
}

#[track_caller]
fn finds(rule: &str, database: &Database, messages: &[&str]) {
    let found: Vec<String> = found(rule, database).into_iter().map(|finding| finding.message).collect();
    assert_eq!(found, messages);
}

#[track_caller]
fn passes(rule: &str, database: &Database) {
    finds(rule, database, &[]);
}
