//! The engines that tests run on, and how a test's path tells which one it is.

use std::fmt;

use clap::ValueEnum;

use crate::services::Service;

/// An engine in the sense of the summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum)]
pub(crate) enum Engine {
    /// MySQL 8 or later
    Mysql,
    /// MariaDB
    Mariadb,
    /// PostgreSQL
    Postgres,
    /// SQLite, embedded
    Sqlite,
    /// The scriptable TDS server: SQL Server's protocol and its faults
    Tds,
    /// A real T-SQL engine: SQL Server's semantics
    Sqlserver,
    /// Redis 7 or later
    Redis,
    /// AWS as moto plays it
    Moto,
    /// DynamoDB as Dynoxide plays it
    Dynamodb,
    /// MongoDB, or the DocumentDB engine behind its wire protocol
    Mongodb,
}

impl Engine {
    /// All of them, in the order in which they are listed.
    pub(crate) const ALL: [Self; 10] = [
        Self::Mysql,
        Self::Mariadb,
        Self::Postgres,
        Self::Sqlite,
        Self::Tds,
        Self::Sqlserver,
        Self::Redis,
        Self::Moto,
        Self::Dynamodb,
        Self::Mongodb,
    ];

    /// Those whose servers are provided wherever tests run: a run of all tests on which none of them ran has a hole.
    pub(crate) const PROVIDED: [Self; 9] = [
        Self::Mysql,
        Self::Mariadb,
        Self::Postgres,
        Self::Sqlite,
        Self::Tds,
        Self::Redis,
        Self::Moto,
        Self::Dynamodb,
        Self::Mongodb,
    ];

    /// The segment in a test's path.
    pub(crate) fn segment(self) -> &'static str {
        match self {
            Self::Mysql => "mysql",
            Self::Mariadb => "mariadb",
            Self::Postgres => "postgres",
            Self::Sqlite => "sqlite",
            Self::Tds => "tds",
            Self::Sqlserver => "sqlserver",
            Self::Redis => "redis",
            Self::Moto => "moto",
            Self::Dynamodb => "dynamodb",
            Self::Mongodb => "mongodb",
        }
    }

    /// The server that must run for it, when it is one that we provide.
    pub(crate) fn service(self) -> Option<Service> {
        match self {
            Self::Mysql => Some(Service::Mysql),
            Self::Mariadb => Some(Service::Mariadb),
            Self::Postgres => Some(Service::Postgres),
            Self::Redis => Some(Service::Redis),
            Self::Moto => Some(Service::Moto),
            Self::Dynamodb => Some(Service::Dynamodb),
            Self::Mongodb => Some(Service::Mongodb),
            Self::Sqlite | Self::Tds | Self::Sqlserver => None,
        }
    }

    /// Whether a test with this path runs on the engine. Unit tests may lie in modules named after an engine without
    /// needing it: of those, only what stands below `on_engines` counts.
    pub(crate) fn runs(self, integration: bool, path: &str) -> bool {
        let mut segments = path.split("::");
        if !integration && !segments.any(|segment| segment == "on_engines") {
            return false;
        }
        segments.any(|segment| segment == self.segment())
    }

    /// The tests on this engine, in nextest's language.
    pub(crate) fn filter(self) -> String {
        let segment = self.segment();
        format!("((kind(test) & test(/(^|::){segment}(::|$)/)) | test(/(^|::)on_engines(::.*)?::{segment}(::|$)/))")
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Mysql => "MySQL",
            Self::Mariadb => "MariaDB",
            Self::Postgres => "PostgreSQL",
            Self::Sqlite => "SQLite",
            Self::Tds => "TDS server",
            Self::Sqlserver => "SQL Server",
            Self::Redis => "Redis",
            Self::Moto => "AWS (moto)",
            Self::Dynamodb => "DynamoDB",
            Self::Mongodb => "MongoDB",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(integration: bool, path: &str, expected: &[Engine]) {
        let found: Vec<Engine> = Engine::ALL.into_iter().filter(|engine| engine.runs(integration, path)).collect();
        assert_eq!(found, expected, "{path}");
    }

    #[test]
    fn a_test_runs_on_the_engine_that_its_path_names() {
        check(true, "users::on_engines::mysql::a_name_is_kept", &[Engine::Mysql]);
        check(true, "contract::tds::a_wrong_password_is_refused", &[Engine::Tds]);
        check(true, "users::mysql_is_no_segment::x", &[]);
        check(true, "postgres::x", &[Engine::Postgres]);
        check(true, "redis::acl::a_user_may_not_do_everything", &[Engine::Redis]);
        check(true, "secrets::moto::a_version_is_found", &[Engine::Moto]);
        check(true, "contract::on_engines::dynamodb::a_value_is_kept", &[Engine::Dynamodb]);
        check(false, "mongodb_bridge::tests::on_engines::mongodb::a_page_follows", &[Engine::Mongodb]);
    }

    #[test]
    fn only_what_a_person_has_to_name_may_go_without_a_test() {
        let left_out: Vec<Engine> =
            Engine::ALL.into_iter().filter(|engine| !Engine::PROVIDED.contains(engine)).collect();
        assert_eq!(left_out, [Engine::Sqlserver]);
    }

    #[test]
    fn a_unit_test_in_a_module_named_after_an_engine_needs_no_server() {
        check(false, "render::sqlserver::tests::a_bracket_is_doubled", &[]);
        check(false, "on_engines::sqlite::x", &[Engine::Sqlite]);
    }
}
