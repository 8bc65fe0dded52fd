use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use schema_model::{Deferrability, Exclusion, ForeignKey, Index, Key, MatchOption, ObjectName, Partitioning, Relation};

use super::Writer;
use super::early::uses;
use super::names::{list, mentioned, qualified, quoted};
use super::tables;
use crate::sql::action;

/// The constraints of a table, but for those that lead to another one.
#[derive(Default)]
pub(super) struct Constraints {
    /// What a table can be made with.
    pub(super) inside: Vec<String>,
    /// Statements for what has to come when it is there.
    pub(super) after: Vec<String>,
    /// What is written about which of them.
    pub(super) comments: Vec<(String, String)>,
}

impl Constraints {
    pub(super) fn of(writer: &mut Writer<'_>, name: &ObjectName, relation: &Relation, parents: &[&Relation]) -> Self {
        let mut found = Self::default();
        let mut columns = HashSet::new();
        let indexes: Indexes<'_> = relation.indexes.iter().map(|index| (index.name.as_str(), index)).collect();
        let checks = parents.iter().flat_map(|parent| &parent.checks).filter(|above| above.inherited);
        let above: HashSet<Option<&str>> = checks.map(|check| check.name.as_deref()).collect();
        for (words, key) in relation
            .primary_key
            .iter()
            .map(|key| ("PRIMARY KEY", key))
            .chain(relation.unique.iter().map(|key| ("UNIQUE", key)))
        {
            let text = key_text(words, key, &indexes);
            // Of keys with the same columns, those that a table is made with become one.
            if columns.insert((&key.columns, &key.include)) {
                found.inside.push(text);
            } else {
                found.after.push(format!("ALTER TABLE {} ADD {text}", qualified(name)));
            }
            found.comment(name, key.name.as_ref(), key.comment.as_ref());
        }
        for exclusion in &relation.exclusions {
            if let Some(text) = exclusion_text(writer, name, exclusion, &indexes) {
                found.inside.push(text);
                found.comment(name, Some(&exclusion.name), exclusion.comment.as_ref());
            }
        }
        for check in &relation.checks {
            if above.contains(&check.name.as_deref()) {
                continue;
            }
            let part = format!("check {}", check.name.as_deref().unwrap_or_default());
            let Some(text) = writer.usable(name, &part, &check.expression) else { continue };
            let mut text = format!("{}CHECK ({text})", constraint(check.name.as_ref()));
            if !check.inherited {
                text += " NO INHERIT";
            }
            if !check.enforced {
                text += " NOT ENFORCED";
            }
            if check.validated || !check.enforced {
                found.inside.push(text);
            } else {
                found.after.push(format!("ALTER TABLE {} ADD {text} NOT VALID", qualified(name)));
            }
            found.comment(name, check.name.as_ref(), check.comment.as_ref());
        }
        found
    }

    fn comment(&mut self, table: &ObjectName, name: Option<&String>, comment: Option<&String>) {
        if let (Some(name), Some(comment)) = (name, comment) {
            self.comments.push((format!("CONSTRAINT {} ON {}", quoted(name), qualified(table)), comment.clone()));
        }
    }
}

