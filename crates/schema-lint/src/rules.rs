//! The built-in rules, by what they look at.

mod columns;
mod constraints;
mod cycles;
mod foreign_keys;
mod indexes;
mod keys;
mod names;
mod numbers;
mod reserved;

use std::sync::Arc;

pub use self::columns::{CharColumn, FloatMoney, NoColumns, NothingRequired, TimestampWithoutZone};
pub use self::constraints::{DisabledTrigger, UncheckedConstraint};
pub use self::cycles::ForeignKeyCycle;
pub use self::foreign_keys::{ForeignKeyTypes, UnindexedForeignKey};
pub use self::indexes::{DuplicateIndex, InvalidIndex, PrefixIndex};
pub use self::keys::{NoPrimaryKey, NullableUnique, SmallKey};
pub use self::names::{NameLength, NameQuoting};
pub use self::numbers::SequenceEnd;
use crate::Lint;

/// A name for each rule's three constant answers.
macro_rules! describe {
    ($id:literal, $severity:ident, $summary:literal) => {
        fn id(&self) -> &'static str {
            $id
        }

        fn summary(&self) -> &'static str {
            $summary
        }

        fn severity(&self) -> crate::Severity {
            crate::Severity::$severity
        }
    };
}
use describe;

pub(crate) fn all() -> Vec<Arc<dyn Lint>> {
    vec![
        Arc::new(NoPrimaryKey),
        Arc::new(NullableUnique),
        Arc::new(SmallKey),
        Arc::new(DuplicateIndex),
        Arc::new(PrefixIndex),
        Arc::new(InvalidIndex),
        Arc::new(UnindexedForeignKey),
        Arc::new(ForeignKeyTypes),
        Arc::new(ForeignKeyCycle),
        Arc::new(UncheckedConstraint),
        Arc::new(DisabledTrigger),
        Arc::new(SequenceEnd),
        Arc::new(NameQuoting),
        Arc::new(NameLength),
        Arc::new(FloatMoney),
        Arc::new(TimestampWithoutZone),
        Arc::new(CharColumn),
        Arc::new(NoColumns),
        Arc::new(NothingRequired),
    ]
}
