use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A host as somebody wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Host<'a> {
    Address(IpAddr),
    Name(&'a str),
}

/// A host in a form that two readers might read in two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct OddForm;

/// Reads a host strictly. `0177.0.0.1`, `0x7f.1`, `2130706433` and `127.1` are addresses to the C library's resolver and
/// names to others; zones (`fe80::1%eth0`), lists, paths and letters beyond ASCII are nobody's host here.
pub(super) fn parse(text: &str) -> Result<Host<'_>, OddForm> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    if let Some(text) = bare.or_else(|| text.contains(':').then_some(text)) {
        return text.parse::<Ipv6Addr>().map(|address| Host::Address(address.into())).map_err(|_| OddForm);
    }
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        return Ok(Host::Address(address.into()));
    }
    // The dot at the end says that nothing is to be appended. It is no part of the name's length, and stays for the resolver.
    let name = text.strip_suffix('.').unwrap_or(text);
    let is_name = |label: &str| {
        let letters = label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        letters && (1..=63).contains(&label.len())
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    if name.len() > 253 || !name.split('.').all(is_name) || is_number(last) {
        return Err(OddForm);
    }
    Ok(Host::Name(text))
}

/// A name whose last label is a number is an address to somebody (WHATWG's URL Standard, "ends in a number").
fn is_number(label: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let hexadecimal = label.strip_prefix("0x").or_else(|| label.strip_prefix("0X"));
    digits(label) || hexadecimal.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_told_apart() {
        for name in ["localhost", "db.example", "db_1.internal", "0x7f.example", "a-1.b2", "xn--bcher-kva.example"] {
            assert_eq!(parse(name), Ok(Host::Name(name)));
        }
        assert_eq!(parse("db.example."), Ok(Host::Name("db.example.")), "nothing is appended to it");
        let longest = format!("{}.{}.{}.{}.", "a".repeat(63), "b".repeat(63), "c".repeat(63), "d".repeat(61));
        assert_eq!(parse(&longest), Ok(Host::Name(&longest)));
        for address in ["127.0.0.1", "10.1.2.3", "::1", "::ffff:10.0.0.1", "fe80::1"] {
            assert_eq!(parse(address), Ok(Host::Address(address.parse().unwrap())));
        }
        assert_eq!(parse("[::1]"), Ok(Host::Address("::1".parse().unwrap())));
    }

    #[test]
    fn odd_forms_are_no_hosts() {
        for text in [
            "",
            ".",
            "..",
            "2130706433",
            "0x7f000001",
            "0X7F.1",
            "0177.0.0.1",
            "127.1",
            "127.0.0.01",
            "127.0.0.1.",
            "1.2.3.4.5",
            "256.1.1.1",
            "a.0x1",
            "a.0x",
            "db..example",
            "/var/run/postgresql",
            "a,b",
            "a:1",
            "fe80::1%eth0",
            "[::1",
            "[127.0.0.1]",
            "１２７.0.0.1",
            "localhost\0",
            "a b",
            "user@db.example",
            "db.example/x",
            "bücher.example",
            &"a".repeat(64),
            &["a".repeat(50).as_str(); 5].join("."),
        ] {
            assert_eq!(parse(text), Err(OddForm), "{text:?}");
        }
    }
}
