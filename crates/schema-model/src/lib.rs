#![doc = include_str!("../README.md")]

mod canonical;
mod collection;
mod column;
mod constraint;
mod database;
mod event;
mod fingerprint;
mod grant;
mod identity;
mod index;
mod inspection;
mod key_sample;
mod name;
mod native_object;
mod number;
mod partitioning;
mod reading;
mod relation;
mod routine;
mod rule;
mod sample;
mod sequence;
mod trigger;
mod user_type;

pub use canonical::Canonical;
pub use collection::{Capped, Collection, CollectionKind, DeclaredField, TimeSeries, Validator};
pub use column::{Column, DataType, Generated, GenerationStorage, Identity, IdentityGeneration, TypeFamily};
pub use constraint::{Check, ColumnPair, Deferrability, Exclusion, ForeignKey, Key, MatchOption, ReferentialAction};
pub use database::{Database, Extension, Namespace, Native};
pub use event::Event;
pub use fingerprint::Fingerprint;
pub use grant::Grant;
pub use identity::{Identities, ObjectIdentity, RelationIdentity};
pub use index::{Index, IndexPart, NullsOrder, PartTarget, SortDirection};
pub use inspection::{ChoiceReason, DatabaseChoice, EDITION, Gap, Inspection, RelationStatistics, Report, Stage};
pub use key_sample::{HashFields, KeyExpiry, KeyPattern, KeySample, KeyType, Spread};
pub use name::ObjectName;
pub use native_object::NativeObject;
pub use number::WholeNumber;
pub use partitioning::{Partition, Partitioning};
pub use reading::{Reading, Unavailable};
pub use relation::{Persistence, Policy, PolicyCommand, Relation, RelationKind, RowSecurity};
pub use routine::{Routine, RoutineKind};
pub use rule::Rule;
pub use sample::{
    Interval, MapKeys, Observed, ObservedField, ObservedMap, ObservedType, Presence, Sample, SampleLimit, SampleMethod,
};
pub use sequence::{Sequence, SequenceOptions};
pub use trigger::{Trigger, TriggerEvent, TriggerLevel, TriggerTiming};
pub use user_type::{UserType, UserTypeKind};
