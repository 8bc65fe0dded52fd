//! `Idempotency-Key` on POST: the same request sent twice creates once and is answered twice with the same bytes.

use std::future::{Ready, ready};

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{FromRequest, HttpRequest, HttpResponse, dev::Payload};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use shared_kernel::idempotency::{IdempotencyError, IdempotencyKey};

use super::problem::{Fault, Problem, ProblemKind};

/// The header's name, in lower case.
pub(crate) const HEADER: &str = "idempotency-key";
/// Tells a replay from a first answer, for people who look; the body and the other headers are the same.
pub(crate) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The key of a request, when it has one.
#[derive(Debug)]
pub(crate) struct Key(pub(crate) Option<IdempotencyKey>);

impl FromRequest for Key {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        let mut lines = request.headers().get_all(HEADER);
        ready(match (lines.next(), lines.next()) {
            (None, _) => Ok(Self(None)),
            (Some(line), None) => {
                let key = line.to_str().ok().and_then(|text| text.parse().ok());
                key.map(|key| Self(Some(key))).ok_or_else(malformed)
            }
            (Some(_), Some(_)) => Err(malformed()),
        })
    }
}

fn malformed() -> Problem {
    let message = "`Idempotency-Key` is given once and has 1 to 255 visible ASCII characters";
    let fault = Fault::parameter("Idempotency-Key", "invalid_idempotency_key", message);
    Problem::new(ProblemKind::MalformedRequest, message).with_faults(vec![fault])
}

/// SHA-256 of a body in a canonical form: the order of keys and white space make no difference, everything else does.
pub(crate) fn digest(body: &Value) -> [u8; 32] {
    let mut hash = Sha256::new();
    feed(&mut hash, body);
    hash.finalize().into()
}

fn feed(hash: &mut Sha256, value: &Value) {
    let text = |hash: &mut Sha256, kind: u8, text: &str| {
        hash.update([kind]);
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
    };
    match value {
        Value::Null => hash.update(b"n"),
        Value::Bool(value) => hash.update([b'b', u8::from(*value)]),
        Value::Number(number) => text(hash, b'd', &number.to_string()),
        Value::String(string) => text(hash, b's', string),
        Value::Array(items) => {
            hash.update(b"a");
            hash.update((items.len() as u64).to_be_bytes());
            for item in items {
                feed(hash, item);
            }
        }
        Value::Object(fields) => {
            hash.update(b"o");
            hash.update((fields.len() as u64).to_be_bytes());
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_unstable_by_key(|(key, _)| key.as_str());
            for (key, value) in fields {
                text(hash, b'k', key);
                feed(hash, value);
            }
        }
    }
}

/// A 201 that can be kept as bytes and given again as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CreatedAnswer {
    location: String,
    etag: String,
    body: String,
}

impl CreatedAnswer {
    /// The answer to a creation: where the new resource is, its version's tag, and itself.
    pub(crate) fn new(location: String, etag: &HeaderValue, body: &impl Serialize) -> Self {
        let etag = etag.to_str().unwrap_or_default().to_owned();
        // Wire types are plain data, which always has a JSON form.
        Self { location, etag, body: serde_json::to_string(body).unwrap_or_default() }
    }

    /// The bytes for the receipt.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The answer as it goes out for the first time.
    pub(crate) fn respond(self) -> HttpResponse {
        HttpResponse::build(StatusCode::CREATED)
            .insert_header((header::LOCATION, self.location))
            .insert_header((header::ETAG, self.etag))
            .content_type("application/json")
            .body(self.body)
    }

    /// The answer out of a receipt.
    pub(crate) fn replay(bytes: &[u8]) -> Result<HttpResponse, Problem> {
        let answer: Self = serde_json::from_slice(bytes).map_err(|error| {
            tracing::error!(event = "idempotency.unreadable", error = %error, "a receipt's answer cannot be read");
            Problem::internal()
        })?;
        let mut response = answer.respond();
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        Ok(response)
    }
}

impl From<&IdempotencyError> for Problem {
    fn from(error: &IdempotencyError) -> Self {
        match error {
            IdempotencyError::Mismatch => Self::new(
                ProblemKind::IdempotencyKeyReused,
                "this idempotency key was sent before with another body; use a new key",
            ),
            IdempotencyError::InProgress { retry_after } => Self::new(
                ProblemKind::IdempotencyInProgress,
                "a request with this idempotency key is under way; send it again to get its answer",
            )
            .retry_after(*retry_after),
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_digest_sees_values_and_not_their_spelling() {
        let one: Value = serde_json::from_str(r#"{"a": 1, "b": [true, "x"]}"#).expect("JSON");
        let other: Value = serde_json::from_str(r#"{"b":[true,"\u0078"],"a":1}"#).expect("JSON");
        assert_eq!(digest(&one), digest(&other));
        for different in [json!({"a": 1}), json!({"a": 1, "b": ["x", true]}), json!({"a": "1", "b": [true, "x"]})] {
            assert_ne!(digest(&one), digest(&different), "{different}");
        }
    }

    #[test]
    fn keys_are_read_once_and_whole() {
        let read = |lines: &[&'static [u8]]| {
            let request = lines.iter().fold(TestRequest::default(), |request, line| {
                request.append_header((HEADER, HeaderValue::from_bytes(line).expect("a header")))
            });
            Key::from_request(&request.to_http_request(), &mut Payload::None).into_inner()
        };
        assert!(read(&[]).expect("optional").0.is_none());
        assert_eq!(read(&[b"abc"]).expect("visible").0.expect("a key").as_str(), "abc");
        for lines in [&[&b""[..]][..], &[b"a b"], &[b"a", b"a"], &[b"\xc3\xa4"]] {
            assert_eq!(read(lines).expect_err("malformed").kind(), ProblemKind::MalformedRequest);
        }
    }

    #[actix_web::test]
    async fn a_replay_has_the_bytes_of_the_first_answer() {
        let tag = HeaderValue::from_static("\"r1-v1\"");
        let answer = CreatedAnswer::new("/api/v1/users/1".to_owned(), &tag, &json!({"name": "Ada"}));
        let replayed = CreatedAnswer::replay(&answer.to_bytes()).expect("our own bytes");
        assert_eq!(replayed.headers().get(header::LOCATION).expect("the header"), "/api/v1/users/1");
        assert_eq!(replayed.headers().get(header::ETAG).expect("the header"), tag);
        let first = actix_web::body::to_bytes(answer.respond().into_body()).await.expect("a body");
        let again = actix_web::body::to_bytes(replayed.into_body()).await.expect("a body");
        assert_eq!(first, again);
    }
}
