use sea_query::ValueType;
use serde::de::DeserializeOwned;
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, Row};

/// Reads the cells of a row one after the other, in the order in which they were selected.
pub(crate) struct Cells<'row> {
    row: &'row Row,
    next: usize,
}

impl<'row> Cells<'row> {
    pub(crate) fn of(row: &'row Row) -> Self {
        Self { row, next: 0 }
    }

    pub(crate) fn next<T: ValueType>(&mut self) -> Result<T, DatabaseError> {
        let index = self.next;
        self.next += 1;
        self.row.get(index)
    }

    /// A number that the engine gives as a signed one and that is never below zero.
    pub(crate) fn count(&mut self) -> Result<Option<u64>, DatabaseError> {
        Ok(self.next::<Option<i64>>()?.and_then(|number| number.try_into().ok()))
    }

    /// A text of JSON; NULL is the type's own default.
    pub(crate) fn json<T: DeserializeOwned + Default>(&mut self) -> Result<T, DatabaseError> {
        let position = self.next;
        let Some(text) = self.next::<Option<String>>()? else { return Ok(T::default()) };
        serde_json::from_str(&text).map_err(|error| {
            let message = format!("the catalog's answer at position {position} is not as expected");
            DatabaseError::new(DatabaseErrorKind::Decode, message).with_source(error)
        })
    }

    /// Numbers with spaces between them.
    pub(crate) fn numbers(&mut self) -> Result<Vec<i64>, DatabaseError> {
        let text: Option<String> = self.next()?;
        let numbers = text.as_deref().unwrap_or_default().split_ascii_whitespace();
        Ok(numbers.filter_map(|number| number.parse().ok()).collect())
    }
}
