use std::collections::BTreeMap;

use schema_model::{Database, Deferrability, ForeignKey, ObjectName, Relation};
use serde_json::json;

use super::describe;
use crate::tables::{evidence, foreign_key_name, kept, table_of};
use crate::{Finding, Lint, Object};

/// Tables that refer to each other in a circle.
#[derive(Debug, Clone, Copy, Default)]
pub struct ForeignKeyCycle;

/// A foreign key and the table that it is of.
struct Edge<'a> {
    from: usize,
    to: usize,
    relation: &'a Relation,
    key: &'a ForeignKey,
}

impl Lint for ForeignKeyCycle {
    describe!("foreign-key-cycle", Notice, "tables refer to each other in a circle");

    fn check(&self, database: &Database) -> Vec<Finding> {
        let names: Vec<ObjectName> = database.relations().map(|(name, _)| name).collect();
        let places: BTreeMap<&ObjectName, usize> = names.iter().zip(0..).collect();
        let mut edges = Vec::new();
        for kept in kept(database) {
            let from = table_of(database, &kept.name).and_then(|name| places.get(&name).copied());
            for key in kept.foreign_keys() {
                let to = table_of(database, &key.references).and_then(|name| places.get(&name).copied());
                if let (Some(from), Some(to)) = (from, to) {
                    edges.push(Edge { from, to, relation: kept.relation, key });
                }
            }
        }
        let circles = circles(names.len(), &edges);
        circles.into_iter().map(|circle| self.circle(&names, &edges, &circle)).collect()
    }
}

impl ForeignKeyCycle {
    fn circle(self, names: &[ObjectName], edges: &[Edge<'_>], circle: &[usize]) -> Finding {
        let within =
            |edge: &&Edge<'_>| edge.from != edge.to && circle.contains(&edge.from) && circle.contains(&edge.to);
        let within: Vec<&Edge<'_>> = edges.iter().filter(within).collect();
        let keys = within.iter().map(|edge| {
            let nullable = |name: &str| edge.relation.column(name).is_none_or(|column| column.nullable);
            json!({
                "table": names[edge.from], "name": foreign_key_name(edge.key), "references": names[edge.to],
                "deferrable": edge.key.deferrability != Deferrability::NotDeferrable,
                "nullable": edge.key.columns.iter().any(|pair| nullable(&pair.column)),
            })
        });
        let tables: Vec<String> = circle.iter().map(|place| format!("`{}`", names[*place])).collect();
        self.finding(
            Object::whole(&names[circle[0]]),
            format!("{} refer to each other in a circle", tables.join(", ")),
            evidence([
                ("tables", json!(circle.iter().map(|place| &names[*place]).collect::<Vec<_>>())),
                ("foreign_keys", json!(keys.collect::<Vec<_>>())),
            ]),
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
