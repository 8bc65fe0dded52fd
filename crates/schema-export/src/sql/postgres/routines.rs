use schema_model::{ObjectName, Routine, RoutineKind};

use super::Writer;
use super::early::uses;
use super::names::{behind_name, qualified};

/// A routine and its name.
pub(super) type Named<'a> = (ObjectName, &'a Routine);

impl Writer<'_> {
    pub(super) fn routine(&mut self, name: &ObjectName, routine: &Routine) {
        let part = format!("routine ({})", routine.arguments);
        let Some(definition) = &routine.definition else {
            return self.leave_out_named(name, &part, "the engine has no text of it");
        };
        if let Some(missing) = self.missing_in(&needed_text(routine)) {
            return self.leave_out_named(name, &part, &uses(missing));
        }
        let Some(text) = self.script.known(name, &part, definition) else {
            self.missing.insert(name.clone());
            return;
        };
        self.script.statement(text);
        let word = match routine.kind {
            RoutineKind::Function | RoutineKind::Window => "FUNCTION",
            RoutineKind::Procedure => "PROCEDURE",
            RoutineKind::Aggregate => "AGGREGATE",
        };
        let arguments = match (routine.kind, routine.arguments.as_str()) {
            (RoutineKind::Aggregate, "") => "*",
            (_, arguments) => arguments,
        };
        let written = qualified(name);
        let target = format!("{word} {written}({arguments})");
        self.owner(&target, routine.owner.as_ref());
        self.comment(&target, routine.comment.as_ref());
        let target = match routine.kind {
            RoutineKind::Aggregate => format!("FUNCTION {written}({})", routine.arguments),
            _ => target,
        };
        self.grants(name, &target, routine.owner.as_ref(), &routine.grants);
    }
}

/// Whether the body is a text that is looked into only when it is called.
pub(super) fn is_opaque(routine: &Routine) -> bool {
    let text = routine.definition.as_ref().and_then(|definition| definition.known());
    text.is_none_or(|text| text.contains("\nAS "))
}

/// What of a routine has to be understood when it is made: of one whose body is a text, what stands before the body.
pub(super) fn needed_text(routine: &Routine) -> String {
    match routine.definition.as_ref().and_then(|definition| definition.known()) {
        Some(text) => {
            let text = behind_name(text, &BEGINNINGS);
            text.split_once("\nAS ").map_or(text, |(head, _)| head).to_owned()
        }
        None => format!("{} {}", routine.arguments, routine.returns.as_deref().unwrap_or_default()),
    }
}

/// What the texts of routines begin with. What comes then is the routine's own name, which it does not need.
const BEGINNINGS: [&str; 3] =
    ["CREATE OR REPLACE FUNCTION ", "CREATE OR REPLACE PROCEDURE ", "CREATE OR REPLACE AGGREGATE "];
