use std::fmt::Write as _;

use schema_model::{
    Check, ForeignKey, Key, MatchOption, ObjectName, Persistence, ReferentialAction, Relation, RelationKind,
};

use super::names::{list, literal, qualified, quoted};
use super::{Product, Writer, is, text, unavailable};
use crate::sql::action;

impl Writer<'_> {
    pub(super) fn tables(&mut self) {
        for (name, relation) in self.database.relations() {
            if relation.kind != RelationKind::View {
                self.table(&name, relation);
            }
        }
    }

    fn table(&mut self, name: &ObjectName, relation: &Relation) {
        let reason = match relation.kind {
            RelationKind::ForeignTable => Some("where its rows are is not in the model"),
            RelationKind::VirtualTable | RelationKind::MaterializedView => Some("there is nothing like it here"),
            _ if relation.persistence == Persistence::Temporary => Some("it is gone with its session"),
            _ if text(&relation.native, "engine").is_some_and(|engine| engine.eq_ignore_ascii_case("MRG_MyISAM")) => {
                Some("the tables that it is made of are not in the model")
            }
            _ if relation.columns.is_empty() => Some(unavailable(relation)),
            _ => None,
        };
        if let Some(reason) = reason {
            return self.leave_out(name, "table", reason);
        }
        let own = self.checks_of_columns(relation);
        let mut items = Vec::new();
        for column in &relation.columns {
            let mut item = self.column(name, relation, column);
            if let Some(check) = own.iter().find(|check| check.name.as_ref() == Some(&column.name)) {
                item += &self.condition(name, check).map(|condition| format!(" {condition}")).unwrap_or_default();
            }
            items.push(item);
        }
        items.extend(period(relation));
        items.extend(keys_without_index(relation));
        items.extend(relation.indexes.iter().filter_map(|index| self.index(name, relation, index)));
        for check in relation.checks.iter().filter(|check| !own.iter().any(|own| std::ptr::eq(*own, *check))) {
            let named = check.name.as_ref().map(|name| format!("CONSTRAINT {} ", quoted(name))).unwrap_or_default();
            items.extend(self.condition(name, check).map(|condition| format!("{named}{condition}")));
        }
        let mut statement =
            format!("CREATE TABLE {} (\n  {}\n){}", qualified(name), items.join(",\n  "), table_options(relation));
        if let Some(partitioning) = &relation.partitioning {
            statement += &self.partitioning(name, partitioning).unwrap_or_default();
        }
        self.script.statement(&statement);
        // To be off, the others are made first.
        if relation.indexes.iter().any(|index| !index.valid) {
            self.script.statement(&format!("ALTER TABLE {} DISABLE KEYS", qualified(name)));
        }
    }

    /// MariaDB's conditions that stand with a column and have its name. One of the table of this name is the same condition there.
    fn checks_of_columns<'a>(&self, relation: &'a Relation) -> Vec<&'a Check> {
        let mut own: Vec<&Check> = Vec::new();
        for check in relation.checks.iter().filter(|_| self.product == Product::MariaDb) {
            let is_first = !own.iter().any(|other| other.name == check.name);
            let of_column = check.name.as_deref().and_then(|name| relation.column(name));
            if is_first && of_column.is_some_and(|column| column.generated.is_none()) {
                own.push(check);
            }
        }
        own
    }

    fn condition(&mut self, table: &ObjectName, check: &Check) -> Option<String> {
        let part = format!("check {}", check.name.as_deref().unwrap_or_default());
        let expression = self.script.known(table, &part, &check.expression)?;
        let enforced = if check.enforced || self.product == Product::MariaDb { "" } else { " NOT ENFORCED" };
        Some(format!("CHECK ({expression}){enforced}"))
    }

    pub(super) fn foreign_keys(&mut self) {
        let database = self.database;
        let keys = || {
            let tables = database.relations();
            tables.flat_map(|(name, relation)| relation.foreign_keys.iter().map(move |key| (name.clone(), key)))
        };
        let is_odd = |key: &ForeignKey| key.target_constraint.is_none() && database.relation(&key.references).is_some();
        // Some lead to columns that no key of the other table keeps apart.
        let are_odd = self.product == Product::MySql && keys().any(|(_, key)| is_odd(key));
        if are_odd {
            self.script.statement(
                "/*!80400 SET @old_restrict_fk = @@restrict_fk_on_non_standard_key, restrict_fk_on_non_standard_key = 0 */",
            );
        }
        for (name, key) in keys() {
            self.foreign_key(&name, key);
        }
        if are_odd {
            self.script.statement("/*!80400 SET restrict_fk_on_non_standard_key = @old_restrict_fk */");
        }
    }

    fn foreign_key(&mut self, table: &ObjectName, key: &ForeignKey) {
        let part = format!("foreign key {}", key.name.as_deref().unwrap_or_default());
        if self.absent.contains(table) {
            return;
        }
        if self.absent.contains(&key.references) {
            return self.script.omit(table, &part, &format!("it leads to {}, which is not made", key.references));
        }
        if key.match_option != MatchOption::Simple {
            return self.script.omit(table, &part, "what NULL means in it cannot be said");
        }
        let named = key.name.as_ref().map(|name| format!("CONSTRAINT {} ", quoted(name))).unwrap_or_default();
        self.script.statement(&format!(
            "ALTER TABLE {} ADD {named}FOREIGN KEY ({}) REFERENCES {} ({}){}{}",
            qualified(table),
            list(key.columns.iter().map(|pair| &pair.column)),
            qualified(&key.references),
            list(key.columns.iter().map(|pair| &pair.references)),
            self.rule("ON UPDATE", key.on_update),
            self.rule("ON DELETE", key.on_delete),
        ));
    }

    /// What a key does. MariaDB tells what was not said as `RESTRICT`, and what was said to be `RESTRICT` as `NO ACTION`.
    fn rule(&self, words: &str, rule: ReferentialAction) -> String {
        if self.product == Product::MariaDb && rule == ReferentialAction::Restrict {
            return String::new();
        }
        format!(" {words} {}", action(rule))
    }
}

