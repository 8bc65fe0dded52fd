use std::fmt::Write as _;

use sea_query::Value;
use shared_kernel::database::{Dialect, RawStatement, Statement};

use super::product::Product;
use crate::InspectOptions;
use crate::statement::select;

/// What every question to MariaDB begins with. It opens tables to answer, and is not to wait for one that it cannot open; why it
/// could not, it is to say in English. A view is checked by the mode of whoever opens it: one that groups as MariaDB lets views group unless
/// it is told otherwise is no broken one.
const WITHOUT_WAITING: &str =
    "SET STATEMENT lock_wait_timeout = 0, lc_messages = 'en_US', sql_mode = 'NO_ENGINE_SUBSTITUTION' FOR ";

/// Databases of the engine itself.
const SYSTEM: &str = "'information_schema', 'performance_schema', 'mysql', 'sys', 'ndbinfo'";

/// The questions, as a product understands them.
pub(super) struct Texts<'a> {
    product: Product,
    options: &'a InspectOptions,
    /// Tables that could not be opened; they are not tried again.
    unreadable: &'a [(String, String)],
}

/// What stands for what in a text.
type Parts<'a> = &'a [(&'static str, &'a str)];

impl<'a> Texts<'a> {
    pub(super) fn new(product: Product, options: &'a InspectOptions, unreadable: &'a [(String, String)]) -> Self {
        Self { product, options, unreadable }
    }

    pub(super) fn relations(&self) -> Statement {
        let sizes = self.either(("NULL", "NULL"), ("TABLE_ROWS", "DATA_LENGTH + INDEX_LENGTH"));
        self.statement(include_str!("relations.sql"), &[("rows", sizes.0), ("bytes", sizes.1)])
    }

    /// In milliseconds, how long the server may take.
    pub(super) fn statistics(&self, limit: u128) -> Statement {
        self.statement(include_str!("statistics.sql"), &[("limit", &limit.to_string())])
    }

    pub(super) fn columns(&self) -> Statement {
        self.statement(include_str!("columns.sql"), &[("srs", self.either("SRS_ID", "NULL"))])
    }

    pub(super) fn indexes(&self) -> Statement {
        let ignored = if self.product.is_at_least((10, 6)) { "IF(IGNORED = 'YES', 'NO', 'YES')" } else { "'YES'" };
        let parts = [
            ("used", self.either("CONVERT(IS_VISIBLE USING utf8mb4)", ignored)),
            ("expression", self.either("CONVERT(EXPRESSION USING utf8mb4)", "NULL")),
        ];
        self.statement(include_str!("indexes.sql"), &parts)
    }

    pub(super) fn constraints(&self) -> Statement {
        let parts = [
            ("check_table", self.either("NULL", "CONVERT(TABLE_NAME USING utf8mb4)")),
            ("readable_check", self.either("", "{readable CONSTRAINT_SCHEMA}")),
            ("enforced", self.either(include_str!("enforced.sql").trim_end(), "")),
        ];
        self.statement(include_str!("constraints.sql"), &parts)
    }

    pub(super) fn views(&self) -> Statement {
        let algorithm = self.either("NULL", "CONVERT(ALGORITHM USING utf8mb4)");
        let usage = self.either(include_str!("usage.sql").trim_end(), "");
        self.statement(include_str!("views.sql"), &[("algorithm", algorithm), ("usage", usage)])
    }

    pub(super) fn partitions(&self) -> Statement {
        self.statement(include_str!("partitions.sql"), &[])
    }

    pub(super) fn triggers(&self) -> Statement {
        let readable = self.either("", "{readable EVENT_OBJECT_SCHEMA EVENT_OBJECT_TABLE}");
        self.statement(include_str!("triggers.sql"), &[("readable_trigger", readable)])
    }

    pub(super) fn routines(&self) -> Statement {
        self.statement(include_str!("routines.sql"), &[])
    }

    fn either<T>(&self, mysql: T, mariadb: T) -> T {
        if self.product.is_mariadb { mariadb } else { mysql }
    }

    fn statement(&self, text: &str, parts: Parts<'_>) -> Statement {
        let text =
            parts.iter().fold(text.to_owned(), |text, (place, part)| text.replace(&format!("{{{place}}}"), part));
        self.filled(&text, self.either("", WITHOUT_WAITING))
    }

