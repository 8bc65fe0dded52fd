//! What a caller is told while the books' database is at fault in one way or another, and what the log says of it.

use std::io::{BufRead as _, BufReader};
use std::pin::pin;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use connection_manager::{BreakerSettings, ConnectionSettings, PasswordSource, PoolSettings, RetrySettings};
use futures_util::future::Either;
use reqwest::Method;
use serde_json::{Value, json};
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseConnection, RawStatement, SqlTransaction, TransactionMode};
use tempfile::TempDir;
use testkit::proxy::{Proxy, Traffic};
use testkit::{Server, TestDatabase, eventually_some};

use crate::support::{Answer, Service};

/// Much more than anything takes here.
const LONG: Duration = Duration::from_mins(1);
/// What is to pass, and soon.
const SHORT: Duration = Duration::from_millis(100);

/// A service whose books lie on PostgreSQL behind a proxy. Nothing is tried again, so that each request is one fault.
struct Scene {
    service: Service,
    proxy: Proxy,
    database: TestDatabase,
}

impl Scene {
    async fn new(change: impl FnOnce(ConnectionSettings) -> ConnectionSettings) -> Self {
        let database = TestDatabase::migrated(Server::Postgres, "books").await;
        let settings = database.settings();
        let upstream =
            format!("{}:{}", settings.host.clone().expect("a host"), settings.port.expect("a port of its own"));
        let proxy = Proxy::start(upstream).await.expect("a port");
        let settings = settings
            .with_host("127.0.0.1")
            .with_port(proxy.port())
            .with_pool(PoolSettings::sized(0, 1))
            .with_breaker(BreakerSettings { failures: 0, ..BreakerSettings::default() })
            .with_retry(RetrySettings::never());
        let settings = change(settings);
        let service = Service::configured(|config| {
            config.connections.insert("books".to_owned(), settings);
        })
        .await;
        // What the service does by itself at its start is over before the first request: it would take the one connection
        // from under it.
        service.get("/health/ready").await;
        Self { service, proxy, database }
    }

    async fn list(&self) -> Answer {
        self.service.get("/api/v1/books").await
    }

    async fn create(&self) -> Answer {
        let book = json!({"title": "Dune", "authors": ["Frank Herbert"], "isbn": "9780441013593"});
        self.service.post("/api/v1/books", &book).await
    }
}

