//! Between the kernel's documents and the bytes of BSON.

use ::mongodb::bson::oid::ObjectId as TheirObjectId;
use ::mongodb::bson::raw::{CString, RawBson, RawBsonRef, RawJavaScriptCodeWithScope, cstr};
use ::mongodb::bson::{
    Binary, DateTime, Decimal128 as TheirDecimal128, RawArrayBuf, RawDocument, RawDocumentBuf, Regex, Timestamp,
};
use shared_kernel::database::{DatabaseError, DatabaseErrorKind, Decimal128, Document, DocumentValue, ObjectId};

/// How deep documents may lie within documents. MongoDB lets nobody write more than 100; a server that sends more is none, and
/// would have the stack run out.
pub(super) const DEPTH: usize = 200;

/// The kernel's document of what a server sent.
pub(super) fn read(raw: &RawDocument) -> Result<Document, DatabaseError> {
    read_document(raw, DEPTH)
}

fn read_document(raw: &RawDocument, depth: usize) -> Result<Document, DatabaseError> {
    let depth = depth.checked_sub(1).ok_or_else(too_deep)?;
    let mut document = Document::new();
    for field in raw {
        let (name, value) = field.map_err(|_| undecodable())?;
        document.push(name.as_str(), read_value(value, depth)?);
    }
    Ok(document)
}

fn read_value(raw: RawBsonRef<'_>, depth: usize) -> Result<DocumentValue, DatabaseError> {
    Ok(match raw {
        RawBsonRef::Null => DocumentValue::Null,
        RawBsonRef::Boolean(value) => DocumentValue::Boolean(value),
        RawBsonRef::Int32(value) => DocumentValue::Int32(value),
        RawBsonRef::Int64(value) => DocumentValue::Int64(value),
        RawBsonRef::Double(value) => DocumentValue::Double(value),
        RawBsonRef::Decimal128(value) => DocumentValue::Decimal128(Decimal128(value.bytes())),
        RawBsonRef::String(text) => DocumentValue::String(text.to_owned()),
        RawBsonRef::Binary(value) => {
            DocumentValue::Binary { subtype: value.subtype.into(), bytes: value.bytes.to_vec() }
        }
        RawBsonRef::ObjectId(id) => DocumentValue::ObjectId(ObjectId(id.bytes())),
        RawBsonRef::DateTime(time) => DocumentValue::DateTime(time.timestamp_millis()),
        RawBsonRef::Timestamp(Timestamp { time, increment }) => DocumentValue::Timestamp { seconds: time, increment },
        RawBsonRef::RegularExpression(value) => DocumentValue::Regex {
            pattern: value.pattern.as_str().to_owned(),
            options: value.options.as_str().to_owned(),
        },
        RawBsonRef::Array(values) => {
            let depth = depth.checked_sub(1).ok_or_else(too_deep)?;
            let values = values.into_iter().map(|value| read_value(value.map_err(|_| undecodable())?, depth));
            DocumentValue::Array(values.collect::<Result<_, _>>()?)
        }
        RawBsonRef::Document(document) => DocumentValue::Document(read_document(document, depth)?),
        RawBsonRef::JavaScriptCode(code) => DocumentValue::JavaScript(code.to_owned()),
        RawBsonRef::JavaScriptCodeWithScope(value) => DocumentValue::JavaScriptWithScope {
            code: value.code.to_owned(),
            scope: read_document(value.scope, depth)?,
        },
        RawBsonRef::Symbol(word) => DocumentValue::Symbol(word.to_owned()),
        RawBsonRef::DbPointer(_) => read_pointer(raw)?,
        RawBsonRef::Undefined => DocumentValue::Undefined,
        RawBsonRef::MinKey => DocumentValue::MinKey,
        RawBsonRef::MaxKey => DocumentValue::MaxKey,
    })
}

/// Where a value begins that is the only one of its document and has a name of no letters: behind the document's length, the
/// value's type, and the name's end.
const ONLY_VALUE: usize = 6;

/// The driver has no way into this one, so its bytes are looked at: the length of the namespace, the namespace, the id.
fn read_pointer(raw: RawBsonRef<'_>) -> Result<DocumentValue, DatabaseError> {
    let mut alone = RawDocumentBuf::new();
    alone.append(cstr!(""), raw);
    let bytes = alone.as_bytes();
    let value = bytes.get(ONLY_VALUE..bytes.len() - 1).ok_or_else(undecodable)?;
    let (text, id) = value.split_last_chunk::<12>().ok_or_else(undecodable)?;
    let text = text.get(4..text.len() - 1).and_then(|text| std::str::from_utf8(text).ok()).ok_or_else(undecodable)?;
    Ok(DocumentValue::DbPointer { namespace: text.to_owned(), id: ObjectId(*id) })
}

