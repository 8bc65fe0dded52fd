use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use connection_manager::{ConnectionManager, Definition, Definitions, PasswordSource};
use registry_context::application::{RevealConnection, RevealConnectionError, Revealed};
use registry_context::domain::{self, ConnectionId, DatabaseName, Engines, Held};
use schema_inspect::{InspectError, InspectOptions, Inspectors, Look, Stamp};
use schema_model::{Inspection, Report};
use secrecy::SecretString;
use shared_kernel::database::{
    Access, ConnectionName, Connections as _, DatabaseConnection, DatabaseError, DatabaseErrorKind,
};
use shared_kernel::{RequestContext, Version};

use super::{ManagedEngines, OPENING, OtherDatabases, QUIET_WHEN_LIVE, quiet_until};

/// Stored connections as the manager asks for them: under `registry/` and the connection's id, and for a database beside its own
/// another `/` and that one's number.
pub(crate) struct StoredDefinitions {
    reveal: RevealConnection,
    engines: Arc<ManagedEngines>,
    others: OtherDatabases,
}

impl StoredDefinitions {
    /// What stands before the ids. No connection of the configuration may be called so.
    pub(crate) const PREFIX: &str = "registry";

    pub(crate) fn new(reveal: RevealConnection, engines: Arc<ManagedEngines>, others: OtherDatabases) -> Self {
        Self { reveal, engines, others }
    }

    /// Whether a name is one of these.
    pub(crate) fn is_name(name: &ConnectionName) -> bool {
        name.as_str().strip_prefix(Self::PREFIX).is_some_and(|rest| rest.starts_with('/'))
    }

    /// The name under which the manager has a connection.
    pub(crate) fn name(id: ConnectionId) -> String {
        format!("{}/{id}", Self::PREFIX)
    }

    /// The name under which the manager has a connection to another database of the same server.
    fn other_name(id: ConnectionId, number: u64) -> String {
        format!("{}/{id}/{number}", Self::PREFIX)
    }
}

#[async_trait]
impl Definitions for StoredDefinitions {
    async fn definition(&self, id: &str) -> Result<Option<Definition>, DatabaseError> {
        let Some((id, number)) = meant(id) else { return Ok(None) };
        let database = match number.map(|number| self.others.find(id, number)) {
            Some(None) => return Ok(None),
            Some(Some(database)) => Some(database),
            None => None,
        };
        let mut revealed = match self.reveal.execute(id, &RequestContext::system()).await {
            Ok(revealed) => revealed,
            Err(RevealConnectionError::NotFound(_)) => return Ok(None),
            Err(RevealConnectionError::Database(error)) => return Err(error),
            Err(error @ RevealConnectionError::Sealing(_)) => {
                let message = "the secrets of a stored connection do not open";
                return Err(DatabaseError::new(DatabaseErrorKind::SecretUnavailable, message).with_source(error));
            }
        };
        if let Some((number, database)) = number.zip(database) {
            // The name of the pool tells the number alone.
            tracing::info!(
                event = "registry.other_database", connection = %id, number, database = database.as_str(),
                "a pool to another database of the connection's server is opened"
            );
            revealed.definition.database = Some(database);
        }
        usable(&self.engines, revealed).map(Some)
    }

    async fn revisions(&self, ids: &[&str]) -> Result<HashMap<String, u64>, DatabaseError> {
        // A number that was forgotten is nobody's, and its pool has had its time.
        let is_known =
            |id: ConnectionId, number: Option<u64>| number.is_none_or(|number| self.others.find(id, number).is_some());
        let meant: Vec<(&str, ConnectionId)> = ids
            .iter()
            .filter_map(|text| meant(text).filter(|(id, number)| is_known(*id, *number)).map(|(id, _)| (*text, id)))
            .collect();
        let mut connections: Vec<ConnectionId> = meant.iter().map(|(_, id)| *id).collect();
        connections.sort_unstable();
        connections.dedup();
        let versions = self.reveal.versions(&connections, &RequestContext::system()).await?;
        let versions: HashMap<ConnectionId, Version> = versions.into_iter().collect();
        let revision_of = |(text, id): (&str, ConnectionId)| Some((text.to_owned(), revision(*versions.get(&id)?)));
        Ok(meant.into_iter().filter_map(revision_of).collect())
    }
}

