use std::collections::{BTreeMap, HashMap};

use schema_model::{
    Index, IndexPart, Native, ObjectName, PartTarget, Partition, Partitioning, Reading, Relation, SortDirection,
    Unavailable,
};
use shared_kernel::database::{DatabaseError, Row};

use super::about::{About, class};
use super::bounds::{self, Budget};
use super::definitions::{Definitions, Whose};
use crate::cells::Cells;

/// A row of the answer about indexes.
pub(super) struct FoundIndexRow {
    kind: Kind,
    /// Of the object; of a boundary that of the partition function.
    object: i64,
    /// Of the index; of a full-text index that of the unique index which it finds rows by.
    index: i64,
    /// Which kind of index; the place of a column or a boundary.
    number: i64,
    /// Bits of what holds for an index; the number of a column; whether a full-text index is enabled.
    fact: i64,
    /// Fill factor; the place in the key; the language of a full-text column.
    other_fact: i64,
    /// The partition function; the place in what rows are divided by.
    third_fact: i64,
    /// Whether boundaries are the first value on their right; whether a column is the other way around (1), and outside the key (2).
    fourth_fact: i64,
    name: Option<String>,
    /// Which kind of index, in the server's words; how a full-text index follows changes; a boundary.
    told: Option<String>,
    /// A filegroup, partition scheme or full-text catalog.
    place: Option<String>,
    /// Which kind of XML or spatial index.
    form: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Index,
    Column,
    FullText,
    FullTextColumn,
    Boundary,
}

pub(super) fn read(row: &Row) -> Result<FoundIndexRow, DatabaseError> {
    let mut cells = Cells::of(row);
    let kind = match cells.next::<String>()?.as_str() {
        "c" => Kind::Column,
        "f" => Kind::FullText,
        "w" => Kind::FullTextColumn,
        "b" => Kind::Boundary,
        _ => Kind::Index,
    };
    Ok(FoundIndexRow {
        kind,
        object: cells.next()?,
        index: cells.next()?,
        number: cells.next()?,
        fact: cells.next()?,
        other_fact: cells.next()?,
        third_fact: cells.next()?,
        fourth_fact: cells.next()?,
        name: bounds::name(&mut cells)?,
        told: cells.next()?,
        place: bounds::name(&mut cells)?,
        form: cells.next()?,
    })
}

const UNIQUE: i64 = 1;
const PRIMARY_KEY: i64 = 2;
const UNIQUE_CONSTRAINT: i64 = 4;
const DISABLED: i64 = 8;
const FILTERED: i64 = 16;
const DESCENDING: i64 = 1;
const INCLUDED: i64 = 2;

/// Kinds of indexes, as `sys.indexes` numbers them: these have keys, and the first two an order.
const CLUSTERED: i64 = 1;
const NONCLUSTERED: i64 = 2;
const HASH: i64 = 7;

/// The filegroup that goes without saying.
const PRIMARY: &str = "PRIMARY";

/// How many partitions are told: a function of SQL Server has no more.
const MOST_PARTITIONS: usize = 15_000;

/// How many bytes of partitions are told, all tables together.
const REPEATED_PARTITIONS: usize = 64 * 1024 * 1024;

/// How many bytes of names of columns are told with indexes and keys, all tables together.
const REPEATED_NAMES: usize = 64 * 1024 * 1024;

/// Indexes by the object that they are of and by their numbers, with their columns, and boundaries by the partition function. Each is
/// there once, however often it was sent, and is gone when it has been told.
pub(super) struct FoundIndexes {
    indexes: HashMap<i64, BTreeMap<i64, FoundIndexRow>>,
    columns: HashMap<(i64, i64), Vec<FoundIndexRow>>,
    full_text: HashMap<i64, FoundIndexRow>,
    full_text_columns: HashMap<i64, Vec<FoundIndexRow>>,
    boundaries: HashMap<i64, Boundaries>,
    /// Of what is told with each table that is divided in one way.
    budget: Budget,
    /// Of names of columns.
    names: Budget,
    /// Whether there was no room for some index or key.
    pub(super) is_cut: bool,
}

