//! Names from the worst of callers, and which of them are refused. `connection-manager`'s tests, which have the engines, include
//! this file too.

use proptest::prelude::*;
use sql_dialect::Dialect;

/// Names and texts with whatever means something to somebody.
pub(crate) fn hostile() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        Just("'"),
        Just("\""),
        Just("`"),
        Just("["),
        Just("]"),
        Just("]]"),
        Just("\\"),
        Just("';--"),
        Just("/*"),
        Just("*/"),
        Just("--"),
        Just("\n"),
        Just("\0"),
        Just("\u{1A}"),
        Just("\u{1F980}"),
        Just("é"),
        Just("$1"),
        Just("?"),
        Just("@P1"),
        Just(" "),
        Just("x"),
        Just("{"),
        Just("%"),
        Just("_"),
        Just("\u{202E}"),
        Just("ß"),
    ];
    prop_oneof![
        4 => prop::collection::vec(pieces, 0..12).prop_map(|pieces| pieces.concat()),
        1 => any::<String>(),
        1 => "[a-z\u{1F980}é]{50,140}",
    ]
}

/// Why an identifier cannot be one, by the rules of the README.
pub(crate) fn is_refused(dialect: Dialect, name: &str) -> bool {
    name.is_empty()
        || name.contains('\0')
        || match dialect {
            Dialect::MySql => {
                name.chars().count() > 64
                    || name.ends_with([' ', '\t', '\n', '\u{B}', '\u{C}', '\r'])
                    || name.chars().any(|character| character > '\u{FFFF}')
            }
            Dialect::Postgres => name.len() > 63,
            Dialect::SqlServer => name.encode_utf16().count() > 128,
            Dialect::Sqlite => false,
        }
}
