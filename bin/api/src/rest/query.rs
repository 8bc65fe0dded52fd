//! Query strings, read strictly: every parameter known, each at most once, every escape whole.

use std::borrow::Cow;

use actix_web::HttpRequest;

use super::problem::{Fault, MAX_FAULTS, Problem};

/// The parameters of one request.
#[derive(Debug, Default)]
pub(crate) struct Query {
    values: Vec<(&'static str, String)>,
    faults: Vec<Fault>,
    /// How many faults there are beyond [`MAX_FAULTS`].
    more: usize,
}

impl Query {
    /// Reads the query string of `request`, whose parameters may be those in `known`.
    ///
    /// What is wrong is collected; [`Query::finish`] tells it all at once.
    pub(crate) fn of(request: &HttpRequest, known: &[&'static str]) -> Self {
        Self::parse(request.query_string(), known)
    }

    fn parse(text: &str, known: &[&'static str]) -> Self {
        let mut query = Self::default();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (raw_name, raw_value) = pair.split_once('=').unwrap_or((pair, ""));
            let Some(name) = decode(raw_name) else {
                let shown: String = raw_name.chars().take(80).collect();
                query.fault(&shown, "bad_encoding", "the name's percent-encoding is not whole UTF-8");
                continue;
            };
            let Some(name) = known.iter().find(|known| **known == name) else {
                let shown: String = name.chars().take(80).collect();
                query.fault(&shown, "unknown_parameter", &expected(known));
                continue;
            };
            if query.values.iter().any(|(seen, _)| seen == name) {
                query.fault(name, "repeated_parameter", "the parameter may be given once");
                continue;
            }
            match decode(raw_value) {
                Some(value) => query.values.push((name, value)),
                None => query.fault(name, "bad_encoding", "the value's percent-encoding is not whole UTF-8"),
            }
        }
        query
    }

    /// Notes that `parameter` is wrong.
    pub(crate) fn fault(&mut self, parameter: &str, code: impl Into<Cow<'static, str>>, message: &str) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(Fault::parameter(parameter, code, message));
        } else {
            self.more += 1;
        }
    }

    /// The value of `name`, when it was given.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.values.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// Every parameter that was given, in the order of the request.
    pub(crate) fn given(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.values.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// The value of `name` through `parse`; what `parse` refuses becomes a fault.
    pub(crate) fn with<T, E: std::fmt::Display>(
        &mut self,
        name: &'static str,
        code: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        match parse(self.get(name)?) {
            Ok(value) => Some(value),
            Err(error) => {
                self.fault(name, code, &error.to_string());
                None
            }
        }
    }

    /// An error with every fault, when there is one.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        if self.faults.is_empty() { Ok(()) } else { Err(Problem::invalid_query(self.faults).and_more(self.more)) }
    }
}

fn expected(known: &[&str]) -> String {
    if known.is_empty() {
        "this resource takes no parameters".to_owned()
    } else {
        format!("the parameters are {}", known.join(", "))
    }
}

/// Undoes the encoding of HTML forms; `None` when an escape is cut off or the bytes are not UTF-8.
fn decode(text: &str) -> Option<String> {
    percent_decode(text, true)
}

/// Undoes percent-encoding (RFC 3986, section 2.1); `None` when an escape is cut off or the bytes are not UTF-8.
pub(crate) fn percent_decode(text: &str, plus_is_space: bool) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => hex(rest.next()?)? << 4 | hex(rest.next()?)?,
            b'+' if plus_is_space => b' ',
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["limit", "q"];

    fn faults(text: &str) -> Vec<String> {
        let query = Query::parse(text, KNOWN);
        query
            .faults
            .into_iter()
            .map(|fault| format!("{} {}", fault.parameter.unwrap_or_default(), fault.code))
            .collect()
    }

    #[test]
    fn values_are_decoded() {
        let query = Query::parse("limit=5&q=a+b%26c%C3%A4&", KNOWN);
        assert_eq!(query.get("limit"), Some("5"));
        assert_eq!(query.get("q"), Some("a b&cä"));
        assert!(query.finish().is_ok());
    }

    #[test]
    fn all_faults_are_found_at_once() {
        assert_eq!(
            faults("limit=1&limit=2&page=3&q=%&%zz=1&q=%ff"),
            [
                "limit repeated_parameter",
                "page unknown_parameter",
                "q bad_encoding",
                "%zz bad_encoding",
                "q bad_encoding"
            ]
        );
    }

    #[test]
    fn many_faults_are_counted_and_not_all_told() {
        let problem = Query::parse(&"x&".repeat(MAX_FAULTS + 5), KNOWN).finish().expect_err("unknown parameters");
        assert_eq!(problem.faults().len(), MAX_FAULTS);
        assert_eq!(problem.detail(), "the query string cannot be used: 100 faults are named … and 5 more");
    }

    #[test]
    fn a_value_that_does_not_parse_is_a_fault_with_its_reason() {
        let mut query = Query::parse("limit=x", KNOWN);
        assert_eq!(query.with("limit", "invalid_limit", |text| text.parse::<u16>().map_err(|_| "1 to 200")), None);
        assert_eq!(query.finish().expect_err("a fault").faults()[0].message, "1 to 200");
    }

    #[test]
    fn cut_escapes_are_refused() {
        for text in ["%", "%a", "%g0", "%ff", "a%"] {
            assert_eq!(percent_decode(text, false), None, "{text}");
        }
        assert_eq!(percent_decode("a+%2B", false).as_deref(), Some("a++"));
    }
}
