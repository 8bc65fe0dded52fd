use schema_model::{ObjectName, Routine, RoutineKind};

use super::Writer;
use super::names::{mentioned, qualified};

/// A routine and its name.
pub(super) type Named<'a> = (ObjectName, &'a Routine);

impl<'a> Writer<'a> {
    /// Makes the routines that need no relation, and returns the others.
    pub(super) fn early_routines(&mut self) -> Vec<Named<'a>> {
        let database = self.database;
        let of = |namespace: &'a schema_model::Namespace| {
            let name = |routine: &'a Routine| (ObjectName::new(&namespace.name, &routine.name), routine);
            namespace.routines.iter().map(name)
        };
        let all: Vec<Named<'a>> = database.namespaces.iter().flat_map(of).collect();
        let (late, mut early): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|(_, routine)| self.needs_relations(routine));
        // One whose text is understood when it is made comes behind those that it calls.
        early.sort_by_key(|(_, routine)| match routine.kind {
            _ if is_opaque(routine) => 0,
            RoutineKind::Aggregate => 1,
            _ => 2,
        });
        for (name, routine) in &early {
            self.routine(name, routine);
        }
        late
    }

    fn needs_relations(&self, routine: &Routine) -> bool {
        mentioned(&needed_text(routine)).iter().any(|name| self.relations.contains_key(name))
    }

    pub(super) fn routine(&mut self, name: &ObjectName, routine: &Routine) {
        let part = format!("routine ({})", routine.arguments);
        let Some(definition) = &routine.definition else {
            return self.script.omit(name, &part, "the engine has no text of it");
        };
        let Some(text) = self.script.known(name, &part, definition) else { return };
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

/// What of a routine has to be understood when it is made.
pub(super) fn needed_text(routine: &Routine) -> String {
    match routine.definition.as_ref().and_then(|definition| definition.known()) {
        Some(text) if !is_opaque(routine) => text.clone(),
        _ => format!("{} {}", routine.arguments, routine.returns.as_deref().unwrap_or_default()),
    }
}
