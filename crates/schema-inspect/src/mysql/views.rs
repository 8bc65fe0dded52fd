use std::collections::HashMap;

use schema_model::{ObjectName, Reading, Relation, Unavailable};

use super::assembly::or_forbidden;
use super::rows::{FoundView, Id};

#[derive(Default)]
pub(super) struct OfView {
    is_told: bool,
    definition: Option<String>,
    definer: Option<String>,
    check_option: Option<String>,
    security: Option<String>,
    algorithm: Option<String>,
    collation: Option<String>,
    uses: Vec<ObjectName>,
}

pub(super) fn by_name(found: Vec<FoundView>) -> HashMap<Id, OfView> {
    let mut views: HashMap<Id, OfView> = HashMap::new();
    for found in found {
        match found {
            FoundView::View { id, definition, check_option, definer, security, algorithm, collation } => {
                let view = views.entry(id).or_default();
                view.is_told = true;
                view.definition = definition;
                view.definer = Some(definer).filter(|definer| !definer.is_empty());
                view.check_option = Some(check_option).filter(|option| option != "NONE");
                view.security = Some(security);
                view.collation = collation;
                // The one that leaves the choice to the server is the usual one.
                view.algorithm = algorithm.filter(|algorithm| algorithm != "UNDEFINED");
            }
            FoundView::Use { id, of: (namespace, name) } => {
                views.entry(id).or_default().uses.push(ObjectName { namespace, name });
            }
        }
    }
    views
}

pub(super) fn fill(relation: &mut Relation, found: Option<OfView>, unreadable: Option<Unavailable>) {
    let mut view = found.unwrap_or_default();
    relation.definition = Some(if view.is_told {
        or_forbidden(view.definition)
    } else {
        Reading::unavailable(unreadable.unwrap_or(Unavailable::Locked))
    });
    view.uses.sort_unstable();
    view.uses.dedup();
    relation.uses = view.uses;
    relation.owner = view.definer;
    for (key, value) in [
        ("check_option", view.check_option),
        ("security", view.security),
        ("algorithm", view.algorithm),
        ("collation_connection", view.collation),
    ] {
        if let Some(value) = value {
            relation.native.insert(key.to_owned(), value.into());
        }
    }
}
