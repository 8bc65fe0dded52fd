use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use schema_inspect::InspectOptions;
use schema_model::{Gap, Inspection, Reading, Unavailable};
use shared_kernel::RequestContext;
use shared_kernel::database::{SqlTransaction, TransactionMode};
use testkit::Server;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{Sample, on_both};

on_both!(
    tables_locked_for_writing_are_told_whole,
    a_migration_that_waits_behind_a_reader_is_not_waited_for,
    a_migration_that_holds_its_lock_is_not_waited_for,
);

/// Whoever waits for somebody's lock waits for much longer.
const NO_WAIT: Duration = Duration::from_secs(30);

const TABLES: u32 = 60;

/// Many tables, in the middle of which is `m_middle`; `z_last` comes after all of them.
async fn many(server: Server) -> Arc<Sample> {
    let sample = Sample::empty(server).await;
    let mut script = String::new();
    let table =
        "(id int PRIMARY KEY, other int, CHECK (other > 0), KEY by_other (other), FOREIGN KEY (other) REFERENCES";
    for number in 0..TABLES {
        let letter = if number < TABLES / 2 { 'b' } else { 't' };
        write!(script, "CREATE TABLE {letter}{number} {table} {letter}{number} (id));").expect("written");
    }
    for name in ["m_middle", "z_last"] {
        write!(script, "CREATE TABLE {name} (id int PRIMARY KEY, other int CHECK (other > 0)) PARTITION BY HASH (id);")
            .expect("written");
    }
    sample.run(&script).await;
    sample.run("CREATE VIEW over_middle AS SELECT id FROM m_middle; CREATE VIEW aside AS SELECT id FROM b1").await;
    sample.run("CREATE TRIGGER middle_trigger BEFORE INSERT ON m_middle FOR EACH ROW SET NEW.other = 1").await;
    Arc::new(sample)
}

/// Patient enough for everything but a wait for somebody's lock.
async fn inspect(sample: &Sample) -> Inspection {
    timeout(NO_WAIT, sample.inspect(&sample.options())).await.expect("nobody's lock was waited for")
}

/// Reads a table and keeps it from being changed.
async fn reader<'a>(sample: &'a Sample, context: &'a RequestContext) -> Box<dyn SqlTransaction> {
    let sql = sample.connection.sql().expect("SQL");
    let reader = sql.begin(TransactionMode::ReadWrite, context).await.expect("a transaction");
    reader.run_script("SELECT * FROM z_last", context).await.expect("read");
    reader
}

/// Starts a change that waits for a lock, and comes back when it does.
async fn waiting(sample: &Arc<Sample>, change: &'static str) -> JoinHandle<()> {
    let changing = tokio::spawn({
        let sample = Arc::clone(sample);
        async move { sample.run(change).await }
    });
    let waits = "SELECT CAST(COUNT(*) AS CHAR) FROM information_schema.PROCESSLIST \
                 WHERE STATE LIKE 'Waiting for table metadata lock%' AND DB = DATABASE()";
    testkit::eventually_some(NO_WAIT, || async move { (sample.ask(waits, 0).await != "0").then_some(()) }).await;
    changing
}

async fn tables_locked_for_writing_are_told_whole(server: Server) {
    let sample = many(server).await;
    let whole = inspect(&sample).await;
    let session = sample.connection.sql().expect("SQL").session(&RequestContext::system()).await.expect("a session");
    session.run_script("LOCK TABLES m_middle WRITE, b1 WRITE", &RequestContext::system()).await.expect("locked");
    let found = inspect(&sample).await;
    session.release().await.expect("released");
    assert_eq!(found.database, whole.database);
    assert_eq!(found.report.gaps, []);
}

async fn a_migration_that_waits_behind_a_reader_is_not_waited_for(server: Server) {
    let sample = many(server).await;
    let whole = inspect(&sample).await;
    let context = RequestContext::system();
    let reader = reader(&sample, &context).await;
    let migration = waiting(&sample, "ALTER TABLE z_last ADD COLUMN more int").await;
    let found = inspect(&sample).await;
    reader.rollback(&context).await.expect("rolled back");
    migration.await.expect("it got its lock");
    assert_eq!(found.database, whole.database);
    assert_eq!(found.report.gaps, []);
    assert_eq!(sample.relation(&inspect(&sample).await, "z_last").columns.len(), 3);
}

