//! Columns of boxes, with places in between for lines that go past, in an order in which few lines cross.

use std::collections::{HashMap, HashSet};

use super::boxes::count;
use super::graph::Edge;

/// More lines than that, and those that lead to one table go past others together.
const BUNDLED_BEYOND: usize = 150;

/// How many places for lines that go past there are for each line, on average and at most. Lines past many columns have none where
/// there would be more: they go straight, behind the boxes.
const PASSES_FOR_EACH: usize = 24;
/// So many places there may be in any case.
const PASSES: usize = 4096;

/// A box, or the place of a line that goes past.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot {
    /// `None` for a line.
    pub(super) node: Option<usize>,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) column: usize,
}

/// What is next to each other in two columns: the spot on the left, how far down its end is, and the same on the right.
pub(super) type Segment = (usize, f64, usize, f64);

#[derive(Default)]
pub(super) struct Columns {
    pub(super) spots: Vec<Spot>,
    /// The spots of each column, from above.
    pub(super) order: Vec<Vec<usize>>,
    pub(super) segments: Vec<Segment>,
    /// For each edge the places that it goes past, from the left to the right.
    pub(super) passes: HashMap<usize, Vec<usize>>,
    pub(super) spot_of: HashMap<usize, usize>,
}

impl Columns {
    /// `edges` with their numbers; none leads from a table to itself.
    pub(super) fn of(layers: &[usize], sizes: &[(f64, f64)], edges: &[(usize, Edge)], highest: f64) -> Self {
        let mut columns = Self::default();
        columns.fill(layers, sizes, edges, highest);
        columns.lead_past(edges);
        let rounds = if columns.spots.len() > 3000 { 6 } else { 12 };
        for round in 0..rounds {
            columns.sweep(round % 2 == 0);
        }
        columns
    }

    /// Puts the boxes of each layer into as many columns as they need.
    fn fill(&mut self, layers: &[usize], sizes: &[(f64, f64)], edges: &[(usize, Edge)], highest: f64) {
        let last = layers.iter().copied().max().unwrap_or(0);
        let mut by_layer: Vec<Vec<usize>> = vec![Vec::new(); last + 1];
        for (node, layer) in layers.iter().enumerate() {
            by_layer[*layer].push(node);
        }
        let mut neighbours: HashMap<usize, Vec<usize>> = HashMap::new();
        for (_, edge) in edges {
            neighbours.entry(edge.child).or_default().push(edge.parent);
            neighbours.entry(edge.parent).or_default().push(edge.child);
        }
        let mut place: HashMap<usize, f64> = HashMap::new();
        for layer in &mut by_layer {
            // Those that refer to the same stay together.
            let middle = |node: &usize| {
                let near = neighbours.get(node).into_iter().flatten().filter_map(|other| place.get(other));
                mean(near.copied())
            };
            let mut keyed: Vec<(Option<f64>, usize)> = layer.iter().map(|node| (middle(node), *node)).collect();
            keyed.sort_by(|one, other| {
                let key = |middle: Option<f64>| middle.unwrap_or(0.5);
                key(one.0).total_cmp(&key(other.0)).then(one.1.cmp(&other.1))
            });
            *layer = keyed.into_iter().map(|(_, node)| node).collect();
            let all = count(layer.len().max(1));
            place.extend(layer.iter().enumerate().map(|(at, node)| (*node, count(at) / all)));
        }
        for layer in by_layer {
            let mut used = f64::MAX;
            for node in layer {
                let (width, height) = sizes[node];
                if used + height > highest {
                    self.order.push(Vec::new());
                    used = 0.0;
                }
                used += height + 26.0;
                let column = self.order.len() - 1;
                self.spot_of.insert(node, self.spots.len());
                self.order[column].push(self.spots.len());
                self.spots.push(Spot { node: Some(node), width, height, column });
            }
        }
    }

