use schema_model::{Check, Database, ObjectName, UserTypeKind};
use serde_json::json;

use super::describe;
use crate::tables::{evidence, foreign_key_name, kept};
use crate::{Finding, Findings, Lint, Object, TooMany};

/// Constraints that hold for new rows alone, or for none.
#[derive(Debug, Clone, Copy, Default)]
pub struct UncheckedConstraint;

impl Lint for UncheckedConstraint {
    describe!(
        "unchecked-constraint",
        Warning,
        "a constraint is not enforced, or the rows before it were never checked"
    );

    fn check(&self, database: &Database, found: &mut Findings) -> Result<(), TooMany> {
        for kept in kept(database) {
            for key in kept.foreign_keys() {
                found.extend(self.unchecked(
                    &kept.name,
                    "foreign key",
                    &foreign_key_name(key),
                    key.validated,
                    key.enforced,
                ))?;
            }
            for check in kept.checks() {
                found.extend(self.unchecked(&kept.name, "check", &name_of(check), check.validated, check.enforced))?;
            }
        }
        for namespace in &database.namespaces {
            for user_type in &namespace.types {
                let UserTypeKind::Domain { checks, .. } = &user_type.kind else { continue };
                let name = ObjectName::new(&namespace.name, &user_type.name);
                for check in checks {
                    found.extend(self.unchecked(&name, "check", &name_of(check), check.validated, check.enforced))?;
                }
            }
        }
        Ok(())
    }
}

fn name_of(check: &Check) -> String {
    check.name.clone().or_else(|| check.expression.known().cloned()).unwrap_or_default()
}

impl UncheckedConstraint {
    fn unchecked(
        self,
        object: &ObjectName,
        kind: &str,
        name: &str,
        validated: bool,
        enforced: bool,
    ) -> Option<Finding> {
        if validated && enforced {
            return None;
        }
        let what = if enforced { "was never checked against the rows before it" } else { "is not enforced" };
        Some(self.finding(
            Object::part(object, kind, name),
            format!("`{name}` of `{object}` {what}"),
            evidence([("kind", json!(kind)), ("validated", json!(validated)), ("enforced", json!(enforced))]),
            "check it against all rows and enforce it, or drop it: the planner and readers of the schema count on what it says",
        ))
    }
}

/// Triggers that somebody has turned off.
#[derive(Debug, Clone, Copy, Default)]
pub struct DisabledTrigger;

impl Lint for DisabledTrigger {
    describe!("disabled-trigger", Notice, "a trigger is turned off");

    fn check(&self, database: &Database, found: &mut Findings) -> Result<(), TooMany> {
        for (name, relation) in database.relations() {
            for trigger in relation.triggers.iter().filter(|trigger| !trigger.enabled) {
                found.push(self.finding(
                    Object::part(&name, "trigger", &trigger.name),
                    format!("trigger `{}` of `{name}` is turned off", trigger.name),
                    evidence([("timing", json!(trigger.timing)), ("events", json!(trigger.events))]),
                    "turn it on, or drop it if nobody misses it",
                ))?;
            }
        }
        Ok(())
    }
}
