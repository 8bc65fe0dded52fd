//! MongoDB, by the kernel's document capability. What was declared is asked for and becomes the model; what documents look like is a
//! sample beside it.
//!
//! The server tells of collections all at once, and of their indexes and sizes one by one. So three questions are asked of each, a few at
//! a time, within limits of number and time that the answer tells of. A view is not looked into: that would run its pipeline over
//! everything that it is made from.

mod choice;
mod declared;
mod extended_json;
mod index;
mod look;
#[cfg(test)]
mod looks;
#[cfg(test)]
mod tests;

use std::time::Instant;

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use schema_model::{
    Database, DatabaseChoice, Gap, Inspection, Namespace, Native, ObjectName, RelationStatistics, Report, Sample,
    Unavailable,
};
use shared_kernel::RequestContext;
use shared_kernel::database::{
    Bounds, CollectionSummary, DatabaseConnection, DatabaseError, DatabaseErrorKind, Documents, Ending, Engine,
};

use self::look::{ALL_INDEX_BYTES, Look, Looked};
use crate::asking::{Asking, Tally};
use crate::stages::Stages;
use crate::{InspectError, InspectOptions, Inspector, gaps};

/// Looks at databases of MongoDB 4.2 and later, and of what speaks its language. A namespace is what it calls a database.
///
/// Where none is named, neither in the options nor by the connection, the one with the most in it is looked at, and
/// [`Report::choice`] says so.
#[derive(Debug, Clone, Copy, Default)]
pub struct MongoDbInspector;

/// The most databases and collections that are listed.
const MOST_DATABASES: u32 = 1_000;
const MOST_COLLECTIONS: u32 = 10_000;

/// How many collections are looked into at once, and which part of the connection's places that may be.
const AT_ONCE: u32 = 4;
const PART_OF_POOL: u32 = 2;

/// What a server says to those who may not, and what Atlas does, which says the same of a wrong password.
const UNAUTHORIZED: [&str; 2] = ["13", "8000"];

/// What stands before the names of what the server keeps for itself.
const OWN: &str = "system.";

#[async_trait]
impl Inspector for MongoDbInspector {
    fn engines(&self) -> &[Engine] {
        const { &[Engine::MONGODB] }
    }

    fn namespaces_are_databases(&self) -> bool {
        true
    }

    fn samples(&self) -> bool {
        true
    }

    async fn inspect(
        &self,
        connection: &dyn DatabaseConnection,
        options: &InspectOptions,
        context: &RequestContext,
    ) -> Result<Inspection, InspectError> {
        let mut stages = Stages::new(context);
        let failed = |source| InspectError::Database { stage: "connecting", source };
        let documents = connection.documents().map_err(failed)?;
        let version = stages.timed("version", connection.ping(context)).await?.server_version.unwrap_or_default();
        let mut found = Found::default();
        let names = databases(documents, options, &mut found, &mut stages).await?;
        let at_once = (connection.stats().max / PART_OF_POOL).clamp(1, AT_ONCE) as usize;
        found.look(documents, &names, options, at_once, &mut stages).await?;
        let name = documents.database().map(str::to_owned).or_else(|| names.first().cloned()).unwrap_or_default();
        let mut database = Database {
            engine: Engine::MONGODB.to_string(),
            version,
            name,
            comment: None,
            character_set: None,
            collation: None,
            namespaces: found.namespaces,
            extensions: Vec::new(),
            native_objects: Vec::new(),
            native: Native::new(),
        };
        let mut gaps = gaps::of(&mut database, options.longest_definition);
        gaps.extend(found.gaps);
        gaps.sort_unstable();
        gaps.dedup();
        let report = Report { gaps, choice: found.choice, ..stages.report() };
        Ok(Inspection {
            database,
            statistics: found.statistics,
            samples: found.samples,
            key_samples: Vec::new(),
            report,
            identities: None,
        })
    }
}

/// The databases to look at.
async fn databases(
    documents: &dyn Documents,
    options: &InspectOptions,
    found: &mut Found,
    stages: &mut Stages<'_>,
) -> Result<Vec<String>, InspectError> {
    if let Some(names) = &options.namespaces {
        let mut names: Vec<String> = names.iter().filter(|name| choice::may_be_asked_for(name)).cloned().collect();
        names.sort_unstable();
        names.dedup();
        return Ok(names);
    }
    if let Some(name) = documents.database() {
        return Ok(vec![name.to_owned()]);
    }
    let bounds = Bounds::documents(MOST_DATABASES);
    let context = stages.context();
    match stages.timed("databases", documents.list_databases(bounds, context)).await {
        Ok(list) => {
            found.choice = choice::of(&list.items);
            Ok(found.choice.iter().map(|choice| choice.name.clone()).collect())
        }
        Err(error) => {
            found.gap(None, "databases", refused(error)?);
            Ok(Vec::new())
        }
    }
}

