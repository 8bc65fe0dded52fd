//! How far a server has come in the history that it shares with others: asked for, compared, written down.

mod gtid;
mod history;

use shared_kernel::RequestContext;
use shared_kernel::database::{
    DatabaseConnection, DatabaseError, DatabaseErrorKind, Dialect, RawStatement, Row, Statement,
};
use shared_kernel::freshness::Position;

use self::gtid::{MariaDbSet, MySqlSet};
pub(crate) use self::history::History;

/// What a server has of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Progress {
    /// PostgreSQL: the cluster, and the end of the write-ahead log that was written or replayed.
    Postgres { cluster: i64, end: i64 },
    /// MariaDB: the last transaction of each domain.
    MariaDb(MariaDbSet),
    /// MySQL: the transactions.
    MySql(MySqlSet),
}

/// Which side of the replication is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// What it has written.
    Primary,
    /// What it has replayed, as far as readers see it.
    Replica,
}

impl Progress {
    /// Asks a server of the kind that connections of this dialect lead to.
    ///
    /// # Errors
    /// What the server says; `Unsupported` when it keeps no history that could be compared, and `Misconfigured` when it is a
    /// replica of nobody.
    pub(crate) async fn of(
        connection: &dyn DatabaseConnection,
        side: Side,
        context: &RequestContext,
    ) -> Result<Self, DatabaseError> {
        let sql = connection.sql()?;
        let ask = async |text: &'static str| -> Result<Row, DatabaseError> {
            let statement: Statement = RawStatement::everywhere("SELECT", text).into();
            let row = sql.query_one(&statement, context).await?;
            row.ok_or_else(|| DatabaseError::new(DatabaseErrorKind::Decode, "the server told no position"))
        };
        match sql.dialect() {
            Dialect::Postgres => Self::of_postgres(&ask(POSTGRES).await?, side),
            Dialect::MySql => {
                let version: String = ask("SELECT VERSION() AS version").await?.get("version")?;
                if version.contains("MariaDB") {
                    Self::of_mariadb(&ask(MARIADB).await?, side)
                } else {
                    Self::of_mysql(&ask(MYSQL).await?)
                }
            }
            Dialect::Sqlite | Dialect::SqlServer => Err(none_kept("the engine tells no position")),
        }
    }

    fn of_postgres(row: &Row, side: Side) -> Result<Self, DatabaseError> {
        let in_recovery: bool = row.get("in_recovery")?;
        if side == Side::Replica && !in_recovery {
            let message = "the server is no replica: it is not in recovery";
            return Err(DatabaseError::new(DatabaseErrorKind::Misconfigured, message));
        }
        let end: Option<i64> = row.get("position")?;
        let end = end.ok_or_else(|| none_kept("the server has replayed nothing yet"))?;
        // What was written may end with the header of a page on which nothing is yet; what was replayed ends before it.
        let into_page = end % row.get::<i64>("page")?;
        let end = if into_page <= LONGEST_PAGE_HEADER { end - into_page } else { end };
        Ok(Self::Postgres { cluster: row.get("cluster")?, end })
    }

    fn of_mariadb(row: &Row, side: Side) -> Result<Self, DatabaseError> {
        let column = match side {
            Side::Primary if row.get::<i64>("logs")? == 0 => return Err(none_kept("the server keeps no binary log")),
            Side::Primary => "written",
            Side::Replica => "replayed",
        };
        let set: String = row.get(column)?;
        MariaDbSet::parse(&set).map(Self::MariaDb).ok_or_else(|| unreadable(&set))
    }

    fn of_mysql(row: &Row) -> Result<Self, DatabaseError> {
        let mode: String = row.get("mode")?;
        if mode != "ON" {
            return Err(none_kept("the server's `gtid_mode` is not ON"));
        }
        let set: String = row.get("executed")?;
        MySqlSet::parse(&set).map(Self::MySql).ok_or_else(|| unreadable(&set))
    }

    /// Whether everything of `other` is in this. What belongs to different histories is in neither.
    pub(crate) fn contains(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Postgres { cluster, end }, Self::Postgres { cluster: other, end: needed }) => {
                cluster == other && end >= needed
            }
            (Self::MariaDb(set), Self::MariaDb(needed)) => set.contains(needed),
            (Self::MySql(set), Self::MySql(needed)) => set.contains(needed),
            _ => false,
        }
    }

    /// What a position says; `None` for one that was not made here.
    pub(crate) fn at(position: &Position) -> Option<Self> {
        let (kind, rest) = position.as_str().split_once(':')?;
        match kind {
            "pg" => {
                let (cluster, end) = rest.split_once(':')?;
                Some(Self::Postgres { cluster: cluster.parse().ok()?, end: end.parse().ok()? })
            }
            "mariadb" => MariaDbSet::parse(rest).map(Self::MariaDb),
            "mysql" => MySqlSet::parse(rest).map(Self::MySql),
            _ => None,
        }
    }

    /// The position for others to ask for; `None` where it is too long to be handed about.
    pub(crate) fn position(&self) -> Option<Position> {
        let text = match self {
            Self::Postgres { cluster, end } => format!("pg:{cluster}:{end}"),
            Self::MariaDb(set) => format!("mariadb:{set}"),
            Self::MySql(set) => format!("mysql:{set}"),
        };
        text.parse().ok()
    }
}

/// `pg_current_wal_insert_lsn` and not the end of what was written out: a transaction may be committed before its record is.
const POSTGRES: &str = "SELECT pg_is_in_recovery() AS in_recovery, \
    (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END - '0/0'::pg_lsn)\
    ::bigint AS position, current_setting('wal_block_size')::bigint AS page, \
    (SELECT system_identifier FROM pg_control_system()) AS cluster";

/// The header of a page of the write-ahead log has 24 bytes, that of a file's first page 40.
const LONGEST_PAGE_HEADER: i64 = 40;

const MARIADB: &str = "SELECT CAST(@@global.log_bin AS SIGNED) AS logs, \
    CAST(@@global.gtid_binlog_pos AS CHAR) AS written, CAST(@@global.gtid_slave_pos AS CHAR) AS replayed";

const MYSQL: &str = "SELECT CAST(@@global.gtid_mode AS CHAR) AS mode, CAST(@@global.gtid_executed AS CHAR) AS executed";

fn none_kept(message: &'static str) -> DatabaseError {
    DatabaseError::new(DatabaseErrorKind::Unsupported, message)
}

fn unreadable(set: &str) -> DatabaseError {
    let shown: String = set.chars().take(80).collect();
    DatabaseError::new(DatabaseErrorKind::Decode, format!("the server told the position {shown:?}, which is none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Progress {
        Progress::at(&text.parse().expect("a position")).expect(text)
    }

    #[test]
    fn positions_survive_a_round_trip() {
        for text in ["pg:7423:23100", "mariadb:0-1-5,1-2-7", "mysql:3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5:11-18"] {
            assert_eq!(at(text).position().expect("a position").as_str(), text);
        }
        for text in ["pg:7423", "pg:x:1", "sqlite:1", "7423", "mariadb:0-1", "mysql:x:1"] {
            assert_eq!(Progress::at(&text.parse().expect("a position")), None, "{text}");
        }
    }

    #[test]
    fn what_belongs_to_another_history_is_never_there() {
        assert!(at("pg:1:20").contains(&at("pg:1:20")) && at("pg:1:21").contains(&at("pg:1:20")));
        assert!(!at("pg:1:19").contains(&at("pg:1:20")));
        assert!(!at("pg:2:30").contains(&at("pg:1:20")));
        assert!(!at("pg:1:20").contains(&at("mariadb:0-1-5")));
    }
}
