use registry_context::domain::{ConnectionId, PartName, Snapshot, SnapshotLabel, SnapshotRecord};
use schema_model::{Canonical, Database, KeySample, RelationStatistics, Report, Sample};
use serde::Serialize;
use serde_json::{Value, json};
use shared_kernel::Version;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::rest::instant::instant;
use crate::rest::json::{Faults, Object, text};
use crate::rest::problem::{Fault, Problem};
use crate::rest::versions::Versioned;

/// What a snapshot is to be of, and what it is to be called.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewSnapshot)]
pub(crate) struct NewSnapshotBody {
    /// What to call it: 1 to 100 characters after trimming, none of them a control character.
    #[schema(format = "snapshot-label", min_length = 1, max_length = 100, example = "before 2.0")]
    label: Option<String>,
    /// Only the part of the database that is called so; letter case counts.
    #[schema(format = "part-name", min_length = 1, max_length = 200, example = "public")]
    schema: Option<String>,
}

/// What a caller says about a new snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct SnapshotInput {
    pub(crate) label: Option<SnapshotLabel>,
    pub(crate) part: Option<PartName>,
}

impl SnapshotInput {
    /// Reads a body; no body is one that says nothing, and null as good as nothing.
    pub(crate) fn read(body: Option<&Value>) -> Result<Self, Problem> {
        let Some(body) = body.filter(|body| !body.is_null()) else { return Ok(Self::default()) };
        let mut faults = Faults::default();
        let mut object = Object::new(body, "", &mut faults);
        let label = object.optional("label").and_then(|value| text(value, "/label", &mut faults));
        let label = label.and_then(|text| faults.keep(SnapshotLabel::parse(text), |error| Fault::of("/label", &error)));
        let part = object.optional("schema").and_then(|value| text(value, "/schema", &mut faults));
        let part = part.and_then(|text| faults.keep(PartName::parse(text), |error| Fault::of("/schema", &error)));
        object.finish(&mut faults);
        faults.check()?;
        Ok(Self { label, part })
    }

    /// The request as it was understood: what an idempotency key stands for.
    pub(crate) fn canonical(&self, connection: ConnectionId) -> Value {
        json!({
            "connection": connection.to_string(),
            "label": self.label.as_ref().map(SnapshotLabel::as_str),
            "schema": self.part.as_ref().map(PartName::as_str),
        })
    }
}

/// What is known of a snapshot. It never changes.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Snapshot)]
pub(crate) struct SnapshotBody {
    /// Which snapshot it is: a UUID of version 7.
    #[schema(example = "0190163d-8694-739b-aea5-966c26f8ad92")]
    id: Uuid,
    /// Of which connection's database.
    #[schema(example = "0190163d-8694-739b-aea5-966c26f8ad91")]
    connection_id: Uuid,
    /// Which version of the connection was followed.
    #[schema(minimum = 1, example = 1)]
    connection_version: i64,
    /// What whoever took it calls it.
    #[schema(required, max_length = 100, example = "before 2.0")]
    label: Option<String>,
    /// The part of the database that was looked at; null where it was all of it.
    #[schema(required, max_length = 200, example = "public")]
    schema: Option<String>,
    /// When the database was looked at: UTC, microseconds.
    #[schema(format = "date-time", example = "2026-01-31T12:00:00.000000Z")]
    taken_at: String,
    /// SHA-256 of the model's canonical JSON (RFC 8785), in hexadecimal digits: equal schemas have equal ones.
    #[schema(pattern = "^[0-9a-f]{64}$", example = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
    fingerprint: String,
    /// The product, such as `postgres`.
    #[schema(example = "postgres")]
    engine: String,
    /// The database's name.
    #[schema(example = "sales")]
    database_name: String,
    /// How many tables, views, collections and the like there were.
    #[schema(minimum = 0, example = 16)]
    relations: u64,
    /// How many bytes of JSON were found.
    #[schema(minimum = 0, example = 48_211)]
    bytes: u64,
}

impl From<&Snapshot> for SnapshotBody {
    fn from(snapshot: &Snapshot) -> Self {
        let record: &SnapshotRecord = snapshot.record();
        Self {
            id: record.id.uuid(),
            connection_id: record.connection.uuid(),
            connection_version: record.connection_version.get(),
            label: record.label.as_ref().map(ToString::to_string),
            schema: record.part.as_ref().map(ToString::to_string),
            taken_at: instant(record.taken_at),
            fingerprint: record.fingerprint.clone(),
            engine: record.engine.clone(),
            database_name: record.database.clone(),
            relations: record.relations,
            bytes: record.document_bytes,
        }
    }
}

impl Versioned for Snapshot {
    type Body<'a> = SnapshotBody;

    fn version(&self) -> Version {
        Self::VERSION
    }

    fn body(&self) -> SnapshotBody {
        self.into()
    }
}

/// A page of a connection's snapshots.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SnapshotPage)]
pub(crate) struct SnapshotPageBody {
    /// The snapshots, the latest first, without what is in them.
    #[schema(max_items = 200)]
    pub(crate) items: Vec<SnapshotBody>,
    /// Where the list goes on; null on the last page.
    #[schema(required)]
    pub(crate) next_cursor: Option<String>,
}

/// A snapshot and what is in it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SnapshotDocument)]
pub(crate) struct SnapshotDocumentBody<'a> {
    #[serde(flatten)]
    pub(crate) snapshot: SnapshotBody,
    /// The model.
    #[schema(value_type = Database)]
    pub(crate) database: Canonical<'a>,
    /// How much of it there was, as the engine had last counted.
    pub(crate) statistics: Vec<RelationStatistics>,
    /// What some of the documents looked like, of an engine that knows no more of them. Left out where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(crate) samples: Vec<Sample>,
    /// What some of the keys looked like, of an engine that keeps values under keys. No value is told, and of keys only patterns,
    /// one of which is the key itself where nothing in it looks like data. Left out where there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub(crate) key_samples: Vec<KeySample>,
    /// How it was found, and what was not.
    pub(crate) report: Report,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(body: &Value) -> Vec<String> {
        let problem = SnapshotInput::read(Some(body)).expect_err("refused");
        let line = |fault: &Fault| format!("{} {}", fault.pointer.as_deref().unwrap_or_default(), fault.code);
        problem.faults().iter().map(line).collect()
    }

    #[test]
    fn whoever_says_nothing_means_everything() {
        for body in [None, Some(json!(null)), Some(json!({})), Some(json!({"label": null, "schema": null}))] {
            assert_eq!(SnapshotInput::read(body.as_ref()).expect("read"), SnapshotInput::default(), "{body:?}");
        }
        let both = SnapshotInput::read(Some(&json!({"label": " a ", "schema": " a "}))).expect("read");
        let id = ConnectionId::new(Uuid::nil());
        let expected = json!({"connection": Uuid::nil().to_string(), "label": "a", "schema": " a "});
        assert_eq!(both.canonical(id), expected);
    }

    #[test]
    fn all_faults_are_told_at_once() {
        assert_eq!(faults(&json!([])), [" wrong_type"]);
        assert_eq!(
            faults(&json!({"label": 1, "schema": [], "x": 1})),
            ["/label wrong_type", "/schema wrong_type", "/x unknown_field"]
        );
        assert_eq!(
            faults(&json!({"label": "a\u{7}", "schema": "a\0"})),
            ["/label control_character", "/schema control_character"]
        );
    }
}
