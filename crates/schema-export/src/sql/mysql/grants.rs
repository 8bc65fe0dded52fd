use schema_model::{Grant, Namespace, ObjectName};

use super::Writer;
use super::names::{grantee, qualified, quoted};

impl Writer<'_> {
    /// What was granted on databases, on what is in them, and on columns.
    pub(super) fn grants(&mut self) {
        if !self.options.grants {
            return;
        }
        for namespace in &self.database.namespaces {
            let Namespace { name, relations, sequences, grants, .. } = namespace;
            // A name is a pattern here.
            let pattern = quoted(&name.replace('\\', "\\\\").replace('_', "\\_").replace('%', "\\%"));
            for grant in grants {
                self.grant(&format!("{pattern}.*"), grant, None);
            }
            for relation in relations {
                let object = ObjectName::new(name, &relation.name);
                self.grants_on(&object, &relation.grants);
                for column in &relation.columns {
                    for grant in &column.grants {
                        self.grant_if_made(&object, grant, Some(&column.name));
                    }
                }
            }
            for sequence in sequences {
                self.grants_on(&ObjectName::new(name, &sequence.name), &sequence.grants);
            }
        }
    }

    fn grants_on(&mut self, object: &ObjectName, grants: &[Grant]) {
        for grant in grants {
            self.grant_if_made(object, grant, None);
        }
    }

    fn grant_if_made(&mut self, object: &ObjectName, grant: &Grant, column: Option<&str>) {
        if self.absent.contains(object) {
            let part = format!("grant to {}", grant.grantee.as_deref().unwrap_or("everybody"));
            return self.script.omit(object, &part, "there is nothing to grant it on");
        }
        self.grant(&qualified(object), grant, column);
    }

    fn grant(&mut self, on: &str, grant: &Grant, column: Option<&str>) {
        let to = grant.grantee.as_deref().map_or_else(|| "PUBLIC".to_owned(), grantee);
        let columns = column.map(|column| format!(" ({})", quoted(column))).unwrap_or_default();
        self.script.grant(grant, &columns, on, &to);
    }
}
