//! Expressions, as values and as truth values.
//!
//! sea-query has one kind of expression. Transact-SQL has two: a truth value may stand only where a condition is asked
//! for, and a value only where a value is. So each expression is written for the position it is in, and crosses over by
//! `CASE` or by `<> 0`.

use sea_query::{
    BinOper, CaseStatement, ColumnName, ColumnRef, Expr, Keyword, PostgresQueryBuilder, QueryBuilder, QuotedBuilder,
    SchemaName, SqlWriter, SubQueryOper, SubQueryStatement, TableName, TableRefBuilder, UnOper, Value,
};

use super::operator::{self, Class};
use super::select::SelectShape;
use super::{Builder, Place, identifier, list, put};
use crate::Dialect;

impl Builder {
    /// Writes `expr` where a value is expected.
    pub(super) fn value_expression(&self, expr: &Expr, sql: &mut impl SqlWriter) {
        if self.is(Dialect::SqlServer) && is_predicate(expr) {
            return self.doubling(|| {
                put(sql, "CASE WHEN ");
                self.predicate(expr, sql);
                put(sql, " THEN CAST(1 AS BIT) ");
                if is_never_null(expr) {
                    put(sql, "ELSE");
                } else {
                    put(sql, "WHEN NOT (");
                    self.predicate(expr, sql);
                    put(sql, ") THEN");
                }
                put(sql, " CAST(0 AS BIT) END");
            });
        }
        self.expression(expr, sql);
    }

    /// Writes `expr` where a truth value is expected.
    pub(super) fn predicate(&self, expr: &Expr, sql: &mut impl SqlWriter) {
        if !self.is(Dialect::SqlServer) || is_predicate(expr) {
            return self.expression(expr, sql);
        }
        match expr {
            Expr::Value(Value::Bool(Some(truth))) | Expr::Constant(Value::Bool(Some(truth))) => {
                put(sql, if *truth { "1 = 1" } else { "1 = 0" });
            }
            // What the caller wrote out is taken for what it stands for.
            Expr::Custom(_) | Expr::CustomWithExpr(_, _) | Expr::Binary(_, BinOper::Custom(_), _) => {
                self.expression(expr, sql);
            }
            _ => {
                self.operand(expr, BinOper::NotEqual, sql);
                put(sql, " <> 0");
            }
        }
    }

    /// Writes `expr` as an operand of `outer`, in parentheses unless it is safe without.
    pub(super) fn operand(&self, expr: &Expr, outer: BinOper, sql: &mut impl SqlWriter) {
        let logical = operator::class(outer) == Class::Logical;
        parenthesized(!operator::binds_tighter(expr, outer), sql, |sql| {
            if logical { self.predicate(expr, sql) } else { self.value_expression(expr, sql) }
        });
    }

    fn expression(&self, expr: &Expr, sql: &mut impl SqlWriter) {
        self.descend(|| match expr {
            Expr::Column(column) => self.column(column, sql),
            Expr::Tuple(items) => self.tuple(items, sql),
            Expr::Unary(UnOper::Not, operand) => {
                put(sql, "NOT ");
                parenthesized(!matches!(**operand, Expr::Column(_)) || self.is(Dialect::SqlServer), sql, |sql| {
                    self.predicate(operand, sql);
                });
            }
            Expr::FunctionCall(call) => self.function(call, sql),
            Expr::Binary(left, operator, right) => self.binary(left, *operator, right, sql),
            Expr::SubQuery(operator, query) => self.subquery(*operator, query, sql),
            Expr::Value(value) => self.parameter(value.clone(), sql),
            Expr::Values(values) => self.row(values, sql),
            Expr::Custom(text) => put(sql, text),
            Expr::CustomWithExpr(template, values) => self.template(template, values, sql),
            Expr::Keyword(keyword) => self.keyword(keyword, sql),
            Expr::AsEnum(name, expr) => {
                if self.is(Dialect::Postgres) {
                    put(sql, "CAST(");
                    self.value_expression(expr, sql);
                    put(sql, " AS ");
                    self.quoted_type(&name.clone().into(), sql);
                    put(sql, ")");
                } else {
                    self.value_expression(expr, sql);
                }
            }
            Expr::Case(case) => self.case(case, sql),
            Expr::Constant(value) => self.constant(value, sql),
            Expr::TypeName(name) => self.quoted_type(name, sql),
            _ => self.refuse("this expression"),
        });
    }

