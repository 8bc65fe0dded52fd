use std::fmt;
use std::str::FromStr;

/// A family of engines that understand the same SQL text.
///
/// MariaDB speaks [`Dialect::MySql`]; Babelfish speaks [`Dialect::SqlServer`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dialect {
    /// MySQL 8.0.31 and later, MariaDB 10.6 and later: what both of them have.
    MySql,
    /// PostgreSQL 14 and later.
    Postgres,
    /// SQLite 3.39 and later.
    Sqlite,
    /// Transact-SQL as SQL Server 2019 and later speak it.
    SqlServer,
}

impl Dialect {
    /// Every dialect, in the order in which tables of this project list them.
    pub const ALL: [Self; 4] = [Self::MySql, Self::Postgres, Self::Sqlite, Self::SqlServer];

    /// The lower-case name that files and configuration use: `mysql`, `postgres`, `sqlite`, `sqlserver`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MySql => "mysql",
            Self::Postgres => "postgres",
            Self::Sqlite => "sqlite",
            Self::SqlServer => "sqlserver",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that is none of the four in [`Dialect::as_str`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown SQL dialect `{0}`, expected one of mysql, postgres, sqlite, sqlserver")]
pub struct UnknownDialect(String);

impl FromStr for Dialect {
    type Err = UnknownDialect;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|dialect| dialect.as_str() == name).ok_or_else(|| UnknownDialect(name.to_owned()))
    }
}
