//! Macros for the helpers that run one provided method of sea-query.

/// Implements the builder traits for a walk: a struct with a `builder: &Builder`. The body lists the hooks in which it
/// differs; expressions, values, identifiers and nested statements go to the builder.
macro_rules! walk {
    ($walk:ident { $($hooks:tt)* }) => {
        impl sea_query::QuotedBuilder for $walk<'_> {
            fn quote(&self) -> sea_query::Quote {
                sea_query::QuotedBuilder::quote(self.builder)
            }

            fn prepare_iden(&self, iden: &sea_query::DynIden, sql: &mut impl sea_query::SqlWriter) {
                self.builder.identifier(iden, sql);
            }
        }

        deciders!($walk<'_>);

        impl sea_query::QueryBuilder for $walk<'_> {
            forward! {
                prepare_query_statement(sea_query::SubQueryStatement)
                prepare_explain_statement(sea_query::ExplainStatement)
                prepare_select_into(sea_query::SelectInto)
                prepare_expr(sea_query::Expr)
                prepare_condition_where(sea_query::Condition)
            }

            fn prepare_value(&self, value: sea_query::Value, sql: &mut impl sea_query::SqlWriter) {
                self.builder.parameter(value, sql);
            }

            $($hooks)*
        }
    };
}

/// Implements the builder traits for a scan, whose hooks write nothing. The body lists all hooks that its method reaches.
macro_rules! scan {
    ($scan:ident { $($hooks:tt)* }) => {
        impl sea_query::QuotedBuilder for $scan {
            fn quote(&self) -> sea_query::Quote {
                sea_query::Quote::new(b'"')
            }

            fn prepare_iden(&self, _: &sea_query::DynIden, _: &mut impl sea_query::SqlWriter) {
                self.identifiers.set(self.identifiers.get() + 1);
            }
        }

        deciders!($scan);

        impl sea_query::QueryBuilder for $scan {
            ignore! {
                prepare_query_statement(sea_query::SubQueryStatement)
                prepare_explain_statement(sea_query::ExplainStatement)
                prepare_condition_where(sea_query::Condition)
            }

            fn prepare_value(&self, value: sea_query::Value, sql: &mut impl sea_query::SqlWriter) {
                sql.push_param(value, self);
            }

            $($hooks)*
        }
    };
}

/// The traits that sea-query asks for and that neither a walk nor a scan comes to use.
macro_rules! deciders {
    ($type:ty) => {
        impl sea_query::EscapeBuilder for $type {}

        impl sea_query::TableRefBuilder for $type {}

        impl sea_query::PrecedenceDecider for $type {
            fn inner_expr_well_known_greater_precedence(&self, _: &sea_query::Expr, _: &sea_query::Oper) -> bool {
                false
            }
        }

        impl sea_query::OperLeftAssocDecider for $type {
            fn well_known_left_associative(&self, _: &sea_query::BinOper) -> bool {
                false
            }
        }
    };
}

/// Hooks that hand their part to the builder.
macro_rules! forward {
    ($($hook:ident($part:ty))*) => {
        $(fn $hook(&self, part: &$part, sql: &mut impl sea_query::SqlWriter) {
            sea_query::QueryBuilder::$hook(self.builder, part, sql);
        })*
    };
}

/// Hooks that do nothing.
macro_rules! ignore {
    ($($hook:ident($part:ty))*) => {
        $(fn $hook(&self, _: &$part, _: &mut impl sea_query::SqlWriter) {})*
    };
}
