//! Cursors that are open: MongoDB's belong to the server, not to the connection that opened them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sqlx::postgres::PgConnection;
use tokio::time::Instant;

/// How long a cursor is kept that nobody asks.
const IDLE: Duration = Duration::from_mins(10);

/// A cursor between two pages.
pub(super) struct Cursor {
    pub(super) database: String,
    /// Who opened it: nobody else may go on with it.
    pub(super) user: String,
    /// What the engine wants to see again.
    pub(super) continuation: Vec<u8>,
    /// The connection that the engine keeps it on, where it keeps it on one.
    pub(super) connection: Option<PgConnection>,
}

/// All of them, by number.
#[derive(Default)]
pub(super) struct Cursors(Mutex<HashMap<i64, (Instant, Cursor)>>);

impl Cursors {
    pub(super) fn keep(&self, number: i64, cursor: Cursor) {
        let now = Instant::now();
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, (since, _)| now.duration_since(*since) < IDLE);
        open.insert(number, (now, cursor));
    }

    /// Takes a cursor of this user out of the list.
    pub(super) fn take(&self, number: i64, user: &str) -> Option<Cursor> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if open.get(&number)?.1.user != user {
            return None;
        }
        open.remove(&number).map(|(_, cursor)| cursor)
    }
}
