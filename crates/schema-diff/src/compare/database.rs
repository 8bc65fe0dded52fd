use schema_model::{Extension, Namespace};

use super::Comparison;
use super::relations::OBJECTS;
use crate::diff::ObjectKind;
use crate::found::{Found, Thing, breaking, compatible};
use crate::pairing::pair;

/// The part of a gap about the namespaces of a database.
const NAMESPACES: &str = "namespaces";

impl Comparison<'_> {
    /// What is of the database as a whole.
    pub(super) fn database(&self, found: &mut Found) {
        if !self.is_whole() {
            return;
        }
        let (before, after) = (self.before.database, self.after.database);
        let whole = Thing { kind: ObjectKind::Database, object: None, part: None };
        let said = compatible("nothing depends on what is written about it");
        found.aspect(whole, "comment", &before.comment, &after.comment, said);
        let version = compatible("the server is of another version");
        found.aspect(whole, "version", &before.version, &after.version, version);
        let kept = breaking("text that was kept may be refused, or kept in another way");
        found.aspect(whole, "character_set", &before.character_set, &after.character_set, kept);
        let compared = breaking("text may compare and sort in another way");
        found.aspect(whole, "collation", &before.collation, &after.collation, compared);
        found.native(whole, &before.native, &after.native, &[]);
        self.extensions(found);
    }

    fn extensions(&self, found: &mut Found) {
        let by_name = |_, extension: &Extension| Some(extension.name.clone());
        let pairs = pair(self.before.database.extensions.iter(), self.after.database.extensions.iter(), &[&by_name]);
        let thing = |name| Thing { kind: ObjectKind::Extension, object: None, part: Some(name) };
        for gone in pairs.removed {
            found.removed(thing(&gone.name), breaking("what it brought along is gone"));
        }
        for new in pairs.added {
            found.added(thing(&new.name), compatible("nothing used it before"));
        }
        for (one, other) in pairs.both {
            let version = compatible("the extension is of another version");
            found.aspect(thing(&other.name), "version", &one.version, &other.version, version);
            let place = self.matched.names.namespace(&one.namespace);
            let moved = breaking("who names its namespace does not find it");
            found.aspect(thing(&other.name), "namespace", &place, &other.namespace.as_str(), moved);
        }
    }

    /// Parts of the database as such. What is in those that are gone or new is not listed besides.
    pub(super) fn namespaces(&self, found: &mut Found) {
        let pairs = &self.matched.namespaces;
        // Where the list of them is not whole, or that of what is in them, one may be there all the same.
        match self.lacking.1.list(&[NAMESPACES, OBJECTS]) {
            Some(gap) if !pairs.removed.is_empty() => found.unknown(None, &gap.part, gap.reason),
            _ => {
                for gone in &pairs.removed {
                    found.removed(thing(gone), breaking("everything in it is gone"));
                }
            }
        }
        match self.lacking.0.list(&[NAMESPACES, OBJECTS]) {
            Some(gap) if !pairs.added.is_empty() => found.unknown(None, &gap.part, gap.reason),
            _ => {
                for new in &pairs.added {
                    found.added(thing(new), compatible("nothing used it before"));
                }
            }
        }
        for (one, other) in &pairs.both {
            let thing = thing(other);
            if one.name != other.name && self.before.database.name == self.after.database.name && self.is_whole() {
                found.renamed(thing, &one.name, &other.name, breaking("who uses the old name finds nothing"));
            }
            if self.is_whole() {
                found.told(thing, (&one.owner, &one.comment), (&other.owner, &other.comment));
                found.grants(thing, &one.grants, &other.grants);
                found.native(thing, &one.native, &other.native, &[]);
            }
        }
    }
}

fn thing(namespace: &Namespace) -> Thing<'_> {
    Thing { kind: ObjectKind::Namespace, object: None, part: Some(&namespace.name) }
}
