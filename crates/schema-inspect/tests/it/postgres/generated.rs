//! Schemas that nobody thought of: made up, created, and found as they were made up.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use schema_export::Exporters;
use schema_inspect::InspectOptions;
use schema_model::{
    Check, Column, ColumnPair, DataType, Database, Deferrability, ForeignKey, Index, IndexPart, Key, MatchOption,
    Namespace, Native, NullsOrder, ObjectName, PartTarget, Persistence, Reading, ReferentialAction, Relation,
    RelationKind, SortDirection, TypeFamily,
};
use tokio::runtime::Handle;

use super::Sample;

/// Types, as the engine writes them, with defaults as it writes those, and whether the type's values can be in order.
const TYPES: [(&str, TypeFamily, &[&str], u32); 14] = [
    ("bigint", TypeFamily::Integer, &["7", "'-9223372036854775808'::bigint"], 0),
    ("smallint", TypeFamily::Integer, &["'-3'::integer"], 0),
    ("text", TypeFamily::Text, &["'it''s; -- \"x\"'::text", "CURRENT_USER"], 0),
    ("character varying(40)", TypeFamily::Text, &["'名前 😀'::character varying"], 0),
    ("character(3)", TypeFamily::Text, &["'a\\b'::bpchar"], 0),
    ("numeric(12,2)", TypeFamily::Decimal, &["1.50", "(random() * (100)::double precision)"], 0),
    ("double precision", TypeFamily::Float, &["'NaN'::double precision"], 0),
    ("boolean", TypeFamily::Boolean, &["true", "(1 > 2)"], 0),
    ("date", TypeFamily::Date, &["CURRENT_DATE"], 0),
    ("timestamp(3) with time zone", TypeFamily::Timestamp, &["now()", "clock_timestamp()"], 0),
    ("uuid", TypeFamily::Uuid, &["gen_random_uuid()"], 0),
    ("bytea", TypeFamily::Binary, &["'\\x00ff'::bytea"], 0),
    ("interval day to second(2)", TypeFamily::Interval, &["'01:00:00'::interval"], 0),
    ("integer[]", TypeFamily::Integer, &["'{1,2}'::integer[]", "ARRAY[1, 2]"], 1),
];

/// What is at once a name and not easily taken for one.
const PIECES: [&str; 20] = [
    "\"", "'", "`", "\\", "--", "/*", "*/", ";", "\n", "\t", "\u{202e}", "$$", "$1", ".", " ", "select", "名前", "😀",
    "A", "a",
];

#[derive(Debug, Clone)]
struct Plan {
    namespace: String,
    tables: Vec<TablePlan>,
}

#[derive(Debug, Clone)]
struct TablePlan {
    name: String,
    unlogged: bool,
    comment: Option<String>,
    columns: Vec<ColumnPlan>,
    /// Which columns, in which order.
    primary_key: Vec<prop::sample::Index>,
    unique: Option<UniquePlan>,
    reference: Option<ReferencePlan>,
    check: Option<prop::sample::Index>,
    indexes: Vec<IndexPlan>,
}

#[derive(Debug, Clone)]
struct ColumnPlan {
    name: String,
    data_type: prop::sample::Index,
    nullable: bool,
    default: Option<prop::sample::Index>,
    comment: Option<String>,
}

#[derive(Debug, Clone)]
struct UniquePlan {
    columns: Vec<prop::sample::Index>,
    nulls_distinct: bool,
    deferrability: Deferrability,
}

#[derive(Debug, Clone)]
struct ReferencePlan {
    /// Which of the tables before, or the table itself.
    table: prop::sample::Index,
    on_update: ReferentialAction,
    on_delete: ReferentialAction,
    match_option: MatchOption,
    deferrability: Deferrability,
    validated: bool,
}

