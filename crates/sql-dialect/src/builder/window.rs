//! Window functions.

use std::cell::Cell;

use sea_query::{
    Expr, Frame, Func, OrderExpr, QueryBuilder, SelectExpr, SqlWriter, WindowSelectType, WindowStatement, Write,
};

use super::recorder::Recorder;
use super::{Builder, put};
use crate::Dialect;

/// Functions that SQL Server has only over an ordered window.
const ORDERED: [&str; 8] = ["row_number", "rank", "dense_rank", "ntile", "lag", "lead", "first_value", "last_value"];

impl Builder {
    pub(super) fn window(&self, window: &WindowStatement, sql: &mut impl SqlWriter) {
        if self.is(Dialect::SqlServer) {
            let shape = WindowShape::of(window);
            if shape.framed && !shape.ordered {
                self.refuse("a window frame without ORDER BY");
            }
            if shape.range_offset {
                self.refuse("a RANGE window frame with an offset");
            }
        }
        WindowWalk { builder: self }.prepare_window_statement(window, sql);
    }

    /// Writes one column of a `SELECT`, with its window and its name.
    pub(super) fn select_column(&self, column: &SelectExpr, sql: &mut impl SqlWriter) {
        if let Expr::Tuple(items) = &column.expr
            && items.len() > 1
        {
            self.refuse_on(&[Dialect::MySql, Dialect::Sqlite, Dialect::SqlServer], "a row value as a column");
        }
        self.prepare_expr(&column.expr, sql);
        match &column.window {
            None => {}
            Some(WindowSelectType::Name(name)) => {
                put(sql, " OVER ");
                self.identifier(name, sql);
            }
            Some(WindowSelectType::Query(window)) => {
                if self.is(Dialect::SqlServer) && needs_order(&column.expr) && !WindowShape::of(window).ordered {
                    self.refuse("a ranking window function without ORDER BY");
                }
                put(sql, " OVER (");
                self.window(window, sql);
                put(sql, ")");
            }
            Some(_) => self.refuse("this window"),
        }
        if let Some(alias) = &column.alias {
            put(sql, " AS ");
            self.identifier(alias, sql);
        }
    }
}

fn needs_order(expr: &Expr) -> bool {
    matches!(expr, Expr::FunctionCall(call) if matches!(
        call.get_func(),
        Func::Custom(name) if ORDERED.iter().any(|known| known.eq_ignore_ascii_case(&name.to_string()))
    ))
}

/// Writes a bound of a frame. sea-query would send the number as a parameter, which not every engine takes here.
pub(super) fn frame(frame: &Frame, sql: &mut impl Write) {
    let _ = match frame {
        Frame::UnboundedPreceding => sql.write_str("UNBOUNDED PRECEDING"),
        Frame::Preceding(rows) => write!(sql, "{rows} PRECEDING"),
        Frame::CurrentRow => sql.write_str("CURRENT ROW"),
        Frame::Following(rows) => write!(sql, "{rows} FOLLOWING"),
        Frame::UnboundedFollowing => sql.write_str("UNBOUNDED FOLLOWING"),
    };
}

struct WindowShape {
    ordered: bool,
    framed: bool,
    range_offset: bool,
}

impl WindowShape {
    fn of(window: &WindowStatement) -> Self {
        let scan = WindowScan::default();
        let mut recorder = Recorder::default();
        scan.prepare_window_statement(window, &mut recorder);
        Self {
            ordered: scan.ordered.get(),
            framed: scan.framed.get(),
            range_offset: recorder.range && scan.offset.get(),
        }
    }
}

#[derive(Default)]
struct WindowScan {
    identifiers: Cell<usize>,
    ordered: Cell<bool>,
    framed: Cell<bool>,
    offset: Cell<bool>,
}

scan!(WindowScan {
    ignore! {
        prepare_select_into(sea_query::SelectInto)
        prepare_expr(Expr)
    }

    fn prepare_order_expr(&self, _: &OrderExpr, _: &mut impl SqlWriter) {
        self.ordered.set(true);
    }

    fn prepare_frame(&self, frame: &Frame, _: &mut impl SqlWriter) {
        self.framed.set(true);
        if matches!(frame, Frame::Preceding(_) | Frame::Following(_)) {
            self.offset.set(true);
        }
    }
});

struct WindowWalk<'a> {
    builder: &'a Builder,
}

walk!(WindowWalk {
    forward! {
        prepare_order_expr(OrderExpr)
        prepare_frame(Frame)
    }
});
