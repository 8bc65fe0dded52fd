//! Two looks by two editions of the model: what the earlier one did not ask for may have been there all the time, and is compared in neither.

use schema_model::{Database, Gap, Native, ObjectName, Relation, Unavailable, UserTypeKind};

use crate::side::Side;

/// The edition that asked first for what is taken out here. One that asks for more adds a step of its own.
const SECOND: u32 = 2;

/// Two models without what only one of them could know.
pub(crate) struct Alike {
    pub(crate) before: Database,
    pub(crate) after: Database,
    /// What the later one has of it.
    pub(crate) not_asked: Vec<Gap>,
}

/// Both as the earlier one of their editions tells them; `None` where both are of one edition.
pub(crate) fn alike(before: Side<'_>, after: Side<'_>) -> Option<Alike> {
    let earlier = before.edition.min(after.edition);
    if earlier == before.edition.max(after.edition) || earlier >= SECOND {
        return None;
    }
    let (mut before_now, mut after_now) = (before.database.clone(), after.database.clone());
    let (old, new) =
        if earlier == before.edition { (&mut before_now, &mut after_now) } else { (&mut after_now, &mut before_now) };
    let mut not_asked = Removed::default();
    // Of the looks that do not tell their edition, the later ones knew these already.
    let mut known = Removed::default();
    known.only_postgresql(&mut old.clone());
    if known.gaps.is_empty() {
        not_asked.only_postgresql(new);
    }
    Some(Alike { before: before_now, after: after_now, not_asked: not_asked.gaps })
}

/// What was taken out of a model.
#[derive(Default)]
struct Removed {
    gaps: Vec<Gap>,
}

impl Removed {
    /// Native objects, rules, the namespaces of collations and of classes of operators, and who refuses NULL, a column or its domain.
    fn only_postgresql(&mut self, database: &mut Database) {
        if !std::mem::take(&mut database.native_objects).is_empty() {
            self.note(None, "native_objects");
        }
        for namespace in &mut database.namespaces {
            for relation in &mut namespace.relations {
                self.of_relation(&ObjectName::new(&namespace.name, &relation.name), relation);
            }
            for user_type in &mut namespace.types {
                let name = ObjectName::new(&namespace.name, &user_type.name);
                match &mut user_type.kind {
                    UserTypeKind::Domain { collation_namespace, .. } => {
                        self.take(&name, "collation_namespace", collation_namespace);
                    }
                    UserTypeKind::Composite { attributes } => {
                        for attribute in attributes {
                            self.take(&name, "collation_namespace", &mut attribute.collation_namespace);
                        }
                    }
                    UserTypeKind::Enumeration { .. } | UserTypeKind::Range { .. } => {}
                }
            }
        }
    }

    fn of_relation(&mut self, name: &ObjectName, relation: &mut Relation) {
        if !std::mem::take(&mut relation.rules).is_empty() {
            self.note(Some(name), "rules");
        }
        for column in &mut relation.columns {
            self.take(name, "collation_namespace", &mut column.collation_namespace);
            self.native(name, &mut column.native, &["not_null"]);
        }
        for part in relation.indexes.iter_mut().flat_map(|index| &mut index.parts) {
            self.take(name, "collation_namespace", &mut part.collation_namespace);
            self.take(name, "operator_class_namespace", &mut part.operator_class_namespace);
        }
        for operator in relation.exclusions.iter_mut().flat_map(|exclusion| &mut exclusion.operators) {
            // `OPERATOR(namespace.=)` was `=`. An operator has no dot in it.
            if let Some(own) = operator.strip_prefix("OPERATOR(").and_then(|text| text.strip_suffix(')')) {
                *operator = own.rsplit_once('.').map_or(own, |(_, own)| own).to_owned();
                self.note(Some(name), "exclusions");
            }
        }
    }

    fn take(&mut self, object: &ObjectName, part: &str, fact: &mut Option<String>) {
        if fact.take().is_some() {
            self.note(Some(object), part);
        }
    }

    fn native(&mut self, object: &ObjectName, native: &mut Native, facts: &[&str]) {
        for fact in facts {
            if native.remove(*fact).is_some() {
                self.note(Some(object), &format!("native.{fact}"));
            }
        }
    }

    fn note(&mut self, object: Option<&ObjectName>, part: &str) {
        self.gaps.push(Gap { object: object.cloned(), part: part.to_owned(), reason: Unavailable::NotAsked });
    }
}