impl Writer<'_> {
    pub(super) fn foreign_keys(&mut self) {
        for (name, relation) in self.relations.clone() {
            if !self.is_made(&name) || tables::is_view(relation) || relation.native.contains_key("extension") {
                continue;
            }
            relation.foreign_keys.iter().for_each(|key| self.foreign_key(&name, key));
            if let Some(partitioning) = &relation.partitioning {
                self.partition_keys(partitioning);
            }
        }
    }

    fn partition_keys(&mut self, partitioning: &Partitioning) {
        for partition in &partitioning.partitions {
            if self.absent.contains(&partition.name) {
                continue;
            }
            partition.foreign_keys.iter().for_each(|key| self.foreign_key(&partition.name, key));
            if let Some(inner) = &partition.partitioning {
                self.partition_keys(inner);
            }
        }
    }

    fn foreign_key(&mut self, table: &ObjectName, key: &ForeignKey) {
        if !self.is_made(&key.references) {
            let part = format!("foreign key {}", key.name.as_deref().unwrap_or_default());
            return self.script.omit(table, &part, "the table that it leads to is not made");
        }
        let here: Vec<String> = key.columns.iter().map(|pair| pair.column.clone()).collect();
        let there: Vec<String> = key.columns.iter().map(|pair| pair.references.clone()).collect();
        let mut text = format!(
            "{}FOREIGN KEY ({}) REFERENCES {} ({})",
            constraint(key.name.as_ref()),
            list(&here),
            qualified(&key.references),
            list(&there)
        );
        text += match key.match_option {
            MatchOption::Simple => "",
            MatchOption::Full => " MATCH FULL",
            MatchOption::Partial => " MATCH PARTIAL",
        };
        let _ = write!(text, " ON UPDATE {} ON DELETE {}", action(key.on_update), action(key.on_delete));
        if !key.set_on_delete.is_empty() {
            let _ = write!(text, " ({})", list(&key.set_on_delete));
        }
        text += deferrability(key.deferrability);
        if !key.enforced {
            text += " NOT ENFORCED";
        } else if !key.validated {
            text += " NOT VALID";
        }
        self.script.statement(&format!("ALTER TABLE {} ADD {text}", qualified(table)));
        if let Some(name) = &key.name {
            let target = format!("CONSTRAINT {} ON {}", quoted(name), qualified(table));
            self.comment(&target, key.comment.as_ref());
        }
    }
}

fn constraint(name: Option<&String>) -> String {
    name.map(|name| format!("CONSTRAINT {} ", quoted(name))).unwrap_or_default()
}

fn deferrability(deferrability: Deferrability) -> &'static str {
    match deferrability {
        Deferrability::NotDeferrable => "",
        Deferrability::InitiallyImmediate => " DEFERRABLE",
        Deferrability::InitiallyDeferred => " DEFERRABLE INITIALLY DEFERRED",
    }
}

/// The indexes of a table by their names.
type Indexes<'a> = HashMap<&'a str, &'a Index>;

/// How the index of a constraint is kept.
fn kept(index: Option<&&Index>) -> String {
    let Some(index) = index else { return String::new() };
    let tablespace = index.native.get("tablespace").and_then(|tablespace| tablespace.as_str());
    let tablespace = tablespace.map(|name| format!(" USING INDEX TABLESPACE {}", quoted(name)));
    format!("{}{}", tables::options(&index.native), tablespace.unwrap_or_default())
}

fn key_text(words: &str, key: &Key, indexes: &Indexes<'_>) -> String {
    let nulls = if key.nulls_distinct { "" } else { " NULLS NOT DISTINCT" };
    let mut text = format!("{}{words}{nulls} ({})", constraint(key.name.as_ref()), list(&key.columns));
    if !key.include.is_empty() {
        let _ = write!(text, " INCLUDE ({})", list(&key.include));
    }
    text += &kept(key.index.as_deref().and_then(|name| indexes.get(name)));
    text + deferrability(key.deferrability)
}

fn exclusion_text(
    writer: &mut Writer<'_>,
    table: &ObjectName,
    exclusion: &Exclusion,
    indexes: &Indexes<'_>,
) -> Option<String> {
    let part = format!("exclusion {}", exclusion.name);
    let Some(index) = indexes.get(exclusion.index.as_str()) else {
        writer.script.omit(table, &part, "its index is not in the model");
        return None;
    };
    let operators = mentioned(&exclusion.operators.join(" "));
    if let Some(missing) = writer.missing_of(&operators) {
        writer.script.omit(table, &part, &uses(missing));
        return None;
    }
    let parts = writer.index_parts(table, &part, index)?;
    let parts: Vec<String> =
        parts.into_iter().zip(&exclusion.operators).map(|(part, operator)| format!("{part} WITH {operator}")).collect();
    let mut text =
        format!("{}EXCLUDE USING {} ({})", constraint(Some(&exclusion.name)), quoted(&index.method), parts.join(", "));
    if !index.include.is_empty() {
        let _ = write!(text, " INCLUDE ({})", list(&index.include));
    }
    text += &kept(Some(index));
    if let Some(predicate) = &index.predicate {
        let _ = write!(text, " WHERE ({})", writer.usable(table, &part, predicate)?);
    }
    Some(text + deferrability(exclusion.deferrability))
}
