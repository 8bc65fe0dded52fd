//! Tables and foreign keys as a graph: what hangs together, and how far each is from what it refers to.

use std::collections::{BTreeMap, HashSet};

/// A foreign key, and how far down in the boxes its ends are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edge {
    pub(super) child: usize,
    pub(super) parent: usize,
    pub(super) here: f64,
    pub(super) there: f64,
}

/// The tables that hang together, by the least of each.
pub(super) fn components(count: usize, edges: &[Edge]) -> Vec<Vec<usize>> {
    let mut leader: Vec<usize> = (0..count).collect();
    for edge in edges {
        let (one, other) = (lead(&mut leader, edge.child), lead(&mut leader, edge.parent));
        leader[one.max(other)] = one.min(other);
    }
    let mut components: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for node in 0..count {
        components.entry(lead(&mut leader, node)).or_default().push(node);
    }
    components.into_values().collect()
}

fn lead(leader: &mut [usize], mut node: usize) -> usize {
    while leader[node] != node {
        leader[node] = leader[leader[node]];
        node = leader[node];
    }
    node
}

/// The layer of each node: each is behind what it refers to, but for what would close a circle.
pub(super) fn layers(count: usize, edges: &[Edge]) -> Vec<usize> {
    let mut parents: Vec<Vec<usize>> = vec![Vec::new(); count];
    for edge in edges.iter().filter(|edge| edge.child != edge.parent) {
        parents[edge.child].push(edge.parent);
    }
    let order = forward(&mut parents);
    let mut layer = vec![0_usize; count];
    for node in &order {
        layer[*node] = parents[*node].iter().map(|parent| layer[*parent] + 1).max().unwrap_or(0);
    }
    // What is referred to comes as near as it can.
    let mut nearest: Vec<Option<usize>> = vec![None; count];
    for node in order.iter().rev() {
        if let Some(child) = nearest[*node] {
            layer[*node] = layer[*node].max(child.saturating_sub(1));
        }
        for parent in &parents[*node] {
            let near = nearest[*parent].get_or_insert(layer[*node]);
            *near = (*near).min(layer[*node]);
        }
    }
    layer
}

/// Nodes in an order in which each is behind what it refers to. An edge back to what is being looked at is turned round.
fn forward(parents: &mut [Vec<usize>]) -> Vec<usize> {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        Not,
        Open,
        Done,
    }
    let mut seen = vec![Seen::Not; parents.len()];
    let mut turned = Vec::new();
    for start in 0..parents.len() {
        if seen[start] != Seen::Not {
            continue;
        }
        seen[start] = Seen::Open;
        let mut stack = vec![(start, 0)];
        while let Some((node, at)) = stack.pop() {
            let Some(parent) = parents[node].get(at).copied() else {
                seen[node] = Seen::Done;
                continue;
            };
            stack.push((node, at + 1));
            match seen[parent] {
                Seen::Not => {
                    seen[parent] = Seen::Open;
                    stack.push((parent, 0));
                }
                Seen::Open => turned.push((node, parent)),
                Seen::Done => {}
            }
        }
    }
    let closing: HashSet<(usize, usize)> = turned.iter().copied().collect();
    let children: HashSet<usize> = turned.iter().map(|(node, _)| *node).collect();
    for node in children {
        parents[node].retain(|parent| !closing.contains(&(node, *parent)));
    }
    for (node, parent) in turned {
        parents[parent].push(node);
    }
    sorted(parents)
}

fn sorted(parents: &[Vec<usize>]) -> Vec<usize> {
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); parents.len()];
    let mut waiting = vec![0_usize; parents.len()];
    for (node, of_node) in parents.iter().enumerate() {
        for parent in of_node {
            children[*parent].push(node);
            waiting[node] += 1;
        }
    }
    let mut order: Vec<usize> = (0..parents.len()).filter(|node| waiting[*node] == 0).collect();
    let mut at = 0;
    while let Some(node) = order.get(at).copied() {
        at += 1;
        for child in &children[node] {
            waiting[*child] -= 1;
            if waiting[*child] == 0 {
                order.push(*child);
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(pairs: &[(usize, usize)]) -> Vec<Edge> {
        pairs.iter().map(|(child, parent)| Edge { child: *child, parent: *parent, here: 0.0, there: 0.0 }).collect()
    }

    #[test]
    fn each_is_behind_what_it_refers_to() {
        let edges = edges(&[(0, 1), (1, 2), (0, 2), (3, 3)]);
        assert_eq!(layers(4, &edges), [2, 1, 0, 0]);
        assert_eq!(components(4, &edges), [vec![0, 1, 2], vec![3]]);
    }

    #[test]
    fn circles_have_layers_too_and_no_edge_stays_in_one() {
        let pairs = [(0, 1), (1, 2), (2, 0), (2, 1), (3, 0)];
        let layers = layers(4, &edges(&pairs));
        for (child, parent) in pairs {
            assert_ne!(layers[child], layers[parent], "{layers:?}");
        }
    }
}
