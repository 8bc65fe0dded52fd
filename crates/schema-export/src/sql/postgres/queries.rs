use std::collections::HashMap;

use schema_model::{ObjectName, Relation, RelationKind};

use super::Writer;
use super::names::{mentioned, qualified, quoted};
use super::routines::{Named, needed_text};
use super::tables::{is_view, storage, text_of, word};
use crate::sql::order;

/// What is made of tables.
enum Query<'a> {
    View(ObjectName, &'a Relation),
    Routine(Named<'a>),
}

impl Query<'_> {
    fn name(&self) -> &ObjectName {
        match self {
            Self::View(name, _) | Self::Routine((name, _)) => name,
        }
    }

    /// The text in which routines may be called, and views too if there is no list of them.
    fn text(&self) -> String {
        match self {
            Self::View(_, view) => text_of(view.definition.as_ref()).to_owned(),
            Self::Routine((_, routine)) => needed_text(routine),
        }
    }

    /// Which of the others have to be there first.
    fn needs(&self, places: &HashMap<&ObjectName, usize>, routines: &HashMap<&ObjectName, Vec<usize>>) -> Vec<usize> {
        let names = mentioned(&self.text());
        let listed = match self {
            Self::View(_, view) => view.uses.iter().filter_map(|used| places.get(used).copied()).collect(),
            Self::Routine(_) => Vec::new(),
        };
        let called = names.iter().filter_map(|name| routines.get(name)).flatten().copied();
        let is_listed = matches!(self, Self::View(..));
        let shown = names.iter().filter(|_| !is_listed).filter_map(|name| places.get(name).copied());
        listed.into_iter().chain(called).chain(shown).collect()
    }
}

impl<'a> Writer<'a> {
    /// Views and the routines that need relations, in the order in which they use each other.
    pub(super) fn views_and_routines(&mut self, routines: Vec<Named<'a>>) {
        let database = self.database;
        let views = database.relations().filter(|(_, relation)| is_view(relation));
        let queries: Vec<Query<'a>> = views
            .map(|(name, relation)| Query::View(name, relation))
            .chain(routines.into_iter().map(Query::Routine))
            .collect();
        let views = queries.iter().enumerate().filter(|(_, query)| matches!(query, Query::View(..)));
        let places: HashMap<&ObjectName, usize> = views.map(|(at, query)| (query.name(), at)).collect();
        let mut routines: HashMap<&ObjectName, Vec<usize>> = HashMap::new();
        for (at, query) in queries.iter().enumerate().filter(|(_, query)| matches!(query, Query::Routine(_))) {
            routines.entry(query.name()).or_default().push(at);
        }
        let needs: Vec<Vec<usize>> = queries.iter().map(|query| query.needs(&places, &routines)).collect();
        let (sorted, circular) = order::sorted(&needs);
        for query in sorted.into_iter().map(|at| &queries[at]) {
            match query {
                Query::View(name, relation) => self.view(name, relation),
                Query::Routine((name, routine)) => self.late_routine(name, routine),
            }
        }
        for name in circular.into_iter().map(|at| queries[at].name()) {
            self.absent.insert(name.clone());
            self.script.omit(name, "definition", "views and routines use each other in a circle");
        }
    }

    fn late_routine(&mut self, name: &ObjectName, routine: &schema_model::Routine) {
        let names = mentioned(&needed_text(routine));
        if let Some(absent) = names.iter().find(|name| self.absent.contains(name)) {
            let reason = format!("it uses {absent}, which is not made");
            return self.script.omit(name, &format!("routine ({})", routine.arguments), &reason);
        }
        self.routine(name, routine);
    }

    fn view(&mut self, name: &ObjectName, relation: &Relation) {
        if relation.native.contains_key("extension") {
            return self.script.remark(&format!("{name} comes with its extension"));
        }
        let is_system = |used: &ObjectName| matches!(used.namespace.as_str(), "pg_catalog" | "information_schema");
        let missing = relation.uses.iter().find(|used| !is_system(used) && !self.is_made(used));
        if let Some(used) = missing {
            let reason = format!("it uses {used}, which is not made");
            self.script.omit(name, "definition", &reason);
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
                && let Some(text) = self.script.known(name, &part, default)
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
                let Some(text) = self.script.known(&name, &part, &trigger.definition) else { continue };
                self.script.statement(text);
                let (table, trigger_name) = (qualified(&name), quoted(&trigger.name));
                if !trigger.enabled {
                    self.script.statement(&format!("ALTER TABLE {table} DISABLE TRIGGER {trigger_name}"));
                }
                self.comment(&format!("TRIGGER {trigger_name} ON {table}"), trigger.comment.as_ref());
            }
        }
    }
}