/// Where the partitions of a function begin.
#[derive(Default)]
struct Boundaries {
    all: Vec<(i64, Option<String>)>,
    /// Of their texts.
    bytes: usize,
}

impl Boundaries {
    fn push(&mut self, number: i64, text: Option<String>) {
        self.bytes = self.bytes.saturating_add(text.as_ref().map_or(4, String::len));
        self.all.push((number, text));
    }

    /// How many bytes they make: each is told twice, and each partition with its namespace.
    fn costs(&self, namespace: &str) -> usize {
        let each = namespace.len() + size_of::<Partition>();
        self.bytes.saturating_mul(2).saturating_add(self.all.len().saturating_mul(each))
    }
}

impl FoundIndexes {
    pub(super) fn of(found: Vec<FoundIndexRow>) -> Self {
        let mut all = Self {
            indexes: HashMap::new(),
            columns: HashMap::new(),
            full_text: HashMap::new(),
            full_text_columns: HashMap::new(),
            boundaries: HashMap::new(),
            budget: Budget::of(REPEATED_PARTITIONS),
            names: Budget::of(REPEATED_NAMES),
            is_cut: false,
        };
        for found in found {
            match found.kind {
                Kind::Index => drop(all.indexes.entry(found.object).or_default().insert(found.index, found)),
                Kind::Column => all.columns.entry((found.object, found.index)).or_default().push(found),
                Kind::FullText => drop(all.full_text.insert(found.object, found)),
                Kind::FullTextColumn => all.full_text_columns.entry(found.object).or_default().push(found),
                Kind::Boundary => all.boundaries.entry(found.object).or_default().push(found.number, found.told),
            }
        }
        for columns in all.columns.values_mut() {
            columns.sort_unstable_by_key(|column| column.number);
        }
        for columns in all.full_text_columns.values_mut() {
            columns.sort_unstable_by_key(|column| column.fact);
        }
        for boundaries in all.boundaries.values_mut() {
            boundaries.all.sort_unstable();
        }
        all
    }

    fn index(&self, object: i64, index: i64) -> Option<&FoundIndexRow> {
        self.indexes.get(&object)?.get(&index)
    }

    pub(super) fn name(&self, object: i64, index: i64) -> Option<String> {
        self.index(object, index)?.name.clone()
    }

    fn rows(&self, object: i64, index: i64) -> &[FoundIndexRow] {
        self.columns.get(&(object, index)).map(Vec::as_slice).unwrap_or_default()
    }

    /// The columns of a key in its order.
    fn key(&self, object: i64, index: i64) -> Vec<&FoundIndexRow> {
        let mut key: Vec<_> = self.rows(object, index).iter().filter(|column| column.other_fact > 0).collect();
        key.sort_unstable_by_key(|column| column.other_fact);
        key
    }

    /// Whether there is room for the names of these columns.
    fn has_room(&mut self, object: i64, index: i64, named: &HashMap<i64, String>) -> bool {
        let length = |column: &FoundIndexRow| named.get(&column.fact).map_or(0, String::len);
        let has_room = self.names.takes(self.rows(object, index).iter().map(length).sum());
        self.is_cut |= !has_room;
        has_room
    }

    /// The names of the columns of a key, and of those that its index holds besides.
    pub(super) fn columns(
        &mut self,
        object: i64,
        index: i64,
        named: &HashMap<i64, String>,
    ) -> (Vec<String>, Vec<String>) {
        if !self.has_room(object, index, named) {
            return (Vec::new(), Vec::new());
        }
        let name = |column: &FoundIndexRow| named.get(&column.fact).cloned();
        let key = self.key(object, index).into_iter().filter_map(name).collect();
        (key, included(self.rows(object, index), named))
    }

