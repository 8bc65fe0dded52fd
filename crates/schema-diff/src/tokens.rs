//! Expressions of engines, as far as it takes to see that only names in them have changed.

/// A piece of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// A name or a keyword, without its quotes.
    Word(String),
    /// A text in single quotes, as it is written.
    Literal(String),
    /// Anything else but space.
    Other(char),
}

pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(start) = rest.next() {
        match start {
            '\'' | '"' | '`' => {
                let mut inside = String::new();
                while let Some(next) = rest.next() {
                    // Twice is once of it within.
                    if next == start && rest.next_if_eq(&start).is_none() {
                        break;
                    }
                    inside.push(next);
                }
                found.push(if start == '\'' { Token::Literal(inside) } else { Token::Word(inside) });
            }
            _ if start.is_alphanumeric() || start == '_' => {
                let mut word = String::from(start);
                while let Some(next) = rest.next_if(|next| next.is_alphanumeric() || matches!(next, '_' | '$')) {
                    word.push(next);
                }
                found.push(Token::Word(word));
            }
            _ if start.is_whitespace() => {}
            _ => found.push(Token::Other(start)),
        }
    }
    found
}

/// Leaves out what a result is called: `x AS y` is `x`.
pub(crate) fn without_aliases(tokens: Vec<Token>) -> Vec<Token> {
    let mut kept: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let is_as = matches!(&token, Token::Word(word) if word.eq_ignore_ascii_case("as"));
        if !(is_as && tokens.next_if(|next| matches!(next, Token::Word(_))).is_some()) {
            kept.push(token);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_their_quotes_and_texts_keep_what_is_in_them() {
        let word = |text: &str| Token::Word(text.to_owned());
        assert_eq!(
            tokens("a.\"B\"\"c\" >= `d` || 'it''s \"x\"'"),
            [
                word("a"),
                Token::Other('.'),
                word("B\"c"),
                Token::Other('>'),
                Token::Other('='),
                word("d"),
                Token::Other('|'),
                Token::Other('|'),
                Token::Literal("it's \"x\"".to_owned()),
            ]
        );
        assert_eq!(tokens("'never closed"), [Token::Literal("never closed".to_owned())]);
        assert_eq!(without_aliases(tokens("SELECT a AS b, c as d FROM t")), tokens("SELECT a, c FROM t"));
    }
}
