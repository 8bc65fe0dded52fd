use std::fmt::Write as _;

use schema_model::{Check, Column, DataType, ObjectName, UserType, UserTypeKind};

use super::Writer;
use super::names::{literal, mentioned, qualified, quoted};
use crate::sql::order;

/// A condition of a domain that calls a routine, and so has to wait for it.
pub(super) struct LateCheck<'a> {
    domain: ObjectName,
    check: &'a Check,
}

impl<'a> Writer<'a> {
    /// Makes the types, each behind those that it is made of, and returns what has to wait.
    pub(super) fn types(&mut self) -> Vec<LateCheck<'a>> {
        let database = self.database;
        let of = |namespace: &'a schema_model::Namespace| {
            let name = |user_type: &'a UserType| (ObjectName::new(&namespace.name, &user_type.name), user_type);
            namespace.types.iter().map(name)
        };
        let all: Vec<(ObjectName, &UserType)> = database.namespaces.iter().flat_map(of).collect();
        let places = order::places(all.iter().map(|(name, _)| name));
        let place = |name: &ObjectName| places.get(name).copied();
        let needs: Vec<Vec<usize>> = all
            .iter()
            .map(|(_, user_type)| parts(user_type).filter_map(|part| place(part.user_type.as_ref()?)).collect())
            .collect();
        let (sorted, circular) = order::sorted(&needs);
        let mut late = Vec::new();
        for (name, user_type) in sorted.into_iter().map(|at| &all[at]) {
            self.user_type(name, user_type, &mut late);
        }
        for (name, _) in circular.into_iter().map(|at| &all[at]) {
            self.script.omit(name, "type", "types are made of each other in a circle");
        }
        late
    }

    fn user_type(&mut self, name: &ObjectName, user_type: &'a UserType, late: &mut Vec<LateCheck<'a>>) {
        let written = qualified(name);
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
                    if check.validated && !self.calls_a_routine(check) {
                        self.comment_on_check(name, check);
                    }
                }
            }
            UserTypeKind::Enumeration { .. } | UserTypeKind::Range { .. } => {}
        }
    }

    fn domain(&mut self, name: &ObjectName, user_type: &'a UserType, late: &mut Vec<LateCheck<'a>>) -> String {
        let UserTypeKind::Domain { base, nullable, default, collation, checks } = &user_type.kind else {
            return String::new();
        };
        let mut statement = format!("CREATE DOMAIN {} AS {}", qualified(name), base.text);
        if let Some(collation) = collation {
            let _ = write!(statement, " COLLATE {}", quoted(collation));
        }
        if let Some(default) = default
            && let Some(text) = self.script.known(name, "default", default)
        {
            let _ = write!(statement, " DEFAULT {text}");
        }
        if !nullable {
            statement += " NOT NULL";
        }
        for check in checks {
            if !check.validated || self.calls_a_routine(check) {
                late.push(LateCheck { domain: name.clone(), check });
            } else if let Some(text) = domain_check(self, name, check) {
                let _ = write!(statement, " {text}");
            }
        }
        statement
    }

    fn calls_a_routine(&self, check: &Check) -> bool {
        let text = check.expression.known();
        text.is_some_and(|text| mentioned(text).iter().any(|name| self.routines.contains(name)))
    }

    /// What had to wait for routines, or has not been true of all values.
    pub(super) fn conditions_of_domains(&mut self, late: &[LateCheck<'_>]) {
        for LateCheck { domain, check } in late {
            if let Some(text) = domain_check(self, domain, check) {
                let validated = if check.validated { "" } else { " NOT VALID" };
                self.script.statement(&format!("ALTER DOMAIN {} ADD {text}{validated}", qualified(domain)));
                self.comment_on_check(domain, check);
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
    let text = writer.script.known(domain, &part, &check.expression)?;
    let name = check.name.as_ref().map(|name| format!("CONSTRAINT {} ", quoted(name))).unwrap_or_default();
    Some(format!("{name}CHECK ({text})"))
}

/// The types that a type is made of.
fn parts(user_type: &UserType) -> Box<dyn Iterator<Item = &DataType> + '_> {
    match &user_type.kind {
        UserTypeKind::Enumeration { .. } => Box::new(std::iter::empty()),
        UserTypeKind::Domain { base, .. } => Box::new(std::iter::once(base)),
        UserTypeKind::Range { subtype, .. } => Box::new(std::iter::once(subtype)),
        UserTypeKind::Composite { attributes } => Box::new(attributes.iter().map(|attribute| &attribute.data_type)),
    }
}

fn attribute(column: &Column) -> String {
    let collation = column.collation.as_ref().map(|collation| format!(" COLLATE {}", quoted(collation)));
    format!("{} {}{}", quoted(&column.name), column.data_type.text, collation.unwrap_or_default())
}
