use std::fmt;

use email_address::{EmailAddress, Options};
use shared_kernel::text::{ControlCharacter, Controls, fold_key, normalize};
use shared_kernel::validation::Fault;

/// An e-mail address (RFC 5321 with the internationalized mailboxes of RFC 6531): `local-part@domain`, at most 254
/// octets, without display name, comments or a domain literal such as `[192.0.2.1]`.
///
/// It is kept as it was written. Two addresses that differ only in case are the same one; [`Email::key`] says so.
/// RFC 5321 lets a server tell local parts apart by case, but none in use does, and people do not.
#[derive(Debug, Clone)]
pub struct Email {
    text: String,
    key: String,
}

/// Why a text is no [`Email`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EmailError {
    /// Nothing is left after trimming.
    #[error("the e-mail address is empty")]
    Empty,
    /// More octets than a path in SMTP can have (RFC 5321, section 4.5.3.1.3, less the angle brackets).
    #[error("the e-mail address has more than {max} octets", max = Email::MAX)]
    TooLong,
    /// Not of the form `local-part@domain`.
    #[error("the e-mail address {0}")]
    Malformed(&'static str),
}

impl Fault for EmailError {
    fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::TooLong => "too_long",
            Self::Malformed(_) => "malformed_email",
        }
    }
}

impl Email {
    /// The most octets an address may have.
    pub const MAX: usize = 254;

    /// Reads an address.
    ///
    /// # Errors
    /// [`EmailError`]
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        let text = normalize(text, Controls::Refused)
            .map_err(|ControlCharacter(_)| EmailError::Malformed("holds a control character"))?;
        if text.is_empty() {
            return Err(EmailError::Empty);
        }
        let key = fold_key(&text);
        // Folding can lengthen a text; the key has a unique index of bounded size to fit.
        if text.len() > Self::MAX || key.chars().count() > Self::MAX {
            return Err(EmailError::TooLong);
        }
        let options = Options::default().without_display_text().without_domain_literal();
        EmailAddress::parse_with_options(&text, options).map_err(|error| EmailError::Malformed(reason(&error)))?;
        Ok(Self { text, key })
    }

    /// The address as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The address as it is compared, sorted and searched.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether the two are written alike, letter case included.
    pub fn is_written_as(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl PartialEq for Email {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Email {}

impl std::hash::Hash for Email {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn reason(error: &email_address::Error) -> &'static str {
    use email_address::Error;
    match error {
        Error::MissingSeparator => "has no `@`",
        Error::LocalPartEmpty => "has nothing before the `@`",
        Error::LocalPartTooLong => "has more than 64 octets before the `@`",
        Error::DomainEmpty => "has no domain",
        Error::DomainTooLong | Error::SubDomainTooLong => "has a domain that is too long",
        Error::DomainTooFew | Error::SubDomainEmpty | Error::DomainInvalidSeparator => "has an incomplete domain",
        Error::UnsupportedDomainLiteral | Error::InvalidIPAddress => "has an IP address for a domain",
        Error::UnsupportedDisplayName | Error::MissingDisplayName | Error::MissingEndBracket => {
            "comes with a display name"
        }
        Error::UnbalancedQuotes => "has unbalanced quotes",
        Error::InvalidCharacter | Error::InvalidComment => "holds a character that is not allowed where it stands",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, code: &str, message: &str) {
        let error = Email::parse(text).expect_err("the address is not valid");
        assert_eq!((error.code(), error.to_string().as_str()), (code, message));
    }

    #[test]
    fn addresses_are_kept_as_written_and_compared_without_case() {
        let email = Email::parse(" Ann.Lee+Books@Example.COM ").expect("an address");
        assert_eq!((email.as_str(), email.key()), ("Ann.Lee+Books@Example.COM", "ann.lee+books@example.com"));
        let same = Email::parse("ann.lee+books@example.com").expect("an address");
        assert_eq!(email, same);
        assert!(!email.is_written_as(&same));
        assert_eq!(HashSet::from([email.clone(), same]).len(), 1);
        assert_eq!(email.to_string(), email.as_str());
    }

    #[test]
    fn unusual_addresses_are_addresses() {
        for text in [
            "\"john..doe\"@example.org",
            "ann@localhost",
            "用户@例子.广告",
            "o'hara@example.ie",
            "a@xn--bcher-kva.example",
        ] {
            assert!(Email::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_a_reason() {
        check("  ", "empty", "the e-mail address is empty");
        check("ann", "malformed_email", "the e-mail address has no `@`");
        check("@example.org", "malformed_email", "the e-mail address has nothing before the `@`");
        check("ann@", "malformed_email", "the e-mail address has no domain");
        check("ann@[127.0.0.1]", "malformed_email", "the e-mail address has an IP address for a domain");
        check("Ann <ann@example.org>", "malformed_email", "the e-mail address comes with a display name");
        check("an\u{0}n@example.org", "malformed_email", "the e-mail address holds a control character");
        for text in [
            "<ann@example.org>",
            "ann@example..org",
            "ann@@example.org",
            ".ann@example.org",
            "ann lee@example.org",
            "ann@exa mple.org",
            "ann@-example.org,",
        ] {
            assert_eq!(Email::parse(text).map_err(|error| error.code()), Err("malformed_email"), "{text}");
        }
        let long_local = format!("{}@example.org", "x".repeat(65));
        check(&long_local, "malformed_email", "the e-mail address has more than 64 octets before the `@`");
    }

    #[test]
    fn long_addresses_are_refused() {
        let domain = format!("{}.{}.{}.{}", "a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(60));
        let longest = format!("x@{}", &domain[..252]);
        assert_eq!((longest.len(), Email::parse(&longest).map(|email| email.to_string())), (254, Ok(longest)));
        check(&format!("xy@{}", &domain[..252]), "too_long", "the e-mail address has more than 254 octets");
    }

    #[test]
    fn every_reason_has_words() {
        use email_address::Error;
        for error in [
            Error::InvalidCharacter,
            Error::MissingSeparator,
            Error::LocalPartEmpty,
            Error::LocalPartTooLong,
            Error::DomainEmpty,
            Error::DomainTooLong,
            Error::SubDomainEmpty,
            Error::SubDomainTooLong,
            Error::DomainTooFew,
            Error::DomainInvalidSeparator,
            Error::UnbalancedQuotes,
            Error::InvalidComment,
            Error::InvalidIPAddress,
            Error::UnsupportedDomainLiteral,
            Error::UnsupportedDisplayName,
            Error::MissingDisplayName,
            Error::MissingEndBracket,
        ] {
            assert!(!reason(&error).is_empty());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn nothing_makes_the_parser_panic(text in any::<String>()) {
            let _ = Email::parse(&text);
        }

        #[test]
        fn an_address_reads_back_as_itself(local in "[A-Za-z0-9._+é-]{1,20}", domain in "[A-Za-z0-9-]{1,20}\\.[a-z]{2,5}") {
            if let Ok(email) = Email::parse(&format!("{local}@{domain}")) {
                let again = Email::parse(email.as_str()).expect("a written address is an address");
                prop_assert!(again.is_written_as(&email));
                prop_assert_eq!(&Email::parse(email.key()).expect("a key is an address"), &email);
            }
        }
    }
}
