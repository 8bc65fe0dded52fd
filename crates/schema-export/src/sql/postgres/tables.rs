use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use schema_model::{Column, Native, ObjectName, Partition, Partitioning, Persistence, Reading, Relation, RelationKind};

use super::Writer;
use super::constraints::Constraints;
use super::early::uses;
use super::names::{literal, qualified, quoted};
use crate::sql::order;

/// What a relation of a kind is called.
pub(super) fn word(kind: RelationKind) -> &'static str {
    match kind {
        RelationKind::Table | RelationKind::VirtualTable => "TABLE",
        RelationKind::View => "VIEW",
        RelationKind::MaterializedView => "MATERIALIZED VIEW",
        RelationKind::ForeignTable => "FOREIGN TABLE",
    }
}

pub(super) fn is_view(relation: &Relation) -> bool {
    matches!(relation.kind, RelationKind::View | RelationKind::MaterializedView)
}

/// Adds the names of all parts.
pub(super) fn collect(partitioning: &Partitioning, names: &mut HashSet<ObjectName>) {
    for partition in &partitioning.partitions {
        names.insert(partition.name.clone());
        partition.partitioning.iter().for_each(|inner| collect(inner, names));
    }
}

impl Writer<'_> {
    /// Makes the tables, each behind those that it inherits from and whose rows it has in a column.
    pub(super) fn tables(&mut self) {
        let tables: Vec<(ObjectName, &Relation)> =
            self.database.relations().filter(|(_, relation)| !is_view(relation)).collect();
        let places = order::places(tables.iter().map(|(name, _)| name));
        let needs = tables.iter().map(|(_, relation)| {
            let types = relation.columns.iter().filter_map(|column| column.data_type.user_type.as_ref());
            relation.inherits.iter().chain(types).filter_map(|name| places.get(name).copied()).collect()
        });
        let needs: Vec<Vec<usize>> = needs.collect();
        let (sorted, circular) = order::sorted(&needs);
        for (name, relation) in sorted.into_iter().map(|at| &tables[at]) {
            self.table(name, relation);
        }
        for (name, _) in circular.into_iter().map(|at| &tables[at]) {
            self.absent.insert(name.clone());
            self.script.omit(name, "table", "tables are made of each other in a circle");
        }
    }

    fn table(&mut self, name: &ObjectName, relation: &Relation) {
        if let Some(extension) = relation.native.get("extension").and_then(|extension| extension.as_str()) {
            return self.script.remark(&format!("{name} comes with the extension {extension}"));
        }
        let reason = match relation.kind {
            RelationKind::ForeignTable => Some("the server that it is on, and its options, are not in the model"),
            RelationKind::VirtualTable => Some("there are no virtual tables here"),
            _ if relation.persistence == Persistence::Temporary => Some("it is gone with its session"),
            _ if relation.inherits.iter().any(|table| self.absent.contains(table)) => {
                Some("what it inherits from is not made")
            }
            _ => None,
        };
        let missing = self.missing_in_columns(relation).map(uses);
        if let Some(reason) = reason.map(str::to_owned).or(missing) {
            self.absent.insert(name.clone());
            self.script.omit(name, "table", &reason);
            let parts = relation.partitioning.iter().flat_map(|partitioning| &partitioning.partitions);
            return parts.for_each(|partition| self.leave_out_within(partition));
        }
        let heirs = relation.inherits.iter().all(|table| self.relations.contains_key(table));
        let mut parents: Vec<&Relation> = Vec::new();
        if heirs {
            parents.extend(relation.inherits.iter().filter_map(|table| self.relations.get(table)));
        } else {
            self.script.omit(
                name,
                "inheritance",
                "the table that it is a part of, or inherits from, is not in the model",
            );
        }
        let mut items = self.columns(name, relation, heirs);
        let mut constraints = Constraints::of(self, name, relation, &parents);
        items.append(&mut constraints.inside);
        let unlogged = if relation.persistence == Persistence::Unlogged { "UNLOGGED " } else { "" };
        let body = if items.is_empty() { "()".to_owned() } else { format!("(\n  {}\n)", items.join(",\n  ")) };
        let mut statement = format!("CREATE {unlogged}TABLE {} {body}", qualified(name));
        if !parents.is_empty() {
            let names: Vec<String> = relation.inherits.iter().map(qualified).collect();
            let _ = write!(statement, " INHERITS ({})", names.join(", "));
        }
        if let Some(partitioning) = &relation.partitioning {
            let Some(key) = self.usable(name, "partitioning", &partitioning.key) else {
                self.absent.insert(name.clone());
                return partitioning.partitions.iter().for_each(|partition| self.leave_out_within(partition));
            };
            let _ = write!(statement, " PARTITION BY {key}");
        }
        statement += &storage(&relation.native);
        self.script.statement(&statement);
        constraints.after.iter().for_each(|statement| self.script.statement(statement));
        self.inherited_columns(name, relation, &parents);
        let target = format!("TABLE {}", qualified(name));
        self.owner(&target, relation.owner.as_ref());
        self.comment(&target, relation.comment.as_ref());
        self.column_comments(name, relation);
        constraints.comments.iter().for_each(|(target, comment)| self.comment(target, Some(comment)));
        if let Some(partitioning) = &relation.partitioning {
            self.partitions(name, relation, partitioning);
        }
    }

    pub(super) fn column_comments(&mut self, name: &ObjectName, relation: &Relation) {
        for column in &relation.columns {
            let target = format!("COLUMN {}.{}", qualified(name), quoted(&column.name));
            self.comment(&target, column.comment.as_ref());
        }
    }

    /// What a column of a table above is here, where that is something else.
    fn inherited_columns<'a>(&mut self, name: &ObjectName, relation: &Relation, parents: &[&'a Relation]) {
        let by_name = |parent: &&'a Relation| -> HashMap<&'a str, &'a Column> {
            parent.columns.iter().map(|column| (column.name.as_str(), column)).collect()
        };
        let parents: Vec<_> = parents.iter().map(by_name).collect();
        for column in
            relation.columns.iter().filter(|column| !parents.is_empty() && column.native.contains_key("inherited"))
        {
            let above: Vec<&Column> =
                parents.iter().filter_map(|parent| parent.get(column.name.as_str()).copied()).collect();
            let alter = format!("ALTER TABLE {} ALTER COLUMN {}", qualified(name), quoted(&column.name));
            if !above.iter().any(|above| above.default == column.default) {
                match &column.default {
                    Some(default) => {
                        let part = format!("column {}: default", column.name);
                        if let Some(text) = self.usable(name, &part, default) {
                            self.script.statement(&format!("{alter} SET DEFAULT {text}"));
                        }
                    }
                    None => self.script.statement(&format!("{alter} DROP DEFAULT")),
                }
            }
            if self.refuses_null(column) && !above.iter().any(|above| self.refuses_null(above)) {
                self.script.statement(&format!("{alter} SET NOT NULL"));
            }
        }
    }

    /// A part that is not made, and so what is in it.
    fn leave_out(&mut self, partition: &Partition) {
        self.absent.insert(partition.name.clone());
        let within = partition.partitioning.iter().flat_map(|inner| &inner.partitions);
        within.for_each(|inner| self.leave_out_within(inner));
    }

    fn leave_out_within(&mut self, partition: &Partition) {
        self.script.omit(&partition.name, "table", "the table that it is a part of is not made");
        self.leave_out(partition);
    }

    fn partitions(&mut self, of: &ObjectName, table: &Relation, partitioning: &Partitioning) {
        for partition in &partitioning.partitions {
            let Partition { name, bound, partitioning: inner, native, .. } = partition;
            let Some(bound) = self.usable(name, "bound", bound) else {
                self.leave_out(partition);
                continue;
            };
            let mut statement = format!("CREATE TABLE {} PARTITION OF {} {bound}", qualified(name), qualified(of));
            if let Some(inner) = inner {
                let Some(key) = self.usable(name, "partitioning", &inner.key) else {
                    self.leave_out(partition);
                    continue;
                };
                let _ = write!(statement, " PARTITION BY {key}");
            }
            statement += &storage(native);
            self.script.statement(&statement);
            // Owners, comments and grants of parts are not in the model; a part has its table's owner.
            self.owner(&format!("TABLE {}", qualified(name)), table.owner.as_ref());
            let own = Relation {
                primary_key: partition.primary_key.clone(),
                unique: partition.unique.clone(),
                checks: partition.checks.clone(),
                indexes: partition.indexes.clone(),
                ..Relation::new(&name.name, RelationKind::Table)
            };
            let constraints = Constraints::of(self, name, &own, &[]);
            for text in &constraints.inside {
                self.script.statement(&format!("ALTER TABLE {} ADD {text}", qualified(name)));
            }
            constraints.after.iter().for_each(|statement| self.script.statement(statement));
            constraints.comments.iter().for_each(|(target, comment)| self.comment(target, Some(comment)));
            if let Some(inner) = inner {
                self.partitions(name, table, inner);
            }
        }
    }
}

/// Where and how a table or an index is kept.
pub(super) fn storage(native: &Native) -> String {
    let text = |key: &str| native.get(key).and_then(|value| value.as_str());
    let mut storage = String::new();
    if let Some(method) = text("access_method") {
        let _ = write!(storage, " USING {}", quoted(method));
    }
    storage += &options(native);
    if let Some(tablespace) = text("tablespace") {
        let _ = write!(storage, " TABLESPACE {}", quoted(tablespace));
    }
    storage
}

/// `fillfactor=70` as it is written.
pub(super) fn options(native: &Native) -> String {
    let options = native.get("options").and_then(|options| options.as_array());
    let written = options.into_iter().flatten().filter_map(|option| {
        let (key, value) = option.as_str()?.split_once('=')?;
        Some(format!("{} = {}", quoted(key), literal(value)))
    });
    let written: Vec<String> = written.collect();
    if written.is_empty() { String::new() } else { format!(" WITH ({})", written.join(", ")) }
}

/// A reading that is known, or nothing.
pub(super) fn text_of(reading: Option<&Reading<String>>) -> &str {
    reading.and_then(Reading::known).map(String::as_str).unwrap_or_default()
}
