//! Index hints of MySQL.

use std::fmt::{self, Display, Write};

use sea_query::{DynIden, MysqlQueryBuilder, QueryBuilder, SelectStatement, SqlWriter, TableRef, Value};

use super::Builder;

impl Builder {
    /// Writes the hints as sea-query does, for it alone can read them, but quotes the names again.
    pub(super) fn index_hints(&self, table: &TableRef, select: &SelectStatement, sql: &mut impl SqlWriter) {
        let mut names = Names { builder: self, name: None, sql };
        MysqlQueryBuilder.prepare_index_hints(table, select, &mut names);
    }
}

/// Takes each name out of the quotes that sea-query writes around it.
///
/// sea-query writes a quote as one character, then a borrowed name in one piece or an owned name by characters with its
/// quotes doubled, and at last a quote and `)` in one piece.
struct Names<'a, W> {
    builder: &'a Builder,
    name: Option<String>,
    sql: &'a mut W,
}

impl<W: SqlWriter> Write for Names<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        match self.name.take() {
            Some(name) if text == ")" && name.ends_with('`') => {
                let name = name[..name.len() - 1].replace("``", "`");
                self.builder.identifier(&DynIden::from(name), self.sql);
                self.sql.write_str(text)
            }
            Some(mut name) => {
                // A borrowed name has no doubled quotes yet.
                name.push_str(&text.replace('`', "``"));
                self.name = Some(name);
                Ok(())
            }
            None => self.sql.write_str(text),
        }
    }

    fn write_char(&mut self, character: char) -> fmt::Result {
        match &mut self.name {
            Some(name) => name.push(character),
            None if character == '`' => self.name = Some(String::new()),
            None => self.sql.write_char(character)?,
        }
        Ok(())
    }
}

impl<W> Display for Names<'_, W> {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl<W: SqlWriter> SqlWriter for Names<'_, W> {
    fn push_param<T: QueryBuilder>(&mut self, value: Value, builder: &T) {
        self.sql.push_param(value, builder);
    }

    fn as_writer(&mut self) -> &mut dyn Write {
        self
    }
}
