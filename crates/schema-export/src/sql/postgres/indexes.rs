use std::fmt::Write as _;

use schema_model::{Index, NullsOrder, ObjectName, PartTarget, Partitioning, SortDirection};

use super::Writer;
use super::early::uses;
use super::made::collation_name;
use super::names::{list, qualified, quoted};
use super::tables;
use super::types::collated;

impl Writer<'_> {
    /// The indexes that keep no constraint.
    pub(super) fn indexes(&mut self) {
        for (name, relation) in self.relations.clone() {
            if !self.is_made(&name) || relation.native.contains_key("extension") {
                continue;
            }
            relation.indexes.iter().for_each(|index| self.index(&name, index));
            if let Some(partitioning) = &relation.partitioning {
                self.partition_indexes(partitioning);
            }
        }
    }

    fn partition_indexes(&mut self, partitioning: &Partitioning) {
        for partition in &partitioning.partitions {
            if self.absent.contains(&partition.name) {
                continue;
            }
            partition.indexes.iter().for_each(|index| self.index(&partition.name, index));
            if let Some(inner) = &partition.partitioning {
                self.partition_indexes(inner);
            }
        }
    }

    fn index(&mut self, table: &ObjectName, index: &Index) {
        let written = qualified(&ObjectName::new(&table.namespace, &index.name));
        if index.constraint.is_none() && !self.make_index(table, index) {
            return;
        }
        self.comment(&format!("INDEX {written}"), index.comment.as_ref());
        let is = |key: &str| index.native.get(key).and_then(serde_json::Value::as_bool) == Some(true);
        if is("clustered") {
            self.script.statement(&format!("ALTER TABLE {} CLUSTER ON {}", qualified(table), quoted(&index.name)));
        }
        if is("replica_identity") {
            let (table, index) = (qualified(table), quoted(&index.name));
            self.script.statement(&format!("ALTER TABLE {table} REPLICA IDENTITY USING INDEX {index}"));
        }
    }

    /// Whether there is such an index now.
    fn make_index(&mut self, table: &ObjectName, index: &Index) -> bool {
        let part = format!("index {}", index.name);
        if !index.valid {
            self.script.omit(table, &part, "it is not valid where it was found");
            return false;
        }
        let Some(parts) = self.index_parts(table, &part, index) else { return false };
        let unique = if index.unique { "UNIQUE " } else { "" };
        let mut statement = format!(
            "CREATE {unique}INDEX {} ON {} USING {} ({})",
            quoted(&index.name),
            qualified(table),
            quoted(&index.method),
            parts.join(", ")
        );
        if !index.include.is_empty() {
            let _ = write!(statement, " INCLUDE ({})", list(&index.include));
        }
        if index.unique && !index.nulls_distinct {
            statement += " NULLS NOT DISTINCT";
        }
        statement += &tables::storage(&index.native);
        if let Some(predicate) = &index.predicate {
            // An index of more rows might be unique no longer.
            let Some(text) = self.usable(table, &part, predicate) else { return false };
            let _ = write!(statement, " WHERE {text}");
        }
        self.script.statement(&statement);
        true
    }

    /// What an index is sorted or searched by; `None` where a part could not be read.
    pub(super) fn index_parts(&mut self, table: &ObjectName, part: &str, index: &Index) -> Option<Vec<String>> {
        let mut parts = Vec::with_capacity(index.parts.len());
        for one in &index.parts {
            let mut text = match &one.target {
                PartTarget::Column(column) => quoted(column),
                PartTarget::Expression(expression) => format!("({})", self.usable(table, part, expression)?),
            };
            let (class, namespace) = (one.operator_class.as_ref(), one.operator_class_namespace.as_ref());
            let collation = collation_name(one.collation.as_ref(), one.collation_namespace.as_ref());
            let own = collation.into_iter().chain(collation_name(class, namespace)).collect();
            if let Some(missing) = self.missing_of(&own) {
                self.script.omit(table, part, &uses(missing));
                return None;
            }
            text += &collated(one.collation.as_ref(), one.collation_namespace.as_ref());
            match (class, namespace) {
                (Some(class), Some(namespace)) => {
                    let _ = write!(text, " {}.{}", quoted(namespace), quoted(class));
                }
                (Some(class), None) => {
                    let _ = write!(text, " {}", quoted(class));
                }
                (None, _) => {}
            }
            text += match one.direction {
                Some(SortDirection::Descending) => " DESC",
                Some(SortDirection::Ascending) | None => "",
            };
            text += match (one.direction, one.nulls) {
                (Some(SortDirection::Descending), Some(NullsOrder::Last)) => " NULLS LAST",
                (Some(SortDirection::Ascending), Some(NullsOrder::First)) => " NULLS FIRST",
                _ => "",
            };
            parts.push(text);
        }
        Some(parts)
    }
}
