use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use connection_manager::{ConnectionSettings, Credentials, Freshness, SecretSource, SecretStage, SourceError};
use shared_kernel::database::{ConnectionName, Engine};

/// A secret that is rotated, wherever it is kept.
pub(crate) trait Secret {
    /// What logins read it from, and what they say of it.
    fn source(&self) -> Arc<dyn SecretSource>;
    fn settings(&self) -> ConnectionSettings;

    /// Begins a rotation. Returns the name of the version that is pending.
    async fn add(&self, credentials: Credentials) -> String;

    /// Ends it.
    async fn make_current(&self);

    /// Whether programs look at a copy for a while.
    fn is_cached(&self) -> bool {
        false
    }

    /// Lets the time of such a copy pass.
    fn outlast(&self) {}
}

impl Secret for Arc<Stages> {
    fn source(&self) -> Arc<dyn SecretSource> {
        self.clone()
    }

    fn settings(&self) -> ConnectionSettings {
        ConnectionSettings::new(Engine::from("rotating".to_owned()))
    }

    async fn add(&self, credentials: Credentials) -> String {
        let version = credentials.version.clone();
        self.prepare(credentials);
        version
    }

    async fn make_current(&self) {
        self.promote();
    }
}

/// A secret whose versions the test moves from stage to stage.
#[derive(Debug, Default)]
pub(crate) struct Stages {
    versions: Mutex<HashMap<SecretStage, Credentials>>,
    /// While set, questions are not answered.
    pub(crate) silent: AtomicBool,
    pub(crate) questions: AtomicU32,
}

impl Stages {
    /// A secret that has been promoted once.
    pub(crate) fn current(credentials: Credentials) -> Self {
        let source = Self::default();
        source.versions.lock().unwrap().insert(SecretStage::Current, credentials);
        source
    }

    /// Begins a rotation.
    pub(crate) fn prepare(&self, credentials: Credentials) {
        self.versions.lock().unwrap().insert(SecretStage::Pending, credentials);
    }

    /// Ends a rotation: what was pending is current, what was current is the previous one.
    pub(crate) fn promote(&self) {
        let mut versions = self.versions.lock().unwrap();
        let pending = versions.remove(&SecretStage::Pending).expect("a rotation is under way");
        if let Some(current) = versions.insert(SecretStage::Current, pending) {
            versions.insert(SecretStage::Previous, current);
        }
    }
}

#[async_trait]
impl SecretSource for Stages {
    async fn credentials(
        &self,
        _: &ConnectionName,
        _: &ConnectionSettings,
        stage: SecretStage,
        _: Freshness<'_>,
    ) -> Result<Option<Credentials>, SourceError> {
        self.questions.fetch_add(1, Ordering::SeqCst);
        if self.silent.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        Ok(self.versions.lock().unwrap().get(&stage).cloned())
    }

    fn may_change(&self, _: &ConnectionSettings) -> bool {
        true
    }
}