    fn binary(&self, left: &Expr, operator: BinOper, right: &Expr, sql: &mut impl SqlWriter) {
        match operator {
            BinOper::And | BinOper::Or => self.chain(left, operator, right, sql),
            BinOper::In | BinOper::NotIn => self.membership(left, operator, right, sql),
            BinOper::Like | BinOper::NotLike => self.like(left, operator, right, sql),
            BinOper::Is | BinOper::IsNot => self.is_truth(left, operator, right, sql),
            BinOper::Between | BinOper::NotBetween => match right {
                Expr::Binary(low, BinOper::And, high) => {
                    self.operand(left, operator, sql);
                    self.operator(operator, sql);
                    self.operand(low, operator, sql);
                    put(sql, " AND ");
                    self.operand(high, operator, sql);
                }
                _ => self.refuse("BETWEEN without two bounds"),
            },
            BinOper::As => self.refuse("AS outside of CAST"),
            BinOper::Escape => self.refuse("ESCAPE outside of LIKE"),
            _ if operator::class(operator) == Class::Concatenation => self.concatenation(left, right, sql),
            _ => {
                if self.is(Dialect::SqlServer) && (is_row(left) || is_row(right)) {
                    return self.refuse("comparison of row values");
                }
                if let Expr::SubQuery(Some(_), query) = right {
                    self.refuse_limited(query);
                }
                let same = matches!(left, Expr::Binary(_, inner, _) if *inner == operator);
                let bare = operator::binds_tighter(left, operator) || same && operator::is_left_associative(operator);
                parenthesized(!bare, sql, |sql| self.value_expression(left, sql));
                self.operator(operator, sql);
                self.operand(right, operator, sql);
            }
        }
    }

    fn operator(&self, operator: BinOper, sql: &mut impl SqlWriter) {
        if matches!(operator, BinOper::PgOperator(_)) && self.is(Dialect::Postgres) {
            put(sql, " ");
            PostgresQueryBuilder.prepare_bin_oper(&operator, sql);
            return put(sql, " ");
        }
        match operator::symbol(self.dialect, operator) {
            Ok(symbol) => {
                put(sql, " ");
                put(sql, symbol);
                put(sql, " ");
            }
            Err(construct) => self.refuse(construct),
        }
    }

    /// `a AND b AND c` is a tree that leans left, as deep as it has operands; it is written without recursion.
    fn chain(&self, left: &Expr, operator: BinOper, right: &Expr, sql: &mut impl SqlWriter) {
        let mut operands = vec![right];
        let mut rest = left;
        while let Expr::Binary(left, inner, right) = rest
            && *inner == operator
        {
            operands.push(right);
            rest = left;
        }
        operands.push(rest);
        for (index, operand) in operands.into_iter().rev().enumerate() {
            if index > 0 {
                self.operator(operator, sql);
            }
            self.operand(operand, operator, sql);
        }
    }

    fn membership(&self, left: &Expr, operator: BinOper, right: &Expr, sql: &mut impl SqlWriter) {
        let rows = match right {
            Expr::Tuple(items) if items.is_empty() => return put(sql, nowhere(operator)),
            Expr::Values(values) if values.is_empty() => return put(sql, nowhere(operator)),
            Expr::Tuple(items) => items.iter().any(is_row),
            _ => false,
        };
        if self.is(Dialect::SqlServer) && (is_row(left) || rows) {
            return self.refuse("comparison of row values");
        }
        self.operand(left, operator, sql);
        self.operator(operator, sql);
        match right {
            Expr::Tuple(items) => {
                // SQLite takes a list of rows only as a table.
                put(sql, if rows && self.is(Dialect::Sqlite) { "(VALUES " } else { "(" });
                list(sql, items, |item, sql| self.value_expression(item, sql));
                put(sql, ")");
            }
            Expr::Values(values) => {
                put(sql, "(");
                list(sql, values, |value, sql| self.parameter(value.clone(), sql));
                put(sql, ")");
            }
            Expr::SubQuery(None, query) => {
                self.refuse_limited(query);
                self.expression(right, sql);
            }
            Expr::Custom(_) | Expr::CustomWithExpr(_, _) => {
                parenthesized(true, sql, |sql| self.value_expression(right, sql));
            }
            // PostgreSQL's arrays and the like; nothing else has a meaning after IN.
            _ => self.refuse("IN without a list or a subquery"),
        }
    }

    fn refuse_limited(&self, query: &SubQueryStatement) {
        if let (Dialect::MySql, SubQueryStatement::SelectStatement(select)) = (self.dialect, query)
            && SelectShape::of(select).is_limited()
        {
            self.refuse("LIMIT in a subquery of IN, ANY or ALL");
        }
    }

