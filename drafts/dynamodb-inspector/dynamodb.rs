//! DynamoDB, by the kernel's capability to tell of tables. What was declared is asked for and becomes the model; what items are made of
//! is a sample beside it. It is the first items that a scan comes across: the service picks none at random.

use std::time::Instant;

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use schema_model::{
    Collection, CollectionKind, Database, DeclaredField, Gap, Index, IndexPart, Inspection, Namespace, Native,
    ObjectName, PartTarget, RelationStatistics, Report, Sample, SampleLimit, SampleMethod, Unavailable,
};
use shared_kernel::RequestContext;
use shared_kernel::database::{
    Bounded, Bounds, DatabaseConnection, DatabaseError, DatabaseErrorKind, Ending, Engine, TableDescription,
    TableIndex, Tables,
};

use crate::asking::{Asking, Tally};
use crate::sampling::{self, Closeness};
use crate::stages::Stages;
use crate::{InspectError, InspectOptions, Inspector, SamplingOptions, gaps};

/// Looks at tables of DynamoDB: the one that the connection names, or all that the identity may list. The one namespace is `default`.
#[derive(Debug, Clone, Copy, Default)]
pub struct DynamoDbInspector;

const DEFAULT: &str = "default";

/// The most tables that are listed.
const MOST_TABLES: usize = 10_000;

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
        let mut gaps = Vec::new();
        let is_wanted = options.namespaces.as_ref().is_none_or(|names| names.iter().any(|name| name == DEFAULT));
        let names = if is_wanted { names(tables, &mut gaps, &mut stages).await? } else { Vec::new() };
        let at_once = (connection.stats().max / PART_OF_POOL).clamp(1, AT_ONCE) as usize;
        let until = Instant::now() + options.sampling.patience;
        let look = Look { tables, options: &options.sampling, asking: Asking { context, until, refusal } };
        let (into, rest) = names.split_at(names.len().min(options.sampling.collections as usize));
        // Made beforehand: the compiler cannot tell how long those live that are made on the way.
        let looks: Vec<_> = into.iter().map(|name| look.at(name)).collect();
        let looks: Vec<Option<Looked>> = stream::iter(looks).buffered(at_once).try_collect().await?;
        let mut namespace = Namespace::new(DEFAULT);
        let (mut statistics, mut samples, mut tally) = (Vec::new(), Vec::new(), Tally::default());
        for looked in looks.into_iter().flatten() {
            namespace.collections.push(looked.collection);
            statistics.extend(looked.statistics);
            samples.extend(looked.sample);
            gaps.extend(looked.gaps);
            tally.add(&looked.tally);
        }
        for name in rest {
            namespace.collections.push(Collection::new(name, CollectionKind::Table));
            gaps.push(gap(name, "description", Unavailable::OverLimit));
        }
        tally.told(&mut stages);
        let mut database = Database {
            engine: Engine::DYNAMODB.to_string(),
            version,
            name: tables.table().unwrap_or(DEFAULT).to_owned(),
            comment: None,
            character_set: None,
            collation: None,
            namespaces: vec![namespace],
            extensions: Vec::new(),
            native: Native::new(),
        };
        gaps.extend(gaps::of(&mut database, options.longest_definition));
        gaps.sort_unstable();
        gaps.dedup();
        let report = Report { gaps, ..stages.report() };
        Ok(Inspection { database, statistics, samples, report, identities: None })
    }
}

/// The tables to look at, in the order of their names.
async fn names(
    tables: &dyn Tables,
    gaps: &mut Vec<Gap>,
    stages: &mut Stages<'_>,
) -> Result<Vec<String>, InspectError> {
    if let Some(name) = tables.table() {
        return Ok(vec![name.to_owned()]);
    }
    let context = stages.context();
    let mut names: Vec<String> = Vec::new();
    let mut after = None;
    loop {
        let page = match stages.timed("tables", tables.list_tables(after.as_deref(), context)).await {
            Ok(page) => page,
            Err(InspectError::Database { stage, source }) => {
                let Some(reason) = refusal(&source) else { return Err(InspectError::Database { stage, source }) };
                gaps.push(Gap { object: None, part: "collections".to_owned(), reason });
                break;
            }
            Err(error) => return Err(error),
        };
        names.extend(page.names);
        after = page.next;
        if after.is_none() {
            break;
        }
        if names.len() >= MOST_TABLES {
            gaps.push(Gap { object: None, part: "collections".to_owned(), reason: Unavailable::OverLimit });
            break;
        }
    }
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

fn refusal(error: &DatabaseError) -> Option<Unavailable> {
    match error.kind() {
        DatabaseErrorKind::Query if error.code() == Some(DENIED) => Some(Unavailable::Forbidden),
        DatabaseErrorKind::Query | DatabaseErrorKind::Unsupported | DatabaseErrorKind::Decode => {
            Some(Unavailable::Broken)
        }
        _ => None,
    }
}

fn object(table: &str) -> ObjectName {
    ObjectName::new(DEFAULT, table)
}

fn gap(table: &str, part: &str, reason: Unavailable) -> Gap {
    Gap { object: Some(object(table)), part: part.to_owned(), reason }
}

/// Looks into tables.
struct Look<'a> {
    tables: &'a dyn Tables,
    options: &'a SamplingOptions,
    asking: Asking<'a>,
}

