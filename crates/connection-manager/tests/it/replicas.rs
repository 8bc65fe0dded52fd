//! Real primaries with real replicas that lag behind, go away and come back.

#![expect(clippy::unwrap_used, reason = "a test ends where something is not as expected")]

mod scripted;

use std::sync::Arc;
use std::time::Duration;

use connection_manager::{ConnectionManager, ReplicaStats};
use futures_util::future::join_all;
use shared_kernel::database::{Access, Connections as _, DatabaseConnection, RawStatement, Statement, TransactionMode};
use shared_kernel::{Freshness, FreshnessToken, RequestContext};
use testkit::pair::{Pair, select};
use testkit::{Server, eventually, eventually_some};

/// Much more than anything takes here; nothing is measured.
const LONG: Duration = Duration::from_mins(1);
const NAME: &str = "app";

/// Workers, and the pairs of a write and reads that each makes; `cargo xtask soak` asks for 10,000 of them.
fn intensity() -> (i64, i64) {
    #[expect(clippy::disallowed_methods, reason = "xtask tells tests through the environment what it wants of them")]
    let soak = std::env::var_os("BINDERY_TEST_SOAK").is_some();
    if soak { (500, 20) } else { (25, 2) }
}

fn context() -> RequestContext {
    RequestContext::system().within(LONG)
}

/// A request that shows a token, as it came over the wire.
fn showing(token: &FreshnessToken) -> RequestContext {
    let token = token.to_string().parse().unwrap();
    RequestContext { freshness: Freshness::at_least(token), ..context() }
}

struct Scene {
    pair: Pair,
    manager: ConnectionManager,
}

impl Scene {
    /// A pair with a table, and a manager to whom its replica serves reads.
    async fn new(server: Server, delay: Duration, max_lag: Duration) -> Self {
        let pair = Pair::start(server, Duration::ZERO).await;
        let manager = testkit::manager(NAME, pair.settings(max_lag));
        let scene = Self { pair, manager };
        let creator = context();
        scene.execute("CREATE TABLE t (n BIGINT NOT NULL PRIMARY KEY)", &creator).await;
        let token = scene.manager.freshness(&creator).await.unwrap();
        scene.is_read_at_the_replica(&token).await;
        if delay > Duration::ZERO {
            scene.pair.delay(delay).await;
        }
        scene
    }

    fn replica(&self) -> ReplicaStats {
        self.manager.replicas(NAME).remove(0)
    }

    /// Reads until the replica has answered.
    async fn is_read_at_the_replica(&self, token: &FreshnessToken) {
        let before = self.replica().reads;
        eventually_some(LONG, || async {
            self.sees(0, &showing(token)).await;
            (self.replica().reads > before).then_some(())
        })
        .await;
    }

    async fn serves(&self) {
        eventually(LONG, || self.replica().serving).await;
    }

    async fn left_out(&self) {
        eventually(LONG, || !self.replica().serving).await;
    }

    async fn connection(&self, access: Access, context: &RequestContext) -> Arc<dyn DatabaseConnection> {
        self.manager.get(NAME, access, context).await.unwrap()
    }

    async fn execute(&self, text: &str, context: &RequestContext) {
        let statement: Statement = RawStatement::everywhere("WRITE", text.to_owned()).into();
        self.connection(Access::Write, context).await.sql().unwrap().execute(&statement, context).await.unwrap();
    }

    /// Writes a number and returns what later requests show.
    async fn write(&self, number: i64) -> FreshnessToken {
        let context = context();
        self.execute(&format!("INSERT INTO t VALUES ({number})"), &context).await;
        self.manager.freshness(&context).await.unwrap()
    }

    async fn sees(&self, number: i64, context: &RequestContext) -> bool {
        let connection = self.connection(Access::Read, context).await;
        select(&connection, format!("SELECT n FROM t WHERE n = {number}"), context).await.len() == 1
    }

    /// The same for a request that shows nothing.
    async fn sees_without_a_token(&self, number: i64) -> bool {
        self.sees(number, &context()).await
    }
}

async fn what_was_written_is_read(server: Server) {
    let scene = Scene::new(server, Duration::from_secs(2), Duration::from_secs(30)).await;
    let (workers, pairs) = intensity();
    let before = scene.replica().reads;
    let scene = &scene;
    let work = |worker: i64| async move {
        let (mut stale, mut reads, mut without) = (0, 0, 0);
        for pair in 0..pairs {
            let number = worker * pairs + pair;
            let token = scene.write(number).await;
            without += i32::from(!scene.sees_without_a_token(number).await);
            // From when the replica surely lacks it until it surely has it.
            for pause in [0, 100, 900, 900, 400, 400, 400] {
                tokio::time::sleep(Duration::from_millis(pause)).await;
                reads += 1;
                stale += i32::from(!scene.sees(number, &showing(&token)).await);
            }
        }
        (stale, reads, without)
    };
    let counts = join_all((0..workers).map(work)).await;
    let sum = |of: fn(&(i32, i32, i32)) -> i32| counts.iter().map(of).sum::<i32>();
    let (stale, reads, without) = (sum(|count| count.0), sum(|count| count.1), sum(|count| count.2));
    let at_the_replica = scene.replica().reads - before;
    let written = workers * pairs;
    // On a busy machine the replica may have been later than all of them: sooner or later it answers who shows a token.
    let token = scene.write(written).await;
    let before = scene.replica().reads;
    eventually_some(LONG, || async {
        assert!(scene.sees(written, &showing(&token)).await, "a read with a token was stale");
        (scene.replica().reads > before).then_some(())
    })
    .await;
    eprintln!(
        "{server}: {written} written, {reads} reads with a token, {stale} of them stale; {without} of {written} without \
         one stale; {at_the_replica} of all at the replica"
    );
    assert_eq!(stale, 0, "of {reads} reads with a token, {at_the_replica} of all at the replica");
    assert!(without > 0, "the replica was not late, so nothing was shown");
}

