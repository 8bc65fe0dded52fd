use sea_query::{
    DeleteStatement, InsertStatement, MysqlQueryBuilder, PostgresQueryBuilder, SelectStatement, SqliteQueryBuilder,
    UpdateStatement, Values, WithQuery,
};

use crate::{Dialect, RenderError};

/// A borrowed statement of any kind that [`render`] knows.
#[derive(Debug, Clone, Copy)]
pub enum Query<'a> {
    /// `SELECT`
    Select(&'a SelectStatement),
    /// `INSERT`
    Insert(&'a InsertStatement),
    /// `UPDATE`
    Update(&'a UpdateStatement),
    /// `DELETE`
    Delete(&'a DeleteStatement),
    /// `WITH … SELECT | INSERT | UPDATE | DELETE`
    With(&'a WithQuery),
}

/// The text of a statement and the values for its placeholders, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// The text with the dialect's placeholders: `?` (MySQL, SQLite), `$1` (PostgreSQL), `@P1` (SQL Server).
    pub sql: String,
    /// One value for each placeholder.
    pub values: Values,
}

/// Renders `query` for `dialect`.
///
/// # Errors
/// [`RenderError`] when the dialect cannot say the statement with the same meaning, or when an identifier or a value
/// cannot be sent safely.
pub fn render(dialect: Dialect, query: Query<'_>) -> Result<Rendered, RenderError> {
    match dialect {
        Dialect::MySql => Ok(build(query, MysqlQueryBuilder)),
        Dialect::Postgres => Ok(build(query, PostgresQueryBuilder)),
        Dialect::Sqlite => Ok(build(query, SqliteQueryBuilder)),
        Dialect::SqlServer => Err(RenderError::Unsupported { dialect, construct: "statements" }),
    }
}

fn build(query: Query<'_>, builder: impl sea_query::QueryBuilder) -> Rendered {
    let (sql, values) = match query {
        Query::Select(statement) => statement.build(builder),
        Query::Insert(statement) => statement.build(builder),
        Query::Update(statement) => statement.build(builder),
        Query::Delete(statement) => statement.build(builder),
        Query::With(statement) => statement.build(builder),
    };
    Rendered { sql, values }
}
