//! Which database is meant where none is named.

use schema_model::{ChoiceReason, DatabaseChoice};
use shared_kernel::database::DatabaseSummary;

/// Those of the server itself.
const OWN: [&str; 3] = ["admin", "config", "local"];

/// The longest name of a database, in bytes.
const LONGEST: usize = 63;

/// Whether a database may be called so that is not the server's own.
pub(super) fn may_be_asked_for(name: &str) -> bool {
    let never = ['/', '\\', '.', '"', '$', ' ', '\0'];
    !name.is_empty() && name.len() <= LONGEST && !name.contains(never) && !OWN.contains(&name)
}

/// The one with the most in it; `None` where there is none that is not the server's own.
pub(super) fn of(databases: &[DatabaseSummary]) -> Option<DatabaseChoice> {
    let mut all: Vec<&DatabaseSummary> = databases.iter().filter(|found| may_be_asked_for(&found.name)).collect();
    all.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    let chosen = |found: &DatabaseSummary, reason| {
        Some(DatabaseChoice { name: found.name.clone(), reason, among: all.len() as u64 })
    };
    if let [only] = all.as_slice() {
        return chosen(only, ChoiceReason::Only);
    }
    // Some servers count late, and know before that whether there is something.
    let is_filled = |found: &&&DatabaseSummary| found.empty.map_or(found.size_on_disk != Some(0), |empty| !empty);
    let filled: Vec<&DatabaseSummary> = all.iter().filter(is_filled).copied().collect();
    if let [only] = filled.as_slice() {
        return chosen(only, ChoiceReason::OnlyFilled);
    }
    let candidates = if filled.is_empty() { &all } else { &filled };
    let most = candidates.iter().map(|found| found.size_on_disk).max()?;
    let is_known = candidates.iter().all(|found| found.size_on_disk.is_some());
    let largest: Vec<&&DatabaseSummary> = candidates.iter().filter(|found| found.size_on_disk == most).collect();
    match largest.as_slice() {
        [only] if is_known => chosen(only, ChoiceReason::Largest),
        // Of those that are as large, or of all where one of them does not say.
        [first, ..] if is_known => chosen(first, ChoiceReason::First),
        _ => chosen(candidates.first()?, ChoiceReason::First),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(name: &str, size: Option<u64>) -> DatabaseSummary {
        DatabaseSummary { name: name.to_owned(), size_on_disk: size, empty: size.map(|size| size == 0) }
    }

    #[track_caller]
    fn chooses(databases: &[(&str, Option<u64>)], expected: Option<(&str, ChoiceReason, u64)>) {
        let databases: Vec<_> = databases.iter().map(|(name, size)| database(name, *size)).collect();
        let choice = of(&databases);
        assert_eq!(choice.as_ref().map(|choice| (choice.name.as_str(), choice.reason, choice.among)), expected);
    }

    #[test]
    fn the_one_with_the_most_in_it_is_meant() {
        let own = [("admin", Some(900)), ("config", Some(900)), ("local", Some(900))];
        chooses(&own, None);
        chooses(&[own[0], ("shop", Some(1)), own[2]], Some(("shop", ChoiceReason::Only, 1)));
        chooses(&[("b", Some(0)), ("a", Some(1))], Some(("a", ChoiceReason::OnlyFilled, 2)));
        chooses(&[("b", Some(5)), ("a", Some(1)), ("c", Some(0))], Some(("b", ChoiceReason::Largest, 3)));
        chooses(&[("a", Some(1)), ("c", Some(5)), ("b", Some(5))], Some(("b", ChoiceReason::First, 3)));
        chooses(&[("b", None), ("a", None)], Some(("a", ChoiceReason::First, 2)));
        chooses(&[("b", Some(9)), ("a", None)], Some(("a", ChoiceReason::First, 2)));
        chooses(&[("b", Some(0)), ("a", Some(0))], Some(("a", ChoiceReason::First, 2)));
        chooses(&[], None);
        let late = |name: &str| DatabaseSummary { empty: Some(false), ..database(name, Some(0)) };
        let choice = of(&[late("b"), late("a"), database("c", Some(0))]).expect("a choice");
        assert_eq!((choice.name.as_str(), choice.reason), ("a", ChoiceReason::First));
    }

    #[test]
    fn what_no_database_is_called_is_not_asked_for() {
        for name in ["", "a.b", "a b", "a$", "a/b", "a\\b", "a\0", "a\"b", "admin", "local", "config", &"a".repeat(64)]
        {
            assert!(!may_be_asked_for(name), "{name:?}");
        }
        for name in ["shop", "Shop-2", "名", &"a".repeat(63)] {
            assert!(may_be_asked_for(name), "{name:?}");
        }
    }
}
