//! Messages of MongoDB's wire protocol, and what may be in them.

use std::io;

use ::mongodb::bson::raw::RawBsonRef;
use ::mongodb::bson::{RawDocument, rawdoc};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::mongodb::bson::DEPTH;
use crate::mongodb::documents::WRITING;
use crate::mongodb::scout::{HEADER, OP_MSG, message};

/// The most bytes of a request: what servers take (`maxMessageSizeBytes`).
pub(super) const REQUEST: usize = 48_000_000;
/// The most bytes of an answer. It is one document, and those end at 16 MiB and a little.
pub(super) const ANSWER: usize = 17 * 1024 * 1024;

/// The flags and the kind of the first section, which follow the header.
const PREFIX: usize = 5;
const CHECKSUM_PRESENT: u32 = 1;
const CHECKSUM: usize = 4;

/// What those may ask who only read.
const READING: [&str; 23] = [
    "aggregate",
    "authenticate",
    "buildInfo",
    "collStats",
    "connectionStatus",
    "count",
    "dbStats",
    "distinct",
    "endSessions",
    "find",
    "getMore",
    "hello",
    "isMaster",
    "ismaster",
    "killCursors",
    "listCollections",
    "listCommands",
    "listDatabases",
    "listIndexes",
    "ping",
    "saslContinue",
    "saslStart",
    "usersInfo",
];

/// What has the server run somebody's JavaScript, wherever it stands in a request.
const RUNNING: [&str; 3] = ["$accumulator", "$function", "$where"];
/// What the names of operators begin with that servers keep for themselves. Some run JavaScript, and no driver sends any.
const INTERNAL: &str = "$_internal";
/// What has the server tell what passwords are checked against.
const CREDENTIALS: &str = "showCredentials";

/// As often as a server may have a password hashed for a login. Servers that are left as they came want 15,000; at the most that
/// a number can say, a processor would be busy for an hour.
const ITERATIONS: u32 = 200_000;

/// The most bytes of a server's word in a login; servers say about a hundred. The driver keeps the salt for as long as the process
/// lives.
const WORD: usize = 1_024;

/// One message, whole.
pub(super) struct Frame(Vec<u8>);

impl Frame {
    /// Reads a message of at most `limit` bytes. Room is made as they come, and not as they are announced.
    pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin), limit: usize) -> io::Result<Self> {
        let mut header = [0; HEADER];
        stream.read_exact(&mut header).await?;
        let length = usize::try_from(word(&header, 0)).ok().filter(|length| (HEADER + PREFIX..=limit).contains(length));
        let length = length.ok_or_else(|| invalid("a message of an impossible length"))?;
        if word(&header, 12) != OP_MSG {
            return Err(invalid("a message of another kind"));
        }
        let mut bytes = header.to_vec();
        stream.take((length - HEADER) as u64).read_to_end(&mut bytes).await?;
        if bytes.len() < length { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(Self(bytes)) }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The one document that it is made of.
    fn document(&self) -> io::Result<&RawDocument> {
        let (_, rest) = self.0.split_at(HEADER);
        let (flags, rest) = rest.split_first_chunk().ok_or_else(|| invalid("a message without flags"))?;
        let flags = u32::from_le_bytes(*flags);
        let end = if flags & CHECKSUM_PRESENT == 0 { Some(rest.len()) } else { rest.len().checked_sub(CHECKSUM) };
        match end.and_then(|end| rest.get(..end)).and_then(<[u8]>::split_first) {
            Some((0, document)) if flags & !CHECKSUM_PRESENT == 0 => {
                RawDocument::from_bytes(document).map_err(|_| invalid("a message that is no BSON"))
            }
            _ => Err(invalid("a message that is more than one document")),
        }
    }

    /// The answer to a request that changes something, which is not sent on; `None` for one that only reads.
    pub(super) fn refusal(&self) -> io::Result<Option<Vec<u8>>> {
        if only_reads(self.document()?)? {
            return Ok(None);
        }
        let body = rawdoc! {
            "ok": 0.0,
            "errmsg": "a connection that was defined from outside only reads, and has no code run",
            "code": 13,
            "codeName": "Unauthorized",
        };
        Ok(Some(message(0, word(&self.0, 4), &body)))
    }

    /// Whether it answers that request. The driver does not look, and would take each answer for that of the next question once a
    /// server had said more than it was asked.
    pub(super) fn belongs_to(&self, request: &Self) -> io::Result<()> {
        if word(&self.0, 8) == word(&request.0, 4) { Ok(()) } else { Err(invalid("an answer to another request")) }
    }

    /// Whether the answer can be given to the driver, which reads it without a limit to its depth.
    pub(super) fn check(&self) -> io::Result<()> {
        let answer = self.document()?;
        within(answer, DEPTH)?;
        for field in answer {
            match field.map_err(io::Error::other)? {
                (name, RawBsonRef::Document(first)) if name.as_str() == "speculativeAuthenticate" => login(first)?,
                _ => {}
            }
        }
        login(answer)
    }
}

/// A number of the header: 0 for the length, 4 for the message's own number, 8 for that of what it answers, 12 for its kind.
fn word(message: &[u8], at: usize) -> i32 {
    message.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |bytes| i32::from_le_bytes(*bytes))
}

