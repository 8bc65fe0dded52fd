use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use schema_model::{Database, Index, IndexPart, NullsOrder, PartTarget, SortDirection};
use serde_json::{Value, json};

use super::describe;
use crate::findings::json_length;
use crate::tables::{Kept, columns, evidence, kept};
use crate::{Findings, Lint, Object, TooMany};

/// Indexes that were read as a whole and are used: what is unknown is the same as nothing.
fn known<'a>(kept: &Kept<'a>) -> Vec<&'a Index> {
    let part = |part: &IndexPart| match &part.target {
        PartTarget::Column(_) => true,
        PartTarget::Expression(text) => text.known().is_some(),
    };
    let is_known = |index: &&Index| {
        index.valid
            && index.parts.iter().all(part)
            && index.predicate.as_ref().is_none_or(|text| text.known().is_some())
    };
    kept.indexes().iter().filter(is_known).collect()
}

fn is_sorted(index: &Index) -> bool {
    matches!(index.method.to_ascii_lowercase().as_str(), "btree" | "nonclustered" | "clustered")
}

/// How many bytes of an index one finding tells at most. Many findings may be about the same one.
const MOST_TOLD: usize = 4096;

fn shown(index: &Index) -> Value {
    let mut shown = json!({ "name": index.name, "method": index.method, "unique": index.unique });
    let fits = json_length(&(&index.parts, &index.include, &index.predicate), MOST_TOLD).is_some();
    shown["parts"] = if fits { json!(index.parts) } else { Value::Null };
    shown["include"] = if fits { json!(index.include) } else { Value::Null };
    shown["where"] = if fits { json!(index.predicate) } else { Value::Null };
    shown
}

/// What two indexes agree in that are the same in everything but their names.
fn sameness(index: &Index) -> String {
    let mut include = index.include.clone();
    include.sort_unstable();
    json!([index.method, index.unique, index.nulls_distinct, index.parts, index.predicate, include]).to_string()
}

/// Indexes that are the same in everything but their names.
#[derive(Debug, Clone, Copy, Default)]
pub struct DuplicateIndex;

impl Lint for DuplicateIndex {
    describe!("duplicate-index", Warning, "two indexes of a table are the same");

    fn check(&self, database: &Database, found: &mut Findings) -> Result<(), TooMany> {
        for kept in kept(database) {
            let keep = kept.that_keep_constraints();
            let keeps = |index: &Index| keep.contains(index.name.as_str());
            let mut seen: HashMap<String, &Index> = HashMap::new();
            for index in known(&kept) {
                let first = *seen.entry(sameness(index)).or_insert(index);
                if std::ptr::eq(first, index) {
                    continue;
                }
                // What keeps a constraint stays.
                let (stays, goes) = if keeps(index) && !keeps(first) { (index, first) } else { (first, index) };
                found.push(self.finding(
                    Object::part(&kept.name, "index", &goes.name),
                    format!("index `{}` of `{}` is the same as `{}`", goes.name, kept.name, stays.name),
                    evidence([("index", shown(goes)), ("same_as", shown(stays))]),
                    "drop one of them: each costs every write and serves no other query",
                ))?;
            }
        }
        Ok(())
    }
}

/// Indexes whose parts are the first of a longer one's.
#[derive(Debug, Clone, Copy, Default)]
pub struct PrefixIndex;

impl Lint for PrefixIndex {
    describe!("prefix-index", Warning, "an index is the beginning of another one, which serves its queries too");

    fn check(&self, database: &Database, found: &mut Findings) -> Result<(), TooMany> {
        for kept in kept(database) {
            let indexes = known(&kept);
            let beginnings = Beginnings::of(&indexes);
            let keep = kept.that_keep_constraints();
            for index in indexes.iter().filter(|index| !index.unique && !keep.contains(index.name.as_str())) {
                let Some(longer) = beginnings.first(index) else { continue };
                found.push(self.finding(
                    Object::part(&kept.name, "index", &index.name),
                    format!("index `{}` of `{}` is the beginning of `{}`", index.name, kept.name, longer.name),
                    evidence([("index", shown(index)), ("covered_by", shown(longer))]),
                    "drop it, unless the longer one is much larger and queries need no more than the beginning",
                ))?;
            }
        }
        Ok(())
    }
}

