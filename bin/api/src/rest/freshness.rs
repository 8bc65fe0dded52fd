//! `Bindery-Freshness`: who shows what an answer to a change gave reads what was written, also where replicas serve reads.

use actix_web::http::Method;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use shared_kernel::{Freshness, FreshnessToken};

use super::problem::{Fault, Problem, ProblemKind};

/// The header of answers and requests.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("bindery-freshness");

/// What a request's reads have to see. A request that may change something reads at primaries whatever it shows, so that it
/// decides by what is.
///
/// # Errors
/// `malformed-request` for a header that no answer gave, or that stands there more than once.
pub(crate) fn of(method: &Method, headers: &HeaderMap) -> Result<Freshness, Problem> {
    let mut lines = headers.get_all(&HEADER);
    let freshness = match (lines.next(), lines.next()) {
        (None, _) => Freshness::default(),
        (Some(line), None) => Freshness::at_least(decode(line).ok_or_else(malformed)?),
        (Some(_), Some(_)) => return Err(malformed()),
    };
    Ok(if method.is_safe() { freshness } else { freshness.at_the_primary() })
}

/// The token as an answer gives it.
pub(crate) fn header(token: &FreshnessToken) -> HeaderValue {
    let text = URL_SAFE_NO_PAD.encode(token.to_string());
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

fn decode(line: &HeaderValue) -> Option<FreshnessToken> {
    let bytes = URL_SAFE_NO_PAD.decode(line.as_bytes()).ok()?;
    String::from_utf8(bytes).ok()?.parse().ok()
}

fn malformed() -> Problem {
    let message = "`Bindery-Freshness` is given once and holds what an answer to a change gave";
    let fault = Fault::parameter("Bindery-Freshness", "invalid_freshness", message);
    Problem::new(ProblemKind::MalformedRequest, message).with_faults(vec![fault])
}

#[cfg(test)]
mod tests {
    use shared_kernel::database::ConnectionName;
    use shared_kernel::freshness::Need;

    use super::*;

    fn asked(method: &Method, lines: &[&str]) -> Result<Need, ProblemKind> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(HEADER, HeaderValue::from_str(line).expect("a header"));
        }
        let users: ConnectionName = "users".parse().expect("a name");
        of(method, &headers).map(|freshness| freshness.need(&users, |_| true)).map_err(|problem| problem.kind())
    }

    #[test]
    fn what_an_answer_gave_is_understood() {
        let token: FreshnessToken = "users=pg:1:20".parse().expect("a token");
        let header = header(&token);
        let line = header.to_str().expect("visible");
        assert!(!line.contains("users"));
        let reached = Need::Reached("pg:1:20".parse().expect("a position"));
        assert_eq!(asked(&Method::GET, &[line]), Ok(reached));
        assert_eq!(asked(&Method::GET, &[]), Ok(Need::Nothing));
    }

    #[test]
    fn whoever_may_change_something_reads_at_the_primary() {
        let line = URL_SAFE_NO_PAD.encode("users=pg:1:20");
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            for lines in [&[][..], &[line.as_str()]] {
                assert_eq!(asked(&method, lines), Ok(Need::Primary), "{method}");
            }
        }
        assert_eq!(asked(&Method::HEAD, &[]), Ok(Need::Nothing));
    }

    #[test]
    fn what_no_answer_gave_is_refused() {
        let good = URL_SAFE_NO_PAD.encode("users=pg:1:20");
        let nonsense =
            [URL_SAFE_NO_PAD.encode("users"), URL_SAFE_NO_PAD.encode([0xff_u8]), "=".to_owned(), "a b".to_owned()];
        for lines in nonsense.iter().map(|line| vec![line.as_str()]).chain([vec![""], vec![&good, &good]]) {
            assert_eq!(asked(&Method::GET, &lines), Err(ProblemKind::MalformedRequest), "{lines:?}");
        }
    }
}
