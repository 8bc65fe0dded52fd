//! Content negotiation (RFC 9110, section 12.5.1): this service speaks JSON, and says so when that is not wanted.

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderMap};

use super::problem::{Problem, ProblemKind};

/// Refuses a request that does not accept JSON.
pub(crate) fn json(request: &HttpRequest) -> Result<(), Problem> {
    check(request.headers(), &["application/json"])
}

/// Refuses a request that accepts none of the media types in `offered`.
///
/// A missing or malformed header accepts everything, as the standard allows.
pub(crate) fn check(headers: &HeaderMap, offered: &[&str]) -> Result<(), Problem> {
    let lines = lines(headers);
    let ranges = Range::all(&lines);
    if ranges.is_empty() || offered.iter().any(|media_type| Range::weight_of(media_type, &ranges) > 0.0) {
        return Ok(());
    }
    Err(Problem::new(ProblemKind::NotAcceptable, format!("this resource is offered as {}", offered.join(", "))))
}

/// Whether a request names this very media type, and likes it no less than `other`.
pub(crate) fn prefers(headers: &HeaderMap, media_type: &str, other: &str) -> bool {
    let lines = lines(headers);
    let ranges = Range::all(&lines);
    let is_named = ranges.iter().any(|range| range.precision() == 2 && range.covers(media_type));
    let weight = Range::weight_of(media_type, &ranges);
    is_named && weight > 0.0 && weight >= Range::weight_of(other, &ranges)
}

fn lines(headers: &HeaderMap) -> Vec<&str> {
    headers.get_all(header::ACCEPT).filter_map(|line| line.to_str().ok()).collect()
}

struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    weight: f32,
}

impl<'a> Range<'a> {
    fn all(lines: &[&'a str]) -> Vec<Self> {
        lines.iter().flat_map(|line| line.split(',')).filter_map(Self::parse).collect()
    }

    /// How much a media type is liked: the most precise range decides.
    fn weight_of(media_type: &str, ranges: &[Self]) -> f32 {
        let covering = ranges.iter().filter(|range| range.covers(media_type));
        covering.max_by_key(|range| range.precision()).map_or(0.0, |range| range.weight)
    }

    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(';');
        let (kind, subtype) = parts.next()?.trim().split_once('/')?;
        if kind.is_empty() || subtype.is_empty() {
            return None;
        }
        let weight = parts.find_map(|parameter| {
            let (name, value) = parameter.split_once('=')?;
            name.trim()
                .eq_ignore_ascii_case("q")
                .then(|| value.trim().parse::<f32>().ok().filter(|weight| weight.is_finite()).unwrap_or(1.0))
        });
        Some(Self { kind, subtype, weight: weight.unwrap_or(1.0) })
    }

    fn covers(&self, media_type: &str) -> bool {
        let (kind, subtype) = media_type.split_once('/').unwrap_or((media_type, ""));
        (self.kind == "*" && self.subtype == "*")
            || (self.kind.eq_ignore_ascii_case(kind)
                && (self.subtype == "*" || self.subtype.eq_ignore_ascii_case(subtype)))
    }

    /// The more precise of two ranges decides.
    fn precision(&self) -> u8 {
        u8::from(self.kind != "*") + u8::from(self.subtype != "*")
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[track_caller]
    fn accepts(accept: &'static str, expected: bool) {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
        assert_eq!(check(&headers, &["application/json"]).is_ok(), expected, "{accept}");
    }

    #[test]
    fn json_is_offered_and_nothing_else() {
        accepts("*/*", true);
        accepts("application/*;q=0.1", true);
        accepts("text/html, application/json;q=0.5", true);
        accepts("APPLICATION/JSON", true);
        accepts("text/html", false);
        accepts("application/xml, text/*", false);
        accepts("application/json;q=0", false);
        accepts("*/*, application/json;q=0", false);
        accepts("*/*;q=0, application/json", true);
    }

    #[test]
    fn html_is_for_those_who_like_it_no_less_than_json() {
        for (accept, expected) in [
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true),
            ("text/html, application/json", true),
            ("application/json, text/html;q=0.1", false),
            ("text/html;q=0", false),
            ("text/html;q=NaN", true),
            ("text/html;q=0, */*", false),
            ("text/*", false),
            ("*/*", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(prefers(&headers, "text/html", "application/json"), expected, "{accept}");
        }
        assert!(!prefers(&HeaderMap::new(), "text/html", "application/json"));
    }

    #[test]
    fn a_header_that_says_nothing_refuses_nothing() {
        accepts("", true);
        accepts("json", true);
        assert!(check(&HeaderMap::new(), &["application/json"]).is_ok());
    }
}
