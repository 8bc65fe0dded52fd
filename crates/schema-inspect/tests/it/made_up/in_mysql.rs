//! For MySQL and MariaDB alike, but for what they write differently.

use std::fmt::Write as _;

use schema_model::{
    ColumnPair, Generated, GenerationStorage, Identity, IdentityGeneration, ObjectName, PartTarget, Reading,
    ReferentialAction, Relation, RelationKind, SortDirection, TypeFamily,
};
use shared_kernel::{IdGenerator, SystemIdGenerator};
use testkit::Server;

use super::parts::{self, InKey, Made, MadeUp, Names, Type, action, drawn};
use super::plan::{ColumnPlan, IndexPlan, Plan, ReferencePlan, TablePlan};

const fn of(
    written: &'static str,
    told: &'static str,
    family: TypeFamily,
    key: InKey,
    defaults: &'static [(&'static str, &'static str)],
) -> Type {
    Type { written, told, family, dimensions: 0, key, defaults }
}

/// Of a type of either product, what each of them tells.
const BOOLEAN: Type = of("bool", "tinyint(1)", TypeFamily::Boolean, InKey::Whole, &[("TRUE", "1")]);

const BOTH: [Type; 10] = [
    BOOLEAN,
    of("decimal(12,2)", "decimal(12,2)", TypeFamily::Decimal, InKey::Whole, &[("1.5", "1.50"), ("-0.25", "-0.25")]),
    of("double precision", "double", TypeFamily::Float, InKey::Whole, &[("0.25", "0.25")]),
    of("date", "date", TypeFamily::Date, InKey::Whole, &[("'2020-02-29'", "'2020-02-29'")]),
    of("time(2)", "time(2)", TypeFamily::Time, InKey::Whole, &[]),
    of("bit(5)", "bit(5)", TypeFamily::Bits, InKey::Whole, &[("b'101'", "b'101'")]),
    of("mediumblob", "mediumblob", TypeFamily::Binary, InKey::Beginning, &[]),
    of("char(3)", "char(3)", TypeFamily::Text, InKey::Either, &[("'a\\\\b'", "'a\\\\b'"), ("''", "''")]),
    of(
        "enum('a','it''s','ä,b')",
        "enum('a','it''s','ä,b')",
        TypeFamily::Enumeration,
        InKey::Whole,
        &[("'it''s'", "'it''s'"), ("'ä,b'", "'ä,b'")],
    ),
    of("set('x','y')", "set('x','y')", TypeFamily::Enumeration, InKey::Whole, &[("'y,x'", "'x,y'")]),
];

const MYSQL: [Type; 9] = [
    of("bigint unsigned", "bigint unsigned", TypeFamily::Integer, InKey::Whole, &[("7", "7")]),
    of("smallint", "smallint", TypeFamily::Integer, InKey::Whole, &[("-3", "-3"), ("(1 + 1)", "(1 + 1)")]),
    of("year", "year", TypeFamily::Integer, InKey::Whole, &[("2020", "2020")]),
    of(
        "varchar(40)",
        "varchar(40)",
        TypeFamily::Text,
        InKey::Either,
        &[
            ("'it''s; -- \"x\" \\\\ 名前'", "'it''s; -- \"x\" \\\\ 名前'"),
            ("(concat('é\\\\', '''😀'))", "concat(_utf8mb4'é\\\\',_utf8mb4'\\'😀')"),
        ],
    ),
    of("text", "text", TypeFamily::Text, InKey::Beginning, &[("('x')", "_utf8mb4'x'")]),
    of("varbinary(8)", "varbinary(8)", TypeFamily::Binary, InKey::Either, &[("'ab'", "0x6162")]),
    of("datetime(3)", "datetime(3)", TypeFamily::Timestamp, InKey::Whole, &[("now(3)", "CURRENT_TIMESTAMP(3)")]),
    of("timestamp(6)", "timestamp(6)", TypeFamily::Timestamp, InKey::Whole, &[]),
    of("json", "json", TypeFamily::Json, InKey::Never, &[("(json_array(1))", "json_array(1)")]),
];

