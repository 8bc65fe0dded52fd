//! What is there and not in the answer: found by going through the model once.

use schema_model::{
    Collection, Database, Gap, Namespace, Native, ObjectName, PartTarget, Partitioning, Reading, Relation, Unavailable,
    UserTypeKind,
};

/// Cuts what is too long and lists everything that is not known.
pub(crate) fn of(database: &mut Database, longest: usize) -> Vec<Gap> {
    let mut gaps = Gaps { found: Vec::new(), longest };
    for namespace in &mut database.namespaces {
        let Namespace { name, relations, collections, types, routines, events, .. } = namespace;
        for relation in relations {
            gaps.relation(&ObjectName::new(&*name, &relation.name), relation);
        }
        for collection in collections {
            gaps.collection(&ObjectName::new(&*name, &collection.name), collection);
        }
        for routine in routines {
            let object = ObjectName::new(&*name, &routine.name);
            if let Some(text) = &mut routine.definition {
                gaps.look(&object, "definition", text);
            }
        }
        for event in events {
            gaps.look(&ObjectName::new(&*name, &event.name), "definition", &mut event.definition);
        }
        for user_type in types {
            let object = ObjectName::new(&*name, &user_type.name);
            if let UserTypeKind::Domain { checks, default, .. } = &mut user_type.kind {
                if let Some(text) = default {
                    gaps.look(&object, "default", text);
                }
                for check in checks {
                    gaps.look(&object, "checks", &mut check.expression);
                }
            }
        }
    }
    for object in &mut database.native_objects {
        if let Some(text) = &mut object.definition {
            gaps.look(&object.name, "definition", text);
        }
    }
    gaps.found.sort_unstable();
    gaps.found.dedup();
    gaps.found
}

struct Gaps {
    found: Vec<Gap>,
    longest: usize,
}

impl Gaps {
    fn look(&mut self, object: &ObjectName, part: &str, text: &mut Reading<String>) {
        if text.known().is_some_and(|text| text.len() > self.longest) {
            *text = Reading::unavailable(Unavailable::TooLong);
        }
        if let Some(reason) = text.reason() {
            self.found.push(Gap { object: Some(object.clone()), part: part.to_owned(), reason });
        }
    }

    fn collection(&mut self, object: &ObjectName, collection: &mut Collection) {
        if let Some(validator) = &mut collection.validator {
            self.look(object, "validator", &mut validator.expression);
        }
        if let Some(definition) = &mut collection.definition {
            self.look(object, "definition", definition);
        }
        if collection.collation.take_if(|text| text.len() > self.longest).is_some() {
            self.too_long(object, "collation");
        }
        self.native(object, "native", &mut collection.native);
        for index in &mut collection.indexes {
            self.native(object, "indexes", &mut index.native);
        }
        self.indexes(object, &mut collection.indexes);
    }

    /// Leaves out what the engine has written at length.
    fn native(&mut self, object: &ObjectName, part: &str, native: &mut Native) {
        let before = native.len();
        native.retain(|_, fact| fact.as_str().is_none_or(|text| text.len() <= self.longest));
        if native.len() < before {
            self.too_long(object, part);
        }
    }

    fn too_long(&mut self, object: &ObjectName, part: &str) {
        self.found.push(Gap { object: Some(object.clone()), part: part.to_owned(), reason: Unavailable::TooLong });
    }

    fn relation(&mut self, object: &ObjectName, relation: &mut Relation) {
        for column in &mut relation.columns {
            if let Some(text) = &mut column.default {
                self.look(object, "defaults", text);
            }
            if let Some(generated) = &mut column.generated {
                self.look(object, "generated", &mut generated.expression);
            }
        }
        for check in &mut relation.checks {
            self.look(object, "checks", &mut check.expression);
        }
        if let Some(text) = &mut relation.definition {
            self.look(object, "definition", text);
        }
        for trigger in &mut relation.triggers {
            self.look(object, "triggers", &mut trigger.definition);
        }
        for rule in &mut relation.rules {
            self.look(object, "rules", &mut rule.definition);
        }
        for policy in relation.row_security.iter_mut().flat_map(|security| &mut security.policies) {
            policy.using.iter_mut().chain(&mut policy.with_check).for_each(|text| self.look(object, "policies", text));
        }
        self.indexes(object, &mut relation.indexes);
        if let Some(partitioning) = &mut relation.partitioning {
            self.partitioning(object, partitioning);
        }
    }

    fn indexes(&mut self, object: &ObjectName, indexes: &mut [schema_model::Index]) {
        for index in indexes {
            if let Some(text) = &mut index.predicate {
                self.look(object, "indexes", text);
            }
            for part in &mut index.parts {
                if let PartTarget::Expression(text) = &mut part.target {
                    self.look(object, "indexes", text);
                }
            }
        }
    }

    fn partitioning(&mut self, object: &ObjectName, partitioning: &mut Partitioning) {
        self.look(object, "partitioning", &mut partitioning.key);
        for partition in &mut partitioning.partitions {
            self.look(&partition.name, "partitioning", &mut partition.bound);
            for check in &mut partition.checks {
                self.look(&partition.name, "checks", &mut check.expression);
            }
            self.indexes(&partition.name.clone(), &mut partition.indexes);
            if let Some(inner) = &mut partition.partitioning {
                self.partitioning(&partition.name, inner);
            }
        }
    }
}