/// What has been found so far.
#[derive(Default)]
struct Found {
    choice: Option<DatabaseChoice>,
    namespaces: Vec<Namespace>,
    statistics: Vec<RelationStatistics>,
    samples: Vec<Sample>,
    gaps: Vec<Gap>,
}

impl Found {
    fn gap(&mut self, object: Option<ObjectName>, part: &str, reason: Unavailable) {
        self.gaps.push(Gap { object, part: part.to_owned(), reason });
    }

    async fn look(
        &mut self,
        documents: &dyn Documents,
        names: &[String],
        options: &InspectOptions,
        at_once: usize,
        stages: &mut Stages<'_>,
    ) -> Result<(), InspectError> {
        let until = Instant::now() + options.sampling.patience;
        let mut left = options.sampling.collections as usize;
        let mut bytes = ALL_INDEX_BYTES;
        let mut tally = Tally::default();
        for name in names {
            let Some(summaries) = self.collections(documents, name, stages).await? else {
                // Who may not know what is in it does not know that it is not there.
                if options.namespaces.is_some() {
                    self.namespaces.push(Namespace::new(name));
                }
                continue;
            };
            // One that was asked for and is not there is no namespace.
            if summaries.is_empty() && options.namespaces.is_some() {
                continue;
            }
            let context = stages.context();
            let asking = Asking { context, until, refusal };
            let look = Look { documents, database: name, options: &options.sampling, asking };
            let (into, rest) = summaries.split_at(summaries.len().min(left));
            left -= into.len();
            // Made beforehand: the compiler cannot tell how long those live that are made on the way.
            let looks: Vec<_> = into.iter().map(|summary| look.at(summary)).collect();
            let mut looks = stream::iter(looks).buffered(at_once);
            let mut seen = Vec::new();
            while let Some(looked) = looks.try_next().await? {
                seen.push(look.fit(looked, &mut bytes));
            }
            let rest = rest.iter().map(|summary| look.past(summary));
            let mut namespace = Namespace::new(name);
            for Looked { collection, statistics, sample, gaps, tally: asked } in seen.into_iter().chain(rest) {
                namespace.collections.push(collection);
                self.statistics.extend(statistics);
                self.samples.extend(sample);
                self.gaps.extend(gaps);
                tally.add(&asked);
            }
            self.namespaces.push(namespace);
        }
        tally.told(stages);
        Ok(())
    }

    /// What is in a database, in the order of the names; `None` where nobody may know.
    async fn collections(
        &mut self,
        documents: &dyn Documents,
        name: &str,
        stages: &mut Stages<'_>,
    ) -> Result<Option<Vec<CollectionSummary>>, InspectError> {
        let context = stages.context();
        let list = documents.list_collections(name, Bounds::documents(MOST_COLLECTIONS), context);
        match stages.timed("collections", list).await {
            Ok(list) => {
                if list.ending != Ending::All {
                    self.gap(None, "collections", Unavailable::OverLimit);
                }
                let mut summaries = list.items;
                summaries.retain(|summary| !summary.name.starts_with(OWN));
                summaries.sort_unstable_by(|one, other| one.name.cmp(&other.name));
                Ok(Some(summaries))
            }
            Err(error) => {
                self.gap(None, "collections", refused(error)?);
                Ok(None)
            }
        }
    }
}

/// Why the server does not tell something, where it is there and well otherwise.
fn refused(error: InspectError) -> Result<Unavailable, InspectError> {
    match error {
        InspectError::Database { stage, source } => refusal(&source).ok_or(InspectError::Database { stage, source }),
        other => Err(other),
    }
}

fn refusal(error: &DatabaseError) -> Option<Unavailable> {
    match error.kind() {
        _ if error.code().is_some_and(|code| UNAUTHORIZED.contains(&code)) => Some(Unavailable::Forbidden),
        DatabaseErrorKind::Query | DatabaseErrorKind::Unsupported | DatabaseErrorKind::Decode => {
            Some(Unavailable::Broken)
        }
        _ => None,
    }
}
