use std::fmt::Write as _;

use schema_model::{Grant, ObjectName, Persistence, Policy, PolicyCommand, Relation, RelationKind};

use super::Writer;
use super::names::{qualified, quoted};
use super::tables::word;

impl Writer<'_> {
    /// Takes away what everybody has by default and grants what the model says.
    pub(super) fn grants(&mut self, object: &ObjectName, target: &str, owner: Option<&String>, grants: &[Grant]) {
        if grants.is_empty() || !self.options.grants {
            return;
        }
        // A domain is a type here, and a view a table.
        let target = match target.split_once(' ') {
            Some(("VIEW" | "TABLE", name)) => format!("TABLE {name}"),
            Some(("MATERIALIZED", name)) => format!("TABLE {}", name.trim_start_matches("VIEW ")),
            Some(("FOREIGN", name)) => name.to_owned(),
            _ => target.to_owned(),
        };
        self.script.statement(&format!("REVOKE ALL ON {target} FROM PUBLIC"));
        if let Some(owner) = owner.filter(|_| self.options.owners) {
            self.script.statement(&format!("REVOKE ALL ON {target} FROM {}", quoted(owner)));
        }
        for grant in grants {
            self.grant(object, &target, owner, grant, None);
        }
    }

    fn grant(&mut self, object: &ObjectName, on: &str, owner: Option<&String>, grant: &Grant, column: Option<&str>) {
        let grantee = grant.grantee.as_deref().map_or_else(|| "PUBLIC".to_owned(), quoted);
        if grant.grantor.is_some() && owner.is_some() && grant.grantor.as_ref() != owner {
            let part = format!("grant to {}", grant.grantee.as_deref().unwrap_or("everybody"));
            self.script.omit(
                object,
                &part,
                "somebody else than the owner has granted it; it is granted by the owner here",
            );
        }
        let columns = column.map(|column| format!(" ({})", quoted(column))).unwrap_or_default();
        self.script.grant(grant, &columns, on, &grantee);
    }

    /// Grants on relations and columns, when all of them are there.
    pub(super) fn relation_grants(&mut self) {
        for (name, relation) in self.relations.clone() {
            if !self.is_made(&name) || relation.persistence == Persistence::Temporary {
                continue;
            }
            let target = format!("{} {}", word(relation.kind), qualified(&name));
            self.grants(&name, &target, relation.owner.as_ref(), &relation.grants);
            if self.options.grants {
                let on = format!("TABLE {}", qualified(&name));
                for column in &relation.columns {
                    for grant in &column.grants {
                        self.grant(&name, &on, relation.owner.as_ref(), grant, Some(&column.name));
                    }
                }
            }
        }
    }

    pub(super) fn policies(&mut self) {
        for (name, relation) in self.relations.clone() {
            let Relation { row_security: Some(security), kind: RelationKind::Table, .. } = relation else { continue };
            if !self.is_made(&name) {
                continue;
            }
            let table = qualified(&name);
            for policy in &security.policies {
                self.policy(&name, policy);
            }
            if security.enabled {
                self.script.statement(&format!("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"));
            }
            if security.forced {
                self.script.statement(&format!("ALTER TABLE {table} FORCE ROW LEVEL SECURITY"));
            }
        }
    }

    fn policy(&mut self, table: &ObjectName, policy: &Policy) {
        let part = format!("policy {}", policy.name);
        let kind = if policy.permissive { "PERMISSIVE" } else { "RESTRICTIVE" };
        let command = match policy.command {
            PolicyCommand::All => "ALL",
            PolicyCommand::Select => "SELECT",
            PolicyCommand::Insert => "INSERT",
            PolicyCommand::Update => "UPDATE",
            PolicyCommand::Delete => "DELETE",
        };
        let roles: Vec<String> = policy.roles.iter().map(|role| quoted(role)).collect();
        let roles = if roles.is_empty() { "PUBLIC".to_owned() } else { roles.join(", ") };
        let mut statement = format!(
            "CREATE POLICY {} ON {} AS {kind} FOR {command} TO {roles}",
            quoted(&policy.name),
            qualified(table)
        );
        for (words, condition) in [("USING", &policy.using), ("WITH CHECK", &policy.with_check)] {
            if let Some(condition) = condition {
                // A policy without its condition would let everybody through.
                let Some(text) = self.usable(table, &part, condition) else { return };
                let _ = write!(statement, " {words} ({text})");
            }
        }
        self.script.statement(&statement);
    }
}
