//! What a server says of itself.

use bson::{Bson, DateTime, Document, doc};

use super::wire::MAX_MESSAGE;

/// The version of MongoDB's protocol that is spoken: that of MongoDB 7.0, which is what the engine's functions resemble.
const VERSION: [i32; 4] = [7, 0, 0, 0];
const WIRE_VERSION: i32 = 21;

/// The answer to `hello` and to its old names: one server for itself, without replicas.
pub(super) fn hello(command: &Document, connection: i32) -> Document {
    let mut answer = doc! {
        "helloOk": true,
        "ismaster": true,
        "isWritablePrimary": true,
        "maxBsonObjectSize": 16 * 1024 * 1024,
        "maxMessageSizeBytes": i32::try_from(MAX_MESSAGE).unwrap_or(i32::MAX),
        "maxWriteBatchSize": 100_000,
        "localTime": DateTime::now(),
        "logicalSessionTimeoutMinutes": 30,
        "connectionId": connection,
        "minWireVersion": 0,
        "maxWireVersion": WIRE_VERSION,
        "readOnly": false,
        "ok": 1.0,
    };
    if command.contains_key("saslSupportedMechs") {
        answer.insert("saslSupportedMechs", vec![Bson::from("SCRAM-SHA-256")]);
    }
    answer
}

/// The answer to `buildInfo`.
pub(super) fn build_info() -> Document {
    let version = VERSION.map(|part| part.to_string())[..3].join(".");
    doc! { "version": version, "versionArray": VERSION.to_vec(), "bits": 64, "maxBsonObjectSize": 16 * 1024 * 1024, "ok": 1.0 }
}