impl fmt::Debug for StoredDefinitions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredDefinitions").finish_non_exhaustive()
    }
}

/// The connection that a text means, and the number of the other database if it means one, in the one spelling that counts: in
/// several, there would be several pools.
fn meant(text: &str) -> Option<(ConnectionId, Option<u64>)> {
    let (id, number) = match text.split_once('/') {
        Some((id, number)) => (id, Some(number)),
        None => (text, None),
    };
    let id = id.parse::<ConnectionId>().ok().filter(|parsed| parsed.to_string() == id)?;
    let Some(number) = number else { return Some((id, None)) };
    let number = number.parse::<u64>().ok().filter(|parsed| parsed.to_string() == number)?;
    Some((id, Some(number)))
}

/// What was stored may lack what was dropped since, or what the service's configuration no longer allows. Above all, no engine
/// logs in with what the service itself is allowed to.
fn usable(engines: &ManagedEngines, revealed: Revealed) -> Result<Definition, DatabaseError> {
    let Revealed { definition, secrets, version } = revealed;
    let held = Held { password: secrets.password.is_some(), client_key: secrets.client_key.is_some() };
    let Some(engine) = engines.find(definition.engine.as_str()) else {
        return Err(misconfigured("its engine is none of this service's"));
    };
    let mut violations = definition.faults(held, &engine);
    if violations.is_empty() {
        violations = engines.check(&definition, held);
    }
    if !violations.is_empty() {
        return Err(misconfigured(&violations.to_string()));
    }
    let password = password(&definition, secrets.password.as_ref());
    let settings = engines.settings(&definition, password, secrets.client_key);
    Ok(Definition { revision: revision(version), settings })
}

fn misconfigured(what: &str) -> DatabaseError {
    DatabaseError::new(DatabaseErrorKind::Misconfigured, format!("the stored connection cannot be used: {what}"))
}

fn revision(version: Version) -> u64 {
    version.get().unsigned_abs()
}

/// Where a definition has its password.
pub(super) fn password(definition: &domain::Definition, own: Option<&SecretString>) -> PasswordSource {
    match (&definition.secret, own) {
        (Some(secret), _) => PasswordSource::SecretsManager { id: secret.to_string() },
        (None, Some(password)) => PasswordSource::Literal(password.clone()),
        (None, None) => PasswordSource::None,
    }
}

/// What came of a look at a database.
#[derive(Debug)]
pub(crate) enum Looked<K> {
    /// It is in the state that this is known of; and what was asked to find that out.
    Unchanged(K, Report),
    /// What was found, and the state that it was in before.
    Anew(Box<Inspection>, Option<Stamp>),
}

/// The manager's connections to what is stored, as the endpoints use them.
#[derive(Debug, Clone)]
pub(crate) struct LiveConnections {
    manager: ConnectionManager,
    others: OtherDatabases,
}

impl LiveConnections {
    /// `others` are those of the [`StoredDefinitions`] that the manager asks.
    pub(crate) fn new(manager: ConnectionManager, others: OtherDatabases) -> Self {
        Self { manager, others }
    }

    /// Has a change count here at once; other instances notice it by themselves.
    pub(crate) fn redefined(&self, id: ConnectionId) {
        self.manager.redefined(&StoredDefinitions::name(id));
        for number in self.others.of(id) {
            self.manager.redefined(&StoredDefinitions::other_name(id, number));
        }
    }

    /// The databases that a stored connection's user may use.
    pub(crate) async fn databases(
        &self,
        id: ConnectionId,
        limit: usize,
        context: &RequestContext,
    ) -> Result<Vec<String>, DatabaseError> {
        let list = async {
            let name = StoredDefinitions::name(id);
            let opening = self.manager.get(&name, Access::Read, context);
            let connection = in_time(&name, Instant::now() + OPENING, opening).await?;
            connection.catalog()?.databases(limit, context).await
        };
        told_late(list, is_unreached).await
    }

