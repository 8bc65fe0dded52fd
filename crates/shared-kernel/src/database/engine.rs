use std::borrow::Cow;
use std::fmt;

/// Which product answers behind a connection. Open, because connectors can be registered from outside the workspace.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Engine(Cow<'static, str>);

impl Engine {
    /// MySQL 8 and later.
    pub const MYSQL: Self = Self::new("mysql");
    /// MariaDB.
    pub const MARIADB: Self = Self::new("mariadb");
    /// PostgreSQL.
    pub const POSTGRES: Self = Self::new("postgres");
    /// SQLite, embedded.
    pub const SQLITE: Self = Self::new("sqlite");
    /// Microsoft SQL Server.
    pub const SQLSERVER: Self = Self::new("sqlserver");
    /// Redis 7 and later.
    pub const REDIS: Self = Self::new("redis");
    /// Amazon DynamoDB.
    pub const DYNAMODB: Self = Self::new("dynamodb");
    /// MongoDB 4.4 and later.
    pub const MONGODB: Self = Self::new("mongodb");

    /// An engine by its lower-case name.
    pub const fn new(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// The lower-case name, as configuration writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for Engine {
    fn from(name: String) -> Self {
        Self(Cow::Owned(name))
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
