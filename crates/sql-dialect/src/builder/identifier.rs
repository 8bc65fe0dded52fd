//! Identifiers: what may be one, and how it is quoted.

use std::fmt::{self, Write};

use sea_query::{DynIden, QuotedBuilder};

use super::Builder;
use crate::{Dialect, RenderError};

impl Builder {
    /// Writes a quoted identifier.
    ///
    /// sea-query escapes the quote only in identifiers that it owns and trusts borrowed ones; here all are escaped.
    pub(super) fn identifier(&self, iden: &DynIden, sql: &mut impl Write) {
        let quote = self.quote();
        let mut quoted = Quoted { builder: self, close: quote.right(), empty: true, sql };
        let _ = quoted.sql.write_char(quote.left());
        let _ = write!(quoted, "{iden}");
        let empty = quoted.empty;
        let _ = sql.write_char(quote.right());
        if empty {
            self.refuse_identifier("", "it is empty");
        }
    }

    /// Writes an identifier that is given as text, such as the name of a constraint.
    pub(super) fn identifier_text(&self, name: &str, sql: &mut impl Write) {
        self.identifier(&DynIden::from(name.to_owned()), sql);
    }

    pub(super) fn refuse_identifier(&self, identifier: &str, reason: &'static str) {
        self.fail(RenderError::Identifier { dialect: self.dialect, identifier: identifier.to_owned(), reason });
    }

    fn check_identifier(&self, name: &str) {
        let too_long = match self.dialect {
            Dialect::MySql => (name.chars().count() > 64).then_some("it has more than 64 characters"),
            Dialect::Postgres => (name.len() > 63).then_some("it has more than 63 bytes"),
            Dialect::SqlServer => {
                (name.encode_utf16().count() > 128).then_some("it has more than 128 UTF-16 code units")
            }
            Dialect::Sqlite => None,
        };
        if let Some(reason) = too_long {
            self.refuse_identifier(name, reason);
        }
        if name.contains('\0') {
            self.refuse_identifier(name, "it contains U+0000");
        }
        if self.is(Dialect::MySql) {
            if name.ends_with(' ') {
                self.refuse_identifier(name, "it ends with a space");
            }
            if name.chars().any(|character| u32::from(character) > 0xFFFF) {
                self.refuse_identifier(name, "it has a character beyond U+FFFF");
            }
        }
    }
}

/// Doubles the closing quote in all that is written to it.
struct Quoted<'a, W> {
    builder: &'a Builder,
    close: char,
    empty: bool,
    sql: &'a mut W,
}

impl<W: Write> Write for Quoted<'_, W> {
    /// `DynIden` displays itself in one piece, so this sees the whole identifier.
    fn write_str(&mut self, name: &str) -> fmt::Result {
        // Nearly every name is short and plain, and needs neither a check nor an escape.
        if !name.is_empty() && name.len() <= 63 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            self.empty = false;
            return self.sql.write_str(name);
        }
        self.empty &= name.is_empty();
        self.builder.check_identifier(name);
        let mut pieces = name.split(self.close);
        if let Some(first) = pieces.next() {
            self.sql.write_str(first)?;
        }
        for piece in pieces {
            self.sql.write_char(self.close)?;
            self.sql.write_char(self.close)?;
            self.sql.write_str(piece)?;
        }
        Ok(())
    }
}

/// Whether `name` can stand without quotes: words of letters, digits, `_` and `$`, joined by `separator`.
pub(super) fn is_bare(name: &str, separator: char) -> bool {
    name.split(separator).all(|word| {
        word.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && word.chars().all(|character| character.is_ascii_alphanumeric() || character == '_' || character == '$')
    })
}
