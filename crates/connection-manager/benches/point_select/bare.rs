use sqlx::mysql::MySqlConnectOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, MySqlConnection, PgConnection, Row, SqliteConnection};

use crate::Failure;

/// One connection of the driver alone.
pub(crate) enum Bare {
    MySql(MySqlConnection),
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

impl Bare {
    /// Connects to the server behind `url` (a file for SQLite) and makes the database of the benchmark its own.
    pub(crate) async fn connect(engine: &str, url: &str) -> Result<Self, Failure> {
        match engine {
            "sqlite" => {
                let options = SqliteConnectOptions::new()
                    .filename(url)
                    .create_if_missing(true)
                    .journal_mode(sqlx::sqlite::SqliteJournalMode::Wal)
                    .disable_statement_logging();
                Ok(Self::Sqlite(SqliteConnection::connect_with(&options).await?))
            }
            "postgres" => {
                let options: PgConnectOptions = url.parse::<PgConnectOptions>()?.disable_statement_logging();
                Ok(Self::Postgres(PgConnection::connect_with(&options).await?))
            }
            _ => {
                // sqlx knows the scheme `mariadb` as another name of `mysql`.
                let options: MySqlConnectOptions = url.parse::<MySqlConnectOptions>()?.disable_statement_logging();
                let mut connection = MySqlConnection::connect_with(&options).await?;
                connection.execute("CREATE DATABASE IF NOT EXISTS bindery_bench").await?;
                connection.close().await?;
                let options = options.database("bindery_bench");
                Ok(Self::MySql(MySqlConnection::connect_with(&options).await?))
            }
        }
    }

    /// Makes the table with its rows.
    pub(crate) async fn prepare(&mut self, rows: i64) -> Result<(), Failure> {
        let values: Vec<String> = (0..rows).map(|id| format!("({id}, 'The name of row {id}')")).collect();
        let insert = format!("INSERT INTO bindery_bench (id, name) VALUES {}", values.join(", "));
        for statement in [
            "DROP TABLE IF EXISTS bindery_bench",
            "CREATE TABLE bindery_bench (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(200) NOT NULL)",
            &insert,
        ] {
            let statement = AssertSqlSafe(statement.to_owned());
            match self {
                Self::MySql(connection) => drop(connection.execute(statement).await?),
                Self::Postgres(connection) => drop(connection.execute(statement).await?),
                Self::Sqlite(connection) => drop(connection.execute(statement).await?),
            }
        }
        Ok(())
    }

    /// Selects one row by its key, `calls` times.
    pub(crate) async fn select(&mut self, calls: i64, rows: i64) -> Result<(), Failure> {
        macro_rules! select {
            ($connection:expr, $sql:literal) => {
                for call in 0..calls {
                    let row = sqlx::query($sql).bind(call % rows).fetch_one(&mut *$connection).await?;
                    let id: i64 = row.try_get(0)?;
                    let name: String = row.try_get(1)?;
                    std::hint::black_box((id, name));
                }
            };
        }
        match self {
            Self::MySql(connection) => select!(connection, "SELECT `id`, `name` FROM `bindery_bench` WHERE `id` = ?"),
            Self::Postgres(connection) => {
                select!(connection, r#"SELECT "id", "name" FROM "bindery_bench" WHERE "id" = $1"#)
            }
            Self::Sqlite(connection) => {
                select!(connection, r#"SELECT "id", "name" FROM "bindery_bench" WHERE "id" = ?"#)
            }
        }
        Ok(())
    }
}
