use async_trait::async_trait;
use shared_kernel::RequestContext;
use shared_kernel::database::{Catalog, DatabaseError, Dialect, MOST_NAMES, RawStatement, SqlExecutor as _};

use super::SqlPool;
use crate::pool::Driver;

const POSTGRES: &str = "SELECT datname::text AS name FROM pg_database \
    WHERE datallowconn AND NOT datistemplate AND has_database_privilege(oid, 'CONNECT') ORDER BY datname LIMIT 1001";

/// Those in which the user has no right at all are not shown.
const MYSQL: &str =
    "SELECT CAST(schema_name AS CHAR(64)) AS name FROM information_schema.schemata ORDER BY 1 LIMIT 1001";

/// A view of the file's that is called so would be asked in the place of the pragma, but not in `temp`.
const SQLITE: &str = "SELECT name FROM temp.pragma_database_list ORDER BY name LIMIT 1001";

const SQL_SERVER: &str = "SELECT TOP (1001) name FROM sys.databases WHERE HAS_DBACCESS(name) = 1 ORDER BY name";

#[async_trait]
impl<D: Driver> Catalog for SqlPool<D> {
    async fn databases(&self, limit: usize, context: &RequestContext) -> Result<Vec<String>, DatabaseError> {
        let question = RawStatement::per_dialect("SELECT")
            .text(Dialect::Postgres, POSTGRES)
            .text(Dialect::MySql, MYSQL)
            .text(Dialect::Sqlite, SQLITE)
            .text(Dialect::SqlServer, SQL_SERVER);
        let rows = self.query(&question.into(), context).await?;
        rows.iter().take(limit.min(MOST_NAMES)).map(|row| row.get("name")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_question_has_more_answers_than_are_told() {
        let most = MOST_NAMES.to_string();
        for question in [POSTGRES, MYSQL, SQLITE, SQL_SERVER] {
            assert!(question.contains(&most), "{question}");
        }
    }
}
