use std::fmt::Write as _;

use schema_model::{
    ColumnPair, Generated, GenerationStorage, NullsOrder, ObjectName, PartTarget, Reading, Relation, RelationKind,
    SortDirection, TypeFamily,
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

const BOOLEAN: Type = of("boolean", "boolean", TypeFamily::Boolean, &[("TRUE", "TRUE")]);
const INTEGER: Type = of("integer", "INTEGER", TypeFamily::Integer, &[("7", "7"), ("(1 + 1)", "1 + 1")]);

const TYPES: [Type; 13] = [
    INTEGER,
    BOOLEAN,
    of("unsigned big int", "unsigned big int", TypeFamily::Integer, &[("-3", "-3")]),
    of("text", "TEXT", TypeFamily::Text, &[("'it''s; -- \"x\" )'", "'it''s; -- \"x\" )'"), ("NULL", "NULL")]),
    of("varchar(40)", "varchar(40)", TypeFamily::Text, &[("(lower('A,)'))", "lower('A,)')"), ("'名 😀'", "'名 😀'")]),
    of("numeric(12,2)", "numeric(12,2)", TypeFamily::Decimal, &[("1.50", "1.50")]),
    of("double precision", "double precision", TypeFamily::Float, &[("1e3", "1e3")]),
    of("blob", "BLOB", TypeFamily::Binary, &[("x'00ff'", "x'00ff'")]),
    of("date", "date", TypeFamily::Date, &[("CURRENT_DATE", "CURRENT_DATE")]),
    of("datetime", "datetime", TypeFamily::Timestamp, &[("CURRENT_TIMESTAMP", "CURRENT_TIMESTAMP")]),
    of("json", "json", TypeFamily::Json, &[("'[]'", "'[]'")]),
    of("uuid", "uuid", TypeFamily::Uuid, &[]),
    of("", "", TypeFamily::Other, &[]),
];

/// What stands between words and is none of them.
const NOISE: [&str; 4] = ["\n", " /* ) , ' \" */ ", " -- ( , ' \"\n", " /**/ "];

pub(super) fn made_up(plan: &Plan) -> MadeUp {
    let mut names = Names::default();
    let mut made = MadeUp { name: "main".to_owned(), statements: Vec::new(), relations: Vec::new() };
    for table in &plan.tables {
        let relation = relation(table, &mut made, &mut names);
        made.relations.push(relation);
    }
    made.relations.sort_by(|one, other| one.name.cmp(&other.name));
    made
}

fn relation(plan: &TablePlan, made: &mut MadeUp, names: &mut Names) -> Relation {
    let mut relation = Relation::new(names.next(&plan.name), RelationKind::Table);
    // The columns, and the constraints that stand behind them.
    let (mut columns, mut items) = (Vec::new(), Vec::new());
    if plan.is_numbered {
        let column = parts::column(names.next("id"), INTEGER, false);
        columns.push(format!("{} integer PRIMARY KEY AUTOINCREMENT", quoted(&column.name, 0)));
        relation.columns.push(column);
        relation.native.insert("autoincrement".to_owned(), true.into());
    }
    for plan in &plan.columns {
        let mut column = parts::made(plan, names.next(&plan.name), &TYPES);
        column.column.comment = None;
        let noise = NOISE[usize::from(column.style / 8 % 4)];
        let mut words = format!("{}{noise}{}", quoted(&column.column.name, column.style), column.of.written);
        if let Some(default) = column.default {
            let _ = write!(words, " DEFAULT {default}");
        }
        if column.column.data_type.family == TypeFamily::Text && column.style.is_multiple_of(3) {
            let _ = write!(words, "{noise}COLLATE NOCASE");
            column.column.collation = Some("NOCASE".to_owned());
        }
        if !column.column.nullable {
            words += " NOT NULL";
        }
        columns.push(words);
        relation.columns.push(column.column);
    }
    let own: Vec<String> = relation.columns.iter().map(|column| column.name.clone()).collect();
    let simple: Vec<String> = own[usize::from(plan.is_numbered)..].to_vec();
    if let Some(plan) = &plan.generated {
        let mut column = parts::column(names.next(&plan.name), BOOLEAN, true);
        let of = quoted(plan.of.get::<String>(&simple), 2);
        let (word, storage) = if plan.is_stored {
            ("STORED", GenerationStorage::Stored)
        } else {
            ("VIRTUAL", GenerationStorage::Virtual)
        };
        columns.push(format!("{} boolean AS ({of} IS NULL) {word}", quoted(&column.name, 1)));
        let expression = Reading::Known(format!("{of} IS NULL"));
        column.generated = Some(Generated { expression, storage });
        relation.columns.push(column);
    }
    let mut automatic = Automatic { table: relation.name.clone(), made: 0 };
    let has_rowid = plan.is_numbered || !plan.is_special;
    let key = if plan.is_numbered { own[..1].to_vec() } else { drawn(&plan.primary_key, &own) };
    let is_integer = |name: &String| relation.column(name).is_some_and(|column| column.data_type.text == INTEGER.told);
    let is_row_number = has_rowid && matches!(key.as_slice(), [only] if is_integer(only));
    let name = (!plan.is_numbered).then(|| names.next("p"));
    // It begins as a row's number, and is no other key until the end of the statement.
    let is_late = !has_rowid && matches!(key.as_slice(), [only] if is_integer(only));
    let mut kept_by = (!is_row_number && !is_late).then(|| automatic.next());
    if let Some(name) = &name {
        items.push(format!("CONSTRAINT {} PRIMARY KEY ({})", quoted(name, 1), list(&key)));
    }
    for column in &mut relation.columns {
        // A key that is no row's number may be NULL, unless it is what the table is sorted by.
        column.nullable &= !key.contains(&column.name) || (has_rowid && !is_row_number);
    }
    if let Some(unique) = &plan.unique {
        let drawn = drawn(&unique.columns, &own);
        // What the primary key keeps already has no index of its own.
        if is_row_number || drawn != key {
            let (name, index) = (unique.nulls_distinct.then(|| names.next("u")), automatic.next());
            let called = name.as_ref().map(|name| format!("CONSTRAINT {} ", quoted(name, 2))).unwrap_or_default();
            items.push(format!("{called}UNIQUE{}({})", NOISE[1], list(&drawn)));
            relation.indexes.push(kept(&index, name.as_ref(), &drawn));
            relation.unique.push(parts::key(name.as_deref(), Some(&index), drawn));
        }
    }
    if is_late {
        kept_by = Some(automatic.next());
    }
    relation.indexes.extend(kept_by.as_deref().map(|index| kept(index, name.as_ref(), &key)));
    relation.primary_key = Some(parts::key(name.as_deref(), kept_by.as_deref(), key));
    for plan in &plan.references {
        items.push(refer(&mut relation, plan, made, names, &mut columns));
    }
    if let Some(plan) = &plan.check {
        let (name, of) = (names.next("c"), plan.of.get(&own));
        let expression = format!("{} IS NOT NULL OR {} <> 'x'", quoted(of, 1), literal(&plan.text));
        items.push(format!("CONSTRAINT {} CHECK ({expression})", quoted(&name, 0)));
        relation.checks.push(parts::check(name, expression));
    }
    columns.append(&mut items);
    let options = if has_rowid { "" } else { " WITHOUT ROWID" };
    if !has_rowid {
        relation.native.insert("without_rowid".to_owned(), true.into());
    }
    let statement = format!("CREATE TABLE {}({}){options}", quoted(&relation.name, 0), columns.join(",\n"));
    relation.native.insert("sql".to_owned(), statement.clone().into());
    made.statements.push(statement);
    for plan in &plan.indexes {
        let (index, statement) =
            index(plan, names.next(&format!("i{}", plan.comment.as_deref().unwrap_or("x"))), &relation);
        made.statements.push(statement);
        relation.indexes.push(index);
    }
    parts::numbered(&mut relation.columns);
    relation.indexes.sort_by(|one, other| one.name.cmp(&other.name));
    relation
}

/// What SQLite calls the indexes that it makes for keys.
struct Automatic {
    table: String,
    made: u32,
}

impl Automatic {
    fn next(&mut self) -> String {
        self.made += 1;
        format!("sqlite_autoindex_{}_{}", self.table, self.made)
    }
}

fn kept(index: &str, name: Option<&String>, columns: &[String]) -> schema_model::Index {
    schema_model::Index {
        constraint: name.cloned(),
        ..parts::index_of_key(index, "btree", columns, Some(NullsOrder::First))
    }
}

/// Gives the table columns of its own that lead to the key of a table before it, or to its own.
fn refer(
    relation: &mut Relation,
    plan: &ReferencePlan,
    made: &MadeUp,
    names: &mut Names,
    columns: &mut Vec<String>,
) -> String {
    let target = parts::target(plan, &made.relations, relation);
    let key = target.primary_key.as_ref().expect("each table has one");
    let mut pairs = Vec::new();
    for references in &key.columns {
        let own = parts::column(names.next("r"), INTEGER, true);
        columns.push(format!("{} integer", quoted(&own.name, 3)));
        pairs.push(ColumnPair { column: own.name.clone(), references: references.clone() });
        relation.columns.push(own);
    }
    let name = plan.validated.then(|| names.next("f\""));
    let called = name.as_ref().map(|name| format!("CONSTRAINT {}", quoted(name, 1))).unwrap_or_default();
    let here: Vec<String> = pairs.iter().map(|pair| pair.column.clone()).collect();
    // What is not said is the primary key.
    let implied = plan.match_option == schema_model::MatchOption::Full;
    let there = if implied { String::new() } else { format!(" ({})", list(&key.columns)) };
    relation.foreign_keys.push(schema_model::ForeignKey {
        name,
        on_update: plan.on_update,
        on_delete: plan.on_delete,
        deferrability: plan.deferrability,
        ..parts::foreign_key(String::new(), ObjectName::new("main", &target.name), pairs)
    });
    format!(
        "{called}{}FOREIGN KEY ({}) REFERENCES {}{there} ON DELETE {} ON UPDATE {}{}",
        NOISE[2],
        list(&here),
        quoted(&target.name, 1),
        action(plan.on_delete),
        action(plan.on_update),
        deferrable(plan.deferrability),
    )
}

fn index(plan: &IndexPlan, name: String, relation: &Relation) -> (schema_model::Index, String) {
    let columns: Vec<String> = relation.columns.iter().map(|column| column.name.clone()).collect();
    let (mut found, mut words, mut seen) = (Vec::new(), Vec::new(), Vec::new());
    for (style, plan) in (0..).zip(&plan.parts) {
        let column = plan.column.get(&columns);
        if seen.contains(column) {
            continue;
        }
        seen.push(column.clone());
        let (direction, nulls) = match plan.direction {
            SortDirection::Ascending => ("", NullsOrder::First),
            SortDirection::Descending => (" DESC", NullsOrder::Last),
        };
        let mut part = parts::part(PartTarget::Column(column.clone()), Some(plan.direction), Some(nulls));
        let collation = if plan.prefix.is_some() { " COLLATE RTRIM" } else { "" };
        part.collation = plan.prefix.map(|_| "RTRIM".to_owned());
        words.push(format!("{}{collation}{direction}", quoted(column, style)));
        found.push(part);
    }
    let first = quoted(&columns[0], 2);
    if plan.has_expression {
        let expression = format!("coalesce({first}, ',)')");
        words.push(format!("{}{expression} DESC", NOISE[1]));
        let target = PartTarget::Expression(Reading::Known(expression));
        found.push(parts::part(target, Some(SortDirection::Descending), Some(NullsOrder::Last)));
    }
    let mut index = schema_model::Index::new(name, "btree", found);
    index.unique = plan.unique;
    let predicate = format!("{first} IS NOT NULL");
    let words_of_predicate = if plan.has_predicate { format!(" WHERE {predicate}") } else { String::new() };
    index.predicate = plan.has_predicate.then_some(Reading::Known(predicate));
    let unique = if plan.unique { "UNIQUE " } else { "" };
    let (name, table) = (quoted(&index.name, 1), quoted(&relation.name, 0));
    let statement = format!("CREATE {unique}INDEX {name} ON {table} ({}){words_of_predicate}", words.join(", "));
    (index, statement)
}

/// In one of the four ways in which SQLite takes a name.
fn quoted(name: &str, style: u8) -> String {
    let doubled = |quote: char| format!("{quote}{}{quote}", name.replace(quote, &format!("{quote}{quote}")));
    match style % 4 {
        1 => doubled('`'),
        2 if !name.contains(']') => format!("[{name}]"),
        3 => doubled('\''),
        _ => doubled('"'),
    }
}

fn list(names: &[String]) -> String {
    names.iter().zip(0..).map(|(name, style)| quoted(name, style % 3)).collect::<Vec<_>>().join(", ")
}
