use std::collections::{BTreeMap, BTreeSet};

use schema_model::{ObjectName, Reading, Relation, RelationKind, Routine, RoutineKind};

use super::names::{folded, mentioned};
use super::one_module::{Kind, written};
use super::{Writer, is};
use crate::sql::order;

/// A view or a function, which may need others.
pub(super) struct Module<'a> {
    name: ObjectName,
    what: What<'a>,
    /// What it names for certain, folded.
    certain: BTreeSet<ObjectName>,
    /// What it may name without saying of which schema, folded.
    likely: BTreeSet<ObjectName>,
}

#[derive(Clone, Copy)]
enum What<'a> {
    View(&'a Relation),
    Function(&'a Routine),
}

/// Whether it is called for what it returns.
pub(super) fn is_function(routine: &Routine) -> bool {
    routine.kind != RoutineKind::Procedure
}

impl Module<'_> {
    fn names(&self) -> impl Iterator<Item = &ObjectName> {
        self.certain.iter().chain(&self.likely)
    }

    /// Whether the server wants to see all that it names when it is made. Of other functions it looks at that when they are called.
    fn is_bound(&self) -> bool {
        match self.what {
            What::View(_) => true,
            What::Function(routine) => is(&routine.native, "inline") || is(&routine.native, "schema_bound"),
        }
    }
}

impl<'a> Writer<'a> {
    /// Makes the functions that need no relation, for tables may call them, and returns the others.
    pub(super) fn early_functions(&mut self) -> Vec<Module<'a>> {
        let functions: Vec<Module<'a>> = self
            .routines_that(is_function)
            .into_iter()
            .map(|(name, routine)| self.of(name, What::Function(routine)))
            .collect();
        let (order, circular) = order::sorted(&needs(&functions));
        let mut late: BTreeSet<ObjectName> = self.relations.keys().map(folded).collect();
        late.extend(circular.into_iter().map(|at| folded(&functions[at].name)));
        let mut early = BTreeSet::new();
        for at in order {
            let module = &functions[at];
            if module.names().any(|name| late.contains(name)) {
                late.insert(folded(&module.name));
            } else {
                early.insert(at);
                self.make(module);
            }
        }
        let is_late = |(at, module): (usize, Module<'a>)| (!early.contains(&at)).then_some(module);
        functions.into_iter().enumerate().filter_map(is_late).collect()
    }

    /// Makes views and functions in the order in which they need each other, and procedures, which may name what is not there.
    pub(super) fn modules(&mut self, functions: Vec<Module<'a>>) {
        let views = self.relations.clone().into_iter().filter(|(_, relation)| relation.kind == RelationKind::View);
        let mut all: Vec<Module<'a>> = views.map(|(name, view)| self.of(name, What::View(view))).collect();
        all.extend(functions);
        let (order, circular) = order::sorted(&needs(&all));
        for at in order {
            self.make(&all[at]);
        }
        for module in circular.into_iter().map(|at| &all[at]) {
            if module.is_bound() {
                let reason = "views and functions use each other in a circle";
                self.leave_out(&module.name, "definition", reason);
            } else {
                self.make(module);
            }
        }
        for (name, procedure) in self.routines_that(|routine| !is_function(routine)) {
            self.routine(&name, procedure, Kind::Procedure);
        }
    }