/// The indexes of a table by what they begin with.
struct Beginnings<'a> {
    indexes: &'a [&'a Index],
    /// Which of them, by the digest of as many of their parts as another one may have.
    places: HashMap<u64, Vec<usize>>,
    /// The columns that each of them holds.
    held: Vec<OnceCell<HashSet<&'a str>>>,
}

/// How many longer indexes one is compared with at most in each direction: many may begin with it, and none hold what it holds.
const MOST_COMPARED: usize = 64;

impl<'a> Beginnings<'a> {
    fn of(indexes: &'a [&'a Index]) -> Self {
        let mut places: HashMap<u64, Vec<usize>> = HashMap::new();
        for (place, index) in indexes.iter().enumerate().filter(|(_, index)| is_sorted(index)) {
            let most = index.parts.len() - usize::from(!index.unique && !index.parts.is_empty());
            for digest in digests(index, index.parts.iter()).into_iter().take(most + 1) {
                places.entry(digest).or_default().push(place);
            }
        }
        let held = indexes.iter().map(|_| OnceCell::new()).collect();
        Self { indexes, places, held }
    }

    /// The first that begins with what `index` is.
    fn first(&self, index: &Index) -> Option<&'a Index> {
        let turned: Vec<IndexPart> = index.parts.iter().map(turned).collect();
        let whole = [digests(index, index.parts.iter()).pop(), digests(index, turned.iter()).pop()];
        let places = whole.iter().flatten().filter_map(|digest| {
            let places = self.places.get(digest)?;
            places.iter().copied().take(MOST_COMPARED).find(|place| self.serves(*place, index, &turned))
        });
        places.min().map(|place| self.indexes[place])
    }

    /// Whether the one at a place finds and sorts whatever `index` does; `turned` is how that is read from behind.
    fn serves(&self, place: usize, index: &Index, turned: &[IndexPart]) -> bool {
        let longer = self.indexes[place];
        let more = longer.parts.len() > index.parts.len() || (longer.parts.len() == index.parts.len() && longer.unique);
        if !more || !is_sorted(longer) || !is_sorted(index) || longer.predicate != index.predicate {
            return false;
        }
        let beginning = &longer.parts[..index.parts.len()];
        if beginning != index.parts && beginning != turned {
            return false;
        }
        index.include.iter().all(|name| self.held(place).contains(name.as_str()))
    }

    fn held(&self, place: usize) -> &HashSet<&'a str> {
        self.held[place].get_or_init(|| {
            let index = self.indexes[place];
            let parts = index.parts.iter().filter_map(|part| match &part.target {
                PartTarget::Column(column) => Some(column.as_str()),
                PartTarget::Expression(_) => None,
            });
            index.include.iter().map(String::as_str).chain(parts).collect()
        })
    }
}

/// The digests of an index's condition with none, one, two … of the parts.
fn digests<'a>(index: &Index, parts: impl Iterator<Item = &'a IndexPart>) -> Vec<u64> {
    let mut hasher = DefaultHasher::new();
    json!(index.predicate).to_string().hash(&mut hasher);
    let mut digests = vec![hasher.finish()];
    for part in parts {
        json!(part).to_string().hash(&mut hasher);
        digests.push(hasher.finish());
    }
    digests
}

fn turned(part: &IndexPart) -> IndexPart {
    let mut turned = part.clone();
    turned.direction = part.direction.map(|direction| match direction {
        SortDirection::Ascending => SortDirection::Descending,
        SortDirection::Descending => SortDirection::Ascending,
    });
    turned.nulls = part.nulls.map(|nulls| match nulls {
        NullsOrder::First => NullsOrder::Last,
        NullsOrder::Last => NullsOrder::First,
    });
    turned
}

/// Indexes that were left behind half made.
#[derive(Debug, Clone, Copy, Default)]
pub struct InvalidIndex;

impl Lint for InvalidIndex {
    describe!("invalid-index", Error, "an index is not valid: it costs every write and no query may use it");

    fn check(&self, database: &Database, found: &mut Findings) -> Result<(), TooMany> {
        for kept in kept(database) {
            for index in kept.indexes().iter().filter(|index| !index.valid) {
                found.push(self.finding(
                    Object::part(&kept.name, "index", &index.name),
                    format!("index `{}` of `{}` is not valid", index.name, kept.name),
                    evidence([("method", json!(index.method)), ("columns", json!(columns(index)))]),
                    "make it anew, or drop it",
                ))?;
            }
        }
        Ok(())
    }
}
