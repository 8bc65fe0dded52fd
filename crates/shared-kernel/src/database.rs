//! The connection traits: all that a bounded context knows of a database.

mod access;
mod catalog;
mod connection;
mod description;
mod document;
mod documents;
mod engine;
mod error;
mod key_value;
pub mod keyset;
mod keyspace;
mod name;
mod row;
mod shape;
mod sql;
mod statement;
mod tables;
mod template;

pub use access::{Access, ConnectionFuture, Connections};
pub use catalog::{Catalog, MOST_NAMES};
pub use connection::{CloseReport, ConnectionStats, DatabaseConnection, Health};
pub use description::{EngineDescription, OptionDescription, OptionKind, Presence};
pub use document::{Decimal128, Document, DocumentValue, InvalidObjectId, ObjectId};
pub use documents::{
    Bounded, Bounds, Collection, CollectionKind, CollectionSummary, DatabaseSummary, Documents, Ending, Find, Replaced,
};
pub use engine::Engine;
pub use error::{DatabaseError, DatabaseErrorKind};
pub use key_value::{Expiry, KeyValue};
pub use keyspace::{KeyAnswer, KeyNode, KeyPlace, KeyQuestion, KeyStructure, Keyspace};
pub use name::{ConnectionName, InvalidConnectionName};
pub use row::{ColumnIndex, Row, RowSource, position_of};
pub use sea_query::{ArrayType, Value, ValueType};
pub use shape::Shape;
pub use sql::{SqlConnection, SqlExecutor, SqlSession, SqlTransaction, TransactionMode};
pub use sql_dialect::{Dialect, RenderError, Rendered};
pub use statement::{Effect, RawStatement, Statement, text_key, uuid_key};
pub use tables::{TableDescription, TableFact, TableFacts, TableIndex, TableNames, Tables};
pub use template::{FilledTemplate, StatementTemplate};
