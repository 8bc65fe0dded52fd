//! The two things of a certificate that a person asks for: whose it is, and until when it holds.

use chrono::{DateTime, NaiveDateTime, Utc};

/// What is read of an X.509 certificate (RFC 5280, section 4.1).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Facts {
    /// The subject's common name, where there is one.
    pub(super) subject: Option<String>,
    /// `notAfter`.
    pub(super) until: Option<DateTime<Utc>>,
}

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_IDENTIFIER: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// `[0] EXPLICIT Version`
const VERSION: u8 = 0xa0;
/// 2.5.4.3
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];

/// Reads a certificate in DER. What cannot be read is left out: the verification is rustls's business, not this one's.
pub(super) fn facts(der: &[u8]) -> Facts {
    read(der).unwrap_or(Facts { subject: None, until: None })
}

fn read(der: &[u8]) -> Option<Facts> {
    let mut certificate = Der(Der(der).take(SEQUENCE)?);
    let mut signed = Der(certificate.take(SEQUENCE)?);
    if signed.0.first() == Some(&VERSION) {
        signed.any()?;
    }
    let (_number, _algorithm, _issuer) = (signed.any()?, signed.any()?, signed.any()?);
    let mut validity = Der(signed.take(SEQUENCE)?);
    let _from = validity.any()?;
    let until = validity.any().and_then(|(tag, content)| time(tag, content));
    Some(Facts { until, subject: common_name(signed.take(SEQUENCE)?) })
}

fn common_name(name: &[u8]) -> Option<String> {
    let mut parts = Der(name);
    while let Some(part) = parts.take(SET) {
        let mut attribute = Der(Der(part).take(SEQUENCE)?);
        if attribute.take(OBJECT_IDENTIFIER)? == COMMON_NAME {
            let (_, text) = attribute.any()?;
            // A server may call itself anything: what a terminal would obey is not shown.
            return Some(
                String::from_utf8_lossy(text).chars().filter(|letter| !letter.is_control()).take(100).collect(),
            );
        }
    }
    None
}

/// `YYMMDDHHMMSSZ` up to 2049, `YYYYMMDDHHMMSSZ` from then on.
fn time(tag: u8, content: &[u8]) -> Option<DateTime<Utc>> {
    let text = std::str::from_utf8(content).ok()?;
    let text = match tag {
        UTC_TIME if text.get(..2)? < "50" => format!("20{text}"),
        UTC_TIME => format!("19{text}"),
        GENERALIZED_TIME => text.to_owned(),
        _ => return None,
    };
    NaiveDateTime::parse_from_str(&text, "%Y%m%d%H%M%SZ").ok().map(|time| time.and_utc())
}

/// What is left of a row of values, each with its tag and its length.
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    fn any(&mut self) -> Option<(u8, &'a [u8])> {
        let (&[tag, first], rest) = self.0.split_first_chunk()?;
        let (length, rest) = if first < 0x80 {
            (usize::from(first), rest)
        } else {
            let (digits, rest) =
                rest.split_at_checked(usize::from(first & 0x7f)).filter(|(digits, _)| digits.len() <= 4)?;
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }

    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.any().filter(|(found, _)| *found == tag).map(|(_, content)| content)
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};

    use super::*;

    fn certificate(year: i32) -> Vec<u8> {
        let mut parameters = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        parameters.distinguished_name.push(DnType::OrganizationName, "Library");
        parameters.distinguished_name.push(DnType::CommonName, "books.example");
        parameters.not_after = date_time_ymd(year, 2, 28);
        parameters.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
    }

    #[test]
    fn subject_and_end_are_read_on_both_sides_of_2050() {
        for year in [2031, 2077] {
            let facts = facts(&certificate(year));
            assert_eq!(facts.subject.as_deref(), Some("books.example"));
            assert_eq!(facts.until.unwrap().date_naive().to_string(), format!("{year}-02-28"));
        }
    }

    #[test]
    fn what_is_cut_off_or_damaged_is_left_out() {
        let whole = certificate(2031);
        for length in 0..whole.len() {
            let _no_panic = facts(&whole[..length]);
            let mut damaged = whole.clone();
            damaged[length] ^= 0xff;
            let _no_panic = facts(&damaged);
        }
        assert_eq!(facts(&whole[..10]), Facts { subject: None, until: None });
    }
}
