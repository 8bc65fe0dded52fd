//! Operators: their names, and when parentheses can be left out.

use sea_query::extension::postgres::PgBinOper;
use sea_query::extension::sqlite::SqliteBinOper;
use sea_query::{BinOper, Expr};

use crate::Dialect;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Logical,
    /// Comparisons and everything else that yields a truth value.
    Predicate,
    Arithmetic,
    Concatenation,
    Other,
}

pub(super) fn class(operator: BinOper) -> Class {
    match operator {
        BinOper::And | BinOper::Or => Class::Logical,
        BinOper::Like
        | BinOper::NotLike
        | BinOper::Is
        | BinOper::IsNot
        | BinOper::In
        | BinOper::NotIn
        | BinOper::Between
        | BinOper::NotBetween
        | BinOper::Equal
        | BinOper::NotEqual
        | BinOper::SmallerThan
        | BinOper::GreaterThan
        | BinOper::SmallerThanOrEqual
        | BinOper::GreaterThanOrEqual => Class::Predicate,
        BinOper::Add | BinOper::Sub | BinOper::Mul | BinOper::Div | BinOper::Mod => Class::Arithmetic,
        BinOper::PgOperator(PgBinOper::Concatenate) | BinOper::Custom("||") => Class::Concatenation,
        _ => Class::Other,
    }
}

/// Whether `inner` needs no parentheses as an operand of `outer` on any engine.
///
/// Only relations that hold everywhere are used. The precedence of shifts, of bit operators, of `NOT` and of operators
/// that a caller wrote out differs from engine to engine, so these always get parentheses.
pub(super) fn binds_tighter(inner: &Expr, outer: BinOper) -> bool {
    match inner {
        Expr::Column(_)
        | Expr::Tuple(_)
        | Expr::Values(_)
        | Expr::Constant(_)
        | Expr::FunctionCall(_)
        | Expr::Value(_)
        | Expr::Keyword(_)
        | Expr::Case(_)
        | Expr::SubQuery(_, _)
        | Expr::TypeName(_) => true,
        Expr::Binary(_, inner, _) => match (class(*inner), class(outer)) {
            (Class::Arithmetic, Class::Predicate | Class::Logical) | (Class::Predicate, Class::Logical) => {
                !matches!(inner, BinOper::Between | BinOper::NotBetween)
            }
            _ => false,
        },
        _ => false,
    }
}

pub(super) fn is_left_associative(operator: BinOper) -> bool {
    matches!(operator, BinOper::And | BinOper::Or | BinOper::Add | BinOper::Sub | BinOper::Mul)
}

/// The operator's text, or the name of the construct that the dialect lacks. PostgreSQL's own operators are known to
/// sea-query's backend for PostgreSQL.
pub(super) fn symbol(dialect: Dialect, operator: BinOper) -> Result<&'static str, &'static str> {
    Ok(match operator {
        BinOper::And => "AND",
        BinOper::Or => "OR",
        BinOper::Like => "LIKE",
        BinOper::NotLike => "NOT LIKE",
        BinOper::Is => "IS",
        BinOper::IsNot => "IS NOT",
        BinOper::In => "IN",
        BinOper::NotIn => "NOT IN",
        BinOper::Between => "BETWEEN",
        BinOper::NotBetween => "NOT BETWEEN",
        BinOper::Equal => "=",
        BinOper::NotEqual => "<>",
        BinOper::SmallerThan => "<",
        BinOper::GreaterThan => ">",
        BinOper::SmallerThanOrEqual => "<=",
        BinOper::GreaterThanOrEqual => ">=",
        BinOper::Add => "+",
        BinOper::Sub => "-",
        BinOper::Mul => "*",
        BinOper::Div => "/",
        BinOper::Mod => "%",
        BinOper::BitAnd => "&",
        BinOper::BitOr => "|",
        // SQL Server has shifts from 2022 on, this dialect begins with 2019.
        BinOper::LShift | BinOper::RShift if dialect == Dialect::SqlServer => return Err("bit shifts"),
        BinOper::LShift => "<<",
        BinOper::RShift => ">>",
        BinOper::Custom(text) => text,
        BinOper::PgOperator(PgBinOper::ILike | PgBinOper::NotILike) => return Err("ILIKE"),
        BinOper::PgOperator(PgBinOper::Regex | PgBinOper::RegexCaseInsensitive) => {
            return Err("regular expression operators");
        }
        BinOper::PgOperator(_) => return Err("PostgreSQL's own operators"),
        BinOper::SqliteOperator(operator) if dialect == Dialect::Sqlite => match operator {
            SqliteBinOper::Glob => "GLOB",
            SqliteBinOper::Match => "MATCH",
            SqliteBinOper::GetJsonField => "->",
            SqliteBinOper::CastJsonField => "->>",
            _ => return Err("this operator"),
        },
        BinOper::SqliteOperator(_) => return Err("SQLite's own operators"),
        _ => return Err("this operator"),
    })
}
