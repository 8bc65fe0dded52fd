//! Where boxes and lines are.

use std::collections::HashMap;

use super::boxes::count;
use super::graph::{self, Edge};
use super::order::{Columns, Spot};

const MARGIN: f64 = 24.0;
/// Between what does not hang together.
const APART: f64 = 40.0;

/// Where everything is.
#[derive(Default)]
pub(super) struct Layout {
    pub(super) width: f64,
    pub(super) height: f64,
    /// The upper left corner of each box.
    pub(super) nodes: Vec<(f64, f64)>,
    /// The left and the right side of the column that each box is in.
    pub(super) sides: Vec<(f64, f64)>,
    /// For each edge what it goes past, from the left to the right: the sides of the column, and how far down.
    pub(super) passes: HashMap<usize, Vec<(f64, f64, f64)>>,
}

/// What hangs together, placed by itself: places in the order of its tables.
struct Part {
    layout: Layout,
    nodes: Vec<usize>,
}

pub(super) fn placed(sizes: &[(f64, f64)], edges: &[Edge]) -> Layout {
    let components = graph::components(sizes.len(), edges);
    let mut component_of = vec![0; sizes.len()];
    for (number, nodes) in components.iter().enumerate() {
        for node in nodes {
            component_of[*node] = number;
        }
    }
    let mut edges_of: Vec<Vec<(usize, Edge)>> = vec![Vec::new(); components.len()];
    for (number, edge) in edges.iter().enumerate() {
        edges_of[component_of[edge.child]].push((number, *edge));
    }
    let parts = components.into_iter().zip(edges_of);
    packed(parts.map(|(nodes, edges)| part(nodes, &edges, sizes)).collect(), sizes.len())
}

/// Within a part, tables have numbers of their own.
fn part(nodes: Vec<usize>, edges: &[(usize, Edge)], all: &[(f64, f64)]) -> Part {
    let number: HashMap<usize, usize> = nodes.iter().copied().zip(0..).collect();
    let own = |edge: &Edge| Edge { child: number[&edge.child], parent: number[&edge.parent], ..*edge };
    let sizes: Vec<(f64, f64)> = nodes.iter().map(|node| all[*node]).collect();
    let edges: Vec<(usize, Edge)> = edges.iter().map(|(at, edge)| (*at, own(edge))).collect();
    let plain: Vec<Edge> = edges.iter().map(|(_, edge)| *edge).collect();
    let layers = graph::layers(sizes.len(), &plain);
    let others: Vec<(usize, Edge)> = edges.iter().copied().filter(|(_, edge)| edge.child != edge.parent).collect();
    let area: f64 = sizes.iter().map(|(width, height)| (width + 100.0) * (height + 26.0)).sum();
    let tallest = sizes.iter().map(|(_, height)| *height).fold(0.0, f64::max);
    // A little wider than high.
    let highest = tallest.max(area.sqrt() * 0.9).max(600.0);
    let columns = Columns::of(&layers, &sizes, &others, highest);
    let tops = down(&columns);
    let (column_sides, width) = across(&columns, !edges.is_empty());
    let nowhere = vec![(0.0, 0.0); sizes.len()];
    let mut layout = Layout { width, nodes: nowhere.clone(), sides: nowhere, ..Layout::default() };
    for (at, spot) in columns.spots.iter().enumerate() {
        layout.height = layout.height.max(tops[at] + spot.height);
        if let Some(node) = spot.node {
            let (left, right) = column_sides[spot.column];
            layout.nodes[node] = (((left + right - spot.width) / 2.0).round(), tops[at].round());
            layout.sides[node] = (left, right);
        }
    }
    for (number, passes) in &columns.passes {
        let place = |spot: &usize| {
            let (left, right) = column_sides[columns.spots[*spot].column];
            (left, right, tops[*spot])
        };
        layout.passes.insert(*number, passes.iter().map(place).collect());
    }
    Part { layout, nodes }
}

/// The sides of each column, and the width of all. Where there are many lines in between there is more room.
fn across(columns: &Columns, with_lines: bool) -> (Vec<(f64, f64)>, f64) {
    let mut lines = vec![0_usize; columns.order.len()];
    columns.segments.iter().for_each(|(left, ..)| lines[columns.spots[*left].column] += 1);
    let mut sides = Vec::with_capacity(columns.order.len());
    let mut x = 0.0;
    for (column, order) in columns.order.iter().enumerate() {
        let width = order.iter().map(|spot| columns.spots[*spot].width).fold(0.0, f64::max);
        sides.push((x, x + width));
        x += width + 76.0 + (count(lines[column]) * 2.0).min(140.0);
    }
    let end = sides.last().map_or(0.0, |(_, right)| *right);
    // What a table refers to itself by is drawn on its right.
    (sides, if with_lines { end + 36.0 } else { end })
}

fn between(above: &Spot, below: &Spot) -> f64 {
    match (above.node, below.node) {
        (Some(_), Some(_)) => 26.0,
        (None, None) => 7.0,
        _ => 14.0,
    }
}

