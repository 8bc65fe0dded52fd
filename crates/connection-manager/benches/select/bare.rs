use sqlx::mysql::{MySqlConnectOptions, MySqlSslMode};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::types::Uuid;
use sqlx::types::chrono::{DateTime, NaiveDate, Utc};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, MySqlConnection, PgConnection, Row, SqliteConnection};

use crate::Failure;
use crate::measure::{Load, ROWS};

/// One connection of the driver alone.
pub(crate) enum Bare {
    MySql(MySqlConnection),
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

/// Runs one load on a connection of any driver; a macro, because sqlx's row types share no object-safe trait.
macro_rules! run {
    ($connection:expr, $load:expr, $calls:expr, $point:literal, $rows:literal) => {
        match $load {
            Load::Point | Load::Template => {
                for call in 0..$calls {
                    // Read to its end, as the trait does: `fetch_one` leaves the statement open after the first row, which
                    // on SQLite costs several times the select.
                    let rows = sqlx::query($point).bind(call % ROWS).fetch_all(&mut *$connection).await?;
                    let row = rows.first().ok_or("the row is missing")?;
                    std::hint::black_box((row.try_get::<i64, _>(0)?, row.try_get::<String, _>(1)?));
                }
            }
            Load::Rows => {
                for _ in 0..$calls {
                    for row in sqlx::query($rows).fetch_all(&mut *$connection).await? {
                        std::hint::black_box((
                            row.try_get::<i64, _>("id")?,
                            row.try_get::<String, _>("name")?,
                            row.try_get::<Uuid, _>("uuid")?,
                            row.try_get::<f64, _>("number")?,
                            row.try_get::<NaiveDate, _>("day")?,
                            row.try_get::<DateTime<Utc>, _>("instant")?,
                            row.try_get::<bool, _>("flag")?,
                        ));
                    }
                }
            }
        }
    };
}

impl Bare {
    /// Connects to the server behind `url` (a file for SQLite), with TLS on MySQL alone; on MySQL
    /// and MariaDB it makes a database of its own.
    pub(crate) async fn connect(engine: &str, url: &str) -> Result<Self, Failure> {
        match engine {
            "sqlite" => {
                let options = SqliteConnectOptions::new()
                    .filename(url)
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .disable_statement_logging();
                Ok(Self::Sqlite(SqliteConnection::connect_with(&options).await?))
            }
            "postgres" => {
                let options: PgConnectOptions =
                    url.parse::<PgConnectOptions>()?.ssl_mode(PgSslMode::Disable).disable_statement_logging();
                Ok(Self::Postgres(PgConnection::connect_with(&options).await?))
            }
            _ => {
                // Without TLS, MySQL takes no password that it has not cached.
                let tls = if engine == "mysql" { MySqlSslMode::Required } else { MySqlSslMode::Disabled };
                let options: MySqlConnectOptions =
                    url.parse::<MySqlConnectOptions>()?.ssl_mode(tls).disable_statement_logging();
                let mut connection = MySqlConnection::connect_with(&options).await?;
                connection.execute("CREATE DATABASE IF NOT EXISTS bindery_bench").await?;
                connection.close().await?;
                let options = options.database("bindery_bench");
                Ok(Self::MySql(MySqlConnection::connect_with(&options).await?))
            }
        }
    }

    /// Makes the table with its rows.
    pub(crate) async fn prepare(&mut self) -> Result<(), Failure> {
        let (uuid, instant, flag, bytes, when) = match self {
            Self::MySql(_) => ("BINARY(16)", "DATETIME(6)", "BOOLEAN", "X'", "2026-01-02 03:04:05.678901"),
            Self::Postgres(_) => ("UUID", "TIMESTAMPTZ", "BOOLEAN", "'", "2026-01-02 03:04:05.678901+00"),
            Self::Sqlite(_) => ("BLOB", "TEXT", "BOOLEAN", "X'", "2026-01-02T03:04:05.678901+00:00"),
        };
        let create = format!(
            "CREATE TABLE bindery_bench (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(200) NOT NULL, \
             uuid {uuid} NOT NULL, number DOUBLE PRECISION NOT NULL, day DATE NOT NULL, instant {instant} NOT NULL, \
             flag {flag} NOT NULL)"
        );
        let row = |id| {
            let hex = format!("{id:032x}");
            format!("({id}, 'The name of row {id}', {bytes}{hex}', {id}.5, '2026-01-02', '{when}', TRUE)")
        };
        let rows: Vec<String> = (0..ROWS).map(row).collect();
        let insert = format!("INSERT INTO bindery_bench VALUES {}", rows.join(", "));
        for statement in ["DROP TABLE IF EXISTS bindery_bench".to_owned(), create, insert] {
            let statement = AssertSqlSafe(statement);
            match self {
                Self::MySql(connection) => connection.execute(statement).await?.rows_affected(),
                Self::Postgres(connection) => connection.execute(statement).await?.rows_affected(),
                Self::Sqlite(connection) => connection.execute(statement).await?.rows_affected(),
            };
        }
        Ok(())
    }

    /// What its server answers to a question.
    pub(crate) async fn ask(&mut self, question: &'static str) -> Result<String, Failure> {
        Ok(match self {
            Self::MySql(connection) => sqlx::query_scalar(question).fetch_one(connection).await?,
            Self::Postgres(connection) => sqlx::query_scalar(question).fetch_one(connection).await?,
            Self::Sqlite(connection) => sqlx::query_scalar(question).fetch_one(connection).await?,
        })
    }

    /// Runs a load `calls` times, with the texts that the trait renders.
    pub(crate) async fn run(&mut self, load: Load, calls: i64) -> Result<(), Failure> {
        match self {
            Self::MySql(connection) => run!(
                connection,
                load,
                calls,
                "SELECT `id`, `name` FROM `bindery_bench` WHERE `id` = ?",
                "SELECT `id`, `name`, `uuid`, `number`, `day`, `instant`, `flag` FROM `bindery_bench`"
            ),
            Self::Postgres(connection) => run!(
                connection,
                load,
                calls,
                r#"SELECT "id", "name" FROM "bindery_bench" WHERE "id" = $1"#,
                r#"SELECT "id", "name", "uuid", "number", "day", "instant", "flag" FROM "bindery_bench""#
            ),
            Self::Sqlite(connection) => run!(
                connection,
                load,
                calls,
                r#"SELECT "id", "name" FROM "bindery_bench" WHERE "id" = ?"#,
                r#"SELECT "id", "name", "uuid", "number", "day", "instant", "flag" FROM "bindery_bench""#
            ),
        }
        Ok(())
    }
}