const MARIADB: [Type; 10] = [
    of("bigint unsigned", "bigint(20) unsigned", TypeFamily::Integer, InKey::Whole, &[("7", "7")]),
    of("smallint", "smallint(6)", TypeFamily::Integer, InKey::Whole, &[("-3", "-3"), ("(1 + 1)", "(1 + 1)")]),
    of("year", "year(4)", TypeFamily::Integer, InKey::Whole, &[("2020", "2020")]),
    of(
        "varchar(40)",
        "varchar(40)",
        TypeFamily::Text,
        InKey::Either,
        &[
            ("'it''s; -- \"x\" \\\\ 名前'", "'it''s; -- \"x\" \\\\ 名前'"),
            ("(concat('é\\\\', '''名'))", "concat('é\\\\','\\'名')"),
            ("'NULL'", "'NULL'"),
        ],
    ),
    of("text", "text", TypeFamily::Text, InKey::Beginning, &[("'x'", "'x'")]),
    of("varbinary(8)", "varbinary(8)", TypeFamily::Binary, InKey::Either, &[("'ab'", "'ab'")]),
    of("datetime(3)", "datetime(3)", TypeFamily::Timestamp, InKey::Whole, &[("now(3)", "current_timestamp(3)")]),
    of("timestamp(6)", "timestamp(6)", TypeFamily::Timestamp, InKey::Whole, &[]),
    of("uuid", "uuid", TypeFamily::Uuid, InKey::Whole, &[("uuid()", "uuid()")]),
    of("inet6", "inet6", TypeFamily::Network, InKey::Whole, &[]),
];

/// Who makes it up.
struct Maker {
    is_mariadb: bool,
    types: Vec<Type>,
    names: Names,
}

pub(super) fn made_up(plan: &Plan, server: Server) -> MadeUp {
    let is_mariadb = server == Server::MariaDb;
    let own: &[Type] = if is_mariadb { &MARIADB } else { &MYSQL };
    let mut maker = Maker { is_mariadb, types: [&BOTH, own].concat(), names: Names::default() };
    // A name of a database that no other test has.
    let id = SystemIdGenerator.next().simple().to_string();
    let name = format!("t_{}{}", kept(&plan.namespace), &id[20..]);
    let create = format!("CREATE DATABASE {} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin", quoted(&name));
    let mut made = MadeUp { statements: vec![create], name, relations: Vec::new() };
    for table in &plan.tables {
        let relation = maker.relation(table, &mut made);
        made.relations.push(relation);
    }
    made.relations.sort_by(|one, other| one.name.cmp(&other.name));
    made
}

impl Maker {
    fn next(&mut self, name: &str) -> String {
        self.names.next(&kept(name))
    }

    fn relation(&mut self, plan: &TablePlan, made: &mut MadeUp) -> Relation {
        let mut relation = Relation::new(self.next(&plan.name), RelationKind::Table);
        relation.comment = comment(plan.comment.as_ref());
        let facts = [
            ("engine", "InnoDB"),
            ("row_format", if plan.is_special { "Compact" } else { "Dynamic" }),
            ("character_set", "utf8mb4"),
            ("collation", "utf8mb4_bin"),
        ];
        relation.native = facts.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
        let mut items = Vec::new();
        if plan.is_numbered {
            items.push(self.number_by(&mut relation));
        }
        let (mut keyable, mut simple, mut keys) = (Vec::new(), Vec::new(), Vec::new());
        for plan in &plan.columns {
            let (column, words) = self.column(plan);
            items.push(words);
            if matches!(column.of.key, InKey::Whole | InKey::Either) {
                keyable.push(column.column.name.clone());
            }
            simple.push(column.column.name.clone());
            keys.push(column.of.key);
            relation.columns.push(column.column);
        }
        if let Some(plan) = &plan.generated {
            let mut column = parts::column(self.next(&plan.name), BOOLEAN, true);
            let of = plan.of.get::<String>(&simple);
            // MariaDB keeps nothing that is computed from such a column: how it is padded depends on the session.
            let is_padded = relation.column(of).is_some_and(|column| column.data_type.text.starts_with("char("));
            let is_stored = plan.is_stored && !(self.is_mariadb && is_padded);
            let of = quoted(of);
            let (word, storage) =
                if is_stored { ("STORED", GenerationStorage::Stored) } else { ("VIRTUAL", GenerationStorage::Virtual) };
            items.push(format!("{} bool GENERATED ALWAYS AS ({of} IS NULL) {word}", quoted(&column.name)));
            let expression = Reading::Known(self.told(&format!("{of} is null")));
            column.generated = Some(Generated { expression, storage });
            relation.columns.push(column);
        }
        let key =
            if plan.is_numbered { vec![relation.columns[0].name.clone()] } else { drawn(&plan.primary_key, &keyable) };
        if !key.is_empty() {
            for column in &mut relation.columns {
                column.nullable &= !key.contains(&column.name);
            }
            items.push(format!("PRIMARY KEY ({})", list(&key)));
            relation.indexes.push(unique("PRIMARY", &key));
            relation.primary_key = Some(parts::key(Some("PRIMARY"), Some("PRIMARY"), key));
        }
        if let Some(plan) = &plan.unique {
            let (name, columns) = (self.next("u"), drawn(&plan.columns, &keyable));
            if !columns.is_empty() {
                items.push(format!("CONSTRAINT {} UNIQUE ({})", quoted(&name), list(&columns)));
                relation.indexes.push(unique(&name, &columns));
                relation.unique.push(parts::key(Some(&name), Some(&name), columns));
            }
        }
        for plan in &plan.references {
            self.refer(&mut relation, plan, made, &mut items);
        }
        if let Some(plan) = &plan.check {
            let (name, of, text) = (self.next("c"), quoted(plan.of.get::<String>(&simple)), self.sayable(&plan.text));
            let written = literal(&text);
            items.push(format!("CONSTRAINT {} CHECK ({of} IS NOT NULL OR {written} <> 'x')", quoted(&name)));
            let shown = text.replace('\\', "\\\\").replace('\'', "\\'").replace('\n', "\\n");
            let expression = if self.is_mariadb {
                format!("{of} is not null or '{shown}' <> 'x'")
            } else {
                format!("(({of} is not null) or (_utf8mb4'{shown}' <> _utf8mb4'x'))")
            };
            relation.checks.push(parts::check(name, expression));
        }
        for plan in &plan.indexes {
            self.index(&mut relation, plan, &simple, &keys, &mut items);
        }
        let format = if plan.is_special { " ROW_FORMAT=COMPACT" } else { "" };
        if plan.is_special {
            relation.native.insert("options".to_owned(), "row_format=COMPACT".into());
        }
        let comment = relation.comment.as_deref().map(|comment| format!(" COMMENT {}", literal(comment)));
        made.statements.push(format!(
            "CREATE TABLE {}.{} (\n{}\n) ENGINE=InnoDB{format}{}",
            quoted(&made.name),
            quoted(&relation.name),
            items.join(",\n"),
            comment.unwrap_or_default()
        ));
        parts::numbered(&mut relation.columns);
        relation.indexes.sort_by(|one, other| one.name.cmp(&other.name));
        relation.unique.sort_by(|one, other| one.name.cmp(&other.name));
        relation.foreign_keys.sort_by(|one, other| one.name.cmp(&other.name));
        relation
    }

