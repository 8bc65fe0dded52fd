//! book-context
