//! The WHERE and ORDER BY of a list that is read in pages behind a position, without offsets.

use sea_query::{Condition, DynIden, Expr, ExprTrait, IntoIden, Order, SelectStatement, Value};
use sql_dialect::Dialect;

use super::{DatabaseError, Row, SqlExecutor, text_key, uuid_key};
use crate::RequestContext;
use crate::paging::{Direction, Limit, Position, SortKey};

/// The order of a list: one column, and the id among equals.
///
/// `NULL`s come last in both directions. No engine needs `NULLS LAST` or row values for it, which T-SQL lacks, nor a
/// `CASE` in ORDER BY, which no index serves: a list over a nullable column is two parts, the rows with a value and
/// then the rows without one, and each part is in index order.
#[derive(Debug, Clone)]
pub struct Keyset {
    column: DynIden,
    id: DynIden,
    nullable: bool,
    direction: Direction,
}

/// One part of a list. Read the parts in order until the page is full.
#[derive(Debug, Clone)]
pub struct Part {
    condition: Option<Condition>,
    order: Vec<(DynIden, Order)>,
}

impl Keyset {
    /// An order by a column that is never `NULL`.
    pub fn over(column: impl IntoIden, id: impl IntoIden, direction: Direction) -> Self {
        Self { column: column.into_iden(), id: id.into_iden(), nullable: false, direction }
    }

    /// Declares that the column can be `NULL`.
    #[must_use]
    pub const fn nullable(mut self, nullable: bool) -> Self {
        self.nullable = nullable;
        self
    }

    /// The parts that lie behind `after`, or all when the list begins.
    pub fn parts(&self, dialect: Dialect, after: Option<&Position>) -> Vec<Part> {
        match after {
            None if self.nullable => vec![self.valued(None), self.without_value(None)],
            None => vec![self.valued(None)],
            Some(Position { key: Some(key), id }) => {
                let id = uuid_key(dialect, *id);
                let key = key_value(dialect, key);
                let mut parts = vec![self.valued(Some((key, id)))];
                if self.nullable {
                    parts.push(self.without_value(None));
                }
                parts
            }
            Some(Position { key: None, id }) => vec![self.without_value(Some(uuid_key(dialect, *id)))],
        }
    }

    /// Reads the rows behind `after`: as many as a page has, and one more when the list goes on (see
    /// [`crate::paging::Page::cut`]).
    ///
    /// # Errors
    /// What the database says.
    pub async fn read(
        &self,
        sql: &dyn SqlExecutor,
        select: &SelectStatement,
        after: Option<&Position>,
        limit: Limit,
        context: &RequestContext,
    ) -> Result<Vec<Row>, DatabaseError> {
        let wanted = usize::from(limit.get()) + 1;
        let mut rows = Vec::new();
        for part in self.parts(sql.dialect(), after) {
            let mut select = select.clone();
            part.apply(&mut select, (wanted - rows.len()) as u64);
            rows.extend(sql.query(&select.into(), context).await?);
            if rows.len() >= wanted {
                break;
            }
        }
        Ok(rows)
    }

    fn valued(&self, after: Option<(Value, Value)>) -> Part {
        let column = || Expr::col(self.column.clone());
        let condition = match after {
            Some((key, id)) => {
                // The first line says nothing new. It is there for planners that do not see a range in an OR.
                let reached = self.not_before(column(), key.clone());
                let behind = Condition::any()
                    .add(self.behind(column(), key.clone()))
                    .add(Condition::all().add(column().eq(key)).add(self.behind(Expr::col(self.id.clone()), id)));
                Some(Condition::all().add(reached).add(behind))
            }
            None if self.nullable => Some(Condition::all().add(column().is_not_null())),
            None => None,
        };
        let order = vec![(self.column.clone(), self.order()), (self.id.clone(), self.order())];
        Part { condition, order }
    }

    fn without_value(&self, after: Option<Value>) -> Part {
        let condition = Condition::all()
            .add(Expr::col(self.column.clone()).is_null())
            .add_option(after.map(|id| self.behind(Expr::col(self.id.clone()), id)));
        Part { condition: Some(condition), order: vec![(self.id.clone(), self.order())] }
    }

    fn behind(&self, column: Expr, value: Value) -> Expr {
        match self.direction {
            Direction::Ascending => column.gt(value),
            Direction::Descending => column.lt(value),
        }
    }

