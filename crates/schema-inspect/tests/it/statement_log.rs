//! What a server has written down of a look: nothing but reads, and as many of them however many tables there are.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use connection_manager::PoolSettings;
use schema_inspect::{InspectOptions, Inspectors};
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseConnection, RawStatement};
use testkit::{OwnServer, Server};

macro_rules! on {
    ($($module:ident $server:ident),+ $(,)?) => {
        $(mod $module {
            #[test]
            fn the_servers_own_log_has_nothing_but_as_many_reads() {
                testkit::run(super::the_servers_own_log_has_nothing_but_as_many_reads(testkit::Server::$server));
            }
        })+
    };
}
on!(postgres Postgres, mysql MySql, mariadb MariaDb);

/// What the server is told, so that it writes down each statement of each session. In others' servers that would be in their way.
fn settings(server: Server) -> &'static [(&'static str, &'static str)] {
    match server {
        Server::Postgres => &[
            ("logging_collector", "on"),
            ("log_destination", "stderr"),
            ("log_line_prefix", "[%p] "),
            ("log_statement", "all"),
        ],
        _ => &[("general_log", "1"), ("log_output", "TABLE")],
    }
}

/// What a look may send, as the server writes it down. Of MariaDB's `SET STATEMENT` the values count for that one read alone.
fn reads(server: Server) -> &'static [&'static str] {
    match server {
        Server::Postgres => {
            &["BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "SELECT", "WITH locked AS", "ROLLBACK"]
        }
        Server::MariaDb => &[
            "START TRANSACTION READ ONLY",
            "SELECT",
            "SET STATEMENT lock_wait_timeout = 0, lc_messages = 'en_US', sql_mode = 'NO_ENGINE_SUBSTITUTION' FOR SELECT",
            "ROLLBACK",
        ],
        _ => &["START TRANSACTION READ ONLY", "SELECT", "ROLLBACK"],
    }
}

/// What locks or changes something although it begins as a read does.
const NO_READS: [&str; 11] = [
    "FOR UPDATE",
    "FOR SHARE",
    "FOR NO KEY UPDATE",
    "FOR KEY SHARE",
    "LOCK IN SHARE MODE",
    "INTO OUTFILE",
    "INTO DUMPFILE",
    "NEXTVAL(",
    "SETVAL(",
    "ADVISORY_",
    "GET_LOCK(",
];

fn is_read(server: Server, statement: &str) -> bool {
    let capitals = statement.to_uppercase();
    reads(server).iter().any(|word| statement.starts_with(word)) && !NO_READS.iter().any(|word| capitals.contains(word))
}

#[test]
fn what_locks_or_changes_something_is_no_read() {
    assert!(is_read(Server::Postgres, "SELECT 1"));
    assert!(!is_read(Server::Postgres, "DELETE FROM t"));
    assert!(!is_read(Server::Postgres, "SELECT 1 FROM t FOR KEY SHARE"));
    assert!(!is_read(Server::Postgres, "SELECT pg_try_advisory_lock(1)"));
    assert!(!is_read(Server::MySql, "SELECT get_lock('a', 1)"));
}

/// What a session sends once, when it is opened.
fn openings(server: Server) -> &'static [&'static str] {
    match server {
        Server::Postgres => &["SELECT pid::text ||"],
        _ => &["SET ", "SELECT CONCAT_WS(' ', CONNECTION_ID(), "],
    }
}

async fn the_servers_own_log_has_nothing_but_as_many_reads(server: Server) {
    let own = OwnServer::start(server, settings(server)).await;
    let watch = Watch { server, admin: testkit::connect(own.admin()).await.expect("connected") };
    let database = if server == Server::Postgres { "postgres" } else { "shop" };
    if server != Server::Postgres {
        watch.run("CREATE DATABASE shop").await;
    }
    let settings = own.admin().with_database(database).with_pool(PoolSettings::sized(1, 1));
    let looking = testkit::connect(settings).await.expect("connected");
    let session = watch.session(&*looking).await;
    let opened = watch.log(&session).await;
    for statement in &opened {
        let is_usual = openings(server).iter().chain(&[THE_SESSION]).any(|word| statement.starts_with(word));
        assert!(is_usual, "{statement}");
    }
    let (mut looks, mut read) = (Vec::new(), opened.len());
    for tables in [0..3, 3..60] {
        let count = tables.end;
        watch.run(&made(server, tables)).await;
        let context = RequestContext::system();
        let options = InspectOptions { lock_wait: Duration::from_secs(10), ..InspectOptions::default() };
        let found = Inspectors::builtin().inspect(&*looking, &options, &context).await.expect("it is inspected");
        assert_eq!(found.database.relations().count(), count, "it has looked at all of them");
        let log = watch.log(&session).await;
        let statements = log[read..].to_vec();
        read = log.len();
        for statement in &statements {
            assert!(is_read(server, statement), "{statement}");
        }
        assert_eq!(statements.len(), usize::try_from(found.report.statements).expect("few"), "{statements:#?}");
        looks.push(statements);
    }
    // Not only as many, but the same ones.
    assert_eq!(looks[0], looks[1]);
}