#[derive(Debug, Clone)]
struct IndexPlan {
    parts: Vec<(prop::sample::Index, SortDirection, NullsOrder)>,
    unique: bool,
    include: Option<prop::sample::Index>,
    has_predicate: bool,
    has_expression: bool,
    comment: Option<String>,
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

fn columns(most: usize) -> impl Strategy<Value = Vec<prop::sample::Index>> {
    prop::collection::vec(any::<prop::sample::Index>(), 1..=most)
}

fn column_plan() -> impl Strategy<Value = ColumnPlan> {
    let default = prop::option::weighted(0.5, any::<prop::sample::Index>());
    (name(), any::<prop::sample::Index>(), any::<bool>(), default, comment()).prop_map(
        |(name, data_type, nullable, default, comment)| ColumnPlan { name, data_type, nullable, default, comment },
    )
}

fn index_plan() -> impl Strategy<Value = IndexPlan> {
    let direction = some_of(&[SortDirection::Ascending, SortDirection::Descending]);
    let nulls = some_of(&[NullsOrder::First, NullsOrder::Last]);
    let parts = prop::collection::vec((any::<prop::sample::Index>(), direction, nulls), 1..4);
    let include = prop::option::weighted(0.3, any::<prop::sample::Index>());
    (parts, any::<bool>(), include, any::<bool>(), any::<bool>(), comment()).prop_map(
        |(parts, unique, include, has_predicate, has_expression, comment)| IndexPlan {
            parts,
            unique,
            include,
            has_predicate,
            has_expression,
            comment,
        },
    )
}

fn reference_plan() -> impl Strategy<Value = ReferencePlan> {
    use ReferentialAction::{Cascade, NoAction, Restrict, SetDefault, SetNull};
    let action = || some_of(&[NoAction, Restrict, Cascade, SetNull, SetDefault]);
    let match_option = some_of(&[MatchOption::Simple, MatchOption::Full]);
    (any::<prop::sample::Index>(), action(), action(), match_option, deferrability(), any::<bool>()).prop_map(
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

fn table_plan() -> impl Strategy<Value = TablePlan> {
    let unique = (columns(3), any::<bool>(), deferrability())
        .prop_map(|(columns, nulls_distinct, deferrability)| UniquePlan { columns, nulls_distinct, deferrability });
    let check = prop::option::of(any::<prop::sample::Index>());
    (
        (name(), prop::bool::weighted(0.1), comment(), prop::collection::vec(column_plan(), 1..7)),
        (columns(2), prop::option::of(unique), prop::option::of(reference_plan()), check),
        prop::collection::vec(index_plan(), 0..3),
    )
        .prop_map(|((name, unlogged, comment, columns), (primary_key, unique, reference, check), indexes)| {
            TablePlan { name, unlogged, comment, columns, primary_key, unique, reference, check, indexes }
        })
}

fn plan() -> impl Strategy<Value = Plan> {
    (name(), prop::collection::vec(table_plan(), 1..5)).prop_map(|(namespace, tables)| Plan { namespace, tables })
}

/// Names that are taken in turn: none is another's.
#[derive(Default)]
struct Names(usize);

impl Names {
    fn next(&mut self, name: &str) -> String {
        self.0 += 1;
        format!("{name}{}", self.0)
    }
}

/// Each column once, in the order in which it was drawn first.
fn drawn(indexes: &[prop::sample::Index], columns: &[Column]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let names = indexes.iter().map(|index| index.get(columns).name.clone());
    names.filter(|name| seen.insert(name.clone())).collect()
}

fn namespace(plan: &Plan) -> Namespace {
    let mut names = Names::default();
    let mut namespace = Namespace::new(names.next(&format!("n{}", plan.namespace)));
    for table in &plan.tables {
        let relation = relation(table, &namespace, &mut names);
        namespace.relations.push(relation);
    }
    namespace.relations.sort_by(|one, other| one.name.cmp(&other.name));
    namespace
}

fn relation(plan: &TablePlan, namespace: &Namespace, names: &mut Names) -> Relation {
    let mut relation = Relation::new(names.next(&plan.name), RelationKind::Table);
    if plan.unlogged {
        relation.persistence = Persistence::Unlogged;
    }
    relation.comment.clone_from(&plan.comment);
    for plan in &plan.columns {
        let (text, family, defaults, array_dimensions) = plan.data_type.get(&TYPES);
        let data_type = DataType {
            text: (*text).to_owned(),
            family: *family,
            user_type: None,
            array_dimensions: *array_dimensions,
        };
        let mut column = column(names.next(&plan.name), data_type, plan.nullable);
        column.default = plan.default.map(|index| Reading::Known((*index.get(defaults)).to_owned()));
        column.comment.clone_from(&plan.comment);
        relation.columns.push(column);
    }
    let key = drawn(&plan.primary_key, &relation.columns);
    for column in &mut relation.columns {
        column.nullable &= !key.contains(&column.name);
    }
    let key_name = names.next(&plan.name);
    relation.indexes.push(index_of_key(&key_name, &key, true));
    relation.primary_key = Some(self::key(key_name, key, true, Deferrability::NotDeferrable));
    if let Some(unique) = &plan.unique {
        let (name, columns) = (names.next(&plan.name), drawn(&unique.columns, &relation.columns));
        relation.indexes.push(index_of_key(&name, &columns, unique.nulls_distinct));
        relation.unique.push(key_of(name, columns, unique));
    }
    if let Some(reference) = &plan.reference {
        refer(&mut relation, reference, namespace, names);
    }
    if let Some(check) = &plan.check {
        let column = check.get(&relation.columns).name.clone();
        relation.checks.push(Check {
            name: Some(names.next(&plan.name)),
            expression: Reading::Known(format!("({} IS NOT NULL)", quoted(&column))),
            columns: vec![column],
            validated: true,
            enforced: true,
            inherited: true,
            comment: None,
        });
    }
    for plan in &plan.indexes {
        let index = index(plan, names.next("i"), &relation.columns);
        relation.indexes.push(index);
    }
    for (position, column) in (1..).zip(&mut relation.columns) {
        column.position = position;
    }
    relation.indexes.sort_by(|one, other| one.name.cmp(&other.name));
    relation
}

/// Gives the table columns of its own that lead to the key of a table before it, or to its own.
fn refer(relation: &mut Relation, plan: &ReferencePlan, namespace: &Namespace, names: &mut Names) {
    let tables: Vec<Relation> = namespace.relations.iter().chain([&*relation]).cloned().collect();
    let target = plan.table.get(&tables);
    let Some(key) = &target.primary_key else { return };
    // The exporter writes what the engine knows: a reference of a permanent table leads to a permanent one.
    if target.persistence != relation.persistence {
        return;
    }
    let mut pairs = Vec::new();
    for references in &key.columns {
        let data_type = target.column(references).expect("a column of the key").data_type.clone();
        let own = column(names.next("r"), data_type, true);
        pairs.push(ColumnPair { column: own.name.clone(), references: references.clone() });
        relation.columns.push(own);
    }
    relation.foreign_keys.push(ForeignKey {
        name: Some(names.next("f")),
        references: ObjectName::new(&namespace.name, &target.name),
        columns: pairs,
        target_constraint: key.name.clone(),
        on_update: plan.on_update,
        on_delete: plan.on_delete,
        set_on_delete: Vec::new(),
        match_option: plan.match_option,
        deferrability: plan.deferrability,
        validated: plan.validated,
        enforced: true,
        comment: None,
    });
}

fn column(name: String, data_type: DataType, nullable: bool) -> Column {
    Column {
        name,
        position: 0,
        data_type,
        nullable,
        default: None,
        identity: None,
        generated: None,
        collation: None,
        comment: None,
        grants: Vec::new(),
        native: Native::new(),
    }
}

fn key(name: String, columns: Vec<String>, nulls_distinct: bool, deferrability: Deferrability) -> Key {
    Key {
        index: Some(name.clone()),
        name: Some(name),
        columns,
        include: Vec::new(),
        nulls_distinct,
        deferrability,
        comment: None,
    }
}

fn key_of(name: String, columns: Vec<String>, plan: &UniquePlan) -> Key {
    key(name, columns, plan.nulls_distinct, plan.deferrability)
}

fn part(target: PartTarget, direction: SortDirection, nulls: NullsOrder) -> IndexPart {
    IndexPart {
        target,
        direction: Some(direction),
        nulls: Some(nulls),
        operator_class: None,
        collation: None,
        prefix_length: None,
    }
}

fn index_of_key(name: &str, columns: &[String], nulls_distinct: bool) -> Index {
    let parts = columns
        .iter()
        .map(|column| part(PartTarget::Column(column.clone()), SortDirection::Ascending, NullsOrder::Last))
        .collect();
    Index {
        name: name.to_owned(),
        method: "btree".to_owned(),
        unique: true,
        nulls_distinct,
        constraint: Some(name.to_owned()),
        parts,
        include: Vec::new(),
        predicate: None,
        valid: true,
        comment: None,
        native: Native::new(),
    }
}

fn index(plan: &IndexPlan, name: String, columns: &[Column]) -> Index {
    let mut seen = BTreeSet::new();
    let mut parts: Vec<IndexPart> = plan
        .parts
        .iter()
        .map(|(index, direction, nulls)| (index.get(columns).name.clone(), *direction, *nulls))
        .filter(|(column, ..)| seen.insert(column.clone()))
        .map(|(column, direction, nulls)| part(PartTarget::Column(column), direction, nulls))
        .collect();
    let first = quoted(&columns[0].name);
    if plan.has_expression {
        // The engine puts what is no call of a function in parentheses of its own.
        let expression = Reading::Known(format!("(({first} IS NULL))"));
        parts.push(part(PartTarget::Expression(expression), SortDirection::Ascending, NullsOrder::Last));
    }
    let include = plan.include.map(|index| index.get(columns).name.clone());
    Index {
        name,
        method: "btree".to_owned(),
        unique: plan.unique,
        nulls_distinct: true,
        constraint: None,
        parts,
        include: include.filter(|column| !seen.contains(column)).into_iter().collect(),
        predicate: plan.has_predicate.then(|| Reading::Known(format!("({first} IS NOT NULL)"))),
        valid: true,
        comment: plan.comment.clone(),
        native: Native::new(),
    }
}

/// As the engine writes a name that ends with a number: most of these need the marks, plain ones have none.
fn quoted(name: &str) -> String {
    let starts = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_');
    let plain =
        starts && name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// What is not made up: whose the objects are.
fn without_owners(database: &mut Database) {
    for namespace in &mut database.namespaces {
        namespace.owner = None;
        namespace.relations.iter_mut().for_each(|relation| relation.owner = None);
    }
}

#[test]
fn whatever_is_made_up_is_found_again() {
    testkit::run(async {
        let sample = Sample::empty().await;
        let empty = sample.inspect(&InspectOptions::default()).await.database;
        let exporters = Exporters::builtin();
        let runtime = Handle::current();
        let again = async |plan: Plan| {
            let made_up = namespace(&plan);
            let name = made_up.name.clone();
            let database = Database { namespaces: vec![made_up], ..empty.clone() };
            let export = exporters.export("sql", &database).expect("it is written");
            assert_eq!(export.omissions, []);
            sample.run(&export.text).await;
            let mut found = sample.inspect(&InspectOptions::default().only([&name])).await.database;
            without_owners(&mut found);
            sample.run(&format!("DROP SCHEMA \"{}\" CASCADE", name.replace('"', "\"\""))).await;
            (database, found)
        };
        let config = Config { cases: 48, max_shrink_iters: 200, failure_persistence: None, ..Config::default() };
        let outcome = tokio::task::block_in_place(|| {
            // The same ones each time: what nobody changed turns nothing red.
            let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
            TestRunner::new_with_rng(config, rng).run(&plan(), |plan| {
                let (made_up, found) = runtime.block_on(again(plan));
                let texts = [&made_up, &found]
                    .map(|database| serde_json::to_string_pretty(&database.namespaces).expect("JSON"));
                prop_assert_eq!(&texts[1], &texts[0]);
                Ok(())
            })
        });
        if let Err(failure) = outcome {
            panic!("{failure}");
        }
    });
}
