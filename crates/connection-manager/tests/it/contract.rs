//! The contract of `testkit::contract` on every engine of this crate.

mod outside;

testkit::connector_contract!();

/// Hands what stands in the brackets and the cases about SQL that the script has answers for to another macro.
macro_rules! scripted_sql {
    ([$($given:tt)*] $($then:tt)+) => {
        $($then)+! {
            [$($given)*]
            a_foreign_key_violation_is_told
            a_missing_column_is_an_error_even_for_an_option
            a_refused_statement_carries_the_code_of_the_engine
            a_unique_violation_is_told_by_its_constraint
            any_value_of_every_type_survives
            crossing_locks_end_in_a_conflict
            edges_of_every_type_survive
            null_is_apart_from_empty
        }
    };
}
use scripted_sql;

/// The list of exceptions and the tests that are made must not drift apart.
mod lists {
    use std::collections::BTreeSet;

    macro_rules! names {
        ([] $($case:ident)+) => { [$(stringify!($case)),+] };
    }

    #[test]
    fn every_case_that_sqlite_lacks_has_its_reason() {
        let excepted: BTreeSet<&str> = testkit::contract::EMBEDDED_EXCEPTIONS.iter().map(|(case, _)| *case).collect();
        let network = testkit::contract_cases!(network [] names);
        let network_sql = testkit::contract_cases!(network_sql [] names);
        assert_eq!(excepted, network.into_iter().chain(network_sql).collect());
    }

    #[test]
    fn every_case_that_the_scripted_server_lacks_has_its_reason() {
        let excepted: BTreeSet<&str> = testkit::contract::SCRIPTED_EXCEPTIONS.iter().map(|(case, _)| *case).collect();
        let runs = super::scripted_sql!([] names);
        let sql = testkit::contract_cases!(sql [] names);
        let network_sql = testkit::contract_cases!(network_sql [] names);
        let every: BTreeSet<&str> = sql.into_iter().chain(network_sql).collect();
        assert!(runs.iter().all(|case| every.contains(case)));
        assert_eq!(excepted, every.into_iter().filter(|case| !runs.contains(case)).collect());
    }
}

/// The cases that need no engine, over the wire of SQL Server, where no SQL Server is at hand.
///
/// What is left out has its reason in `testkit::contract::SCRIPTED_EXCEPTIONS`. `tests/it/tds.rs` has what is SQL Server's alone.
mod scripted {
    use testkit::contract::Target;

    testkit::connector_contract!(mod tds, super::Target::scripted().await => common database network);

    mod sql {
        mod tds {
            scripted_sql!([crate::contract::scripted::Target::scripted().await] testkit::contract_tests);
        }
    }
}
