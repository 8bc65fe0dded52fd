use std::fmt::Write as _;

use schema_model::{Column, GenerationStorage, IdentityGeneration, ObjectName, Relation};

use super::made::collation_name;
use super::names::{mentioned, quoted};
use super::types::collated;
use super::{Writer, counting};

impl Writer<'_> {
    /// The columns that a table is made with. Those that it has from the tables above come from there.
    pub(super) fn columns(&mut self, name: &ObjectName, relation: &Relation, heir: bool) -> Vec<String> {
        let from_above =
            |column: &Column| heir && !relation.inherits.is_empty() && column.native.contains_key("inherited");
        let own: Vec<&Column> = relation.columns.iter().filter(|column| !from_above(column)).collect();
        own.into_iter().map(|column| self.column(name, column)).collect()
    }

    fn column(&mut self, table: &ObjectName, column: &Column) -> String {
        let mut text = format!("{} {}", quoted(&column.name), column.data_type.text);
        // The engine keeps how many dimensions were declared, and writes one.
        text += &"[]".repeat(column.data_type.array_dimensions.saturating_sub(1) as usize);
        text += &collated(column.collation.as_ref(), column.collation_namespace.as_ref());
        if let Some(default) = &column.default
            && let Some(default) = self.usable(table, &format!("column {}: default", column.name), default)
        {
            let _ = write!(text, " DEFAULT {default}");
        }
        if let Some(generated) = &column.generated {
            let part = format!("column {}: generated", column.name);
            if let Some(expression) = self.usable(table, &part, &generated.expression) {
                let storage = if generated.storage == GenerationStorage::Stored { "STORED" } else { "VIRTUAL" };
                let _ = write!(text, " GENERATED ALWAYS AS ({expression}) {storage}");
            }
        }
        if let Some(identity) = &column.identity {
            let generation = match identity.generation {
                IdentityGeneration::Always => "ALWAYS",
                IdentityGeneration::ByDefault => "BY DEFAULT",
            };
            let options = identity.options.as_ref().map(|options| format!(" ({})", counting(options)));
            let _ = write!(text, " GENERATED {generation} AS IDENTITY{}", options.unwrap_or_default());
        }
        if self.refuses_null(column) {
            text += " NOT NULL";
        }
        text
    }

    /// Whether a column refuses NULL by itself, and not only by its domain.
    pub(super) fn refuses_null(&self, column: &Column) -> bool {
        let by_type = column.data_type.user_type.as_ref().filter(|_| column.data_type.array_dimensions == 0);
        let by_type = by_type.is_some_and(|name| self.required.contains(name));
        !column.nullable && (!by_type || column.native.contains_key("not_null"))
    }

    /// What of the types and collations of a table's columns is not made.
    pub(super) fn missing_in_columns(&self, relation: &Relation) -> Option<ObjectName> {
        relation.columns.iter().find_map(|column| {
            let mut names = mentioned(&column.data_type.text);
            names.extend(collation_name(column.collation.as_ref(), column.collation_namespace.as_ref()));
            self.missing_of(&names)
        })
    }
}
