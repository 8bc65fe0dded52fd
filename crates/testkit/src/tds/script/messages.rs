//! Messages of SQL Server that drivers read more than the number from.

use super::{Reply, ServerMessage};

/// The class (severity) that SQL Server sends a number with.
pub(super) const fn class_of(number: u32) -> u8 {
    match number {
        3621 | 5701 | 5703 => 10,
        4060 => 11,
        1205 => 13,
        2601 | 2627 | 18456 => 14,
        10928 | 10929 | 40197 | 40501 | 40613 => 17,
        596 => 21,
        _ => 16,
    }
}

impl Reply {
    fn terminated(number: u32, text: String) -> Self {
        Self::error(number, text).and(Self::message(ServerMessage::new(3621, "The statement has been terminated.")))
    }

    /// 2627: a unique or primary key constraint. `value` is the duplicate as SQL Server quotes it, `(a, b)`.
    pub fn unique_constraint(constraint: &str, table: &str, value: &str) -> Self {
        Self::terminated(
            2627,
            format!(
                "Violation of UNIQUE KEY constraint '{constraint}'. Cannot insert duplicate key in object '{table}'. \
                 The duplicate key value is {value}."
            ),
        )
    }

    /// 2601: a unique index.
    pub fn unique_index(index: &str, table: &str, value: &str) -> Self {
        Self::terminated(
            2601,
            format!(
                "Cannot insert duplicate key row in object '{table}' with unique index '{index}'. The duplicate key \
                 value is {value}."
            ),
        )
    }

    /// 547: a foreign key whose parent is missing.
    pub fn foreign_key(constraint: &str, parent: &str) -> Self {
        Self::conflict("INSERT", "FOREIGN KEY", constraint, parent)
    }

    /// 547: a foreign key of other rows that still refer to this one.
    pub fn still_referenced(constraint: &str, child: &str) -> Self {
        Self::conflict("DELETE", "REFERENCE", constraint, child)
    }

    /// 547 as well: a CHECK constraint.
    pub fn check_constraint(constraint: &str, table: &str) -> Self {
        Self::conflict("INSERT", "CHECK", constraint, table)
    }

    fn conflict(verb: &str, kind: &str, constraint: &str, table: &str) -> Self {
        Self::terminated(
            547,
            format!(
                "The {verb} statement conflicted with the {kind} constraint \"{constraint}\". The conflict occurred in \
                 database \"testkit\", table \"{table}\", column 'id'."
            ),
        )
    }

    /// 1205: this session lost a deadlock, and its transaction with it.
    pub fn deadlock() -> Self {
        Self::error(
            1205,
            "Transaction (Process ID 51) was deadlocked on lock resources with another process and has been chosen as \
             the deadlock victim. Rerun the transaction.",
        )
    }
}
