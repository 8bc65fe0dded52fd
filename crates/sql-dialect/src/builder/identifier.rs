//! Identifiers: what may be one, and how it is quoted.

use std::fmt::Write;

use sea_query::{DynIden, QuotedBuilder};

use super::{Builder, put};
use crate::{Dialect, RenderError};

impl Builder {
    /// Writes a quoted identifier.
    ///
    /// sea-query escapes the quote only in identifiers that it owns and trusts borrowed ones; here all are escaped.
    pub(super) fn identifier(&self, iden: &DynIden, sql: &mut impl Write) {
        // Nearly every identifier is a constant of the program, which is lent here and not copied.
        self.identifier_text(&iden.inner(), sql);
    }

    /// Writes an identifier that is given as text, such as the name of a constraint.
    pub(super) fn identifier_text(&self, name: &str, sql: &mut impl Write) {
        let quote = self.quote();
        let _ = sql.write_char(quote.left());
        if is_plain(name) {
            put(sql, name);
        } else {
            self.check_identifier(name);
            put_escaped(sql, name, quote.right());
        }
        let _ = sql.write_char(quote.right());
    }

    pub(super) fn refuse_identifier(&self, identifier: &str, reason: &'static str) {
        self.fail(RenderError::Identifier { dialect: self.dialect, identifier: identifier.to_owned(), reason });
    }

    fn check_identifier(&self, name: &str) {
        if name.is_empty() {
            self.refuse_identifier(name, "it is empty");
        }
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
            if name.ends_with([' ', '\t', '\n', '\u{B}', '\u{C}', '\r']) {
                self.refuse_identifier(name, "it ends with white space");
            }
            if name.chars().any(|character| u32::from(character) > 0xFFFF) {
                self.refuse_identifier(name, "it has a character beyond U+FFFF");
            }
        }
    }
}

/// Whether `name` needs neither a check nor an escape, being short and of plain characters, as nearly every name is.
fn is_plain(name: &str) -> bool {
    (1..=63).contains(&name.len()) && name.bytes().all(|byte| PLAIN[usize::from(byte)])
}

/// Letters, digits and `_` of ASCII. Looking a byte up takes a third of the time that comparing it with the ranges does.
static PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte = 0_u8;
    loop {
        plain[byte as usize] = byte.is_ascii_alphanumeric() || byte == b'_';
        if byte == u8::MAX {
            break plain;
        }
        byte += 1;
    }
};

/// Writes `name` with every closing quote doubled.
fn put_escaped(sql: &mut impl Write, name: &str, close: char) {
    for (index, piece) in name.split(close).enumerate() {
        if index > 0 {
            let _ = sql.write_char(close);
            let _ = sql.write_char(close);
        }
        put(sql, piece);
    }
}

/// Whether `name` can stand without quotes: words of letters, digits, `_` and `$`, joined by `separator`.
pub(super) fn is_bare(name: &str, separator: char) -> bool {
    name.split(separator).all(|word| {
        word.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && word.chars().all(|character| character.is_ascii_alphanumeric() || character == '_' || character == '$')
    })
}
