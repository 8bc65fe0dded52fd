use std::mem::{Discriminant, discriminant};
use std::sync::OnceLock;

use sea_query::{Value, Values};
use sql_dialect::{Dialect, RenderError, Rendered};

use super::Statement;
use super::statement::Effect;

/// A statement that is sent again and again with other values, and whose text is therefore rendered once for each
/// dialect.
///
/// ```
/// use sea_query::{Expr, ExprTrait, Query};
/// use shared_kernel::database::{Dialect, Statement, StatementTemplate};
///
/// static BY_NUMBER: StatementTemplate = StatementTemplate::new(|_dialect| {
///     Query::select().column("name").from("shelves").and_where(Expr::col("number").eq(0_i64)).take().into()
/// });
///
/// let statement: Statement = BY_NUMBER.with([7_i64.into()]);
/// let rendered = statement.render(Dialect::Postgres)?;
/// assert_eq!(rendered.sql, r#"SELECT "name" FROM "shelves" WHERE "number" = $1"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct StatementTemplate {
    sample: fn(Dialect) -> Statement,
    operation: OnceLock<&'static str>,
    effect: OnceLock<Effect>,
    texts: [OnceLock<Result<Text, RenderError>>; 4],
}

#[derive(Debug)]
struct Text {
    sql: String,
    /// What kind of value each placeholder stands for.
    kinds: Box<[Discriminant<Value>]>,
}

impl StatementTemplate {
    /// The template of the statement that `sample` makes. Its values only show their types; none may be NULL, because an
    /// engine may want NULL written otherwise.
    pub const fn new(sample: fn(Dialect) -> Statement) -> Self {
        Self { sample, operation: OnceLock::new(), effect: OnceLock::new(), texts: [const { OnceLock::new() }; 4] }
    }

    /// The statement with these values, one for each placeholder in the order of the text, each of the type that the
    /// sample has in its place. Rendering it fails when they do not fit.
    pub fn with(&'static self, values: impl IntoIterator<Item = Value>) -> Statement {
        Statement::Filled(FilledTemplate { template: self, values: values.into_iter().collect() })
    }

    fn operation(&self) -> &'static str {
        self.operation.get_or_init(|| (self.sample)(Dialect::Sqlite).operation())
    }

    fn effect(&self) -> Effect {
        let all = [Dialect::MySql, Dialect::Postgres, Dialect::Sqlite, Dialect::SqlServer];
        *self.effect.get_or_init(|| {
            all.into_iter().map(|dialect| (self.sample)(dialect).effect()).max().unwrap_or(Effect::Unknown)
        })
    }

    fn text(&self, dialect: Dialect) -> Result<&Text, RenderError> {
        let text = self.texts[dialect as usize].get_or_init(|| {
            let Rendered { sql, values } = (self.sample)(dialect).render(dialect)?;
            Ok(Text { sql, kinds: values.0.iter().map(discriminant).collect() })
        });
        text.as_ref().map_err(Clone::clone)
    }
}

/// A [`StatementTemplate`] with its values; made by [`StatementTemplate::with`].
#[derive(Debug, Clone)]
pub struct FilledTemplate {
    template: &'static StatementTemplate,
    values: Vec<Value>,
}

impl FilledTemplate {
    /// The statement that the template's sample makes for `dialect`. Values are those of one dialect, as keys are kept differently;
    /// whoever wants the text in another one has it from this.
    pub fn sample(&self, dialect: Dialect) -> Statement {
        (self.template.sample)(dialect)
    }

    pub(super) fn operation(&self) -> &'static str {
        self.template.operation()
    }

    pub(super) fn effect(&self) -> Effect {
        self.template.effect()
    }

    pub(super) fn render(&self, dialect: Dialect) -> Result<Rendered, RenderError> {
        let text = self.template.text(dialect)?;
        if !self.values.iter().map(discriminant).eq(text.kinds.iter().copied()) {
            return Err(RenderError::Unsupported { dialect, construct: "other values than the template's sample has" });
        }
        if self.values.iter().any(|value| *value == value.as_null()) {
            return Err(RenderError::Unsupported { dialect, construct: "NULL in a template" });
        }
        Ok(Rendered { sql: text.sql.clone(), values: Values(self.values.clone()) })
    }
}

#[cfg(test)]
mod tests {
    use sea_query::{Expr, ExprTrait, Query};
    use uuid::Uuid;

    use super::*;
    use crate::database::uuid_key;

    fn by_id(id: Uuid, dialect: Dialect) -> Statement {
        let key = uuid_key(dialect, id);
        Query::select().column("name").from("shelves").and_where(Expr::col("id").eq(key)).take().into()
    }

    static BY_ID: StatementTemplate = StatementTemplate::new(|dialect| by_id(Uuid::nil(), dialect));

    const ALL: [Dialect; 4] = [Dialect::MySql, Dialect::Postgres, Dialect::Sqlite, Dialect::SqlServer];

    #[test]
    fn it_says_what_the_tree_says() {
        let id = Uuid::from_u128(7);
        for dialect in ALL {
            let filled = BY_ID.with([uuid_key(dialect, id)]);
            assert_eq!(filled.render(dialect), by_id(id, dialect).render(dialect));
            assert_eq!(filled.operation(), "SELECT");
        }
    }

    #[test]
    fn values_that_do_not_fit_are_refused() {
        let key = uuid_key(Dialect::Postgres, Uuid::nil());
        for values in [vec![], vec![key.clone(), key.clone()], vec![7_i64.into()], vec![key.as_null()]] {
            let refused = BY_ID.with(values.clone()).render(Dialect::Postgres);
            assert!(matches!(refused, Err(RenderError::Unsupported { .. })), "{values:?}");
        }
    }

    #[test]
    fn a_sample_that_a_dialect_cannot_say_is_refused_there() {
        static FIRST: StatementTemplate =
            StatementTemplate::new(|_| Query::select().column("name").from("shelves").limit(1).take().into());
        let limit: Value = 1_i64.into();
        assert!(FIRST.with([limit.clone()]).render(Dialect::Sqlite).is_ok());
        assert!(FIRST.with([limit]).render(Dialect::SqlServer).is_err());
    }
}
