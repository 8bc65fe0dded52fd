//! Live connections whose definitions are kept elsewhere.
//!
//! What was read of a definition counts for [`NOTICED_WITHIN`]. A task confirms all that is live in one question every other
//! second; a caller who comes to a connection that was not confirmed in time asks for itself.

mod confirm;

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use shared_kernel::RequestContext;
use shared_kernel::database::{ConnectionFuture, ConnectionName, DatabaseError, DatabaseErrorKind};
use tokio::runtime::Handle;
use tokio::time::Instant;

use self::confirm::Confirmed;
use super::build::{Build, Home, awaited};
use super::pools::{Leaving, Pools, PoolsLimits};
use super::{FAREWELL, Inner, Outcome, closed};
use crate::credentials::Keychain;
use crate::definitions::{Definition, DefinitionLimits, Definitions, NOTICED_WITHIN};
use crate::metrics::PoolsMetrics;

/// What tells one definition from another, under the prefix.
pub(super) type DefinitionId = Arc<str>;

/// The connections of one source of definitions.
pub(super) struct Defined {
    prefix: ConnectionName,
    definitions: Arc<dyn Definitions>,
    pools: Arc<Pools<DefinitionId, Confirmed>>,
    /// What servers said to the passwords of each owner of definitions, kept from one build to the next so that no account is locked,
    /// and apart from what they said to the configuration's.
    keychains: Mutex<HashMap<DefinitionId, Tried>>,
    watching: AtomicBool,
}

/// What servers said to the passwords of one revision of a definition.
struct Tried {
    revision: u64,
    keychain: Keychain,
    /// When the definition was last asked for.
    asked: Instant,
}

/// The part of a name behind a prefix and its slash.
pub(super) fn id_of<'a>(name: &'a str, prefix: &str) -> Option<&'a str> {
    name.strip_prefix(prefix)?.strip_prefix('/')
}

/// Whose password a definition has: what stands in front of the first slash.
fn owner_of(id: &DefinitionId) -> DefinitionId {
    id.split_once('/').map_or_else(|| Arc::clone(id), |(owner, _)| owner.into())
}

/// The connection called `name`, which is not configured.
pub(super) fn get<'a>(inner: &'a Arc<Inner>, name: &str, context: &RequestContext) -> ConnectionFuture<'a> {
    let defined = inner.defined().and_then(|defined| Some((defined.id_of(name)?, defined)));
    let (Some((id, defined)), Ok(name)) = (defined, name.parse::<ConnectionName>()) else {
        return ConnectionFuture::ready(Err(inner.unknown(name)));
    };
    if let Some(connection) = defined.pools.live_if(&id, Confirmed::holds) {
        return ConnectionFuture::ready(Ok(connection));
    }
    let deadline = context.deadline;
    ConnectionFuture::pending(async move { defined.opened(inner, name, id, deadline).await })
}

impl Defined {
    pub(super) fn new(prefix: ConnectionName, definitions: Arc<dyn Definitions>, limits: DefinitionLimits) -> Self {
        let DefinitionLimits { max_live, idle_evict, acquire_timeout } = limits;
        let limits = PoolsLimits { max_live: max_live.max(1), idle_evict, acquire_timeout };
        let pools = Arc::new(Pools::new(prefix.clone(), limits, PoolsMetrics::of_definitions(&prefix)));
        Self { prefix, definitions, pools, keychains: Mutex::default(), watching: AtomicBool::new(false) }
    }

    /// What a name says after the prefix.
    pub(super) fn id_of(&self, name: &str) -> Option<DefinitionId> {
        id_of(name, self.prefix.as_str()).map(DefinitionId::from)
    }

    pub(super) fn prefix(&self) -> &ConnectionName {
        &self.prefix
    }

    pub(super) fn pools(&self) -> &Arc<Pools<DefinitionId, Confirmed>> {
        &self.pools
    }

    /// Closes the pool of a definition, and disowns its build.
    pub(super) fn forget(&self, id: &DefinitionId, runtime: &Handle) {
        for leaving in self.pools.take_unless(|live| live != id) {
            runtime.spawn(leaving.close(FAREWELL));
        }
    }

    /// By which revision the live pool of a definition was opened.
    pub(super) fn revision_of(&self, id: &DefinitionId) -> Option<u64> {
        self.pools.marked(id, Confirmed::revision)
    }

    /// Closes nothing yet, but nobody gets these any more.
    pub(super) fn take_all(&self) -> Vec<Leaving> {
        self.pools.take_unless(|_| false)
    }

    /// The live connection once its definition is confirmed, or a new one.
    async fn opened(
        self: Arc<Self>,
        inner: &Arc<Inner>,
        name: ConnectionName,
        id: DefinitionId,
        deadline: Option<std::time::Instant>,
    ) -> Outcome {
        if self.pools.peek(&id).is_some() {
            self.confirm_one(&name, &id, deadline, &inner.runtime()).await?;
        }
        let admit = || if inner.is_closed() { Err(closed(&name)) } else { Ok(()) };
        let begin = |ticket| Build::begin(inner, name.clone(), Home::Defined(Arc::clone(&self), id.clone(), ticket));
        match self.pools.join(&id, admit, begin)? {
            Ok(connection) => Ok(connection),
            Err(outcome) => awaited(&name, outcome, deadline).await,
        }
    }

    /// The definition as it is now, and since when that is known.
    pub(super) async fn read(
        &self,
        name: &ConnectionName,
        id: &DefinitionId,
    ) -> Result<(Definition, Confirmed), DatabaseError> {
        let asked = Instant::now();
        let definition = tokio::time::timeout(NOTICED_WITHIN, self.definitions.definition(id)).await;
        let definition = definition.map_err(|_| silent(name, NOTICED_WITHIN))??;
        let definition = definition.ok_or_else(|| {
            let message = format!("no connection is called \"{name}\"");
            DatabaseError::new(DatabaseErrorKind::UnknownConnection, message)
        })?;
        let confirmed = Confirmed::new(definition.revision, asked);
        Ok((definition, confirmed))
    }

    /// What servers said to the passwords of this revision of a definition and of those with the same owner.
    pub(super) fn keychain(&self, id: &DefinitionId, confirmed: &Confirmed) -> Keychain {
        let (revision, asked) = (confirmed.revision(), confirmed.asked());
        let anew = || Tried { revision, keychain: Keychain::default(), asked };
        let mut keychains = self.keychains.lock().unwrap_or_else(PoisonError::into_inner);
        let tried = keychains.entry(owner_of(id)).or_insert_with(anew);
        if tried.revision != revision {
            *tried = anew();
        }
        tried.asked = tried.asked.max(asked);
        tried.keychain.clone()
    }
}

fn silent(name: &ConnectionName, limit: Duration) -> DatabaseError {
    let message = format!("where it is defined there was no answer within {} ms", limit.as_millis());
    DatabaseError::new(DatabaseErrorKind::Unreachable, message).on(name)
}
