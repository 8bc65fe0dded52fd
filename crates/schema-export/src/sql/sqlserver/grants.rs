use schema_model::{Grant, Native, ObjectName, Relation};

use super::Writer;
use super::names::{qualified, quoted};

/// Something that may be granted, and on what.
pub(super) struct Securable<'a> {
    pub(super) object: &'a ObjectName,
    /// As the statement writes it: `OBJECT::[shop].[goods]`.
    pub(super) written: &'a str,
    pub(super) owner: Option<&'a String>,
    /// The column that it is about, where it is not about all of it.
    pub(super) column: Option<&'a str>,
}

impl Writer<'_> {
    /// Gives an object to who owns it, where that is not who owns its schema, and notes who may do what with it.
    pub(super) fn belongs(
        &mut self,
        object: &ObjectName,
        class: &str,
        owner: Option<&String>,
        grants: &[Grant],
        denied: Option<&serde_json::Value>,
    ) {
        let written = &*format!("{class}::{}", qualified(object));
        let of_schema = self.owners.get(&*object.namespace);
        if let Some(owner) = owner.filter(|owner| self.options.owners && of_schema != Some(owner)) {
            self.batch(object, "owner", &format!("ALTER AUTHORIZATION ON {written} TO {}", quoted(owner)));
        }
        self.permissions(&Securable { object, written, owner, column: None }, grants, denied);
    }

    /// The same of a relation and of its columns.
    pub(super) fn relation_belongs(&mut self, name: &ObjectName, relation: &Relation) {
        let owner = relation.owner.as_ref();
        self.belongs(name, "OBJECT", owner, &relation.grants, relation.native.get("denied"));
        let written = &*format!("OBJECT::{}", qualified(name));
        for column in &relation.columns {
            let securable = Securable { object: name, written, owner, column: Some(&column.name) };
            self.permissions(&securable, &column.grants, column.native.get("denied"));
        }
    }

    /// Notes what is granted and denied, for the end, when everything is there.
    pub(super) fn permissions(&mut self, on: &Securable<'_>, grants: &[Grant], denied: Option<&serde_json::Value>) {
        if !self.options.grants {
            return;
        }
        let columns = on.column.map(|column| format!(" ({})", quoted(column))).unwrap_or_default();
        for grant in grants {
            let grantee = grant.grantee.as_deref().unwrap_or("public");
            let part = format!("grant to {grantee}");
            if grant.grantor.is_some() && on.owner.is_some() && grant.grantor.as_ref() != on.owner {
                let reason = "somebody else than the owner has granted it; it is granted by the owner here";
                self.script.omit(on.object, &part, reason);
            }
            for (is_grantable, option) in [(false, ""), (true, " WITH GRANT OPTION")] {
                let all = grant.privileges.iter().filter(|one| grant.grantable.contains(*one) == is_grantable);
                let (known, unknown): (Vec<&String>, Vec<&String>) = all.partition(|one| is_privilege(one));
                for privilege in unknown {
                    self.script.omit(on.object, &format!("{part}: {privilege}"), "no privilege is called so");
                }
                if !known.is_empty() {
                    let list: Vec<String> = known.into_iter().map(|one| format!("{one}{columns}")).collect();
                    let text = format!("GRANT {} ON {} TO {}{option}", list.join(", "), on.written, quoted(grantee));
                    self.permissions.push((on.object.clone(), part.clone(), text));
                }
            }
        }
        let denied = denied.and_then(serde_json::Value::as_array);
        for told in denied.into_iter().flatten().filter_map(serde_json::Value::as_str) {
            let part = format!("denied {told}");
            // A privilege is words in capitals; whom it is denied may be called anything.
            match told.split_once(" TO ").filter(|(privilege, _)| is_privilege(privilege)) {
                Some((privilege, grantee)) => {
                    let text = format!("DENY {privilege}{columns} ON {} TO {}", on.written, quoted(grantee));
                    self.permissions.push((on.object.clone(), part, text));
                }
                None => self.script.omit(on.object, &part, "no privilege is called so"),
            }
        }
    }

    /// What is denied on a sequence or a type is told with its schema, by its name alone.
    pub(super) fn denied_on<'n>(&mut self, native: &'n Native, object: &ObjectName) -> Option<&'n serde_json::Value> {
        let denied = native.get("denied_on")?.get(&object.name)?;
        if !self.ambiguous.contains(object) {
            return Some(denied);
        }
        if self.options.grants {
            let reason = "whether it is denied on the sequence or on the type is not in the model";
            self.script.omit(object, "denied", reason);
        }
        None
    }

    /// Grants and denies.
    pub(super) fn grants(&mut self) {
        for (object, part, text) in std::mem::take(&mut self.permissions) {
            self.batch(&object, &part, &text);
        }
    }
}

/// Words in capitals, none of which goes on with the statement.
fn is_privilege(text: &str) -> bool {
    let is_word = |word: &str| {
        let goes_on = matches!(word, "" | "ON" | "TO" | "FROM" | "AS" | "WITH");
        !goes_on && word.chars().all(|one| one.is_ascii_uppercase())
    };
    text.split(' ').all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_privilege_is_words_in_capitals() {
        for text in ["SELECT", "VIEW CHANGE TRACKING", "TAKE OWNERSHIP"] {
            assert!(is_privilege(text), "{text}");
        }
        for text in ["", "select", "SELECT ", "SELECT  X", "SELECT ON VICTIM", "SELECT TO X", "SELECT, X", "SELECT;"] {
            assert!(!is_privilege(text), "{text}");
        }
    }
}
