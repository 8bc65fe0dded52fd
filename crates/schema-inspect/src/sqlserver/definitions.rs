use std::collections::HashMap;

use schema_model::{Gap, Native, Reading, Unavailable};
use shared_kernel::database::{DatabaseError, Row};

use super::Answer;
use super::bounds::{self, Budget};
use crate::cells::Cells;

/// Whose text it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Whose {
    /// A view's, a routine's or a trigger's, or that of a default which is an object of its own.
    Module,
    /// A default's.
    Default,
    /// A condition's.
    Check,
    /// A column's, of an object.
    Computed,
    /// An index's, of an object.
    Filter,
    /// Of a policy, a predicate's.
    Predicate,
}

pub(super) struct FoundText {
    whose: Whose,
    id: i64,
    number: i64,
    /// NULL is what the login may not see, or nobody may as it is encrypted.
    text: Option<String>,
}

/// What a module was made with, by bits.
const FACTS: [(i64, &str); 5] = [
    (1, "schema_bound"),
    (2, "ansi_nulls_off"),
    (4, "quoted_identifier_off"),
    (8, "natively_compiled"),
    (16, "execute_as_owner"),
];

/// What a module was made with. It is told with what the module is: unlike its text it needs no lock of the object.
#[derive(Debug, Default)]
pub(super) struct ModuleFacts {
    bits: i64,
    execute_as: Option<String>,
}

impl ModuleFacts {
    /// Reads two cells.
    pub(super) fn read(cells: &mut Cells<'_>) -> Result<Self, DatabaseError> {
        Ok(Self { bits: cells.next::<Option<i64>>()?.unwrap_or_default(), execute_as: bounds::name(cells)? })
    }

    pub(super) fn describe(&self, native: &mut Native) {
        for (bit, word) in FACTS {
            if self.bits & bit != 0 {
                native.insert(word.to_owned(), true.into());
            }
        }
        if let Some(principal) = &self.execute_as {
            native.insert("execute_as".to_owned(), principal.as_str().into());
        }
    }
}

pub(super) fn read(row: &Row) -> Result<FoundText, DatabaseError> {
    let mut cells = Cells::of(row);
    let whose = match cells.next::<String>()?.as_str() {
        "d" => Whose::Default,
        "k" => Whose::Check,
        "c" => Whose::Computed,
        "f" => Whose::Filter,
        "s" => Whose::Predicate,
        _ => Whose::Module,
    };
    let (id, number) = (cells.next()?, cells.next()?);
    Ok(FoundText { whose, id, number, text: cells.next()? })
}

/// How many bytes of defaults that are objects of their own are told, all columns together.
const REPEATED_DEFAULTS: usize = 4 * 1024 * 1024;

/// Texts by whose they are.
#[derive(Debug)]
pub(super) struct Definitions {
    texts: HashMap<(Whose, i64, i64), Option<String>>,
    /// Why one is not there.
    absent: Unavailable,
    /// Of what is told with several columns.
    budget: Budget,
}

impl Default for Definitions {
    fn default() -> Self {
        Self { texts: HashMap::new(), absent: Unavailable::Forbidden, budget: Budget::of(REPEATED_DEFAULTS) }
    }
}

impl Definitions {
    pub(super) fn of(gaps: &mut Vec<Gap>, answer: Answer<FoundText>) -> Self {
        let absent = answer.reason.filter(|_| !answer.is_there).unwrap_or(Unavailable::Forbidden);
        if let Some(reason) = answer.reason {
            gaps.push(Gap { object: None, part: "definitions".to_owned(), reason });
        }
        let texts = answer.rows.into_iter().map(|found| ((found.whose, found.id, found.number), found.text));
        Self { texts: texts.collect(), absent, budget: Budget::of(REPEATED_DEFAULTS) }
    }

    pub(super) fn take(&mut self, whose: Whose, id: i64, number: i64) -> Reading<String> {
        let text = self.texts.get_mut(&(whose, id, number)).and_then(Option::take);
        text.map_or(Reading::unavailable(self.absent), |text| Reading::Known(text.trim().to_owned()))
    }

    /// The default of this number: a constraint, or an object of its own that any number of columns may have.
    pub(super) fn of_default(&mut self, id: i64) -> Reading<String> {
        match self.texts.get(&(Whose::Module, id, 0)) {
            Some(Some(text)) if self.budget.takes(text.len()) => Reading::Known(text.trim().to_owned()),
            Some(Some(_)) => Reading::unavailable(Unavailable::OverLimit),
            _ => self.take(Whose::Default, id, 0),
        }
    }
}