/// It has the one lock that is in the way, an exclusive one, while it waits for another.
async fn a_migration_that_holds_its_lock_is_not_waited_for(server: Server) {
    let sample = many(server).await;
    let whole = inspect(&sample).await;
    assert_eq!(whole.report.gaps, []);
    // What the server has counted it need not ask the table for.
    let fresh = "CREATE TABLE m_new (id int); ";
    sample.run(fresh).await;
    let context = RequestContext::system();
    let reader = reader(&sample, &context).await;
    let migration = waiting(&sample, "RENAME TABLE m_middle TO m_moved, m_new TO m_newer, z_last TO z_moved").await;
    let found = inspect(&sample).await;
    let in_haste = InspectOptions::default().only([sample.database.name()]);
    let hasty = timeout(NO_WAIT, sample.inspect(&in_haste)).await.expect("nobody's lock was waited for");
    reader.rollback(&context).await.expect("rolled back");
    migration.await.expect("it got its lock");
    let but = |inspection: &Inspection| {
        let mut database = inspection.database.clone();
        for namespace in &mut database.namespaces {
            namespace
                .relations
                .retain(|relation| !["m_middle", "m_new", "over_middle"].contains(&relation.name.as_str()));
        }
        database
    };
    assert_eq!(but(&found), but(&whole), "the rest is told");
    assert_eq!(hasty.database, found.database);
    let middle = sample.relation(&found, "m_middle");
    let size = |inspection: &Inspection, name: &str| {
        let name = sample.name(name);
        let size = inspection.statistics.iter().find(|statistics| statistics.relation == name);
        size.expect("statistics").bytes
    };
    assert_eq!(size(&found, "m_new"), None);
    assert!(size(&found, "t59").is_some());
    let gap = |name: &str, part: &str| Gap {
        object: Some(sample.name(name)),
        part: part.to_owned(),
        reason: Unavailable::Locked,
    };
    if server == Server::MySql {
        assert_eq!(middle, sample.relation(&whole, "m_middle"), "all of it is in the dictionary");
        assert_eq!(sample.relation(&found, "m_new").columns.len(), 1);
        assert!(found.report.gaps.contains(&gap("m_new", "statistics")), "{:?}", found.report.gaps);
        let not_counted = |gap: &Gap| gap.part == "statistics" && gap.reason == Unavailable::Locked;
        assert!(found.report.gaps.iter().all(not_counted), "{:?}", found.report.gaps);
        // Whoever has less patience than the server's shortest wait has no sizes.
        assert_eq!(
            hasty.report.gaps,
            [Gap { object: None, part: "statistics".to_owned(), reason: Unavailable::Locked }]
        );
        assert!(hasty.statistics.iter().all(|statistics| statistics.bytes.is_none()));
        return;
    }
    assert_eq!(hasty.report.gaps, found.report.gaps);
    let parts = ["checks", "columns", "foreign_keys", "indexes", "keys", "partitioning", "triggers"];
    let mut expected: Vec<Gap> = parts.iter().flat_map(|part| [gap("m_middle", part), gap("m_new", part)]).collect();
    expected.push(gap("over_middle", "columns"));
    expected.sort_unstable();
    assert_eq!(found.report.gaps, expected);
    assert!(middle.columns.is_empty());
    assert_eq!(middle.native["unavailable"], "locked");
    assert_eq!(middle.comment, None);
    assert_eq!(size(&found, "m_middle"), None);
    let over = sample.relation(&found, "over_middle");
    assert_eq!(over.definition, sample.relation(&whole, "over_middle").definition);
    assert!(over.definition.as_ref().and_then(Reading::known).is_some());
    assert_eq!(found.report.statements, whole.report.statements, "at the first try");
}
