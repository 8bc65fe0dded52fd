use std::fmt;
use std::path::PathBuf;

use connection_manager::settings::InvalidUrl;
use connection_manager::{ConnectionSettings, PoolSettings, TlsMode};
use shared_kernel::database::{Dialect, Engine};

/// The engines that tests run on, each the real thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Server {
    /// MySQL.
    MySql,
    /// MariaDB.
    MariaDb,
    /// PostgreSQL.
    Postgres,
    /// SQLite, a file in a folder of its own.
    Sqlite,
    /// SQL Server, or another engine that speaks T-SQL.
    SqlServer,
}

impl Server {
    /// Every engine, in the order in which tables of this project list them.
    pub const ALL: [Self; 5] = [Self::MySql, Self::MariaDb, Self::Postgres, Self::Sqlite, Self::SqlServer];

    /// The word that test paths and summaries use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MySql => "mysql",
            Self::MariaDb => "mariadb",
            Self::Postgres => "postgres",
            Self::Sqlite => "sqlite",
            Self::SqlServer => "sqlserver",
        }
    }

    /// What connection settings call it.
    pub const fn engine(self) -> Engine {
        match self {
            Self::MySql => Engine::MYSQL,
            Self::MariaDb => Engine::MARIADB,
            Self::Postgres => Engine::POSTGRES,
            Self::Sqlite => Engine::SQLITE,
            Self::SqlServer => Engine::SQLSERVER,
        }
    }

    /// The dialect it understands.
    pub const fn dialect(self) -> Dialect {
        match self {
            Self::MySql | Self::MariaDb => Dialect::MySql,
            Self::Postgres => Dialect::Postgres,
            Self::Sqlite => Dialect::Sqlite,
            Self::SqlServer => Dialect::SqlServer,
        }
    }

    /// Whether it is a server on the network, with logins and TLS.
    pub const fn is_networked(self) -> bool {
        !matches!(self, Self::Sqlite)
    }

    /// The environment variable that holds the administrator's URL. SQLite has none and needs none.
    pub const fn variable(self) -> Option<&'static str> {
        match self {
            Self::MySql => Some("BINDERY_TEST_MYSQL_URL"),
            Self::MariaDb => Some("BINDERY_TEST_MARIADB_URL"),
            Self::Postgres => Some("BINDERY_TEST_POSTGRES_URL"),
            Self::Sqlite => None,
            Self::SqlServer => Some("BINDERY_TEST_SQLSERVER_URL"),
        }
    }

    /// Settings of the administrator, without a database of the test's own.
    ///
    /// # Panics
    /// When the environment names no server: a test that cannot run fails, it is not passed over.
    pub fn admin(self) -> ConnectionSettings {
        let Some(variable) = self.variable() else { return ConnectionSettings::sqlite(":memory:") };
        let Some(url) = environment(variable) else {
            panic!("{variable} is not set, so there is no {self} to test on; run it through `cargo xtask test`");
        };
        match self.settings_at(&url) {
            Ok(settings) => settings,
            Err(error) => panic!("{variable} holds no connection URL: {error}"),
        }
    }

    /// Settings of the administrator whom a URL names.
    pub(crate) fn settings_at(self, url: &str) -> Result<ConnectionSettings, InvalidUrl> {
        let mut settings = ConnectionSettings::from_url(url)?;
        // The scheme says which wire protocol; the variable says which product.
        settings.engine = self.engine();
        // Tests run side by side, and each has connections of its own.
        settings.pool = PoolSettings::sized(0, 8);
        // MySQL's usual login sends the password itself when the server has not seen it lately, and so wants TLS.
        if self == Self::MySql && !url.contains("tls=") {
            settings.tls.mode = TlsMode::Required;
        }
        Ok(settings)
    }

    /// The PEM file of the authority that signed the server's certificate, which is valid for `localhost` and
    /// `127.0.0.1`. A SQL Server that `cargo xtask test` did not start may name its own (`BINDERY_TEST_SQLSERVER_CA`).
    ///
    /// # Panics
    /// When the environment does not name it.
    pub fn certificate_authority(self) -> PathBuf {
        let own = (self == Self::SqlServer).then(|| environment("BINDERY_TEST_SQLSERVER_CA")).flatten();
        match own.or_else(|| environment("BINDERY_TEST_CA")) {
            Some(path) => path.into(),
            None => panic!("BINDERY_TEST_CA is not set; run it through `cargo xtask test`"),
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "`cargo xtask test` tells tests through the environment where the servers are"
)]
pub(crate) fn environment(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|value| !value.is_empty())
}