    fn column(&mut self, plan: &ColumnPlan) -> (Made, String) {
        let mut column = parts::made(plan, self.next(&plan.name), &self.types);
        column.column.comment = comment(plan.comment.as_ref());
        let mut words = format!("{} {}", quoted(&column.column.name), column.of.written);
        let is_text = column.column.data_type.family == TypeFamily::Text;
        if is_text && column.style.is_multiple_of(3) {
            words += " CHARACTER SET latin1 COLLATE latin1_german1_ci";
            column.column.collation = Some("latin1_german1_ci".to_owned());
            column.column.native.insert("character_set".to_owned(), "latin1".into());
            // What stands there has none of the characters.
            column.column.default = None;
            column.default = None;
        }
        words += if column.column.nullable { "" } else { " NOT NULL" };
        if let Some(default) = column.default {
            let _ = write!(words, " DEFAULT {default}");
        }
        if let Some(comment) = &column.column.comment {
            let _ = write!(words, " COMMENT {}", literal(comment));
        }
        (column, words)
    }

    fn number_by(&mut self, relation: &mut Relation) -> String {
        let of = if self.is_mariadb { MARIADB[0] } else { MYSQL[0] };
        let mut column = parts::column(self.next("id"), of, false);
        column.identity = Some(Identity { generation: IdentityGeneration::ByDefault, options: None });
        let words = format!("{} bigint unsigned NOT NULL AUTO_INCREMENT", quoted(&column.name));
        relation.columns.push(column);
        words
    }

    /// Gives the table columns of its own that lead to the key of a table before it, or to its own.
    fn refer(&mut self, relation: &mut Relation, plan: &ReferencePlan, made: &MadeUp, items: &mut Vec<String>) {
        let target = parts::target(plan, &made.relations, relation);
        let Some(key) = &target.primary_key else { return };
        let mut pairs = Vec::new();
        for references in &key.columns {
            let of = target.column(references).expect("a column of the key");
            let mut own = parts::column(self.next("r"), BOOLEAN, true);
            own.data_type = of.data_type.clone();
            own.collation.clone_from(&of.collation);
            own.native.clone_from(&of.native);
            let collation = own.collation.as_ref().map(|name| format!(" CHARACTER SET latin1 COLLATE {name}"));
            items.push(format!("{} {}{} NULL", quoted(&own.name), own.data_type.text, collation.unwrap_or_default()));
            pairs.push(ColumnPair { column: own.name.clone(), references: references.clone() });
            relation.columns.push(own);
        }
        let name = self.next(&format!("f{}", target.name));
        let here: Vec<String> = pairs.iter().map(|pair| pair.column.clone()).collect();
        let (on_update, update) = self.rule("ON UPDATE", plan.on_update);
        let (on_delete, delete) = self.rule("ON DELETE", plan.on_delete);
        items.push(format!(
            "CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {}.{} ({}){delete}{update}",
            quoted(&name),
            list(&here),
            quoted(&made.name),
            quoted(&target.name),
            list(&key.columns),
        ));
        // Both products make an index of this name, where there is none that serves.
        relation
            .indexes
            .push(schema_model::Index { unique: false, ..parts::index_of_key(&name, "BTREE", &here, None) });
        relation.foreign_keys.push(schema_model::ForeignKey {
            target_constraint: key.name.clone(),
            on_update,
            on_delete,
            ..parts::foreign_key(name, ObjectName::new(&made.name, &target.name), pairs)
        });
    }