fn only_reads(request: &RawDocument) -> io::Result<bool> {
    let mut command = None;
    for field in request {
        let (name, value) = field.map_err(io::Error::other)?;
        let name = name.as_str();
        if !READING.contains(command.get_or_insert(name)) || name == CREDENTIALS || runs_code(name, value, DEPTH)? {
            return Ok(false);
        }
        if let ("pipeline", RawBsonRef::Array(stages)) = (name, value) {
            for stage in stages {
                let RawBsonRef::Document(stage) = stage.map_err(io::Error::other)? else { return Ok(false) };
                for field in stage {
                    if WRITING.contains(&field.map_err(io::Error::other)?.0.as_str()) {
                        return Ok(false);
                    }
                }
            }
        }
    }
    Ok(command.is_some())
}

/// Whether code for the server is under this name, or anywhere below it.
fn runs_code(name: &str, value: RawBsonRef<'_>, depth: usize) -> io::Result<bool> {
    let inner = match value {
        _ if RUNNING.contains(&name) || name.starts_with(INTERNAL) => return Ok(true),
        RawBsonRef::JavaScriptCode(_) | RawBsonRef::JavaScriptCodeWithScope(_) => return Ok(true),
        RawBsonRef::Document(inner) => inner,
        RawBsonRef::Array(inner) => RawDocument::from_bytes(inner.as_bytes()).map_err(io::Error::other)?,
        _ => return Ok(false),
    };
    let depth = depth.checked_sub(1).ok_or_else(|| invalid("a request that is too deep to be looked through"))?;
    for field in inner {
        let (name, value) = field.map_err(io::Error::other)?;
        if runs_code(name.as_str(), value, depth)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether documents lie within documents no deeper than that.
fn within(document: &RawDocument, depth: usize) -> io::Result<()> {
    let depth = depth.checked_sub(1).ok_or_else(|| invalid("documents within documents, too deep"))?;
    for field in document {
        match field.map_err(io::Error::other)?.1 {
            RawBsonRef::Document(inner) => within(inner, depth)?,
            // An array is written as a document.
            RawBsonRef::Array(inner) => {
                within(RawDocument::from_bytes(inner.as_bytes()).map_err(io::Error::other)?, depth)?;
            }
            RawBsonRef::JavaScriptCodeWithScope(inner) => within(inner.scope, depth)?,
            _ => {}
        }
    }
    Ok(())
}

/// The server's first word of SCRAM (RFC 5802, section 5.1) tells how often the password is hashed.
fn login(answer: &RawDocument) -> io::Result<()> {
    for field in answer {
        let (name, RawBsonRef::Binary(payload)) = field.map_err(io::Error::other)? else { continue };
        if name.as_str() != "payload" {
            continue;
        }
        if payload.bytes.len() > WORD {
            return Err(invalid("a login that says too much"));
        }
        let mut counts = payload.bytes.split(|byte| *byte == b',').filter_map(|part| part.strip_prefix(b"i="));
        let fits = |count: &[u8]| {
            std::str::from_utf8(count)
                .ok()
                .and_then(|count| count.parse().ok())
                .is_some_and(|count: u32| count <= ITERATIONS)
        };
        if !counts.all(fits) {
            return Err(invalid("a login that would take too long to compute"));
        }
    }
    Ok(())
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use ::mongodb::bson::{Binary, RawDocumentBuf, spec::BinarySubtype};

    use super::*;

    fn frame(body: &RawDocument) -> Frame {
        Frame(message(7, 0, body))
    }

    fn is_refused(body: &RawDocument) -> bool {
        frame(body).refusal().unwrap().is_some()
    }

    fn code() -> ::mongodb::bson::RawJavaScriptCodeWithScope {
        ::mongodb::bson::RawJavaScriptCodeWithScope { code: "sleep(1)".to_owned(), scope: RawDocumentBuf::new() }
    }

    #[test]
    fn a_request_that_cannot_be_looked_through_goes_no_further() {
        let nested = |depth: usize| (1..depth).fold(RawDocumentBuf::new(), |inner, _| rawdoc! { "a": inner });
        assert!(!is_refused(&rawdoc! { "find": "books", "filter": nested(DEPTH) }));
        assert!(frame(&rawdoc! { "find": "books", "filter": nested(DEPTH + 1) }).refusal().is_err());
    }

    #[test]
    fn what_changes_something_is_answered_and_goes_no_further() {
        for reading in [
            rawdoc! { "find": "books", "$db": "library" },
            rawdoc! { "aggregate": "books", "pipeline": [{ "$match": {} }, { "$limit": 1 }] },
            rawdoc! { "hello": 1 },
            rawdoc! { "find": "books", "filter": { "title": { "$in": ["$where", { "where": 1 }] } } },
            rawdoc! { "usersInfo": { "user": "ann", "db": "library" }, "showPrivileges": true },
        ] {
            assert!(!is_refused(&reading), "{reading:?}");
        }
        for changing in [
            rawdoc! { "insert": "books", "documents": [{}] },
            rawdoc! { "dropDatabase": 1 },
            rawdoc! { "INSERT": "books" },
            rawdoc! { "aggregate": "books", "pipeline": [{ "$match": {} }, { "$out": "copy" }] },
            rawdoc! { "aggregate": "books", "pipeline": [], "pipeline": [{ "$merge": { "into": "copy" } }] },
            rawdoc! { "eval": "db.books.drop()" },
            rawdoc! { "usersInfo": "ann", "showCredentials": true },
            rawdoc! { "find": "books", "filter": { "$where": "while (true) {}" } },
            rawdoc! { "count": "books", "query": { "$or": [{ "a": 1 }, { "$where": code() }] } },
            rawdoc! { "find": "books", "filter": { "a": code() } },
            rawdoc! { "aggregate": "books", "pipeline": [{ "$set": { "a": { "$_internalJsEmit": { "eval": "f()" } } } }] },
            rawdoc! { "aggregate": "books", "pipeline": [{ "$group": { "_id": 1, "a": { "$accumulator": {} } } }] },
            rawdoc! { "aggregate": "books", "pipeline": [{ "$match": { "$expr": { "$function": { "lang": "js" } } } }] },
            rawdoc! {},
        ] {
            assert!(is_refused(&changing), "{changing:?}");
        }
        let answer = frame(&rawdoc! { "drop": "books" }).refusal().unwrap().unwrap();
        assert_eq!(answer[8..12], 7_i32.to_le_bytes(), "it answers the request");
        assert_eq!(Frame(answer).document().unwrap().get_i32("code").unwrap(), 13);
    }

    #[test]
    fn an_answer_belongs_to_its_request() {
        let request = frame(&rawdoc! { "ping": 1 });
        Frame(message(8, 7, &rawdoc! { "ok": 1.0 })).belongs_to(&request).unwrap();
        assert!(Frame(message(8, 6, &rawdoc! { "ok": 1.0 })).belongs_to(&request).is_err());
    }

    #[test]
    fn a_request_in_several_sections_goes_no_further() {
        let mut bytes = message(7, 0, &rawdoc! { "aggregate": "books" });
        // A second section of one document: a stage that could not be seen in the first.
        bytes.extend_from_slice(&[1, 18, 0, 0, 0]);
        bytes.extend_from_slice(b"pipeline\0");
        bytes.extend_from_slice(&[5, 0, 0, 0, 0]);
        assert!(Frame(bytes).refusal().is_err());
    }

    #[test]
    fn an_answer_is_no_deeper_than_can_be_read() {
        let nested = |depth: usize| (1..depth).fold(RawDocumentBuf::new(), |inner, _| rawdoc! { "a": inner });
        assert!(frame(&nested(DEPTH)).check().is_ok());
        assert!(frame(&nested(DEPTH + 1)).check().is_err());
        let arrays = (0..DEPTH).fold(rawdoc! {}, |inner, _| rawdoc! { "a": [inner] });
        assert!(frame(&arrays).check().is_err());
    }

    #[test]
    fn a_login_costs_what_logins_cost() {
        let payload = |count: &str| {
            let bytes = format!("r=nonce,s=c2FsdA==,i={count}").into_bytes();
            rawdoc! { "payload": Binary { subtype: BinarySubtype::Generic, bytes }, "ok": 1 }
        };
        for (count, is_ok) in [("15000", true), ("200000", true), ("200001", false), ("2147483647", false), ("", false)]
        {
            assert_eq!(frame(&payload(count)).check().is_ok(), is_ok, "{count}");
            let hello = rawdoc! { "speculativeAuthenticate": payload(count) };
            assert_eq!(frame(&hello).check().is_ok(), is_ok, "{count}");
        }
    }

    #[test]
    fn a_login_leaves_no_more_behind_than_logins_do() {
        let payload = |length: usize| {
            let bytes = format!("r=nonce,i=15000,s={}", "A".repeat(length)).into_bytes();
            let word = rawdoc! { "payload": Binary { subtype: BinarySubtype::Generic, bytes }, "ok": 1 };
            frame(&word).check()
        };
        assert!(payload(100).is_ok());
        assert!(payload(WORD).is_err());
    }

    #[tokio::test]
    async fn what_is_announced_is_not_believed() {
        let whole = message(7, 0, &rawdoc! { "ok": 1 });
        let read = async |bytes: Vec<u8>| {
            Frame::read(&mut bytes.as_slice(), 1_000).await.map(|_| ()).map_err(|error| error.kind())
        };
        let announcing = |length: i32| [&length.to_le_bytes()[..], &whole[4..]].concat();
        assert_eq!(read(whole.clone()).await, Ok(()));
        assert_eq!(read(announcing(999)).await, Err(io::ErrorKind::UnexpectedEof));
        for length in [1_001, i32::MAX, 20, 0, -1, i32::MIN] {
            assert_eq!(read(announcing(length)).await, Err(io::ErrorKind::InvalidData), "{length}");
        }
        let other = [&whole[..12], &1_i32.to_le_bytes(), &whole[16..]].concat();
        assert_eq!(read(other).await, Err(io::ErrorKind::InvalidData));
    }
}
