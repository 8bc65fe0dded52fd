//! Ports meet adapters: from a configuration to a service that listens.

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data};
use actix_web::{App, HttpServer};
use book_context::infrastructure::SqlBookRepository;
use connection_manager::config::{CircuitsConfig, TenantFileError};
use connection_manager::{ConfiguredSecrets, ConnectionFactory, ConnectionManager, DefinitionLimits, SecretSource};
use registry_context::application::RevealConnection;
use registry_context::infrastructure::{
    SqlAuditLog, SqlConnectionRepository, SqlHealthRepository, SqlSnapshotRepository,
};
use shared_kernel::database::{Connections, DatabaseError, DatabaseErrorKind};
use shared_kernel::{Clock, IdGenerator, SystemClock, SystemIdGenerator};
use user_context::infrastructure::SqlUserRepository;

use crate::config::{Config, ServerConfig};
use crate::data_folder::{DataFolder, DataFolderError};
use crate::gate::Gate;
use crate::plugins::Plugins;
use crate::readiness::{Need, Readiness};
use crate::registry::{
    EnvelopeSealer, Exports, FirstStart, Keeping, LiveConnections, ManagedEngines, ManagedProber, OtherDatabases,
    RegistryFileError, SharedSchemas, StoredDefinitions,
};
use crate::rest::access::Tokens;
use crate::rest::audit::Recorder;
use crate::rest::books::Books;
use crate::rest::connections::{Ports, StoredConnections};
use crate::rest::users::Users;
use crate::rest::{self, AllowedHosts, Cors, Description, Tenancy};
use crate::state::AppState;
use crate::telemetry::metrics;

mod background;
mod embedded;

pub use embedded::EmbeddedError;
pub(crate) use embedded::{
    create_file as create_embedded_file, lies_in, migrate as migrate_embedded, open_folder as open_data_folder,
};

/// How long closing the pools may take once no request is left.
const CLOSE_GRACE: Duration = Duration::from_secs(5);

