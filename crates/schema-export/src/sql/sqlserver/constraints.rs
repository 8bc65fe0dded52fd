use std::collections::HashMap;
use std::fmt::Write as _;

use schema_model::{ForeignKey, Index, Key, MatchOption, ObjectName, PartTarget, ReferentialAction, Relation};

use super::Writer;
use super::indexes::{options, sorted};
use super::names::{list, qualified, quoted};
use crate::sql::action;

impl Writer<'_> {
    /// The keys that a table is made with.
    pub(super) fn keys(&mut self, name: &ObjectName, relation: &Relation) -> Vec<String> {
        let indexes = relation.indexes.iter().map(|index| (&*index.name, index)).collect();
        let primary = relation.primary_key.iter().map(|key| ("PRIMARY KEY", key));
        let all: Vec<(&str, &Key)> = primary.chain(relation.unique.iter().map(|key| ("UNIQUE", key))).collect();
        all.into_iter().filter_map(|(words, key)| self.key(name, &indexes, words, key)).collect()
    }

    fn key(&mut self, table: &ObjectName, indexes: &HashMap<&str, &Index>, words: &str, key: &Key) -> Option<String> {
        let named = key.name.as_ref().map(|name| format!("CONSTRAINT {} ", quoted(name))).unwrap_or_default();
        let part = format!("key {}", key.name.as_deref().unwrap_or_default());
        if key.columns.is_empty() {
            self.script.omit(table, &part, "its columns are not in the model");
            return None;
        }
        let index = key.index.as_deref().and_then(|name| indexes.get(name).copied());
        let index = index.filter(|index| is_of(index, key) && matches!(&*index.method, "CLUSTERED" | "NONCLUSTERED"));
        let Some(index) = index else {
            self.script.omit(table, &part, "whether it is clustered is not in the model");
            return Some(format!("{named}{words} ({})", list(&key.columns)));
        };
        self.made(table, &part, index);
        Some(format!("{named}{words} {} ({}){}", index.method, sorted(index).join(", "), options(index)))
    }

    pub(super) fn foreign_keys(&mut self) {
        for (name, relation) in self.relations.clone() {
            if self.is_made(&name) {
                relation.foreign_keys.iter().for_each(|key| self.foreign_key(&name, key));
            }
        }
    }

    fn foreign_key(&mut self, table: &ObjectName, key: &ForeignKey) {
        let part = format!("foreign key {}", key.name.as_deref().unwrap_or_default());
        let has_restrict = [key.on_update, key.on_delete].contains(&ReferentialAction::Restrict);
        let reason = if !self.is_made(&key.references) {
            Some("the table that it leads to is not made")
        } else if key.columns.is_empty()
            || key.columns.iter().any(|pair| pair.column.is_empty() || pair.references.is_empty())
        {
            Some("the columns that it leads to are not in the model")
        } else if key.match_option != MatchOption::Simple
            || !key.deferrability.is_usual()
            || !key.set_on_delete.is_empty()
            || has_restrict
        {
            Some("what it does cannot be said")
        } else if key.name.is_none() && !key.enforced {
            Some("it has no name by which it could be switched off")
        } else {
            None
        };
        if let Some(reason) = reason {
            return self.script.omit(table, &part, reason);
        }
        let named = key.name.as_ref().map(|name| format!("CONSTRAINT {} ", quoted(name))).unwrap_or_default();
        let mut text = format!(
            "ALTER TABLE {} WITH {} ADD {named}FOREIGN KEY ({}) REFERENCES {} ({})",
            qualified(table),
            if key.validated { "CHECK" } else { "NOCHECK" },
            list(key.columns.iter().map(|pair| &pair.column)),
            qualified(&key.references),
            list(key.columns.iter().map(|pair| &pair.references)),
        );
        for (words, rule) in [("ON DELETE", key.on_delete), ("ON UPDATE", key.on_update)] {
            if rule != ReferentialAction::NoAction {
                let _ = write!(text, " {words} {}", action(rule));
            }
        }
        if !self.batch(table, &part, &text) {
            return;
        }
        let name = key.name.as_deref().unwrap_or_default();
        if !key.enforced {
            let text = format!("ALTER TABLE {} NOCHECK CONSTRAINT {}", qualified(table), quoted(name));
            self.batch(table, &part, &text);
        }
        self.comment_on(table, ("CONSTRAINT", name), key.comment.as_ref());
    }
}

/// Whether an index has the columns of a key, in its order.
fn is_of(index: &Index, key: &Key) -> bool {
    let columns = index.parts.iter().map(|part| match &part.target {
        PartTarget::Column(column) => Some(column),
        PartTarget::Expression(_) => None,
    });
    columns.eq(key.columns.iter().map(Some))
}
