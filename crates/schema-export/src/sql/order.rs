//! In which order things are made that need each other.

use std::collections::{BTreeSet, HashMap};

use schema_model::ObjectName;

/// The number of each name; of several that are equal, the first.
pub(super) fn places<'a>(names: impl Iterator<Item = &'a ObjectName>) -> HashMap<&'a ObjectName, usize> {
    let mut places = HashMap::new();
    for (number, name) in names.enumerate() {
        places.entry(name).or_insert(number);
    }
    places
}

/// The numbers below `needs.len()` so that each comes behind all it needs, else in their own order; and those that need each other in
/// a circle or what is in one, which come nowhere.
pub(super) fn sorted(needs: &[Vec<usize>]) -> (Vec<usize>, Vec<usize>) {
    let mut waiting: Vec<usize> = Vec::with_capacity(needs.len());
    let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); needs.len()];
    for (one, others) in needs.iter().enumerate() {
        let mut others = others.clone();
        others.retain(|other| *other != one);
        others.sort_unstable();
        others.dedup();
        waiting.push(others.len());
        for other in others {
            needed_by[other].push(one);
        }
    }
    let mut ready: BTreeSet<usize> =
        waiting.iter().enumerate().filter(|(_, count)| **count == 0).map(|(one, _)| one).collect();
    let mut order = Vec::with_capacity(needs.len());
    while let Some(one) = ready.pop_first() {
        order.push(one);
        for other in &needed_by[one] {
            waiting[*other] -= 1;
            if waiting[*other] == 0 {
                ready.insert(*other);
            }
        }
    }
    let left = waiting.iter().enumerate().filter(|(_, count)| **count > 0).map(|(one, _)| one).collect();
    (order, left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_needed_comes_first_and_circles_come_nowhere() {
        assert_eq!(sorted(&[vec![2], vec![], vec![1, 2]]), (vec![1, 2, 0], vec![]));
        assert_eq!(sorted(&[vec![1], vec![0], vec![0], vec![]]), (vec![3], vec![0, 1, 2]));
    }
}
