use std::collections::HashMap;

/// Which things of two lists are the same, each under what it is on its side.
pub(crate) struct Pairing<T> {
    pub(crate) both: Vec<(T, T)>,
    pub(crate) removed: Vec<T>,
    pub(crate) added: Vec<T>,
}

/// On which side a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    Before,
    After,
}

/// What two things have in common that are the same; `None` where this cannot be told so.
pub(crate) type Key<'k, T> = &'k dyn Fn(At, T) -> Option<String>;

/// Pairs by the first key, what is left by the second, and so on. What shares its key with others on its side is not paired by it.
pub(crate) fn pair<T: Copy>(
    before: impl Iterator<Item = T>,
    after: impl Iterator<Item = T>,
    keys: &[Key<'_, T>],
) -> Pairing<T> {
    let (mut removed, mut added): (Vec<Option<T>>, Vec<Option<T>>) =
        (before.map(Some).collect(), after.map(Some).collect());
    // By its place before, so that pairs stand in the order of that list.
    let mut both: Vec<(usize, T, T)> = Vec::new();
    for key in keys {
        let (of, by) = (singles(&removed, At::Before, key), singles(&added, At::After, key));
        for (key, place) in of {
            if let Some(other) = by.get(&key)
                && let (Some(one), Some(other)) = (removed[place].take(), added[*other].take())
            {
                both.push((place, one, other));
            }
        }
    }
    both.sort_unstable_by_key(|(place, ..)| *place);
    Pairing {
        both: both.into_iter().map(|(_, one, other)| (one, other)).collect(),
        removed: removed.into_iter().flatten().collect(),
        added: added.into_iter().flatten().collect(),
    }
}

/// Where each key is that is there once.
fn singles<T: Copy>(items: &[Option<T>], at: At, key: Key<'_, T>) -> HashMap<String, usize> {
    let mut places: HashMap<String, Option<usize>> = HashMap::new();
    for (place, item) in items.iter().enumerate() {
        if let Some(key) = item.and_then(|item| key(at, item)) {
            places.entry(key).and_modify(|place| *place = None).or_insert(Some(place));
        }
    }
    places.into_iter().filter_map(|(key, place)| Some((key, place?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_paired_by_the_next_key() {
        let (before, after) = ([("a", 1), ("b", 2), ("c", 3), ("d", 4)], [("b", 1), ("a", 9), ("e", 4), ("x", 7)]);
        let found = pair(
            before.into_iter(),
            after.into_iter(),
            &[&|_, item: (&str, i32)| Some(item.1.to_string()), &|_, item| Some(item.0.to_owned())],
        );
        assert_eq!(found.both, [(("a", 1), ("b", 1)), (("d", 4), ("e", 4))]);
        assert_eq!(found.removed, [("b", 2), ("c", 3)]);
        assert_eq!(found.added, [("a", 9), ("x", 7)]);
    }

    #[test]
    fn keys_that_are_there_twice_pair_nothing() {
        let found =
            pair([1, 11, 2].into_iter(), [21, 12].into_iter(), &[&|_, item: i32| Some((item % 10).to_string())]);
        assert_eq!(found.both, [(2, 12)]);
        assert_eq!((found.removed, found.added), (vec![1, 11], vec![21]));
    }
}
