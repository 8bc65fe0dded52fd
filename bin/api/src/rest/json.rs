//! JSON bodies, read strictly: the media type, the size, the syntax, and each key once.

mod checked;
mod fields;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::web::{Bytes, BytesMut, Data};
use actix_web::{FromRequest, HttpRequest, dev::Payload};
use futures_util::StreamExt as _;
use serde_json::Value;

use super::limits::Limits;
use super::problem::{Problem, ProblemKind};
use crate::state::AppState;

pub(crate) use checked::parse;
pub(crate) use fields::{Faults, Object, pointer, text, whole_number};

/// Nesting deeper than this is refused: no body of this service is deeper than four.
pub(crate) const MAX_DEPTH: usize = 64;

/// How long a body is read on that is refused.
const LINGER: Duration = Duration::from_secs(1);

/// The media types that carry a merge patch (RFC 7396, section 4, and plain JSON).
const PATCH_TYPES: &[&str] = &["application/merge-patch+json", "application/json"];
const JSON_TYPES: &[&str] = &["application/json"];

/// A body of `application/json` that was parsed and whose rules are still to be checked.
#[derive(Debug)]
pub(crate) struct JsonBody(pub(crate) Value);

/// A body of `application/merge-patch+json` or `application/json`.
#[derive(Debug)]
pub(crate) struct PatchBody(pub(crate) Value);

impl FromRequest for JsonBody {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let accepted = (JSON_TYPES, HeaderName::from_static("accept-post"));
        let reading = read(request, payload.take(), accepted);
        Box::pin(async move { Ok(Self(reading.await?)) })
    }
}

/// A body as [`JsonBody`] has it, where there is one.
#[derive(Debug)]
pub(crate) struct OptionalJsonBody(pub(crate) Option<Value>);

impl FromRequest for OptionalJsonBody {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        if !has_body(request.headers()) {
            return Box::pin(async { Ok(Self(None)) });
        }
        let body = JsonBody::from_request(request, payload);
        Box::pin(async move { Ok(Self(Some(body.await?.0))) })
    }
}

/// Whether a body follows (RFC 9112, section 6.3).
fn has_body(headers: &HeaderMap) -> bool {
    let length = headers.get(header::CONTENT_LENGTH).map(HeaderValue::as_bytes);
    headers.contains_key(header::TRANSFER_ENCODING) || length.is_some_and(|length| length != b"0")
}

impl FromRequest for PatchBody {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let accepted = (PATCH_TYPES, HeaderName::from_static("accept-patch"));
        let reading = read(request, payload.take(), accepted);
        Box::pin(async move { Ok(Self(reading.await?)) })
    }
}

fn read(
    request: &HttpRequest,
    payload: Payload,
    (types, hint): (&'static [&'static str], HeaderName),
) -> impl Future<Output = Result<Value, Problem>> + 'static {
    let limit = request.app_data::<Data<AppState>>().map_or(Limits::default().body, |state| state.limits.body);
    let media_type = check_media_type(request.headers(), types, &hint);
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    async move {
        let bytes = match (media_type, announced) {
            (Err(problem), _) => return refuse(payload, limit, problem).await,
            (Ok(()), Some(length)) if length > limit as u64 => {
                return refuse(payload, limit, too_large(limit)).await;
            }
            (Ok(()), _) => collect(payload, limit).await?,
        };
        parse(&bytes)
    }
}

/// The media type decides before a byte is read. A `charset` other than UTF-8 is refused (RFC 8259, section 8.1).
fn check_media_type(headers: &HeaderMap, types: &[&str], hint: &HeaderName) -> Result<(), Problem> {
    let unsupported = |detail: String| {
        let problem = Problem::new(ProblemKind::UnsupportedMediaType, detail);
        match HeaderValue::from_str(&types.join(", ")) {
            Ok(value) => problem.with_header(hint.clone(), value),
            Err(_) => problem,
        }
    };
    if headers.contains_key(header::CONTENT_ENCODING) {
        return Err(unsupported("send the body without a content encoding".to_owned()));
    }
    let mut values = headers.get_all(header::CONTENT_TYPE);
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(unsupported(format!("send one `Content-Type` header: {}", types.join(" or "))));
    };
    let text = value.to_str().unwrap_or_default();
    let mut parts = text.split(';');
    let essence = parts.next().unwrap_or_default().trim();
    if !types.iter().any(|known| essence.eq_ignore_ascii_case(known)) {
        return Err(unsupported(format!("send the body as {}", types.join(" or "))));
    }
    let charset = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"').to_owned())
    });
    match charset {
        Some(charset) if !charset.eq_ignore_ascii_case("utf-8") => Err(unsupported("JSON is UTF-8".to_owned())),
        _ => Ok(()),
    }
}

async fn collect(mut payload: Payload, limit: usize) -> Result<Bytes, Problem> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk =
            chunk.map_err(|_| Problem::new(ProblemKind::MalformedRequest, "the body ended before it was complete"))?;
        if body.len() + chunk.len() > limit {
            return refuse(payload, limit, too_large(limit)).await;
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// Reads on for a while before refusing, so that a caller who is still sending sees the answer and no reset. One who
/// waits with the body for a word from us (`Expect: 100-continue`), or sends it slowly, gets the answer after that while.
async fn refuse<T>(mut payload: Payload, limit: usize, problem: Problem) -> Result<T, Problem> {
    let mut left = limit.saturating_mul(4);
    let reading = async {
        while let Some(Ok(chunk)) = payload.next().await {
            left = left.saturating_sub(chunk.len());
            if left == 0 {
                break;
            }
        }
    };
    let _over = tokio::time::timeout(LINGER, reading).await;
    Err(problem)
}

fn too_large(limit: usize) -> Problem {
    Problem::new(ProblemKind::ContentTooLarge, format!("a body has at most {limit} bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(content_type: &str, accepted: bool) {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_str(content_type).expect("visible"));
        let outcome = check_media_type(&headers, JSON_TYPES, &HeaderName::from_static("accept-post"));
        assert_eq!(outcome.is_ok(), accepted, "{content_type}");
    }

    #[test]
    fn media_types_are_compared_as_the_standard_says() {
        check("application/json", true);
        check("Application/JSON; charset=UTF-8", true);
        check("application/json;charset=\"utf-8\"", true);
        check("application/json; charset=latin1", false);
        check("application/merge-patch+json", false);
        check("text/json", false);
        check("", false);
    }

    #[test]
    fn a_body_is_there_when_the_headers_say_so() {
        let has = |name: &'static str, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
            has_body(&headers)
        };
        assert!(has("content-length", "1") && has("transfer-encoding", "chunked") && has("content-length", "00"));
        assert!(!has("content-length", "0") && !has("content-type", "application/json"));
    }

    #[test]
    fn a_missing_or_repeated_media_type_is_refused() {
        let mut headers = HeaderMap::new();
        assert!(check_media_type(&headers, JSON_TYPES, &HeaderName::from_static("accept-post")).is_err());
        headers.append(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.append(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        assert!(check_media_type(&headers, JSON_TYPES, &HeaderName::from_static("accept-post")).is_err());
    }
}
