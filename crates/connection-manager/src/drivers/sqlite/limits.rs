//! What a session of a file from outside may take. SQLite works in this process, and whoever made the file may mean ill: what it says
//! is code (views), and what it announces is made room for.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::TryStreamExt as _;
use libsqlite3_sys::{
    SQLITE_LIMIT_ATTACHED, SQLITE_LIMIT_LENGTH, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, SQLITE_LIMIT_SQL_LENGTH,
    sqlite3_limit, sqlite3_memory_used,
};
use shared_kernel::database::{DatabaseError, DatabaseErrorKind};
use sqlx::sqlite::{LockedSqliteHandle, SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Decode, Executor as _, Row as _, Sqlite, TypeInfo as _, ValueRef as _};

use crate::egress::{Room, SessionLimits};

/// The longest value and the longest row that SQLite handles, in bytes, where an answer may have as many. One function of a view can
/// take a time that grows with the square of this, and looks at no clock meanwhile.
const LONGEST_VALUE: usize = 1_000_000;

/// The longest statement, in bytes, one that the file keeps included.
const LONGEST_TEXT: i32 = 1_000_000;

/// The longest pattern of `LIKE` and `GLOB`, in bytes: how long one comparison takes grows with it.
const LONGEST_PATTERN: i32 = 1_000;

/// Said before anything else is. Views get nothing that has effects, pages are looked at before they are believed, nothing of the file is
/// mapped into memory, where it could change, and 2 MiB of it are kept, whatever the file itself suggests.
pub(super) const MISTRUST: &str = "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; \
    PRAGMA cache_size = -2048";

/// Has SQLite refuse what is too long, and every second file.
pub(super) fn impose(handle: &mut LockedSqliteHandle<'_>, limits: &SessionLimits) {
    let value = i32::try_from(limits.answer.min(LONGEST_VALUE)).unwrap_or(i32::MAX);
    for (limit, number) in [
        (SQLITE_LIMIT_LENGTH, value),
        (SQLITE_LIMIT_SQL_LENGTH, LONGEST_TEXT),
        (SQLITE_LIMIT_LIKE_PATTERN_LENGTH, LONGEST_PATTERN),
        (SQLITE_LIMIT_ATTACHED, 0),
    ] {
        set(handle, limit, number);
    }
}

#[expect(unsafe_code, reason = "neither sqlx nor a pragma has these limits; see docs/adr/0063")]
fn set(handle: &mut LockedSqliteHandle<'_>, limit: i32, number: i32) {
    // SAFETY: the handle is that of an open connection, and for as long as it is borrowed the driver's thread leaves it alone. The call
    // takes two numbers, whatever they are, and keeps nothing.
    unsafe {
        sqlite3_limit(handle.as_raw_handle().as_ptr(), limit, number);
    }
}

/// How many bytes SQLite has for all connections of this process together; it keeps no book of each that could be looked into while
/// a statement runs. So a statement is held to what has been added since it began, whoever added it.
#[expect(unsafe_code, reason = "SQLite tells it in C alone; see docs/adr/0063")]
fn memory() -> usize {
    // SAFETY: it may be called at any time and from any thread, and returns a number.
    let used = unsafe { sqlite3_memory_used() };
    usize::try_from(used).unwrap_or_default()
}

/// What tells SQLite whether to go on with a statement. It is asked every now and then while one is compiled or run.
#[derive(Debug)]
pub(super) struct Watch {
    abandoned: AtomicBool,
    opened: Instant,
    /// When the statement has to be over, in milliseconds since `opened`.
    until: AtomicU64,
    /// What SQLite had in memory when the statement began, for itself and for others.
    had: AtomicUsize,
    /// The statement was ended for its memory, and not for its time.
    has_too_much: AtomicBool,
    /// How long a statement may run, and how much memory SQLite may have meanwhile.
    limits: Option<(Duration, usize)>,
}

impl Watch {
    pub(super) fn new(limits: Option<&SessionLimits>) -> Self {
        let limits = limits.map(|limits| (limits.statement, Room::new(limits.answer).whole()));
        Self {
            abandoned: AtomicBool::new(false),
            opened: Instant::now(),
            until: AtomicU64::new(u64::MAX),
            had: AtomicUsize::new(memory()),
            has_too_much: AtomicBool::new(false),
            limits,
        }
    }

    /// A statement begins.
    pub(super) fn start(&self) {
        if let Some((longest, _)) = self.limits {
            let until = self.opened.elapsed().saturating_add(longest).as_millis();
            self.until.store(u64::try_from(until).unwrap_or(u64::MAX), Ordering::Relaxed);
            self.had.store(memory(), Ordering::Relaxed);
            self.has_too_much.store(false, Ordering::Relaxed);
        }
    }

    /// Nobody wants anything any more.
    pub(super) fn abandon(&self) {
        self.abandoned.store(true, Ordering::Relaxed);
    }

    /// What is told of an error: of a statement that was ended for its memory SQLite says no more than that it was ended.
    pub(super) fn told(&self, error: DatabaseError, kind: DatabaseErrorKind) -> DatabaseError {
        if *error.kind() == DatabaseErrorKind::Timeout && self.has_too_much.load(Ordering::Relaxed) {
            let told = DatabaseError::new(kind, "SQLite takes more memory for it than there is");
            return told.with_code(error.code().unwrap_or_default()).with_source(error);
        }
        error
    }

    pub(super) fn is_wanted(&self) -> bool {
        if self.abandoned.load(Ordering::Relaxed) {
            return false;
        }
        let Some((_, most)) = self.limits else { return true };
        if self.opened.elapsed().as_millis() >= u128::from(self.until.load(Ordering::Relaxed)) {
            return false;
        }
        let used = memory().saturating_sub(self.had.load(Ordering::Relaxed));
        if used > most {
            self.has_too_much.store(true, Ordering::Relaxed);
            tracing::warn!(
                event = "sqlite.too_much",
                used,
                most,
                "a statement on a file from outside is ended for its memory"
            );
        }
        used <= most
    }
}

/// The rows of one result, as many as there is room for.
pub(super) async fn gather(
    connection: &mut SqliteConnection,
    query: sqlx::query::Query<'_, Sqlite, SqliteArguments>,
    answer: usize,
) -> sqlx::Result<Vec<SqliteRow>> {
    let mut room = Room::new(answer);
    let mut coming = connection.fetch(query);
    let mut rows = Vec::new();
    while let Some(row) = coming.try_next().await? {
        room.row(row.len())?;
        room.bytes(size(&row))?;
        rows.push(row);
    }
    Ok(rows)
}

/// How many bytes the texts and blobs of a row have.
fn size(row: &SqliteRow) -> usize {
    let length = |index| {
        let value = row.try_get_raw(index).ok().filter(|value| matches!(value.type_info().name(), "TEXT" | "BLOB"))?;
        <&[u8] as Decode<Sqlite>>::decode(value).ok().map(<[u8]>::len)
    };
    (0..row.len()).filter_map(length).sum()
}
