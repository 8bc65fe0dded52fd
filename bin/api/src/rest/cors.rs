//! Cross-origin requests (the Fetch standard, section 3.2): closed unless the configuration names the origin.

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderValue};

/// Headers that a page of another origin may send.
const REQUEST_HEADERS: &str =
    "authorization, content-type, if-match, if-none-match, idempotency-key, traceparent, bindery-freshness";
/// Headers that a page of another origin may read.
const RESPONSE_HEADERS: &str = "etag, location, retry-after, allow, age, content-disposition, www-authenticate, traceparent, \
                                accept-post, accept-patch, idempotency-replayed, bindery-freshness, bindery-omissions";

/// The origins whose pages may use the service, as `scheme://host[:port]`; `*` is every origin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cors {
    origins: Vec<String>,
}

/// The page of another origin that a request comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Page {
    /// What `Access-Control-Allow-Origin` says, when the origin is allowed.
    origin: Option<HeaderValue>,
    /// Whether it asks before it sends the request itself (a preflight).
    asks_first: bool,
}

impl Cors {
    /// Lets in the pages of `origins`.
    pub fn new(origins: Vec<String>) -> Self {
        Self { origins }
    }

    fn allowed(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        if self.origins.iter().any(|known| known == "*") {
            return Some(HeaderValue::from_static("*"));
        }
        self.origins.iter().any(|known| known.as_bytes() == origin.as_bytes()).then(|| origin.clone())
    }

    /// What the answer to a request will have to know of it.
    pub(crate) fn page_of(&self, method: &Method, request: &HeaderMap) -> Page {
        Page {
            origin: request.get(header::ORIGIN).and_then(|origin| self.allowed(origin)),
            asks_first: *method == Method::OPTIONS && request.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD),
        }
    }

    /// Adds what lets the caller's page read the answer, when its origin is allowed.
    pub(crate) fn apply(&self, page: &Page, response: &mut HeaderMap) {
        if self.origins.is_empty() {
            return;
        }
        response.append(header::VARY, HeaderValue::from_static("origin"));
        let Some(origin) = page.origin.clone() else { return };
        response.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        response.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(RESPONSE_HEADERS));
        if page.asks_first {
            if let Some(allow) = response.get(header::ALLOW).cloned() {
                response.insert(header::ACCESS_CONTROL_ALLOW_METHODS, allow);
            }
            response.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(REQUEST_HEADERS));
            response.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        }
    }
}

/// Whether `text` is an origin: a scheme, a host, perhaps a port, and nothing behind them.
pub fn is_origin(text: &str) -> bool {
    let Some((scheme, authority)) = text.split_once("://") else { return false };
    let plain = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b':' | b'[' | b']')
    };
    matches!(scheme, "http" | "https") && !authority.is_empty() && authority.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(origins: &[&str], origin: &'static str) -> HeaderMap {
        let mut request = HeaderMap::new();
        request.insert(header::ORIGIN, HeaderValue::from_static(origin));
        request.insert(header::ACCESS_CONTROL_REQUEST_METHOD, HeaderValue::from_static("PUT"));
        let mut response = HeaderMap::new();
        response.insert(header::ALLOW, HeaderValue::from_static("GET, PUT"));
        let cors = Cors::new(origins.iter().map(ToString::to_string).collect());
        cors.apply(&cors.page_of(&Method::OPTIONS, &request), &mut response);
        response
    }

    #[test]
    fn closed_is_the_default() {
        assert_eq!(answer(&[], "https://shop.example").len(), 1);
    }

    #[test]
    fn a_named_origin_is_let_in_and_no_other() {
        let headers = answer(&["https://shop.example"], "https://shop.example");
        assert_eq!(headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN).expect("the header"), "https://shop.example");
        assert_eq!(headers.get(header::ACCESS_CONTROL_ALLOW_METHODS).expect("the header"), "GET, PUT");
        assert_eq!(headers.get(header::VARY).expect("the header"), "origin");
        for other in ["https://shop.example.evil", "http://shop.example", "null"] {
            assert!(!answer(&["https://shop.example"], other).contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
        }
    }

    /// Each is a field name of its own that a browser knows from the text.
    #[test]
    fn what_may_be_read_is_a_list_of_names() {
        let names: Vec<&str> = RESPONSE_HEADERS.split(", ").collect();
        assert!(
            names.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')),
            "{names:?}"
        );
    }

    #[test]
    fn origins_have_no_path() {
        assert!(is_origin("https://shop.example:8443") && is_origin("http://[::1]:3000"));
        for text in ["shop.example", "https://shop.example/", "ftp://shop.example", "https://", "https://a b"] {
            assert!(!is_origin(text), "{text}");
        }
    }
}