    /// What is told of a rule, and how it is written. MariaDB forgets defaults here, which neither product carries out.
    fn rule(&self, words: &str, rule: ReferentialAction) -> (ReferentialAction, String) {
        let is_forgotten = self.is_mariadb && rule == ReferentialAction::SetDefault;
        (if is_forgotten { ReferentialAction::Restrict } else { rule }, format!(" {words} {}", action(rule)))
    }

    fn index(
        &mut self,
        relation: &mut Relation,
        plan: &IndexPlan,
        columns: &[String],
        keys: &[InKey],
        items: &mut Vec<String>,
    ) {
        let (mut found, mut words, mut seen) = (Vec::new(), Vec::new(), Vec::new());
        let choices: Vec<(&String, InKey)> = columns.iter().zip(keys.iter().copied()).collect();
        for plan in &plan.parts {
            let (column, key) = *plan.column.get(&choices);
            if key == InKey::Never || seen.contains(column) {
                continue;
            }
            seen.push(column.clone());
            let prefix = match key {
                InKey::Either => plan.prefix,
                InKey::Beginning => Some(plan.prefix.unwrap_or(9)),
                InKey::Whole | InKey::Never => None,
            };
            let direction = if plan.direction == SortDirection::Ascending { "ASC" } else { "DESC" };
            let length = prefix.map(|length| format!("({length})")).unwrap_or_default();
            words.push(format!("{}{length} {direction}", quoted(column)));
            let mut part = parts::part(PartTarget::Column(column.clone()), Some(plan.direction), None);
            part.prefix_length = prefix;
            found.push(part);
        }
        let has_expression = plan.has_expression && !self.is_mariadb;
        if has_expression {
            let first = quoted(&columns[0]);
            words.push(format!("(({first} IS NULL)) DESC"));
            let expression = PartTarget::Expression(Reading::Known(self.told(&format!("{first} is null"))));
            found.push(parts::part(expression, Some(SortDirection::Descending), None));
        }
        if found.is_empty() {
            return;
        }
        let mut index = schema_model::Index::new(self.next("i"), "BTREE", found);
        index.unique = plan.unique;
        index.comment = comment(plan.comment.as_ref());
        let kind = if plan.unique { "UNIQUE KEY" } else { "KEY" };
        let comment = index.comment.as_deref().map(|comment| format!(" COMMENT {}", literal(comment)));
        // The only key of unique values may be the primary one to the server, and be needed.
        let is_unused = plan.include.is_some() && !plan.unique;
        let (word, key) = if self.is_mariadb { ("IGNORED", "ignored") } else { ("INVISIBLE", "invisible") };
        let unused = if is_unused { format!(" {word}") } else { String::new() };
        if is_unused {
            index.native.insert(key.to_owned(), true.into());
        }
        items.push(format!(
            "{kind} {} ({}){}{unused}",
            quoted(&index.name),
            words.join(", "),
            comment.unwrap_or_default()
        ));
        if plan.unique && !has_expression {
            index.constraint = Some(index.name.clone());
            relation.unique.push(parts::key(Some(&index.name), Some(&index.name), seen));
        }
        relation.indexes.push(index);
    }

    /// MySQL puts an expression in parentheses, MariaDB only where they are needed.
    fn told(&self, expression: &str) -> String {
        if self.is_mariadb { expression.to_owned() } else { format!("({expression})") }
    }

    /// A text as a condition can say it: MariaDB's are told without characters beyond the first plane.
    fn sayable(&self, text: &str) -> String {
        if self.is_mariadb { kept(text) } else { text.to_owned() }
    }
}

fn unique(name: &str, columns: &[String]) -> schema_model::Index {
    schema_model::Index { constraint: Some(name.to_owned()), ..parts::index_of_key(name, "BTREE", columns, None) }
}

/// A name or a comment without what both servers refuse in them: characters beyond the first plane.
fn kept(name: &str) -> String {
    name.replace(|letter: char| letter > '\u{ffff}', "")
}

/// What is there to be read of a comment: one without anything is none.
fn comment(plan: Option<&String>) -> Option<String> {
    plan.map(|comment| kept(comment)).filter(|comment| !comment.is_empty())
}

pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

fn list(names: &[String]) -> String {
    names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ")
}

/// Where a backslash escapes.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}