    fn routines_that(&self, is_wanted: impl Fn(&Routine) -> bool) -> Vec<(ObjectName, &'a Routine)> {
        let database = self.database;
        let of = |namespace: &'a schema_model::Namespace| {
            let name = |routine: &'a Routine| (ObjectName::new(&namespace.name, &routine.name), routine);
            namespace.routines.iter().map(name)
        };
        database.namespaces.iter().flat_map(of).filter(|(_, routine)| is_wanted(routine)).collect()
    }

    fn of(&self, name: ObjectName, what: What<'a>) -> Module<'a> {
        let (definition, uses) = match what {
            What::View(view) => (&view.definition, &view.uses[..]),
            What::Function(routine) => (&routine.definition, &[][..]),
        };
        let text = definition.as_ref().and_then(Reading::known).map(String::as_str).unwrap_or_default();
        let (mut certain, mut likely) = (BTreeSet::new(), BTreeSet::new());
        if uses.is_empty() {
            let found = mentioned(text, &name.namespace);
            (certain, likely) = (found.whole, found.bare);
        }
        for used in uses {
            // One without a schema is not there where the server looked for it.
            if used.namespace.is_empty() {
                likely.insert(folded(&ObjectName::new(&name.namespace, &used.name)));
            } else {
                certain.insert(folded(used));
            }
        }
        for names in [&mut certain, &mut likely] {
            let meant: Vec<ObjectName> = names.iter().filter_map(|name| self.synonyms.get(name)).cloned().collect();
            names.extend(meant);
        }
        Module { name, what, certain, likely }
    }

    fn make(&mut self, module: &Module<'a>) {
        let is_missing = |name: &&ObjectName| self.missing.contains(name);
        let missing = module.certain.iter().find(is_missing).filter(|_| module.is_bound());
        let reason = missing.map(|missing| format!("it uses {missing}, which is not made"));
        match (module.what, reason) {
            (What::View(_), Some(reason)) => self.leave_out(&module.name, "definition", &reason),
            (What::View(view), None) => self.view(&module.name, view),
            (What::Function(routine), Some(reason)) => {
                self.missing.insert(folded(&module.name));
                self.script.omit(&module.name, &part(routine), &reason);
            }
            (What::Function(routine), None) => self.routine(&module.name, routine, Kind::Function),
        }
    }

    fn view(&mut self, name: &ObjectName, view: &Relation) {
        let Some(definition) = &view.definition else {
            return self.leave_out(name, "definition", "the model has none");
        };
        let Some(text) = self.script.known(name, "definition", definition) else { return self.note_absent(name) };
        match written(text, Kind::View, name) {
            Ok(text) if self.module(name, "definition", &view.native, &text) => {
                self.relation_belongs(name, view);
                self.comments_of(name, view);
            }
            Ok(_) => self.note_absent(name),
            Err(reason) => self.leave_out(name, "definition", reason),
        }
    }

    fn routine(&mut self, name: &ObjectName, routine: &Routine, kind: Kind<'_>) {
        if self.is_routine_made(name, routine, kind) {
            self.routines.insert(folded(name));
            self.belongs(name, "OBJECT", routine.owner.as_ref(), &routine.grants, routine.native.get("denied"));
            let kind = if kind == Kind::Procedure { "PROCEDURE" } else { "FUNCTION" };
            let levels = [("SCHEMA", &*name.namespace), (kind, &*name.name)];
            self.comment(name, "comment", routine.comment.as_ref(), &levels);
        } else {
            self.missing.insert(folded(name));
        }
    }

    fn is_routine_made(&mut self, name: &ObjectName, routine: &Routine, kind: Kind<'_>) -> bool {
        let part = part(routine);
        let definition = if !routine.language.eq_ignore_ascii_case("T-SQL") {
            Err("routines in other languages than T-SQL are not written")
        } else if is(&routine.native, "natively_compiled") {
            Err("what is compiled for tables in memory is not written")
        } else {
            routine.definition.as_ref().ok_or("the model has no text of it")
        };
        let text = match definition {
            Ok(definition) => self.script.known(name, &part, definition),
            Err(reason) => {
                self.script.omit(name, &part, reason);
                None
            }
        };
        let Some(text) = text else { return false };
        match written(text, kind, name) {
            Ok(text) => self.module(name, &part, &routine.native, &text),
            Err(reason) => {
                self.script.omit(name, &part, reason);
                false
            }
        }
    }
}

fn part(routine: &Routine) -> String {
    format!("routine ({})", routine.arguments)
}

/// Which of the others each may name.
fn needs(modules: &[Module<'_>]) -> Vec<Vec<usize>> {
    let places: BTreeMap<ObjectName, usize> =
        modules.iter().enumerate().map(|(at, module)| (folded(&module.name), at)).collect();
    modules.iter().map(|module| module.names().filter_map(|name| places.get(name).copied()).collect()).collect()
}
