//! A look into one collection.

use std::time::{Duration, Instant};

use schema_model::{
    Collection, CollectionKind, Gap, Index, ObjectName, RelationStatistics, Sample, SampleLimit, SampleMethod,
    Unavailable,
};
use shared_kernel::RequestContext;
use shared_kernel::database::{
    self as kernel, Bounded, Bounds, CollectionSummary, DatabaseError, DatabaseErrorKind, Document, DocumentValue,
    Documents, Ending, Find,
};

use super::{declared, index, refusal};
use crate::sampling::{self, Closeness, Shape};
use crate::stages::Stages;
use crate::{InspectError, SamplingOptions};

/// The most indexes of a collection that are told. MongoDB lets nobody make more than 64.
const MOST_INDEXES: u32 = 1_000;
/// The most parts of a cluster that tell how much of a collection they have.
const MOST_SHARDS: u32 = 1_000;

/// Looks into the collections of a database.
pub(super) struct Look<'a> {
    pub(super) documents: &'a dyn Documents,
    pub(super) database: &'a str,
    pub(super) options: &'a SamplingOptions,
    pub(super) context: &'a RequestContext,
    /// When the patience for all of them is at its end.
    pub(super) until: Instant,
}

/// What was seen.
pub(super) struct Looked {
    pub(super) collection: Collection,
    pub(super) statistics: Option<RelationStatistics>,
    pub(super) sample: Option<Sample>,
    pub(super) gaps: Vec<Gap>,
    pub(super) tally: Tally,
}

/// How many statements each kind of question took, and how long.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally([(u32, Duration); 3]);

/// The kinds of questions.
#[derive(Debug, Clone, Copy)]
enum Question {
    Indexes,
    Samples,
    Sizes,
}

const QUESTIONS: [(Question, &str); 3] =
    [(Question::Indexes, "indexes"), (Question::Samples, "samples"), (Question::Sizes, "sizes")];

impl Tally {
    fn count(&mut self, question: Question, took: Duration) {
        let (statements, all) = &mut self.0[question as usize];
        *statements += 1;
        *all += took;
    }

    pub(super) fn add(&mut self, other: &Self) {
        for ((statements, took), (others, others_took)) in self.0.iter_mut().zip(other.0) {
            *statements += others;
            *took += others_took;
        }
    }

    /// The times are those of all questions together, which were asked several at once.
    pub(super) fn told(&self, stages: &mut Stages<'_>) {
        for (question, name) in QUESTIONS {
            let (statements, took) = self.0[question as usize];
            if statements > 0 {
                stages.add(name, statements, took);
            }
        }
    }
}