    /// `IS` is sea-query's null-safe comparison, but only `IS NULL` is written the same everywhere, and no engine but
    /// SQLite takes a placeholder after `IS`.
    fn is_truth(&self, left: &Expr, operator: BinOper, right: &Expr, sql: &mut impl SqlWriter) {
        match right {
            Expr::Keyword(Keyword::Null) => {
                self.operand(left, operator, sql);
                self.operator(operator, sql);
                put(sql, "NULL");
            }
            Expr::Value(value) | Expr::Constant(value) if super::value::is_null(value) => {
                self.is_truth(left, operator, &Expr::Keyword(Keyword::Null), sql);
            }
            Expr::Value(Value::Bool(Some(truth))) | Expr::Constant(Value::Bool(Some(truth))) => {
                let negated = operator == BinOper::IsNot;
                if self.is(Dialect::SqlServer) {
                    self.doubling(|| {
                        put(sql, "(");
                        self.operand(left, BinOper::Equal, sql);
                        put(sql, if *truth == negated { " = 0" } else { " <> 0" });
                        put(sql, if negated { " OR " } else { " AND " });
                        self.operand(left, BinOper::Is, sql);
                        put(sql, if negated { " IS NULL)" } else { " IS NOT NULL)" });
                    });
                } else {
                    self.operand(left, operator, sql);
                    self.operator(operator, sql);
                    self.boolean(*truth, sql);
                }
            }
            _ if self.is(Dialect::Sqlite) => {
                self.operand(left, operator, sql);
                self.operator(operator, sql);
                self.operand(right, operator, sql);
            }
            _ => self.refuse("IS with anything but NULL, TRUE or FALSE"),
        }
    }

    /// Text joined to text, NULL if either is. MySQL reads `||` as OR, and `+` of Transact-SQL adds numbers.
    fn concatenation(&self, left: &Expr, right: &Expr, sql: &mut impl SqlWriter) {
        let mut operands = vec![right];
        let mut rest = left;
        while let Expr::Binary(left, inner, right) = rest
            && operator::class(*inner) == Class::Concatenation
        {
            operands.push(right);
            rest = left;
        }
        operands.push(rest);
        let operands = operands.into_iter().rev();
        match self.dialect {
            Dialect::MySql => {
                put(sql, "CONCAT(");
                list(sql, operands, |operand, sql| self.value_expression(operand, sql));
                put(sql, ")");
            }
            Dialect::Postgres | Dialect::Sqlite => {
                for (index, operand) in operands.enumerate() {
                    put(sql, if index > 0 { " || " } else { "" });
                    self.operand(operand, BinOper::Custom("||"), sql);
                }
            }
            Dialect::SqlServer => {
                for (index, operand) in operands.enumerate() {
                    put(sql, if index > 0 { " + CAST(" } else { "CAST(" });
                    self.value_expression(operand, sql);
                    put(sql, " AS NVARCHAR(MAX))");
                }
            }
        }
    }

    fn subquery(&self, operator: Option<SubQueryOper>, query: &SubQueryStatement, sql: &mut impl SqlWriter) {
        if self.output.borrow().is_some() {
            self.refuse("a subquery in RETURNING");
        }
        match operator {
            None => {}
            Some(SubQueryOper::Exists) => put(sql, "EXISTS"),
            Some(SubQueryOper::Any | SubQueryOper::Some | SubQueryOper::All) if self.is(Dialect::Sqlite) => {
                self.refuse("ANY, SOME and ALL");
            }
            Some(SubQueryOper::Any) => put(sql, "ANY"),
            Some(SubQueryOper::Some) => put(sql, "SOME"),
            Some(SubQueryOper::All) => put(sql, "ALL"),
            Some(_) => self.refuse("this subquery operator"),
        }
        put(sql, "(");
        self.within(Place::Expression, || self.prepare_query_statement(query, sql));
        put(sql, ")");
    }

    fn tuple(&self, items: &[Expr], sql: &mut impl SqlWriter) {
        if items.is_empty() {
            return self.refuse("an empty row value");
        }
        if items.len() > 1 && self.is(Dialect::SqlServer) {
            return self.refuse("row values");
        }
        put(sql, "(");
        list(sql, items, |item, sql| self.value_expression(item, sql));
        put(sql, ")");
    }

    fn row(&self, values: &[Value], sql: &mut impl SqlWriter) {
        if values.is_empty() {
            return self.refuse("an empty row value");
        }
        if values.len() > 1 && self.is(Dialect::SqlServer) {
            return self.refuse("row values");
        }
        put(sql, "(");
        list(sql, values, |value, sql| self.parameter(value.clone(), sql));
        put(sql, ")");
    }