/// The bytes of a document to send.
pub(super) fn write(document: &Document) -> Result<RawDocumentBuf, DatabaseError> {
    let mut raw = RawDocumentBuf::new();
    for (name, value) in document.iter() {
        append(&mut raw, name, write_value(value)?)?;
    }
    Ok(raw)
}

/// Adds a field at the end.
pub(super) fn append(raw: &mut RawDocumentBuf, name: &str, value: impl Into<RawBson>) -> Result<(), DatabaseError> {
    raw.append(c_string(name)?, value.into());
    Ok(())
}

/// An array of documents.
pub(super) fn array(documents: impl IntoIterator<Item = RawDocumentBuf>) -> RawArrayBuf {
    let mut array = RawArrayBuf::new();
    for document in documents {
        array.push(document);
    }
    array
}

fn write_value(value: &DocumentValue) -> Result<RawBson, DatabaseError> {
    Ok(match value {
        DocumentValue::Null => RawBson::Null,
        DocumentValue::Boolean(value) => RawBson::Boolean(*value),
        DocumentValue::Int32(value) => RawBson::Int32(*value),
        DocumentValue::Int64(value) => RawBson::Int64(*value),
        DocumentValue::Double(value) => RawBson::Double(*value),
        DocumentValue::Decimal128(Decimal128(bytes)) => RawBson::Decimal128(TheirDecimal128::from_bytes(*bytes)),
        DocumentValue::String(text) => RawBson::String(text.clone()),
        DocumentValue::Binary { subtype, bytes } => {
            RawBson::Binary(Binary { subtype: (*subtype).into(), bytes: bytes.clone() })
        }
        DocumentValue::ObjectId(ObjectId(bytes)) => RawBson::ObjectId(TheirObjectId::from_bytes(*bytes)),
        DocumentValue::DateTime(millis) => RawBson::DateTime(DateTime::from_millis(*millis)),
        DocumentValue::Timestamp { seconds, increment } => {
            RawBson::Timestamp(Timestamp { time: *seconds, increment: *increment })
        }
        DocumentValue::Regex { pattern, options } => {
            RawBson::RegularExpression(Regex { pattern: c_string(pattern)?, options: c_string(options)? })
        }
        DocumentValue::Array(values) => {
            let mut array = RawArrayBuf::new();
            for value in values {
                array.push(write_value(value)?);
            }
            RawBson::Array(array)
        }
        DocumentValue::Document(document) => RawBson::Document(write(document)?),
        DocumentValue::JavaScript(code) => RawBson::JavaScriptCode(code.clone()),
        DocumentValue::JavaScriptWithScope { code, scope } => {
            RawBson::JavaScriptCodeWithScope(RawJavaScriptCodeWithScope { code: code.clone(), scope: write(scope)? })
        }
        DocumentValue::Symbol(word) => RawBson::Symbol(word.clone()),
        DocumentValue::DbPointer { namespace, id } => write_pointer(namespace, *id)?,
        DocumentValue::Undefined => RawBson::Undefined,
        DocumentValue::MinKey => RawBson::MinKey,
        DocumentValue::MaxKey => RawBson::MaxKey,
    })
}

/// The other way of [`read_pointer`].
fn write_pointer(namespace: &str, ObjectId(id): ObjectId) -> Result<RawBson, DatabaseError> {
    const DB_POINTER: u8 = 0x0c;
    let unfit = || DatabaseError::new(DatabaseErrorKind::Query, "the namespace of a DBPointer is too long");
    let length = |bytes: usize| i32::try_from(bytes).map(i32::to_le_bytes).map_err(|_| unfit());
    let mut bytes = length(ONLY_VALUE + 4 + namespace.len() + 1 + id.len() + 1)?.to_vec();
    bytes.extend_from_slice(&[DB_POINTER, 0]);
    bytes.extend_from_slice(&length(namespace.len() + 1)?);
    bytes.extend_from_slice(namespace.as_bytes());
    bytes.push(0);
    bytes.extend_from_slice(&id);
    bytes.push(0);
    let alone = RawDocumentBuf::from_bytes(bytes).map_err(|_| unfit())?;
    let value = alone.iter().next().and_then(Result::ok).map(|(_, value)| value.into());
    value.ok_or_else(unfit)
}

