#![doc = include_str!("../README.md")]

mod finding;
mod findings;
mod lint;
mod registry;
mod rules;
mod tables;

pub use finding::{Evidence, Finding, Object, Severity};
pub use findings::{Findings, TooMany};
pub use lint::Lint;
pub use registry::Lints;
pub use rules::{
    CharColumn, DisabledTrigger, DuplicateIndex, FloatMoney, ForeignKeyCycle, ForeignKeyTypes, InvalidIndex,
    NameLength, NameQuoting, NoColumns, NoPrimaryKey, NothingRequired, NullableUnique, PrefixIndex, SequenceEnd,
    SmallKey, TimestampWithoutZone, UncheckedConstraint, UnindexedForeignKey,
};
