//! A server's programs: installed on this machine, or unpacked from packages.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::place::Home;
use super::{Service, Source, dynamodb, mongodb};
use crate::debian::{self, Release, Unpacked};
use crate::python::Python;
use crate::{process, settings};

/// Folders that hold servers and are seldom on a person's search path.
const SERVER_FOLDERS: [&str; 7] = [
    "/usr/sbin",
    "/usr/local/sbin",
    "/usr/libexec",
    "/usr/local/mysql/bin",
    "/usr/local/opt/mysql/bin",
    "/opt/homebrew/bin",
    "/opt/homebrew/opt/mysql/bin",
];

/// The programs of one server.
pub(crate) struct Programs {
    unpacked: Option<Unpacked>,
    /// Where they come from, when neither the packages nor the path tell it.
    name: Option<String>,
    /// The server's own program, named as if it were installed.
    pub(super) server: PathBuf,
    /// What it says its version is.
    pub(super) version: String,
}

impl Programs {
    /// Starts the server's program.
    pub(super) fn server(&self) -> Command {
        self.command(&self.server)
    }

    /// Starts a program that lies beside the server's.
    pub(super) fn sibling(&self, name: &str) -> Command {
        self.command(&self.server.with_file_name(name))
    }

    /// The folder below which the server's files lie (`…/usr`), when they are not where it was built to look for them.
    pub(super) fn relocated(&self) -> Option<PathBuf> {
        self.unpacked.as_ref().map(|unpacked| unpacked.path("/usr"))
    }

    /// The same folder, wherever it is: two above the program.
    pub(super) fn prefix(&self) -> PathBuf {
        self.relocated().unwrap_or_else(|| {
            let real = self.server.canonicalize().unwrap_or_else(|_| self.server.clone());
            real.ancestors().nth(2).unwrap_or(Path::new("/usr")).to_owned()
        })
    }

    /// Where they come from, in a few words.
    pub(super) fn origin(&self) -> String {
        if let Some(name) = &self.name {
            return name.clone();
        }
        match &self.unpacked {
            Some(unpacked) => unpacked
                .packages
                .iter()
                .find(|package| package.contains("server") || package.starts_with("postgresql-"))
                .cloned()
                .unwrap_or_default(),
            None => self.server.display().to_string(),
        }
    }

    fn command(&self, program: &Path) -> Command {
        match &self.unpacked {
            Some(unpacked) => unpacked.command(&program.to_string_lossy()),
            None => Command::new(program),
        }
    }

    fn try_new(unpacked: Option<Unpacked>, server: PathBuf) -> Result<Self> {
        let mut programs = Self { unpacked, name: None, server, version: String::new() };
        // MySQL's and MariaDB's servers read their configuration before they say their version.
        let text = process::capture(programs.server().arg("--version"))
            .with_context(|| format!("asking {} for its version", programs.server.display()))?;
        let text = text.trim();
        let text = text.strip_prefix("postgres (PostgreSQL) ").unwrap_or(text);
        let redis = text.strip_prefix("Redis server v=").and_then(|rest| rest.split(' ').next());
        redis.unwrap_or(text).clone_into(&mut programs.version);
        Ok(programs)
    }

    /// Dynoxide, built below `folder`.
    fn of_crate(folder: &Path, say: &dyn Fn(&str)) -> Result<Self> {
        let server = dynamodb::program(folder, say)?;
        Ok(Self { unpacked: None, name: None, server, version: dynamodb::VERSION.to_owned() })
    }

    /// moto's server among the Python tools, which are pinned.
    fn of_python(python: &Python) -> Result<Self> {
        let script = "from importlib.metadata import version; print(version('moto'))";
        let version = process::capture(Command::new(python.interpreter()).args(["-c", script]))
            .context("asking for moto's version")?;
        let server = python.interpreter().with_file_name("moto_server");
        Ok(Self { unpacked: None, name: None, server, version: version.trim().to_owned() })
    }

    /// A server that starts like an installed one; `version` words what it says its version is.
    pub(super) fn of_tree(server: PathBuf, name: String, version: impl Fn(&str) -> String) -> Result<Self> {
        let programs = Self::try_new(None, server)?;
        let version = version(programs.version.split(' ').next().unwrap_or_default());
        Ok(Self { name: Some(name), version, ..programs })
    }
}

/// What an installed server says its version is.
pub(crate) fn installed_version(service: Service) -> Option<String> {
    installed(service).map(|programs| programs.version)
}

/// The programs of a server from a source; `None` when the source does not have them.
pub(super) fn find(service: Service, source: Source, home: &Home, say: &dyn Fn(&str)) -> Result<Option<Programs>> {
    match source {
        // Whatever version a machine has, the pinned one is wanted.
        Source::Installed if matches!(service, Service::Moto | Service::Dynamodb | Service::Mongodb) => Ok(None),
        Source::Installed => Ok(installed(service)),
        Source::Packages => unpacked(service, home, say).map(Some),
        Source::Url | Source::Container | Source::Fallback => Ok(None),
    }
}

fn installed(service: Service) -> Option<Programs> {
    candidates(service)
        .into_iter()
        .filter(|path| path.is_file())
        .filter_map(|path| Programs::try_new(None, path).ok())
        .find(|programs| is_right(service, &programs.version))
}

