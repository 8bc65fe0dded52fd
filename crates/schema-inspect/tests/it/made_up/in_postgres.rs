use schema_model::{
    ColumnPair, Generated, GenerationStorage, Identity, IdentityGeneration, NullsOrder, ObjectName, PartTarget,
    Persistence, Reading, Relation, RelationKind, SequenceOptions, SortDirection, TypeFamily,
};

use super::parts::{self, InKey, MadeUp, Names, Type, action, deferrable, drawn, literal};
use super::plan::{IndexPlan, Plan, ReferencePlan, TablePlan};

const fn of(
    written: &'static str,
    told: &'static str,
    family: TypeFamily,
    defaults: &'static [(&'static str, &'static str)],
) -> Type {
    Type { written, told, family, dimensions: 0, key: InKey::Whole, defaults }
}

const BOOLEAN: Type = of("bool", "boolean", TypeFamily::Boolean, &[("TRUE", "true"), ("1 > 2", "(1 > 2)")]);
const BIGINT: Type = of(
    "int8",
    "bigint",
    TypeFamily::Integer,
    &[("7", "7"), ("-9223372036854775808", "'-9223372036854775808'::bigint")],
);

const TYPES: [Type; 14] = [
    BIGINT,
    BOOLEAN,
    of("smallint", "smallint", TypeFamily::Integer, &[("-3", "'-3'::integer")]),
    of("text", "text", TypeFamily::Text, &[("'it''s; -- \"x\"'", "'it''s; -- \"x\"'::text"), ("user", "USER")]),
    of("varchar(40)", "character varying(40)", TypeFamily::Text, &[("'名前 😀'", "'名前 😀'::character varying")]),
    of("char(3)", "character(3)", TypeFamily::Text, &[("'a\\b'", "'a\\b'::bpchar")]),
    of(
        "decimal(12,2)",
        "numeric(12,2)",
        TypeFamily::Decimal,
        &[("1.50", "1.50"), ("random() * 100", "(random() * (100)::double precision)")],
    ),
    of("float8", "double precision", TypeFamily::Float, &[("'NaN'", "'NaN'::double precision")]),
    of("date", "date", TypeFamily::Date, &[("CURRENT_DATE", "CURRENT_DATE")]),
    of("timestamptz(3)", "timestamp(3) with time zone", TypeFamily::Timestamp, &[("now()", "now()")]),
    of("uuid", "uuid", TypeFamily::Uuid, &[("gen_random_uuid()", "gen_random_uuid()")]),
    of("bytea", "bytea", TypeFamily::Binary, &[("'\\x00ff'", "'\\x00ff'::bytea")]),
    of(
        "interval day to second(2)",
        "interval day to second(2)",
        TypeFamily::Interval,
        &[("'1 h'", "'01:00:00'::interval day to second(2)")],
    ),
    Type {
        dimensions: 1,
        ..of(
            "int[]",
            "integer[]",
            TypeFamily::Integer,
            &[("'{1,2}'", "'{1,2}'::integer[]"), ("ARRAY[1,2]", "ARRAY[1, 2]")],
        )
    },
];

pub(super) fn made_up(plan: &Plan) -> MadeUp {
    let mut names = Names::default();
    let name = names.next(&format!("n{}", plan.namespace));
    let mut made = MadeUp { statements: vec![format!("CREATE SCHEMA {}", quoted(&name))], name, relations: Vec::new() };
    for table in &plan.tables {
        let relation = relation(table, &mut made, &mut names);
        made.relations.push(relation);
    }
    made.relations.sort_by(|one, other| one.name.cmp(&other.name));
    made
}

