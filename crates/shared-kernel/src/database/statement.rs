use std::borrow::Cow;

use sea_query::{DeleteStatement, InsertStatement, SelectStatement, UpdateStatement, Value, WithQuery};
use sql_dialect::{Dialect, Query, RenderError, Rendered};
use uuid::Uuid;

use super::template::FilledTemplate;

/// What a context sends: a syntax tree that each engine's dialect renders, as it stands or once for many values, or a text
/// written for the engine.
#[derive(Debug, Clone)]
pub enum Statement {
    /// `SELECT`
    Select(SelectStatement),
    /// `INSERT`
    Insert(InsertStatement),
    /// `UPDATE`
    Update(UpdateStatement),
    /// `DELETE`
    Delete(DeleteStatement),
    /// `WITH …`
    With(WithQuery),
    /// A tree that was rendered before, with other values.
    Filled(FilledTemplate),
    /// A text of its own for each dialect.
    Raw(RawStatement),
}

impl Statement {
    /// The text and the values for one dialect.
    ///
    /// # Errors
    /// [`RenderError`] when the dialect cannot express the statement, or when a raw statement has no text for it.
    pub fn render(&self, dialect: Dialect) -> Result<Rendered, RenderError> {
        let query = match self {
            Self::Select(statement) => Query::Select(statement),
            Self::Insert(statement) => Query::Insert(statement),
            Self::Update(statement) => Query::Update(statement),
            Self::Delete(statement) => Query::Delete(statement),
            Self::With(statement) => Query::With(statement),
            Self::Filled(filled) => return filled.render(dialect),
            Self::Raw(raw) => return raw.render(dialect),
        };
        sql_dialect::render(dialect, query)
    }

    /// What may become of the statement when it is sent twice. A text written by hand is believed when its verb and its
    /// first word agree and it is a single statement: a select that calls a function which changes something has to name
    /// another verb.
    pub fn effect(&self) -> Effect {
        match self {
            Self::Select(_) => Effect::Nothing,
            Self::Insert(_) | Self::Update(_) | Self::Delete(_) | Self::With(_) => Effect::Whole,
            Self::Filled(filled) => filled.effect(),
            Self::Raw(raw) => raw.effect(),
        }
    }

    /// The statement's verb for metrics and spans (OpenTelemetry `db.operation.name`), from a small fixed set.
    pub fn operation(&self) -> &'static str {
        match self {
            Self::Select(_) => "SELECT",
            Self::Insert(_) => "INSERT",
            Self::Update(_) => "UPDATE",
            Self::Delete(_) => "DELETE",
            Self::With(_) => "WITH",
            Self::Filled(filled) => filled.operation(),
            Self::Raw(raw) => raw.operation,
        }
    }
}

/// What a statement does to the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// It reads: one whose answer was lost may be sent again.
    Nothing,
    /// It changes all that it is meant to, or nothing: one that was refused may be sent again, and one whose answer was lost
    /// may not.
    Whole,
    /// Nobody knows: it may have changed something even where it was refused, and is never sent again.
    Unknown,
}

impl From<SelectStatement> for Statement {
    fn from(statement: SelectStatement) -> Self {
        Self::Select(statement)
    }
}

impl From<InsertStatement> for Statement {
    fn from(statement: InsertStatement) -> Self {
        Self::Insert(statement)
    }
}

impl From<UpdateStatement> for Statement {
    fn from(statement: UpdateStatement) -> Self {
        Self::Update(statement)
    }
}

impl From<DeleteStatement> for Statement {
    fn from(statement: DeleteStatement) -> Self {
        Self::Delete(statement)
    }
}

impl From<WithQuery> for Statement {
    fn from(statement: WithQuery) -> Self {
        Self::With(statement)
    }
}

impl From<RawStatement> for Statement {
    fn from(statement: RawStatement) -> Self {
        Self::Raw(statement)
    }
}

/// SQL written by hand, with the placeholders of the dialect it is for: `?`, `$1` or `@P1`.
///
/// The text is part of the program. What a user typed belongs in the values, never in the text.
#[derive(Debug, Clone)]
pub struct RawStatement {
    operation: &'static str,
    texts: [Option<Cow<'static, str>>; 4],
    values: Vec<Value>,
}

impl RawStatement {
    /// The same text for every dialect; for statements without parameters or for one known engine.
    pub fn everywhere(operation: &'static str, text: impl Into<Cow<'static, str>>) -> Self {
        let text = text.into();
        Self {
            operation,
            texts: [Some(text.clone()), Some(text.clone()), Some(text.clone()), Some(text)],
            values: Vec::new(),
        }
    }

    /// A statement without a text yet; add one for each dialect with [`RawStatement::text`].
    pub fn per_dialect(operation: &'static str) -> Self {
        Self { operation, texts: [const { None }; 4], values: Vec::new() }
    }

    /// Sets the text for one dialect.
    #[must_use]
    pub fn text(mut self, dialect: Dialect, text: impl Into<Cow<'static, str>>) -> Self {
        self.texts[dialect as usize] = Some(text.into());
        self
    }

    /// Adds the value for the next placeholder.
    #[must_use]
    pub fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    fn effect(&self) -> Effect {
        let effects = self.texts.iter().flatten().map(|text| self.effect_of(text));
        effects.max().unwrap_or(Effect::Unknown)
    }

