//! Files that mean ill are survived, in bounded time and memory. SQLite works in this process: what a file has in it is code, and what it
//! announces is made room for.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as expected")]

use std::error::Error as _;
use std::fmt::Write as _;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use connection_manager::drivers::sqlite::SqliteDriver;
use connection_manager::egress::{EgressConfig, SessionLimits};
use connection_manager::pool::Driver as _;
use connection_manager::{ConnectionSettings, Credentials, PoolSettings};
use shared_kernel::RequestContext;
use shared_kernel::database::{
    DatabaseConnection, DatabaseError, DatabaseErrorKind, RawStatement, Row, TransactionMode,
};
use sqlx::Executor as _;
use sqlx::sqlite::SqliteConnectOptions;
use tempfile::TempDir;

/// What a test may cost at most. nextest runs each in a process of its own; in one process they would pay for each other.
const MODEST: u64 = 100 << 20;
/// Much less than what is asked for would take; nothing is measured.
const LONG: Duration = Duration::from_mins(1);
const PAGE: usize = 4096;

/// A view with so many rows that nobody sees the last.
const ENDLESS: &str = "WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < 1000000000000) \
    SELECT n FROM counted";

struct File {
    folder: TempDir,
}

impl File {
    /// One that a script has made.
    async fn made_by(script: &str) -> Self {
        let file = Self { folder: tempfile::tempdir().unwrap() };
        let maker = file.maker().await;
        // Without a log of its own, who reads and who writes wait for each other.
        let script = format!("PRAGMA journal_mode = DELETE; {script}");
        maker.sql().unwrap().run_script(&script, &context()).await.unwrap();
        maker.close(Duration::from_secs(5)).await;
        file
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("shop.sqlite")
    }

    /// A connection of the one who makes the file, which nothing keeps from anything.
    async fn maker(&self) -> Arc<dyn DatabaseConnection> {
        testkit::connect(ConnectionSettings::sqlite(self.path())).await.unwrap()
    }

    /// A connection to it as somebody from outside has defined it.
    async fn try_opened(&self, limits: SessionLimits) -> Result<Arc<dyn DatabaseConnection>, DatabaseError> {
        let egress = EgressConfig::open().egress([]).with_files_below(self.folder.path()).with_limits(limits);
        let pool = PoolSettings { connect_timeout: LONG, acquire_timeout: LONG, ..PoolSettings::sized(0, 1) };
        let settings = ConnectionSettings::sqlite(self.path()).with_option("busy_timeout", "1h");
        testkit::connect(settings.with_egress(egress).with_pool(pool)).await
    }

    async fn opened(&self, limits: SessionLimits) -> Arc<dyn DatabaseConnection> {
        self.try_opened(limits).await.unwrap()
    }

    /// Has somebody write over a page, which are counted from 1.
    fn damage(&self, page: usize, change: impl FnOnce(&mut [u8])) {
        let mut file = std::fs::File::options().read(true).write(true).open(self.path()).unwrap();
        let mut bytes = vec![0; PAGE];
        let start = SeekFrom::Start(u64::try_from((page - 1) * PAGE).unwrap());
        file.seek(start).unwrap();
        file.read_exact(&mut bytes).unwrap();
        change(&mut bytes);
        file.seek(start).unwrap();
        file.write_all(&bytes).unwrap();
    }
}

fn context() -> RequestContext {
    RequestContext::system().within(LONG)
}

fn unhurried() -> SessionLimits {
    SessionLimits { statement: Duration::from_hours(1), ..SessionLimits::default() }
}

async fn ask(connection: &Arc<dyn DatabaseConnection>, text: &str) -> Result<Vec<Row>, DatabaseError> {
    let question = RawStatement::everywhere("SELECT", text.to_owned()).into();
    connection.sql().unwrap().query(&question, &context()).await
}

fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
}

fn cause(error: &DatabaseError) -> String {
    error.source().map(ToString::to_string).unwrap_or_default()
}

#[track_caller]
fn is(error: &DatabaseError, kind: &DatabaseErrorKind, code: Option<&str>) {
    assert_eq!((error.kind(), error.code()), (kind, code), "{error}: {}", cause(error));
}

/// A pragma that is asked like a table gives way to a table or a view of its name.
#[test]
fn no_view_takes_the_place_of_what_is_asked_for() {
    testkit::run(async {
        let file = File::made_by(&format!(
            "CREATE VIEW pragma_database_list AS SELECT 'elsewhere' AS name, n FROM ({ENDLESS})"
        ))
        .await;
        let connection = file.opened(unhurried()).await;
        let names = connection.catalog().unwrap().databases(10, &context()).await.unwrap();
        assert_eq!(names, ["main"]);
    });
}

