//! Whether a connection comes about: of one that is stored nowhere, and of a stored one, whose result is kept.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use shared_kernel::database::DatabaseError;
use shared_kernel::validation::Violations;
use shared_kernel::{Clock, RequestContext};

use super::{check, completed};
use crate::domain::{
    ConnectionHealth, ConnectionId, ConnectionRepository, Definition, Engines, GivenSecrets, HealthRepository, Held,
    ProbeFault, ProbeReport, ProbeStage, Prober, Sealer, Secrets, StageResult, StoredConnection,
};

/// Tests a definition and stores nothing.
#[derive(Clone)]
pub struct TestConnection {
    engines: Arc<dyn Engines>,
    prober: Arc<dyn Prober>,
}

/// Why a definition was not tested.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TestConnectionError {
    /// The definition does not fit its engine.
    #[error("the definition does not fit: {0}")]
    Invalid(Violations),
}

impl TestConnection {
    /// The use case over its ports.
    pub fn new(engines: Arc<dyn Engines>, prober: Arc<dyn Prober>) -> Self {
        Self { engines, prober }
    }

    /// Tests what would be stored. Where something was `found` wrong before, nothing is, and that is told together with what is
    /// found here.
    ///
    /// # Errors
    /// [`TestConnectionError`], as [`super::CreateConnection`] would refuse it.
    pub async fn execute(
        &self,
        mut definition: Definition,
        secrets: GivenSecrets,
        found: &Violations,
    ) -> Result<ProbeReport, TestConnectionError> {
        let held = Held { password: secrets.password.leaves(false), client_key: secrets.client_key.leaves(false) };
        let engine = completed(&*self.engines, &mut definition, found).map_err(TestConnectionError::Invalid)?;
        check(&*self.engines, &definition, held, &engine, found).map_err(TestConnectionError::Invalid)?;
        let secrets =
            Secrets { password: secrets.password.applied_to(None), client_key: secrets.client_key.applied_to(None) };
        Ok(self.prober.probe(&definition, &secrets).await)
    }
}

impl fmt::Debug for TestConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestConnection").finish_non_exhaustive()
    }
}

/// Tests a stored connection and keeps the result.
#[derive(Clone)]
pub struct TestStoredConnection {
    connections: Arc<dyn ConnectionRepository>,
    engines: Arc<dyn Engines>,
    sealer: Arc<dyn Sealer>,
    prober: Arc<dyn Prober>,
    health: Arc<dyn HealthRepository>,
    clock: Arc<dyn Clock>,
}

/// Why a stored connection was not tested.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TestStoredConnectionError {
    /// There is no connection of this id, or it went meanwhile.
    #[error("there is no connection {0}")]
    NotFound(ConnectionId),
    /// Something is missing since it was stored: its password was dropped, or the service is configured differently.
    #[error("the definition does not fit: {0}")]
    Invalid(Violations),
    /// The database failed.
    #[error("the connection or its result could not be read or written")]
    Database(#[from] DatabaseError),
}

impl TestStoredConnection {
    /// The use case over its ports.
    pub fn new(
        connections: Arc<dyn ConnectionRepository>,
        engines: Arc<dyn Engines>,
        sealer: Arc<dyn Sealer>,
        prober: Arc<dyn Prober>,
        health: Arc<dyn HealthRepository>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { connections, engines, sealer, prober, health, clock }
    }

    /// Tests the connection as it is now. That its secrets do not open is a result as well, `secret_unavailable`.
    ///
    /// # Errors
    /// [`TestStoredConnectionError`]
    pub async fn execute(
        &self,
        id: ConnectionId,
        context: &RequestContext,
    ) -> Result<ConnectionHealth, TestStoredConnectionError> {
        let stored = self.connections.load(id, context).await?.ok_or(TestStoredConnectionError::NotFound(id))?;
        // A login that was dropped is not to be replaced by the service's own, nor a rule of today by one of yesterday.
        let mut definition = stored.definition().clone();
        let found = Violations::new();
        let engine = completed(&*self.engines, &mut definition, &found).map_err(TestStoredConnectionError::Invalid)?;
        check(&*self.engines, &definition, stored.held(), &engine, &found)
            .map_err(TestStoredConnectionError::Invalid)?;
        let opened = stored.sealed().map(|sealed| self.sealer.open(id, sealed)).transpose();
        let report = if let Ok(secrets) = opened {
            self.prober.probe(&definition, &secrets.unwrap_or_default()).await
        } else {
            // Nobody is asked without them. Why they do not open is for whoever keeps the keys.
            let (stage, fault) = (ProbeStage::Policy, Some(ProbeFault::SecretUnavailable));
            let closed = StageResult { stage, fault, duration_ms: Some(0) };
            ProbeReport { stages: vec![closed], ..ProbeReport::default() }
        };
        let health =
            ConnectionHealth { connection: id, version: stored.version(), tested_at: self.clock.now(), report };
        if self.health.keep(&health, context).await? {
            Ok(health)
        } else {
            Err(TestStoredConnectionError::NotFound(id))
        }
    }
}

