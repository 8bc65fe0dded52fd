//! What the server is and what the user may do there.

#[cfg(feature = "dynamodb")]
mod dynamodb;
#[cfg(feature = "mongodb")]
mod mongodb;
#[cfg(feature = "redis")]
mod redis;

use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseConnection, DatabaseError, Dialect, RawStatement, Row};

use super::Finding;

/// One row of numbers: `replica` and `read_only` of the server, `superuser`, `tables`, `readable` and `writable` of the user
/// in this database, and whether the user `creates` tables. NULL where it cannot be told. A session that is read-only because
/// its client asked for that says nothing of the server.
const POSTGRES: &str = "SELECT pg_is_in_recovery()::int::bigint AS replica, \
    (SELECT (setting = 'on' AND source <> 'client')::int::bigint FROM pg_settings \
    WHERE name = 'default_transaction_read_only') AS read_only, \
    (SELECT rolsuper::int::bigint FROM pg_roles WHERE rolname = current_user) AS superuser, \
    count(*)::bigint AS tables, \
    (count(*) FILTER (WHERE has_table_privilege(c.oid, 'SELECT')))::bigint AS readable, \
    (count(*) FILTER (WHERE has_table_privilege(c.oid, 'INSERT')))::bigint AS writable, \
    coalesce(has_schema_privilege(current_schema(), 'CREATE'), false)::int::bigint AS creates \
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relkind IN ('r', 'p') AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg!_%' ESCAPE '!'";

/// Tables without any right to them are not shown, so that all that are shown count as readable.
const MYSQL: &str = "SELECT CAST(NULL AS SIGNED) AS replica, CAST(@@global.read_only AS SIGNED) AS read_only, \
    CAST(SUM(p.kind = 'SUPER') > 0 AS SIGNED) AS superuser, \
    CAST((SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()) AS SIGNED) AS tables, \
    CAST((SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()) AS SIGNED) AS readable, \
    CAST(SUM(p.kind = 'INSERT') AS SIGNED) AS writable, CAST(SUM(p.kind = 'CREATE') > 0 AS SIGNED) AS creates \
    FROM (SELECT grantee, privilege_type AS kind FROM information_schema.user_privileges \
    UNION ALL SELECT grantee, privilege_type FROM information_schema.schema_privileges \
    WHERE DATABASE() LIKE table_schema \
    UNION ALL SELECT grantee, privilege_type FROM information_schema.table_privileges \
    WHERE table_schema = DATABASE()) AS p \
    WHERE p.grantee = CONCAT('''', REPLACE(CURRENT_USER(), '@', '''@'''), '''')";

const SQLITE: &str = "SELECT 0 AS replica, (SELECT query_only FROM temp.pragma_query_only) AS read_only, \
    NULL AS superuser, COUNT(*) AS tables, COUNT(*) AS readable, COUNT(*) AS writable, 1 AS creates \
    FROM main.sqlite_schema WHERE type = 'table'";

const SQL_SERVER: &str = "SELECT CAST(NULL AS BIGINT) AS replica, \
    CAST(CASE WHEN DATABASEPROPERTYEX(DB_NAME(), 'Updateability') = 'READ_ONLY' THEN 1 ELSE 0 END AS BIGINT) AS read_only, \
    CAST(IS_SRVROLEMEMBER('sysadmin') AS BIGINT) AS superuser, CAST(COUNT(*) AS BIGINT) AS tables, \
    CAST(SUM(HAS_PERMS_BY_NAME(QUOTENAME(SCHEMA_NAME(t.schema_id)) + '.' + QUOTENAME(t.name), 'OBJECT', 'SELECT')) AS BIGINT) \
    AS readable, \
    CAST(SUM(HAS_PERMS_BY_NAME(QUOTENAME(SCHEMA_NAME(t.schema_id)) + '.' + QUOTENAME(t.name), 'OBJECT', 'INSERT')) AS BIGINT) \
    AS writable, \
    CAST(HAS_PERMS_BY_NAME(DB_NAME(), 'DATABASE', 'CREATE TABLE') AS BIGINT) AS creates FROM sys.tables AS t";

/// What was found, in words.
pub(super) struct Found {
    /// The server's part.
    pub(super) role: String,
    /// What the user may do; an error when that is nothing at all.
    pub(super) privileges: Result<String, String>,
    /// The same in parts.
    pub(super) finding: Finding,
}

