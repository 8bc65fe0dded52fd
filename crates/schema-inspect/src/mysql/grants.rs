use std::collections::BTreeMap;

use schema_model::Grant;

use super::rows::FoundGrant;

/// Who may do what with a namespace and with what is in it.
#[derive(Default)]
pub(super) struct Grants(BTreeMap<(Option<String>, Option<String>), BTreeMap<String, Grant>>);

impl Grants {
    pub(super) fn add(&mut self, found: FoundGrant) {
        // That one may do nothing but log in is a privilege to the catalog.
        if found.privilege == "USAGE" {
            return;
        }
        let of_object = self.0.entry((found.relation, found.column)).or_default();
        let grant = of_object.entry(found.grantee.clone()).or_insert_with(|| Grant {
            grantee: Some(found.grantee),
            grantor: None,
            privileges: Vec::new(),
            grantable: Vec::new(),
        });
        if found.is_grantable {
            grant.grantable.push(found.privilege.clone());
        }
        grant.privileges.push(found.privilege);
    }

    /// Those of an object: of the namespace, of a relation, or of a column.
    pub(super) fn take(&mut self, relation: Option<&str>, column: Option<&str>) -> Vec<Grant> {
        let of_object = self.0.remove(&(relation.map(str::to_owned), column.map(str::to_owned)));
        let mut grants: Vec<Grant> = of_object.into_iter().flat_map(BTreeMap::into_values).collect();
        for grant in &mut grants {
            grant.privileges.sort_unstable();
            grant.privileges.dedup();
            grant.grantable.sort_unstable();
            grant.grantable.dedup();
        }
        grants
    }
}
