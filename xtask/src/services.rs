//! The backing services of the tests: where they come from, how they start, how they are found again and stopped.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::certificates::Certificates;
use crate::ui::{Screen, duration};
use crate::{settings, workspace};
use place::{Home, Place};
use state::{Running, State};

pub(crate) mod container;
mod dynamodb;
mod given;
pub(crate) mod lent;
mod mariadb;
mod mongodb;
mod moto;
mod mysql;
mod own;
pub(crate) mod place;
mod postgres;
pub(crate) mod probe;
pub(crate) mod programs;
mod redis;
pub(crate) mod state;

/// A server that tests need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Service {
    /// `MySQL` 8 or later.
    Mysql,
    /// `MariaDB`.
    Mariadb,
    /// `PostgreSQL`.
    Postgres,
    /// Redis 7 or later.
    Redis,
    /// AWS as `moto` plays it: Secrets Manager and others.
    Moto,
    /// DynamoDB as Dynoxide plays it.
    Dynamodb,
    /// MongoDB, or the DocumentDB engine behind its wire protocol.
    Mongodb,
}

impl Service {
    /// All of them, in the order in which they are listed.
    pub(crate) const ALL: [Self; 7] =
        [Self::Mysql, Self::Mariadb, Self::Postgres, Self::Redis, Self::Moto, Self::Dynamodb, Self::Mongodb];

    /// The word that commands, folders and test modules use.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Mysql => "mysql",
            Self::Mariadb => "mariadb",
            Self::Postgres => "postgres",
            Self::Redis => "redis",
            Self::Moto => "moto",
            Self::Dynamodb => "dynamodb",
            Self::Mongodb => "mongodb",
        }
    }

    /// The variable that gives tests the address of an administrator.
    pub(crate) fn variable(self) -> &'static str {
        match self {
            Self::Mysql => "BINDERY_TEST_MYSQL_URL",
            Self::Mariadb => "BINDERY_TEST_MARIADB_URL",
            Self::Postgres => "BINDERY_TEST_POSTGRES_URL",
            Self::Redis => "BINDERY_TEST_REDIS_URL",
            Self::Moto => "BINDERY_TEST_AWS_URL",
            Self::Dynamodb => "BINDERY_TEST_DYNAMODB_URL",
            Self::Mongodb => "BINDERY_TEST_MONGODB_URL",
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Mysql | Self::Mariadb => 3306,
            Self::Postgres => 5432,
            Self::Redis => 6379,
            Self::Moto => 5000,
            Self::Dynamodb => 8000,
            Self::Mongodb => 27017,
        }
    }

    /// The URL that gives an administrator's access to our own server.
    fn url(self, port: u16, password: &str) -> String {
        match self {
            Self::Mysql | Self::Mariadb => format!("mysql://root:{password}@127.0.0.1:{port}/"),
            Self::Postgres => format!("postgres://postgres:{password}@127.0.0.1:{port}/postgres"),
            Self::Redis => format!("redis://{}:{password}@127.0.0.1:{port}/0", redis::ADMINISTRATOR),
            Self::Mongodb => format!("mongodb://{}:{password}@127.0.0.1:{port}/", mongodb::ADMINISTRATOR),
            // They let everybody in.
            Self::Moto | Self::Dynamodb => format!("http://127.0.0.1:{port}"),
        }
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Mysql => "MySQL",
            Self::Mariadb => "MariaDB",
            Self::Postgres => "PostgreSQL",
            Self::Redis => "Redis",
            Self::Moto => "moto",
            Self::Dynamodb => "DynamoDB",
            Self::Mongodb => "MongoDB",
        })
    }
}

/// Where a server comes from, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Source {
    /// The person named one by its URL.
    Url,
    /// A container engine runs the official image.
    Container,
    /// The server's programs are installed on this machine.
    Installed,
    /// Debian's packages, unpacked below `target/services/packages`, the Python environment below `target`, or a crate.
    Packages,
    /// Another engine of the same family stands in.
    Fallback,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Url => "given by URL",
            Self::Container => "container",
            Self::Installed => "installed",
            Self::Packages => "unpacked packages",
            Self::Fallback => "fallback",
        })
    }
}

