use sea_query::{
    DeleteStatement, InsertStatement, QueryBuilder, SelectStatement, SqlWriterValues, UpdateStatement, Values,
    WithQuery,
};

use crate::builder::Builder;
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
/// cannot be sent safely. If there are several reasons, the first one met is told.
pub fn render(dialect: Dialect, query: Query<'_>) -> Result<Rendered, RenderError> {
    let builder = Builder::new(dialect);
    let (placeholder, numbered) = builder.placeholder();
    let mut writer = SqlWriterValues::new(placeholder, numbered);
    match query {
        Query::Select(statement) => builder.prepare_select_statement(statement, &mut writer),
        Query::Insert(statement) => builder.prepare_insert_statement(statement, &mut writer),
        Query::Update(statement) => builder.prepare_update_statement(statement, &mut writer),
        Query::Delete(statement) => builder.prepare_delete_statement(statement, &mut writer),
        Query::With(statement) => builder.prepare_with_query(statement, &mut writer),
    }
    builder.finish(&mut writer)?;
    let (sql, values) = writer.into_parts();
    Ok(Rendered { sql, values })
}