/// Keys that a model tells without their indexes, as none of the servers does. One without a name is given one by the server.
fn keys_without_index(relation: &Relation) -> Vec<String> {
    let has = |name: &str| relation.indexes.iter().any(|index| index.name == name);
    let primary = relation.primary_key.iter().filter(|_| !has("PRIMARY")).map(|key| ("PRIMARY KEY".to_owned(), key));
    let is_missing = |key: &&Key| ![&key.name, &key.index].into_iter().flatten().any(|name| has(name));
    let unique = relation.unique.iter().filter(is_missing).map(|key| {
        let name = key.name.as_ref().map(|name| format!(" {}", quoted(name))).unwrap_or_default();
        (format!("UNIQUE KEY{name}"), key)
    });
    primary.chain(unique).map(|(words, key)| format!("{words} ({})", list(key.columns.iter()))).collect()
}

/// From when to when MariaDB's rows count, where the columns for that have names.
fn period(relation: &Relation) -> Option<String> {
    let of = |words: &str| {
        let is_so = |column: &&schema_model::Column| {
            let generated = column.generated.as_ref().and_then(|generated| generated.expression.known());
            generated.is_some_and(|expression| expression == words)
        };
        relation.columns.iter().find(is_so).map(|column| quoted(&column.name))
    };
    Some(format!("PERIOD FOR SYSTEM_TIME ({}, {})", of("ROW START")?, of("ROW END")?))
}

fn table_options(relation: &Relation) -> String {
    let native = &relation.native;
    let mut options = String::new();
    if let Some(engine) = text(native, "engine") {
        let _ = write!(options, " ENGINE = {engine}");
    }
    if let Some(collation) = text(native, "collation") {
        let _ = write!(options, " COLLATE = {}", quoted(collation));
    }
    // In the words of the server: `row_format=COMPRESSED`.
    if let Some(others) = text(native, "options") {
        let _ = write!(options, " {others}");
    }
    if let Some(comment) = &relation.comment {
        let _ = write!(options, " COMMENT = {}", literal(comment));
    }
    if is(native, "system_versioned") {
        options += " WITH SYSTEM VERSIONING";
    }
    options
}
