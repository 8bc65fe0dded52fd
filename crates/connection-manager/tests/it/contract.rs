//! The contract of `testkit::contract` on every engine of this crate.

testkit::connector_contract!();

/// The list of exceptions and the tests that are made must not drift apart.
mod lists {
    use std::collections::BTreeSet;

    macro_rules! networked_cases {
        ([$($everywhere:ident)+] [$($networked:ident)+]) => {
            const EVERYWHERE: &[&str] = &[$(stringify!($everywhere)),+];
            const NETWORKED: &[&str] = &[$(stringify!($networked)),+];
        };
    }
    testkit::connector_contract!(@names networked_cases);

    #[test]
    fn every_case_that_sqlite_lacks_has_its_reason() {
        let excepted: BTreeSet<&str> = testkit::contract::EMBEDDED_EXCEPTIONS.iter().map(|(case, _)| *case).collect();
        assert_eq!(excepted, NETWORKED.iter().copied().collect());
        assert!(EVERYWHERE.iter().all(|case| !excepted.contains(case)));
    }
}
