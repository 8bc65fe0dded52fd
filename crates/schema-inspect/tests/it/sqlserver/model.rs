use std::time::Duration;

use connection_manager::egress::EgressConfig;
use schema_inspect::{InspectError, InspectOptions, Inspectors};
use schema_model::{Gap, ObjectName, Unavailable};
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseErrorKind, RawStatement, TransactionMode};

use super::{Sample, told};

/// The same model as the scripted server's answers make.
#[test]
fn everything_in_the_sample_is_told() {
    testkit::run(async {
        let found = Sample::new().await.inspect(&InspectOptions::default()).await;
        told(found.database);
        assert_eq!(found.report.statements, 12);
        assert_eq!(found.report.gaps.len(), 1, "the encrypted view: {:?}", found.report.gaps);
    });
}

#[test]
fn the_same_shape_has_the_same_fingerprint() {
    testkit::run(async {
        let (one, other) = (Sample::new().await, Sample::new().await);
        other.run("ALTER TABLE shop.seen ADD gone int NULL\nGO\nALTER TABLE shop.seen DROP COLUMN gone").await;
        other.run("INSERT INTO shop.seen VALUES ('de')").await;
        let one = one.inspect(&InspectOptions::default()).await;
        let mut other = other.inspect(&InspectOptions::default()).await;
        assert_ne!(one.statistics, other.statistics);
        other.database.name.clone_from(&one.database.name);
        assert_eq!(one.database.fingerprint(), other.database.fingerprint());
    });
}

#[test]
fn a_connection_from_outside_that_only_reads_is_inspected_as_any_other() {
    testkit::run(async {
        let sample = Sample::new().await;
        let guarded = sample.database.settings().with_egress(EgressConfig::open().egress([]));
        let connection = testkit::connect(guarded).await.expect("connected");
        let options = InspectOptions::default();
        let found = Inspectors::builtin().inspect(&*connection, &options, &RequestContext::system()).await;
        assert_eq!(found.expect("inspected").database, sample.inspect(&options).await.database);
    });
}

/// The documentation does not promise that the catalog is read without locks: where it is not, there is an error that says so.
#[test]
fn a_migration_that_is_under_way_is_waited_for_no_longer_than_said() {
    testkit::run(async {
        let sample = Sample::new().await;
        let migration = testkit::connect(sample.database.settings()).await.expect("connected");
        let context = RequestContext::system().within(Duration::from_secs(20));
        let transaction =
            migration.sql().expect("SQL").begin(TransactionMode::ReadWrite, &context).await.expect("begun");
        let alter = RawStatement::everywhere("ALTER", "ALTER TABLE shop.seen ADD coming int NULL").into();
        transaction.execute(&alter, &context).await.expect("altered");
        let found = Inspectors::builtin().inspect(&*sample.connection, &InspectOptions::default(), &context).await;
        transaction.rollback(&context).await.expect("rolled back");
        match found {
            Ok(found) => {
                let locked = |gap: &Gap| gap.reason == Unavailable::Locked;
                assert!(found.report.gaps.iter().any(locked), "{:?}", found.report.gaps);
                assert!(found.database.relation(&ObjectName::new("shop", "makers")).is_some());
            }
            Err(InspectError::Database { source, .. }) => {
                assert_eq!(*source.kind(), DatabaseErrorKind::SerializationConflict, "{source:?}");
            }
            Err(error) => panic!("{error:?}"),
        }
    });
}
