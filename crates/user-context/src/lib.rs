//! user-context
