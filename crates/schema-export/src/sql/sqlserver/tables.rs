use std::collections::HashMap;

use schema_model::{Check, Column, ObjectName, Persistence, Relation, RelationKind};

use super::columns::{may_have_check, switched};
use super::expressions::enclosed;
use super::gate::{self, Words};
use super::names::{qualified, quoted};
use super::{Writer, is, text};

impl Writer<'_> {
    pub(super) fn tables(&mut self) {
        for (name, relation) in self.relations.clone() {
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
            _ if is(&relation.native, "memory_optimized") || !relation.persistence.is_usual() => {
                Some("it is kept in memory, and its filegroup is not in the model")
            }
            _ if is(&relation.native, "file_table") => Some("it is a folder of files, which is not in the model"),
            _ if relation.columns.is_empty() => Some("the model has no columns of it"),
            _ => None,
        };
        if let Some(reason) = reason {
            return self.leave_out(name, "table", reason);
        }
        let mut own: HashMap<&str, Vec<&Check>> = HashMap::new();
        let mut others = Vec::new();
        let columns: HashMap<&str, &Column> = relation.columns.iter().map(|column| (&*column.name, column)).collect();
        for check in &relation.checks {
            match &check.columns[..] {
                [column] if columns.get(&**column).is_some_and(|column| may_have_check(column)) => {
                    own.entry(column).or_default().push(check);
                }
                _ => others.push(check),
            }
        }
        let mut items = Vec::new();
        for column in &relation.columns {
            let mut item = match self.column(name, column, false) {
                Ok(item) => item,
                Err(reason) => return self.leave_out(name, "table", &reason),
            };
            for check in own.remove(&*column.name).into_iter().flatten() {
                item += &self.check(name, check).map(|check| format!(" {check}")).unwrap_or_default();
            }
            items.push(item);
        }
        items.extend(period(relation));
        items.extend(self.keys(name, relation));
        for check in others {
            items.extend(self.check(name, check));
        }
        let text = format!("CREATE TABLE {} (\n  {}\n)", qualified(name), items.join(",\n  "));
        if !self.batch(name, "table", &text) {
            return self.note_absent(name);
        }
        self.places(name, relation);
        self.relation_belongs(name, relation);
        self.comments_of(name, relation);
        for key in relation.primary_key.iter().chain(&relation.unique) {
            let key_name = key.name.as_deref().unwrap_or_default();
            self.comment_on(name, ("CONSTRAINT", key_name), key.comment.as_ref());
        }
        for index in relation.indexes.iter().filter(|index| index.constraint.is_some()) {
            self.comment_on(name, ("INDEX", &index.name), index.comment.as_ref());
        }
        for check in &relation.checks {
            let part = format!("check {}", check.name.as_deref().unwrap_or_default());
            if check.name.is_none() && !(check.enforced && check.validated) {
                self.script.omit(name, &part, "it has no name by which it could be switched off");
            }
            if check.expression.known().is_some_and(|text| self.is_inside(text)) {
                for text in switched(name, check) {
                    self.batch(name, &part, &text);
                }
                self.comment_on(
                    name,
                    ("CONSTRAINT", check.name.as_deref().unwrap_or_default()),
                    check.comment.as_ref(),
                );
            }
        }
    }

    /// Whether a condition was written with its table.
    fn is_inside(&self, told: &str) -> bool {
        gate::refusal(told, Words::Written).is_none()
            && enclosed(told).is_ok_and(|expression| self.calls(&expression).is_empty())
    }

    /// Tells where rows are that are somewhere of their own.
    fn places(&mut self, name: &ObjectName, relation: &Relation) {
        if relation.native.contains_key("filegroup") {
            self.script.omit(name, "filegroup", "filegroups are not in the model");
        }
        if relation.partitioning.is_some() {
            let reason = "the model has neither the function nor the scheme that divides its rows";
            self.script.omit(name, "partitioning", reason);
        }
        if let Some(security) = &relation.row_security {
            // Whether a policy is bound to what it names is not told.
            for policy in &security.policies {
                self.script.omit(name, &format!("policy {}", policy.name), "a policy is not told whole");
            }
        }
        let disabled = relation.native.get("disabled_policies").and_then(serde_json::Value::as_array);
        for policy in disabled.into_iter().flatten().filter_map(serde_json::Value::as_str) {
            self.script.omit(name, &format!("policy {policy}"), "a policy is not told whole");
        }
    }

    /// Gives tables a past, where the table that has it is made.
    pub(super) fn histories(&mut self) {
        for (name, relation) in self.relations.clone() {
            if text(&relation.native, "temporal") != Some("system_versioned") || !self.is_made(&name) {
                continue;
            }
            let history = relation.native.get("history_table").cloned();
            let history = history.and_then(|history| serde_json::from_value::<ObjectName>(history).ok());
            match history.filter(|history| self.is_made(history)) {
                Some(history) if period(relation).is_some() => {
                    let history = qualified(&history);
                    let text = format!(
                        "ALTER TABLE {} SET (SYSTEM_VERSIONING = ON (HISTORY_TABLE = {history}))",
                        qualified(&name)
                    );
                    self.batch(&name, "system versioning", &text);
                }
                _ => self.script.omit(&name, "system versioning", "the table of its history is not made"),
            }
        }
    }
}

/// From when to when a row counts.
fn period(relation: &Relation) -> Option<String> {
    let of = |what: &str| {
        let is_so = |column: &&Column| text(&column.native, "generated_always") == Some(what);
        relation.columns.iter().find(is_so).map(|column| quoted(&column.name))
    };
    Some(format!("PERIOD FOR SYSTEM_TIME ({}, {})", of("row start")?, of("row end")?))
}