    /// Fills the places that values come with, in the order in which they stand.
    fn filled(&self, text: &str, prefix: &str) -> Statement {
        let lines: Vec<&str> = text.lines().skip_while(|line| line.starts_with("--")).collect();
        let text = lines.join("\n");
        let mut sql = prefix.to_owned();
        let mut values = Vec::new();
        let mut rest = text.as_str();
        while let Some((before, place, after)) = next_place(rest) {
            sql.push_str(before);
            let mut words = place.split(' ');
            match (words.next(), words.next(), words.next()) {
                (Some("selected"), Some(namespace), _) => self.select_namespaces(namespace, &mut sql, &mut values),
                (Some("readable"), Some(namespace), table) => {
                    self.leave_out(namespace, table.unwrap_or("TABLE_NAME"), &mut sql, &mut values);
                }
                (Some("warnings"), Some(columns), _) if self.product.is_mariadb => {
                    let others = columns.parse().unwrap_or(2) - 2;
                    sql.push_str("\nUNION ALL SELECT 'w', CAST(@@warning_count AS CHAR)");
                    sql.push_str(&", NULL".repeat(others));
                }
                _ => {}
            }
            rest = after;
        }
        sql.push_str(rest);
        values.into_iter().fold(select(Dialect::MySql, &sql), RawStatement::bind).into()
    }

    /// Names are compared byte for byte: by the catalog's collation two of them might be equal.
    fn select_namespaces(&self, column: &str, sql: &mut String, values: &mut Vec<Value>) {
        let _ = write!(sql, "{column} NOT IN ({SYSTEM})");
        let Some(names) = &self.options.namespaces else { return };
        if let [name] = names.as_slice() {
            // This alone keeps MariaDB from going through all databases.
            let _ = write!(sql, " AND {column} = ?");
            values.push(name.as_str().into());
        }
        if names.is_empty() {
            sql.push_str(" AND FALSE");
        } else {
            let places = vec!["CAST(? AS BINARY)"; names.len()].join(", ");
            let _ = write!(sql, " AND CAST({column} AS BINARY) IN ({places})");
        }
        values.extend(names.iter().map(|name| Value::from(name.as_str())));
    }

    fn leave_out(&self, namespace: &str, table: &str, sql: &mut String, values: &mut Vec<Value>) {
        for (unreadable_namespace, unreadable) in self.unreadable {
            let _ = write!(
                sql,
                " AND NOT (CAST({namespace} AS BINARY) = CAST(? AS BINARY) AND CAST({table} AS BINARY) = CAST(? AS BINARY))"
            );
            values.extend([unreadable_namespace.as_str().into(), unreadable.as_str().into()]);
        }
    }
}

/// The first question, which both products understand.
pub(super) fn database(options: &InspectOptions) -> Statement {
    let product = Product { is_mariadb: false, version: (0, 0, 0) };
    Texts::new(product, options, &[]).statement(include_str!("database.sql"), &[])
}

/// How sequences count: each is read as the table of one row that it is to MariaDB.
pub(super) fn sequences(names: &[(String, String)]) -> Statement {
    let one = |(number, (namespace, name)): (usize, &(String, String))| {
        format!(
            "SELECT {number}, CAST(start_value AS CHAR), CAST(increment AS CHAR), CAST(minimum_value AS CHAR), \
             CAST(maximum_value AS CHAR), CAST(cache_size AS CHAR), cycle_option FROM {}.{}",
            quoted(namespace),
            quoted(name)
        )
    };
    let all: Vec<String> = names.iter().enumerate().map(one).collect();
    select(Dialect::MySql, &format!("{WITHOUT_WAITING}{}", all.join(" UNION ALL "))).into()
}

fn next_place(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (place, after) = rest.split_once('}')?;
    Some((before, place, after))
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_place_is_left_open_for_any_product() {
        let unreadable = [("a".to_owned(), "b".to_owned()), ("c".to_owned(), "d".to_owned())];
        for options in [InspectOptions::default(), InspectOptions::default().only(["a"])] {
            for product in [
                Product { is_mariadb: false, version: (8, 0, 16) },
                Product { is_mariadb: true, version: (10, 5, 0) },
                Product { is_mariadb: true, version: (11, 4, 2) },
            ] {
                let texts = Texts::new(product, &options, &unreadable);
                for statement in [
                    database(&options),
                    texts.relations(),
                    texts.statistics(1),
                    texts.columns(),
                    texts.indexes(),
                    texts.constraints(),
                    texts.views(),
                    texts.partitions(),
                    texts.triggers(),
                    texts.routines(),
                ] {
                    let rendered = statement.render(Dialect::MySql).expect("a text");
                    assert!(!rendered.sql.contains(['{', '}']), "{}", rendered.sql);
                    assert_eq!(rendered.sql.matches('?').count(), rendered.values.0.len(), "{}", rendered.sql);
                }
            }
        }
    }

    #[test]
    fn names_of_sequences_are_quoted() {
        let text = sequences(&[("a`b".to_owned(), "c.d".to_owned())]).render(Dialect::MySql).expect("a text").sql;
        assert!(text.ends_with(" FROM `a``b`.`c.d`"), "{text}");
    }
}