fn c_string(text: &str) -> Result<CString, DatabaseError> {
    CString::try_from(text).map_err(|_| {
        let message = "BSON has no U+0000 in the name of a field or in a regular expression";
        DatabaseError::new(DatabaseErrorKind::Query, message)
    })
}

fn undecodable() -> DatabaseError {
    DatabaseError::new(DatabaseErrorKind::Decode, "the server sent a document that is no BSON")
}

fn too_deep() -> DatabaseError {
    let message = format!("the server sent documents within documents, more than {DEPTH} deep");
    DatabaseError::new(DatabaseErrorKind::Decode, message)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scalar() -> impl Strategy<Value = DocumentValue> {
        let text = "[^\0]{0,12}";
        prop_oneof![
            Just(DocumentValue::Null),
            Just(DocumentValue::Undefined),
            Just(DocumentValue::MinKey),
            Just(DocumentValue::MaxKey),
            any::<bool>().prop_map(DocumentValue::Boolean),
            any::<i32>().prop_map(DocumentValue::Int32),
            any::<i64>().prop_map(DocumentValue::Int64),
            any::<i64>().prop_map(DocumentValue::DateTime),
            any::<f64>().prop_filter("equal to itself", |number| !number.is_nan()).prop_map(DocumentValue::Double),
            any::<[u8; 16]>().prop_map(|bytes| DocumentValue::Decimal128(Decimal128(bytes))),
            any::<[u8; 12]>().prop_map(|bytes| DocumentValue::ObjectId(ObjectId(bytes))),
            any::<String>().prop_map(DocumentValue::String),
            any::<String>().prop_map(DocumentValue::Symbol),
            any::<String>().prop_map(DocumentValue::JavaScript),
            (any::<u8>(), proptest::collection::vec(any::<u8>(), 0..40))
                .prop_map(|(subtype, bytes)| DocumentValue::Binary { subtype, bytes }),
            (any::<u32>(), any::<u32>())
                .prop_map(|(seconds, increment)| DocumentValue::Timestamp { seconds, increment }),
            (text, "[a-z]{0,4}").prop_map(|(pattern, options)| DocumentValue::Regex { pattern, options }),
            (text, any::<[u8; 12]>())
                .prop_map(|(namespace, id)| DocumentValue::DbPointer { namespace, id: ObjectId(id) }),
        ]
    }

    fn value() -> impl Strategy<Value = DocumentValue> {
        scalar().prop_recursive(4, 32, 5, |inner| {
            let fields = proptest::collection::vec(("[^\0]{0,8}", inner.clone()), 0..5);
            let document = fields.prop_map(|fields| fields.into_iter().collect::<Document>());
            prop_oneof![
                proptest::collection::vec(inner, 0..5).prop_map(DocumentValue::Array),
                document.clone().prop_map(DocumentValue::Document),
                (any::<String>(), document)
                    .prop_map(|(code, scope)| DocumentValue::JavaScriptWithScope { code, scope }),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_value_survives_the_way_to_bson_and_back(value in value()) {
            let document = Document::new().with("twice", value.clone()).with("twice", value);
            prop_assert_eq!(read(&write(&document).unwrap()).unwrap(), document);
        }
    }

    #[test]
    fn what_lies_too_deep_is_refused_before_the_stack_runs_out() {
        let nested = |depth: usize| {
            // From within: a document with one field, which is the one before.
            let mut bytes = vec![5, 0, 0, 0, 0];
            for _ in 0..depth {
                let length = u32::try_from(bytes.len() + 7).unwrap().to_le_bytes();
                bytes = [&length[..], &[3, 0], &bytes, &[0]].concat();
            }
            RawDocumentBuf::from_bytes(bytes).unwrap()
        };
        assert!(read(&nested(DEPTH - 1)).is_ok());
        let error = read(&nested(DEPTH)).unwrap_err();
        assert_eq!(*error.kind(), DatabaseErrorKind::Decode, "{error}");
    }

    #[test]
    fn a_name_that_bson_cannot_have_is_refused() {
        let error = write(&Document::new().with("a\0b", 1)).unwrap_err();
        assert_eq!(*error.kind(), DatabaseErrorKind::Query);
    }
}
