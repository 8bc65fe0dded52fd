//! Redis, by the kernel's capability to look around among keys. Nobody declares anything there: what the server is set to and which
//! of its databases have keys is the model, and what the keys look like is a sample beside it.
//!
//! Keys are met with `SCAN`, never with `KEYS`, up to a number of them. Of each key the type and the time to live are asked for; then
//! the keys are put into patterns, and of a few values of each pattern it is asked how long and how large they are, and which fields
//! hashes have. No value is read, and of a key no more is told than its pattern: that is the key itself where nothing in it looks
//! like data.

mod facts;
mod look;
mod observed;
mod pattern;
mod seen;
#[cfg(test)]
mod tests;
mod tree;

use std::collections::BTreeMap;
use std::time::Instant;

use async_trait::async_trait;
use schema_model::{Database, Extension, Inspection, Namespace, Native, Report, Unavailable};
use shared_kernel::RequestContext;
use shared_kernel::database::{DatabaseConnection, DatabaseError, DatabaseErrorKind, Engine, KeyAnswer, KeyQuestion};

use self::facts::Count;
use self::look::Look;
use crate::asking::Asking;
use crate::stages::Stages;
use crate::{InspectError, InspectOptions, Inspector};

/// Looks at databases of Redis 7 and later, at clusters of it, and at what speaks its language. A namespace is a numbered database,
/// `db0` and so on: the connection's own, and the others that have keys.
#[derive(Debug, Clone, Copy, Default)]
pub struct RedisInspector;

/// The most databases that are looked into, the most that are told, and the most servers of a cluster.
const MOST_DATABASES: usize = 16;
const MOST_TOLD: usize = 1_000;
const MOST_NODES: usize = 64;

/// What a server says to those who may not.
const FORBIDDEN: &str = "NOPERM";

#[async_trait]
impl Inspector for RedisInspector {
    fn engines(&self) -> &[Engine] {
        const { &[Engine::REDIS] }
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
        let keyspace = connection.keyspace().map_err(failed)?;
        let version = stages.timed("version", connection.ping(context)).await?.server_version.unwrap_or_default();
        let asking = Asking { context, until: Instant::now() + options.sampling.patience, refusal };
        let mut look = Look::begin(keyspace, asking, &options.sampling).await?;
        let facts = Facts::read(&mut look, keyspace.database()).await?;
        let mut databases = wanted(keyspace.database(), facts.counts.as_ref(), options.namespaces.as_deref());
        if cut(&mut databases) {
            look.gap("databases", Unavailable::OverLimit);
        }
        let mut key_samples = Vec::new();
        for (place, database) in databases.iter().enumerate() {
            if options.sampling.keys == 0 {
                break;
            }
            let count = facts.counts.as_ref().map(|counts| counts.get(database).copied().unwrap_or_default());
            key_samples.push(if place < MOST_DATABASES {
                look.sample(*database, count).await?
            } else {
                look.past(*database, count)
            });
        }
        let Facts { native, extensions, .. } = facts;
        let name = facts::name(keyspace.database());
        let mut namespaces: Vec<Namespace> =
            databases.into_iter().map(|database| Namespace::new(facts::name(database))).collect();
        namespaces.sort_by(|one, other| one.name.cmp(&other.name));
        let gaps = look.told(&mut stages);
        let database = Database {
            engine: Engine::REDIS.to_string(),
            version,
            name,
            comment: None,
            character_set: None,
            collation: None,
            namespaces,
            extensions,
            native_objects: Vec::new(),
            native,
        };
        let report = Report { gaps, ..stages.report() };
        Ok(Inspection { database, statistics: Vec::new(), samples: Vec::new(), key_samples, report, identities: None })
    }
}

/// What the servers say of themselves.
#[derive(Debug, Default)]
struct Facts {
    native: Native,
    extensions: Vec<Extension>,
    /// How many keys there are in each database that has any; `None` where nobody says.
    counts: Option<BTreeMap<u32, Count>>,
}

impl Facts {
    /// Settings and modules are those of one server: of a cluster all have the same.
    async fn read(look: &mut Look<'_>, own: u32) -> Result<Self, InspectError> {
        const SETTINGS: [(&str, &str); 4] =
            [("keyspace", "counts"), ("server", "server"), ("memory", "settings"), ("modules", "modules")];
        let mut facts = Self::default();
        let places = look.places(own);
        let mut counts = (!places.is_empty()).then(BTreeMap::new);
        for (number, place) in places.into_iter().enumerate() {
            let asked = if number == 0 { &SETTINGS[..] } else { &SETTINGS[..1] };
            let questions: Vec<KeyQuestion> = asked.iter().map(|(section, _)| KeyQuestion::Facts(section)).collect();
            let answers = match look.ask("facts", &place, &questions).await? {
                Ok(answers) => answers,
                Err(reason) => vec![Err(reason); asked.len()],
            };
            for ((section, part), answer) in asked.iter().zip(answers) {
                match answer {
                    Ok(KeyAnswer::Text(told)) => match *section {
                        "keyspace" => counts.iter_mut().for_each(|counts| facts::counts(&told, counts)),
                        "modules" => facts.extensions = facts::modules(&told),
                        _ => facts::settings(&told, &mut facts.native),
                    },
                    outcome => {
                        look.gap(*part, outcome.err().unwrap_or(Unavailable::Broken));
                        if *section == "keyspace" {
                            counts = None;
                        }
                    }
                }
            }
        }
        facts.counts = counts;
        // Its fellows' keys are theirs, and the connection does not lead to them.
        if look.is_alone() && facts.native.get("mode").is_some_and(|mode| mode == "cluster") {
            look.gap("other nodes", Unavailable::OverLimit);
        }
        Ok(facts)
    }
}

/// The databases to look at: those that are asked for, or else the connection's own and all that have keys. Its own is the first.
fn wanted(own: u32, counts: Option<&BTreeMap<u32, Count>>, asked: Option<&[String]>) -> Vec<u32> {
    let is_there = |database: &u32| *database == own || counts.is_none_or(|counts| counts.contains_key(database));
    let mut databases: Vec<u32> = match asked {
        Some(names) => names.iter().filter_map(|name| facts::number(name)).filter(is_there).collect(),
        None => counts.into_iter().flat_map(BTreeMap::keys).copied().chain([own]).collect(),
    };
    databases.sort_unstable_by_key(|database| (*database != own, *database));
    databases.dedup();
    databases
}

/// Leaves out what there is too much of to be told, and says whether there is.
fn cut(databases: &mut Vec<u32>) -> bool {
    let are_too_many = databases.len() > MOST_TOLD;
    databases.truncate(MOST_TOLD);
    are_too_many
}

/// Why the server does not tell something, where it is there and well otherwise.
fn refusal(error: &DatabaseError) -> Option<Unavailable> {
    match error.kind() {
        _ if error.code() == Some(FORBIDDEN) => Some(Unavailable::Forbidden),
        DatabaseErrorKind::Query
        | DatabaseErrorKind::Unsupported
        | DatabaseErrorKind::Decode
        | DatabaseErrorKind::UnknownDatabase => Some(Unavailable::Broken),
        _ => None,
    }
}
