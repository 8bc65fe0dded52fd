//! What every connector must do, written once and run on every engine; for connectors of one's own as well.
//!
//! A case is an `async fn` over a [`Target`]. The cases come in groups, by what they ask of an engine:
//!
//! | group | what it takes |
//! | --- | --- |
//! | `common` | a pool of connections that can be asked for something and kept busy ([`Subject`]) |
//! | `database` | a database, a file or a table that has to be there before anybody connects to it |
//! | `sql` | the SQL capability, with transactions and sessions |
//! | `key_value` | the key-value capability |
//! | `documents` | the document capability, with a connection that names a database |
//! | `network` | a server with a login and TLS, which is reached through the [proxy](crate::proxy) |
//! | `network_sql` | both |
//!
//! [`crate::connector_contract!`] makes the tests: for one connector the groups that it names, or, with nothing said, those
//! of `connection-manager`'s own engines. What an engine lacks has its reason in [`EMBEDDED_EXCEPTIONS`], and what the
//! scripted TDS server lacks in [`SCRIPTED_EXCEPTIONS`]; meta-tests of the connection manager hold the lists together.
//!
//! ```
//! use connection_manager::ConnectionSettings;
//! use testkit::contract::{SqlSubject, Target};
//!
//! /// An empty database behind the connector; `with_connector` registers one from outside.
//! fn target() -> Target {
//!     Target::new(SqlSubject("sqlite".to_owned().into()), ConnectionSettings::sqlite(":memory:"), ())
//! }
//!
//! testkit::connector_contract!(mod in_memory, super::target() => sql);
//! # fn main() {}
//! ```

#![expect(clippy::unwrap_used, reason = "a case is the body of a test, and what it unwraps is what it asserts")]

mod connecting;
mod documents;
mod failures;
mod faults;
mod key_value;
mod on_dynamodb;
mod on_mongodb;
mod on_redis;
mod pooling;
mod scripted;
mod subject;
mod target;
mod tls;
mod transactions;
mod types;

pub use connecting::*;
pub use documents::*;
pub use failures::*;
pub use faults::*;
pub use key_value::*;
pub use pooling::*;
pub use subject::{SqlSubject, Subject};
pub use target::{Target, refused};
pub use tls::*;
pub use transactions::*;
pub use types::*;

/// The cases that an embedded engine cannot have, each with the reason.
pub const EMBEDDED_EXCEPTIONS: &[(&str, &str)] = &[
    ("a_wrong_password_is_rejected", "an embedded database has no login"),
    ("an_unknown_host_is_unreachable", "an embedded database has no host"),
    ("a_refused_port_is_unreachable", "an embedded database has no port"),
    ("an_unreachable_server_is_given_up_in_time", "an embedded database has no port"),
    ("without_tls_nothing_is_encrypted", "nothing travels to an embedded database"),
    ("required_tls_encrypts", "nothing travels to an embedded database"),
    ("verified_tls_accepts_the_right_authority", "nothing travels to an embedded database"),
    ("verified_tls_refuses_another_authority", "nothing travels to an embedded database"),
    ("authorities_at_hand_are_as_good_as_a_file", "nothing travels to an embedded database"),
    ("verified_tls_refuses_another_host_name", "nothing travels to an embedded database"),
    ("a_missing_authority_file_is_a_fault_of_the_settings", "nothing travels to an embedded database"),
    ("a_failed_build_is_shared_and_not_kept", "an embedded database cannot be down; a missing folder is tested apart"),
    ("a_restarted_server_is_reached_again", "an embedded database does not restart apart from its program"),
    ("a_reset_in_mid_query_is_unreachable", "nothing travels to an embedded database"),
    ("a_silent_server_is_given_up_at_the_deadline", "nothing travels to an embedded database"),
    ("a_transaction_that_loses_its_server_takes_no_effect", "nothing travels to an embedded database"),
];

/// The cases about SQL that the scripted TDS server ([`Target::scripted`]) cannot have, each with the reason. They run on a real
/// SQL Server where there is one.
pub const SCRIPTED_EXCEPTIONS: &[(&str, &str)] = &[
    (
        "a_commit_is_seen_by_others",
        "the script keeps no transactions; what is sent is in `tests/it/tds/transactions.rs`",
    ),
    ("a_rollback_leaves_nothing", "the script undoes nothing; what is sent is in `tests/it/tds/transactions.rs`"),
    (
        "a_dropped_transaction_leaves_nothing",
        "the script undoes nothing; what is sent is in `tests/it/tds/transactions.rs`",
    ),
    (
        "a_failed_statement_leaves_the_transaction_to_its_owner",
        "whether a transaction outlives an error is the engine's to say; `tests/it/tds/transactions.rs` has both answers",
    ),
    (
        "a_commit_after_a_failed_statement_tells_the_truth",
        "whether a transaction outlives an error is the engine's to say; `tests/it/tds/transactions.rs` has both answers",
    ),
    ("a_session_keeps_its_connection", "temporary tables and settings of a session are the engine's"),
    ("a_script_runs_all_its_statements", "the script knows no T-SQL; that a text is sent as it stands is tested apart"),
    ("a_transaction_that_loses_its_server_takes_no_effect", "the script undoes nothing"),
];

