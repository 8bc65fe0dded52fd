use std::fmt::Write as _;

use schema_model::{Column, GenerationStorage, IdentityGeneration, ObjectName, Relation};

use super::names::quoted;
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
        if let Some(collation) = &column.collation {
            let _ = write!(text, " COLLATE {}", quoted(collation));
        }
        if let Some(default) = &column.default
            && let Some(default) = self.script.known(table, &format!("column {}: default", column.name), default)
        {
            let _ = write!(text, " DEFAULT {default}");
        }
        if let Some(generated) = &column.generated {
            let part = format!("column {}: generated", column.name);
            if let Some(expression) = self.script.known(table, &part, &generated.expression) {
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
        let by_type = column.data_type.user_type.as_ref().filter(|_| column.data_type.array_dimensions == 0);
        if !column.nullable && !by_type.is_some_and(|name| self.required.contains(name)) {
            text += " NOT NULL";
        }
        text
    }
}
