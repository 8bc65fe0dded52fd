//! Parts of the model as a test means them, and the words of statements that are the same everywhere.

use std::collections::BTreeSet;

use proptest::sample::Index as Draw;
use schema_model::{
    Check, Column, ColumnPair, DataType, Deferrability, ForeignKey, Index, IndexPart, Key, NullsOrder, ObjectName,
    PartTarget, Reading, ReferentialAction, Relation, SortDirection, TypeFamily,
};

use super::plan::{ColumnPlan, ReferencePlan};

/// Statements, and what is to be found when they were carried out.
pub(super) struct MadeUp {
    pub(super) name: String,
    pub(super) statements: Vec<String>,
    pub(super) relations: Vec<Relation>,
}

/// A type as it is written, and as the engine tells it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Type {
    pub(super) written: &'static str,
    pub(super) told: &'static str,
    pub(super) family: TypeFamily,
    pub(super) dimensions: u32,
    pub(super) key: InKey,
    /// Defaults as they are written, and as the engine tells them.
    pub(super) defaults: &'static [(&'static str, &'static str)],
}

/// How much of a column can be in a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InKey {
    /// All of it.
    Whole,
    /// All of it or its beginning.
    Either,
    /// Its beginning.
    Beginning,
    Never,
}

/// A column, and what is not said of it in the model.
pub(super) struct Made {
    pub(super) column: Column,
    pub(super) of: Type,
    pub(super) default: Option<&'static str>,
    pub(super) style: u8,
}

/// Names that are taken in turn: none is another's.
#[derive(Default)]
pub(super) struct Names(usize);

impl Names {
    pub(super) fn next(&mut self, name: &str) -> String {
        self.0 += 1;
        format!("{name}{}", self.0)
    }
}

pub(super) fn made(plan: &ColumnPlan, name: String, types: &[Type]) -> Made {
    let of = *plan.data_type.get(types);
    let default = plan.default.filter(|_| !of.defaults.is_empty()).map(|index| index.get(of.defaults));
    let mut column = column(name, of, plan.nullable);
    column.default = default.map(|(_, told)| Reading::Known((*told).to_owned()));
    column.comment.clone_from(&plan.comment);
    Made { column, of, default: default.map(|(written, _)| *written), style: plan.style }
}

pub(super) fn column(name: String, of: Type, nullable: bool) -> Column {
    let data_type = DataType { array_dimensions: of.dimensions, ..DataType::new(of.told, of.family) };
    Column { nullable, ..Column::new(name, 0, data_type) }
}

/// Each name once, in the order in which it was drawn first.
pub(super) fn drawn(draws: &[Draw], names: &[String]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    if names.is_empty() {
        return Vec::new();
    }
    draws.iter().map(|draw| draw.get(names).clone()).filter(|name| seen.insert(name.clone())).collect()
}

pub(super) fn key(name: Option<&str>, index: Option<&str>, columns: Vec<String>) -> Key {
    Key { name: name.map(str::to_owned), index: index.map(str::to_owned), ..Key::new(columns) }
}

/// An index in which each part is a column, sorted upwards.
pub(super) fn index_of_key(name: &str, method: &str, columns: &[String], nulls: Option<NullsOrder>) -> Index {
    let part = |column: &String| part(PartTarget::Column(column.clone()), Some(SortDirection::Ascending), nulls);
    Index { unique: true, ..Index::new(name, method, columns.iter().map(part).collect()) }
}

pub(super) fn part(target: PartTarget, direction: Option<SortDirection>, nulls: Option<NullsOrder>) -> IndexPart {
    IndexPart { direction, nulls, ..IndexPart::new(target) }
}

pub(super) fn check(name: String, expression: String) -> Check {
    Check {
        name: Some(name),
        expression: Reading::Known(expression),
        columns: Vec::new(),
        validated: true,
        enforced: true,
        inherited: false,
        comment: None,
    }
}

/// A foreign key that does nothing but refuse.
pub(super) fn foreign_key(name: String, references: ObjectName, columns: Vec<ColumnPair>) -> ForeignKey {
    ForeignKey { name: Some(name), ..ForeignKey::new(references, columns) }
}

/// The table that a reference leads to: one before it, or its own.
pub(super) fn target(plan: &ReferencePlan, before: &[Relation], own: &Relation) -> Relation {
    let tables: Vec<&Relation> = before.iter().chain([own]).collect();
    (*plan.table.get(&tables)).clone()
}

pub(super) fn numbered(columns: &mut [Column]) {
    for (position, column) in (1..).zip(columns) {
        column.position = position;
    }
}

pub(super) fn action(action: ReferentialAction) -> &'static str {
    match action {
        ReferentialAction::NoAction => "NO ACTION",
        ReferentialAction::Restrict => "RESTRICT",
        ReferentialAction::Cascade => "CASCADE",
        ReferentialAction::SetNull => "SET NULL",
        ReferentialAction::SetDefault => "SET DEFAULT",
    }
}

pub(super) fn deferrable(deferrability: Deferrability) -> &'static str {
    match deferrability {
        Deferrability::NotDeferrable => " NOT DEFERRABLE",
        Deferrability::InitiallyImmediate => " DEFERRABLE INITIALLY IMMEDIATE",
        Deferrability::InitiallyDeferred => " DEFERRABLE INITIALLY DEFERRED",
    }
}

/// In standard SQL.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