fn relation(plan: &TablePlan, made: &mut MadeUp, names: &mut Names) -> Relation {
    let mut relation = Relation::new(names.next(&plan.name), RelationKind::Table);
    relation.comment.clone_from(&plan.comment);
    let table = format!("{}.{}", quoted(&made.name), quoted(&relation.name));
    let mut items = Vec::new();
    if plan.is_numbered {
        items.push(number_by(&mut relation, plan, names));
    }
    for plan in &plan.columns {
        let column = parts::made(plan, names.next(&plan.name), &TYPES);
        let default = column.default.map(|default| format!(" DEFAULT ({default})")).unwrap_or_default();
        let null = if column.column.nullable { "" } else { " NOT NULL" };
        items.push(format!("{} {}{default}{null}", quoted(&column.column.name), column.of.written));
        relation.columns.push(column.column);
    }
    let own: Vec<String> = relation.columns.iter().map(|column| column.name.clone()).collect();
    let simple: Vec<String> = own[usize::from(plan.is_numbered)..].to_vec();
    if let Some(plan) = &plan.generated {
        let mut column = parts::column(names.next(&plan.name), BOOLEAN, true);
        let of = plan.of.get(simple.as_slice());
        items.push(format!("{} bool GENERATED ALWAYS AS ({} IS NULL) STORED", quoted(&column.name), quoted(of)));
        let expression = Reading::Known(format!("({} IS NULL)", told(of)));
        column.generated = Some(Generated { expression, storage: GenerationStorage::Stored });
        relation.columns.push(column);
    }
    let key = if plan.is_numbered { own[..1].to_vec() } else { drawn(&plan.primary_key, &own) };
    for column in &mut relation.columns {
        column.nullable &= !key.contains(&column.name);
    }
    let key_name = names.next(&plan.name);
    items.push(format!("CONSTRAINT {} PRIMARY KEY ({})", quoted(&key_name), list(&key)));
    let kept_by = |name: &str, columns: &[String]| schema_model::Index {
        constraint: Some(name.to_owned()),
        ..parts::index_of_key(name, "btree", columns, Some(NullsOrder::Last))
    };
    relation.indexes.push(kept_by(&key_name, &key));
    relation.primary_key = Some(parts::key(Some(&key_name), Some(&key_name), key));
    let mut later = Vec::new();
    for plan in &plan.references {
        refer(&mut relation, plan, made, names, &mut items, &mut later);
    }
    if let Some(plan) = &plan.check {
        let (name, of) = (names.next("c"), plan.of.get(&own));
        let (text, called) = (literal(&plan.text), quoted(&name));
        items.push(format!("CONSTRAINT {called} CHECK ({} IS NOT NULL OR {text} <> 'x')", quoted(of)));
        let expression = format!("(({} IS NOT NULL) OR ({text}::text <> 'x'::text))", told(of));
        relation.checks.push(schema_model::Check {
            columns: vec![of.clone()],
            inherited: true,
            ..parts::check(name, expression)
        });
    }
    let unlogged = if plan.is_special { "UNLOGGED " } else { "" };
    if plan.is_special {
        relation.persistence = Persistence::Unlogged;
    }
    made.statements.push(format!("CREATE {unlogged}TABLE {table} (\n{}\n)", items.join(",\n")));
    made.statements.extend(later.into_iter().map(|words| format!("ALTER TABLE {table} ADD {words}")));
    if let Some(plan) = &plan.unique {
        // Apart from the table: together, a key of the same columns becomes one with the primary key.
        let (name, columns) = (names.next("u"), drawn(&plan.columns, &own));
        let nulls = if plan.nulls_distinct { "" } else { " NULLS NOT DISTINCT" };
        let (words, when) = (list(&columns), deferrable(plan.deferrability));
        made.statements
            .push(format!("ALTER TABLE {table} ADD CONSTRAINT {} UNIQUE{nulls} ({words}){when}", quoted(&name)));
        relation.indexes.push(schema_model::Index { nulls_distinct: plan.nulls_distinct, ..kept_by(&name, &columns) });
        let deferrability = plan.deferrability;
        let key = parts::key(Some(&name), Some(&name), columns);
        relation.unique.push(schema_model::Key { nulls_distinct: plan.nulls_distinct, deferrability, ..key });
    }
    for plan in &plan.indexes {
        let (index, statement) = index(plan, names.next("i"), &own, &table);
        made.statements.push(statement);
        if let Some(comment) = &index.comment {
            let name = format!("{}.{}", quoted(&made.name), quoted(&index.name));
            made.statements.push(format!("COMMENT ON INDEX {name} IS {}", literal(comment)));
        }
        relation.indexes.push(index);
    }
    if let Some(comment) = &relation.comment {
        made.statements.push(format!("COMMENT ON TABLE {table} IS {}", literal(comment)));
    }
    for column in &relation.columns {
        if let Some(comment) = &column.comment {
            let name = quoted(&column.name);
            made.statements.push(format!("COMMENT ON COLUMN {table}.{name} IS {}", literal(comment)));
        }
    }
    parts::numbered(&mut relation.columns);
    relation.indexes.sort_by(|one, other| one.name.cmp(&other.name));
    relation.foreign_keys.sort_by(|one, other| one.name.cmp(&other.name));
    relation
}

/// Gives the table a column that the engine numbers.
fn number_by(relation: &mut Relation, plan: &TablePlan, names: &mut Names) -> String {
    let mut column = parts::column(names.next("id"), BIGINT, false);
    let (generation, words) = if plan.is_special {
        (IdentityGeneration::Always, "ALWAYS")
    } else {
        (IdentityGeneration::ByDefault, "BY DEFAULT")
    };
    let options = SequenceOptions {
        start: 5.into(),
        increment: (-3).into(),
        minimum: (-100).into(),
        maximum: 50.into(),
        cache: 7.into(),
        cycle: true,
    };
    column.identity = Some(Identity { generation, options: Some(options) });
    let words = format!(
        "{} int8 GENERATED {words} AS IDENTITY (START 5 INCREMENT -3 MINVALUE -100 MAXVALUE 50 CACHE 7 CYCLE)",
        quoted(&column.name)
    );
    relation.columns.push(column);
    words
}