impl fmt::Debug for TestStoredConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestStoredConnection").finish_non_exhaustive()
    }
}

/// Reads how a connection did in its last test.
#[derive(Clone)]
pub struct ReadHealth {
    connections: Arc<dyn ConnectionRepository>,
    health: Arc<dyn HealthRepository>,
}

/// Why no result was read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReadHealthError {
    /// There is no connection of this id.
    #[error("there is no connection {0}")]
    NotFound(ConnectionId),
    /// It was never tested.
    #[error("connection {0} was never tested")]
    Untested(ConnectionId),
    /// The database failed.
    #[error("the result could not be read")]
    Database(#[from] DatabaseError),
}

impl ReadHealth {
    /// The use case over its ports.
    pub fn new(connections: Arc<dyn ConnectionRepository>, health: Arc<dyn HealthRepository>) -> Self {
        Self { connections, health }
    }

    /// The last result, and whether it is of the connection as it is now.
    ///
    /// # Errors
    /// [`ReadHealthError`]
    pub async fn execute(
        &self,
        id: ConnectionId,
        context: &RequestContext,
    ) -> Result<(ConnectionHealth, bool), ReadHealthError> {
        let stored = self.connections.find(id, context).await?.ok_or(ReadHealthError::NotFound(id))?;
        let health = self.health.last(id, context).await?.ok_or(ReadHealthError::Untested(id))?;
        let current = health.version == stored.version();
        Ok((health, current))
    }

    /// The last result of each of these connections that was ever tested, and whether it is of the connection as it is here.
    ///
    /// # Errors
    /// What the database says.
    pub async fn of_each(
        &self,
        connections: &[StoredConnection],
        context: &RequestContext,
    ) -> Result<BTreeMap<ConnectionId, (ConnectionHealth, bool)>, DatabaseError> {
        let ids: Vec<ConnectionId> = connections.iter().map(StoredConnection::id).collect();
        let versions: BTreeMap<_, _> = connections.iter().map(|stored| (stored.id(), stored.version())).collect();
        let found = self.health.last_of_each(&ids, context).await?;
        let told = found.into_iter().map(|health| {
            let is_current = versions.get(&health.connection) == Some(&health.version);
            (health.connection, (health, is_current))
        });
        Ok(told.collect())
    }
}

