use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{Bounded, Bounds, DatabaseError, Shape};
use crate::RequestContext;

/// The capability to tell of tables of items, of which nothing but the keys is declared: what was declared, and what some items are
/// made of. It tells no values and changes nothing.
///
/// Every answer is bounded, and every call by the context's deadline.
///
/// Cancellation: dropping a future that was returned here is safe.
///
/// # Errors
/// Every operation can fail with every [`super::DatabaseErrorKind`] that names the way to the server; `Timeout` when the context's
/// deadline passes first; `Saturated` with the server's code where it wants to be asked less often; `UnknownDatabase` for a table that
/// is not there; `Query` for the rest, a missing right included.
#[async_trait]
pub trait Tables: Send + Sync {
    /// The table that the connection's settings name.
    fn table(&self) -> Option<&str>;

    /// The names of some tables: the first ones as the server sorts them, or those that come after one of them.
    async fn list_tables(&self, after: Option<&str>, context: &RequestContext) -> Result<TableNames, DatabaseError>;

    /// What was declared of a table.
    async fn describe_table(&self, table: &str, context: &RequestContext) -> Result<TableDescription, DatabaseError>;

    /// The attribute that says until when an item is kept; `None` where they are kept until somebody deletes them.
    async fn expiry_attribute(&self, table: &str, context: &RequestContext) -> Result<Option<String>, DatabaseError>;

    /// What the first items are made of that the server comes across, in an order that means nothing. No more are read than wanted.
    async fn first_items(
        &self,
        table: &str,
        bounds: Bounds,
        context: &RequestContext,
    ) -> Result<Bounded<Shape>, DatabaseError>;
}

/// Some names of tables.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableNames {
    /// The names.
    pub names: Vec<String>,
    /// After which one there may be more.
    pub next: Option<String>,
}

/// What was declared of a table.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableDescription {
    /// The attributes that keys are made of, each with its type in the engine's word, in no order.
    pub attributes: Vec<(String, String)>,
    /// The attributes that an item is found by: the one that decides where it is kept, and maybe one that it is sorted by there.
    pub key: Vec<String>,
    /// Its indexes, in no order.
    pub indexes: Vec<TableIndex>,
    /// What only this engine knows.
    pub facts: TableFacts,
    /// About how many items it has.
    pub items: Option<u64>,
    /// About how many bytes they have.
    pub bytes: Option<u64>,
}

/// An index of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableIndex {
    /// Its name.
    pub name: String,
    /// How it is built, in the engine's word.
    pub method: &'static str,
    /// The attributes that it is searched by.
    pub key: Vec<String>,
    /// Attributes that it has besides the keys, where they were chosen.
    pub include: Vec<String>,
    /// Whether queries may use it.
    pub is_active: bool,
    /// What only this engine knows.
    pub facts: TableFacts,
}

/// Facts by the names that the engine has for them.
pub type TableFacts = BTreeMap<&'static str, TableFact>;

/// What is told under such a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableFact {
    /// Whether it is so.
    Flag(bool),
    /// How many.
    Number(u64),
    /// Which one.
    Word(String),
    /// Which ones.
    Words(Vec<String>),
}
