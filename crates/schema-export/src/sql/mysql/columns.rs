use std::fmt::Write as _;

use schema_model::{Column, Generated, GenerationStorage, ObjectName, Relation, TypeFamily};

use super::names::{literal, quoted};
use super::{Product, Writer, is, number, text};

impl Writer<'_> {
    pub(super) fn column(&mut self, table: &ObjectName, relation: &Relation, column: &Column) -> String {
        let mut written = format!("{} {}", quoted(&column.name), column.data_type.text);
        if let Some(collation) = &column.collation {
            let _ = write!(written, " COLLATE {}", quoted(collation));
        }
        if let Some(generated) = &column.generated {
            written += &self.generated(table, column, generated);
        }
        written += nullability(column, self.product);
        if let Some(number) = number(&column.native, "srid") {
            let _ = write!(written, " SRID {number}");
        }
        written += &self.default(table, column);
        if column.identity.is_some() {
            written += " AUTO_INCREMENT";
        }
        if is(&column.native, "invisible") {
            written += " INVISIBLE";
        }
        if is(&relation.native, "system_versioned") && column.native.contains_key("system_versioned") {
            written += " WITHOUT SYSTEM VERSIONING";
        }
        if let Some(comment) = &column.comment {
            let _ = write!(written, " COMMENT {}", literal(comment));
        }
        written
    }

    fn generated(&mut self, table: &ObjectName, column: &Column, generated: &Generated) -> String {
        let part = format!("column {}: generated", column.name);
        let storage = if generated.storage == GenerationStorage::Stored { "STORED" } else { "VIRTUAL" };
        match self.script.known(table, &part, &generated.expression).map(String::as_str) {
            None => String::new(),
            // When rows of MariaDB began to count, and when they ended.
            Some(rows @ ("ROW START" | "ROW END")) => format!(" GENERATED ALWAYS AS {rows}"),
            Some(expression) => format!(" GENERATED ALWAYS AS ({expression}) {storage}"),
        }
    }

    fn default(&mut self, table: &ObjectName, column: &Column) -> String {
        let mut written = String::new();
        if let Some(default) = &column.default
            && let Some(default) = self.script.known(table, &format!("column {}: default", column.name), default)
        {
            // MariaDB tells a default as it is written.
            let is_bare = self.product == Product::MariaDb || is_bare(column, default);
            let _ =
                if is_bare { write!(written, " DEFAULT {default}") } else { write!(written, " DEFAULT ({default})") };
        }
        if let Some(words) = text(&column.native, "on_update") {
            let _ = write!(written, " ON UPDATE {words}");
        }
        written
    }
}

/// What may be NULL says so too: of a `timestamp` it is not a matter of course.
fn nullability(column: &Column, product: Product) -> &'static str {
    // Of what is generated, MariaDB has no word for it.
    if column.generated.is_some() && (column.nullable || product == Product::MariaDb) {
        ""
    } else if column.nullable {
        " NULL"
    } else {
        " NOT NULL"
    }
}

/// Whether MySQL takes a default without parentheses: a literal where the type may have one, and the time of now.
fn is_bare(column: &Column, default: &str) -> bool {
    let type_text = column.data_type.text.as_str();
    let is_long = matches!(column.data_type.family, TypeFamily::Json | TypeFamily::Geometric | TypeFamily::Other)
        || (type_text.ends_with("text") || type_text.ends_with("blob"));
    let is_now = column.data_type.family == TypeFamily::Timestamp && default.starts_with("CURRENT_TIMESTAMP");
    !is_long && (is_now || is_literal(default))
}

/// Whether an expression is a literal and nothing else.
fn is_literal(text: &str) -> bool {
    let inner = |text: &str| -> Option<String> {
        let inner = text.strip_prefix('\'')?.strip_suffix('\'')?;
        Some(inner.replace("\\\\", "").replace("\\'", "").replace("''", ""))
    };
    let is_quoted = |text: &str| inner(text).is_some_and(|inner| !inner.contains('\''));
    let number = text.strip_prefix('-').unwrap_or(text);
    let is_number = number.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        && number.chars().all(|one| one.is_ascii_alphanumeric() || matches!(one, '.' | '+' | '-'));
    is_number || is_quoted(text) || text.strip_prefix('b').is_some_and(is_quoted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_is_one_from_its_beginning_to_its_end() {
        for text in ["0", "-1.50", "1e10", "-1e-300", "0x6162", "b'10101'", "''", "'it''s'", "'a\\\\'", "'it\\'s'"] {
            assert!(is_literal(text), "{text}");
        }
        for text in ["uuid()", "(1 + 1)", "'a' + 'b'", "_utf8mb4'a'", "1 + 1", "b'1' + b'1'", "'", "json_array()"] {
            assert!(!is_literal(text), "{text}");
        }
    }
}
