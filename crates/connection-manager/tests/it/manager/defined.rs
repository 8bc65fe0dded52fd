//! Connections that are defined elsewhere: by whose word they are opened, and how soon a change of it is seen.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use connection_manager::definitions::NOTICED_WITHIN;
use connection_manager::{
    ConnectionFactory, ConnectionManager, ConnectionSettings, Connector, Definition, DefinitionLimits, Definitions,
    PasswordSource, PoolSettings, TlsSettings,
};
use futures_util::future::join_all;
use shared_kernel::RequestContext;
use shared_kernel::database::{Access, Connections, DatabaseConnection, DatabaseError, DatabaseErrorKind, Engine};
use testkit::tds::TdsServer;

use super::tenants::Watching;

/// Definitions in a map, which somebody else may change, and which may be out of reach.
#[derive(Debug, Default)]
struct Shelf {
    definitions: Mutex<BTreeMap<String, Definition>>,
    away: Mutex<Option<DatabaseErrorKind>>,
    /// How long an answer about revisions is on its way.
    delay: Mutex<Duration>,
    reads: AtomicUsize,
    confirmations: AtomicUsize,
}

impl Shelf {
    fn put(&self, id: &str, settings: ConnectionSettings) {
        let mut definitions = self.definitions.lock().unwrap();
        let revision = definitions.get(id).map_or(1, |definition| definition.revision + 1);
        definitions.insert(id.to_owned(), Definition { revision, settings });
    }

    fn remove(&self, id: &str) {
        self.definitions.lock().unwrap().remove(id);
    }

    fn set_away(&self, away: bool) {
        *self.away.lock().unwrap() = away.then_some(DatabaseErrorKind::Unreachable);
    }

    fn reachable(&self) -> Result<(), DatabaseError> {
        match &*self.away.lock().unwrap() {
            Some(kind) => Err(DatabaseError::new(kind.clone(), "the shelf is away")),
            None => Ok(()),
        }
    }

    fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }

    fn confirmations(&self) -> usize {
        self.confirmations.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Definitions for Shelf {
    async fn definition(&self, id: &str) -> Result<Option<Definition>, DatabaseError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        self.reachable()?;
        Ok(self.definitions.lock().unwrap().get(id).cloned())
    }

    async fn revisions(&self, ids: &[&str]) -> Result<HashMap<String, u64>, DatabaseError> {
        self.confirmations.fetch_add(1, Ordering::SeqCst);
        self.reachable()?;
        let known = {
            let definitions = self.definitions.lock().unwrap();
            let known = ids.iter().filter_map(|id| Some(((*id).to_owned(), definitions.get(*id)?.revision)));
            known.collect()
        };
        let delay = *self.delay.lock().unwrap();
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        Ok(known)
    }
}

struct Case {
    manager: ConnectionManager,
    connector: Arc<Watching>,
    shelf: Arc<Shelf>,
}

impl Case {
    fn new(limits: DefinitionLimits) -> Self {
        let (connector, shelf) = (Watching::new(), Arc::new(Shelf::default()));
        let manager =
            ConnectionManager::builder(ConnectionFactory::empty().register(connector.clone())).build().unwrap();
        manager.define("registry".parse().unwrap(), shelf.clone(), limits).unwrap();
        Self { manager, connector, shelf }
    }

    fn put(&self, id: &str) {
        let mut settings = ConnectionSettings::new(self.connector.engine().clone());
        (settings.pool.min, settings.pool.max) = (0, 4);
        self.shelf.put(id, settings);
    }

    async fn get(&self, id: &str) -> Result<Arc<dyn DatabaseConnection>, DatabaseError> {
        self.manager.get(&format!("registry/{id}"), Access::Read, &RequestContext::system()).await
    }

    fn live(&self) -> usize {
        self.manager.defined_pools().unwrap().live
    }
}

fn case() -> Case {
    Case::new(DefinitionLimits::default())
}

async fn is_closed(connection: &Arc<dyn DatabaseConnection>) -> bool {
    let answer = connection.ping(&RequestContext::system()).await;
    answer.is_err_and(|error| *error.kind() == DatabaseErrorKind::Closed)
}

fn kind(outcome: Result<Arc<dyn DatabaseConnection>, DatabaseError>) -> DatabaseErrorKind {
    outcome.map(|connection| connection.name().clone()).unwrap_err().kind().clone()
}