/// What `up` did.
pub(crate) struct Outcome {
    /// Everything asked for that answers now.
    pub(crate) running: Vec<Running>,
    /// Those of them that were not there before.
    pub(crate) started: Vec<Service>,
    /// What could not be had, and why.
    pub(crate) missing: Vec<(Service, String)>,
    /// The certificate authority that tests trust.
    pub(crate) authority: PathBuf,
}

impl Outcome {
    /// The environment for tests and for the `api` binary.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        environment(&self.running, &self.authority)
    }
}

/// The variables that tell tests where the servers are.
pub(crate) fn environment(running: &[Running], authority: &std::path::Path) -> Vec<(String, String)> {
    let mut variables: Vec<_> =
        running.iter().map(|server| (server.service.variable().to_owned(), server.url.clone())).collect();
    variables.extend(running.iter().flat_map(|server| server.further.clone()));
    variables.extend(running.iter().flat_map(|server| own::variables(server.service)));
    variables.push(("BINDERY_TEST_CA".to_owned(), authority.display().to_string()));
    variables.extend(lent::variable());
    variables
}

/// Makes sure that the services answer: those that run already are kept, the others are started, all at once.
/// `only` limits the sources that are tried.
pub(crate) fn up(wanted: &[Service], only: Option<Source>, screen: &Screen) -> Result<Outcome> {
    let _lock = state::lock()?;
    let home = Home::locate()?;
    let certificates = Certificates::provide(&workspace::services().join("tls"))?;
    let authority = given::authority(&certificates)?;
    let mut state = State::load()?;
    state.forget_dead();
    state.authority.clone_from(&authority);

    let mut missing = Vec::new();
    let mut started = Vec::new();
    let absent: Vec<Service> = wanted
        .iter()
        .copied()
        .filter(|service| !state.running.iter().any(|server| server.service == *service))
        .collect();
    let results: Vec<(Service, Result<Running>)> = std::thread::scope(|scope| {
        let threads: Vec<_> = absent
            .iter()
            .map(|&service| {
                let (home, certificates) = (&home, &certificates);
                (service, scope.spawn(move || provide(service, only, home, certificates, screen)))
            })
            .collect();
        threads
            .into_iter()
            .map(|(service, thread)| {
                let result = thread.join().unwrap_or_else(|_| bail!("the thread that starts {service} panicked"));
                (service, result)
            })
            .collect()
    });
    for (service, result) in results {
        match result {
            Ok(server) => {
                started.push(service);
                state.running.push(server);
            }
            Err(error) => missing.push((service, format!("{error:#}"))),
        }
        // Written after each, so that `down` finds them even when we are killed in between.
        state.save()?;
    }
    if let Some(stand_in) = stand_in_for_mysql(&state, &missing) {
        screen.line(format_args!("! MySQL cannot be had here: {}", stand_in.detail));
        missing.retain(|(service, _)| *service != Service::Mysql);
        started.push(Service::Mysql);
        state.running.push(stand_in);
    }
    state.running.sort_by_key(|server| server.service);
    state.save()?;
    let running = state.running.iter().filter(|server| wanted.contains(&server.service)).cloned().collect();
    Ok(Outcome { running, started, missing, authority })
}

/// `MariaDB` in `MySQL`'s place, on a person's machine; a build server insists on the real one.
fn stand_in_for_mysql(state: &State, missing: &[(Service, String)]) -> Option<Running> {
    let (_, reason) = missing.iter().find(|(service, _)| *service == Service::Mysql)?;
    let mariadb = state.running.iter().find(|server| server.service == Service::Mariadb)?;
    if settings::continuous_integration() {
        return None;
    }
    Some(Running {
        service: Service::Mysql,
        source: Source::Fallback,
        detail: format!("MariaDB stands in ({reason})"),
        process: None,
        behind: None,
        container: None,
        ..mariadb.clone()
    })
}