    pub(super) fn case(&self, case: &CaseStatement, sql: &mut impl SqlWriter) {
        let walk = CaseWalk { builder: self, branches: std::cell::Cell::new(0) };
        walk.prepare_case_statement(case, sql);
        if walk.branches.get() == 0 {
            self.refuse("CASE without WHEN");
        }
    }

    pub(super) fn column(&self, column: &ColumnRef, sql: &mut impl SqlWriter) {
        if let Some(output) = self.output.borrow().as_ref() {
            return self.output_column(output, column, sql);
        }
        match column {
            ColumnRef::Column(ColumnName(table, name)) => {
                if let Some(table) = table {
                    self.table_name(table, sql);
                    put(sql, ".");
                }
                self.identifier(name, sql);
            }
            ColumnRef::Asterisk(table) => {
                if let Some(table) = table {
                    self.table_name(table, sql);
                    put(sql, ".");
                }
                put(sql, "*");
            }
            _ => self.refuse("this column reference"),
        }
    }

    pub(super) fn table_name(&self, name: &TableName, sql: &mut impl SqlWriter) {
        if let TableName(Some(SchemaName(Some(_), _)), _) = name {
            self.refuse_on(&[Dialect::MySql, Dialect::Sqlite], "a name of three parts");
        }
        self.prepare_table_name(name, sql);
    }

    fn keyword(&self, keyword: &Keyword, sql: &mut impl SqlWriter) {
        let server = self.is(Dialect::SqlServer);
        match keyword {
            Keyword::Null => put(sql, "NULL"),
            Keyword::CurrentDate if server => put(sql, "CAST(CURRENT_TIMESTAMP AS DATE)"),
            Keyword::CurrentDate => put(sql, "CURRENT_DATE"),
            Keyword::CurrentTime if server => put(sql, "CAST(CURRENT_TIMESTAMP AS TIME)"),
            Keyword::CurrentTime => put(sql, "CURRENT_TIME"),
            Keyword::CurrentTimestamp => put(sql, "CURRENT_TIMESTAMP"),
            Keyword::Default if self.is(Dialect::Sqlite) => self.refuse("DEFAULT as a value"),
            Keyword::Default => put(sql, "DEFAULT"),
            Keyword::Custom(word) => {
                let word = word.to_string();
                if !identifier::is_bare(&word, ' ') {
                    self.refuse_identifier(&word, "a keyword is words of letters and digits");
                }
                put(sql, &word);
            }
            _ => self.refuse("this keyword"),
        }
    }
}

pub(super) fn parenthesized<W: SqlWriter>(needed: bool, sql: &mut W, write: impl FnOnce(&mut W)) {
    if needed {
        put(sql, "(");
    }
    write(sql);
    if needed {
        put(sql, ")");
    }
}

fn nowhere(operator: BinOper) -> &'static str {
    if operator == BinOper::In { "1 = 0" } else { "1 = 1" }
}

/// Whether Transact-SQL reads the text of `expr` as a truth value.
fn is_predicate(expr: &Expr) -> bool {
    match expr {
        Expr::Unary(_, _) | Expr::SubQuery(Some(SubQueryOper::Exists), _) => true,
        Expr::Binary(_, operator, _) => matches!(operator::class(*operator), Class::Logical | Class::Predicate),
        _ => false,
    }
}

fn is_never_null(expr: &Expr) -> bool {
    matches!(expr, Expr::SubQuery(Some(SubQueryOper::Exists), _) | Expr::Binary(_, BinOper::Is | BinOper::IsNot, _))
}

fn is_row(expr: &Expr) -> bool {
    match expr {
        Expr::Tuple(items) => items.len() > 1,
        Expr::Values(values) => values.len() > 1,
        _ => false,
    }
}

/// Runs sea-query's `CASE` and counts its branches.
struct CaseWalk<'a> {
    builder: &'a Builder,
    branches: std::cell::Cell<usize>,
}

impl QuotedBuilder for CaseWalk<'_> {
    fn quote(&self) -> sea_query::Quote {
        self.builder.quote()
    }
}

deciders!(CaseWalk<'_>);

impl QueryBuilder for CaseWalk<'_> {
    forward! {
        prepare_query_statement(SubQueryStatement)
        prepare_explain_statement(sea_query::ExplainStatement)
        prepare_select_into(sea_query::SelectInto)
        prepare_expr(Expr)
    }

    fn prepare_value(&self, value: Value, sql: &mut impl SqlWriter) {
        self.builder.parameter(value, sql);
    }

    fn prepare_condition_where(&self, condition: &sea_query::Condition, sql: &mut impl SqlWriter) {
        self.branches.set(self.branches.get() + 1);
        self.builder.prepare_condition_where(condition, sql);
    }
}
