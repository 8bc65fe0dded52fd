//! Bearer tokens (RFC 6750) in front of what is not for everybody.

use std::fmt;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderValue};
use actix_web::web::Data;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};

use super::problem::{Problem, ProblemKind};
use crate::config::registry::TokenConfig;

/// Who is known by which token. Of a token only the hash is kept.
pub(crate) struct Tokens(Vec<(Arc<str>, [u8; 32])>);

/// Who has shown a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller(pub(crate) Arc<str>);

impl Tokens {
    pub(crate) fn new(tokens: &[TokenConfig]) -> Self {
        let known =
            tokens.iter().map(|token| (token.name.as_str().into(), hash(token.token.expose_secret().as_bytes())));
        Self(known.collect())
    }

    /// Whose token this is. Every one is compared, and each comparison takes as long whatever it finds.
    fn owner(&self, token: &[u8]) -> Option<Caller> {
        let shown = hash(token);
        let mut owner = None;
        for (name, known) in &self.0 {
            if verify_slices_are_equal(known, &shown).is_ok() {
                owner = Some(name);
            }
        }
        owner.cloned().map(Caller)
    }
}

fn hash(token: &[u8]) -> [u8; 32] {
    Sha256::digest(token).into()
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// Who makes a request.
///
/// # Errors
/// `unauthenticated` with the challenge that the standard asks for (RFC 6750, section 3): it names an error only where a token
/// was shown. `malformed-request` where more than one was.
pub(crate) fn caller(request: &HttpRequest) -> Result<Caller, Problem> {
    let tokens = request.app_data::<Data<Tokens>>().ok_or_else(Problem::internal)?;
    let mut lines = request.headers().get_all(header::AUTHORIZATION);
    let Some(line) = lines.next() else { return Err(challenge(None, "the request names no token")) };
    if lines.next().is_some() {
        let detail = "the header `Authorization` stands there more than once";
        let problem = Problem::new(ProblemKind::MalformedRequest, detail);
        return Err(problem.with_header(header::WWW_AUTHENTICATE, named("invalid_request")));
    }
    let bytes = line.as_bytes();
    let (scheme, token) =
        bytes.iter().position(|byte| *byte == b' ').map_or((bytes, &b""[..]), |at| bytes.split_at(at));
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return Err(challenge(None, "the request names no token of the scheme `Bearer`"));
    }
    let owner = tokens.owner(token.trim_ascii());
    owner.ok_or_else(|| challenge(Some("invalid_token"), "the token is none that counts here"))
}

fn challenge(error: Option<&str>, detail: &'static str) -> Problem {
    let value = error.map_or(HeaderValue::from_static("Bearer realm=\"connections\""), named);
    Problem::new(ProblemKind::Unauthenticated, detail).with_header(header::WWW_AUTHENTICATE, value)
}

fn named(error: &str) -> HeaderValue {
    let text = format!("Bearer realm=\"connections\", error=\"{error}\"");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("Bearer"))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    const ANN: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const BOB: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    fn ask(lines: &[&str]) -> Result<Caller, Problem> {
        let tokens = Tokens::new(&[TokenConfig::literal("ann", ANN), TokenConfig::literal("bob", BOB)]);
        assert!(!format!("{tokens:?}").contains(ANN));
        let mut request = TestRequest::default().app_data(Data::new(tokens));
        for line in lines {
            request = request.append_header(("authorization", *line));
        }
        caller(&request.to_http_request())
    }

    #[track_caller]
    fn refused(lines: &[&str], status: u16, expected: &str) {
        let problem = ask(lines).expect_err("no token that counts");
        let response = problem.render("/", &shared_kernel::TraceContext::default());
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(response.headers().get("www-authenticate").expect("a challenge"), expected);
    }

    #[test]
    fn whoever_shows_a_token_is_known_by_its_name() {
        for (line, name) in [(format!("Bearer {ANN}"), "ann"), (format!("bearer  {BOB} "), "bob")] {
            assert_eq!(ask(&[&line]).map(|caller| caller.0.to_string()).expect("known"), name);
        }
    }

    #[test]
    fn whoever_shows_none_is_told_what_to_show() {
        refused(&[], 401, "Bearer realm=\"connections\"");
        refused(&["Basic YTpi"], 401, "Bearer realm=\"connections\"");
        refused(&[ANN], 401, "Bearer realm=\"connections\"");
        let invalid = "Bearer realm=\"connections\", error=\"invalid_token\"";
        for line in ["Bearer", "Bearer ", "Bearer x", &format!("Bearer {ANN}a"), &format!("Bearer {}", &ANN[1..])] {
            refused(&[line], 401, invalid);
        }
        let two = format!("Bearer {ANN}");
        refused(&[&two, &two], 400, "Bearer realm=\"connections\", error=\"invalid_request\"");
    }
}
