//! `WHERE`, `HAVING` and `ON`.

use sea_query::{
    BinOper, Condition, ConditionHolder, ConditionHolderContents, Expr, LogicalChainOper, QueryBuilder, SqlWriter,
};

use super::{Builder, put};

impl Builder {
    /// Writes a condition. Its parts are private, and what it turns into is a tree that leans left, as deep as it has
    /// parts: it is taken to pieces before it is dropped, because dropping it would recurse.
    pub(super) fn condition(&self, condition: &Condition, sql: &mut impl SqlWriter) {
        let mut rest = Expr::from(condition.clone());
        self.predicate(&rest, sql);
        while let Expr::Binary(left, _, _) = rest {
            rest = *left;
        }
    }

    pub(super) fn condition_clause(&self, holder: &ConditionHolder, keyword: &str, sql: &mut impl SqlWriter) {
        let open = |sql: &mut _| {
            put(sql, " ");
            put(sql, keyword);
            put(sql, " ");
        };
        match &holder.contents {
            ConditionHolderContents::Empty => {}
            ConditionHolderContents::Chain(links) => {
                for (index, link) in links.iter().enumerate() {
                    let (expr, operator, word) = match link {
                        LogicalChainOper::And(expr) => (expr, BinOper::And, " AND "),
                        LogicalChainOper::Or(expr) => (expr, BinOper::Or, " OR "),
                    };
                    if index == 0 {
                        open(sql);
                    } else {
                        put(sql, word);
                    }
                    self.operand(expr, operator, sql);
                }
            }
            ConditionHolderContents::Condition(condition) => {
                open(sql);
                self.prepare_condition_where(condition, sql);
            }
        }
    }
}
