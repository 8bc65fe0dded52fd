use std::collections::HashMap;

use schema_model::{
    Column, DataType, Generated, GenerationStorage, Identity, IdentityGeneration, Native, SequenceOptions, WholeNumber,
};
use shared_kernel::database::{DatabaseError, Row};

use super::about::{About, class};
use super::bounds;
use super::definitions::{Definitions, Whose};
use super::types::{Declared, FoundType, Types};
use crate::cells::Cells;

/// What has a type, and types themselves.
pub(super) enum Typed {
    Column(FoundColumn),
    Parameter(FoundParameter),
    Type(FoundType),
}

pub(super) struct FoundColumn {
    object: i64,
    /// The catalog's number of it, which keys and indexes name it by: those of dropped columns are left out.
    pub(super) number: i64,
    pub(super) name: String,
    declared: Declared,
    nullable: bool,
    collation: Option<String>,
    /// 0 is no computed column, 1 one that is computed when it is read, 2 one that is kept.
    computed: i64,
    /// 1 and 2 are the beginning and the end of a row's period; those of ledgers come after.
    pub(super) generated_always: i64,
    /// Bits of `TRAITS`.
    traits: i64,
    /// 0 is none.
    default: i64,
    default_name: Option<String>,
    seed: Option<String>,
    increment: Option<String>,
}

pub(super) struct FoundParameter {
    routine: i64,
    /// 0 is what a function returns.
    number: i64,
    name: String,
    declared: Declared,
    is_output: bool,
    is_read_only: bool,
}

/// Bits of `traits`, by the words for them.
const TRAITS: [(i64, &str); 7] = [
    (1, "row_guid"),
    (2, "sparse"),
    (4, "column_set"),
    (8, "hidden"),
    (16, "masked"),
    (32, "filestream"),
    (128, "not_for_replication"),
];
const XML_DOCUMENT: i64 = 64;

pub(super) fn read(row: &Row) -> Result<Typed, DatabaseError> {
    let mut cells = Cells::of(row);
    let kind: String = cells.next()?;
    let (owner, number): (i64, i64) = (cells.next()?, cells.next()?);
    let name = bounds::name(&mut cells)?.unwrap_or_default();
    let mut declared = Declared {
        type_id: cells.next()?,
        max_length: cells.next()?,
        precision: cells.next()?,
        scale: cells.next()?,
        collection: None,
        is_document: false,
    };
    let nullable = cells.next::<i64>()? != 0;
    let collation = cells.next()?;
    let (fact, other_fact, traits, third_fact): (i64, i64, i64, i64) =
        (cells.next()?, cells.next()?, cells.next()?, cells.next()?);
    let told = bounds::name(&mut cells)?;
    let (seed, increment) = (cells.next()?, cells.next()?);
    declared.collection = cells.next::<Option<String>>()?.zip(cells.next()?);
    declared.is_document = traits & XML_DOCUMENT != 0;
    Ok(match kind.as_str() {
        "c" => Typed::Column(FoundColumn {
            object: owner,
            number,
            name,
            declared,
            nullable,
            collation,
            computed: fact,
            generated_always: other_fact,
            traits,
            default: third_fact,
            default_name: told,
            seed,
            increment,
        }),
        "p" => Typed::Parameter(FoundParameter {
            routine: owner,
            number,
            name,
            declared,
            is_output: fact != 0,
            is_read_only: other_fact != 0,
        }),
        _ => Typed::Type(FoundType {
            id: owner,
            schema: number,
            name,
            system: declared.type_id,
            declared,
            nullable,
            collation,
            is_user_defined: fact != 0,
            is_assembly: other_fact != 0,
            table: Some(third_fact).filter(|table| *table != 0),
            owner: told,
        }),
    })
}

impl FoundColumn {
    /// As a function that returns a table writes it.
    pub(super) fn written(&self, types: &Types) -> String {
        format!("{} {}", self.name, types.data_type(&self.declared).text)
    }
}

/// Columns and parameters by what they belong to, each in order.
#[derive(Default)]
pub(super) struct ByOwner {
    pub(super) columns: HashMap<i64, Vec<FoundColumn>>,
    parameters: HashMap<i64, Vec<FoundParameter>>,
}

