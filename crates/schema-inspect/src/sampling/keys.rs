//! Keys that are values: whoever reads them reads data.

use schema_model::MapKeys;

/// The longest name that is one, in bytes. What is longer is a text of somebody's.
const LONGEST: usize = 128;

/// Whether a key looks like something.
type Looks = fn(&str) -> bool;

/// What a key looks like that is a value by itself; `None` for what may be a name.
pub(crate) fn kind_of(key: &str) -> Option<MapKeys> {
    if key.len() > LONGEST || key.contains("://") {
        return Some(MapKeys::Text);
    }
    let kinds: [(Looks, MapKeys); 7] = [
        (is_object_id, MapKeys::ObjectId),
        (is_uuid, MapKeys::Uuid),
        (is_number, MapKeys::Number),
        (is_date, MapKeys::Date),
        (is_address, MapKeys::Address),
        (is_email, MapKeys::Email),
        (is_hexadecimal, MapKeys::Hexadecimal),
    ];
    kinds.into_iter().find_map(|(fits, kind)| fits(key).then_some(kind))
}

fn is_object_id(key: &str) -> bool {
    key.len() == 24 && is_hex(key) && key.bytes().any(|byte| byte.is_ascii_digit())
}

fn is_hex(key: &str) -> bool {
    key.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A UUID (RFC 9562), in braces or not, or a ULID.
fn is_uuid(key: &str) -> bool {
    let bare = key.strip_prefix('{').and_then(|key| key.strip_suffix('}')).unwrap_or(key);
    let is_ulid = || {
        let digits = bare.bytes().filter(u8::is_ascii_digit).count();
        bare.len() == 26 && digits >= 4 && bare.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
    };
    let lengths = bare.split('-').map(str::len);
    (lengths.eq([8, 4, 4, 4, 12]) && bare.split('-').all(is_hex)) || is_ulid()
}

/// A number, a price, or how somebody is called up.
fn is_number(key: &str) -> bool {
    let digits = key.trim_start_matches(['+', '-', '$', '€', '£']);
    let is_sign = |byte: u8| matches!(byte, b'.' | b',' | b' ' | b'_' | b'(' | b')' | b'%');
    let is_whole = digits.bytes().all(|byte| byte.is_ascii_digit() || is_sign(byte));
    is_whole && digits.bytes().any(|byte| byte.is_ascii_digit()) && !is_address(key)
}

/// A year with at least a month, and maybe a time of the day (ISO 8601), with the separators that people use.
fn is_date(key: &str) -> bool {
    let parts = key.split(['-', '/', '.', ':', 'T', 'Z', ' ', '+', '_', 'W', 'Q']).filter(|part| !part.is_empty());
    let numbers: Option<Vec<&str>> = parts.map(|part| is_digits(part).then_some(part)).collect();
    let Some(numbers) = numbers.filter(|numbers| numbers.len() >= 2) else { return false };
    let is_year = |part: &&str| part.len() == 4;
    (numbers.first().is_some_and(is_year) && !key.starts_with(['-', '/', '.', ':', 'T', 'Z', ' ', '+', '_', 'W', 'Q']))
        || (numbers.len() == 3
            && numbers.last().is_some_and(is_year)
            && numbers[..2].iter().all(|part| part.len() <= 2))
        || (numbers.iter().all(|part| part.len() == 2) && key.contains(':'))
}

fn is_digits(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_address(key: &str) -> bool {
    key.parse::<std::net::IpAddr>().is_ok()
}

fn is_email(key: &str) -> bool {
    key.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && !host.contains('@') && !host.contains(char::is_whitespace) && !host.is_empty()
    })
}

fn is_hexadecimal(key: &str) -> bool {
    let has = |fits: fn(&u8) -> bool| key.bytes().any(|byte| fits(&byte));
    key.len() >= 16 && is_hex(key) && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_a_value_is_known_by_its_looks() {
        for (key, kind) in [
            ("65f0c1d2e3a4b5c6d7e8f901", MapKeys::ObjectId),
            ("0190163d-8694-739b-aea5-966c26f8ad90", MapKeys::Uuid),
            ("{0190163D-8694-739B-AEA5-966C26F8AD90}", MapKeys::Uuid),
            ("01ARZ3NDEKTSV4RRFFQ69G5FAV", MapKeys::Uuid),
            ("0", MapKeys::Number),
            ("-17", MapKeys::Number),
            ("1,234.50", MapKeys::Number),
            ("+49 170 1234567", MapKeys::Number),
            ("20240131", MapKeys::Number),
            ("2024-01", MapKeys::Date),
            ("2024-01-31", MapKeys::Date),
            ("31/01/2024", MapKeys::Date),
            ("2024-01-31T12:00:00.000Z", MapKeys::Date),
            ("2024-W05", MapKeys::Date),
            ("2024-Q1", MapKeys::Date),
            ("09:30", MapKeys::Date),
            ("10.0.0.1", MapKeys::Address),
            ("2001:db8::1", MapKeys::Address),
            ("ann@example.com", MapKeys::Email),
            ("d41d8cd98f00b204e9800998ecf8427e", MapKeys::Hexadecimal),
            ("https://example.com/", MapKeys::Text),
        ] {
            assert_eq!(kind_of(key), Some(kind), "{key}");
        }
        assert_eq!(kind_of(&"a".repeat(129)), Some(MapKeys::Text));
    }

    #[test]
    fn a_name_is_a_name() {
        for name in [
            "_id",
            "",
            "title",
            "firstName",
            "first name",
            "address.city",
            "line2",
            "x",
            "2fa",
            "v1",
            "é",
            "名",
            "$ref",
            "facade",
            "decade",
            "deadbeefcafefacade",
            "UTC+",
            "T",
            "-",
            "a@",
            "@type",
            "W",
            "Q1",
            "ipv4",
            "sha256",
            "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        ] {
            assert_eq!(kind_of(name), None, "{name}");
        }
    }
}
