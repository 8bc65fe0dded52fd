use schema_model::{ObjectName, Relation, RelationKind};

use super::Writer;
use super::early::uses;
use super::made::{Made, needs};
use super::names::{mentioned, qualified, quoted};
use super::tables::{is_view, storage, text_of, word};
use crate::sql::order;

impl<'a> Writer<'a> {
    /// Views, and what else needs relations, in the order in which they use each other.
    pub(super) fn views_and_routines(&mut self, mut all: Vec<Made<'a>>) {
        let database = self.database;
        let views = database.relations().filter(|(_, relation)| is_view(relation));
        all.extend(views.map(|(name, relation)| Made::View(name, relation)));
        all.sort_by_key(Made::kind);
        let needs: Vec<Vec<usize>> = needs(&all).into_iter().map(|named| named.concat()).collect();
        let (sorted, circular) = order::sorted(&needs);
        for at in sorted {
            match &all[at] {
                Made::View(name, relation) => self.view(name, relation),
                Made::Routine((name, routine)) => self.routine(name, routine),
                Made::Object(object) => self.object(object),
                Made::Type(..) => {}
            }
        }
        for at in circular {
            self.not_in_order(&all[at]);
        }
    }

    fn view(&mut self, name: &ObjectName, relation: &Relation) {
        if relation.native.contains_key("extension") {
            return self.script.remark(&format!("{name} comes with its extension"));
        }
        let is_system = |used: &ObjectName| matches!(used.namespace.as_str(), "pg_catalog" | "information_schema");
        let missing = relation.uses.iter().find(|used| !is_system(used) && !self.is_made(used));
        // Which relations it uses is told, and what else it uses is in its text.
        let missing = missing.map(ToString::to_string).or_else(|| {
            let text = text_of(relation.definition.as_ref());
            let named = mentioned(text).into_iter().find(|name| self.missing.contains(name));
            named.map(|name| name.to_string()).or_else(|| self.missing_cast_in(text))
        });
        if let Some(used) = missing {
            self.script.omit(name, "definition", &uses(used));
            self.absent.insert(name.clone());
            return;
        }
        let query = if let Some(definition) = &relation.definition {
            self.script.known(name, "definition", definition)
        } else {
            self.script.omit(name, "definition", "the model has none");
            None
        };
        let Some(query) = query else {
            self.absent.insert(name.clone());
            return;
        };
        let (word, written) = (word(relation.kind), qualified(name));
        self.script.statement(&format!("CREATE {word} {written}{} AS {query}", storage(&relation.native)));
        for column in &relation.columns {
            let part = format!("column {}: default", column.name);
            if relation.kind == RelationKind::View
                && let Some(default) = &column.default
                && let Some(text) = self.usable(name, &part, default)
            {
                let column = quoted(&column.name);
                self.script.statement(&format!("ALTER VIEW {written} ALTER COLUMN {column} SET DEFAULT {text}"));
            }
        }
        let target = format!("{word} {written}");
        self.owner(&target, relation.owner.as_ref());
        self.comment(&target, relation.comment.as_ref());
        self.column_comments(name, relation);
    }

    pub(super) fn triggers(&mut self) {
        for (name, relation) in self.relations.clone() {
            if !self.is_made(&name) || relation.native.contains_key("extension") {
                continue;
            }
            for trigger in &relation.triggers {
                let part = format!("trigger {}", trigger.name);
                let Some(text) = self.usable(&name, &part, &trigger.definition) else { continue };
                self.script.statement(&text);
                let (table, trigger_name) = (qualified(&name), quoted(&trigger.name));
                if !trigger.enabled {
                    self.script.statement(&format!("ALTER TABLE {table} DISABLE TRIGGER {trigger_name}"));
                }
                self.comment(&format!("TRIGGER {trigger_name} ON {table}"), trigger.comment.as_ref());
            }
        }
    }
}