/// Tables with something of everything that is asked for.
fn made(server: Server, tables: std::ops::Range<usize>) -> String {
    let place = if server == Server::Postgres { "public" } else { "shop" };
    let mut script = String::new();
    for table in tables {
        let (name, other) = (format!("{place}.t{table}"), format!("{place}.t{}", table / 2));
        write!(
            script,
            "CREATE TABLE {name} (id int PRIMARY KEY, a varchar(10) UNIQUE, b int CHECK (b > 0), \
             FOREIGN KEY (b) REFERENCES {other} (id)); CREATE INDEX i{table} ON {name} (a, b);"
        )
        .expect("written");
    }
    script
}

/// By what a session asks which one it is.
const THE_SESSION: &str = "SELECT /* which session */";

/// Somebody who reads the log in a session of his own.
struct Watch {
    server: Server,
    admin: Arc<dyn DatabaseConnection>,
}

impl Watch {
    async fn run(&self, script: &str) {
        self.admin.sql().expect("SQL").run_script(script, &RequestContext::system()).await.expect("it runs");
    }

    /// The number of the one session of a connection.
    async fn session(&self, connection: &dyn DatabaseConnection) -> String {
        let function =
            if self.server == Server::Postgres { "pg_backend_pid()::text" } else { "CAST(connection_id() AS CHAR)" };
        first(connection, format!("{THE_SESSION} {function}")).await
    }

    /// What the server has written down of this session, statement by statement.
    async fn log(&self, session: &str) -> Vec<String> {
        if self.server != Server::Postgres {
            return self.table(session).await;
        }
        // Another process writes the file. What was said before this has come there when this has.
        let mark = shared_kernel::IdGenerator::next(&shared_kernel::SystemIdGenerator).simple().to_string();
        let question = || async {
            first(&*self.admin, format!("SELECT '{mark}'")).await;
            let log = first(&*self.admin, "SELECT pg_read_file(pg_current_logfile())".to_owned()).await;
            log.contains(&mark).then_some(log)
        };
        let log = testkit::eventually_some(Duration::from_secs(20), question).await;
        entries(&log, session)
    }

    async fn table(&self, session: &str) -> Vec<String> {
        let text = format!(
            "SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log \
             WHERE thread_id = {session} AND command_type IN ('Query', 'Execute') ORDER BY event_time"
        );
        let rows =
            self.admin.sql().expect("SQL").query(&raw(text), &RequestContext::system()).await.expect("an answer");
        rows.iter().map(|row| row.get::<String>(0).expect("a text")).collect()
    }
}

fn raw(text: String) -> shared_kernel::database::Statement {
    RawStatement::everywhere("SELECT", text).into()
}

async fn first(connection: &dyn DatabaseConnection, text: String) -> String {
    let sql = connection.sql().expect("SQL");
    let row = sql.query_one(&raw(text), &RequestContext::system()).await.expect("an answer").expect("a row");
    row.get::<String>(0).expect("a text")
}

/// The statements of one process in a log of PostgreSQL. The lines of a text but for its first one begin with a tab.
fn entries(log: &str, process: &str) -> Vec<String> {
    let mut entries: Vec<String> = Vec::new();
    let mut is_mine = false;
    for line in log.lines() {
        if let Some(more) = line.strip_prefix('\t') {
            if let Some(last) = entries.last_mut().filter(|_| is_mine) {
                last.push('\n');
                last.push_str(more);
            }
            continue;
        }
        // `LOG:  statement: …`, or `LOG:  execute name: …`.
        let mine = line.strip_prefix(&format!("[{process}] LOG:  "));
        let statement = mine.and_then(|entry| {
            entry.strip_prefix("statement: ").or_else(|| Some(entry.strip_prefix("execute ")?.split_once(": ")?.1))
        });
        is_mine = statement.is_some();
        entries.extend(statement.map(str::to_owned));
    }
    entries
}
