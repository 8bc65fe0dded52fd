use std::collections::HashMap;

use schema_model::{ObjectName, Relation, RelationKind};

use super::names::{account, called, list, mentioned, qualified};
use super::session::SQL_MODE;
use super::{Writer, text, unavailable};
use crate::sql::order;

impl Writer<'_> {
    /// Views, each behind those that it uses.
    pub(super) fn views(&mut self) {
        let views: Vec<(ObjectName, &Relation)> =
            self.database.relations().filter(|(_, relation)| relation.kind == RelationKind::View).collect();
        let places = order::places(views.iter().map(|(name, _)| name));
        let needs: Vec<Vec<usize>> = views.iter().map(|(_, view)| needs(view, &places)).collect();
        let (sorted, circular) = order::sorted(&needs);
        for (name, view) in sorted.into_iter().map(|at| &views[at]) {
            self.view(name, view);
        }
        for (name, _) in circular.into_iter().map(|at| &views[at]) {
            self.leave_out(name, "definition", "views use each other in a circle");
        }
    }

    fn view(&mut self, name: &ObjectName, view: &Relation) {
        if view.columns.is_empty() {
            return self.leave_out(name, "definition", unavailable(view));
        }
        let Some(definition) = &view.definition else {
            return self.leave_out(name, "definition", "the model has none");
        };
        let Some(query) = self.script.known(name, "definition", definition) else {
            self.absent.insert(name.clone());
            return;
        };
        if let Some(used) = used(view).into_iter().find(|used| self.absent.contains(used)) {
            return self.leave_out(name, "definition", &format!("it uses {used}, which is not made"));
        }
        let calls = called(query, &name.namespace);
        if let Some(function) = calls.iter().find_map(|call| self.absent_functions.get(call)).cloned() {
            return self.leave_out(name, "definition", &format!("it calls {function}, which is not made"));
        }
        // A query names functions of its own database without it.
        self.enter(&name.namespace);
        self.set("sql_mode", SQL_MODE);
        self.collation(&view.native);
        let algorithm = text(&view.native, "algorithm").map(|word| format!(" ALGORITHM = {word}")).unwrap_or_default();
        let definer = self.definer(view.owner.as_deref());
        let security = text(&view.native, "security").map(|word| format!(" SQL SECURITY {word}")).unwrap_or_default();
        let check = text(&view.native, "check_option").map(|word| format!(" WITH {word} CHECK OPTION"));
        let (written, check) = (qualified(name), check.unwrap_or_default());
        // A view may call its columns otherwise than its query does.
        let columns = list(view.columns.iter().map(|column| &column.name));
        self.script
            .statement(&format!("CREATE{algorithm}{definer}{security} VIEW {written} ({columns}) AS {query}{check}"));
    }

    /// In whose name something is done.
    pub(super) fn definer(&self, told: Option<&str>) -> String {
        let told = told.filter(|_| self.options.owners);
        told.map(|told| format!(" DEFINER = {}", account(told))).unwrap_or_default()
    }
}

/// What a view uses. MySQL says so; with MariaDB it is what the query names.
fn used(view: &Relation) -> Vec<ObjectName> {
    if !view.uses.is_empty() {
        return view.uses.clone();
    }
    let query = view.definition.as_ref().and_then(|definition| definition.known());
    query.map(|query| mentioned(query).into_iter().collect()).unwrap_or_default()
}

fn needs(view: &Relation, places: &HashMap<&ObjectName, usize>) -> Vec<usize> {
    used(view).iter().filter_map(|name| places.get(name).copied()).collect()
}
