//! Versions of a representation: `ETag`, `If-Match` and `If-None-Match` (RFC 9110, sections 8.8.3 and 13.1).

use std::future::{Ready, ready};

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::{FromRequest, HttpRequest, dev::Payload};

use shared_kernel::Version;

use super::problem::{Problem, ProblemKind};

/// Raised whenever a representation changes its shape while the rows stay the same, so that no cache keeps the old one.
const REPRESENTATION: u32 = 1;

/// The strong entity tag of a row's version.
pub(crate) fn entity_tag(version: Version) -> HeaderValue {
    HeaderValue::from_str(&format!("\"r{REPRESENTATION}-v{version}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// The weak entity tag of content that is known by a digest: what is told beside the content may differ (section 8.8.1).
pub(crate) fn content_tag(digest: &str) -> HeaderValue {
    HeaderValue::from_str(&format!("W/\"r{REPRESENTATION}-{digest}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// The version behind an opaque tag that [`entity_tag`] made for the present representation.
fn version_of(opaque: &str) -> Option<Version> {
    let version = opaque.strip_prefix(&format!("r{REPRESENTATION}-v"))?;
    let canonical =
        !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit()) && !version.starts_with('0');
    if canonical { Version::try_new(version.parse().ok()?).ok() } else { None }
}

/// What `If-Match` allows to be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum IfMatch {
    /// `*`: whatever is there.
    Any,
    /// One of these versions. Tags that are weak or not ours are left out: they never match (section 13.1.1).
    Versions(Vec<Version>),
}

impl IfMatch {
    /// Whether a row of this version may be changed.
    pub(crate) fn allows(&self, version: Version) -> bool {
        match self {
            Self::Any => true,
            Self::Versions(versions) => versions.contains(&version),
        }
    }

    /// The version, when exactly one is allowed.
    pub(crate) fn only(&self) -> Option<Version> {
        match self {
            Self::Versions(versions) if versions.len() == 1 => versions.first().copied(),
            Self::Any | Self::Versions(_) => None,
        }
    }
}

impl FromRequest for IfMatch {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(match tags(request.headers(), &header::IF_MATCH) {
            Ok(None) => Err(Problem::new(
                ProblemKind::PreconditionRequired,
                "send the `ETag` of the representation that the change is based on in `If-Match`",
            )),
            Ok(Some(Tags::Any)) => Ok(Self::Any),
            Ok(Some(Tags::List(list))) => {
                let strong = list.iter().filter(|tag| !tag.weak);
                Ok(Self::Versions(strong.filter_map(|tag| version_of(&tag.opaque)).collect()))
            }
            Err(problem) => Err(problem),
        })
    }
}

/// What `If-None-Match` says the caller has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IfNoneMatch(Option<Tags>);

impl IfNoneMatch {
    /// Whether the caller already has this version, so that 304 is the answer (weak comparison, section 13.1.2).
    pub(crate) fn has(&self, version: Version) -> bool {
        self.names(|opaque| version_of(opaque) == Some(version))
    }

    /// Whether the caller already has the content of this digest.
    pub(crate) fn has_content(&self, digest: &str) -> bool {
        let present = format!("r{REPRESENTATION}-{digest}");
        self.names(|opaque| opaque == present)
    }

    fn names(&self, is_present: impl Fn(&str) -> bool) -> bool {
        match &self.0 {
            None => false,
            Some(Tags::Any) => true,
            Some(Tags::List(list)) => list.iter().any(|tag| is_present(&tag.opaque)),
        }
    }
}

impl FromRequest for IfNoneMatch {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(tags(request.headers(), &header::IF_NONE_MATCH).map(Self))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Tags {
    Any,
    List(Vec<Tag>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Tag {
    weak: bool,
    opaque: String,
}

/// Reads the header, over all its lines; `None` when it is absent.
fn tags(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Tags>, Problem> {
    let malformed = || {
        Problem::new(
            ProblemKind::MalformedRequest,
            format!("`{name}` is `*` or a list of entity tags such as \"r1-v1\", in double quotes"),
        )
    };
    let lines: Vec<&HeaderValue> = headers.get_all(name).collect();
    if lines.is_empty() {
        return Ok(None);
    }
    let lines: Vec<String> =
        lines.into_iter().map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned()).collect();
    let text = lines.join(",");
    if text.trim_matches([' ', '\t']) == "*" {
        return Ok(Some(Tags::Any));
    }
    let mut list = Vec::new();
    let mut rest = text.as_str();
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            break;
        }
        let (weak, quoted) = rest.strip_prefix("W/").map_or((false, rest), |quoted| (true, quoted));
        let inner = quoted.strip_prefix('"').ok_or_else(malformed)?;
        let (opaque, after) = inner.split_once('"').ok_or_else(malformed)?;
        if opaque.chars().any(|character| character <= ' ' || character == '\u{7f}') {
            return Err(malformed());
        }
        let after = after.trim_start_matches([' ', '\t']);
        if !after.is_empty() && !after.starts_with(',') {
            return Err(malformed());
        }
        list.push(Tag { weak, opaque: opaque.to_owned() });
        rest = after;
    }
    if list.is_empty() { Err(malformed()) } else { Ok(Some(Tags::List(list))) }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn request(name: &'static str, lines: &[&'static str]) -> HttpRequest {
        lines
            .iter()
            .fold(TestRequest::default(), |request, line| request.append_header((name, *line)))
            .to_http_request()
    }

    fn if_match(lines: &[&'static str]) -> Result<IfMatch, ProblemKind> {
        let outcome = IfMatch::from_request(&request("if-match", lines), &mut Payload::None).into_inner();
        outcome.map_err(|problem| problem.kind())
    }

    fn v(number: i64) -> Version {
        Version::try_new(number).expect("at least 1")
    }

    fn has(lines: &[&'static str], version: i64) -> bool {
        let outcome = IfNoneMatch::from_request(&request("if-none-match", lines), &mut Payload::None).into_inner();
        outcome.expect("well formed").has(v(version))
    }

    #[test]
    fn a_tag_names_its_version_and_its_representation() {
        assert_eq!(entity_tag(v(7)), "\"r1-v7\"");
        assert_eq!(version_of("r1-v7"), Some(v(7)));
        for other in ["r0-v7", "r1-v07", "r1-v0", "r1-v", "r1-v+7", "v7", "", "r1-v99999999999999999999"] {
            assert_eq!(version_of(other), None, "{other}");
        }
    }

    #[test]
    fn a_change_without_if_match_is_refused() {
        assert_eq!(if_match(&[]), Err(ProblemKind::PreconditionRequired));
    }

    #[test]
    fn lists_and_stars_are_read_and_weak_tags_never_match() {
        assert_eq!(if_match(&["*"]), Ok(IfMatch::Any));
        assert_eq!(if_match(&["\"r1-v1\""]), Ok(IfMatch::Versions(vec![v(1)])));
        assert_eq!(if_match(&["\"r1-v1\" , ,\"r1-v2\"", "\"x,y\""]), Ok(IfMatch::Versions(vec![v(1), v(2)])));
        assert_eq!(if_match(&["W/\"r1-v1\""]), Ok(IfMatch::Versions(vec![])));
    }

    #[test]
    fn malformed_tags_are_400() {
        for line in ["r1-v1", "\"r1-v1", "\"a\" \"b\"", "", ",", "w/\"r1-v1\"", "*, \"a\"", "\"a b\""] {
            assert_eq!(if_match(&[line]), Err(ProblemKind::MalformedRequest), "{line}");
        }
    }

    #[test]
    fn if_none_match_compares_weakly() {
        assert!(has(&["W/\"r1-v1\""], 1));
        assert!(has(&["\"r1-v3\", \"r1-v1\""], 1));
        assert!(has(&["*"], 1));
        assert!(!has(&["\"r1-v2\""], 1));
        assert!(!has(&[], 1));
    }

    #[test]
    fn content_is_known_by_its_digest() {
        let tag = content_tag("00ff");
        assert_eq!(tag, "W/\"r1-00ff\"");
        let has = |line: &'static str| {
            tags(request("if-none-match", &[line]).headers(), &header::IF_NONE_MATCH)
                .map(IfNoneMatch)
                .map(|known| known.has_content("00ff"))
        };
        for line in ["W/\"r1-00ff\"", "\"r1-00ff\"", "\"x\", W/\"r1-00ff\"", "*"] {
            assert_eq!(has(line).ok(), Some(true), "{line}");
        }
        for line in ["W/\"r0-00ff\"", "\"00ff\"", "\"r1-v1\""] {
            assert_eq!(has(line).ok(), Some(false), "{line}");
        }
    }
}