/// Stops what `up` has started; an empty list means all. Servers that a person gave by URL are left alone.
pub(crate) fn down(names: &[Service], screen: &Screen) -> Result<()> {
    let _lock = state::lock()?;
    let mut state = State::load()?;
    let (leaving, staying): (Vec<_>, Vec<_>) =
        state.running.drain(..).partition(|server| names.is_empty() || names.contains(&server.service));
    let mut failures = Vec::new();
    std::thread::scope(|scope| {
        let threads: Vec<_> = leaving.iter().map(|server| (server, scope.spawn(move || server.stop()))).collect();
        for (server, thread) in threads {
            match thread.join() {
                Ok(Ok(took)) => screen.line(format_args!("✓ {} stopped ({})", server.service, duration(took))),
                Ok(Err(error)) => failures.push((server.clone(), format!("{error:#}"))),
                Err(_) => failures.push((server.clone(), "the thread that stops it panicked".to_owned())),
            }
        }
    });
    state.running = staying;
    let messages: Vec<String> = failures.iter().map(|(server, error)| format!("{}: {error}", server.service)).collect();
    state.running.extend(failures.into_iter().map(|(server, _)| server));
    state.save()?;
    if messages.is_empty() { Ok(()) } else { bail!("not everything stopped: {}", messages.join("; ")) }
}

/// Tries the sources in their order until one gives a server that answers.
fn provide(
    service: Service,
    only: Option<Source>,
    home: &Home,
    certificates: &Certificates,
    screen: &Screen,
) -> Result<Running> {
    let step = screen.step(service.to_string());
    let mut reasons = Vec::new();
    for source in [Source::Url, Source::Container, Source::Installed, Source::Packages] {
        if only.is_some_and(|only| only != source) {
            continue;
        }
        step.note(source.to_string());
        let attempt = match source {
            Source::Url => given::server(service, home, &|text| step.note(text)),
            Source::Container => container::start(service, home, certificates, &|text| step.note(text)),
            Source::Installed | Source::Packages => start(service, source, home, certificates, &|text| step.note(text)),
            Source::Fallback => Ok(None),
        };
        match attempt.with_context(|| source.to_string()) {
            Ok(Some(server)) => {
                step.done(format_args!(
                    "{} answers on port {} ({source}{}{})",
                    server.version,
                    server.port,
                    if server.detail.is_empty() { "" } else { ": " },
                    server.detail
                ));
                return Ok(server);
            }
            Ok(None) => {}
            // A server that the person named is the one they want to see tested.
            Err(error) if source == Source::Url => {
                step.failed(format_args!("{error:#}"));
                return Err(error);
            }
            Err(error) => reasons.push(format!("{error:#}")),
        }
    }
    if reasons.is_empty() {
        reasons.push(format!("no source gives it; set {} to a server's URL", service.variable()));
    }
    let reason = reasons.join("; ");
    step.failed(&reason);
    bail!(reason)
}

/// Starts a server of our own from installed or unpacked programs. `None` when the programs are not there.
fn start(
    service: Service,
    source: Source,
    home: &Home,
    certificates: &Certificates,
    say: &dyn Fn(&str),
) -> Result<Option<Running>> {
    let Some(programs) = programs::find(service, source, home, say)? else {
        return Ok(None);
    };
    say("preparing its data");
    let place = Place::prepare(home, service, certificates)?;
    let alone = |process| (process, None);
    let (process, behind) = match service {
        Service::Mysql => mysql::start(&programs, &place).map(alone),
        Service::Mariadb => mariadb::start(&programs, &place).map(alone),
        Service::Postgres => postgres::start(&programs, &place).map(alone),
        Service::Redis => redis::start(&programs, &place).map(alone),
        Service::Moto => moto::start(&programs, &place).map(alone),
        Service::Dynamodb => dynamodb::start(&programs, &place).map(alone),
        Service::Mongodb => mongodb::start(&programs, &place, say).map(|(bridge, engine)| (bridge, Some(engine))),
    }?;
    say("waiting for its first answer");
    let answer = match place.wait_for_answer(service, &process, Duration::from_secs(90)) {
        Ok(answer) => answer,
        Err(error) => {
            process.stop(service).ok();
            state::stop_behind(behind.as_ref()).ok();
            return Err(error);
        }
    };
    Ok(Some(Running {
        service,
        source,
        detail: programs.origin(),
        version: answer.version.unwrap_or_else(|| programs.version.clone()),
        port: place.port,
        url: service.url(place.port, &place.password),
        further: match service {
            Service::Redis => redis::variables(Some(&programs), place.tls_port, &place.password, home)?,
            _ => Vec::new(),
        },
        log: Some(place.log()),
        process: Some(process),
        behind,
        container: None,
    }))
}
