//! What an answer may grow to. Some texts of it are told at many places, such as the name of a type with each of its columns: a server that
//! means ill could make little of what it sends into very much.

use std::cell::Cell;

use shared_kernel::database::{DatabaseError, DatabaseErrorKind};

use crate::cells::Cells;

/// Names are `sysname`, 128 characters of UTF-16, which is no more than this in UTF-8.
const LONGEST_NAME: usize = 3 * 128;

/// Reads a name.
pub(super) fn name(cells: &mut Cells<'_>) -> Result<Option<String>, DatabaseError> {
    let name: Option<String> = cells.next()?;
    if name.as_ref().is_some_and(|name| name.len() > LONGEST_NAME) {
        return Err(DatabaseError::new(DatabaseErrorKind::Decode, "a name is longer than any of SQL Server's"));
    }
    Ok(name)
}

/// How many bytes of something may be told more than once.
#[derive(Debug)]
pub(super) struct Budget(Cell<usize>);

impl Budget {
    pub(super) fn of(bytes: usize) -> Self {
        Self(Cell::new(bytes))
    }

    /// Whether so much may be told.
    pub(super) fn takes(&self, bytes: usize) -> bool {
        let left = self.0.get().checked_sub(bytes);
        self.0.set(left.unwrap_or_default());
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_that_was_overdrawn_is_at_its_end() {
        let budget = Budget::of(10);
        assert!(budget.takes(9) && budget.takes(1) && budget.takes(0));
        assert!(!budget.takes(1));
        let budget = Budget::of(10);
        assert!(!budget.takes(11) && !budget.takes(1));
    }
}
