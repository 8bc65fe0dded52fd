use std::collections::HashMap;

use schema_model::{
    Native, ObjectName, Persistence, Reading, Relation, RelationKind, Routine, RoutineKind, Sequence, SequenceOptions,
    WholeNumber,
};
use serde_json::json;
use shared_kernel::database::{DatabaseError, Row};

use super::bounds;
use super::columns::ByOwner;
use super::definitions::{Definitions, ModuleFacts, Whose};
use super::types::{Declared, Types};
use crate::cells::Cells;

/// An object of a schema.
#[expect(clippy::struct_excessive_bools, reason = "one for each such column of the row")]
pub(super) struct FoundObject {
    pub(super) id: i64,
    pub(super) schema: i64,
    pub(super) name: String,
    /// As `sys.objects` writes it, without the blank at the end of one letter.
    pub(super) kind: String,
    /// Where it is another one than the schema's.
    pub(super) owner: Option<String>,
    /// 1 is a table of history, 2 one that has it.
    temporal: i64,
    history: Option<ObjectName>,
    is_external: bool,
    is_memory_optimized: bool,
    /// 1 is a table in memory whose rows are gone when the server starts again.
    durability: i64,
    is_file_table: bool,
    with_check_option: bool,
    /// What a synonym stands for.
    base: Option<String>,
    sequence: FoundSequence,
    module: ModuleFacts,
}

/// What is NULL of anything but a sequence.
struct FoundSequence {
    start: Option<String>,
    increment: Option<String>,
    minimum: Option<String>,
    maximum: Option<String>,
    cycle: bool,
    is_cached: bool,
    cache_size: Option<i64>,
    declared: Declared,
}

pub(super) fn read(row: &Row) -> Result<FoundObject, DatabaseError> {
    let mut cells = Cells::of(row);
    let flag = |cells: &mut Cells<'_>| Ok::<_, DatabaseError>(cells.next::<Option<bool>>()? == Some(true));
    Ok(FoundObject {
        id: cells.next()?,
        schema: cells.next()?,
        name: bounds::name(&mut cells)?.unwrap_or_default(),
        kind: cells.next::<String>()?.trim_end().to_owned(),
        owner: bounds::name(&mut cells)?,
        temporal: cells.next::<Option<i64>>()?.unwrap_or_default(),
        history: bounds::name(&mut cells)?
            .zip(bounds::name(&mut cells)?)
            .map(|(namespace, name)| ObjectName { namespace, name }),
        is_external: flag(&mut cells)?,
        is_memory_optimized: flag(&mut cells)?,
        durability: cells.next::<Option<i64>>()?.unwrap_or_default(),
        is_file_table: flag(&mut cells)?,
        with_check_option: flag(&mut cells)?,
        base: cells.next()?,
        sequence: FoundSequence {
            start: cells.next()?,
            increment: cells.next()?,
            minimum: cells.next()?,
            maximum: cells.next()?,
            cycle: flag(&mut cells)?,
            is_cached: flag(&mut cells)?,
            cache_size: cells.next()?,
            declared: Declared {
                type_id: cells.next::<Option<i64>>()?.unwrap_or_default(),
                precision: cells.next::<Option<i64>>()?.unwrap_or_default(),
                ..Declared::default()
            },
        },
        module: ModuleFacts::read(&mut cells)?,
    })
}

/// A view and something that it is made from.
pub(super) type FoundUse = (i64, ObjectName);

pub(super) fn used(row: &Row) -> Result<FoundUse, DatabaseError> {
    let mut cells = Cells::of(row);
    let view = cells.next()?;
    // A name without a schema, of something that is not there, is looked for in that of whoever asks.
    let (namespace, name) = (bounds::name(&mut cells)?, bounds::name(&mut cells)?);
    Ok((view, ObjectName { namespace: namespace.unwrap_or_default(), name: name.unwrap_or_default() }))
}

/// What the letters of an object stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ObjectKind {
    Relation(RelationKind),
    Synonym,
    Sequence,
    Routine(RoutineKind),
}

impl FoundObject {
    pub(super) fn kind(&self) -> ObjectKind {
        match self.kind.as_str() {
            "V" => ObjectKind::Relation(RelationKind::View),
            "U" if self.is_external => ObjectKind::Relation(RelationKind::ForeignTable),
            "SN" => ObjectKind::Synonym,
            "SO" => ObjectKind::Sequence,
            "P" | "PC" => ObjectKind::Routine(RoutineKind::Procedure),
            "AF" => ObjectKind::Routine(RoutineKind::Aggregate),
            "FN" | "FS" | "IF" | "TF" | "FT" => ObjectKind::Routine(RoutineKind::Function),
            _ => ObjectKind::Relation(RelationKind::Table),
        }
    }