fn candidates(service: Service) -> Vec<PathBuf> {
    let mut folders = settings::search_path();
    folders.extend(SERVER_FOLDERS.map(PathBuf::from));
    match service {
        Service::Mysql => folders.iter().map(|folder| folder.join("mysqld")).collect(),
        Service::Mariadb => {
            folders.iter().flat_map(|folder| [folder.join("mariadbd"), folder.join("mysqld")]).collect()
        }
        Service::Redis => folders.iter().map(|folder| folder.join("redis-server")).collect(),
        Service::Moto | Service::Dynamodb | Service::Mongodb => Vec::new(),
        Service::Postgres => {
            // Debian keeps its versions apart, the highest is wanted, and what lies on the search path are links.
            let mut found = postgres_folders(Path::new("/usr/lib/postgresql"));
            found.extend(folders);
            found
                .iter()
                .map(|folder| folder.join("postgres"))
                .filter_map(|path| path.canonicalize().ok())
                .filter(|path| path.with_file_name("initdb").is_file())
                .collect()
        }
    }
}

/// `<folder>/<version>/bin`, highest version first.
fn postgres_folders(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut versions: Vec<u32> =
        entries.flatten().filter_map(|entry| entry.file_name().to_string_lossy().parse().ok()).collect();
    versions.sort_unstable_by(|left, right| right.cmp(left));
    versions.iter().map(|version| folder.join(version.to_string()).join("bin")).collect()
}

/// Whether the program is the product we want, and recent enough for the tests.
fn is_right(service: Service, version: &str) -> bool {
    let is_mariadb = version.contains("MariaDB");
    match service {
        Service::Mysql => !is_mariadb && major_version(version).is_some_and(|major| major >= 8),
        Service::Mariadb => is_mariadb && major_version(version).is_some_and(|major| major >= 10),
        Service::Postgres => major_version(version).is_some_and(|major| major >= 13),
        Service::Redis => major_version(version).is_some_and(|major| major >= 7),
        Service::Moto | Service::Dynamodb | Service::Mongodb => true,
    }
}

/// The first number of the first word that begins like a version.
fn major_version(text: &str) -> Option<u32> {
    text.split_whitespace().filter(|word| word.contains('.')).find_map(|word| word.split('.').next()?.parse().ok())
}

fn unpacked(service: Service, home: &Home, say: &dyn Fn(&str)) -> Result<Programs> {
    let folder = home.packages(service.word());
    match service {
        Service::Mysql => {
            let unpacked = debian::provide(Release::Unstable, &["mysql-server-core"], &folder, say)?;
            Programs::try_new(Some(unpacked), "/usr/sbin/mysqld".into())
        }
        Service::Mariadb => {
            let unpacked = debian::provide(Release::Own, &["mariadb-server-core"], &folder, say)?;
            Programs::try_new(Some(unpacked), "/usr/sbin/mariadbd".into())
        }
        Service::Redis => {
            let unpacked = debian::provide(Release::Own, &["redis-server"], &folder, say)?;
            Programs::try_new(Some(unpacked), "/usr/bin/redis-server".into())
        }
        Service::Moto => Programs::of_python(&Python::provide(say)?),
        Service::Dynamodb => Programs::of_crate(&folder, say),
        Service::Mongodb => mongodb::programs(home, say),
        Service::Postgres => {
            let unpacked = debian::provide(Release::Own, &["postgresql"], &folder, say)?;
            let versions = postgres_folders(&unpacked.path("/usr/lib/postgresql"));
            let folder = versions.first().context("the packages hold no PostgreSQL server")?;
            let folder = Path::new("/").join(folder.strip_prefix(&unpacked.root)?);
            Programs::try_new(Some(unpacked), folder.join("postgres"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MYSQL: &str = "/usr/sbin/mysqld  Ver 9.7.4-2 for Linux on x86_64 ((Debian))";
    const OLD_MYSQL: &str = "mysqld  Ver 5.7.44 for Linux on x86_64 (MySQL Community Server (GPL))";
    const MARIADB: &str = "mariadbd  Ver 10.11.19-MariaDB-0+deb12u1 for debian-linux-gnu on x86_64 (Debian 12)";
    const POSTGRES: &str = "15.18 (Debian 15.18-0+deb12u1)";

    #[test]
    fn mariadb_under_the_name_of_mysqld_is_not_taken_for_mysql() {
        assert!(is_right(Service::Mysql, MYSQL));
        assert!(!is_right(Service::Mysql, MARIADB));
        assert!(is_right(Service::Mariadb, MARIADB));
        assert!(!is_right(Service::Mariadb, MYSQL));
        assert!(is_right(Service::Postgres, POSTGRES));
    }

    #[test]
    fn an_old_version_is_as_good_as_none() {
        assert!(!is_right(Service::Mysql, OLD_MYSQL));
        assert!(!is_right(Service::Postgres, "9.6.24"));
        assert!(!is_right(Service::Postgres, "something else"));
        assert!(!is_right(Service::Redis, "6.2.14"));
        assert!(is_right(Service::Redis, "7.0.15"));
    }

    #[test]
    fn the_highest_version_of_postgres_comes_first() {
        let folder = tempfile::tempdir().unwrap();
        for version in ["9", "15", "17", "share"] {
            std::fs::create_dir(folder.path().join(version)).unwrap();
        }
        let found = postgres_folders(folder.path());
        assert_eq!(found[0], folder.path().join("17/bin"));
        assert_eq!(found.len(), 3);
    }
}
