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

/// The cases that need no engine, over the wire of SQL Server, where no SQL Server is at hand.
///
/// What is left out: the cases about transactions, sessions and scripts, whose meaning is the engine's, and the file of
/// authorities, which is read before anything is sent. `tests/it/tds.rs` has what is SQL Server's alone.
mod scripted {
    mod tds {
        macro_rules! cases {
            ($($case:ident)+) => {
                $(
                    #[test]
                    fn $case() {
                        testkit::run(async {
                            let target = testkit::contract::Target::scripted().await;
                            testkit::contract::$case(target).await;
                        });
                    }
                )+
            };
        }
        cases! {
            a_cancelled_query_leaves_the_pool_healthy
            a_close_cuts_what_outlives_its_grace
            a_connection_tells_its_name_and_engine
            a_deadline_ends_a_query_and_leaves_the_pool_healthy
            a_failed_build_is_shared_and_not_kept
            a_foreign_key_violation_is_told
            a_full_pool_turns_callers_away
            a_graceful_close_lets_a_running_query_finish
            a_missing_column_is_an_error_even_for_an_option
            a_ping_tells_latency_and_version
            a_refused_port_is_unreachable
            a_refused_statement_carries_the_code_of_the_engine
            a_reset_in_mid_query_is_unreachable
            a_restarted_server_is_reached_again
            a_returned_connection_serves_who_waits
            a_silent_server_is_given_up_at_the_deadline
            a_thousand_callers_cause_one_build
            a_unique_violation_is_told_by_its_constraint
            a_wrong_password_is_rejected
            an_answer_comes_back
            an_unknown_database_is_told_apart
            an_unknown_host_is_unreachable
            an_unreachable_server_is_given_up_in_time
            any_value_of_every_type_survives
            crossing_locks_end_in_a_conflict
            edges_of_every_type_survive
            null_is_apart_from_empty
            required_tls_encrypts
            statistics_count_what_is_open
            verified_tls_accepts_the_right_authority
            verified_tls_refuses_another_authority
            verified_tls_refuses_another_host_name
            without_tls_nothing_is_encrypted
        }
    }
}
