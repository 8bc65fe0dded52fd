//! Parts of statements that the server tells as texts. Each is put into a statement of ours, and must not end it: T-SQL needs nothing
//! between two statements.

use super::tokens::{self, Token};

/// Words that begin statements, and that nothing can be called without brackets.
const STATEMENTS: [&str; 31] = [
    "ALTER",
    "BACKUP",
    "CHECKPOINT",
    "CREATE",
    "DBCC",
    "DECLARE",
    "DELETE",
    "DENY",
    "DROP",
    "EXEC",
    "EXECUTE",
    "GOTO",
    "GRANT",
    "IF",
    "INSERT",
    "KILL",
    "PRINT",
    "RAISERROR",
    "RECONFIGURE",
    "RESTORE",
    "REVERT",
    "REVOKE",
    "SET",
    "SHUTDOWN",
    "TRUNCATE",
    "UPDATE",
    "UPDATETEXT",
    "USE",
    "WAITFOR",
    "WHILE",
    "WRITETEXT",
];

/// Whether a word begins a statement.
pub(super) fn begins_statement(token: &Token<'_>) -> bool {
    token.is(&STATEMENTS)
}

/// The text in parentheses, those it has or others, where it is one expression: what is in parentheses cannot be two statements.
pub(super) fn enclosed(text: &str) -> Result<String, &'static str> {
    let found = tokens::read(text).ok_or("a quote or a comment in it does not end")?;
    let tokens: Vec<Token<'_>> = found.pieces.iter().map(|piece| piece.token).collect();
    if tokens.first().is_some_and(|first| first.is(&["CREATE"])) {
        return Err("it is an object of its own, which is not written");
    }
    if tokens.is_empty()
        || found.has_comments
        || tokens.contains(&Token::Sign(';'))
        || tokens.iter().any(begins_statement)
    {
        return Err("it is not told as one expression");
    }
    let mut depth = 0_usize;
    let mut ends_before_the_last = false;
    for (place, token) in tokens.iter().enumerate() {
        match token {
            Token::Sign('(') => depth += 1,
            Token::Sign(')') => depth = depth.checked_sub(1).ok_or("it is not told as one expression")?,
            _ => {}
        }
        ends_before_the_last |= depth == 0 && place + 1 < tokens.len();
    }
    match depth {
        0 if ends_before_the_last || tokens.len() == 1 => Ok(format!("({text})")),
        0 => Ok(text.to_owned()),
        _ => Err("it is not told as one expression"),
    }
}

/// A collation, which stands in no quotes.
pub(super) fn is_collation(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|one| one.is_ascii_alphanumeric() || one == '_')
}

/// Whether it is a type of the engine's as it is declared: `int`, `decimal(10,2)`, `nvarchar(max)`.
pub(super) fn is_plain_type(text: &str) -> bool {
    let (word, modifiers) = match text.split_once('(') {
        Some((word, rest)) => (word, rest.strip_suffix(')')),
        None => (text, Some("max")),
    };
    let is_number = |text: &str| (1..=4).contains(&text.len()) && text.chars().all(|one| one.is_ascii_digit());
    let fits =
        modifiers.is_some_and(|all| all == "max" || (all.split(',').count() <= 2 && all.split(',').all(is_number)));
    let is_word = word.starts_with(|first: char| first.is_ascii_alphabetic())
        && word.chars().all(|one| one.is_ascii_alphanumeric() || one == '_');
    is_word && fits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_put_in_parentheses_once() {
        for (text, written) in [
            ("('x''y')", "('x''y')"),
            ("((1))", "((1))"),
            ("1", "(1)"),
            ("(1)+(2)", "((1)+(2))"),
            ("a", "(a)"),
            ("([a)]>(0))", "([a)]>(0))"),
            ("(case when [a]=(1) then ';' end)", "(case when [a]=(1) then ';' end)"),
            ("NEXT VALUE FOR [s].[q]", "(NEXT VALUE FOR [s].[q])"),
        ] {
            assert_eq!(enclosed(text).as_deref(), Ok(written));
        }
    }

    #[test]
    fn what_would_end_its_statement_is_no_expression() {
        for text in [
            "",
            "(1",
            "1)",
            "1) DROP TABLE victim; SELECT (1",
            "(1)) DROP TABLE [a] ADD b AS ((1)",
            "1; DROP TABLE victim",
            "1 DROP TABLE victim",
            "(1) -- ",
            "1 /* */",
            "'a",
            "[a",
            "(1)) exec x('y'",
            "CREATE DEFAULT d AS 1",
            " ",
        ] {
            assert!(enclosed(text).is_err(), "{text}");
        }
        assert_eq!(enclosed("create default dbo.d as 0"), Err("it is an object of its own, which is not written"));
    }

    #[test]
    fn types_and_collations_are_words() {
        for text in ["int", "decimal(10,2)", "nvarchar(max)", "sql_variant", "datetime2(7)", "varchar(8000)"] {
            assert!(is_plain_type(text), "{text}");
        }
        for text in
            ["", "int, b int", "int)", "decimal(10,2,3)", "(1)", "varchar(a)", "varchar(", "x y", "int(1)x", "1a"]
        {
            assert!(!is_plain_type(text), "{text}");
        }
        assert!(is_collation("Latin1_General_BIN2") && !is_collation("") && !is_collation("a b") && !is_collation("é"));
    }
}