impl ByOwner {
    /// Those, and the types apart.
    pub(super) fn of(found: Vec<Typed>) -> (Self, Vec<FoundType>) {
        let mut by = Self::default();
        let mut types = Vec::new();
        for found in found {
            match found {
                Typed::Column(column) => by.columns.entry(column.object).or_default().push(column),
                Typed::Parameter(parameter) => by.parameters.entry(parameter.routine).or_default().push(parameter),
                Typed::Type(found) => types.push(found),
            }
        }
        for columns in by.columns.values_mut() {
            columns.sort_unstable_by_key(|column| column.number);
        }
        for parameters in by.parameters.values_mut() {
            parameters.sort_unstable_by_key(|parameter| parameter.number);
        }
        (by, types)
    }

    /// What a routine is given, in its own words, and what it returns. Defaults of parameters are in its text alone.
    pub(super) fn signature(&mut self, routine: i64, types: &Types) -> (String, Option<String>) {
        let mut arguments = Vec::new();
        let mut returns = None;
        for parameter in self.parameters.remove(&routine).unwrap_or_default() {
            let DataType { mut text, .. } = types.data_type(&parameter.declared);
            if parameter.number == 0 {
                returns = Some(text);
                continue;
            }
            for (is_so, word) in [(parameter.is_output, " OUTPUT"), (parameter.is_read_only, " READONLY")] {
                if is_so {
                    text.push_str(word);
                }
            }
            arguments.push(format!("{} {text}", parameter.name));
        }
        (arguments.join(", "), returns)
    }
}

/// What columns are put together from.
pub(super) struct Making<'a> {
    pub(super) types: &'a Types,
    pub(super) definitions: &'a mut Definitions,
    pub(super) about: &'a mut About,
    /// The database's, which goes without saying.
    pub(super) collation: Option<&'a str>,
}

impl Making<'_> {
    pub(super) fn columns(&mut self, found: Vec<FoundColumn>) -> Vec<Column> {
        (1..).zip(found).map(|(position, found)| self.column(position, found)).collect()
    }

    fn column(&mut self, position: u32, found: FoundColumn) -> Column {
        let storage = match found.computed {
            0 => None,
            1 => Some(GenerationStorage::Virtual),
            _ => Some(GenerationStorage::Stored),
        };
        let mut native = Native::new();
        for (bit, word) in TRAITS {
            if found.traits & bit != 0 {
                native.insert(word.to_owned(), true.into());
            }
        }
        let generated_always = match found.generated_always {
            0 => None,
            1 => Some("row start"),
            2 => Some("row end"),
            _ => Some("ledger"),
        };
        if let Some(what) = generated_always {
            native.insert("generated_always".to_owned(), what.into());
        }
        if let Some(name) = found.default_name.as_deref().filter(|_| found.default != 0) {
            native.insert("default_constraint".to_owned(), name.into());
        }
        let thing = (class::OBJECT, found.object, found.number);
        Column {
            position,
            data_type: self.types.data_type(&found.declared),
            nullable: found.nullable,
            default: (found.default != 0).then(|| self.definitions.of_default(found.default)),
            identity: self.identity(&found),
            generated: storage.map(|storage| {
                let expression = self.definitions.take(Whose::Computed, found.object, found.number);
                Generated { expression, storage }
            }),
            collation: found.collation.filter(|collation| Some(collation.as_str()) != self.collation),
            collation_namespace: None,
            comment: self.about.comment(thing),
            grants: self.about.grants(thing, Some(&mut native)),
            native,
            name: found.name,
        }
    }

    /// A value that is given counts only where the session says so (`IDENTITY_INSERT`). It counts to the end of its type.
    fn identity(&self, found: &FoundColumn) -> Option<Identity> {
        let seed = found.seed.as_deref()?;
        let (minimum, maximum) = self.types.limits(&found.declared);
        let increment = found.increment.as_deref().unwrap_or("1");
        let options = seed.parse::<WholeNumber>().ok().zip(increment.parse().ok()).map(|(start, increment)| {
            let (minimum, maximum) = (minimum.into(), maximum.into());
            SequenceOptions { start, increment, minimum, maximum, cache: 1.into(), cycle: false }
        });
        Some(Identity { generation: IdentityGeneration::Always, options })
    }
}
