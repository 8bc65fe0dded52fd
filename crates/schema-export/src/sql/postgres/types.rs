use std::fmt::Write as _;

use schema_model::{Check, Column, ObjectName, Reading, UserType, UserTypeKind};

use super::early::uses;
use super::made::Made;
use super::names::{literal, mentioned, qualified, quoted};
use super::{Writer, casts_to};

/// What of a domain calls a routine, or needs something else that comes behind it, and so has to wait.
pub(super) enum Late<'a> {
    Default(ObjectName, &'a Reading<String>),
    Check(ObjectName, &'a Check),
}

impl<'a> Writer<'a> {
    pub(super) fn user_type(&mut self, name: &ObjectName, user_type: &'a UserType, late: &mut Vec<Late<'a>>) {
        let written = qualified(name);
        let own = Made::Type(name.clone(), user_type).names();
        if let Some(missing) = self.missing_of(&own) {
            return self.leave_out_named(name, "type", &uses(missing));
        }
        let statement = match &user_type.kind {
            UserTypeKind::Enumeration { labels } => {
                let labels: Vec<String> = labels.iter().map(|label| literal(label)).collect();
                format!("CREATE TYPE {written} AS ENUM ({})", labels.join(", "))
            }
            UserTypeKind::Range { subtype, multirange } => {
                let multirange = multirange.as_ref().map(|multirange| {
                    format!(", MULTIRANGE_TYPE_NAME = {}", qualified(&ObjectName::new(&name.namespace, multirange)))
                });
                format!("CREATE TYPE {written} AS RANGE (SUBTYPE = {}{})", subtype.text, multirange.unwrap_or_default())
            }
            UserTypeKind::Composite { attributes } => {
                let attributes: Vec<String> = attributes.iter().map(attribute).collect();
                format!("CREATE TYPE {written} AS ({})", attributes.join(", "))
            }
            UserTypeKind::Domain { .. } => self.domain(name, user_type, late),
        };
        self.script.statement(&statement);
        let is_domain = matches!(user_type.kind, UserTypeKind::Domain { .. });
        let target = format!("{} {written}", if is_domain { "DOMAIN" } else { "TYPE" });
        self.owner(&target, user_type.owner.as_ref());
        self.comment(&target, user_type.comment.as_ref());
        self.grants(name, &target, user_type.owner.as_ref(), &user_type.grants);
        match &user_type.kind {
            UserTypeKind::Composite { attributes } => {
                for Column { name: attribute, comment, .. } in attributes {
                    self.comment(&format!("COLUMN {written}.{}", quoted(attribute)), comment.as_ref());
                }
            }
            UserTypeKind::Domain { checks, .. } => {
                for check in checks {
                    if check.validated && !self.has_to_wait(&check.expression) {
                        self.comment_on_check(name, check);
                    }
                }
            }
            UserTypeKind::Enumeration { .. } | UserTypeKind::Range { .. } => {}
        }
    }

    fn domain(&mut self, name: &ObjectName, user_type: &'a UserType, late: &mut Vec<Late<'a>>) -> String {
        let UserTypeKind::Domain { base, nullable, default, collation, collation_namespace, checks } = &user_type.kind
        else {
            return String::new();
        };
        let mut statement = format!("CREATE DOMAIN {} AS {}", qualified(name), base.text);
        statement += &collated(collation.as_ref(), collation_namespace.as_ref());
        match default {
            Some(default) if self.has_to_wait(default) => late.push(Late::Default(name.clone(), default)),
            Some(default) => {
                if let Some(text) = self.usable(name, "default", default) {
                    let _ = write!(statement, " DEFAULT {text}");
                }
            }
            None => {}
        }
        if !nullable {
            statement += " NOT NULL";
        }
        for check in checks {
            if !check.validated || self.has_to_wait(&check.expression) {
                late.push(Late::Check(name.clone(), check));
            } else if let Some(text) = domain_check(self, name, check) {
                let _ = write!(statement, " {text}");
            }
        }
        statement
    }

    /// Whether an expression names something that types come before.
    fn has_to_wait(&self, expression: &Reading<String>) -> bool {
        let text = expression.known();
        text.is_some_and(|text| {
            self.casts.iter().any(|target| casts_to(text, target))
                || mentioned(text).iter().any(|name| self.behind_types.contains(name))
        })
    }

    /// What of domains had to wait for something else, or has not been true of all values.
    pub(super) fn rest_of_domains(&mut self, late: &[Late<'_>]) {
        for one in late {
            match one {
                Late::Default(domain, default) => {
                    if let Some(text) = self.usable(domain, "default", default) {
                        self.script.statement(&format!("ALTER DOMAIN {} SET DEFAULT {text}", qualified(domain)));
                    }
                }
                Late::Check(domain, check) => {
                    if let Some(text) = domain_check(self, domain, check) {
                        let validated = if check.validated { "" } else { " NOT VALID" };
                        self.script.statement(&format!("ALTER DOMAIN {} ADD {text}{validated}", qualified(domain)));
                        self.comment_on_check(domain, check);
                    }
                }
            }
        }
    }

    fn comment_on_check(&mut self, domain: &ObjectName, check: &Check) {
        if let Some(name) = check.name.as_ref().filter(|_| check.expression.known().is_some()) {
            let target = format!("CONSTRAINT {} ON DOMAIN {}", quoted(name), qualified(domain));
            self.comment(&target, check.comment.as_ref());
        }
    }
}

fn domain_check(writer: &mut Writer<'_>, domain: &ObjectName, check: &Check) -> Option<String> {
    let part = format!("check {}", check.name.as_deref().unwrap_or_default());
    let text = writer.usable(domain, &part, &check.expression)?;
    let name = check.name.as_ref().map(|name| format!("CONSTRAINT {} ", quoted(name))).unwrap_or_default();
    Some(format!("{name}CHECK ({text})"))
}

fn attribute(column: &Column) -> String {
    let collation = collated(column.collation.as_ref(), column.collation_namespace.as_ref());
    format!("{} {}{collation}", quoted(&column.name), column.data_type.text)
}

/// By which collation something is compared, where it is not the usual one.
pub(super) fn collated(collation: Option<&String>, namespace: Option<&String>) -> String {
    match (collation, namespace) {
        (Some(name), Some(namespace)) => format!(" COLLATE {}.{}", quoted(namespace), quoted(name)),
        (Some(name), None) => format!(" COLLATE {}", quoted(name)),
        (None, _) => String::new(),
    }
}