    pub(super) fn fill(
        &mut self,
        object: i64,
        namespace: &str,
        relation: &mut Relation,
        named: &HashMap<i64, String>,
        definitions: &mut Definitions,
        about: &mut About,
    ) {
        relation.indexes.extend(self.full_text(object, &relation.name, named));
        for found in self.indexes.remove(&object).unwrap_or_default().into_values() {
            if matches!(found.index, 0 | 1) {
                // What has the rows: a heap or the clustered index.
                self.place(&found, namespace, relation, named);
            }
            if found.number > 0 && self.has_room(object, found.index, named) {
                relation.indexes.push(self.assembled(&found, named, definitions, about));
            }
            self.columns.remove(&(object, found.index));
        }
        relation.indexes.sort_by(|one, other| one.name.cmp(&other.name));
    }

    fn assembled(
        &self,
        found: &FoundIndexRow,
        named: &HashMap<i64, String>,
        definitions: &mut Definitions,
        about: &mut About,
    ) -> Index {
        let has = |bit: i64| found.fact & bit != 0;
        let is_sorted = matches!(found.number, CLUSTERED | NONCLUSTERED);
        let rows = self.rows(found.object, found.index);
        let (of_key, include) = if is_sorted || found.number == HASH {
            (self.key(found.object, found.index), included(rows, named))
        } else {
            // Columnstore, XML and spatial indexes have no key: the server lists what they are about as if it stood outside.
            (rows.iter().collect(), Vec::new())
        };
        let parts = of_key.into_iter().filter_map(|column| {
            let direction =
                if column.fourth_fact & DESCENDING == 0 { SortDirection::Ascending } else { SortDirection::Descending };
            Some(part(named.get(&column.fact)?.clone(), is_sorted.then_some(direction)))
        });
        let name = found.name.clone().unwrap_or_default();
        Index {
            method: found.told.clone().unwrap_or_default(),
            unique: has(UNIQUE),
            // To a unique index all NULLs are one value; columns of a primary key are none.
            nulls_distinct: !has(UNIQUE) || has(PRIMARY_KEY),
            constraint: has(PRIMARY_KEY | UNIQUE_CONSTRAINT).then(|| name.clone()),
            parts: parts.collect(),
            include,
            predicate: has(FILTERED).then(|| definitions.take(Whose::Filter, found.object, found.index)),
            valid: !has(DISABLED),
            comment: about.comment((class::INDEX, found.object, found.index)),
            native: native(found),
            name,
        }
    }

    /// There is one for a table at most, and it has no name: it is told under that of the table.
    fn full_text(&mut self, object: i64, table: &str, named: &HashMap<i64, String>) -> Option<Index> {
        let found = self.full_text.remove(&object)?;
        let columns = self.full_text_columns.remove(&object).unwrap_or_default();
        let length = |column: &FoundIndexRow| named.get(&column.fact).map_or(0, String::len);
        if !self.names.takes(columns.iter().map(length).sum()) {
            self.is_cut = true;
            return None;
        }
        let mut native = Native::new();
        for (key, value) in
            [("catalog", found.place), ("change_tracking", found.told), ("key_index", self.name(object, found.index))]
        {
            if let Some(value) = value {
                native.insert(key.to_owned(), value.into());
            }
        }
        let languages: Vec<i64> = columns.iter().map(|column| column.other_fact).collect();
        native.insert("languages".to_owned(), languages.into());
        let parts = columns.iter().filter_map(|column| Some(part(named.get(&column.fact)?.clone(), None)));
        Some(Index {
            name: table.to_owned(),
            method: "FULLTEXT".to_owned(),
            unique: false,
            nulls_distinct: true,
            constraint: None,
            parts: parts.collect(),
            include: Vec::new(),
            predicate: None,
            valid: found.fact != 0,
            comment: None,
            native,
        })
    }