/// Why the service does not start or did not end well.
#[derive(Debug, thiserror::Error)]
pub enum ApplicationError {
    /// The folder of embedded databases cannot be used.
    #[error(transparent)]
    Data(#[from] DataFolderError),
    /// A connection's name or settings are unusable.
    #[error("the connections cannot be set up")]
    Connections(#[source] DatabaseError),
    /// Who the tenants are cannot be read.
    #[error(transparent)]
    Tenants(#[from] TenantFileError),
    /// The registry's key or token cannot be used.
    #[error(transparent)]
    Registry(#[from] RegistryFileError),
    /// An embedded database cannot be brought up to date.
    #[error(transparent)]
    Embedded(#[from] EmbeddedError),
    /// The address is taken, not ours, or not allowed.
    #[error("cannot listen at {address}{}", remedy(source))]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The server ended with an error.
    #[error("the server failed")]
    Server(#[source] io::Error),
}

fn remedy(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => ": the port is taken; choose another with `--listen`, or port 0 for a free one",
        io::ErrorKind::PermissionDenied => ": the port needs more rights; choose one above 1023 with `--listen`",
        io::ErrorKind::AddrNotAvailable => ": this machine has no such address",
        _ => "",
    }
}

/// The service, bound and ready to run.
pub struct Application {
    server: Server,
    address: SocketAddr,
    config: Config,
    manager: ConnectionManager,
    connections: Arc<dyn Connections>,
    readiness: Data<Readiness>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
    recorder: Data<Recorder>,
    first_start: FirstStart,
    _data: Option<DataFolder>,
}

impl std::fmt::Debug for Application {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Application").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Application {
    /// As [`Application::build_with`], with what this crate was compiled with and nothing from outside.
    ///
    /// # Errors
    /// [`ApplicationError`]
    pub async fn build(config: Config) -> Result<Self, ApplicationError> {
        Self::build_with(config, &Plugins::compiled()).await
    }

    /// Opens what is embedded, wires everything, and binds the address. Requests wait until [`Application::run_until`].
    ///
    /// Databases on servers may be away: the service then starts and is not ready.
    ///
    /// # Errors
    /// [`ApplicationError`]
    pub async fn build_with(config: Config, plugins: &Plugins) -> Result<Self, ApplicationError> {
        // Connections take their measuring handles when they are made, so the recorder comes first.
        metrics::recorder();
        let data = embedded::open_folder(&config)?;
        // Before anything is made or migrated, so that a port that is taken leaves nothing behind.
        let listener = bind(config.server.listen)?;
        let address = listener.local_addr().map_err(ApplicationError::Server)?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let ids: Arc<dyn IdGenerator> = Arc::new(SystemIdGenerator);
        let keeping = crate::registry::prepare(&config)?;
        let manager = manager(&config, config.circuits.as_ref(), &plugins.connectors)?;
        embedded::migrate(&config, &manager).await?;

        let gate = Arc::new(Gate::new(&config, manager.clone()));
        let connections: Arc<dyn Connections> = gate.clone();
        let needs =
            config.contexts.iter().map(|(context, connection)| Need { context, connection: connection.to_owned() });
        let readiness = Data::new(Readiness::new(gate, needs.collect()));
        let stored = stored((&config, plugins), &connections, &manager, &keeping, address, &clock, &ids)?;
        let shown = (stored, Tokens::new(&keeping.tokens), Description::new(&Exports::new(plugins)));
        let services = Services::new(&config, &manager, &connections, &clock, &ids, readiness.clone(), shown);
        let (recorder, first_start) = (services.recorder.clone(), keeping.first);
        let server = serve(&config.server, listener, services).map_err(ApplicationError::Server)?;
        Ok(Self {
            server,
            address,
            config,
            manager,
            connections,
            readiness,
            clock,
            ids,
            recorder,
            first_start,
            _data: data,
        })
    }

    /// Where it listens; the port is the real one also when 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it was built from.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What was made in the data folder at this start because nothing was configured.
    pub fn first_start(&self) -> &FirstStart {
        &self.first_start
    }

    /// Serves until `stop` is ready, then drains: readiness says 503, requests under way finish within the limit, pools
    /// are closed.
    ///
    /// # Errors
    /// [`ApplicationError::Server`] when the server itself fails.
    pub async fn run_until(self, stop: impl Future<Output = ()> + Send) -> Result<(), ApplicationError> {
        let background = background::start(
            &self.config,
            &self.manager,
            &self.connections,
            &self.readiness,
            &self.clock,
            &self.ids,
            &self.recorder,
        );
        let handle = self.server.handle();
        let (readiness, delay) = (self.readiness.clone(), self.config.server.drain_delay);
        let stopping = async move {
            stop.await;
            drain(&readiness, delay, &handle).await;
            std::future::pending::<()>().await;
        };
        let ended = tokio::select! {
            ended = self.server => ended,
            () = stopping => Ok(()),
        };
        drop(background);
        self.manager.close(CLOSE_GRACE).await;
        tracing::info!(event = "service.stopped", "stopped");
        ended.map_err(ApplicationError::Server)
    }
}

async fn drain(readiness: &Readiness, delay: Duration, handle: &ServerHandle) {
    readiness.drain();
    tracing::info!(event = "service.draining", "no longer ready; requests under way may finish");
    tokio::time::sleep(delay).await;
    handle.stop(true).await;
}

/// Where the connections' passwords come from.
pub(crate) fn secrets(config: &Config) -> Result<ConfiguredSecrets, ApplicationError> {
    ConfiguredSecrets::build(&config.secrets, Arc::new(SystemClock)).map_err(ApplicationError::Connections)
}

/// The manager for a command: it opens the connections that it needs and none in reserve.
pub(crate) fn manager_of_command(
    config: &Config,
    connectors: &ConnectionFactory,
) -> Result<ConnectionManager, ApplicationError> {
    let mut config = config.clone();
    for settings in config.connections.values_mut() {
        settings.pool.min = 0;
    }
    for settings in config.per_tenant.values_mut() {
        settings.each_mut(|settings| settings.pool.min = 0);
    }
    // It is over soon, and what it learns of servers is nobody else's concern.
    manager(&config, None, connectors)
}

/// The manager over every configured connection.
fn manager(
    config: &Config,
    circuits: Option<&CircuitsConfig>,
    connectors: &ConnectionFactory,
) -> Result<ConnectionManager, ApplicationError> {
    let secrets: Arc<dyn SecretSource> = Arc::new(secrets(config)?);
    let builder = ConnectionManager::builder(connectors.clone()).secrets(Arc::clone(&secrets));
    let builder = match circuits {
        Some(circuits) => builder.circuits(circuits.board(secrets).map_err(ApplicationError::Connections)?),
        None => builder,
    };
    let builder =
        config.servers.iter().fold(builder, |builder, (server, shared)| builder.server(server, shared.clone()));
    let builder = config
        .connections
        .iter()
        .fold(builder, |builder, (name, settings)| builder.connection(name.clone(), settings.clone()));
    let builder = config
        .per_tenant
        .iter()
        .fold(builder, |builder, (name, settings)| builder.per_tenant(name.clone(), settings.clone()));
    builder.tenants(config.tenants.list()?).build().map_err(ApplicationError::Connections)
}

/// The registry: what is stored, tested and kept live.
fn stored(
    (config, plugins): (&Config, &Plugins),
    connections: &Arc<dyn Connections>,
    manager: &ConnectionManager,
    keeping: &Keeping,
    listening: SocketAddr,
    clock: &Arc<dyn Clock>,
    ids: &Arc<dyn IdGenerator>,
) -> Result<StoredConnections, ApplicationError> {
    let registry = &config.contexts.registry;
    let egress = config.egress.clone().egress([listening]);
    let engines = Arc::new(ManagedEngines::new(plugins.connectors.clone(), &config.registry, egress));
    let sealer = Arc::new(EnvelopeSealer::new(Arc::clone(&keeping.keys)));
    let repository = Arc::new(SqlConnectionRepository::new(connections.clone(), registry));
    let reveal = RevealConnection::new(repository.clone(), sealer.clone());
    let others = OtherDatabases::default();
    let definitions = Arc::new(StoredDefinitions::new(reveal, engines.clone(), others.clone()));
    let prefix = StoredDefinitions::PREFIX.parse().map_err(|error| {
        let message = "the prefix of stored connections is no name";
        ApplicationError::Connections(DatabaseError::new(DatabaseErrorKind::Misconfigured, message).with_source(error))
    })?;
    manager.define(prefix, definitions, DefinitionLimits::default()).map_err(ApplicationError::Connections)?;
    let ports = Ports {
        connections: repository,
        engines: engines.clone(),
        sealer,
        log: Arc::new(SqlAuditLog::new(connections.clone(), registry)),
        prober: Arc::new(ManagedProber::new(engines, Arc::new(secrets(config)?), config.registry.test_timeout)),
        health: Arc::new(SqlHealthRepository::new(connections.clone(), registry)),
        snapshots: Arc::new(SqlSnapshotRepository::new(connections.clone(), registry)),
        clock: clock.clone(),
        ids: ids.clone(),
    };
    let shared = config.registry.schema_cache.as_ref().map(|connection| {
        let connections: Arc<dyn Connections> = Arc::new(manager.clone());
        Arc::new(SharedSchemas::new(connections, connection, Arc::clone(&keeping.keys)))
    });
    let live = LiveConnections::new(manager.clone(), others);
    Ok(StoredConnections::new(ports, live, shared, plugins, config.registry.snapshots))
}

fn bind(address: SocketAddr) -> Result<TcpListener, ApplicationError> {
    let listen = |source| ApplicationError::Listen { address, source };
    let listener = TcpListener::bind(address).map_err(listen)?;
    listener.set_nonblocking(true).map_err(listen)?;
    if !address.ip().is_loopback() {
        tracing::warn!(
            event = "service.exposed",
            %address,
            "listening beyond this machine without authentication or TLS: put a gateway in front"
        );
    }
    Ok(listener)
}

/// What every worker's application shares.
#[derive(Clone)]
struct Services {
    state: Data<AppState>,
    readiness: Data<Readiness>,
    tenancy: Data<Tenancy>,
    description: Data<Description>,
    users: Data<Users>,
    books: Data<Books>,
    stored: Data<StoredConnections>,
    tokens: Data<Tokens>,
    recorder: Data<Recorder>,
    docs: bool,
}

impl Services {
    fn new(
        config: &Config,
        manager: &ConnectionManager,
        connections: &Arc<dyn Connections>,
        clock: &Arc<dyn Clock>,
        ids: &Arc<dyn IdGenerator>,
        readiness: Data<Readiness>,
        (stored, tokens, description): (StoredConnections, Tokens, Description),
    ) -> Self {
        let tenancy = Tenancy::new(config, manager.clone());
        let state = AppState {
            clock: clock.clone(),
            ids: ids.clone(),
            limits: config.server.limits,
            hosts: AllowedHosts::new(&config.server),
            cors: Cors::new(config.server.cors_origins.clone()),
            vary: tenancy.varies_by().map(|header| header.clone().into()),
            manager: manager.clone(),
        };
        let users = Arc::new(SqlUserRepository::new(connections.clone(), &config.contexts.users));
        let books = Arc::new(SqlBookRepository::new(connections.clone(), &config.contexts.books));
        let log = Arc::new(SqlAuditLog::new(connections.clone(), &config.contexts.registry));
        Self {
            state: Data::new(state),
            readiness,
            tenancy: Data::new(tenancy),
            description: Data::new(description),
            users: Data::new(Users::new(&(users as _), clock, ids)),
            books: Data::new(Books::new(&(books as _), clock, ids)),
            stored: Data::new(stored),
            tokens: Data::new(tokens),
            recorder: Data::new(Recorder::new(log, clock.clone(), ids.clone())),
            docs: config.server.docs,
        }
    }
}

fn serve(config: &ServerConfig, listener: TcpListener, services: Services) -> io::Result<Server> {
    let factory = move || {
        let services = services.clone();
        let docs = services.docs;
        App::new()
            .app_data(services.state)
            .app_data(services.readiness)
            .app_data(services.tenancy)
            .app_data(services.description)
            .app_data(services.users)
            .app_data(services.books)
            .app_data(services.stored)
            .app_data(services.tokens)
            .app_data(services.recorder)
            .configure(|app| rest::resources(docs).into_iter().for_each(|resource| resource.register(app)))
            .default_service(web::to(rest::nothing_here))
            .wrap(from_fn(rest::conventions))
    };
    let mut server = HttpServer::new(factory)
        .disable_signals()
        .shutdown_timeout(config.drain_limit.as_secs().max(1))
        .client_request_timeout(config.limits.request_timeout)
        // Whoever hangs up waits for no answer: the call is dropped, and with it what a database does for it.
        .h1_allow_half_closed(false);
    if config.workers > 0 {
        server = server.workers(config.workers);
    }
    Ok(server.listen(listener)?.run())
}
