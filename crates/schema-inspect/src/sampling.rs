//! What documents have in common, found out by looking at some of them. Nothing here asks anybody anything, and nothing here knows a
//! value: what comes in is the [`Shape`] of documents, and keys that are values themselves go no further than [`keys`].

mod fold;
mod keys;
mod node;
mod share;
#[cfg(test)]
mod tests;

use schema_model::{ObjectName, Sample, SampleLimit, SampleMethod};
use shared_kernel::database::Shape;

pub(crate) use self::keys::kind_of;
use self::node::{Node, Room};
pub(crate) use self::share::{presence, share};

/// How closely documents are looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Closeness {
    /// How many levels of names are told: 1 is the documents' own fields.
    pub(crate) depth: u32,
    /// How many names are told in all.
    pub(crate) paths: u32,
}

/// What the documents of a collection that were picked look like.
pub(crate) fn observed(
    collection: ObjectName,
    method: SampleMethod,
    documents: &[Shape],
    closeness: Closeness,
) -> Sample {
    let mut root = Node::default();
    let mut names = Room(closeness.paths);
    for document in documents {
        root.observe(document, closeness.depth, &mut names);
    }
    root.fold();
    let limits = [(SampleLimit::Depth, root.is_cut()), (SampleLimit::Paths, root.is_crowded())];
    let seen = root.told(method == SampleMethod::Random);
    Sample {
        collection,
        method,
        documents: documents.len() as u64,
        unavailable: None,
        fields: seen.fields,
        map: seen.map.map(|map| *map),
        limits: limits.into_iter().filter_map(|(limit, is_reached)| is_reached.then_some(limit)).collect(),
    }
}