    /// Where the rows are, and by what they are divided.
    fn place(&self, found: &FoundIndexRow, namespace: &str, relation: &mut Relation, named: &HashMap<i64, String>) {
        let place = found.place.as_deref().unwrap_or(PRIMARY);
        if found.third_fact == 0 {
            if found.index == 0 && place != PRIMARY {
                relation.native.insert("filegroup".to_owned(), place.into());
            }
            return;
        }
        let column = self.rows(found.object, found.index).iter().find(|column| column.third_fact == 1);
        let column = column.and_then(|column| named.get(&column.fact)).map(String::as_str).unwrap_or_default();
        let is_right = found.fourth_fact != 0;
        let boundaries = self.boundaries.get(&found.third_fact);
        let key = format!("RANGE {} ({column}) ON {place}", if is_right { "RIGHT" } else { "LEFT" });
        relation.partitioning = Some(if self.budget.takes(boundaries.map_or(0, |all| all.costs(namespace))) {
            partitioning(key, is_right, boundaries.map_or(&[][..], |boundaries| &boundaries.all), namespace)
        } else {
            Partitioning { key: Reading::unavailable(Unavailable::OverLimit), partitions: Vec::new() }
        });
    }
}

fn native(found: &FoundIndexRow) -> Native {
    let mut native = Native::new();
    for (bit, word) in [(DISABLED, "disabled"), (32, "ignore_dup_key"), (64, "padded")] {
        if found.fact & bit != 0 {
            native.insert(word.to_owned(), true.into());
        }
    }
    if found.other_fact != 0 {
        native.insert("fill_factor".to_owned(), found.other_fact.into());
    }
    if let Some(form) = &found.form {
        native.insert("form".to_owned(), form.as_str().into());
    }
    if let Some(place) = found.place.as_deref().filter(|place| *place != PRIMARY) {
        let key = if found.third_fact == 0 { "filegroup" } else { "partition_scheme" };
        native.insert(key.to_owned(), place.into());
    }
    native
}

fn part(column: String, direction: Option<SortDirection>) -> IndexPart {
    IndexPart { direction, ..IndexPart::new(PartTarget::Column(column)) }
}

fn included(rows: &[FoundIndexRow], named: &HashMap<i64, String>) -> Vec<String> {
    let included = rows.iter().filter(|column| column.fourth_fact & INCLUDED != 0);
    included.filter_map(|column| named.get(&column.fact).cloned()).collect()
}

