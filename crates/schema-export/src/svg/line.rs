//! The line of a foreign key and its crow's feet.

use std::collections::HashMap;
use std::fmt::Write as _;

use super::boxes::{Box, HEADER};
use super::graph::Edge;
use super::place::Layout;
use crate::diagram::{Diagram, Link};

/// How far down in their boxes the ends of each link are: here, and there.
pub(super) struct Ports(pub(super) Vec<(f64, f64)>);

impl Ports {
    pub(super) fn of(diagram: &Diagram<'_>, boxes: &[Box]) -> Self {
        let mut ports: Vec<(f64, f64)> = Vec::with_capacity(diagram.links.len());
        let mut used: HashMap<(usize, u64), usize> = HashMap::new();
        for link in &diagram.links {
            let here = |column: &str| boxes[link.child].row_of(column);
            let is_free = |down: &f64| !used.contains_key(&(link.child, down.to_bits()));
            let rows: Vec<f64> = link.key.columns.iter().map(|pair| here(&pair.column)).collect();
            let free = rows.iter().copied().find(|down| is_free(down));
            let row = free.or_else(|| rows.first().copied()).unwrap_or(HEADER / 2.0);
            let others = used.entry((link.child, row.to_bits())).or_default();
            // Several that begin at one column are side by side.
            let aside = [0.0, 5.0, -5.0, 2.5, -2.5][*others % 5];
            *others += 1;
            let there = link.key.columns.first().map(|pair| boxes[link.parent].row_of(&pair.references));
            ports.push((row + aside, there.unwrap_or(HEADER / 2.0)));
        }
        Self(ports)
    }
}

pub(super) struct Line {
    pub(super) path: String,
    /// The middles of the circles that say that there may be none.
    pub(super) circles: Vec<(f64, f64)>,
}

/// How much room a foot takes.
const FOOT: f64 = 18.0;

pub(super) fn of(link: &Link<'_>, edge: &Edge, layout: &Layout, number: usize, sizes: &[(f64, f64)]) -> Line {
    let ((child_x, child_y), (parent_x, parent_y)) = (layout.nodes[link.child], layout.nodes[link.parent]);
    let here = child_y + edge.here;
    let mut there = parent_y + edge.there;
    let itself = link.child == link.parent;
    if itself && (here - there).abs() < 10.0 {
        there = here - 12.0;
    }
    // To which side it leaves: 1 is the right.
    let to_right = itself || layout.sides[link.child].0 < layout.sides[link.parent].0;
    let leaves = if to_right { 1.0 } else { -1.0 };
    let enters: f64 = if itself { 1.0 } else { -leaves };
    let side = |x: f64, node: usize, way: f64| if way > 0.0 { x + sizes[node].0 } else { x };
    let (from_x, to_x) = (side(child_x, link.child, leaves), side(parent_x, link.parent, enters));
    let mut path = String::new();
    let mut circles = Vec::new();
    let _ = write!(path, "M{from_x:.1} {here:.1}");
    if itself {
        let (near, far) = (from_x + FOOT, from_x + FOOT + 16.0);
        let _ = write!(path, "H{near:.1}C{far:.1} {here:.1} {far:.1} {there:.1} {near:.1} {there:.1}H{to_x:.1}");
    } else {
        let edge_of = |node: usize, way: f64| {
            let (left, right) = layout.sides[node];
            if way > 0.0 { right + FOOT } else { left - FOOT }
        };
        let mut at = (edge_of(link.child, leaves).round(), here);
        let mut straight = Some(at.0);
        let mut passes = layout.passes.get(&number).cloned().unwrap_or_default();
        if !to_right {
            passes.reverse();
        }
        for (left, right, down) in passes {
            let (near, far) = if to_right { (left, right) } else { (right, left) };
            // What goes on straight needs no point in between.
            if (down - at.1).abs() >= 1.0 {
                if let Some(x) = straight.take() {
                    let _ = write!(path, "H{x:.0}");
                }
                curve(&mut path, at, (near, down));
                at.1 = down;
            }
            at.0 = far;
            straight = Some(far);
        }
        if let Some(x) = straight {
            let _ = write!(path, "H{x:.0}");
        }
        curve(&mut path, at, (edge_of(link.parent, enters), there));
        let _ = write!(path, "H{to_x:.1}");
    }
    if link.many {
        let tip = from_x + 10.0 * leaves;
        let _ = write!(path, "M{from_x:.1} {:.1}L{tip:.1} {here:.1}L{from_x:.1} {:.1}", here - 5.0, here + 5.0);
    } else {
        bar(&mut path, from_x + 6.0 * leaves, here);
    }
    circles.push((from_x + 13.0 * leaves, here));
    bar(&mut path, to_x + 5.0 * enters, there);
    if link.optional {
        circles.push((to_x + 12.0 * enters, there));
    } else {
        bar(&mut path, to_x + 9.0 * enters, there);
    }
    Line { path, circles }
}

fn bar(path: &mut String, x: f64, y: f64) {
    let _ = write!(path, "M{x:.1} {:.1}V{:.1}", y - 5.0, y + 5.0);
}

fn curve(path: &mut String, (from_x, from_y): (f64, f64), (to_x, to_y): (f64, f64)) {
    let middle = f64::midpoint(from_x, to_x);
    let _ = write!(path, "C{middle:.0} {from_y:.0} {middle:.0} {to_y:.0} {to_x:.0} {to_y:.0}");
}
