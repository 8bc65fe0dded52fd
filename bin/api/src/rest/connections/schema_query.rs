use std::ops::RangeInclusive;

use registry_context::domain::{DatabaseName, Definition, PartName};
use schema_inspect::{NamingError, SamplingOptions};
use utoipa::IntoParams;

use super::StoredConnections;
use crate::registry::SchemaPart;
use crate::rest::problem::{Problem, ProblemKind};
use crate::rest::query::Query;

/// What of a connection's server is to be looked at, and how closely.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it describes the parameters that `SchemaQuery` reads")]
pub(crate) struct SchemaParams {
    /// Another database on the same server as the connection's own; letter case counts
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
    /// Whether the database is asked now, whatever is kept: looked at or, where its engine tells that nothing has changed, found unchanged
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
        let documents = query.with("sample", "out_of_range", |text| within(text, SamplingOptions::DOCUMENTS));
        let depth = query.with("depth", "out_of_range", |text| within(text, SamplingOptions::DEPTH));
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
    /// `unknown-database` where the engine has no other databases; `connection-unusable` where one database was asked for within
    /// another.
    pub(super) fn part(self, definition: &Definition, connections: &StoredConnections) -> Result<SchemaPart, Problem> {
        let (engine, inspectors) = (&definition.engine, connections.schemas.inspectors());
        let SchemaPart { database, namespace, mut documents, mut depth } = self.part;
        let own = definition.database.as_ref().map(DatabaseName::as_str);
        let named = (database.as_ref().map(DatabaseName::as_str), namespace.as_ref().map(PartName::as_str));
        let meant = inspectors.meant(engine, own, named.0, named.1);
        let meant = meant.map_err(|error| {
            let kind = match error {
                NamingError::OneDatabase(_) => ProblemKind::UnknownDatabase,
                _ => ProblemKind::ConnectionUnusable,
            };
            Problem::new(kind, error.to_string())
        })?;
        if !inspectors.samples(engine) {
            // Looks that are the same are one.
            SamplingOptions { documents, depth, .. } = SamplingOptions::default();
        }
        // They were names of both before.
        let database = meant.database.map(DatabaseName::parse).transpose().map_err(|_| Problem::internal())?;
        let namespace = meant.namespace.map(PartName::parse).transpose().map_err(|_| Problem::internal())?;
        Ok(SchemaPart { database, namespace, documents, depth })
    }
}

/// A name that any engine may have for a database, and a part of one as well.
fn database(text: &str) -> Result<DatabaseName, String> {
    PartName::parse(text).map_err(|error| error.to_string())?;
    DatabaseName::parse(text).map_err(|error| error.to_string())
}

fn within(text: &str, bounds: RangeInclusive<u32>) -> Result<u32, String> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| text.parse().ok()).flatten().filter(|number| bounds.contains(number));
    number.ok_or_else(|| format!("a whole number from {} to {}", bounds.start(), bounds.end()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_digits_within_bounds() {
        for (text, expected) in [("0", Some(0)), ("100", Some(100)), ("007", Some(7))] {
            assert_eq!(within(text, 0..=100).ok(), expected, "{text}");
        }
        for text in ["", "-1", "+1", "1.0", "101", "99999999999", "x", "1 "] {
            assert_eq!(within(text, 0..=100), Err("a whole number from 0 to 100".to_owned()), "{text}");
        }
        assert!(within("0", 1..=10).is_err());
    }

    #[test]
    fn the_bounds_that_are_described_are_those_that_count() {
        let described = serde_json::to_value(SchemaParams::into_params(|| None)).expect("JSON");
        for (name, bounds) in [("sample", SamplingOptions::DOCUMENTS), ("depth", SamplingOptions::DEPTH)] {
            let parameters = described.as_array().expect("parameters");
            let schema = &parameters.iter().find(|one| one["name"] == name).expect("it is there")["schema"];
            assert_eq!(
                (&schema["minimum"], &schema["maximum"]),
                (&json!(bounds.start()), &json!(bounds.end())),
                "{name}"
            );
        }
    }

    #[test]
    fn a_database_may_be_called_what_a_part_may_be() {
        assert_eq!(database("a b'\"").expect("a name").as_str(), "a b'\"");
        for text in ["", "a\0", "a\n", &"x".repeat(201)] {
            assert!(database(text).is_err(), "{text:?}");
        }
    }
}
