//! DynamoDB, by the kernel's capability to tell of tables. What was declared is asked for and becomes the model; what items are made of
//! is a sample beside it: of the first items that a scan comes across, since the service picks none at random.
//!
//! The service tells the names of tables a page at a time, and all else of one table after the other. So three questions are asked of
//! each, a few at a time, within limits of number and time that the answer tells of.

mod declared;
mod look;

use std::time::Instant;

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use schema_model::{Database, Gap, Inspection, Namespace, Native, RelationStatistics, Report, Sample, Unavailable};
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseConnection, DatabaseError, DatabaseErrorKind, Engine, Tables};

use self::look::{ALL_DESCRIPTION_BYTES, Look, Looked, fit, past};
use crate::asking::{Asking, Tally};
use crate::stages::Stages;
use crate::{InspectError, InspectOptions, Inspector, SamplingOptions, gaps};

/// Looks at tables of DynamoDB: at the one that the connection names, or at all that the identity may list.
///
/// An account's tables in a region have no namespaces; the one that they are told in is called `default`.
#[derive(Debug, Clone, Copy, Default)]
pub struct DynamoDbInspector;

/// The one namespace.
const DEFAULT: &str = "default";

/// The most tables that are listed, in how many answers, and how many bytes their names may have in all.
const MOST_TABLES: usize = 10_000;
const MOST_PAGES: u32 = 200;
const NAME_BYTES: usize = 4 * 1024 * 1024;

/// How many tables are looked into at once, and which part of the connection's places that may be.
const AT_ONCE: u32 = 4;
const PART_OF_POOL: u32 = 2;

/// What the service says to those who may not.
const DENIED: &str = "AccessDeniedException";

#[async_trait]
impl Inspector for DynamoDbInspector {
    fn engines(&self) -> &[Engine] {
        const { &[Engine::DYNAMODB] }
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
        let tables = connection.tables().map_err(failed)?;
        let version = stages.timed("version", connection.ping(context)).await?.server_version.unwrap_or_default();
        let mut found = Found::default();
        if options.namespaces.as_ref().is_none_or(|names| names.iter().any(|name| name == DEFAULT)) {
            let names = found.names(tables, &mut stages).await?;
            let at_once = (connection.stats().max / PART_OF_POOL).clamp(1, AT_ONCE) as usize;
            found.look(tables, &names, &options.sampling, at_once, &mut stages).await?;
        }
        let mut database = Database {
            engine: Engine::DYNAMODB.to_string(),
            version,
            name: tables.table().unwrap_or(DEFAULT).to_owned(),
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
        let report = Report { gaps, ..stages.report() };
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

/// What has been found so far.
#[derive(Default)]
struct Found {
    namespaces: Vec<Namespace>,
    statistics: Vec<RelationStatistics>,
    samples: Vec<Sample>,
    gaps: Vec<Gap>,
}

impl Found {
    fn gap(&mut self, reason: Unavailable) {
        self.gaps.push(Gap { object: None, part: "collections".to_owned(), reason });
    }

    /// The tables to look at, in the order of their names.
    async fn names(&mut self, tables: &dyn Tables, stages: &mut Stages<'_>) -> Result<Vec<String>, InspectError> {
        if let Some(name) = tables.table() {
            return Ok(vec![name.to_owned()]);
        }
        let began = Instant::now();
        let mut pages = 0;
        let mut names = self.pages(tables, stages.context(), &mut pages).await?;
        stages.add("tables", pages, began.elapsed());
        // A name that is told twice is one.
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    async fn pages(
        &mut self,
        tables: &dyn Tables,
        context: &RequestContext,
        pages: &mut u32,
    ) -> Result<Vec<String>, InspectError> {
        let (mut names, mut bytes, mut after) = (Vec::new(), 0, None);
        // Nothing keeps a server from telling of more and more answers with nothing in them.
        while *pages < MOST_PAGES {
            *pages += 1;
            let page = match tables.list_tables(after.as_deref(), context).await {
                Ok(page) => page,
                Err(source) => {
                    match refusal(&source) {
                        Some(reason) => self.gap(reason),
                        None => return Err(InspectError::Database { stage: "tables", source }),
                    }
                    return Ok(names);
                }
            };
            for name in page.names {
                bytes += name.len();
                if names.len() == MOST_TABLES || bytes > NAME_BYTES {
                    self.gap(Unavailable::OverLimit);
                    return Ok(names);
                }
                names.push(name);
            }
            after = page.next;
            if after.is_none() {
                return Ok(names);
            }
        }
        self.gap(Unavailable::OverLimit);
        Ok(names)
    }

    async fn look(
        &mut self,
        tables: &dyn Tables,
        names: &[String],
        options: &SamplingOptions,
        at_once: usize,
        stages: &mut Stages<'_>,
    ) -> Result<(), InspectError> {
        let until = Instant::now() + options.patience;
        let look = Look { tables, options, asking: Asking { context: stages.context(), until, refusal } };
        let (into, rest) = names.split_at(names.len().min(options.collections as usize));
        let mut left = ALL_DESCRIPTION_BYTES;
        // Made beforehand: the compiler cannot tell how long those live that are made on the way.
        let looks: Vec<_> = into.iter().map(|name| look.at(name)).collect();
        let mut looks = stream::iter(looks).buffered(at_once);
        let mut seen = Vec::new();
        while let Some(looked) = looks.try_next().await? {
            seen.push(fit(looked, &mut left));
        }
        let rest = rest.iter().map(|name| past(name));
        let mut namespace = Namespace::new(DEFAULT);
        let mut tally = Tally::default();
        for Looked { collection, statistics, sample, gaps, tally: asked } in seen.into_iter().chain(rest) {
            namespace.collections.extend(collection);
            self.statistics.extend(statistics);
            self.samples.extend(sample);
            self.gaps.extend(gaps);
            tally.add(&asked);
        }
        self.namespaces.push(namespace);
        tally.told(stages);
        Ok(())
    }
}

/// Why the service does not tell something, where it is there and well otherwise.
fn refusal(error: &DatabaseError) -> Option<Unavailable> {
    match error.kind() {
        _ if error.code() == Some(DENIED) => Some(Unavailable::Forbidden),
        // Without a code it is our own pool that has no place.
        DatabaseErrorKind::Saturated if error.code().is_some() => Some(Unavailable::OverLimit),
        // A table that is just being made, or deleted, is not there for all operations.
        DatabaseErrorKind::UnknownDatabase
        | DatabaseErrorKind::Query
        | DatabaseErrorKind::Unsupported
        | DatabaseErrorKind::Decode => Some(Unavailable::Broken),
        _ => None,
    }
}
