//! A look into one collection.

use schema_model::{
    Collection, CollectionKind, Gap, Index, ObjectName, RelationStatistics, Sample, SampleLimit, SampleMethod,
    Unavailable,
};
use shared_kernel::RequestContext;
use shared_kernel::database::{
    self as kernel, Bounded, Bounds, CollectionSummary, DatabaseError, DatabaseErrorKind, Document, DocumentValue,
    Documents, Ending, Find, Shape,
};

use super::{declared, index};
use crate::asking::{Asking, Tally};
use crate::sampling::{self, Closeness};
use crate::{InspectError, SamplingOptions};

/// The most indexes of a collection that are told. MongoDB lets nobody make more than 64.
const MOST_INDEXES: u32 = 1_000;
/// How many bytes of BSON their descriptions may have.
const INDEX_BYTES: u64 = 1024 * 1024;
/// How many bytes of JSON the indexes of all collections together may have.
pub(super) const ALL_INDEX_BYTES: usize = 32 * 1024 * 1024;
/// The most parts of a cluster that tell how much of a collection they have.
const MOST_SHARDS: u32 = 1_000;

/// Looks into the collections of a database.
pub(super) struct Look<'a> {
    pub(super) documents: &'a dyn Documents,
    pub(super) database: &'a str,
    pub(super) options: &'a SamplingOptions,
    pub(super) asking: Asking<'a>,
}

/// What was seen.
pub(super) struct Looked {
    pub(super) collection: Collection,
    pub(super) statistics: Option<RelationStatistics>,
    pub(super) sample: Option<Sample>,
    pub(super) gaps: Vec<Gap>,
    pub(super) tally: Tally,
}

