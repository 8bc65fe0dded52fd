use async_trait::async_trait;

use super::{Bounded, Bounds, DatabaseError, Shape};
use crate::RequestContext;

/// The capability to tell of tables whose items nobody has declared: what was declared, and what some items are made of. It tells no
/// values and changes nothing.
///
/// Cancellation: dropping a future that was returned here is safe.
///
/// # Errors
/// Every operation can fail with every [`super::DatabaseErrorKind`] that names the way to the server; `Timeout` when the context's deadline
/// passes first; `Query` for the rest, a missing right included.
#[async_trait]
pub trait Tables: Send + Sync {
    /// The table that the connection's settings name.
    fn table(&self) -> Option<&str>;

    /// The names of tables, a hundred at most, that come after one of them as the server sorts them.
    async fn list_tables(&self, after: Option<&str>, context: &RequestContext) -> Result<TableNames, DatabaseError>;

    /// What was declared of a table; `None` for one that is not there.
    async fn describe_table(
        &self,
        table: &str,
        context: &RequestContext,
    ) -> Result<Option<TableDescription>, DatabaseError>;

    /// The attribute that says until when an item is kept; `None` where they are kept until somebody deletes them.
    async fn time_to_live(&self, table: &str, context: &RequestContext) -> Result<Option<String>, DatabaseError>;

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
    /// The attributes that keys are made of, each with its type in the engine's word.
    pub attributes: Vec<(String, String)>,
    /// The attributes that an item is found by: the one that decides where it is kept, and maybe one that it is sorted by there.
    pub key: Vec<String>,
    /// Its indexes, in no order.
    pub indexes: Vec<TableIndex>,
    /// How it is paid for, in the engine's word.
    pub billing: Option<String>,
    /// How many reads and writes a second were bought, where they are.
    pub capacity: Option<(u64, u64)>,
    /// What a stream of its changes holds, in the engine's word, where there is one.
    pub stream: Option<String>,
    /// How it is kept, in the engine's word.
    pub class: Option<String>,
    /// Whether it is kept from being deleted.
    pub is_protected: bool,
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
    /// Whether it is kept where its items are, and by the table's own first attribute.
    pub is_local: bool,
    /// The attributes that it is searched by.
    pub key: Vec<String>,
    /// Which attributes it has, in the engine's word: `ALL`, `KEYS_ONLY`, `INCLUDE`.
    pub projection: Option<String>,
    /// Those that it has besides the keys, where they are chosen.
    pub include: Vec<String>,
    /// How many reads and writes a second were bought, where they are.
    pub capacity: Option<(u64, u64)>,
    /// Whether queries may use it.
    pub is_active: bool,
}