    fn not_before(&self, column: Expr, value: Value) -> Expr {
        match self.direction {
            Direction::Ascending => column.gte(value),
            Direction::Descending => column.lte(value),
        }
    }

    const fn order(&self) -> Order {
        match self.direction {
            Direction::Ascending => Order::Asc,
            Direction::Descending => Order::Desc,
        }
    }
}

impl Part {
    /// Adds the part's conditions, its order and a limit to a select.
    pub fn apply(&self, select: &mut SelectStatement, limit: u64) {
        if let Some(condition) = &self.condition {
            select.cond_where(condition.clone());
        }
        for (column, order) in &self.order {
            select.order_by(column.clone(), order.clone());
        }
        select.limit(limit);
    }
}

fn key_value(dialect: Dialect, key: &SortKey) -> Value {
    match key {
        SortKey::Text(text) => text_key(dialect, text),
        SortKey::Integer(number) => (*number).into(),
        SortKey::Date(date) => (*date).into(),
        SortKey::Instant(instant) => (*instant).into(),
    }
}

#[cfg(test)]
mod tests {
    use sea_query::Query;
    use uuid::Uuid;

    use super::*;
    use crate::database::Statement;

    #[track_caller]
    fn check(keyset: &Keyset, after: Option<&Position>, expected: &[&str]) {
        let texts: Vec<String> = keyset
            .parts(Dialect::Postgres, after)
            .iter()
            .map(|part| {
                let mut select = Query::select().column("id").from("t").to_owned();
                part.apply(&mut select, 3);
                Statement::from(select).render(Dialect::Postgres).expect("a plain select").sql
            })
            .collect();
        assert_eq!(texts, expected);
    }

    fn position(key: Option<SortKey>) -> Position {
        Position { key, id: Uuid::from_u128(7) }
    }

    #[test]
    fn a_column_with_values_is_one_part() {
        let keyset = Keyset::over("name", "id", Direction::Ascending);
        check(&keyset, None, &[r#"SELECT "id" FROM "t" ORDER BY "name" ASC, "id" ASC LIMIT $1"#]);
        check(
            &keyset,
            Some(&position(Some(SortKey::Text("m".to_owned())))),
            &[
                r#"SELECT "id" FROM "t" WHERE "name" >= $1 AND ("name" > $2 OR ("name" = $3 AND "id" > $4)) ORDER BY "name" ASC, "id" ASC LIMIT $5"#,
            ],
        );
    }

    #[test]
    fn nulls_come_last_in_both_directions() {
        let keyset = Keyset::over("pages", "id", Direction::Descending).nullable(true);
        let without_value = r#"SELECT "id" FROM "t" WHERE "pages" IS NULL ORDER BY "id" DESC LIMIT $1"#;
        check(
            &keyset,
            None,
            &[
                r#"SELECT "id" FROM "t" WHERE "pages" IS NOT NULL ORDER BY "pages" DESC, "id" DESC LIMIT $1"#,
                without_value,
            ],
        );
        check(
            &keyset,
            Some(&position(Some(SortKey::Integer(9)))),
            &[
                r#"SELECT "id" FROM "t" WHERE "pages" <= $1 AND ("pages" < $2 OR ("pages" = $3 AND "id" < $4)) ORDER BY "pages" DESC, "id" DESC LIMIT $5"#,
                without_value,
            ],
        );
        check(
            &keyset,
            Some(&position(None)),
            &[r#"SELECT "id" FROM "t" WHERE "pages" IS NULL AND "id" < $1 ORDER BY "id" DESC LIMIT $2"#],
        );
    }

    #[test]
    fn every_kind_of_key_has_a_value() {
        let date = chrono::NaiveDate::from_ymd_opt(2000, 2, 29).expect("a day");
        assert_eq!(key_value(Dialect::MySql, &SortKey::Date(date)), Value::from(date));
        let instant = chrono::DateTime::UNIX_EPOCH;
        assert_eq!(key_value(Dialect::MySql, &SortKey::Instant(instant)), Value::from(instant));
        assert_eq!(key_value(Dialect::SqlServer, &SortKey::Text("é".to_owned())), Value::from("é".as_bytes().to_vec()));
    }
}
