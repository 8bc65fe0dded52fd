//! Identifiers and texts from the worst of callers: a tokenizer of the dialect reads them back as they are, or they are
//! refused.

mod names;

use std::borrow::Cow;

use proptest::prelude::*;
use sea_query::extension::mysql::{IndexHintScope, MySqlSelectStatementExt};
use sea_query::{Expr, ExprTrait, Func, Iden, LikeExpr, OnConflict, Query as Q, SelectStatement, Value};
use sql_dialect::{Dialect, Query, RenderError, render};
use sqlparser::dialect::{self, MsSqlDialect, MySqlDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::tokenizer::{Token, Tokenizer, Word};

use names::{hostile, is_refused};

fn tokens(dialect: Dialect, sql: &str) -> Vec<Token> {
    let grammar: &dyn dialect::Dialect = match dialect {
        Dialect::MySql => &MySqlDialect {},
        Dialect::Postgres => &PostgreSqlDialect {},
        Dialect::Sqlite => &SQLiteDialect {},
        Dialect::SqlServer => &MsSqlDialect {},
    };
    let tokens = Tokenizer::new(grammar, sql).tokenize().expect("text that a tokenizer reads");
    tokens.into_iter().filter(|token| !matches!(token, Token::Whitespace(_))).collect()
}

/// The quoted identifiers of a text, without their quotes.
fn identifiers(dialect: Dialect, sql: &str) -> Vec<String> {
    tokens(dialect, sql)
        .into_iter()
        .filter_map(|token| match token {
            Token::Word(Word { value, quote_style: Some(_), .. }) => Some(value),
            _ => None,
        })
        .collect()
}

/// The text literals of a text, without their quotes.
fn literals(dialect: Dialect, sql: &str) -> Vec<String> {
    tokens(dialect, sql)
        .into_iter()
        .filter_map(|token| match token {
            Token::SingleQuotedString(text)
            | Token::NationalStringLiteral(text)
            | Token::EscapedStringLiteral(text) => Some(text),
            _ => None,
        })
        .collect()
}

/// An identifier that sea-query trusts, because it is borrowed.
struct Trusted(&'static str);

impl Iden for Trusted {
    fn quoted(&self) -> Cow<'static, str> {
        Cow::Borrowed(self.0)
    }

    fn unquoted(&self) -> &str {
        self.0
    }
}

fn check_identifier(select: &SelectStatement, name: &str, times: usize) {
    for dialect in Dialect::ALL {
        match render(dialect, Query::Select(select)) {
            Ok(rendered) => {
                assert!(!is_refused(dialect, name), "{dialect} took {name:?}: {}", rendered.sql);
                let found = identifiers(dialect, &rendered.sql);
                assert_eq!(found, vec![name.to_owned(); times], "{dialect}: {}", rendered.sql);
            }
            Err(RenderError::Identifier { .. }) => assert!(is_refused(dialect, name), "{dialect} refused {name:?}"),
            Err(error) => panic!("{dialect}: {error}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn identifiers_are_read_back_or_refused(name in hostile()) {
        let mut select = Q::select();
        select
            .expr_as(Expr::col((name.clone(), name.clone(), name.clone())), name.clone())
            .from((name.clone(), name.clone()))
            .and_where(Expr::col(name.clone()).is_null());
        check_identifier(&select, &name, 7);
    }

    #[test]
    fn borrowed_identifiers_are_read_back_or_refused(name in hostile()) {
        // A few hundred short strings for the life of the test.
        let name: &'static str = name.leak();
        let select = Q::select().column(Trusted(name)).from(Trusted(name)).take();
        check_identifier(&select, name, 2);
    }

    #[test]
    fn hinted_indexes_are_read_back_or_refused(name in hostile(), borrowed: bool) {
        let mut select = Q::select();
        select.column("id").from("t");
        if borrowed {
            select.use_index(Trusted(name.clone().leak()), IndexHintScope::All);
        } else {
            select.force_index(name.clone(), IndexHintScope::OrderBy);
        }
        match render(Dialect::MySql, Query::Select(&select)) {
            Ok(rendered) => {
                prop_assert!(!is_refused(Dialect::MySql, &name));
                prop_assert_eq!(identifiers(Dialect::MySql, &rendered.sql), ["id", "t", name.as_str()]);
            }
            Err(RenderError::Identifier { .. }) => prop_assert!(is_refused(Dialect::MySql, &name)),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn constraints_are_read_back_or_refused(name in hostile()) {
        let mut insert = Q::insert();
        insert.into_table("t").columns(["a"]).values_panic([1.into()]);
        insert.on_conflict(OnConflict::constraint(&name).do_nothing().to_owned());
        match render(Dialect::Postgres, Query::Insert(&insert)) {
            Ok(rendered) => {
                prop_assert_eq!(identifiers(Dialect::Postgres, &rendered.sql), ["t", "a", name.as_str()]);
            }
            Err(RenderError::Identifier { .. }) => prop_assert!(is_refused(Dialect::Postgres, &name)),
            Err(error) => panic!("{error}"),
        }
    }

    #[test]
    fn texts_are_values_and_never_text_of_the_statement(text in hostile()) {
        let select = Q::select().column("a").from("t").and_where(Expr::col("a").eq(text.clone())).take();
        for dialect in Dialect::ALL {
            match render(dialect, Query::Select(&select)) {
                Ok(rendered) => {
                    prop_assert_eq!(rendered.values.0, [Value::from(text.clone())]);
                    prop_assert!(literals(dialect, &rendered.sql).is_empty());
                }
                Err(RenderError::Value { position: 1, .. }) => prop_assert!(text.contains('\0')),
                Err(error) => panic!("{dialect}: {error}"),
            }
        }
    }

    #[test]
    fn literals_are_read_back_or_refused(text in hostile()) {
        let select = Q::select().expr(Expr::Constant(text.clone().into())).take();
        for dialect in Dialect::ALL {
            match render(dialect, Query::Select(&select)) {
                Ok(rendered) => {
                    prop_assert!(rendered.values.0.is_empty());
                    prop_assert_eq!(literals(dialect, &rendered.sql), [text.as_str()], "{}: {}", dialect, rendered.sql);
                }
                Err(RenderError::Value { .. }) => prop_assert!(text.contains('\0')),
                Err(error) => panic!("{dialect}: {error}"),
            }
        }
    }

    #[test]
    fn escape_characters_are_read_back(escape: char) {
        let like = Expr::col("a").like(LikeExpr::new("a").escape(escape));
        let select = Q::select().column("a").from("t").and_where(like).take();
        for dialect in Dialect::ALL {
            match render(dialect, Query::Select(&select)) {
                // Transact-SQL's patterns have brackets in the place of ESCAPE.
                Ok(rendered) if dialect == Dialect::SqlServer => {
                    prop_assert_eq!(literals(dialect, &rendered.sql), Vec::<String>::new());
                }
                Ok(rendered) => prop_assert_eq!(literals(dialect, &rendered.sql), [escape.to_string()]),
                Err(RenderError::Value { .. }) => prop_assert_eq!(escape, 'a'),
                Err(RenderError::Unsupported { .. }) => prop_assert!(matches!(escape, '%' | '_' | '\0')),
                Err(error) => panic!("{dialect}: {error}"),
            }
        }
    }

    #[test]
    fn names_without_quotes_are_bare_words_or_refused(name in hostile()) {
        let function = Q::select().expr(Func::cust(name.clone()).arg(1)).take();
        let keyword = Q::select().expr(Expr::custom_keyword(name.clone())).take();
        for dialect in Dialect::ALL {
            for select in [&function, &keyword] {
                match render(dialect, Query::Select(select)) {
                    Ok(_) => prop_assert!(
                        name.chars().all(|character| character.is_ascii_alphanumeric() || "_$. ".contains(character))
                    ),
                    Err(RenderError::Identifier { .. }) => {}
                    Err(error) => panic!("{dialect}: {error}"),
                }
            }
        }
    }
}