#[test]
fn what_has_no_end_is_ended_though_nobody_has_left() {
    testkit::run(async {
        let file = File::made_by(&format!("CREATE VIEW sums AS SELECT SUM(n) AS n FROM ({ENDLESS})")).await;
        let connection = file.opened(SessionLimits { statement: Duration::from_millis(300), ..unhurried() }).await;
        for text in ["SELECT n FROM sums", "SELECT 1 FROM sums WHERE n = 1"] {
            is(&ask(&connection, text).await.unwrap_err(), &DatabaseErrorKind::Timeout, Some("9"));
        }
        let sql = connection.sql().unwrap();
        let transaction = sql.begin(TransactionMode::ReadOnly, &context()).await.unwrap();
        let question = RawStatement::everywhere("SELECT", "SELECT n FROM sums").into();
        is(&transaction.execute(&question, &context()).await.unwrap_err(), &DatabaseErrorKind::Timeout, Some("9"));
        drop(transaction);
        assert_eq!(ask(&connection, "SELECT 1").await.unwrap().len(), 1);
    });
}

/// Whoever reads holds up whoever writes, for as long as they read.
#[test]
fn nobody_reads_on_for_a_caller_who_has_left() {
    testkit::run(async {
        let script = format!(
            "CREATE TABLE a (n INTEGER); INSERT INTO a VALUES (1); \
             CREATE VIEW sums AS SELECT SUM(c.n) AS n FROM a, ({ENDLESS}) c"
        );
        let file = File::made_by(&script).await;
        let connection = file.opened(unhurried()).await;
        let question = RawStatement::everywhere("SELECT", "SELECT n FROM sums").into();
        let soon = RequestContext::system().within(Duration::from_millis(300));
        let error = connection.sql().unwrap().query(&question, &soon).await.unwrap_err();
        assert_eq!(*error.kind(), DatabaseErrorKind::Timeout, "{error}");
        let options = SqliteConnectOptions::new().filename(file.path()).busy_timeout(LONG);
        let mut writer = SqliteDriver::new(options).connect(&Credentials::none()).await.unwrap();
        writer.connection().execute("INSERT INTO a VALUES (2)").await.unwrap();
    });
}

#[test]
fn rows_end_where_there_is_no_room_for_more() {
    testkit::run(async {
        // Without the limit they come to an end as well, and to more memory.
        let few = ENDLESS.replace("1000000000000", "2000000");
        let long = "SELECT hex(zeroblob(400000)) AS n FROM (SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6)";
        let file = File::made_by(&format!("CREATE VIEW counted AS {few}; CREATE VIEW long AS {long}")).await;
        let connection = file.opened(SessionLimits { answer: 1 << 20, ..unhurried() }).await;
        let before = peak();
        for view in ["counted", "long"] {
            let error = ask(&connection, &format!("SELECT n FROM {view}")).await.unwrap_err();
            is(&error, &DatabaseErrorKind::Query, None);
            assert!(error.to_string().contains("memory"), "{error}");
        }
        assert!(peak() - before < MODEST, "{} MiB", (peak() - before) >> 20);
        assert_eq!(ask(&connection, "SELECT n FROM long LIMIT 4").await.unwrap().len(), 4);
    });
}

/// All of a file's statements are taken in before the first question is answered.
#[test]
fn what_sqlite_keeps_of_a_file_is_limited() {
    testkit::run(async {
        let columns: Vec<String> = (0..40).map(|number| format!("column_{number} TEXT")).collect();
        let columns = columns.join(", ");
        let mut script = String::from("BEGIN;");
        for table in 0..3_000 {
            write!(script, "CREATE TABLE t{table} (a, {columns});").unwrap();
        }
        let file = File::made_by(&(script + "COMMIT")).await;
        let error = file.try_opened(SessionLimits { answer: 1 << 20, ..unhurried() }).await.unwrap_err();
        is(&error, &DatabaseErrorKind::FileUnusable, Some("9"));
        assert_eq!(ask(&file.opened(unhurried()).await, "SELECT 1 FROM t7").await.unwrap().len(), 0);
    });
}

/// A number as SQLite's records have it: seven bits a byte, and whether another byte follows.
fn varint(number: usize) -> Vec<u8> {
    let bits = |shift: u32| u8::try_from(number >> shift & 0x7f).unwrap();
    let mut bytes = vec![bits(0)];
    for shift in (7..usize::BITS).step_by(7).take_while(|shift| number >> shift > 0) {
        bytes.insert(0, bits(shift) | 0x80);
    }
    bytes
}

/// The only row says that it has a blob of a gigabyte, and the file has as many pages, with holes for nearly all of them.
async fn with_a_gigabyte() -> File {
    let file = File::made_by("CREATE TABLE a (b BLOB); INSERT INTO a VALUES (x'00')").await;
    let pages = u32::try_from((1 << 30) / PAGE).unwrap();
    file.damage(1, |head| head[28..32].copy_from_slice(&pages.to_be_bytes()));
    file.damage(2, |page| {
        let length = 1_000_000_000;
        let mut head = varint(length * 2 + 12);
        head.insert(0, u8::try_from(head.len() + 1).unwrap());
        let payload = length + head.len();
        let spilled = 489 + (payload - 489) % (PAGE - 4);
        let local = if spilled <= PAGE - 35 { spilled } else { 489 };
        head.resize(local, 0);
        let cell = [varint(payload), varint(1), head, 3_u32.to_be_bytes().to_vec()].concat();
        let start = PAGE - cell.len();
        page[start..].copy_from_slice(&cell);
        let start = u16::try_from(start).unwrap().to_be_bytes();
        page[5..7].copy_from_slice(&start);
        page[8..10].copy_from_slice(&start);
    });
    std::fs::File::options().write(true).open(file.path()).unwrap().set_len(1 << 30).unwrap();
    file
}

