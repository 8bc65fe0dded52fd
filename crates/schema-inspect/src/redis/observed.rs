//! What keys have in common, in the model's words.

use std::collections::{BTreeMap, BTreeSet};

use schema_model::{
    HashFields, KeyExpiry, KeyPattern, KeyType, ObjectName, ObservedType, SampleLimit, SampleMethod, Spread,
};
use shared_kernel::database::{Expiry, Shape};

use super::pattern::{self, Piece};
use super::seen::Seen;
use crate::sampling::{self, Closeness};

/// What is taken for data by whoever tells names that are data from others.
const DATA: &str = "://";

/// Tells what was seen of keys.
pub(super) struct Observer<'a> {
    pub(super) keys: &'a [Seen],
    /// How many there are in all.
    pub(super) total: Option<u64>,
    /// How many names of fields are told.
    pub(super) paths: u32,
}

impl Observer<'_> {
    pub(super) fn pattern(&self, pattern: String, keys: &[usize], limits: &mut BTreeSet<SampleLimit>) -> KeyPattern {
        let keys: Vec<&Seen> = keys.iter().filter_map(|key| self.keys.get(*key)).collect();
        let (count, of) = (keys.len() as u64, self.keys.len() as u64);
        let mut by_type: BTreeMap<&str, Vec<&Seen>> = BTreeMap::new();
        for seen in &keys {
            if let Some(kind) = &seen.kind {
                by_type.entry(kind).or_default().push(seen);
            }
        }
        let known: u64 = by_type.values().map(|of_type| of_type.len() as u64).sum();
        let mut types: Vec<KeyType> =
            by_type.into_iter().map(|(name, of_type)| self.of_type(name, &of_type, known, limits)).collect();
        types.sort_by_key(|of_type| std::cmp::Reverse(of_type.count));
        KeyPattern {
            pattern,
            keys: sampling::presence(count, of, false),
            estimated: self.total.map(|total| part(total, count, of)),
            types,
            expiry: expiry(&keys),
        }
    }

    fn of_type(&self, name: &str, keys: &[&Seen], known: u64, limits: &mut BTreeSet<SampleLimit>) -> KeyType {
        let count = keys.len() as u64;
        KeyType {
            name: name.to_owned(),
            count,
            share: sampling::share(count, known),
            encodings: encodings(keys),
            lengths: spread(keys.iter().filter_map(|seen| seen.length)),
            memory: spread(keys.iter().filter_map(|seen| seen.memory)),
            fields: self.fields(keys, limits),
        }
    }

    fn fields(&self, keys: &[&Seen], limits: &mut BTreeSet<SampleLimit>) -> Option<HashFields> {
        let hashes: Vec<(&Seen, &Vec<Vec<u8>>)> =
            keys.iter().filter_map(|seen| Some((*seen, seen.fields.as_ref()?))).collect();
        if hashes.is_empty() {
            return None;
        }
        let shape = |(_, names): &(&Seen, &Vec<Vec<u8>>)| {
            let fields = names.iter().enumerate().map(|(number, name)| (field(name, number), Shape::Scalar("string")));
            Shape::Object("hash", fields.collect())
        };
        let shapes: Vec<Shape> = hashes.iter().map(shape).collect();
        let closeness = Closeness { depth: 1, paths: self.paths };
        // Which collection it is has no meaning here.
        let observed = sampling::observed(ObjectName::new("", ""), SampleMethod::First, &shapes, closeness);
        limits.extend(observed.limits);
        Some(HashFields {
            hashes: hashes.len() as u64,
            partial: hashes.iter().filter(|(seen, _)| seen.is_partial()).count() as u64,
            fields: observed.fields,
            map: observed.map,
        })
    }
}

/// The name of a field, with a word in braces for each part of it that is data. One that is nothing else goes on as it is where its
/// looks are known further on, and as [`DATA`] where they are not.
fn field(name: &[u8], number: usize) -> String {
    let pieces = pattern::pieces(name);
    let is_data = !pieces.is_empty() && pieces.iter().all(|piece| matches!(piece, Piece::Data(_)));
    match str::from_utf8(name) {
        Ok(text) if is_data && sampling::kind_of(text).is_some() => text.to_owned(),
        _ if is_data => format!("{DATA}{number}"),
        _ => pattern::told(&pieces),
    }
}

/// The same part of the total as the count is of the keys that were looked at, rounded.
fn part(total: u64, count: u64, of: u64) -> u64 {
    let (total, count, of) = (u128::from(total), u128::from(count), u128::from(of.max(1)));
    u64::try_from((total * count + of / 2) / of).unwrap_or(u64::MAX)
}

fn expiry(keys: &[&Seen]) -> Option<KeyExpiry> {
    let known: Vec<Expiry> = keys.iter().filter_map(|seen| seen.expiry).collect();
    if known.is_empty() {
        return None;
    }
    let left = |expiry: &Expiry| match expiry {
        Expiry::Never => None,
        Expiry::After(time) => Some(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
    };
    let milliseconds = spread(known.iter().filter_map(left));
    let count = milliseconds.map_or(0, |spread| spread.count);
    Some(KeyExpiry { presence: sampling::presence(count, known.len() as u64, false), milliseconds })
}

fn encodings(keys: &[&Seen]) -> Vec<ObservedType> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for encoding in keys.iter().filter_map(|seen| seen.encoding.as_deref()) {
        *counts.entry(encoding).or_default() += 1;
    }
    let all = counts.values().sum();
    let told =
        |(name, count): (&str, u64)| ObservedType { name: name.to_owned(), count, share: sampling::share(count, all) };
    let mut encodings: Vec<ObservedType> = counts.into_iter().map(told).collect();
    encodings.sort_by_key(|encoding| std::cmp::Reverse(encoding.count));
    encodings
}

fn spread(numbers: impl Iterator<Item = u64>) -> Option<Spread> {
    let (mut count, mut least, mut most, mut sum) = (0, u64::MAX, 0, 0_u128);
    for number in numbers {
        count += 1;
        least = least.min(number);
        most = most.max(number);
        sum += u128::from(number);
    }
    let mean = sum.checked_div(u128::from(count))?;
    Some(Spread { count, least, most, mean: u64::try_from(mean).unwrap_or(u64::MAX) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_from_where_to_where() {
        assert_eq!(spread([].into_iter()), None);
        let spread = spread([7, 2, 2, u64::MAX].into_iter());
        let mean = u64::try_from((u128::from(u64::MAX) + 11) / 4).expect("a mean");
        assert_eq!(spread, Some(Spread { count: 4, least: 2, most: u64::MAX, mean }));
    }

    #[test]
    fn what_is_estimated_is_the_same_part_of_all() {
        assert_eq!((part(1_000_000, 1, 3), part(u64::MAX, 5, 5), part(7, 0, 0)), (333_333, u64::MAX, 0));
    }

    #[test]
    fn a_field_that_is_data_is_no_name() {
        for (name, expected) in [
            (&b"name"[..], "name"),
            (b"line2", "line2"),
            (b"score:1234", "score:{number}"),
            (b"0190163d-8694-739b-aea5-966c26f8ad90", "0190163d-8694-739b-aea5-966c26f8ad90"),
            (b"Xk9dL2mQpR7vT1bN", "://7"),
            (b"\xff\xfe", "://7"),
            (b"", ""),
        ] {
            assert_eq!(field(name, 7), expected);
        }
    }
}