/// Gives the table columns of its own that lead to the key of a table before it, or to its own.
fn refer(
    relation: &mut Relation,
    plan: &ReferencePlan,
    made: &MadeUp,
    names: &mut Names,
    items: &mut Vec<String>,
    later: &mut Vec<String>,
) {
    let target = parts::target(plan, &made.relations, relation);
    let is_own = target.name == relation.name;
    let Some(key) = &target.primary_key else { return };
    // A table whose rows last leads to none whose rows do not, and this one is not made yet.
    if !is_own && target.persistence != Persistence::Permanent {
        return;
    }
    let mut pairs = Vec::new();
    for references in &key.columns {
        let of = target.column(references).expect("a column of the key");
        let data_type = of.data_type.clone();
        let mut own = parts::column(names.next("r"), BIGINT, true);
        items.push(format!("{} {}", quoted(&own.name), data_type.text));
        own.data_type = data_type;
        pairs.push(ColumnPair { column: own.name.clone(), references: references.clone() });
        relation.columns.push(own);
    }
    let name = names.next("f");
    let here: Vec<String> = pairs.iter().map(|pair| pair.column.clone()).collect();
    let full = if plan.match_option == schema_model::MatchOption::Full { " MATCH FULL" } else { "" };
    let words = format!(
        "CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {}.{} ({}){full} ON DELETE {} ON UPDATE {}{}",
        quoted(&name),
        list(&here),
        quoted(&made.name),
        quoted(&target.name),
        list(&key.columns),
        action(plan.on_delete),
        action(plan.on_update),
        deferrable(plan.deferrability),
    );
    if plan.validated {
        items.push(words);
    } else {
        later.push(format!("{words} NOT VALID"));
    }
    relation.foreign_keys.push(schema_model::ForeignKey {
        target_constraint: key.name.clone(),
        on_update: plan.on_update,
        on_delete: plan.on_delete,
        match_option: plan.match_option,
        deferrability: plan.deferrability,
        validated: plan.validated,
        ..parts::foreign_key(name, ObjectName::new(&made.name, &target.name), pairs)
    });
}

fn index(plan: &IndexPlan, name: String, columns: &[String], table: &str) -> (schema_model::Index, String) {
    let (mut found, mut words, mut seen) = (Vec::new(), Vec::new(), Vec::new());
    for plan in &plan.parts {
        let column = plan.column.get(columns);
        if seen.contains(column) {
            continue;
        }
        seen.push(column.clone());
        let direction = if plan.direction == SortDirection::Ascending { "ASC" } else { "DESC" };
        let nulls = if plan.nulls == NullsOrder::First { "FIRST" } else { "LAST" };
        words.push(format!("{} {direction} NULLS {nulls}", quoted(column)));
        found.push(parts::part(PartTarget::Column(column.clone()), Some(plan.direction), Some(plan.nulls)));
    }
    let first = &columns[0];
    if plan.has_expression {
        words.push(format!("({} IS NULL)", quoted(first)));
        // The engine puts what is no call of a function in parentheses of its own.
        let expression = PartTarget::Expression(Reading::Known(format!("(({} IS NULL))", told(first))));
        found.push(parts::part(expression, Some(SortDirection::Ascending), Some(NullsOrder::Last)));
    }
    let mut index = schema_model::Index::new(name, "btree", found);
    index.unique = plan.unique;
    index.comment.clone_from(&plan.comment);
    index.include = plan.include.map(|draw| draw.get(columns).clone()).into_iter().collect();
    index.include.retain(|column| !seen.contains(column));
    index.predicate = plan.has_predicate.then(|| Reading::Known(format!("({} IS NOT NULL)", told(first))));
    let include = if index.include.is_empty() { String::new() } else { format!(" INCLUDE ({})", list(&index.include)) };
    let predicate = if plan.has_predicate { format!(" WHERE {} IS NOT NULL", quoted(first)) } else { String::new() };
    let unique = if plan.unique { "UNIQUE " } else { "" };
    let statement =
        format!("CREATE {unique}INDEX {} ON {table} ({}){include}{predicate}", quoted(&index.name), words.join(", "));
    (index, statement)
}

pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn list(names: &[String]) -> String {
    names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
}

/// As the engine writes a name that ends with a number: most of these need the marks, plain ones have none.
fn told(name: &str) -> String {
    let starts = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_');
    let plain =
        starts && name.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    if plain { name.to_owned() } else { quoted(name) }
}
