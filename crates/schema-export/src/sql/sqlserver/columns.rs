use std::fmt::Write as _;

use schema_model::{Check, Column, GenerationStorage, Identity, ObjectName, Reading};

use super::expressions::{enclosed, is_collation};
use super::gate::{self, Words};
use super::late::Late;
use super::names::{mentioned, qualified, quoted};
use super::{Writer, is, text};

impl Writer<'_> {
    /// A column as a table, or a type of tables, is made with it, or why that cannot be.
    pub(super) fn column(&mut self, table: &ObjectName, column: &Column, is_in_type: bool) -> Result<String, String> {
        let part = format!("column {}", column.name);
        let name = quoted(&column.name);
        if let Some(generated) = &column.generated
            && let Some(expression) = self.computed(table, &format!("{part}: generated"), &generated.expression)
        {
            let kept = match generated.storage {
                GenerationStorage::Virtual => "",
                GenerationStorage::Stored if column.nullable => " PERSISTED",
                GenerationStorage::Stored => " PERSISTED NOT NULL",
            };
            return Ok(format!("{name} AS {expression}{kept}"));
        }
        if text(&column.native, "generated_always").is_some_and(|what| what == "ledger") {
            return Err("tables of a ledger are not written".to_owned());
        }
        let mut written = format!("{name} {}", self.data_type(table, &part, &column.data_type)?);
        for (fact, reason) in
            [("masked", "how it is masked is not in the model"), ("filestream", "filegroups are not in the model")]
        {
            if is(&column.native, fact) {
                self.script.omit(table, &format!("{part}: {fact}"), reason);
            }
        }
        if is(&column.native, "column_set") {
            return Ok(written + " COLUMN_SET FOR ALL_SPARSE_COLUMNS");
        }
        if let Some(collation) = &column.collation {
            if column.data_type.user_type.is_some() || !is_collation(collation) {
                self.script.omit(table, &format!("{part}: collation"), "there is no place for it");
            } else {
                let _ = write!(written, " COLLATE {collation}");
            }
        }
        if is(&column.native, "sparse") {
            written += " SPARSE";
        }
        if let Some(default) = &column.default {
            written += &self.default(table, column, default, is_in_type);
        }
        if let Some(identity) = &column.identity {
            written += &self.identity(table, &part, identity);
            if is(&column.native, "not_for_replication") {
                written += " NOT FOR REPLICATION";
            }
        }
        written += match text(&column.native, "generated_always") {
            Some("row start") => " GENERATED ALWAYS AS ROW START",
            Some("row end") => " GENERATED ALWAYS AS ROW END",
            _ => "",
        };
        if text(&column.native, "generated_always").is_some() && is(&column.native, "hidden") {
            written += " HIDDEN";
        }
        written += if column.nullable { " NULL" } else { " NOT NULL" };
        if is(&column.native, "row_guid") {
            written += " ROWGUIDCOL";
        }
        Ok(written)
    }

    /// What a column is computed from. A function that it calls has to be there.
    fn computed(&mut self, table: &ObjectName, part: &str, told: &Reading<String>) -> Option<String> {
        let expression = self.expression(table, part, told)?;
        match self.calls(&expression).first() {
            Some(function) => {
                let reason = format!("it calls {function}, which is not made before the table is");
                self.script.omit(table, part, &reason);
                None
            }
            None => Some(expression),
        }
    }

    /// An expression in parentheses.
    pub(super) fn expression(&mut self, table: &ObjectName, part: &str, told: &Reading<String>) -> Option<String> {
        let told = self.script.known(table, part, told)?;
        // What is about a part alone costs no more than the part.
        let refusal = gate::refusal(told, Words::Written).map_or(Ok(()), Err);
        match refusal.and_then(|()| enclosed(told)) {
            Ok(expression) => Some(expression),
            Err(reason) => {
                self.script.omit(table, part, reason);
                None
            }
        }
    }

    /// Functions that an expression calls and that are not made yet, folded. They are called with their schema.
    pub(super) fn calls(&self, expression: &str) -> Vec<ObjectName> {
        let mentioned = mentioned(expression, "").whole;
        let is_awaited = |name: &&ObjectName| self.functions.contains(name) && !self.routines.contains(name);
        mentioned.iter().filter(is_awaited).cloned().collect()
    }

    fn default(&mut self, table: &ObjectName, column: &Column, told: &Reading<String>, is_in_type: bool) -> String {
        let part = format!("column {}: default", column.name);
        let Some(expression) = self.expression(table, &part, told) else { return String::new() };
        let named = text(&column.native, "default_constraint").filter(|_| !is_in_type);
        let named = named.map(|name| format!("CONSTRAINT {} ", quoted(name))).unwrap_or_default();
        let calls = self.calls(&expression);
        if calls.is_empty() {
            return format!(" {named}DEFAULT {expression}");
        }
        if is_in_type {
            self.script.omit(table, &part, "it calls a function that is not made before the type is");
            return String::new();
        }
        let name = quoted(&column.name);
        let batches = vec![format!("ALTER TABLE {} ADD {named}DEFAULT {expression} FOR {name}", qualified(table))];
        self.late.push(Late { table: table.clone(), part, batches, calls, comment: None });
        String::new()
    }

    fn identity(&mut self, table: &ObjectName, part: &str, identity: &Identity) -> String {
        let Some(options) = &identity.options else {
            self.script.omit(table, &format!("{part}: identity"), "how it counts is not in the model");
            return String::new();
        };
        format!(" IDENTITY({}, {})", options.start, options.increment)
    }

    /// A condition, or nothing where it is not known or has to wait for a function.
    pub(super) fn check(&mut self, table: &ObjectName, check: &Check) -> Option<String> {
        let part = format!("check {}", check.name.as_deref().unwrap_or_default());
        let expression = self.expression(table, &part, &check.expression)?;
        let named = check.name.as_ref().map(|name| format!("CONSTRAINT {} ", quoted(name))).unwrap_or_default();
        let written = format!("{named}CHECK {expression}");
        let calls = self.calls(&expression);
        if calls.is_empty() {
            return Some(written);
        }
        let add = format!("ALTER TABLE {} WITH CHECK ADD {written}", qualified(table));
        let batches = std::iter::once(add).chain(switched(table, check)).collect();
        let comment = check.name.clone().zip(check.comment.clone());
        self.late.push(Late { table: table.clone(), part, batches, calls, comment });
        None
    }
}

/// What has a condition be off, or on without having been true of all rows.
pub(super) fn switched(table: &ObjectName, check: &Check) -> Vec<String> {
    let Some(name) = check.name.as_ref().filter(|_| !(check.enforced && check.validated)) else { return Vec::new() };
    let (table, name) = (qualified(table), quoted(name));
    let mut batches = vec![format!("ALTER TABLE {table} NOCHECK CONSTRAINT {name}")];
    if check.enforced {
        batches.push(format!("ALTER TABLE {table} WITH NOCHECK CHECK CONSTRAINT {name}"));
    }
    batches
}

/// Whether a condition can stand with this column.
pub(super) fn may_have_check(column: &Column) -> bool {
    column.generated.is_none() && !is(&column.native, "column_set")
}