impl Look<'_> {
    /// Looks into one. Something that its server does not tell is a gap.
    pub(super) async fn at(&self, summary: &CollectionSummary) -> Result<Looked, InspectError> {
        let mut looked = self.listed(summary);
        // Nothing is stored in a view, and to look at what comes out of it would run its pipeline.
        if looked.collection.kind == CollectionKind::View {
            return Ok(looked);
        }
        let name = kernel::Collection::try_new(self.database, &summary.name)
            .map_err(|source| InspectError::Database { stage: "indexes", source })?;
        match self.indexes(&name, &mut looked.tally).await? {
            Ok(indexes) => looked.collection.indexes = indexes,
            Err(reason) => looked.gaps.push(self.gap(summary, reason)),
        }
        if self.options.documents > 0 {
            looked.sample = Some(self.sample(&name, &mut looked.tally).await?);
        }
        looked.statistics = Some(self.sizes(&name, &mut looked.tally).await?);
        Ok(looked)
    }

    /// Tells what is known of one without a look into it.
    pub(super) fn past(&self, summary: &CollectionSummary) -> Looked {
        let mut looked = self.listed(summary);
        if looked.collection.kind != CollectionKind::View {
            looked.gaps.push(self.gap(summary, Unavailable::OverLimit));
        }
        looked
    }

    fn listed(&self, summary: &CollectionSummary) -> Looked {
        Looked {
            collection: declared::collection(self.database, summary),
            statistics: None,
            sample: None,
            gaps: Vec::new(),
            tally: Tally::default(),
        }
    }

    fn object(&self, name: &str) -> ObjectName {
        ObjectName::new(self.database, name)
    }

    fn gap(&self, summary: &CollectionSummary, reason: Unavailable) -> Gap {
        Gap { object: Some(self.object(&summary.name)), part: "indexes".to_owned(), reason }
    }

    /// Asks one thing within what is left of the patience.
    async fn ask<T, F>(
        &self,
        question: Question,
        tally: &mut Tally,
        ask: impl FnOnce(RequestContext) -> F,
    ) -> Result<Result<T, Unavailable>, InspectError>
    where
        F: Future<Output = Result<T, DatabaseError>>,
    {
        let began = Instant::now();
        let left = self.until.saturating_duration_since(began);
        if left.is_zero() {
            return Ok(Err(Unavailable::OverLimit));
        }
        let answer = ask(self.context.within(left)).await;
        tally.count(question, began.elapsed());
        match answer {
            Ok(answer) => Ok(Ok(answer)),
            // The caller's own time is another matter.
            Err(error)
                if *error.kind() == DatabaseErrorKind::Timeout
                    && self.context.time_left().is_none_or(|left| !left.is_zero()) =>
            {
                Ok(Err(Unavailable::OverLimit))
            }
            Err(source) => match refusal(&source) {
                Some(reason) => Ok(Err(reason)),
                None => Err(InspectError::Database { stage: QUESTIONS[question as usize].1, source }),
            },
        }
    }

    async fn indexes(
        &self,
        name: &kernel::Collection,
        tally: &mut Tally,
    ) -> Result<Result<Vec<Index>, Unavailable>, InspectError> {
        let list = self.ask(Question::Indexes, tally, |context| async move {
            self.documents.list_indexes(name, Bounds::documents(MOST_INDEXES), &context).await
        });
        Ok(list.await?.and_then(|list| {
            let mut indexes: Vec<Index> = list.items.iter().map(index::index).collect();
            indexes.sort_by(|one, other| one.name.cmp(&other.name));
            if list.ending == Ending::All { Ok(indexes) } else { Err(Unavailable::OverLimit) }
        }))
    }

    async fn sample(&self, name: &kernel::Collection, tally: &mut Tally) -> Result<Sample, InspectError> {
        let bounds = Bounds::documents(self.options.documents).within(self.options.bytes);
        let picked =
            self.ask(
                Question::Samples,
                tally,
                |context| async move { self.documents.sample(name, bounds, &context).await },
            );
        let (method, picked) = match picked.await? {
            Err(Unavailable::Broken) => (SampleMethod::Ends, self.ends(name, tally).await?),
            outcome => (SampleMethod::Random, outcome),
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
        let mut list = match self.ask(Question::Samples, tally, end(1, head)).await? {
            Ok(list) if list.ending != Ending::All => list,
            outcome => return Ok(outcome),
        };
        let tail = match self.ask(Question::Samples, tally, end(-1, self.options.documents - head)).await? {
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
        let told = self.ask(Question::Sizes, tally, |context| async move {
            self.documents.aggregate(name, &stages, bounds, &context).await
        });
        let (rows, bytes) = match told.await? {
            Ok(list) => sizes(&list.items),
            Err(Unavailable::Broken) => {
                let count = self.ask(Question::Sizes, tally, |context| async move {
                    self.documents.estimated_count(name, &context).await
                });
                (count.await?.ok(), None)
            }
            Err(_) => (None, None),
        };
        Ok(RelationStatistics { relation, rows, bytes })
    }
}

/// How many documents there are and how many bytes they and their indexes take up, in all parts of a cluster together.
pub(super) fn sizes(parts: &[Document]) -> (Option<u64>, Option<u64>) {
    let stats = || parts.iter().filter_map(|part| part.get("storageStats")?.as_document());
    let number = |stats: &Document, name: &str| -> Option<u64> {
        stats.get(name).and_then(declared::number).and_then(|number| number.try_into().ok())
    };
    let rows = stats().map(|stats| number(stats, "count")).sum::<Option<u64>>();
    let bytes = stats().map(|stats| {
        let apart = || Some(number(stats, "storageSize")? + number(stats, "totalIndexSize")?);
        number(stats, "totalSize").or_else(apart)
    });
    let bytes = bytes.sum::<Option<u64>>();
    let is_told = stats().next().is_some();
    (rows.filter(|_| is_told), bytes.filter(|_| is_told))
}