/// How far down each spot is: as near as can be to what it is next to, one below the other.
fn down(columns: &Columns) -> Vec<f64> {
    let mut tops = vec![0.0; columns.spots.len()];
    for order in &columns.order {
        let mut y = 0.0;
        for pair in order.windows(2) {
            tops[pair[0]] = y;
            y += columns.spots[pair[0]].height + between(&columns.spots[pair[0]], &columns.spots[pair[1]]);
        }
        order.last().into_iter().for_each(|last| tops[*last] = y);
    }
    let mut near: Vec<Vec<(usize, f64)>> = vec![Vec::new(); columns.spots.len()];
    for (left, left_at, right, right_at) in &columns.segments {
        near[*left].push((*right, right_at - left_at));
        near[*right].push((*left, left_at - right_at));
    }
    let rounds = if columns.spots.len() > 3000 { 6 } else { 10 };
    for round in 0..rounds {
        let each: Vec<usize> =
            if round % 2 == 0 { (0..columns.order.len()).collect() } else { (0..columns.order.len()).rev().collect() };
        for column in each {
            settle(columns, &columns.order[column], &near, &mut tops);
        }
    }
    let least = tops.iter().copied().fold(f64::MAX, f64::min);
    for top in &mut tops {
        *top -= least;
    }
    tops
}

/// The places of one column that are nearest to what each wishes, by least squares: neighbours that are in each other's way move
/// together (the algorithm of pool adjacent violators).
fn settle(columns: &Columns, order: &[usize], near: &[Vec<(usize, f64)>], tops: &mut [f64]) {
    struct Block {
        sum: f64,
        weight: f64,
        spots: usize,
    }
    let mut offsets = Vec::with_capacity(order.len());
    let mut offset = 0.0;
    for (at, spot) in order.iter().enumerate() {
        if at > 0 {
            let above = &columns.spots[order[at - 1]];
            offset += above.height + between(above, &columns.spots[*spot]);
        }
        offsets.push(offset);
    }
    let mut blocks: Vec<Block> = Vec::new();
    for (spot, offset) in order.iter().zip(&offsets) {
        let wishes = &near[*spot];
        let sum: f64 = wishes.iter().map(|(other, down)| tops[*other] + down).sum();
        let (wish, weight) = match count(wishes.len()) {
            0.0 => (tops[*spot], 0.01),
            // A line that goes past is to be straight.
            all if columns.spots[*spot].node.is_none() => (sum / all, all * 2.0),
            all => (sum / all, all),
        };
        blocks.push(Block { sum: (wish - offset) * weight, weight, spots: 1 });
        while let [.., above, below] = blocks.as_slice()
            && above.sum / above.weight > below.sum / below.weight
        {
            let (sum, weight, spots) = (below.sum, below.weight, below.spots);
            blocks.pop();
            if let Some(above) = blocks.last_mut() {
                above.sum += sum;
                above.weight += weight;
                above.spots += spots;
            }
        }
    }
    let mut at = 0;
    for block in blocks {
        for _ in 0..block.spots {
            tops[order[at]] = block.sum / block.weight + offsets[at];
            at += 1;
        }
    }
}

/// Puts what does not hang together into rows, the highest first.
fn packed(mut parts: Vec<Part>, count_of_nodes: usize) -> Layout {
    parts.sort_by(|one, other| {
        let key = |part: &Part| (part.layout.height, part.layout.width);
        let ((height, width), (other_height, other_width)) = (key(one), key(other));
        other_height.total_cmp(&height).then(other_width.total_cmp(&width)).then(one.nodes.cmp(&other.nodes))
    });
    let area: f64 = parts.iter().map(|part| (part.layout.width + APART) * (part.layout.height + APART)).sum();
    let widest = parts.iter().map(|part| part.layout.width).fold(0.0, f64::max);
    let limit = widest.max(area.sqrt() * 1.3);
    let nowhere = vec![(0.0, 0.0); count_of_nodes];
    let mut layout = Layout { nodes: nowhere.clone(), sides: nowhere, ..Layout::default() };
    let (mut x, mut y, mut row) = (0.0, 0.0, 0.0_f64);
    for part in parts {
        if x > 0.0 && x + part.layout.width > limit {
            (x, y, row) = (0.0, y + row + APART, 0.0);
        }
        let (left, top) = (x + MARGIN, y + MARGIN);
        for (at, node) in part.nodes.iter().enumerate() {
            let ((node_x, node_y), (from, to)) = (part.layout.nodes[at], part.layout.sides[at]);
            layout.nodes[*node] = (node_x + left, node_y + top);
            layout.sides[*node] = (from + left, to + left);
        }
        for (number, passes) in part.layout.passes {
            let moved = passes.into_iter().map(|(from, to, down)| (from + left, to + left, down + top));
            layout.passes.insert(number, moved.collect());
        }
        x += part.layout.width + APART;
        row = row.max(part.layout.height);
        layout.width = layout.width.max(left + part.layout.width + MARGIN);
        layout.height = layout.height.max(top + part.layout.height + MARGIN);
    }
    layout.width = layout.width.max(MARGIN * 2.0);
    layout.height = layout.height.max(MARGIN * 2.0);
    layout
}
