//! `ON CONFLICT`, and `ON DUPLICATE KEY` of MySQL.

use sea_query::{
    ConditionHolder, Expr, OnConflictAction, OnConflictIdentifier, OnConflictTarget, OnConflictUpdate, QueryBuilder,
    SqlWriter,
};

use super::expression::parenthesized;
use super::{Builder, list, put};
use crate::Dialect;

impl Builder {
    /// Writes the key that may conflict. MySQL cannot name one: it looks at every unique key of the table.
    pub(super) fn on_conflict_target(&self, target: &OnConflictTarget, sql: &mut impl SqlWriter) {
        let named = match target {
            OnConflictTarget::Identifiers(identifiers) => !identifiers.is_empty(),
            OnConflictTarget::Constraint(_) => true,
        };
        self.conflict_target.set(named);
        if named {
            self.refuse_on(&[Dialect::MySql], "ON CONFLICT on a key of one's choice");
        }
        match target {
            OnConflictTarget::Identifiers(identifiers) if identifiers.is_empty() => {}
            OnConflictTarget::Identifiers(identifiers) => {
                put(sql, "(");
                list(sql, identifiers, |identifier, sql| match identifier {
                    OnConflictIdentifier::Column(column) => self.identifier(column, sql),
                    OnConflictIdentifier::Expr(expr) => {
                        let bare = matches!(expr, Expr::Column(_) | Expr::FunctionCall(_));
                        parenthesized(!bare, sql, |sql| self.value_expression(expr, sql));
                    }
                });
                put(sql, ")");
            }
            OnConflictTarget::Constraint(name) => {
                self.refuse_on(&[Dialect::Sqlite], "ON CONFLICT ON CONSTRAINT");
                put(sql, "ON CONSTRAINT ");
                self.identifier_text(name, sql);
            }
        }
    }

    pub(super) fn on_conflict_action(&self, action: Option<&OnConflictAction>, sql: &mut impl SqlWriter) {
        let update = if self.is(Dialect::MySql) { " UPDATE " } else { " DO UPDATE SET " };
        match action {
            None => self.refuse("ON CONFLICT without an action"),
            Some(OnConflictAction::DoNothing(columns)) if self.is(Dialect::MySql) => {
                if columns.is_empty() {
                    self.refuse("ON CONFLICT DO NOTHING without columns to leave as they are");
                }
                put(sql, update);
                list(sql, columns, |column, sql| {
                    self.identifier(column, sql);
                    put(sql, " = ");
                    self.identifier(column, sql);
                });
            }
            Some(OnConflictAction::DoNothing(_)) => put(sql, " DO NOTHING"),
            Some(OnConflictAction::Update(changes)) => {
                if changes.is_empty() {
                    self.refuse("ON CONFLICT DO UPDATE of nothing");
                }
                if !self.conflict_target.get() {
                    self.refuse_on(&[Dialect::Postgres], "ON CONFLICT DO UPDATE without a key");
                }
                put(sql, update);
                list(sql, changes, |change, sql| match change {
                    OnConflictUpdate::Column(column) => {
                        self.identifier(column, sql);
                        if self.is(Dialect::MySql) {
                            put(sql, " = VALUES(");
                            self.identifier(column, sql);
                            put(sql, ")");
                        } else {
                            put(sql, " = excluded.");
                            self.identifier(column, sql);
                        }
                    }
                    OnConflictUpdate::Expr(column, expr) => {
                        self.identifier(column, sql);
                        put(sql, " = ");
                        self.prepare_expr(expr, sql);
                    }
                });
            }
        }
    }

    pub(super) fn on_conflict_condition(&self, condition: &ConditionHolder, sql: &mut impl SqlWriter) {
        if !condition.is_empty() {
            self.refuse_on(&[Dialect::MySql], "a condition on ON CONFLICT");
        }
        self.prepare_condition(condition, "WHERE", sql);
    }
}