#[tokio::test(start_paused = true)]
async fn a_definition_is_opened_once_for_all_who_ask_for_it() {
    let case = case();
    case.put("a");
    let all = join_all((0..20).map(|_| case.get("a"))).await;
    let all: Vec<_> = all.into_iter().map(Result::unwrap).collect();
    assert!(all.iter().all(|connection| Arc::ptr_eq(connection, &all[0])));
    assert_eq!(all[0].name().as_str(), "registry/a");
    assert_eq!((case.shelf.reads(), case.connector.builds()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn what_nobody_has_defined_is_unknown() {
    let case = case();
    for id in ["a", "", "A", "a b", "../a", &"a".repeat(80)] {
        assert_eq!(kind(case.get(id).await), DatabaseErrorKind::UnknownConnection, "{id}");
    }
    let other = case.manager.get("registr/a", Access::Read, &RequestContext::system()).await;
    assert_eq!(kind(other), DatabaseErrorKind::UnknownConnection);
    assert_eq!(case.live(), 0);
}

#[tokio::test]
async fn a_configured_name_and_a_definition_never_meet() {
    let factory = ConnectionFactory::empty().register(Watching::new());
    let manager = ConnectionManager::builder(factory)
        .connection("registry/a", ConnectionSettings::sqlite(":memory:"))
        .build()
        .unwrap();
    let define =
        || manager.define("registry".parse().unwrap(), Arc::new(Shelf::default()), DefinitionLimits::default());
    let error = define().unwrap_err();
    assert_eq!(error.kind(), &DatabaseErrorKind::Misconfigured);
    assert!(error.to_string().contains("registry/a"), "{error}");

    let case = case();
    let twice = case.manager.define("other".parse().unwrap(), case.shelf.clone(), DefinitionLimits::default());
    assert_eq!(twice.unwrap_err().kind(), &DatabaseErrorKind::Misconfigured);
}

#[tokio::test(start_paused = true)]
async fn a_change_that_is_told_counts_at_once() {
    let case = case();
    case.put("a");
    let old = case.get("a").await.unwrap();
    case.put("a");
    case.manager.redefined("registry/a");
    let new = case.get("a").await.unwrap();
    assert!(!Arc::ptr_eq(&old, &new));
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert!(is_closed(&old).await && !is_closed(&new).await);

    case.shelf.remove("a");
    case.manager.redefined("registry/a");
    assert_eq!(kind(case.get("a").await), DatabaseErrorKind::UnknownConnection);
    case.manager.redefined("registry/never");
    case.manager.redefined("books");
}

#[tokio::test(start_paused = true)]
async fn a_change_on_another_instance_is_seen_by_itself() {
    let case = case();
    for id in ["changed", "removed", "same"] {
        case.put(id);
    }
    let [changed, removed, same] =
        [case.get("changed").await.unwrap(), case.get("removed").await.unwrap(), case.get("same").await.unwrap()];
    case.put("changed");
    case.shelf.remove("removed");
    tokio::time::sleep(NOTICED_WITHIN).await;
    assert!(is_closed(&changed).await && is_closed(&removed).await && !is_closed(&same).await);
    assert_eq!(case.live(), 1, "nobody had to ask for them");
    assert_eq!(kind(case.get("removed").await), DatabaseErrorKind::UnknownConnection);
    assert!(!Arc::ptr_eq(&case.get("changed").await.unwrap(), &changed));
    assert!(Arc::ptr_eq(&case.get("same").await.unwrap(), &same));
}

#[tokio::test(start_paused = true)]
async fn an_answer_from_before_a_change_does_not_close_what_was_opened_after_it() {
    let case = case();
    case.put("a");
    case.get("a").await.unwrap();
    *case.shelf.delay.lock().unwrap() = Duration::from_secs(1);
    while case.shelf.confirmations() == 0 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // What was live is asked about; before the answer is there, it is something else.
    case.put("a");
    case.manager.redefined("registry/a");
    tokio::time::sleep(Duration::from_millis(100)).await;
    let new = case.get("a").await.unwrap();
    tokio::time::sleep(NOTICED_WITHIN).await;
    assert!(Arc::ptr_eq(&case.get("a").await.unwrap(), &new) && !is_closed(&new).await);
    assert_eq!((case.shelf.reads(), case.connector.builds()), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn what_is_live_is_confirmed_by_one_question_and_not_by_its_callers() {
    let case = case();
    for id in ["a", "b", "c"] {
        case.put(id);
        case.get(id).await.unwrap();
    }
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        case.get("a").await.unwrap();
    }
    let (reads, confirmations) = (case.shelf.reads(), case.shelf.confirmations());
    assert_eq!(reads, 3);
    assert!((9..=10).contains(&confirmations), "one every other second: {confirmations}");
}

#[tokio::test(start_paused = true)]
async fn nobody_is_served_by_what_can_no_longer_be_confirmed() {
    let case = case();
    case.put("a");
    let before = case.get("a").await.unwrap();
    case.shelf.set_away(true);
    assert!(Arc::ptr_eq(&case.get("a").await.unwrap(), &before), "it was confirmed just now");
    tokio::time::sleep(NOTICED_WITHIN).await;
    assert_eq!(kind(case.get("a").await), DatabaseErrorKind::Unreachable);
    assert!(!is_closed(&before).await, "who has it may go on");
    case.shelf.set_away(false);
    assert!(Arc::ptr_eq(&case.get("a").await.unwrap(), &before), "it is still the same definition");

    case.shelf.set_away(true);
    tokio::time::sleep(NOTICED_WITHIN).await;
    case.put("a");
    case.shelf.set_away(false);
    assert!(!Arc::ptr_eq(&case.get("a").await.unwrap(), &before));
}

#[tokio::test(start_paused = true)]
async fn what_nobody_uses_is_closed() {
    let keep = Duration::from_mins(5);
    let case = Case::new(DefinitionLimits { idle_evict: Some(keep), ..DefinitionLimits::default() });
    case.put("a");
    case.put("b");
    let held = case.get("a").await.unwrap();
    case.get("b").await.unwrap();
    tokio::time::sleep(keep + Duration::from_secs(5)).await;
    assert_eq!((case.live(), case.connector.open()), (1, 1), "confirming it is no use of it");
    assert!(!is_closed(&held).await);
}

#[tokio::test(start_paused = true)]
async fn the_idle_one_makes_room() {
    let case = Case::new(DefinitionLimits { max_live: 2, ..DefinitionLimits::default() });
    let ids = ["a", "b", "c"];
    for id in ids {
        case.put(id);
    }
    let _held = case.get("a").await.unwrap();
    case.get("b").await.unwrap();
    case.get("c").await.unwrap();
    assert_eq!((case.live(), case.connector.most()), (2, 2));
    let limit = Duration::from_secs(30);
    let _held = case.get("c").await.unwrap();
    let context = RequestContext::system().within(limit);
    let refused = case.manager.get("registry/b", Access::Read, &context).await;
    assert_eq!(kind(refused), DatabaseErrorKind::Saturated);
}

#[tokio::test(start_paused = true)]
async fn closing_the_manager_closes_them_and_lets_go_of_the_definitions() {
    let case = case();
    case.put("a");
    let live = case.get("a").await.unwrap();
    let closed = case.manager.close(Duration::ZERO).await;
    assert_eq!(closed.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["registry/a"]);
    assert!(is_closed(&live).await);
    assert!(case.get("a").await.is_err());
    tokio::time::sleep(NOTICED_WITHIN).await;
    assert_eq!(Arc::strong_count(&case.shelf), 1);
    let again = case.manager.define("registry".parse().unwrap(), case.shelf.clone(), DefinitionLimits::default());
    assert_eq!(again.unwrap_err().kind(), &DatabaseErrorKind::Closed);
}

async fn books() -> TdsServer {
    TdsServer::builder().user("sa", "right").database("books").start().await.unwrap()
}

fn of_books(server: &TdsServer, password: &str) -> ConnectionSettings {
    ConnectionSettings::new(Engine::SQLSERVER)
        .with_host("localhost")
        .with_port(server.address().port())
        .with_database("books")
        .with_username("sa")
        .with_password(PasswordSource::Literal(password.into()))
        .with_tls(TlsSettings::disabled())
        .with_pool(PoolSettings::sized(0, 4))
}

#[tokio::test]
async fn a_rejected_password_is_not_tried_again_until_the_definition_changes() {
    let server = books().await;
    let settings = |password: &str| of_books(&server, password);
    let shelf = Arc::new(Shelf::default());
    let manager = ConnectionManager::builder(ConnectionFactory::compiled()).build().unwrap();
    manager.define("registry".parse().unwrap(), shelf.clone(), DefinitionLimits::default()).unwrap();
    let get = || async { manager.get("registry/a", Access::Read, &RequestContext::system()).await };
    shelf.put("a", settings("wrong"));
    for _ in 0..5 {
        assert_eq!(kind(get().await), DatabaseErrorKind::AuthRejected);
    }
    assert_eq!(server.connections().rejected, 1);
    shelf.put("a", settings("wrong as well"));
    for _ in 0..5 {
        assert_eq!(kind(get().await), DatabaseErrorKind::AuthRejected);
    }
    assert_eq!(server.connections().rejected, 2);
    shelf.put("a", settings("right"));
    get().await.unwrap();
    assert_eq!(server.connections().rejected, 2);
}

#[tokio::test]
async fn an_answer_from_before_a_change_makes_no_rejection_forgotten() {
    let server = books().await;
    let shelf = Arc::new(Shelf::default());
    let manager = ConnectionManager::builder(ConnectionFactory::compiled()).build().unwrap();
    manager.define("registry".parse().unwrap(), shelf.clone(), DefinitionLimits::default()).unwrap();
    let rejected = || async {
        let outcome = manager.get("registry/a", Access::Read, &RequestContext::system()).await;
        assert_eq!(kind(outcome), DatabaseErrorKind::AuthRejected);
        server.connections().rejected
    };
    shelf.put("a", of_books(&server, "wrong"));
    assert_eq!(rejected().await, 1);
    *shelf.delay.lock().unwrap() = Duration::from_secs(1);
    let asked = |times| {
        let shelf = Arc::clone(&shelf);
        testkit::eventually(Duration::from_mins(1), move || shelf.confirmations() >= times)
    };
    asked(1).await;
    // While the answer is on its way the password becomes another one, which is rejected as well.
    shelf.put("a", of_books(&server, "wrong as well"));
    assert_eq!(rejected().await, 2);
    // The next question is asked after the answer to the first.
    asked(2).await;
    assert_eq!(rejected().await, 2, "an old answer was taken for news");
}
