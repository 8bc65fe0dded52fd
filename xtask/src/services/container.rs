//! The official images, when a container engine runs on this machine.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::place::Home;
use super::state::Running;
use super::{Service, Source, place, probe, redis};
use crate::certificates::{Certificates, random_password};
use crate::{interrupt, process, settings};

/// How long an image may take to be fetched and to start.
const LIMIT: Duration = Duration::from_mins(5);

/// A container that we started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Id {
    engine: PathBuf,
    name: String,
}

impl Id {
    pub(crate) fn alive(&self) -> bool {
        let mut command = Command::new(&self.engine);
        command.args(["inspect", "--format", "{{.State.Running}}", &self.name]);
        process::capture(&mut command).is_ok_and(|text| text.trim() == "true")
    }

    /// Stops it and leaves nothing of it.
    pub(crate) fn remove(&self) -> Result<()> {
        process::capture(Command::new(&self.engine).args(["rm", "--force", "--volumes", &self.name])).map(|_| ())
    }

    /// The command that shows its last lines.
    pub(crate) fn logs(&self, lines: usize) -> Command {
        let mut command = Command::new(&self.engine);
        command.args(["logs", "--tail", &lines.to_string(), &self.name]);
        command
    }

    fn last_words(&self) -> String {
        let output = process::output(&mut self.logs(4));
        output
            .map_or_else(|error| error.to_string(), |output| String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}

/// A container engine that really runs: the client alone is not enough.
pub(crate) fn engine() -> Option<PathBuf> {
    ["docker", "podman"]
        .into_iter()
        .filter_map(settings::program)
        .find(|engine| process::output(Command::new(engine).arg("info")).is_ok_and(|output| output.status.success()))
}

/// Starts a service's official image. `None` without a container engine.
/// moto comes from `PyPI` alone and Dynoxide from crates.io, so that their versions are the pinned ones.
pub(super) fn start(
    service: Service,
    home: &Home,
    certificates: &Certificates,
    say: &dyn Fn(&str),
) -> Result<Option<Running>> {
    let Some(image) = Image::of(service) else { return Ok(None) };
    let Some(engine) = engine() else { return Ok(None) };
    let (port, tls_port) = place::free_ports()?;
    let password = random_password()?;
    let id = Id { engine, name: format!("bindery-{}-{port}", service.word()) };
    process::capture(&mut image.command(&id, (port, tls_port), &password, certificates)?)
        .with_context(|| format!("starting the image {}", image.name))?;
    match wait_for_answer(service, &id, port) {
        Ok(answer) => Ok(Some(Running {
            service,
            source: Source::Container,
            detail: image.name.to_owned(),
            version: answer.version.unwrap_or_else(|| image.name.to_owned()),
            port,
            url: service.url(port, &password),
            further: match service {
                Service::Redis => redis::variables(None, tls_port, &password, home)?
                    .into_iter()
                    .chain(redis::programs(home, say))
                    .collect(),
                _ => Vec::new(),
            },
            log: None,
            process: None,
            behind: None,
            container: Some(id),
        })),
        Err(error) => {
            id.remove().ok();
            Err(error)
        }
    }
}

fn wait_for_answer(service: Service, id: &Id, port: u16) -> Result<probe::Answer> {
    let end = Instant::now() + LIMIT;
    loop {
        interrupt::check()?;
        let error = match probe::ask(service, "127.0.0.1", port, Duration::from_secs(2)) {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        if Instant::now() > end || !id.alive() {
            bail!("the container does not answer ({error:#}): {}", id.last_words());
        }
        std::thread::sleep(Duration::from_millis(250));
    }
}

/// What differs from image to image.
struct Image {
    name: &'static str,
    port: u16,
    /// Where it speaks TLS, when that is another port.
    tls_port: Option<u16>,
    /// The user in the image who runs the server and must own the key.
    owner: &'static str,
    variables: &'static [&'static str],
    /// What a shell does before the server starts.
    prepare: &'static str,
    server: &'static str,
}

impl Image {
    fn of(service: Service) -> Option<Self> {
        Some(match service {
            Service::Moto | Service::Dynamodb => return None,
            Service::Mysql => Self {
                name: "mysql:8.4",
                port: 3306,
                tls_port: None,
                owner: "mysql",
                variables: &["MYSQL_ROOT_HOST=%", "MYSQL_ROOT_PASSWORD"],
                prepare: "true",
                server: "mysqld --max-connections=600 --innodb-flush-log-at-trx-commit=0 --disable-log-bin \
                         --ssl-ca=/tmp/tls/ca.pem --ssl-cert=/tmp/tls/server.pem --ssl-key=/tmp/tls/server.key",
            },
            Service::Mariadb => Self {
                name: "mariadb:11.4",
                port: 3306,
                tls_port: None,
                owner: "mysql",
                variables: &["MARIADB_ROOT_HOST=%", "MARIADB_ROOT_PASSWORD"],
                prepare: "true",
                server: "mariadbd --max-connections=600 --innodb-flush-log-at-trx-commit=0 \
                         --ssl-ca=/tmp/tls/ca.pem --ssl-cert=/tmp/tls/server.pem --ssl-key=/tmp/tls/server.key",
            },
            Service::Postgres => Self {
                name: "postgres:17",
                port: 5432,
                tls_port: None,
                owner: "postgres",
                variables: &["POSTGRES_INITDB_ARGS=--locale=C --encoding=UTF8", "POSTGRES_PASSWORD"],
                prepare: "true",
                server: "postgres -c max_connections=600 -c fsync=off -c full_page_writes=off -c ssl=on \
                         -c ssl_ca_file=/tmp/tls/ca.pem -c ssl_cert_file=/tmp/tls/server.pem \
                         -c ssl_key_file=/tmp/tls/server.key",
            },
            Service::Mongodb => Self {
                name: "mongo:8.0",
                port: 27017,
                tls_port: None,
                owner: "mongodb",
                variables: &["MONGO_INITDB_ROOT_USERNAME=admin", "MONGO_INITDB_ROOT_PASSWORD"],
                prepare: "cat /tmp/tls/server.pem /tmp/tls/server.key >/tmp/tls/both.pem",
                // The test command `sleep` keeps a connection busy.
                server: "mongod --setParameter enableTestCommands=1 --tlsMode preferTLS \
                         --tlsCertificateKeyFile /tmp/tls/both.pem --tlsCAFile /tmp/tls/ca.pem \
                         --tlsAllowConnectionsWithoutCertificates",
            },
            Service::Redis => Self {
                name: "redis:7.4",
                port: 6379,
                tls_port: Some(6380),
                owner: "redis",
                variables: &["REDIS_PASSWORD"],
                prepare: "printf 'user default off\\nuser admin on >%s ~* &* +@all\\n' \"$REDIS_PASSWORD\" >/tmp/tls/users.acl",
                server: "redis-server --port 6379 --tls-port 6380 --aclfile /tmp/tls/users.acl --save '' \
                         --tls-ca-cert-file /tmp/tls/ca.pem --tls-cert-file /tmp/tls/server.pem \
                         --tls-key-file /tmp/tls/server.key --tls-auth-clients no --tls-protocols TLSv1.3",
            },
        })
    }

    fn command(
        &self,
        id: &Id,
        (port, tls_port): (u16, u16),
        password: &str,
        certificates: &Certificates,
    ) -> Result<Command> {
        let folder = certificates.authority.parent().context("the certificates lie in no folder")?;
        let mut command = Command::new(&id.engine);
        command.args(["run", "--detach", "--name", &id.name]);
        command.args(["--publish", &format!("127.0.0.1:{port}:{}", self.port)]);
        if let Some(inner) = self.tls_port {
            command.args(["--publish", &format!("127.0.0.1:{tls_port}:{inner}")]);
        }
        command.args(["--volume", &format!("{}:/bindery-tls:ro", folder.display())]);
        for variable in self.variables {
            // A variable without a value takes ours, so that the password is in no list of processes.
            if !variable.contains('=') {
                command.env(variable, password);
            }
            command.args(["--env", variable]);
        }
        // Servers refuse a key that belongs to another user, and the mounted one belongs to the person outside.
        let script = format!(
            "cp -r /bindery-tls /tmp/tls && {} && chown -R {} /tmp/tls && chmod 600 /tmp/tls/server.key && \
             exec docker-entrypoint.sh {}",
            self.prepare, self.owner, self.server
        );
        command.args(["--entrypoint", "sh", self.name, "-c", &script]);
        Ok(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_handed_over_in_the_environment_and_never_as_an_argument() {
        let folder = tempfile::tempdir().unwrap();
        let certificates = Certificates::provide(folder.path()).unwrap();
        let id = Id { engine: "/usr/bin/docker".into(), name: "bindery-mysql-1".into() };
        for image in Service::ALL.into_iter().filter_map(Image::of) {
            let command = image.command(&id, (4000, 4001), "hunter2", &certificates).unwrap();
            assert!(!process::describe(&command).contains("hunter2"));
            assert!(command.get_envs().any(|(_, value)| value == Some("hunter2".as_ref())));
            assert!(process::describe(&command).contains("127.0.0.1:4000:"));
        }
    }
}
