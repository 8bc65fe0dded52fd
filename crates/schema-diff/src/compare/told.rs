use std::collections::HashSet;

use schema_model::{Grant, Native};
use serde_json::Value;

use crate::found::{Found, Thing, breaking_unless, compatible};

/// What is told of all kinds of things in the same words.
impl Found {
    /// Whose something is and what people have written about it.
    pub(super) fn told(
        &mut self,
        thing: Thing<'_>,
        before: (&Option<String>, &Option<String>),
        after: (&Option<String>, &Option<String>),
    ) {
        self.aspect(thing, "owner", before.0, after.0, compatible("whoever may use it still may"));
        self.aspect(thing, "comment", before.1, after.1, compatible("nothing depends on what is written about it"));
    }

    /// What only this engine knows, fact by fact.
    pub(super) fn native(&mut self, thing: Thing<'_>, before: &Native, after: &Native, but: &[&str]) {
        let mut keys: Vec<&String> = before.keys().chain(after.keys()).collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys.into_iter().filter(|key| !but.contains(&key.as_str())) {
            let (one, other): (Option<&Value>, Option<&Value>) = (before.get(key), after.get(key));
            let detail = compatible("how the engine keeps or treats it is different");
            self.aspect(thing, &format!("native.{key}"), &one, &other, detail);
        }
    }

    /// Who may do what.
    pub(super) fn grants(&mut self, thing: Thing<'_>, before: &[Grant], after: &[Grant]) {
        if before == after {
            return;
        }
        let now: HashSet<(&Option<String>, &String)> = after
            .iter()
            .flat_map(|grant| grant.privileges.iter().map(|privilege| (&grant.grantee, privilege)))
            .collect();
        let kept = before
            .iter()
            .all(|grant| grant.privileges.iter().all(|privilege| now.contains(&(&grant.grantee, privilege))));
        // Nothing but the usual was granted where the list is empty, and nobody knows what that is.
        let effect = breaking_unless(
            kept && (!before.is_empty() || after.is_empty()),
            "somebody may not do any more what they did",
            "whoever was allowed something still is",
        );
        self.differs(thing, "grants", before, after, effect);
    }
}