/// What was seen.
struct Looked {
    collection: Collection,
    statistics: Option<RelationStatistics>,
    sample: Option<Sample>,
    gaps: Vec<Gap>,
    tally: Tally,
}

impl Look<'_> {
    /// Looks into one; `None` where it is not there any more.
    async fn at(&self, table: &str) -> Result<Option<Looked>, InspectError> {
        let mut tally = Tally::default();
        let mut gaps = Vec::new();
        let described = self.asking.ask("descriptions", &mut tally, |context| async move {
            self.tables.describe_table(table, &context).await
        });
        let (mut collection, statistics) = match described.await? {
            Ok(None) => return Ok(None),
            Ok(Some(described)) => {
                let statistics = RelationStatistics {
                    relation: object(table),
                    rows: described.items,
                    bytes: described.bytes,
                };
                (declared(table, described), Some(statistics))
            }
            Err(reason) => {
                gaps.push(gap(table, "description", reason));
                (Collection::new(table, CollectionKind::Table), None)
            }
        };
        let expiry = self.asking.ask("times to live", &mut tally, |context| async move {
            self.tables.time_to_live(table, &context).await
        });
        match expiry.await? {
            Ok(attribute) => {
                collection.native.extend(attribute.map(|name| ("time_to_live".to_owned(), name.into())));
            }
            Err(reason) => gaps.push(gap(table, "time_to_live", reason)),
        }
        let sample = if self.options.documents > 0 { Some(self.sample(table, &mut tally).await?) } else { None };
        Ok(Some(Looked { collection, statistics, sample, gaps, tally }))
    }

    async fn sample(&self, table: &str, tally: &mut Tally) -> Result<Sample, InspectError> {
        let bounds = Bounds::documents(self.options.documents).within(self.options.bytes);
        let items = self.asking.ask("samples", tally, |context| async move {
            self.tables.first_items(table, bounds, &context).await
        });
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

/// A table as it was made.
fn declared(name: &str, described: TableDescription) -> Collection {
    let TableDescription { attributes, key, indexes, billing, capacity, stream, class, is_protected, .. } = described;
    let mut made = Collection::new(name, CollectionKind::Table);
    let field = |(name, word): (String, String)| DeclaredField {
        required: key.contains(&name),
        name,
        types: vec![word],
        comment: None,
    };
    // The service tells them in an order of its own.
    made.fields = attributes.into_iter().map(field).collect();
    made.fields.sort_by(|one, other| one.name.cmp(&other.name));
    made.key = key;
    made.indexes = indexes.into_iter().map(index).collect();
    made.indexes.sort_by(|one, other| one.name.cmp(&other.name));
    let facts = [("billing_mode", billing), ("stream", stream), ("table_class", class)];
    made.native.extend(facts.into_iter().filter_map(|(fact, word)| Some((fact.to_owned(), word?.into()))));
    bought(&mut made.native, capacity);
    if is_protected {
        made.native.insert("deletion_protection".to_owned(), true.into());
    }
    made
}

fn bought(native: &mut Native, capacity: Option<(u64, u64)>) {
    if let Some((reads, writes)) = capacity {
        native.insert("read_capacity_units".to_owned(), reads.into());
        native.insert("write_capacity_units".to_owned(), writes.into());
    }
}

fn index(index: TableIndex) -> Index {
    let mut native = Native::new();
    native.extend(index.projection.map(|word| ("projection".to_owned(), word.into())));
    bought(&mut native, index.capacity);
    let part = |name: String| IndexPart {
        target: PartTarget::Column(name),
        direction: None,
        nulls: None,
        operator_class: None,
        collation: None,
        prefix_length: None,
    };
    Index {
        name: index.name,
        method: if index.is_local { "local" } else { "global" }.to_owned(),
        unique: false,
        nulls_distinct: true,
        constraint: None,
        parts: index.key.into_iter().map(part).collect(),
        include: index.include,
        predicate: None,
        valid: index.is_active,
        comment: None,
        native,
    }
}
