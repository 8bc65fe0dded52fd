use std::fmt;
use std::str::FromStr;

const PLACEHOLDER: &str = "{tenant}";

/// A host name in which one label is the tenant's name, such as `{tenant}.api.example.com`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPattern {
    before: String,
    after: String,
}

/// A text that is no [`HostPattern`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a host name with the label `{{tenant}}` once, such as \"{{tenant}}.api.example.com\"")]
pub struct InvalidHostPattern;

impl HostPattern {
    /// What stands in the tenant's place in a host, which may have a port. `None` where the host is another one.
    pub(in crate::rest) fn tenant<'a>(&self, host: &'a str) -> Option<&'a str> {
        let host = match host.rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
            _ => host,
        };
        let host = host.strip_suffix('.').unwrap_or(host);
        let length = host.len().checked_sub(self.before.len() + self.after.len())?;
        let (before, rest) = host.split_at_checked(self.before.len())?;
        let (name, after) = rest.split_at_checked(length)?;
        let fits = before.eq_ignore_ascii_case(&self.before) && after.eq_ignore_ascii_case(&self.after);
        (fits && !name.is_empty() && !name.contains('.')).then_some(name)
    }
}

impl FromStr for HostPattern {
    type Err = InvalidHostPattern;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (before, after) = text.split_once(PLACEHOLDER).ok_or(InvalidHostPattern)?;
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.';
        // Where the tenant is not a whole label, the end of its name would be a matter of opinion.
        let whole = (before.is_empty() || before.ends_with('.')) && (after.is_empty() || after.starts_with('.'));
        let valid =
            whole && before.bytes().chain(after.bytes()).all(allowed) && !(before.is_empty() && after.is_empty());
        if !valid {
            return Err(InvalidHostPattern);
        }
        Ok(Self { before: before.to_ascii_lowercase(), after: after.to_ascii_lowercase() })
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{PLACEHOLDER}{}", self.before, self.after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tenant_is_one_label_of_the_host() {
        let pattern: HostPattern = "{tenant}.api.example.com".parse().expect("a pattern");
        for host in ["acme.api.example.com", "acme.API.example.com:8080", "acme.api.example.com."] {
            assert_eq!(pattern.tenant(host), Some("acme"), "{host}");
        }
        for host in [
            "api.example.com",
            ".api.example.com",
            "a.b.api.example.com",
            "acme.api.example.com.evil.org",
            "",
            "[::1]:80",
        ] {
            assert_eq!(pattern.tenant(host), None, "{host}");
        }
        let inner: HostPattern = "api.{tenant}.example.com".parse().expect("a pattern");
        assert_eq!(inner.tenant("api.acme.example.com"), Some("acme"));
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in
            ["api.example.com", "{tenant}", "x{tenant}.example.com", "{tenant}.{tenant}.com", "{tenant}.a/b", ""]
        {
            assert!(text.parse::<HostPattern>().is_err(), "{text}");
        }
    }
}