    /// What is in the database that a stored connection leads to, or in another one on the same server, by this version of its
    /// definition or a later one. Nothing is looked at where the database is in the state that something is known of.
    pub(crate) async fn look<K>(
        &self,
        (id, version): (ConnectionId, Version),
        database: Option<&DatabaseName>,
        inspectors: &Inspectors,
        options: &InspectOptions,
        known: Option<(Stamp, K)>,
        context: &RequestContext,
    ) -> Result<Looked<K>, InspectError> {
        let look = async {
            let failed = |source| InspectError::Database { stage: "connection", source };
            let limit = Instant::now() + OPENING;
            // Its own comes first for another one as well: a password that is wrong, or a server that is away, is found out there.
            let name = StoredDefinitions::name(id);
            let own = in_time(&name, limit, self.at(&name, version, context)).await;
            let connection = match database {
                None => own.map_err(failed)?,
                Some(database) => {
                    match own {
                        // The login was good, and the other database may be there all the same.
                        Err(error) if *error.kind() != DatabaseErrorKind::UnknownDatabase => return Err(failed(error)),
                        own => drop(own),
                    }
                    let name = StoredDefinitions::other_name(id, self.others.number(id, database));
                    in_time(&name, limit, self.at(&name, version, context)).await.map_err(failed)?
                }
            };
            let (state, known) = known.unzip();
            Ok(match (inspectors.look(&*connection, options, state, context).await?, known) {
                (Look::Unchanged(report), Some(known)) => Looked::Unchanged(known, report),
                // Whoever says so of a state that nobody knows is asked for what there is.
                (Look::Unchanged(_), None) => {
                    Looked::Anew(Box::new(inspectors.inspect(&*connection, options, context).await?), None)
                }
                (Look::Found { inspection, stamp }, _) => Looked::Anew(inspection, stamp),
            })
        };
        told_late(look, |error| matches!(error, InspectError::Database { source, .. } if is_unreached(source))).await
    }

    /// The connection called so. One that was opened before another instance changed its definition may be live for some seconds
    /// more; it makes room.
    async fn at(
        &self,
        name: &str,
        version: Version,
        context: &RequestContext,
    ) -> Result<Arc<dyn DatabaseConnection>, DatabaseError> {
        if self.manager.live_revision(name).is_some_and(|live| live < revision(version)) {
            self.manager.redefined(name);
        }
        self.manager.get(name, Access::Read, context).await
    }
}

/// The connection called so, if it is open in time. It goes on being opened for whoever asks next. Whoever answers the first dial may
/// have it take as long as they like, and then send it on to others.
async fn in_time<T>(
    name: &str,
    limit: Instant,
    opening: impl IntoFuture<Output = Result<T, DatabaseError>>,
) -> Result<T, DatabaseError> {
    tokio::time::timeout_at(limit.into(), opening.into_future()).await.unwrap_or_else(|_| {
        let error = DatabaseError::new(DatabaseErrorKind::Unreachable, "the connection was not open in time");
        // Told as what the manager says of it, and not as a failure of the service's own.
        Err(match name.parse::<ConnectionName>() {
            Ok(name) => error.on(&name),
            Err(_) => error,
        })
    })
}

/// What came of `work`; that no server was reached is told after a while alone.
async fn told_late<T, E>(work: impl Future<Output = Result<T, E>>, is_unreached: impl Fn(&E) -> bool) -> Result<T, E> {
    let began = Instant::now();
    let outcome = work.await;
    if outcome.as_ref().is_err_and(is_unreached) {
        quiet_until(began + QUIET_WHEN_LIVE).await;
    }
    outcome
}