    /// A relation without what belongs to it. The text of a view is the whole statement as it was written: under its old name
    /// where it has been renamed since.
    pub(super) fn relation(
        &self,
        kind: RelationKind,
        definitions: &mut Definitions,
        period: [Option<&str>; 2],
    ) -> Relation {
        let mut relation = Relation::new(&*self.name, kind);
        let native = &mut relation.native;
        if kind == RelationKind::View {
            relation.definition = Some(definitions.take(Whose::Module, self.id, 0));
            self.module.describe(native);
            if self.with_check_option {
                native.insert("with_check_option".to_owned(), true.into());
            }
            return relation;
        }
        if self.is_memory_optimized {
            native.insert("memory_optimized".to_owned(), true.into());
            if self.durability == 1 {
                relation.persistence = Persistence::Unlogged;
            }
        }
        if self.is_file_table {
            native.insert("file_table".to_owned(), true.into());
        }
        match self.temporal {
            1 => drop(native.insert("temporal".to_owned(), "history".into())),
            2 => drop(native.insert("temporal".to_owned(), "system_versioned".into())),
            _ => {}
        }
        if let Some(history) = &self.history {
            native.insert("history_table".to_owned(), json!(history));
        }
        if let [Some(start), Some(end)] = period {
            native.insert("period".to_owned(), json!({ "start": start, "end": end }));
        }
        relation
    }

    pub(super) fn sequence(&self, types: &Types) -> Option<Sequence> {
        let found = &self.sequence;
        let number = |text: &Option<String>| text.as_deref()?.parse::<WholeNumber>().ok();
        let (least, greatest) = types.limits(&found.declared);
        // No size is one that the server chooses itself, and is told as 0.
        let cache = if found.is_cached { found.cache_size.unwrap_or(0) } else { 1 };
        Some(Sequence {
            name: self.name.clone(),
            data_type: types.data_type(&found.declared).text,
            options: SequenceOptions {
                start: number(&found.start)?,
                increment: number(&found.increment)?,
                minimum: number(&found.minimum).unwrap_or(least.into()),
                maximum: number(&found.maximum).unwrap_or(greatest.into()),
                cache: cache.into(),
                cycle: found.cycle,
            },
            owned_by: None,
            owner: None,
            comment: None,
            grants: Vec::new(),
        })
    }

    pub(super) fn routine(
        &self,
        kind: RoutineKind,
        types: &Types,
        by_owner: &mut ByOwner,
        definitions: &mut Definitions,
    ) -> Routine {
        let is_clr = matches!(self.kind.as_str(), "PC" | "FS" | "FT" | "AF");
        let (arguments, returned) = by_owner.signature(self.id, types);
        let columns = by_owner.columns.remove(&self.id).unwrap_or_default();
        let returns = match self.kind.as_str() {
            "IF" | "TF" | "FT" => {
                let column = |column: &super::columns::FoundColumn| column.written(types);
                Some(format!("TABLE ({})", columns.iter().map(column).collect::<Vec<_>>().join(", ")))
            }
            _ => returned,
        };
        let mut native = Native::new();
        self.module.describe(&mut native);
        if self.kind == "IF" {
            native.insert("inline".to_owned(), true.into());
        }
        let definition: Option<Reading<String>> = (!is_clr).then(|| definitions.take(Whose::Module, self.id, 0));
        Routine {
            name: self.name.clone(),
            arguments,
            kind,
            returns,
            language: if is_clr { "CLR" } else { "T-SQL" }.to_owned(),
            definition,
            owner: None,
            comment: None,
            grants: Vec::new(),
            native,
        }
    }

    /// A synonym is no relation: it is told with its namespace.
    pub(super) fn synonym(&self) -> serde_json::Value {
        json!({ "name": self.name, "base": self.base })
    }
}

/// What views are made from, each once and in order.
pub(super) fn uses(found: Vec<FoundUse>) -> HashMap<i64, Vec<ObjectName>> {
    let mut uses: HashMap<i64, Vec<ObjectName>> = HashMap::new();
    for (view, used) in found {
        uses.entry(view).or_default().push(used);
    }
    for used in uses.values_mut() {
        used.sort_unstable();
        used.dedup();
    }
    uses
}