/// Asks; `None` where the engine has no such notions, or does not tell.
pub(super) async fn ask(
    connection: &dyn DatabaseConnection,
    context: &RequestContext,
) -> Result<Option<Found>, DatabaseError> {
    #[cfg(feature = "dynamodb")]
    if let Some(connection) = connection.native_as() {
        return dynamodb::ask(connection, context).await.map(Some);
    }
    #[cfg(feature = "mongodb")]
    if let Some(connection) = connection.native_as() {
        // Boxed, because what it goes through is deep.
        return Box::pin(mongodb::ask(connection, context)).await.map(Some);
    }
    #[cfg(feature = "redis")]
    if let Some(connection) = connection.native_as() {
        return redis::ask(connection, context).await.map(Some);
    }
    let rights = Rights::ask(connection, context).await?;
    Ok(rights.map(|rights| Found { role: rights.role(), privileges: rights.privileges(), finding: rights.finding() }))
}

/// What a server says of itself and of the user.
struct Rights {
    replica: Option<bool>,
    read_only: Option<bool>,
    superuser: Option<bool>,
    tables: i64,
    readable: i64,
    writable: i64,
    creates: bool,
}

impl Rights {
    async fn ask(connection: &dyn DatabaseConnection, context: &RequestContext) -> Result<Option<Self>, DatabaseError> {
        let Ok(sql) = connection.sql() else { return Ok(None) };
        let question = RawStatement::per_dialect("SELECT")
            .text(Dialect::Postgres, POSTGRES)
            .text(Dialect::MySql, MYSQL)
            .text(Dialect::Sqlite, SQLITE)
            .text(Dialect::SqlServer, SQL_SERVER);
        let row = sql.query_one(&question.into(), context).await?;
        row.as_ref().map(Self::read).transpose()
    }

    fn read(row: &Row) -> Result<Self, DatabaseError> {
        let number = |name| row.get::<Option<i64>>(name);
        let is = |name| number(name).map(|number| number.map(|number| number != 0));
        let count = |name| number(name).map(Option::unwrap_or_default);
        Ok(Self {
            replica: is("replica")?,
            read_only: is("read_only")?,
            superuser: is("superuser")?,
            tables: count("tables")?,
            readable: count("readable")?,
            writable: count("writable")?,
            creates: is("creates")?.unwrap_or_default(),
        })
    }

    /// The server's part.
    fn role(&self) -> String {
        let role = match self.replica {
            Some(true) => "a replica",
            Some(false) => "a primary",
            None => "primary or replica, the server does not say",
        };
        let mode = match self.read_only {
            Some(true) => "read only",
            Some(false) => "takes writes",
            None => "may take writes",
        };
        format!("{role}, {mode}")
    }

    fn finding(&self) -> Finding {
        Finding::Privileges {
            // An empty database has nothing that could be read; that it was told is what was read of the catalog.
            reads: Some(self.readable > 0 || (self.tables == 0 && !self.is_nothing())),
            writes: Some(self.writable > 0 || self.creates),
            superuser: self.superuser,
        }
    }

    /// Whether the user may do nothing, as far as can be seen.
    fn is_nothing(&self) -> bool {
        self.readable == 0 && self.writable == 0 && !self.creates
    }

    /// What the user may do, and whether that is nothing at all.
    fn privileges(&self) -> Result<String, String> {
        let Self { tables, readable, writable, .. } = self;
        let superuser = if self.superuser == Some(true) { "; a superuser, which a service should not be" } else { "" };
        let creates = if self.creates { ", may create more" } else { ", may create none" };
        let text =
            format!("reads {readable} of {tables} tables, writes to {}{creates}{superuser}", writable.min(tables));
        if self.is_nothing() { Err(text) } else { Ok(text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_question_to_sql_server_is_t_sql() {
        let dialect = sqlparser::dialect::MsSqlDialect {};
        sqlparser::parser::Parser::parse_sql(&dialect, SQL_SERVER).unwrap();
    }

    fn rights(tables: i64, readable: i64, creates: bool) -> Rights {
        let said = Some(false);
        Rights { replica: said, read_only: said, superuser: said, tables, readable, writable: 0, creates }
    }

    #[test]
    fn nothing_at_all_is_a_fault_and_an_empty_database_is_none() {
        assert!(rights(2, 0, false).privileges().is_err());
        assert!(rights(0, 0, true).privileges().is_ok());
        assert!(rights(2, 2, false).privileges().is_ok());
        assert_eq!(rights(0, 0, true).role(), "a primary, takes writes");
    }
}
