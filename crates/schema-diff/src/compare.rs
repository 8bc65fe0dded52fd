//! One comparison from its beginning to its end: first which things are the same, then what of each has changed.

mod collections;
mod columns;
mod constraints;
mod database;
mod indexes;
mod matching;
mod objects;
mod partitions;
mod relations;
mod told;

use std::collections::HashSet;

use schema_model::{Gap, ObjectName};

use self::matching::Matched;
use crate::diff::{Depth, Diff, Verdict};
use crate::editions::{self, Alike};
use crate::found::Found;
use crate::side::{Lacking, Side};

/// Tells what is different in `after`, seen from `before`.
///
/// Two databases of one engine are compared wholly, others in what both engines say in the same words. What their databases are called
/// is not compared, and neither is what the one namespace of each is called where the databases are two.
/// Renames are told where both sides know their objects by the engine's numbers; elsewhere what was renamed is gone and new,
/// but for keys, constraints and indexes, which are known by what they are made of.
///
/// What the earlier edition of the model did not know, of two looks of different ones, is compared in neither; where the later one has
/// any of it, that is listed apart.
///
/// One line stands for each cause: what belonged to something that is gone, new or renamed is not listed besides.
pub fn compare<'a>(before: impl Into<Side<'a>>, after: impl Into<Side<'a>>) -> Diff {
    let (before, after) = (before.into(), after.into());
    let alike = editions::alike(before, after);
    let (before, after, not_asked) = match &alike {
        Some(Alike { before: one, after: other, not_asked }) => {
            (Side { database: one, ..before }, Side { database: other, ..after }, not_asked.as_slice())
        }
        None => (before, after, &[][..]),
    };
    let depth = if before.database.engine == after.database.engine { Depth::Whole } else { Depth::Neutral };
    let matched = Matched::of(before, after);
    let mut found = Found::default();
    let lacking = (Lacking::of(before), Lacking::of(after));
    let comparison = Comparison { before, after, depth, matched: &matched, lacking: (&lacking.0, &lacking.1) };
    comparison.database(&mut found);
    comparison.namespaces(&mut found);
    comparison.relations(&mut found);
    comparison.collections(&mut found);
    if depth == Depth::Whole {
        comparison.objects(&mut found);
    }
    let Found { mut changes, mut not_compared } = found;
    // What is told to be new or gone need not have been looked into.
    let told =
        |gap: &&Gap, alone: &HashSet<ObjectName>| gap.object.as_ref().is_some_and(|object| alone.contains(object));
    not_compared.extend(before.gaps.iter().filter(|gap| !told(gap, &matched.removed)).cloned());
    not_compared.extend(after.gaps.iter().filter(|gap| !told(gap, &matched.added)).cloned());
    let is_alone = |gap: &&Gap| told(gap, &matched.removed) || told(gap, &matched.added);
    not_compared.extend(not_asked.iter().filter(|gap| !is_alone(gap)).cloned());
    changes.sort_by(|one, other| {
        (&one.object, one.kind, &one.part, one.action).cmp(&(&other.object, other.kind, &other.part, other.action))
    });
    Diff { verdict: Verdict::of(&changes), depth, changes, not_compared: not_compared.into_iter().collect() }
}

/// Both sides, and which of their things are the same.
#[derive(Clone, Copy)]
struct Comparison<'a> {
    before: Side<'a>,
    after: Side<'a>,
    depth: Depth,
    matched: &'a Matched<'a>,
    /// What either side does not tell.
    lacking: (&'a Lacking<'a>, &'a Lacking<'a>),
}

impl Comparison<'_> {
    fn is_whole(&self) -> bool {
        self.depth == Depth::Whole
    }
}
