//! Which keys are built alike. What no single key shows is seen of many: where ten names in one place have next to nothing below
//! them, they are somebody's data.

use std::collections::BTreeMap;

use super::pattern::{NUMBERS, Piece, TEXT, told};

/// So many names in one place, each with few keys, are data; where keys begin, more of them, since many stand there by themselves.
const LEAST: usize = 10;
const LEAST_AT_FRONT: usize = 30;
/// A name has few keys that has no more than so many of each kind.
const FEW: usize = 2;

/// Keys by what they begin with.
#[derive(Debug, Default)]
struct Node {
    /// The keys that end here.
    ends: Vec<usize>,
    /// How many keys there are, here and below.
    keys: usize,
    below: BTreeMap<Piece, Self>,
}

/// The keys of each pattern, by their places in the list.
pub(super) fn patterns(keys: impl IntoIterator<Item = Vec<Piece>>) -> BTreeMap<String, Vec<usize>> {
    let mut root = Node::default();
    for (place, pieces) in keys.into_iter().enumerate() {
        root.put(pieces, place);
    }
    root.fold(LEAST_AT_FRONT);
    let mut patterns = BTreeMap::new();
    root.tell(&mut Vec::new(), &mut patterns);
    patterns
}

impl Node {
    fn put(&mut self, pieces: Vec<Piece>, place: usize) {
        self.keys += 1;
        let mut node = self;
        for piece in pieces {
            node = node.below.entry(piece).or_default();
            node.keys += 1;
        }
        node.ends.push(place);
    }

    /// How many kinds of keys there are, here and below.
    fn kinds(&self) -> usize {
        usize::from(!self.ends.is_empty()) + self.below.values().map(Self::kinds).sum::<usize>()
    }

    /// Takes names that are data for what they are, here and below.
    fn fold(&mut self, least: usize) {
        for node in self.below.values_mut() {
            node.fold(LEAST);
        }
        let is_name = |piece: &Piece| matches!(piece, Piece::Name(_));
        let names = self.below.keys().filter(|piece| is_name(piece)).count();
        let is_thin = |piece: &Piece, node: &Self| is_name(piece) && node.keys <= FEW * node.kinds();
        let thin = self.below.iter().filter(|(piece, node)| is_thin(piece, node)).count();
        if thin < least || thin * 4 < names * 3 {
            return;
        }
        let (thin, rest): (BTreeMap<_, _>, _) =
            std::mem::take(&mut self.below).into_iter().partition(|(piece, node)| is_thin(piece, node));
        self.below = rest;
        let is_number =
            |piece: &Piece| matches!(piece, Piece::Name(name) if name.bytes().all(|byte| byte.is_ascii_digit()));
        let data = if thin.keys().all(is_number) { NUMBERS } else { TEXT };
        let merged = self.below.entry(data).or_default();
        for node in thin.into_values() {
            merged.merge(node);
        }
        // What was below many is in one place now.
        merged.fold(LEAST);
    }

    fn merge(&mut self, other: Self) {
        self.keys += other.keys;
        self.ends.extend(other.ends);
        for (piece, node) in other.below {
            self.below.entry(piece).or_default().merge(node);
        }
    }

    fn tell(self, above: &mut Vec<Piece>, patterns: &mut BTreeMap<String, Vec<usize>>) {
        if !self.ends.is_empty() {
            patterns.entry(told(above.iter())).or_default().extend(self.ends);
        }
        for (piece, node) in self.below {
            above.push(piece);
            node.tell(above, patterns);
            above.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::pattern::pieces;
    use super::*;

    #[track_caller]
    fn check(keys: impl IntoIterator<Item = String>, expected: &[(&str, usize)]) {
        let patterns = patterns(keys.into_iter().map(|key| pieces(key.as_bytes())));
        let patterns: Vec<_> = patterns.iter().map(|(pattern, keys)| (pattern.as_str(), keys.len())).collect();
        assert_eq!(patterns, expected);
    }

    const PEOPLE: [&str; 12] = ["ann", "bob", "cleo", "dave", "eve", "finn", "gus", "hal", "ida", "jon", "kim", "lou"];

    #[test]
    fn many_names_with_few_keys_each_are_data() {
        check(PEOPLE.map(|name| format!("user:{name}")), &[("user:{text}", 12)]);
        let of_people = PEOPLE.iter().flat_map(|name| [format!("user:{name}:cart"), format!("user:{name}:seen")]);
        check(of_people, &[("user:{text}:cart", 12), ("user:{text}:seen", 12)]);
        let friends = PEOPLE.iter().zip(PEOPLE.iter().rev()).map(|(one, other)| format!("user:{one}:knows:{other}"));
        check(friends, &[("user:{text}:knows:{text}", 12)]);
        check((0..30).map(|number| format!("shard{number}")), &[("shard{number}", 30)]);
    }

    #[test]
    fn names_with_many_keys_each_are_names() {
        let entities = PEOPLE.iter().flat_map(|name| (0..5).map(move |number| format!("{name}:{number}")));
        let expected: Vec<String> = PEOPLE.iter().map(|name| format!("{name}:{{number}}")).collect();
        let expected: Vec<(&str, usize)> = expected.iter().map(|pattern| (pattern.as_str(), 5)).collect();
        check(entities, &expected);
    }

    #[test]
    fn where_keys_begin_more_names_stand_by_themselves() {
        let alone: Vec<&str> = PEOPLE.to_vec();
        check(alone.iter().map(|name| (*name).to_owned()), &alone.iter().map(|name| (*name, 1)).collect::<Vec<_>>());
        let many = PEOPLE.iter().flat_map(|name| ["a", "b", "c"].map(|letter| format!("{name}{letter}")));
        check(many, &[("{text}", 36)]);
    }

    #[test]
    fn few_names_are_names() {
        let few = PEOPLE[..9].iter().map(|name| format!("queue:{name}"));
        let expected: Vec<String> = PEOPLE[..9].iter().map(|name| format!("queue:{name}")).collect();
        let expected: Vec<(&str, usize)> = expected.iter().map(|pattern| (pattern.as_str(), 1)).collect();
        check(few, &expected);
    }

    #[test]
    fn keys_in_a_thousand_parts_are_no_harm() {
        let deep = (0..1_000).map(|number| format!("{}{number}", "ab:".repeat(number % 60)));
        let patterns = patterns(deep.map(|key| pieces(key.as_bytes())));
        assert_eq!(patterns.values().map(Vec::len).sum::<usize>(), 1_000);
    }
}
