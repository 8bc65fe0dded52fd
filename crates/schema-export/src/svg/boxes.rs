//! What is in the box of a table, and how large it is.

use std::collections::HashMap;

use crate::diagram::{Attribute, Entity};
use crate::text::{columns, cut, visible, visible_object, visible_part};

pub(super) const HEADER: f64 = 26.0;
pub(super) const ROW: f64 = 18.0;
/// Where names of columns begin.
pub(super) const NAME_AT: f64 = 40.0;
/// The most letters of a name, and of a type.
const LONGEST_NAME: usize = 48;
const LONGEST_TYPE: usize = 32;

pub(super) struct Box {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) title: String,
    pub(super) rows: Vec<Row>,
    /// The row of each column that is shown.
    row_of: HashMap<String, usize>,
    /// Whether nothing but the name is known.
    pub(super) stub: bool,
}

pub(super) struct Row {
    pub(super) mark: &'static str,
    pub(super) name: Shown,
    pub(super) data_type: Shown,
    pub(super) kind: RowKind,
}

/// A text, and all of it where only its beginning is drawn.
#[derive(Default)]
pub(super) struct Shown {
    pub(super) text: String,
    pub(super) whole: Option<String>,
}

impl Shown {
    fn of(whole: String, most: usize) -> Self {
        let text = cut(&whole, most);
        let is_cut = text != whole;
        Self { text, whole: is_cut.then_some(whole) }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum RowKind {
    /// A column of the primary key.
    Key,
    Column,
    /// Not a column.
    Note,
}

impl Box {
    pub(super) fn of(entity: &Entity<'_>, keys_only: bool) -> Self {
        let shown = |attribute: &&Attribute<'_>| !keys_only || attribute.is_of_key();
        let mut row_of = HashMap::new();
        for (place, attribute) in entity.attributes.iter().filter(shown).enumerate() {
            row_of.entry(attribute.column.name.clone()).or_insert(place);
        }
        let mut rows: Vec<Row> = entity.attributes.iter().filter(shown).map(row).collect();
        let hidden = entity.attributes.len() - rows.len();
        if hidden > 0 {
            rows.push(note(format!("{hidden} more")));
        }
        if entity.partitions > 0 {
            rows.push(note(format!("{} partitions", entity.partitions)));
        }
        let full = match entity.name.namespace.as_str() {
            "public" | "main" | "dbo" => visible_part(&entity.name.name),
            _ => visible_object(&entity.name),
        };
        let title = cut(&full, LONGEST_NAME);
        let widest = rows.iter().map(|row| {
            let kind = columns(&row.data_type.text);
            NAME_AT + text_width(columns(&row.name.text)) + 8.0 + if kind > 0 { 14.0 + text_width(kind) } else { 0.0 }
        });
        // A bold letter may be a little wider.
        let width = widest.fold(text_width(columns(&title)) * 1.05 + 16.0, f64::max).max(90.0).ceil();
        let height = HEADER + ROW * count(rows.len());
        Self { width, height, title, rows, row_of, stub: entity.relation.is_none() }
    }

    /// In the middle of the row of a column, from above; of the title, where the column is not shown.
    pub(super) fn row_of(&self, column: &str) -> f64 {
        match self.row_of.get(column) {
            Some(place) => HEADER + ROW * (count(*place) + 0.5),
            None => HEADER / 2.0,
        }
    }
}

fn row(attribute: &Attribute<'_>) -> Row {
    let column = attribute.column;
    let mark = match (attribute.primary, attribute.foreign, attribute.unique) {
        (true, true, _) => "PK,FK",
        (true, false, _) => "PK",
        (false, true, true) => "FK,U",
        (false, true, false) => "FK",
        (false, false, true) => "U",
        (false, false, false) => "",
    };
    let mut data_type = Shown::of(visible(&column.data_type.text), LONGEST_TYPE);
    if column.nullable {
        data_type.text.push('?');
    }
    Row {
        mark,
        name: Shown::of(visible(&column.name), LONGEST_NAME),
        data_type,
        kind: if attribute.primary { RowKind::Key } else { RowKind::Column },
    }
}

fn note(name: String) -> Row {
    Row { mark: "", name: Shown { text: name, whole: None }, data_type: Shown::default(), kind: RowKind::Note }
}

pub(super) fn text_width(columns: usize) -> f64 {
    count(columns) * 7.3
}

/// Counts of what is drawn are small.
pub(super) fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::MAX, f64::from)
}
