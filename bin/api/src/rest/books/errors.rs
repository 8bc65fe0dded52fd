//! Each error of the book use cases as a problem: the one place that decides on it.

use book_context::application::{
    ChangeBookError, CreateBookError, DeleteBookError, ListBooksError, ReadBookError, ReadStatisticsError,
};

use crate::rest::problem::{Fault, Problem, ProblemKind};
use crate::rest::versions::stale;

fn not_found() -> Problem {
    Problem::not_found("book")
}

fn isbn_taken() -> Problem {
    let fault = Fault::at("/isbn", "taken", "another book has this ISBN");
    Problem::new(ProblemKind::AlreadyExists, "another book has this ISBN").with_faults(vec![fault])
}

impl From<CreateBookError> for Problem {
    fn from(error: CreateBookError) -> Self {
        match error {
            CreateBookError::IsbnTaken => isbn_taken(),
            CreateBookError::Idempotency(error) => Self::from(&error),
            CreateBookError::Database(error) => error.into(),
        }
    }
}

impl From<ReadBookError> for Problem {
    fn from(error: ReadBookError) -> Self {
        match error {
            ReadBookError::NotFound(_) => not_found(),
            ReadBookError::Database(error) => error.into(),
        }
    }
}

impl From<ListBooksError> for Problem {
    fn from(error: ListBooksError) -> Self {
        match error {
            ListBooksError::ForeignPosition => {
                Self::new(ProblemKind::InvalidCursor, "the cursor does not belong to this list")
            }
            ListBooksError::SortNeedsCurrency => {
                let fault = Fault::parameter("sort", "needs_currency", "a list by price needs `currency`");
                Self::invalid_query(vec![fault])
            }
            ListBooksError::Database(error) => error.into(),
        }
    }
}

impl From<ReadStatisticsError> for Problem {
    fn from(error: ReadStatisticsError) -> Self {
        match error {
            ReadStatisticsError::Database(error) => error.into(),
        }
    }
}

impl From<ChangeBookError> for Problem {
    fn from(error: ChangeBookError) -> Self {
        match error {
            ChangeBookError::NotFound(_) => not_found(),
            ChangeBookError::Stale { .. } => stale(),
            ChangeBookError::IsbnTaken => isbn_taken(),
            ChangeBookError::Invalid(violations) => {
                let faults = violations.into_iter().map(|fault| Fault::at(fault.pointer, fault.code, fault.message));
                Self::validation(faults.collect())
            }
            ChangeBookError::Database(error) => error.into(),
        }
    }
}

impl From<DeleteBookError> for Problem {
    fn from(error: DeleteBookError) -> Self {
        match error {
            DeleteBookError::NotFound(_) => not_found(),
            DeleteBookError::Stale { .. } => stale(),
            DeleteBookError::Database(error) => error.into(),
        }
    }
}