/// Whoever waits for a session of a pool that dials in vain may be told that none is free, before the dial is given up.
fn is_unreached(error: &DatabaseError) -> bool {
    use DatabaseErrorKind::{CircuitOpen, Saturated, Timeout, Unreachable};
    matches!(error.kind(), Unreachable | CircuitOpen | Saturated | Timeout)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use connection_manager::ConnectionFactory;
    use connection_manager::egress::EgressConfig;
    use registry_context::domain::{DisplayName, Host, Labels, OptionValue, Options, SecretName, Secrets, Username};
    use shared_kernel::database::Engine;

    use super::*;
    use crate::config::RegistryConfig;

    fn engines() -> ManagedEngines {
        let config = RegistryConfig { secret_prefix: Some("team/".to_owned()), ..RegistryConfig::default() };
        ManagedEngines::new(ConnectionFactory::compiled(), &config, EgressConfig::default().egress([]))
    }

    fn revealed(engine: Engine, password: Option<&str>) -> Revealed {
        let region = BTreeMap::from([("region".to_owned(), OptionValue::parse("eu-central-1").expect("a value"))]);
        let options = if engine == Engine::DYNAMODB { Options::new(region) } else { Options::default() };
        let definition = domain::Definition {
            name: DisplayName::parse("Sales").expect("a name"),
            engine,
            host: Host::parse("db.example").ok(),
            port: None,
            database: None,
            path: None,
            username: Username::parse("ann").ok(),
            secret: None,
            tls: None,
            options,
            labels: Labels::default(),
            notes: None,
        };
        let secrets = Secrets { password: password.map(SecretString::from), client_key: None };
        Revealed { definition, secrets, version: Version::FIRST }
    }

    #[track_caller]
    fn is_refused(revealed: Revealed, pointer: &str) {
        let error = usable(&engines(), revealed).map(|_| ()).expect_err("refused");
        assert_eq!(*error.kind(), DatabaseErrorKind::Misconfigured);
        assert!(error.message().contains(pointer), "{error}");
    }

    #[test]
    fn what_is_whole_and_allowed_is_opened() {
        for engine in [Engine::MYSQL, Engine::DYNAMODB] {
            let definition = usable(&engines(), revealed(engine, Some("the password"))).expect("usable");
            assert_eq!((definition.revision, definition.settings.username.as_deref()), (1, Some("ann")));
        }
    }

    #[test]
    fn no_engine_falls_back_on_what_the_service_may() {
        is_refused(revealed(Engine::DYNAMODB, None), "/password");
    }

    #[test]
    fn what_is_allowed_no_more_is_not_opened() {
        let mut elsewhere = revealed(Engine::MYSQL, None);
        elsewhere.definition.secret = SecretName::parse("other/sales").ok();
        is_refused(elsewhere, "/secret");
        is_refused(revealed(Engine::from("oracle".to_owned()), Some("the password")), "engine");
    }

    #[tokio::test(start_paused = true)]
    async fn what_never_opens_is_not_reached() {
        let forever = std::future::pending::<Result<(), DatabaseError>>();
        let name = StoredDefinitions::name("01a21b40-e5cc-7224-ba42-10c24b9b2245".parse().expect("an id"));
        let began = tokio::time::Instant::now();
        let error = in_time(&name, Instant::from(began) + OPENING, forever).await.expect_err("it never opens");
        // In time for the moment at which all that is not reached is told.
        assert!(began.elapsed() < QUIET_WHEN_LIVE, "after {:?}", began.elapsed());
        assert!(is_unreached(&error) && error.connection().is_some_and(StoredDefinitions::is_name), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn that_a_file_cannot_be_used_is_told_at_once() {
        // In this order: the clock that is moved on would be ahead of what is waited for the second time.
        for (kind, is_late) in [(DatabaseErrorKind::FileUnusable, false), (DatabaseErrorKind::Unreachable, true)] {
            let began = tokio::time::Instant::now();
            let failed = std::future::ready(Err::<(), _>(DatabaseError::new(kind, "it failed")));
            told_late(failed, is_unreached).await.expect_err("it failed");
            // Nobody's time but the clock's own, which is moved on where somebody waits.
            assert_eq!(began.elapsed() > QUIET_WHEN_LIVE / 2, is_late);
        }
    }

    #[test]
    fn an_id_has_one_spelling() {
        let id = "01a21b40-e5cc-7224-ba42-10c24b9b2245";
        assert_eq!(meant(id).map(|(id, number)| (id.to_string(), number)), Some((id.to_owned(), None)));
        for other in
            [&id.to_uppercase(), &id.replace('-', ""), &format!("{{{id}}}"), &format!("urn:uuid:{id}"), "", "x"]
        {
            assert_eq!(meant(other), None, "{other}");
        }
        assert_eq!(
            meant(&format!("{id}/7")).map(|(id, number)| (id.to_string(), number)),
            Some((id.to_owned(), Some(7)))
        );
        for other in ["", "/", "/7", "/07", "/+7", "/7/8", "/x", "/18446744073709551616"] {
            assert_eq!(meant(&format!("{id}/{other}")), None, "{other}");
        }
    }
}