impl fmt::Debug for ReadHealth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadHealth").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use secrecy::ExposeSecret as _;
    use shared_kernel::database::EngineDescription;
    use uuid::Uuid;

    use super::*;
    use crate::application::test_support::{Bench, CANARY, OneEngine, definition, password};

    /// Remembers what it was asked for.
    #[derive(Debug, Default)]
    struct Asked(Mutex<Vec<(Definition, Option<String>)>>);

    #[async_trait]
    impl Prober for Asked {
        async fn probe(&self, definition: &Definition, secrets: &Secrets) -> ProbeReport {
            let password = secrets.password.as_ref().map(|password| password.expose_secret().to_owned());
            self.0.lock().expect("not poisoned").push((definition.clone(), password));
            let passed = StageResult { stage: ProbeStage::Policy, fault: None, duration_ms: Some(0) };
            ProbeReport { stages: vec![passed], ..ProbeReport::default() }
        }
    }

    #[derive(Debug, Default)]
    struct Kept {
        results: Mutex<BTreeMap<ConnectionId, ConnectionHealth>>,
        gone: bool,
    }

    #[async_trait]
    impl HealthRepository for Kept {
        async fn keep(&self, health: &ConnectionHealth, _: &RequestContext) -> Result<bool, DatabaseError> {
            if !self.gone {
                self.results.lock().expect("not poisoned").insert(health.connection, health.clone());
            }
            Ok(!self.gone)
        }

        async fn last(
            &self,
            connection: ConnectionId,
            _: &RequestContext,
        ) -> Result<Option<ConnectionHealth>, DatabaseError> {
            Ok(self.results.lock().expect("not poisoned").get(&connection).cloned())
        }

        async fn last_of_each(
            &self,
            connections: &[ConnectionId],
            _: &RequestContext,
        ) -> Result<Vec<ConnectionHealth>, DatabaseError> {
            let results = self.results.lock().expect("not poisoned");
            Ok(connections.iter().filter_map(|id| results.get(id).cloned()).collect())
        }
    }

    fn stored_test(bench: &Bench, prober: &Arc<Asked>, health: Kept) -> (TestStoredConnection, ReadHealth) {
        let health = Arc::new(health);
        let test = TestStoredConnection::new(
            bench.connections.clone(),
            Arc::new(OneEngine),
            bench.sealer.clone(),
            prober.clone(),
            health.clone(),
            bench.clock.clone(),
        );
        (test, ReadHealth::new(bench.connections.clone(), health))
    }

    #[tokio::test]
    async fn what_is_not_stored_is_checked_as_if_it_were_and_tested() {
        let prober = Arc::new(Asked::default());
        let test = TestConnection::new(Arc::new(OneEngine), prober.clone());
        let report = test.execute(definition("Sales"), password(CANARY), &Violations::new()).await.expect("tested");
        assert_eq!(report.failure(), None);
        let mut hostless = definition("Sales");
        hostless.host = None;
        let refused = test.execute(hostless, password(CANARY), &Violations::new()).await;
        assert!(matches!(refused, Err(TestConnectionError::Invalid(_))), "{refused:?}");
        let asked = prober.0.lock().expect("not poisoned");
        assert_eq!(asked.iter().map(|(_, password)| password.as_deref()).collect::<Vec<_>>(), [Some(CANARY)]);
        assert_eq!(format!("{test:?}"), "TestConnection { .. }");
    }

    #[tokio::test]
    async fn the_last_result_of_a_stored_connection_is_kept() {
        let (bench, prober) = (Bench::default(), Arc::new(Asked::default()));
        let stored = bench.store("Sales", password(CANARY)).await;
        let (test, read) = stored_test(&bench, &prober, Kept::default());
        let never = read.execute(stored.id(), &bench.context).await;
        assert!(matches!(never, Err(ReadHealthError::Untested(_))), "{never:?}");
        let health = test.execute(stored.id(), &bench.context).await.expect("tested");
        assert_eq!((health.connection, health.version), (stored.id(), stored.version()));
        assert_eq!(read.execute(stored.id(), &bench.context).await.expect("kept"), (health.clone(), true));
        let other = bench.store("Other", password(CANARY)).await;
        let of_each = read.of_each(&[stored.clone(), other], &bench.context).await.expect("read");
        assert_eq!(of_each, BTreeMap::from([(stored.id(), (health, true))]));
        assert_eq!(prober.0.lock().expect("not poisoned")[0].1.as_deref(), Some(CANARY));
        let absent = ConnectionId::new(Uuid::nil());
        let missing = test.execute(absent, &bench.context).await;
        assert!(matches!(missing, Err(TestStoredConnectionError::NotFound(_))), "{missing:?}");
        let missing = read.execute(absent, &bench.context).await;
        assert!(matches!(missing, Err(ReadHealthError::NotFound(_))), "{missing:?}");
        bench.sealer.forget();
        let closed = test.execute(stored.id(), &bench.context).await.expect("tested");
        let expected = Some((ProbeStage::Policy, ProbeFault::SecretUnavailable));
        assert_eq!((closed.report.failure(), closed.report.stages.len()), (expected, 1));
        assert_eq!(read.execute(stored.id(), &bench.context).await.expect("kept"), (closed, true));
        assert_eq!(prober.0.lock().expect("not poisoned").len(), 1, "nothing was tried without its secrets");
    }

    /// An engine that has come to find fault with what it once took.
    #[derive(Debug)]
    struct Stricter;

    impl Engines for Stricter {
        fn all(&self) -> Vec<EngineDescription> {
            OneEngine.all()
        }

        fn check(&self, _: &Definition, _: Held) -> Violations {
            let mut violations = Violations::new();
            violations.add("/host", "not_allowed", "is no longer allowed");
            violations
        }
    }

    #[tokio::test]
    async fn what_was_stored_once_is_held_against_the_rules_of_today() {
        let (bench, prober) = (Bench::default(), Arc::new(Asked::default()));
        let stored = bench.store("Sales", password(CANARY)).await;
        let test = TestStoredConnection::new(
            bench.connections.clone(),
            Arc::new(Stricter),
            bench.sealer.clone(),
            prober.clone(),
            Arc::new(Kept::default()),
            bench.clock.clone(),
        );
        let refused = test.execute(stored.id(), &bench.context).await;
        assert!(matches!(refused, Err(TestStoredConnectionError::Invalid(_))), "{refused:?}");
        assert!(prober.0.lock().expect("not poisoned").is_empty());
    }

    #[tokio::test]
    async fn a_connection_that_went_meanwhile_is_not_found() {
        let (bench, prober) = (Bench::default(), Arc::new(Asked::default()));
        let stored = bench.store("Sales", password(CANARY)).await;
        let (test, read) = stored_test(&bench, &prober, Kept { gone: true, ..Kept::default() });
        let gone = test.execute(stored.id(), &bench.context).await;
        assert!(matches!(gone, Err(TestStoredConnectionError::NotFound(_))), "{gone:?}");
        assert_eq!(format!("{test:?} {read:?}"), "TestStoredConnection { .. } ReadHealth { .. }");
    }
}
