use std::collections::{BTreeMap, HashMap};

use schema_model::{Grant, Native};

/// What is said of things: by their class and their numbers, the second of which is 0 for the thing as a whole.
#[derive(Debug, Default)]
pub(super) struct About {
    comments: HashMap<Thing, String>,
    permissions: HashMap<Thing, Vec<Permission>>,
}

/// Classes of things, as `sys.extended_properties` and `sys.database_permissions` number them.
pub(super) mod class {
    pub(in crate::sqlserver) const DATABASE: i64 = 0;
    pub(in crate::sqlserver) const OBJECT: i64 = 1;
    pub(in crate::sqlserver) const SCHEMA: i64 = 3;
    pub(in crate::sqlserver) const TYPE: i64 = 6;
    pub(in crate::sqlserver) const INDEX: i64 = 7;
}

pub(super) type Thing = (i64, i64, i64);

/// A row of `sys.database_permissions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Permission {
    pub(super) name: String,
    pub(super) grantee: String,
    pub(super) grantor: Option<String>,
    /// `G` is granted, `W` with the right to grant it on, `D` denied.
    pub(super) state: String,
}

impl About {
    pub(super) fn comment_on(&mut self, thing: Thing, comment: String) {
        self.comments.insert(thing, comment);
    }

    pub(super) fn permit(&mut self, thing: Thing, permission: Permission) {
        self.permissions.entry(thing).or_default().push(permission);
    }

    pub(super) fn comment(&mut self, thing: Thing) -> Option<String> {
        self.comments.remove(&thing)
    }

    /// Who may do what. Where there is a place for it, who may not is written down there.
    pub(super) fn grants(&mut self, thing: Thing, native: Option<&mut Native>) -> Vec<Grant> {
        let mut grants: BTreeMap<(Option<String>, Option<String>), Grant> = BTreeMap::new();
        let mut denied = Vec::new();
        for Permission { name, grantee, grantor, state } in self.permissions.remove(&thing).unwrap_or_default() {
            if state == "D" {
                denied.push(format!("{name} TO {grantee}"));
                continue;
            }
            // The role that everybody is in, under a name that nobody can change.
            let grantee = Some(grantee).filter(|grantee| grantee != "public");
            let grant = grants.entry((grantee.clone(), grantor.clone())).or_insert_with(|| Grant {
                grantee,
                grantor,
                privileges: Vec::new(),
                grantable: Vec::new(),
            });
            if state == "W" {
                grant.grantable.push(name.clone());
            }
            grant.privileges.push(name);
        }
        for grant in grants.values_mut() {
            grant.privileges.sort_unstable();
            grant.grantable.sort_unstable();
        }
        denied.sort_unstable();
        if let (Some(native), false) = (native, denied.is_empty()) {
            native.insert("denied".to_owned(), denied.into());
        }
        grants.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_denied_is_no_grant() {
        let thing = (class::OBJECT, 7, 0);
        let mut about = About::default();
        for (name, grantee, state) in
            [("UPDATE", "ann", "W"), ("SELECT", "ann", "G"), ("SELECT", "public", "G"), ("DELETE", "ann", "D")]
        {
            let (name, grantee, state) = (name.to_owned(), grantee.to_owned(), state.to_owned());
            about.permit(thing, Permission { name, grantee, grantor: Some("dbo".to_owned()), state });
        }
        let mut native = Native::new();
        let found = about.grants(thing, Some(&mut native));
        assert_eq!((found[0].grantee.as_deref(), &*found[0].privileges), (None, &["SELECT".to_owned()][..]));
        assert_eq!(found[1].privileges, ["SELECT", "UPDATE"]);
        assert_eq!(found[1].grantable, ["UPDATE"]);
        assert_eq!(native["denied"], serde_json::json!(["DELETE TO ann"]));
        assert_eq!(about.grants((class::OBJECT, 7, 1), None), []);
    }
}
