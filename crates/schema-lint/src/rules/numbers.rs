use schema_model::{Database, ObjectName, SequenceOptions};
use serde_json::{Value, json};

use super::describe;
use super::keys::greatest;
use crate::tables::{Lookup, evidence, tables};
use crate::{Finding, Findings, Lint, Object, TooMany};

/// Fewer numbers than that from beginning to end are few.
const FEW: i128 = 100_000;

/// Generators of numbers that will end, or whose column will end before them.
///
/// How far one has come is in no model: it changes with each row. What is looked at is how many numbers there are from its first
/// one, and whether its column can hold them.
#[derive(Debug, Clone, Copy, Default)]
pub struct SequenceEnd;

impl Lint for SequenceEnd {
    describe!(
        "sequence-end",
        Warning,
        "a sequence or an identity has few numbers in all, or more than its column can hold"
    );

    fn check(&self, database: &Database, found: &mut Findings) -> Result<(), TooMany> {
        let lookup = Lookup::of(database);
        for namespace in &database.namespaces {
            for sequence in &namespace.sequences {
                let name = ObjectName::new(&namespace.name, &sequence.name);
                let owned_by = sequence.owned_by.as_ref();
                let column = owned_by.and_then(|(table, column)| lookup.column(lookup.place(table)?, column));
                let column_type = column.map(|column| column.data_type.text.as_str());
                let owner = json!(sequence.owned_by);
                found.extend(self.ends(
                    Object::whole(&name),
                    &format!("sequence `{name}`"),
                    &sequence.options,
                    column_type,
                    owner,
                ))?;
            }
        }
        for (name, relation) in tables(database) {
            for column in &relation.columns {
                let Some(options) = column.identity.as_ref().and_then(|identity| identity.options.as_ref()) else {
                    continue;
                };
                let object = Object::part(&name, "column", &column.name);
                let what = format!("identity `{}` of `{name}`", column.name);
                found.extend(self.ends(
                    object,
                    &what,
                    options,
                    Some(&column.data_type.text),
                    json!([name, column.name]),
                ))?;
            }
        }
        Ok(())
    }
}

impl SequenceEnd {
    fn ends(
        self,
        object: Object,
        what: &str,
        options: &SequenceOptions,
        column_type: Option<&str>,
        column: Value,
    ) -> Option<Finding> {
        let step = options.increment.0;
        if step == 0 {
            return None;
        }
        let end = if step > 0 { options.maximum.0 } else { options.minimum.0 };
        let count = end.saturating_sub(options.start.0).saturating_div(step).max(0).saturating_add(1);
        let holds = column_type.and_then(greatest).map(i128::from);
        let overruns = holds.filter(|holds| step > 0 && options.maximum.0 > *holds);
        let few = !options.cycle && count < FEW;
        let message = match overruns {
            Some(holds) => format!("{what} goes on to {}, and its column ends at {holds}", options.maximum),
            None if few => format!("{what} has no more than {count} numbers"),
            None => return None,
        };
        Some(self.finding(
            object,
            message,
            evidence([
                ("options", json!(options)),
                ("numbers", json!(count.to_string())),
                ("column", column),
                ("column_type", json!(column_type)),
                // The model does not know it.
                ("last_value", Value::Null),
            ]),
            "look how far it has come, and make the column and the sequence a bigint in time",
        ))
    }
}