async fn a_context_sees_what_was_written_through_it(server: Server) {
    let scene = Scene::new(server, Duration::from_hours(1), Duration::from_hours(1)).await;
    let late = context();
    let reader = scene.connection(Access::Read, &late).await;
    scene.execute("INSERT INTO t VALUES (1)", &late).await;
    assert!(!scene.sees_without_a_token(1).await);
    // Before anybody asked the primary, after, and through what was handed out before.
    assert!(scene.sees(1, &late).await);
    assert_eq!(select(&reader, "SELECT n FROM t".to_owned(), &late).await.len(), 1);
    let token = scene.manager.freshness(&late).await.unwrap();
    assert!(scene.sees(1, &late).await && scene.sees(1, &showing(&token)).await);
    // Who decides by what it reads.
    assert!(scene.sees(1, &context().at_the_primary()).await);
    // Tokens of elsewhere lead to the primary, whatever they say.
    for forged in ["app=pg:1:1", "app=mariadb:7-7-7", "app=7", "app=", "elsewhere=pg:1:1"] {
        assert!(scene.sees(1, &showing(&forged.parse().unwrap())).await, "{forged}");
    }

    // What writes finds the primary, whatever was asked for.
    let fresh = context();
    let reader = scene.connection(Access::Read, &fresh).await;
    let sql = reader.sql().unwrap();
    let insert =
        |number| -> Statement { RawStatement::everywhere("INSERT", format!("INSERT INTO t VALUES ({number})")).into() };
    sql.execute(&insert(2), &fresh).await.unwrap();
    assert!(scene.sees(2, &fresh).await);
    let fresh = context();
    let transaction = sql.begin(TransactionMode::ReadWrite, &fresh).await.unwrap();
    transaction.execute(&insert(3), &fresh).await.unwrap();
    transaction.commit(&fresh).await.unwrap();
    assert!(scene.sees(3, &fresh).await);
    let reading = sql.begin(TransactionMode::ReadOnly, &context()).await.unwrap();
    let count: Statement = RawStatement::everywhere("SELECT", "SELECT n FROM t").into();
    assert_eq!(reading.query(&count, &context()).await.unwrap().len(), 3);
    reading.rollback(&context()).await.unwrap();
    let session = sql.session(&context()).await.unwrap();
    assert_eq!(session.query(&count, &context()).await.unwrap().len(), 3);
    session.release().await.unwrap();
    // And nobody else has seen any of it.
    assert!(!scene.sees_without_a_token(3).await);
}

async fn a_replica_is_left_out_and_comes_back(server: Server) {
    let mut scene = Scene::new(server, Duration::ZERO, Duration::from_secs(1)).await;
    // It goes away, and every read is answered all the same.
    let reader = scene.connection(Access::Read, &context()).await;
    scene.pair.stop_replica();
    for _ in 0..100 {
        assert!(!scene.sees_without_a_token(1).await);
    }
    assert!(select(&reader, "SELECT n FROM t".to_owned(), &context()).await.is_empty());
    scene.left_out().await;
    assert!(scene.replica().left_out.is_some());
    scene.pair.start_replica().await;
    scene.serves().await;
    let before = scene.replica().reads;
    eventually_some(LONG, || async {
        scene.sees_without_a_token(1).await;
        (scene.replica().reads > before).then_some(())
    })
    .await;

    // It stops following, and is left out when what it lacks is too old.
    scene.pair.pause().await;
    scene.write(1).await;
    scene.left_out().await;
    assert!(scene.sees_without_a_token(1).await);
    scene.pair.resume().await;
    scene.serves().await;
    assert!(scene.sees_without_a_token(1).await);

    // It follows nobody any more. What it is told by others is no concern of this connection's.
    scene.pair.promote().await;
    scene.write(2).await;
    scene.left_out().await;
    let replica = testkit::connect(scene.pair.replica()).await.unwrap();
    let foreign: Statement = RawStatement::everywhere("INSERT", "INSERT INTO t VALUES (3)").into();
    replica.sql().unwrap().execute(&foreign, &context()).await.unwrap();
    assert!(scene.sees_without_a_token(2).await && !scene.sees_without_a_token(3).await);
    assert!(!scene.manager.close(Duration::from_secs(5)).await.is_empty());
}

async fn reads_go_on_without_the_primary(server: Server) {
    let mut scene = Scene::new(server, Duration::ZERO, Duration::from_secs(1)).await;
    let token = scene.write(1).await;
    scene.is_read_at_the_replica(&token).await;
    scene.pair.stop_primary();
    let before = scene.replica().reads;
    for _ in 0..50 {
        assert!(scene.sees_without_a_token(1).await);
    }
    assert_eq!(scene.replica().reads, before + 50);
}

macro_rules! on_servers {
    ($($module:ident $server:ident),+) => {
        mod on_servers {
            $(
                mod $module {
                    on_servers!(@cases $server
                        what_was_written_is_read
                        a_context_sees_what_was_written_through_it
                        a_replica_is_left_out_and_comes_back
                        reads_go_on_without_the_primary
                    );
                }
            )+
        }
    };
    (@cases $server:ident $($case:ident)+) => {
        $(
            #[test]
            fn $case() {
                testkit::run(super::super::$case(testkit::Server::$server));
            }
        )+
    };
}

on_servers!(mysql MySql, mariadb MariaDb, postgres Postgres);