    /// Makes places in the columns that an edge goes past.
    fn lead_past(&mut self, edges: &[(usize, Edge)]) {
        let bundled = edges.len() > BUNDLED_BEYOND;
        let mut shared: HashMap<(usize, usize), usize> = HashMap::new();
        let mut seen = HashSet::new();
        let longest = self.longest_led(edges);
        for (number, edge) in edges {
            let (child, parent) = (self.spot_of[&edge.child], self.spot_of[&edge.parent]);
            let mut ends = [(child, edge.here), (parent, edge.there)];
            ends.sort_by_key(|(spot, _)| self.spots[*spot].column);
            let [(left, left_at), (right, right_at)] = ends;
            let (first, last) = (self.spots[left].column, self.spots[right].column);
            let mut passes = Vec::new();
            let between = if last.saturating_sub(first) > longest { 0..0 } else { first + 1..last };
            for column in between {
                let known = shared.get(&(edge.parent, column)).copied().filter(|_| bundled);
                let spot = known.unwrap_or_else(|| {
                    self.spots.push(Spot { node: None, width: 0.0, height: 0.0, column });
                    self.order[column].push(self.spots.len() - 1);
                    self.spots.len() - 1
                });
                shared.insert((edge.parent, column), spot);
                passes.push(spot);
            }
            let mut from = (left, left_at);
            for to in passes.iter().map(|spot| (*spot, 0.0)).chain([(right, right_at)]) {
                if seen.insert((from.0, from.1.to_bits(), to.0, to.1.to_bits())) {
                    self.segments.push((from.0, from.1, to.0, to.1));
                }
                from = to;
            }
            self.passes.insert(*number, passes);
        }
    }

    /// How far the lines go, in columns, that are led past what is in between: as far as the places for all of them suffice.
    fn longest_led(&self, edges: &[(usize, Edge)]) -> usize {
        let column = |node: &usize| self.spots[self.spot_of[node]].column;
        let mut of_length = vec![0_usize; self.order.len() + 1];
        for (_, edge) in edges {
            of_length[column(&edge.child).abs_diff(column(&edge.parent))] += 1;
        }
        let room = PASSES + PASSES_FOR_EACH * edges.len();
        let mut used = 0_usize;
        let too_long = of_length.iter().enumerate().position(|(length, lines)| {
            used = used.saturating_add(lines.saturating_mul(length.saturating_sub(1)));
            used > room
        });
        too_long.map_or(usize::MAX, |length| length - 1)
    }

    /// Moves what is in each column towards what it is next to in the column before, or behind.
    fn sweep(&mut self, forward: bool) {
        let mut place = vec![0.0; self.spots.len()];
        for order in &self.order {
            note_places(order, &mut place);
        }
        let mut near: Vec<Vec<(usize, f64)>> = vec![Vec::new(); self.spots.len()];
        for (left, left_at, right, right_at) in &self.segments {
            let (one, other, at) = if forward { (*right, *left, *left_at) } else { (*left, *right, *right_at) };
            let height = self.spots[other].height.max(1.0);
            near[one].push((other, at / height));
        }
        let last = self.order.len();
        let each: Vec<usize> = if forward { (0..last).collect() } else { (0..last).rev().collect() };
        for column in each {
            // Places are shares of a column, so that long and short ones compare; a box takes a step of its own.
            let step = 1.0 / count(self.order[column].len().max(1));
            let wish = |spot: &usize| {
                let wishes = near[*spot].iter().map(|(other, down)| place[*other] + down * 1e-3);
                mean(wishes).unwrap_or(place[*spot] + step * 1e-6)
            };
            let mut keyed: Vec<(f64, usize)> = self.order[column].iter().map(|spot| (wish(spot), *spot)).collect();
            keyed.sort_by(|one, other| one.0.total_cmp(&other.0));
            self.order[column] = keyed.into_iter().map(|(_, spot)| spot).collect();
            note_places(&self.order[column], &mut place);
        }
    }
}

fn note_places(order: &[usize], place: &mut [f64]) {
    let all = count(order.len().max(1));
    order.iter().enumerate().for_each(|(at, spot)| place[*spot] = (count(at) + 0.5) / all);
}

pub(super) fn mean(numbers: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, all) = numbers.fold((0.0, 0_usize), |(sum, all), number| (sum + number, all + 1));
    (all > 0).then(|| sum / count(all))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A chain of tables that each refer to the one before and to the first: how many edges, and how many places they go past.
    fn chain(tables: usize) -> (usize, usize) {
        let edge = |child, parent| Edge { child, parent, here: 0.0, there: 0.0 };
        let pairs = (1..tables).flat_map(|table| [edge(table, table - 1), edge(table, 0)]);
        let edges: Vec<(usize, Edge)> = pairs.enumerate().collect();
        let layers: Vec<usize> = (0..tables).collect();
        let columns = Columns::of(&layers, &vec![(100.0, 50.0); tables], &edges, 600.0);
        (edges.len(), columns.passes.values().map(Vec::len).sum())
    }

    #[test]
    fn lines_are_led_past_what_is_in_between() {
        assert_eq!(chain(20), (38, (1..=18).sum()));
    }

    #[test]
    fn lines_past_very_many_tables_go_straight() {
        let (edges, passes) = chain(1000);
        let room = PASSES + PASSES_FOR_EACH * edges;
        assert!(passes > room / 2 && passes <= room, "{passes} places, of {room}");
    }
}