#[test]
fn no_room_is_made_for_a_value_that_is_too_long() {
    testkit::run(async {
        let file = with_a_gigabyte().await;
        let maker = file.maker().await;
        let length = ask(&maker, "SELECT length(b) AS n FROM a").await.unwrap();
        assert_eq!(length[0].get::<i64>("n").unwrap(), 1_000_000_000, "it is announced");
        maker
            .sql()
            .unwrap()
            .run_script("CREATE VIEW made AS SELECT hex(zeroblob(300000000)) AS b", &context())
            .await
            .unwrap();
        maker.close(Duration::from_secs(5)).await;
        let connection = file.opened(unhurried()).await;
        let before = peak();
        for text in ["SELECT b FROM a", "SELECT b FROM made", "SELECT hex(b) AS b FROM a"] {
            is(&ask(&connection, text).await.unwrap_err(), &DatabaseErrorKind::Query, Some("18"));
        }
        assert!(peak() - before < MODEST, "{} MiB", (peak() - before) >> 20);
    });
}

#[test]
fn a_damaged_page_is_not_believed() {
    testkit::run(async {
        let file = File::made_by("CREATE TABLE a (b INTEGER); INSERT INTO a VALUES (1), (2)").await;
        // The second row would begin at the page's last byte.
        file.damage(2, |page| page[10..12].copy_from_slice(&4095_u16.to_be_bytes()));
        let first = "SELECT b FROM a LIMIT 1";
        assert_eq!(ask(&file.maker().await, first).await.unwrap().len(), 1, "which is sound");
        let error = ask(&file.opened(unhurried()).await, first).await.unwrap_err();
        is(&error, &DatabaseErrorKind::FileUnusable, Some("11"));
    });
}

#[test]
fn a_view_is_not_trusted() {
    testkit::run(async {
        let file = File::made_by("CREATE VIEW a AS SELECT name FROM pragma_database_list").await;
        assert_eq!(ask(&file.maker().await, "SELECT name FROM a").await.unwrap().len(), 1);
        let error = ask(&file.opened(unhurried()).await, "SELECT name FROM a").await.unwrap_err();
        assert!(cause(&error).contains("unsafe use of virtual table"), "{}", cause(&error));
    });
}

#[test]
fn a_file_does_not_say_how_much_of_it_is_kept() {
    testkit::run(async {
        let file = File::made_by("CREATE TABLE a (b INTEGER); PRAGMA default_cache_size = 1000000").await;
        let size = async |connection: Arc<dyn DatabaseConnection>| {
            let rows = ask(&connection, "SELECT cache_size FROM temp.pragma_cache_size").await.unwrap();
            rows[0].get::<i64>("cache_size").unwrap()
        };
        assert_eq!(size(file.maker().await).await, 1_000_000);
        assert_eq!(size(file.opened(unhurried()).await).await, -2048);
    });
}

/// The guard in front of sessions refuses such texts; this is what is behind it.
#[test]
fn sqlite_itself_opens_no_other_file_and_takes_no_long_text() {
    testkit::run(async {
        let file = File::made_by("CREATE TABLE a (b INTEGER)").await;
        let options = SqliteConnectOptions::new().filename(file.path()).read_only(true);
        let driver = SqliteDriver::new(options).only_reading(unhurried());
        let mut session = driver.connect(&Credentials::none()).await.unwrap();
        for (text, refusal) in [
            ("ATTACH ':memory:' AS other".to_owned(), "too many attached databases - max 0"),
            (format!("SELECT '{}'", "a".repeat(1_000_000)), "statement too long"),
            (format!("SELECT 'a' LIKE '{}'", "a".repeat(1_001)), "LIKE or GLOB pattern too complex"),
        ] {
            let outcome = session.connection().fetch_all(sqlx::query(sqlx::AssertSqlSafe(text))).await;
            let error = outcome.unwrap_err().to_string();
            assert!(error.contains(refusal), "{error}");
        }
    });
}

/// The caller's deadline would end the wait as well, and the driver's thread would wait on.
#[test]
fn a_lock_is_waited_for_no_longer_than_any_other() {
    testkit::run(async {
        let file = File::made_by("CREATE TABLE a (b INTEGER)").await;
        let connection = file.opened(SessionLimits { lock_wait: Duration::from_millis(100), ..unhurried() }).await;
        let options = SqliteConnectOptions::new().filename(file.path());
        let mut writer = SqliteDriver::new(options).connect(&Credentials::none()).await.unwrap();
        writer.connection().execute("BEGIN EXCLUSIVE").await.unwrap();
        let error = ask(&connection, "SELECT b FROM a").await.unwrap_err();
        is(&error, &DatabaseErrorKind::SerializationConflict, Some("5"));
    });
}