/// Makes the tests of the contract.
///
/// `connector_contract!(mod name, target => group group)` makes a module of tests: every case of the groups, each on a
/// [`Target`](crate::contract::Target) of its own, which is the value of the expression (evaluated in an async function, in
/// the new module). `connector_contract!()` makes those of every engine of `connection-manager` below `on_engines`.
#[macro_export]
macro_rules! connector_contract {
    () => {
        mod on_engines {
            $crate::connector_contract!(@sql_server mysql MySql);
            $crate::connector_contract!(@sql_server mariadb MariaDb);
            $crate::connector_contract!(@sql_server postgres Postgres);
            $crate::connector_contract!(@sql_server sqlserver SqlServer);
            $crate::connector_contract!(mod sqlite, $crate::contract::Target::on($crate::Server::Sqlite).await => common database sql);
            $crate::connector_contract!(mod redis, $crate::contract::Target::redis() => common database key_value network);
            $crate::connector_contract!(mod dynamodb, $crate::contract::Target::dynamodb().await => common database key_value);
            $crate::connector_contract!(mod mongodb, $crate::contract::Target::mongodb() => common documents network);
        }
    };
    (@sql_server $module:ident $server:ident) => {
        $crate::connector_contract!(
            mod $module, $crate::contract::Target::on($crate::Server::$server).await => common database sql network network_sql
        );
    };
    (mod $module:ident, $target:expr => $($group:ident)+) => {
        mod $module {
            $($crate::contract_cases!($group [$target] $crate::contract_tests);)+
        }
    };
}

/// Hands what stands in the brackets and the names of a group's cases to another macro.
#[doc(hidden)]
#[macro_export]
macro_rules! contract_cases {
    (common [$($given:tt)*] $($then:tt)+) => {
        $($then)+! {
            [$($given)*]
            a_connection_tells_its_name_and_engine
            an_answer_comes_back
            a_ping_tells_latency_and_version
            statistics_count_what_is_open
            a_full_pool_turns_callers_away
            a_returned_connection_serves_who_waits
            a_cancelled_query_leaves_the_pool_healthy
            a_deadline_ends_a_query_and_leaves_the_pool_healthy
            a_graceful_close_lets_a_running_query_finish
            a_close_cuts_what_outlives_its_grace
            a_thousand_callers_cause_one_build
        }
    };
    (database [$($given:tt)*] $($then:tt)+) => {
        $($then)+! {
            [$($given)*]
            an_unknown_database_is_told_apart
        }
    };
    (documents [$($given:tt)*] $($then:tt)+) => {
        $($then)+! {
            [$($given)*]
            any_document_survives
            a_list_of_documents_ends_at_its_bounds
            a_document_is_replaced_and_deleted_by_a_filter
            a_unique_index_refuses_the_second_document_by_name
            databases_collections_and_indexes_are_listed
            a_pipeline_reads_and_does_not_write
            what_is_not_there_is_empty_and_no_error
        }
    };
    (sql [$($given:tt)*] $($then:tt)+) => {
        $($then)+! {
            [$($given)*]
            a_commit_is_seen_by_others
            a_rollback_leaves_nothing
            a_dropped_transaction_leaves_nothing
            a_failed_statement_leaves_the_transaction_to_its_owner
            a_commit_after_a_failed_statement_tells_the_truth
            a_session_keeps_its_connection
            a_script_runs_all_its_statements
            a_unique_violation_is_told_by_its_constraint
            a_foreign_key_violation_is_told
            a_refused_statement_carries_the_code_of_the_engine
            a_missing_column_is_an_error_even_for_an_option
            crossing_locks_end_in_a_conflict
            edges_of_every_type_survive
            any_value_of_every_type_survives
            null_is_apart_from_empty
        }
    };
    (key_value [$($given:tt)*] $($then:tt)+) => {
        $($then)+! {
            [$($given)*]
            a_value_is_kept_until_its_time_is_over_or_it_is_deleted
            of_many_who_set_an_absent_key_one_succeeds
            a_lease_is_renewed_and_given_up_by_its_token_alone
            a_counter_keeps_the_expiry_it_began_with_and_every_bit
            what_many_add_is_all_counted
            any_bytes_survive_as_keys_and_as_values
        }
    };
    (network [$($given:tt)*] $($then:tt)+) => {
        $($then)+! {
            [$($given)*]
            a_wrong_password_is_rejected
            an_unknown_host_is_unreachable
            a_refused_port_is_unreachable
            an_unreachable_server_is_given_up_in_time
            without_tls_nothing_is_encrypted
            required_tls_encrypts
            verified_tls_accepts_the_right_authority
            verified_tls_refuses_another_authority
            authorities_at_hand_are_as_good_as_a_file
            verified_tls_refuses_another_host_name
            a_missing_authority_file_is_a_fault_of_the_settings
            a_failed_build_is_shared_and_not_kept
            a_restarted_server_is_reached_again
            a_reset_in_mid_query_is_unreachable
            a_silent_server_is_given_up_at_the_deadline
        }
    };
    (network_sql [$($given:tt)*] $($then:tt)+) => {
        $($then)+! {
            [$($given)*]
            a_transaction_that_loses_its_server_takes_no_effect
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! contract_tests {
    ([$target:expr] $($case:ident)+) => {
        $(
            #[test]
            fn $case() {
                $crate::run(async {
                    let target = $target;
                    $crate::contract::$case(target).await;
                });
            }
        )+
    };
}
