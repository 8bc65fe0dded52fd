//! A look into one table.

use schema_model::{
    Collection, CollectionKind, Gap, ObjectName, RelationStatistics, Sample, SampleLimit, SampleMethod, Unavailable,
};
use shared_kernel::database::{Bounded, Bounds, DatabaseErrorKind, Ending, Tables};

use super::{DEFAULT, declared};
use crate::asking::{Asking, Tally};
use crate::sampling::{self, Closeness};
use crate::{InspectError, SamplingOptions};

/// How many bytes of JSON what was declared of a table may have. What the service lets anybody declare has fewer than a tenth.
const DESCRIPTION_BYTES: usize = 1024 * 1024;
/// How many that of all tables together may have.
pub(super) const ALL_DESCRIPTION_BYTES: usize = 32 * 1024 * 1024;

/// The parts that gaps are of.
const DESCRIPTION: &str = "description";
const TIME_TO_LIVE: &str = "time_to_live";

/// Looks into tables.
pub(super) struct Look<'a> {
    pub(super) tables: &'a dyn Tables,
    pub(super) options: &'a SamplingOptions,
    pub(super) asking: Asking<'a>,
}

/// What was seen.
pub(super) struct Looked {
    /// `None` where it is not there any more.
    pub(super) collection: Option<Collection>,
    pub(super) statistics: Option<RelationStatistics>,
    pub(super) sample: Option<Sample>,
    pub(super) gaps: Vec<Gap>,
    pub(super) tally: Tally,
}

impl Look<'_> {
    /// Looks into one. Something that the service does not tell is a gap.
    pub(super) async fn at(&self, table: &str) -> Result<Looked, InspectError> {
        let mut tally = Tally::default();
        let described = self.asking.ask("descriptions", &mut tally, |context| async move {
            match self.tables.describe_table(table, &context).await {
                Err(error) if *error.kind() == DatabaseErrorKind::UnknownDatabase => Ok(None),
                outcome => outcome.map(Some),
            }
        });
        let mut looked = match described.await? {
            Ok(None) => {
                return Ok(Looked { collection: None, statistics: None, sample: None, gaps: Vec::new(), tally });
            }
            Ok(Some(described)) => {
                let (rows, bytes) = (described.items, described.bytes);
                let statistics = Some(RelationStatistics { relation: object(table), rows, bytes });
                let collection = Some(declared::collection(table, described));
                Looked { collection, statistics, sample: None, gaps: Vec::new(), tally }
            }
            // Whoever has no time for one question, or is asked too often, has none for another.
            Err(Unavailable::OverLimit) => return Ok(Looked { tally, ..past(table) }),
            Err(reason) => Looked { tally, ..unknown(table, reason) },
        };
        self.expiry(table, &mut looked).await?;
        if self.options.documents > 0 {
            looked.sample = Some(self.sample(table, &mut looked.tally).await?);
        }
        // Beforehand, so that no more are kept than are looked into at once.
        Ok(fit(looked, &mut { DESCRIPTION_BYTES }))
    }

    async fn expiry(&self, table: &str, looked: &mut Looked) -> Result<(), InspectError> {
        let asked = self.asking.ask("times to live", &mut looked.tally, |context| async move {
            self.tables.expiry_attribute(table, &context).await
        });
        match asked.await? {
            Ok(attribute) => {
                if let (Some(collection), Some(name)) = (&mut looked.collection, attribute) {
                    collection.native.insert(TIME_TO_LIVE.to_owned(), name.into());
                }
            }
            Err(reason) => looked.gaps.push(gap(table, TIME_TO_LIVE, reason)),
        }
        Ok(())
    }

    async fn sample(&self, table: &str, tally: &mut Tally) -> Result<Sample, InspectError> {
        let bounds = Bounds::documents(self.options.documents).within(self.options.bytes);
        let items = self
            .asking
            .ask("samples", tally, |context| async move { self.tables.first_items(table, bounds, &context).await });
        let (list, unavailable) = match items.await? {
            Ok(list) => (list, None),
            Err(reason) => (Bounded { items: Vec::new(), ending: Ending::All }, Some(reason)),
        };
        let closeness = Closeness { depth: self.options.depth, paths: self.options.paths };
        let mut sample = sampling::observed(object(table), SampleMethod::First, &list.items, closeness);
        sample.unavailable = unavailable;
        if list.ending == Ending::Bytes {
            sample.limits.insert(0, SampleLimit::Bytes);
        }
        Ok(sample)
    }
}

/// Tells the name of one without a look into it.
pub(super) fn past(table: &str) -> Looked {
    unknown(table, Unavailable::OverLimit)
}

/// Leaves out what was declared of one where it takes up more than is left of the bytes.
pub(super) fn fit(mut looked: Looked, left: &mut usize) -> Looked {
    let Some(collection) = &mut looked.collection else { return looked };
    let bytes = serde_json::to_vec(collection).map_or(usize::MAX, |text| text.len());
    if let Some(rest) = left.checked_sub(bytes) {
        *left = rest;
    } else {
        looked.gaps = vec![gap(&collection.name, DESCRIPTION, Unavailable::OverLimit)];
        *collection = Collection::new(std::mem::take(&mut collection.name), CollectionKind::Table);
    }
    looked
}

/// A table of which the name is known.
fn unknown(table: &str, reason: Unavailable) -> Looked {
    Looked {
        collection: Some(Collection::new(table, CollectionKind::Table)),
        statistics: None,
        sample: None,
        gaps: vec![gap(table, DESCRIPTION, reason)],
        tally: Tally::default(),
    }
}

fn object(table: &str) -> ObjectName {
    ObjectName::new(DEFAULT, table)
}

fn gap(table: &str, part: &str, reason: Unavailable) -> Gap {
    Gap { object: Some(object(table)), part: part.to_owned(), reason }
}
