//! Triggers, events and routines, each under the settings that it was made under.

use std::fmt::Write as _;

use schema_model::{
    Event, Native, ObjectName, Reading, Relation, Routine, RoutineKind, Trigger, TriggerEvent, TriggerTiming,
};

use super::names::{as_called, literal_in, qualified};
use super::{Writer, is, literals, number, text};

impl Writer<'_> {
    pub(super) fn routines(&mut self) {
        for namespace in &self.database.namespaces {
            for routine in &namespace.routines {
                let name = ObjectName::new(&namespace.name, &routine.name);
                if !self.routine(&name, routine) && routine.kind != RoutineKind::Procedure {
                    self.absent_functions.insert(as_called(&name), name);
                }
            }
        }
    }

    /// Whether it is made.
    fn routine(&mut self, name: &ObjectName, routine: &Routine) -> bool {
        let part = format!("routine ({})", routine.arguments);
        let mode = text(&routine.native, "sql_mode").unwrap_or_default();
        let definition = match &routine.definition {
            _ if !routine.language.eq_ignore_ascii_case("SQL") => {
                Err("routines in other languages than SQL are not written")
            }
            _ if is_oracle(mode) => Err("routines in the words of Oracle are not written"),
            definition => definition.as_ref().ok_or("the model has no text of it"),
        };
        let body = match definition {
            Ok(definition) => self.body(name, &part, definition, &routine.native),
            Err(reason) => {
                self.script.omit(name, &part, reason);
                None
            }
        };
        let Some(body) = body else { return false };
        self.under(&name.namespace, &routine.native);
        let mut written = format!("CREATE{}", self.definer(routine.owner.as_deref()));
        written += match routine.kind {
            RoutineKind::Procedure => " PROCEDURE ",
            _ if is_aggregate(&body) => " AGGREGATE FUNCTION ",
            _ => " FUNCTION ",
        };
        let _ = write!(written, "{}({})", qualified(name), routine.arguments);
        if let Some(returns) = &routine.returns {
            let _ = write!(written, " RETURNS {returns}");
        }
        if is(&routine.native, "deterministic") {
            written += " DETERMINISTIC";
        }
        for (key, words) in [("data_access", ""), ("security", "SQL SECURITY ")] {
            if let Some(value) = text(&routine.native, key) {
                let _ = write!(written, " {words}{value}");
            }
        }
        if let Some(comment) = &routine.comment {
            let _ = write!(written, " COMMENT {}", literal_in(mode, comment));
        }
        self.script.program(&format!("{written}\n{body}"));
        true
    }

    pub(super) fn triggers(&mut self) {
        for (name, relation) in self.database.relations() {
            for trigger in in_order(relation) {
                if self.absent.contains(&name) {
                    self.script.omit(&name, &format!("trigger {}", trigger.name), "its table is not made");
                } else {
                    self.trigger(&name, trigger);
                }
            }
        }
    }

    fn trigger(&mut self, table: &ObjectName, trigger: &Trigger) {
        let part = format!("trigger {}", trigger.name);
        let Some(body) = self.body(table, &part, &trigger.definition, &trigger.native) else { return };
        self.under(&table.namespace, &trigger.native);
        let (timing, event) = when(trigger);
        let definer = self.definer(text(&trigger.native, "definer"));
        let name = qualified(&ObjectName::new(&table.namespace, &trigger.name));
        let table = qualified(table);
        self.script
            .program(&format!("CREATE{definer} TRIGGER {name} {timing} {event} ON {table} FOR EACH ROW\n{body}"));
    }

    pub(super) fn events(&mut self) {
        for namespace in &self.database.namespaces {
            for event in &namespace.events {
                self.event(&ObjectName::new(&namespace.name, &event.name), event);
            }
        }
    }

    fn event(&mut self, name: &ObjectName, event: &Event) {
        let Some(body) = self.body(name, "event", &event.definition, &event.native) else { return };
        self.under(&name.namespace, &event.native);
        if let Some(zone) = text(&event.native, "time_zone") {
            self.set("time_zone", zone);
        }
        let mut written = format!("CREATE{} EVENT {}", self.definer(event.owner.as_deref()), qualified(name));
        let _ = write!(written, " ON SCHEDULE {}", event.schedule);
        if let Some(completion) = text(&event.native, "on_completion") {
            let _ = write!(written, " ON COMPLETION {completion}");
        }
        written += match text(&event.native, "status") {
            _ if event.enabled => " ENABLE",
            None => " DISABLE",
            Some(status) if status.starts_with("REPLICA") => " DISABLE ON REPLICA",
            Some(_) => " DISABLE ON SLAVE",
        };
        if let Some(comment) = &event.comment {
            let mode = text(&event.native, "sql_mode").unwrap_or_default();
            let _ = write!(written, " COMMENT {}", literal_in(mode, comment));
        }
        self.script.program(&format!("{written} DO\n{body}"));
    }

    /// What a program does; `None` where that is not known for sure.
    fn body(&mut self, object: &ObjectName, part: &str, told: &Reading<String>, native: &Native) -> Option<String> {
        let told = self.script.known(object, part, told)?;
        let body = literals::written(told, self.product, text(native, "sql_mode").unwrap_or_default());
        if body.is_none() {
            self.script.omit(
                object,
                part,
                "the server tells it without some escapes, so that it can be read in two ways, or as several statements",
            );
        }
        body
    }

    /// Sets what the words of a program depend on. Texts that say nothing of their characters are as those of the session's database.
    fn under(&mut self, namespace: &str, native: &Native) {
        self.enter(namespace);
        self.set("sql_mode", text(native, "sql_mode").unwrap_or_default());
        self.collation(native);
    }

    /// Sets how the literals of a text are compared.
    pub(super) fn collation(&mut self, native: &Native) {
        if let Some(collation) = text(native, "collation_connection") {
            self.set("collation_connection", collation);
        }
    }
}

/// Whether MariaDB takes its words as Oracle does.
fn is_oracle(sql_mode: &str) -> bool {
    sql_mode.split(',').any(|mode| mode == "ORACLE")
}

/// MariaDB's functions of many rows, which nothing but these words tells from others.
fn is_aggregate(body: &str) -> bool {
    let words: Vec<String> = body.split_whitespace().map(str::to_ascii_uppercase).collect();
    words.windows(4).any(|words| words.join(" ").starts_with("FETCH GROUP NEXT ROW"))
}

/// The triggers of a table so that those of one moment are made in the order in which they happen.
fn in_order(relation: &Relation) -> Vec<&Trigger> {
    let mut triggers: Vec<&Trigger> = relation.triggers.iter().collect();
    triggers.sort_by_key(|trigger| (when(trigger), number(&trigger.native, "order")));
    triggers
}

fn when(trigger: &Trigger) -> (&'static str, &'static str) {
    let timing = if trigger.timing == TriggerTiming::After { "AFTER" } else { "BEFORE" };
    let event = match trigger.events.first() {
        Some(TriggerEvent::Update) => "UPDATE",
        Some(TriggerEvent::Delete | TriggerEvent::Truncate) => "DELETE",
        Some(TriggerEvent::Insert) | None => "INSERT",
    };
    (timing, event)
}