    fn effect_of(&self, text: &str) -> Effect {
        let mut words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty());
        // A second statement may follow a semicolon; one within a literal only costs a repetition.
        if text.contains(';') || !words.next().is_some_and(|first| first.eq_ignore_ascii_case(self.operation)) {
            return Effect::Unknown;
        }
        match self.operation {
            // `SELECT … INTO` makes a table or writes a file.
            "SELECT" if words.any(|word| word.eq_ignore_ascii_case("INTO")) => Effect::Unknown,
            "SELECT" => Effect::Nothing,
            "INSERT" | "UPDATE" | "DELETE" => Effect::Whole,
            _ => Effect::Unknown,
        }
    }

    fn render(&self, dialect: Dialect) -> Result<Rendered, RenderError> {
        let text = self.texts[dialect as usize]
            .as_ref()
            .ok_or(RenderError::Unsupported { dialect, construct: "a raw statement without a text for it" })?;
        Ok(Rendered { sql: text.clone().into_owned(), values: sea_query::Values(self.values.clone()) })
    }
}

/// A UUID as a key column stores it, so that every engine sorts ids byte by byte and version 7 sorts by time.
///
/// SQL Server orders `UNIQUEIDENTIFIER` by its last six bytes first; key columns are `BINARY(16)` there, and the value
/// is sent as its sixteen bytes in network order. Reading asks for a `Uuid` on every engine.
pub fn uuid_key(dialect: Dialect, id: Uuid) -> Value {
    match dialect {
        Dialect::SqlServer => Value::Bytes(Some(id.as_bytes().to_vec())),
        Dialect::MySql | Dialect::Postgres | Dialect::Sqlite => Value::Uuid(Some(id)),
    }
}

/// A text as a key column stores it, so that every engine compares it by code points.
///
/// SQL Server compares `NVARCHAR` by UTF-16 code units and ignores blanks at its end, and converts a `VARCHAR` column
/// when it meets a parameter, so that no index is used. Key columns are `VARBINARY` there and hold UTF-8, whose bytes
/// sort as its code points do. Elsewhere a code-point collation does the same.
pub fn text_key(dialect: Dialect, text: &str) -> Value {
    match dialect {
        Dialect::SqlServer => Value::Bytes(Some(text.as_bytes().to_vec())),
        Dialect::MySql | Dialect::Postgres | Dialect::Sqlite => Value::String(Some(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use sea_query::{Expr, ExprTrait, Query};

    use super::*;

    #[test]
    fn a_tree_is_rendered_with_the_placeholders_of_its_dialect() {
        let statement =
            Statement::from(Query::select().column("name").from("shelves").and_where(Expr::col("id").eq(7)).take());
        let mysql = statement.render(Dialect::MySql).expect("plain select");
        let postgres = statement.render(Dialect::Postgres).expect("plain select");
        assert_eq!(mysql.sql, "SELECT `name` FROM `shelves` WHERE `id` = ?");
        assert_eq!(postgres.sql, "SELECT \"name\" FROM \"shelves\" WHERE \"id\" = $1");
        assert_eq!(mysql.values, postgres.values);
    }

    #[test]
    fn a_raw_statement_without_a_text_for_the_dialect_is_refused() {
        let statement = Statement::from(RawStatement::per_dialect("SELECT").text(Dialect::Sqlite, "SELECT 1"));
        assert_eq!(statement.render(Dialect::Sqlite).expect("it has a text").sql, "SELECT 1");
        assert!(matches!(statement.render(Dialect::SqlServer), Err(RenderError::Unsupported { .. })));
    }

    #[test]
    fn only_what_surely_reads_may_be_sent_again() {
        let tree = Query::select().column("name").from("shelves").take();
        assert_eq!(Statement::from(tree).effect(), Effect::Nothing);
        assert_eq!(Statement::from(Query::delete().from_table("shelves").take()).effect(), Effect::Whole);
        let raw = |operation, text| Statement::from(RawStatement::everywhere(operation, text)).effect();
        assert_eq!(raw("SELECT", " select\n1"), Effect::Nothing);
        assert_eq!(raw("INSERT", "INSERT INTO t VALUES (1)"), Effect::Whole);
        let others = [
            "WITH x AS (DELETE FROM t RETURNING 1) SELECT 1",
            "SELECTED",
            "sél",
            "INSERT INTO t VALUES (1)",
            "SELECT 1; DELETE FROM t",
            "SELECT * into copy FROM t",
            "",
        ];
        assert!(others.into_iter().all(|text| raw("SELECT", text) == Effect::Unknown));
        assert_eq!(raw("CALL", "SELECT moved(1)"), Effect::Unknown);
        assert_eq!(raw("CALL", "CALL moved(1)"), Effect::Unknown, "it may commit half of what it does");
        let mixed = RawStatement::everywhere("SELECT", "SELECT 1").text(Dialect::Postgres, "DELETE FROM t");
        assert_eq!(Statement::from(mixed).effect(), Effect::Unknown);
        assert_eq!(Statement::from(RawStatement::per_dialect("SELECT")).effect(), Effect::Unknown);
    }

    #[test]
    fn ids_are_sent_in_an_order_that_sorts_by_time_on_every_engine() {
        let earlier = Uuid::from_u128(0x0190_163d_8694_739b_aea5_966c_26f8_ad91);
        let later = Uuid::from_u128(0x0190_163d_8695_7000_8000_0000_0000_0000);
        let bytes = |id| match uuid_key(Dialect::SqlServer, id) {
            Value::Bytes(Some(bytes)) => bytes,
            other => panic!("expected bytes, got {other:?}"),
        };
        assert!(bytes(earlier) < bytes(later));
        assert_eq!(uuid_key(Dialect::Postgres, later), Value::Uuid(Some(later)));
    }
}