impl Look<'_> {
    /// Looks into one. Something that its server does not tell is a gap.
    pub(super) async fn at(&self, summary: &CollectionSummary) -> Result<Looked, InspectError> {
        let mut looked = self.listed(summary);
        // Nothing is stored in a view, and to look at what comes out of it would run its pipeline.
        if looked.collection.kind == CollectionKind::View {
            return Ok(looked);
        }
        let Ok(name) = kernel::Collection::try_new(self.database, &summary.name) else {
            looked.gaps.push(self.gap(&summary.name, Unavailable::Broken));
            return Ok(looked);
        };
        match self.indexes(&name, &mut looked.tally).await? {
            Ok(indexes) => looked.collection.indexes = indexes,
            Err(reason) => looked.gaps.push(self.gap(&summary.name, reason)),
        }
        if self.options.documents > 0 {
            looked.sample = Some(self.sample(&name, looked.collection.kind, &mut looked.tally).await?);
        }
        looked.statistics = Some(self.sizes(&name, &mut looked.tally).await?);
        Ok(looked)
    }

    /// Tells what is known of one without a look into it.
    pub(super) fn past(&self, summary: &CollectionSummary) -> Looked {
        let mut looked = self.listed(summary);
        if looked.collection.kind != CollectionKind::View {
            looked.gaps.push(self.gap(&summary.name, Unavailable::OverLimit));
        }
        looked
    }

    /// Leaves out the indexes of one where they take up more than is left of the bytes for all.
    pub(super) fn fit(&self, mut looked: Looked, left: &mut usize) -> Looked {
        let Collection { name, indexes, .. } = &mut looked.collection;
        if indexes.is_empty() {
            return looked;
        }
        let bytes = serde_json::to_vec(indexes).map_or(usize::MAX, |text| text.len());
        if let Some(rest) = left.checked_sub(bytes) {
            *left = rest;
        } else {
            *indexes = Vec::new();
            looked.gaps.push(self.gap(name, Unavailable::OverLimit));
        }
        looked
    }

    fn listed(&self, summary: &CollectionSummary) -> Looked {
        let mut collection = declared::collection(self.database, summary);
        let mut gaps = Vec::new();
        if collection.fields.len() > declared::MOST_FIELDS {
            collection.fields.truncate(declared::MOST_FIELDS);
            let object = Some(self.object(&summary.name));
            gaps.push(Gap { object, part: "fields".to_owned(), reason: Unavailable::OverLimit });
        }
        Looked { collection, statistics: None, sample: None, gaps, tally: Tally::default() }
    }

    fn object(&self, name: &str) -> ObjectName {
        ObjectName::new(self.database, name)
    }

    fn gap(&self, name: &str, reason: Unavailable) -> Gap {
        Gap { object: Some(self.object(name)), part: "indexes".to_owned(), reason }
    }

    async fn indexes(
        &self,
        name: &kernel::Collection,
        tally: &mut Tally,
    ) -> Result<Result<Vec<Index>, Unavailable>, InspectError> {
        let list = self.asking.ask("indexes", tally, |context| async move {
            let bounds = Bounds::documents(MOST_INDEXES).within(INDEX_BYTES);
            self.documents.list_indexes(name, bounds, &context).await
        });
        Ok(list.await?.and_then(|list| match list.ending {
            Ending::All => {
                let mut indexes: Vec<Index> = list.items.iter().map(index::index).collect();
                indexes.sort_by(|one, other| one.name.cmp(&other.name));
                Ok(indexes)
            }
            Ending::Documents => Err(Unavailable::OverLimit),
            Ending::Bytes => Err(Unavailable::TooLong),
        }))
    }

    async fn sample(
        &self,
        name: &kernel::Collection,
        kind: CollectionKind,
        tally: &mut Tally,
    ) -> Result<Sample, InspectError> {
        let bounds = Bounds::documents(self.options.documents).within(self.options.bytes);
        // Nothing else is sure to have an index on `_id`, and without one the server would sort everything.
        let has_ends = kind == CollectionKind::Collection;
        let picked = self.asking.ask("samples", tally, |context| async move {
            match self.documents.sample(name, bounds, &context).await {
                Err(error) if has_ends && self.is_refused(&error) => Ok(None),
                outcome => outcome.map(Some),
            }
        });
        let (method, picked) = match picked.await? {
            Ok(None) => (SampleMethod::Ends, self.ends(name, tally).await?),
            Ok(Some(list)) => (SampleMethod::Random, Ok(list)),
            Err(reason) => (SampleMethod::Random, Err(reason)),
        };
        let (list, unavailable) = match picked {
            Ok(list) => (list, None),
            Err(reason) => (Bounded { items: Vec::new(), ending: Ending::All }, Some(reason)),
        };
        let shapes: Vec<Shape> = list.items.iter().map(Shape::from).collect();
        let closeness = Closeness { depth: self.options.depth, paths: self.options.paths };
        let mut sample = sampling::observed(self.object(name.name()), method, &shapes, closeness);
        sample.unavailable = unavailable;
        if list.ending == Ending::Bytes {
            sample.limits.insert(0, SampleLimit::Bytes);
        }
        Ok(sample)
    }

    /// Whether the server does not do what was asked, which is not that one may not, or that the answer cannot be read.
    fn is_refused(&self, error: &DatabaseError) -> bool {
        *error.kind() != DatabaseErrorKind::Decode && (self.asking.refusal)(error) == Some(Unavailable::Broken)
    }

    /// The first documents and the last ones by their `_id`, none of them twice.
    async fn ends(
        &self,
        name: &kernel::Collection,
        tally: &mut Tally,
    ) -> Result<Result<Bounded<Document>, Unavailable>, InspectError> {
        let head = self.options.documents.div_ceil(2);
        let end = |direction: i32, documents: u32| {
            let find = Find { sort: Some(Document::new().with("_id", direction)), ..Find::default() };
            let bounds = Bounds::documents(documents).within(self.options.bytes / 2);
            move |context: RequestContext| async move { self.documents.find(name, &find, bounds, &context).await }
        };
        let mut list = match self.asking.ask("samples", tally, end(1, head)).await? {
            Ok(list) if list.ending != Ending::All => list,
            outcome => return Ok(outcome),
        };
        let tail = match self.asking.ask("samples", tally, end(-1, self.options.documents - head)).await? {
            Ok(tail) => tail,
            Err(reason) => return Ok(Err(reason)),
        };
        let known: Vec<Option<DocumentValue>> =
            list.items.iter().map(|document| document.get("_id").cloned()).collect();
        let is_new = |document: &Document| !known.contains(&document.get("_id").cloned());
        let is_cut = [list.ending, tail.ending].contains(&Ending::Bytes);
        list.items.extend(tail.items.into_iter().filter(is_new));
        list.ending = if is_cut { Ending::Bytes } else { Ending::Documents };
        Ok(Ok(list))
    }

    /// How much there is, as the server has counted; what it does not tell is not known.
    async fn sizes(&self, name: &kernel::Collection, tally: &mut Tally) -> Result<RelationStatistics, InspectError> {
        let relation = self.object(name.name());
        let stages = [Document::new().with("$collStats", Document::new().with("storageStats", Document::new()))];
        let bounds = Bounds::documents(MOST_SHARDS);
        let told = self.asking.ask("sizes", tally, |context| async move {
            self.documents.aggregate(name, &stages, bounds, &context).await
        });
        let (rows, bytes) = match told.await? {
            Ok(list) => sizes(&list.items),
            Err(Unavailable::Broken) => {
                let count = self
                    .asking
                    .ask("sizes", tally, |context| async move { self.documents.estimated_count(name, &context).await });
                (count.await?.ok(), None)
            }
            Err(_) => (None, None),
        };
        Ok(RelationStatistics { relation, rows, bytes })
    }
}

/// How many documents there are and how many bytes they and their indexes take up, in all parts of a cluster together.
pub(super) fn sizes(parts: &[Document]) -> (Option<u64>, Option<u64>) {
    let stats: Vec<&Document> = parts.iter().filter_map(|part| part.get("storageStats")?.as_document()).collect();
    let number = |stats: &Document, name: &str| -> Option<u64> {
        stats.get(name).and_then(declared::number).and_then(|number| number.try_into().ok())
    };
    let bytes = |stats: &Document| {
        let apart = || number(stats, "storageSize")?.checked_add(number(stats, "totalIndexSize")?);
        number(stats, "totalSize").or_else(apart)
    };
    // What one part does not tell is not known of all.
    let all = |of: &dyn Fn(&Document) -> Option<u64>| {
        let sum = stats.iter().try_fold(0_u64, |sum, stats| sum.checked_add(of(stats)?));
        sum.filter(|_| !stats.is_empty())
    };
    (all(&|stats| number(stats, "count")), all(&bytes))
}