/// A problem of the kind, with a time, and without a word of how the database is called and what it said.
#[track_caller]
fn is_away(answer: &Answer, kind: &str) -> u64 {
    let seconds = answer.is_problem(503, kind).header("retry-after").parse().expect("seconds");
    assert!(seconds >= 1);
    for word in ["127.0.0.1", "5432", "postgres", "pool", "relation"] {
        assert!(!answer.text.contains(word), "{}", answer.text);
    }
    seconds
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_gone_is_503_and_comes_back_by_itself() {
    let scene = Scene::new(|settings| settings).await;
    assert_eq!(scene.list().await.status, 200);
    scene.proxy.set(Traffic::Refuse).await;
    for _ in 0..3 {
        is_away(&scene.list().await, "unavailable");
        is_away(&scene.create().await, "unavailable");
    }
    scene.proxy.set(Traffic::Pass).await;
    assert_eq!(scene.list().await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_circuit_is_open_callers_learn_how_long() {
    let breaker = BreakerSettings { failures: 1, open_for: LONG, open_for_max: LONG, probes: 1 };
    let scene = Scene::new(|settings| settings.with_breaker(breaker)).await;
    assert_eq!(scene.list().await.status, 200);
    scene.proxy.set(Traffic::Refuse).await;
    // The connection that is open breaks first, and the attempt to open another opens the circuit.
    is_away(&scene.list().await, "unavailable");
    is_away(&scene.list().await, "unavailable");
    scene.proxy.set(Traffic::Pass).await;
    let seconds = is_away(&scene.list().await, "unavailable");
    assert!((30..=60).contains(&seconds), "{seconds}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_silent_is_503_at_the_statements_limit() {
    let limited = PoolSettings { statement_timeout: Some(SHORT), ..PoolSettings::sized(0, 1) };
    let scene = Scene::new(|settings| settings.with_pool(limited)).await;
    assert_eq!(scene.list().await.status, 200);
    scene.proxy.set(Traffic::Swallow).await;
    is_away(&scene.list().await, "timed-out");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_in_which_nothing_comes_free_is_503() {
    let impatient = PoolSettings { acquire_timeout: SHORT, ..PoolSettings::sized(0, 1) };
    let scene = Scene::new(|settings| settings.with_pool(impatient)).await;
    assert_eq!(scene.list().await.status, 200);
    let direct = scene.database.connection().await;
    let context = RequestContext::system();
    let lock = direct.sql().expect("SQL").begin(TransactionMode::ReadWrite, &context).await.expect("a transaction");
    lock.run_script("LOCK TABLE books IN ACCESS EXCLUSIVE MODE", &context).await.expect("the lock");
    // Two at a time, of which one has the connection and waits for the lock; which one does not matter.
    let (one, other) = (pin!(scene.list()), pin!(scene.list()));
    let (refused, waiting) = match futures_util::future::select(one, other).await {
        Either::Left((refused, waiting)) | Either::Right((refused, waiting)) => (refused, waiting),
    };
    lock.rollback(&context).await.expect("the end of the lock");
    is_away(&refused, "unavailable");
    assert_eq!(waiting.await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_was_demoted_refuses_to_write_with_503_and_reads() {
    let scene = Scene::new(|settings| settings).await;
    let direct = scene.database.connection().await;
    let session = direct.sql().expect("SQL").session(&RequestContext::system()).await.expect("a session");
    // What a write is told by a server that became a replica under the connections that are open.
    let demotion = "CREATE FUNCTION demoted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'cannot execute \
                    INSERT in a read-only transaction' USING ERRCODE = '25006'; END $$; \
                    CREATE TRIGGER demoted BEFORE INSERT ON books EXECUTE FUNCTION demoted()";
    session.run_script(demotion, &RequestContext::system()).await.expect("the demotion");
    is_away(&scene.create().await, "unavailable");
    assert_eq!(scene.list().await.status, 200);
    session.run_script("DROP TRIGGER demoted ON books", &RequestContext::system()).await.expect("the promotion");
    assert_eq!(scene.create().await.status, 201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_is_rejected_and_a_database_that_is_not_there_are_503() {
    let wrong = PasswordSource::Literal("not-the-password".to_owned().into());
    let scene = Scene::new(|settings| settings.with_password(wrong)).await;
    is_away(&scene.list().await, "unavailable");
    let scene = Scene::new(|settings| settings.with_database("not_there")).await;
    is_away(&scene.list().await, "unavailable");
}

/// A service whose requests may take that long, and a lock on the table of books that they wait for.
async fn locked(
    request_timeout: Duration,
) -> (Service, Arc<dyn DatabaseConnection>, Box<dyn SqlTransaction>, TestDatabase) {
    let database = TestDatabase::migrated(Server::Postgres, "books").await;
    let settings = database.settings();
    let service = Service::configured(|config| {
        config.server.limits.request_timeout = request_timeout;
        config.connections.insert("books".to_owned(), settings);
    })
    .await;
    service.get("/health/ready").await;
    let direct = database.connection().await;
    let context = RequestContext::system();
    let lock = direct.sql().expect("SQL").begin(TransactionMode::ReadWrite, &context).await.expect("a transaction");
    lock.run_script("LOCK TABLE books IN ACCESS EXCLUSIVE MODE", &context).await.expect("the lock");
    (service, direct, lock, database)
}

/// How many statements wait for a lock in the database.
async fn waiting(direct: &Arc<dyn DatabaseConnection>) -> i64 {
    let text = "SELECT COUNT(*) AS waiting FROM pg_stat_activity \
                WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let statement = RawStatement::everywhere("SELECT", text).into();
    let row = direct.sql().expect("SQL").query_one(&statement, &RequestContext::system()).await.expect("an answer");
    row.expect("a row").get("waiting").expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_requests_deadline_is_that_of_its_statements() {
    let (service, direct, lock, _database) = locked(Duration::from_secs(5)).await;
    let answer = {
        let mut request = pin!(service.get("/api/v1/books"));
        let seen = eventually_some(LONG, || async { (waiting(&direct).await > 0).then_some(()) });
        match futures_util::future::select(request.as_mut(), pin!(seen)).await {
            Either::Left((answer, _)) => panic!("the lock is held: {}", answer.text),
            Either::Right(((), _)) => request.await,
        }
    };
    is_away(&answer, "timed-out");
    // What ends a request whose statement did not end says other words.
    assert_eq!(answer.json()["detail"], "the database did not answer in time");
    eventually_some(LONG, || async { (waiting(&direct).await == 0).then_some(()) }).await;
    lock.rollback(&RequestContext::system()).await.expect("it was held all the time");
    assert_eq!(service.get("/api/v1/books").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_twin_of_a_request_under_way_is_asked_to_come_again() {
    let (service, direct, lock, _database) = locked(LONG).await;
    let book = json!({"title": "Dune", "authors": ["Frank Herbert"], "isbn": "9780441013593"});
    let key = [("idempotency-key", "twin")];
    let create = || service.json(Method::POST, "/api/v1/books", &key, &book);
    // It has written its receipt and waits for the lock.
    let mut first = pin!(create());
    let seen = eventually_some(LONG, || async { (waiting(&direct).await > 0).then_some(()) });
    if let Either::Left((answer, _)) = futures_util::future::select(first.as_mut(), pin!(seen)).await {
        panic!("the lock is held: {}", answer.text);
    }
    let refused = match futures_util::future::select(first.as_mut(), pin!(create())).await {
        Either::Left((answer, _)) => panic!("the lock is held: {}", answer.text),
        Either::Right((refused, _)) => refused,
    };
    assert_eq!(refused.is_problem(409, "idempotency-in-progress").header("retry-after"), "1");
    lock.rollback(&RequestContext::system()).await.expect("it was held all the time");
    let created = first.await;
    assert_eq!((created.status.as_u16(), created.header("idempotency-replayed")), (201, ""), "{}", created.text);
    let again = create().await;
    assert_eq!((again.status.as_u16(), &again.text), (201, &created.text));
    assert_eq!(again.header("idempotency-replayed"), "true");
}

/// The service as a process of its own, because what it logs is looked at.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_failed_for_good_is_one_error_in_the_log() {
    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    let folder = TempDir::with_prefix("bindery-faults-").expect("the folder for temporary files is writable");
    let nobody = testkit::free_port();
    let file = format!(
        "[log]\nformat = \"json\"\n\n[connections.books]\nengine = \"postgres\"\nhost = \"127.0.0.1\"\nport = \
         {nobody}\ndatabase = \"books\"\nusername = \"svc_books\"\npassword = {{ env = \"BOOKS_PASSWORD\" }}\n"
    );
    std::fs::write(folder.path().join("bindery.toml"), file).expect("the file");
    let mut child = Command::new(env!("CARGO_BIN_EXE_api"))
        .args(["--config", "bindery.toml", "--listen", "127.0.0.1:0"])
        .current_dir(folder.path())
        .env_clear()
        .env("BOOKS_PASSWORD", "hunter2")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut told = BufReader::new(child.stdout.take().expect("piped"));
    let log = BufReader::new(child.stderr.take().expect("piped"));
    let log = std::thread::spawn(move || log.lines().map_while(Result::ok).collect::<Vec<String>>());
    let mut line = String::new();
    told.read_line(&mut line).expect("a line");
    let address = line.split("http://").nth(1).map(str::trim).expect("an address").to_owned();
    let traceparent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let request = reqwest::Client::new().get(format!("http://{address}/api/v1/books"));
    let answer = request.header("traceparent", traceparent).send().await.expect("an answer");
    assert_eq!(answer.status(), 503);
    child.kill().expect("the end of the process");
    child.wait().expect("the end of the process");
    let log = log.join().expect("all lines");
    let lines: Vec<Value> = log.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let failures: Vec<&Value> = lines.iter().filter(|line| line["event"] == "database.error").collect();
    assert_eq!(failures.len(), 1, "{log:#?}");
    assert_eq!((&failures[0]["kind"], &failures[0]["trace_id"]), (&json!("unreachable"), &json!(TRACE)));
    let loud = |line: &&Value| line["level"] == "ERROR" || line["level"] == "WARN";
    // What is done in the background meets the same fault and tells of it for itself.
    let of_request = |line: &&Value| line.to_string().contains(TRACE);
    let (told, others): (Vec<&Value>, Vec<&Value>) = lines.iter().filter(loud).partition(of_request);
    assert_eq!(told.len(), 1, "nothing else says the same: {told:#?}");
    // A connection that did not open is told of once besides, whoever waited for it.
    let about = |line: &&Value| line.to_string().contains("the connection did not open");
    let unopened: Vec<&Value> = others.into_iter().filter(about).collect();
    assert!(!unopened.is_empty() && unopened.iter().all(|line| line["level"] == "WARN"), "{unopened:#?}");
}
