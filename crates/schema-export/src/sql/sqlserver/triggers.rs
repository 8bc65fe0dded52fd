use schema_model::{ObjectName, Trigger, TriggerEvent};

use super::names::{literal, qualified};
use super::one_module::{Kind, written};
use super::{Writer, is};

impl Writer<'_> {
    pub(super) fn triggers(&mut self) {
        for (name, relation) in self.relations.clone() {
            for trigger in &relation.triggers {
                let part = format!("trigger {}", trigger.name);
                if self.is_made(&name) {
                    self.trigger(&name, &part, trigger);
                } else {
                    self.script.omit(&name, &part, "what it is on is not made");
                }
            }
        }
    }

    fn trigger(&mut self, on: &ObjectName, part: &str, trigger: &Trigger) {
        if is(&trigger.native, "clr") {
            return self.script.omit(on, part, "triggers in other languages than T-SQL are not written");
        }
        let Some(told) = self.script.known(on, part, &trigger.definition) else { return };
        let name = ObjectName::new(&on.namespace, &trigger.name);
        let text = match written(told, Kind::Trigger(on), &name) {
            Ok(text) => text,
            Err(reason) => return self.script.omit(on, part, reason),
        };
        if !self.module(on, part, &trigger.native, &text) {
            return;
        }
        for (fact, order) in [("first_for", "First"), ("last_for", "Last")] {
            let events = trigger.native.get(fact).cloned();
            let events = events.and_then(|events| serde_json::from_value::<Vec<TriggerEvent>>(events).ok());
            for event in events.into_iter().flatten() {
                let event = match event {
                    TriggerEvent::Insert => "INSERT",
                    TriggerEvent::Update => "UPDATE",
                    TriggerEvent::Delete => "DELETE",
                    TriggerEvent::Truncate => continue,
                };
                let text = format!(
                    "EXEC sys.sp_settriggerorder @triggername = {}, @order = N'{order}', @stmttype = N'{event}'",
                    literal(&qualified(&name))
                );
                self.batch(on, &format!("{part}: order"), &text);
            }
        }
        if !trigger.enabled {
            let text = format!("DISABLE TRIGGER {} ON {}", qualified(&name), qualified(on));
            self.batch(on, part, &text);
        }
        self.comment_on(on, ("TRIGGER", &trigger.name), trigger.comment.as_ref());
    }
}
