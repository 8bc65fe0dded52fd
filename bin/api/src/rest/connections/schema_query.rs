use registry_context::domain::{DatabaseName, Definition, PartName};
use schema_inspect::SamplingOptions;
use shared_kernel::database::Presence;
use utoipa::IntoParams;

use super::StoredConnections;
use crate::registry::SchemaPart;
use crate::rest::problem::{Problem, ProblemKind};
use crate::rest::query::Query;

/// The most documents of a collection that are looked at for a caller.
const MOST_DOCUMENTS: u32 = 100;
/// The most levels of names that a caller is told.
const MOST_LEVELS: u32 = 10;

/// What of a connection's server is to be looked at, and how closely.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes the parameters that `SchemaQuery` reads")]
pub(crate) struct SchemaParams {
    /// Another database on the same server than the connection's own; letter case counts
    #[param(min_length = 1, max_length = 200, pattern = "^[^\\u0000-\\u001f\\u007f-\\u009f]+$", example = "sales")]
    database: Option<String>,
    /// Only the part of the database that is called so; letter case counts
    #[param(min_length = 1, max_length = 200, pattern = "^[^\\u0000]+$", example = "public")]
    schema: Option<String>,
    /// How many documents of each collection, items of each table or values of each pattern of keys are looked at, where nobody has
    /// declared what they are; 20 when it is left out
    #[param(minimum = 0, maximum = 100, example = 20)]
    sample: Option<u32>,
    /// How many levels of names within documents are told; 3 when it is left out
    #[param(minimum = 1, maximum = 10, example = 3)]
    depth: Option<u32>,
    /// Whether the database is looked at now, whatever is kept
    refresh: Option<bool>,
}

/// [`SchemaParams`] as they were given.
#[derive(Debug)]
pub(super) struct SchemaQuery {
    part: SchemaPart,
    /// Whether what is kept will not do.
    pub(super) anew: bool,
}

impl SchemaQuery {
    /// The names of the parameters, before those of the endpoint itself.
    pub(super) fn parameters(own: &[&'static str]) -> Vec<&'static str> {
        [&["database", "schema", "sample", "depth", "refresh"], own].concat()
    }

    /// Reads them; what is wrong is noted in `query`.
    pub(super) fn take(query: &mut Query) -> Self {
        let usual = SamplingOptions::default();
        let database = query.with("database", "bad_name", database);
        let namespace = query.with("schema", "bad_name", PartName::parse);
        let documents = query.with("sample", "out_of_range", |text| within(text, 0, MOST_DOCUMENTS));
        let depth = query.with("depth", "out_of_range", |text| within(text, 1, MOST_LEVELS));
        let anew = query.with("refresh", "bad_switch", str::parse::<bool>).unwrap_or_default();
        let part = SchemaPart {
            database,
            namespace,
            documents: documents.unwrap_or(usual.documents),
            depth: depth.unwrap_or(usual.depth),
        };
        Self { part, anew }
    }

    /// What it means for a connection that is defined so.
    ///
    /// # Errors
    /// `connection-unusable` where the engine has no other databases, or one database was asked for within another.
    pub(super) fn part(self, definition: &Definition, connections: &StoredConnections) -> Result<SchemaPart, Problem> {
        let engine = &definition.engine;
        let unusable = |detail: &str| Err(Problem::new(ProblemKind::ConnectionUnusable, detail.to_owned()));
        let part = self.part;
        let Some(database) = &part.database else { return Ok(part) };
        if connections.schemas.namespaces_are_databases(engine) {
            if part.namespace.as_ref().is_some_and(|namespace| namespace.as_str() != database.as_str()) {
                return unusable(
                    "a schema of this engine is a database: `database` and `schema` name two, and one is looked at",
                );
            }
            let namespace = PartName::parse(database.as_str()).map_err(|_| Problem::internal())?;
            return Ok(SchemaPart { database: None, namespace: Some(namespace), ..part });
        }
        let description = connections.engines.find(engine.as_str());
        if description.is_none_or(|description| description.database == Presence::Unused) {
            return unusable("a connection to this engine leads to one database, and `database` names another");
        }
        if definition.database.as_ref() == Some(database) {
            return Ok(SchemaPart { database: None, ..part });
        }
        Ok(part)
    }
}

/// A name that any engine may have for a database, and a part of one as well.
fn database(text: &str) -> Result<DatabaseName, String> {
    PartName::parse(text).map_err(|error| error.to_string())?;
    DatabaseName::parse(text).map_err(|error| error.to_string())
}

fn within(text: &str, least: u32, most: u32) -> Result<u32, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| text.parse().ok()).flatten().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| format!("a whole number from {least} to {most}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_digits_within_bounds() {
        for (text, expected) in [("0", Some(0)), ("100", Some(100)), ("007", Some(7))] {
            assert_eq!(within(text, 0, 100).ok(), expected, "{text}");
        }
        for text in ["", "-1", "+1", "1.0", "101", "99999999999", "x", "1 "] {
            assert_eq!(within(text, 0, 100), Err("a whole number from 0 to 100".to_owned()), "{text}");
        }
        assert!(within("0", 1, 10).is_err());
    }

    #[test]
    fn a_database_may_be_called_what_a_part_may_be() {
        assert_eq!(database("a b'\"").expect("a name").as_str(), "a b'\"");
        for text in ["", "a\0", "a\n", &"x".repeat(201)] {
            assert!(database(text).is_err(), "{text:?}");
        }
    }
}
