use schema_model::{Database, Deferrability, ForeignKey, ObjectName};
use serde_json::json;

use super::describe;
use crate::tables::{Lookup, evidence, foreign_key_name, kept};
use crate::{Finding, Findings, Lint, Object, TooMany};

/// Tables that refer to each other in a circle.
#[derive(Debug, Clone, Copy, Default)]
pub struct ForeignKeyCycle;

/// A foreign key and the table that it is of.
struct Edge<'a> {
    from: usize,
    to: usize,
    key: &'a ForeignKey,
}

impl Lint for ForeignKeyCycle {
    describe!("foreign-key-cycle", Notice, "tables refer to each other in a circle");

    fn check(&self, database: &Database, found: &mut Findings) -> Result<(), TooMany> {
        let lookup = Lookup::of(database);
        let mut edges = Vec::new();
        for kept in kept(database) {
            let from = lookup.place(&kept.name);
            for key in kept.foreign_keys() {
                if let (Some(from), Some(to)) = (from, lookup.place(&key.references)) {
                    edges.push(Edge { from, to, key });
                }
            }
        }
        let circles = circles(lookup.len(), &edges);
        let mut circle_of: Vec<Option<usize>> = vec![None; lookup.len()];
        for (number, circle) in circles.iter().enumerate() {
            for place in circle {
                circle_of[*place] = Some(number);
            }
        }
        let mut within: Vec<Vec<&Edge<'_>>> = vec![Vec::new(); circles.len()];
        for edge in edges.iter().filter(|edge| edge.from != edge.to && circle_of[edge.from] == circle_of[edge.to]) {
            circle_of[edge.from].into_iter().for_each(|circle| within[circle].push(edge));
        }
        found.extend(circles.iter().zip(&within).map(|(circle, within)| self.circle(&lookup, within, circle)))
    }
}

impl ForeignKeyCycle {
    fn circle(self, lookup: &Lookup<'_>, within: &[&Edge<'_>], circle: &[usize]) -> Finding {
        let names: Vec<&ObjectName> = circle.iter().map(|place| lookup.name(*place)).collect();
        let keys = within.iter().map(|edge| {
            let nullable = |name: &str| lookup.column(edge.from, name).is_none_or(|column| column.nullable);
            json!({
                "table": lookup.name(edge.from), "name": foreign_key_name(edge.key), "references": lookup.name(edge.to),
                "deferrable": edge.key.deferrability != Deferrability::NotDeferrable,
                "nullable": edge.key.columns.iter().any(|pair| nullable(&pair.column)),
            })
        });
        let tables: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        self.finding(
            Object::whole(names[0]),
            format!("{} refer to each other in a circle", tables.join(", ")),
            evidence([("tables", json!(names)), ("foreign_keys", json!(keys.collect::<Vec<_>>()))]),
            "have one of the keys nullable or deferrable, so that rows can be written and deleted one after the other",
        )
    }
}

/// Strongly connected components of more than one table, each in the order of its tables (Kosaraju's algorithm).
fn circles(count: usize, edges: &[Edge<'_>]) -> Vec<Vec<usize>> {
    let mut ahead: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut back: Vec<Vec<usize>> = vec![Vec::new(); count];
    for edge in edges {
        ahead[edge.from].push(edge.to);
        back[edge.to].push(edge.from);
    }
    let mut seen = vec![false; count];
    let mut left = Vec::with_capacity(count);
    for start in 0..count {
        visit(start, &ahead, &mut seen, &mut left);
    }
    let mut seen = vec![false; count];
    let mut circles = Vec::new();
    for start in left.into_iter().rev() {
        let mut circle = Vec::new();
        visit(start, &back, &mut seen, &mut circle);
        if circle.len() > 1 {
            circle.sort_unstable();
            circles.push(circle);
        }
    }
    circles.sort_unstable();
    circles
}

/// Adds all that can be reached, each when it is left. Not by recursion: a chain may be long.
fn visit(start: usize, ahead: &[Vec<usize>], seen: &mut [bool], left: &mut Vec<usize>) {
    if std::mem::replace(&mut seen[start], true) {
        return;
    }
    let mut stack = vec![(start, 0)];
    while let Some((node, at)) = stack.pop() {
        match ahead[node].get(at).copied() {
            Some(next) => {
                stack.push((node, at + 1));
                if !std::mem::replace(&mut seen[next], true) {
                    stack.push((next, 0));
                }
            }
            None => left.push(node),
        }
    }
}
