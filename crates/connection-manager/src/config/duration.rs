//! Spans of time as people write them: `250ms`, `5s`, `10m`, `1h`, `7d`.

use std::time::Duration;

/// A text that is no span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a whole number with a unit ms, s, m, h or d, such as \"5s\"")]
pub struct InvalidDuration;

/// Reads a whole number with a unit.
///
/// # Errors
/// [`InvalidDuration`] for anything else, also for what overflows.
pub fn parse(text: &str) -> Result<Duration, InvalidDuration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().map_err(|_| InvalidDuration)?;
    let seconds = |factor: u64| number.checked_mul(factor).map(Duration::from_secs).ok_or(InvalidDuration);
    match unit {
        "ms" => Ok(Duration::from_millis(number)),
        "s" => seconds(1),
        "m" => seconds(60),
        "h" => seconds(3600),
        "d" => seconds(86_400),
        _ => Err(InvalidDuration),
    }
}

/// Writes a span so that [`parse`] reads it back, cut to whole milliseconds.
pub fn format(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    for (factor, unit) in [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s")] {
        if milliseconds >= factor && milliseconds.is_multiple_of(factor) {
            return format!("{}{unit}", milliseconds / factor);
        }
    }
    format!("{milliseconds}ms")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for text in ["0ms", "250ms", "5s", "10m", "1h", "7d", "90s"] {
            assert_eq!(format(parse(text).unwrap()), text);
        }
        assert_eq!(format(parse("60s").unwrap()), "1m");
    }

    #[test]
    fn spans_without_a_unit_are_refused() {
        for text in ["", "5", "s", "-5s", "5 s", "1.5s", "5w", "99999999999999999999s", "18446744073709551615d"] {
            assert_eq!(parse(text), Err(InvalidDuration), "{text}");
        }
    }
}
