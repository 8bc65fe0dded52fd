//! What a schema is made up of, before an engine makes tables of it. An [`Index`] draws one of whatever there is to draw from.

use proptest::prelude::*;
use proptest::sample::Index;
use schema_model::{Deferrability, MatchOption, NullsOrder, ReferentialAction, SortDirection};

/// What is at once a name and not easily taken for one.
const PIECES: [&str; 24] = [
    "\"", "'", "`", "\\", "--", "/*", "*/", ";", "\n", "\t", "\u{202e}", "$$", "$1", ".", " ", "select", "名前", "😀",
    "A", "a", "[", "é", "%", "(,)",
];

#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) namespace: String,
    pub(super) tables: Vec<TablePlan>,
}

#[derive(Debug, Clone)]
pub(super) struct TablePlan {
    pub(super) name: String,
    /// Whether it is of the kind that the engine has besides the usual one.
    pub(super) is_special: bool,
    /// Whether its key is a column that the engine numbers.
    pub(super) is_numbered: bool,
    pub(super) comment: Option<String>,
    pub(super) columns: Vec<ColumnPlan>,
    /// Which columns, in which order.
    pub(super) primary_key: Vec<Index>,
    pub(super) unique: Option<UniquePlan>,
    pub(super) references: Vec<ReferencePlan>,
    pub(super) check: Option<CheckPlan>,
    pub(super) generated: Option<GeneratedPlan>,
    pub(super) indexes: Vec<IndexPlan>,
}

#[derive(Debug, Clone)]
pub(super) struct ColumnPlan {
    pub(super) name: String,
    pub(super) data_type: Index,
    pub(super) nullable: bool,
    pub(super) default: Option<Index>,
    pub(super) comment: Option<String>,
    /// How what can be said in several ways is said.
    pub(super) style: u8,
}

#[derive(Debug, Clone)]
pub(super) struct UniquePlan {
    pub(super) columns: Vec<Index>,
    pub(super) nulls_distinct: bool,
    pub(super) deferrability: Deferrability,
}

#[derive(Debug, Clone)]
pub(super) struct ReferencePlan {
    /// Which of the tables before, or the table itself.
    pub(super) table: Index,
    pub(super) on_update: ReferentialAction,
    pub(super) on_delete: ReferentialAction,
    pub(super) match_option: MatchOption,
    pub(super) deferrability: Deferrability,
    pub(super) validated: bool,
}

#[derive(Debug, Clone)]
pub(super) struct CheckPlan {
    pub(super) of: Index,
    /// A literal in it.
    pub(super) text: String,
}

#[derive(Debug, Clone)]
pub(super) struct GeneratedPlan {
    pub(super) name: String,
    pub(super) of: Index,
    pub(super) is_stored: bool,
}

#[derive(Debug, Clone)]
pub(super) struct IndexPlan {
    pub(super) parts: Vec<PartPlan>,
    pub(super) unique: bool,
    pub(super) include: Option<Index>,
    pub(super) has_predicate: bool,
    pub(super) has_expression: bool,
    pub(super) comment: Option<String>,
}

#[derive(Debug, Clone)]
pub(super) struct PartPlan {
    pub(super) column: Index,
    pub(super) direction: SortDirection,
    pub(super) nulls: NullsOrder,
    pub(super) prefix: Option<u32>,
}

/// Any of them.
pub(super) fn plan() -> impl Strategy<Value = Plan> {
    (name(), prop::collection::vec(table_plan(), 1..5)).prop_map(|(namespace, tables)| Plan { namespace, tables })
}

fn name() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(&PIECES[..]), 1..5).prop_map(|pieces| pieces.concat())
}

fn comment() -> impl Strategy<Value = Option<String>> {
    prop::option::weighted(0.3, name())
}

fn some_of<T: Clone + std::fmt::Debug + 'static>(all: &'static [T]) -> impl Strategy<Value = T> {
    prop::sample::select(all)
}

fn deferrability() -> impl Strategy<Value = Deferrability> {
    some_of(&[
        Deferrability::NotDeferrable,
        Deferrability::NotDeferrable,
        Deferrability::InitiallyImmediate,
        Deferrability::InitiallyDeferred,
    ])
}

fn table_plan() -> impl Strategy<Value = TablePlan> {
    let columns = |most: usize| prop::collection::vec(any::<Index>(), 1..=most);
    let unique = (columns(3), any::<bool>(), deferrability())
        .prop_map(|(columns, nulls_distinct, deferrability)| UniquePlan { columns, nulls_distinct, deferrability });
    let check = (any::<Index>(), name()).prop_map(|(of, text)| CheckPlan { of, text });
    let generated =
        (name(), any::<Index>(), any::<bool>()).prop_map(|(name, of, is_stored)| GeneratedPlan { name, of, is_stored });
    let flags = (prop::bool::weighted(0.2), prop::bool::weighted(0.2));
    let references = prop::collection::vec(reference_plan(), 0..3);
    (
        (name(), flags, comment(), prop::collection::vec(column_plan(), 1..7)),
        (columns(3), prop::option::of(unique), references, prop::option::of(check)),
        (prop::option::weighted(0.3, generated), prop::collection::vec(index_plan(), 0..3)),
    )
        .prop_map(
            |(
                (name, (is_special, is_numbered), comment, columns),
                (primary_key, unique, references, check),
                (generated, indexes),
            )| {
                TablePlan {
                    name,
                    is_special,
                    is_numbered,
                    comment,
                    columns,
                    primary_key,
                    unique,
                    references,
                    check,
                    generated,
                    indexes,
                }
            },
        )
}

fn column_plan() -> impl Strategy<Value = ColumnPlan> {
    let default = prop::option::of(any::<Index>());
    (name(), any::<Index>(), any::<bool>(), default, comment(), any::<u8>()).prop_map(
        |(name, data_type, nullable, default, comment, style)| ColumnPlan {
            name,
            data_type,
            nullable,
            default,
            comment,
            style,
        },
    )
}

fn reference_plan() -> impl Strategy<Value = ReferencePlan> {
    use ReferentialAction::{Cascade, NoAction, Restrict, SetDefault, SetNull};
    let action = || some_of(&[NoAction, Restrict, Cascade, SetNull, SetDefault]);
    let match_option = some_of(&[MatchOption::Simple, MatchOption::Full]);
    (any::<Index>(), action(), action(), match_option, deferrability(), any::<bool>()).prop_map(
        |(table, on_update, on_delete, match_option, deferrability, validated)| ReferencePlan {
            table,
            on_update,
            on_delete,
            match_option,
            deferrability,
            validated,
        },
    )
}

fn index_plan() -> impl Strategy<Value = IndexPlan> {
    let part = (
        any::<Index>(),
        some_of(&[SortDirection::Ascending, SortDirection::Descending]),
        some_of(&[NullsOrder::First, NullsOrder::Last]),
        prop::option::of(1_u32..3),
    )
        .prop_map(|(column, direction, nulls, prefix)| PartPlan { column, direction, nulls, prefix });
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    (prop::collection::vec(part, 1..4), prop::option::weighted(0.3, any::<Index>()), flags, comment()).prop_map(
        |(parts, include, (unique, has_predicate, has_expression), comment)| IndexPlan {
            parts,
            unique,
            include,
            has_predicate,
            has_expression,
            comment,
        },
    )
}
