//! Names that are values, though none of them looks like one: there are many of them, and each is in few objects.

use std::collections::BTreeMap;

use schema_model::MapKeys;

use super::node::{Child, Node};

/// So many names have to be rare, by how many objects were seen. Objects of one form have most of their names in common; one object by
/// itself says nothing, unless it is a very large one.
const fn least(objects: u64) -> usize {
    match objects {
        0 | 1 => 100,
        2..=4 => 20,
        _ => 10,
    }
}

/// A name is rare that one object in so many has, or one alone.
const RARE: u64 = 5;

impl Node {
    /// Takes names that are values for what they are, here and within.
    pub(super) fn fold(&mut self) {
        if self.has_values_for_names() {
            let most = self.most();
            let (rare, names): (BTreeMap<_, _>, _) =
                std::mem::take(&mut self.children).into_iter().partition(|(_, child)| child.present <= most);
            self.children = names;
            let mapped = self.mapped.get_or_insert_default();
            mapped.kinds.insert(MapKeys::Text);
            mapped.entries += rare.values().map(|child| child.present).sum::<u64>();
            for child in rare.into_values() {
                mapped.node.merge(child.node);
            }
        }
        self.within_mut().for_each(Self::fold);
    }

    /// In how many objects a name is at most that is rare.
    fn most(&self) -> u64 {
        (self.objects / RARE).max(1)
    }

    fn has_values_for_names(&self) -> bool {
        let rare: Vec<&Child> = self.children.values().filter(|child| child.present <= self.most()).collect();
        rare.len() >= least(self.objects) && rare.len() * 4 >= self.children.len() * 3 && are_alike(&rare)
    }
}

/// Whether nine in ten of the values are of one type; what is null is of any.
fn are_alike(children: &[&Child]) -> bool {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for (word, count) in children.iter().flat_map(|child| &child.node.types) {
        let word = match *word {
            "null" | "undefined" | "NULL" => continue,
            "int" | "long" | "double" | "decimal" => "number",
            word => word,
        };
        *counts.entry(word).or_default() += count;
    }
    counts.values().max().is_some_and(|most| most * 10 >= counts.values().sum::<u64>() * 9)
}