/// Partitions have numbers from 1 in place of names. A boundary belongs to the one on its right, or to the one on its left.
fn partitioning(key: String, is_right: bool, boundaries: &[(i64, Option<String>)], namespace: &str) -> Partitioning {
    let text = |boundary: &(i64, Option<String>)| boundary.1.clone().unwrap_or_else(|| "NULL".to_owned());
    let boundaries: Vec<String> = boundaries.iter().take(MOST_PARTITIONS - 1).map(text).collect();
    let (from, to) = if is_right { (">=", "<") } else { (">", "<=") };
    let bound = |place: usize| {
        let lower = place.checked_sub(1).and_then(|before| boundaries.get(before));
        let lower = lower.map(|boundary| format!("{from} {boundary}"));
        let upper = boundaries.get(place).map(|boundary| format!("{to} {boundary}"));
        let bounds: Vec<String> = lower.into_iter().chain(upper).collect();
        if bounds.is_empty() { "all".to_owned() } else { bounds.join(" AND ") }
    };
    let partition = |place: usize| Partition {
        name: ObjectName::new(namespace, (place + 1).to_string()),
        bound: Reading::Known(bound(place)),
        partitioning: None,
        primary_key: None,
        unique: Vec::new(),
        foreign_keys: Vec::new(),
        checks: Vec::new(),
        indexes: Vec::new(),
        native: Native::new(),
    };
    let mut partitions: Vec<Partition> = (0..=boundaries.len()).map(partition).collect();
    partitions.sort_by(|one, other| one.name.cmp(&other.name));
    Partitioning { key: Reading::Known(key), partitions }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(kind: Kind, object: i64, number: i64) -> FoundIndexRow {
        FoundIndexRow {
            kind,
            object,
            index: 0,
            number,
            fact: 0,
            other_fact: 0,
            third_fact: 0,
            fourth_fact: 0,
            name: None,
            told: None,
            place: None,
            form: None,
        }
    }

    #[test]
    fn partitions_are_told_as_long_as_there_is_room() {
        let boundary = FoundIndexRow { told: Some("9".repeat(20 * 1024 * 1024)), ..row(Kind::Boundary, 7, 1) };
        let heap = |table| FoundIndexRow { third_fact: 7, ..row(Kind::Index, table, 0) };
        let mut found = FoundIndexes::of(vec![boundary, heap(1), heap(2)]);
        let mut reason = |table| {
            let mut relation = Relation::new("t", schema_model::RelationKind::Table);
            let (mut definitions, mut about) = (Definitions::default(), About::default());
            found.fill(table, "dbo", &mut relation, &HashMap::new(), &mut definitions, &mut about);
            relation.partitioning.and_then(|partitioning| partitioning.key.reason())
        };
        assert_eq!((reason(1), reason(2)), (None, Some(Unavailable::OverLimit)));
    }

    /// An index of which all columns, `count` of them, are the one with the long name.
    fn wide(object: i64, count: i64) -> Vec<FoundIndexRow> {
        let column = |place| FoundIndexRow { index: 2, fact: 1, other_fact: 1, ..row(Kind::Column, object, place) };
        let index = FoundIndexRow { index: 2, ..row(Kind::Index, object, NONCLUSTERED) };
        [index].into_iter().chain((0..count).map(column)).collect()
    }

    #[test]
    fn what_is_sent_twice_is_told_once_and_then_gone() {
        let mut rows = wide(7, 2);
        for _ in 0..1_000 {
            rows.push(FoundIndexRow { index: 2, ..row(Kind::Index, 7, NONCLUSTERED) });
            rows.push(row(Kind::FullText, 7, 0));
        }
        let mut found = FoundIndexes::of(rows);
        let named = HashMap::from([(1, "n".to_owned())]);
        let mut count = || {
            let mut relation = Relation::new("t", schema_model::RelationKind::Table);
            found.fill(7, "dbo", &mut relation, &named, &mut Definitions::default(), &mut About::default());
            relation.indexes.len()
        };
        assert_eq!((count(), count()), (2, 0));
        assert!(found.columns.is_empty() && !found.is_cut);
    }

    #[test]
    fn names_of_columns_are_told_as_long_as_there_is_room() {
        let mut found = FoundIndexes::of(wide(1, 40).into_iter().chain(wide(2, 40)).collect());
        let named = HashMap::from([(1, "n".repeat(1024 * 1024))]);
        assert_eq!(found.columns(1, 2, &named).0.len(), 40);
        assert!(!found.is_cut);
        assert_eq!(found.columns(2, 2, &named).0.len(), 0);
        assert!(found.is_cut);
        let mut relation = Relation::new("t", schema_model::RelationKind::Table);
        found.fill(1, "dbo", &mut relation, &named, &mut Definitions::default(), &mut About::default());
        assert_eq!(relation.indexes, []);
    }

    #[test]
    fn a_boundary_belongs_to_one_side() {
        let bounds = |is_right, texts: &[Option<&str>]| -> Vec<String> {
            let boundaries: Vec<_> = (1..).zip(texts.iter().map(|text| text.map(str::to_owned))).collect();
            let told = partitioning("k".to_owned(), is_right, &boundaries, "dbo");
            let bound = |partition: &Partition| {
                format!("{}: {}", partition.name.name, partition.bound.known().expect("a bound"))
            };
            told.partitions.iter().map(bound).collect()
        };
        assert_eq!(bounds(true, &[Some("1"), Some("5")]), ["1: < 1", "2: >= 1 AND < 5", "3: >= 5"]);
        assert_eq!(bounds(false, &[None, Some("5")]), ["1: <= NULL", "2: > NULL AND <= 5", "3: > 5"]);
        assert_eq!(bounds(false, &[]), ["1: all"]);
    }
}
