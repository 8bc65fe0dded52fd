use std::fmt::Write;

/// The text of a `numeric` as the server sends it in binary: digits to the base of 10,000 and a count of those after
/// the point. Every digit is kept, however many there are. `None` for what is malformed.
pub(super) fn text(bytes: &[u8]) -> Option<String> {
    const NEGATIVE: u16 = 0x4000;
    const NOT_A_NUMBER: u16 = 0xC000;
    const INFINITY: u16 = 0xD000;
    const MINUS_INFINITY: u16 = 0xF000;

    let mut words = bytes.chunks_exact(2).map(|word| u16::from_be_bytes([word[0], word[1]]));
    let count = usize::from(words.next()?);
    let weight = i32::from(words.next()?.cast_signed());
    let sign = words.next()?;
    let scale = usize::from(words.next()?);
    let digits: Vec<u16> = words.collect();
    match sign {
        NOT_A_NUMBER => return Some("NaN".to_owned()),
        INFINITY => return Some("Infinity".to_owned()),
        MINUS_INFINITY => return Some("-Infinity".to_owned()),
        _ if digits.len() != count || digits.iter().any(|digit| *digit > 9999) => return None,
        _ => {}
    }
    let digit = |position: i32| {
        usize::try_from(position).ok().and_then(|position| digits.get(position)).copied().unwrap_or_default()
    };
    let mut text = String::with_capacity(count * 4 + 4);
    if sign == NEGATIVE {
        text.push('-');
    }
    // Writing to a String cannot fail.
    let _ = write!(text, "{}", if weight < 0 { 0 } else { digit(0) });
    for position in 1..=weight {
        let _ = write!(text, "{:04}", digit(position));
    }
    if scale > 0 {
        text.push('.');
        let whole = text.len();
        let mut position = weight + 1;
        while text.len() - whole < scale {
            let _ = write!(text, "{:04}", digit(position));
            position += 1;
        }
        text.truncate(whole + scale);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numeric(weight: i16, sign: u16, scale: u16, digits: &[u16]) -> Option<String> {
        let count = u16::try_from(digits.len()).unwrap();
        let header = [count, weight.cast_unsigned(), sign, scale];
        let bytes: Vec<u8> = header.iter().chain(digits).flat_map(|word| word.to_be_bytes()).collect();
        text(&bytes)
    }

    #[test]
    fn digits_are_written_out() {
        assert_eq!(numeric(0, 0, 0, &[]).as_deref(), Some("0"));
        assert_eq!(numeric(0, 0, 2, &[]).as_deref(), Some("0.00"));
        assert_eq!(numeric(0, 0, 0, &[42]).as_deref(), Some("42"));
        assert_eq!(numeric(1, 0x4000, 3, &[1, 2, 3450]).as_deref(), Some("-10002.345"));
        assert_eq!(numeric(2, 0, 0, &[7]).as_deref(), Some("700000000"));
        assert_eq!(numeric(-1, 0, 6, &[12, 3400]).as_deref(), Some("0.001234"));
        assert_eq!(numeric(-2, 0, 8, &[1]).as_deref(), Some("0.00000001"));
    }

    #[test]
    fn what_is_no_number_says_so() {
        assert_eq!(numeric(0, 0xC000, 0, &[]).as_deref(), Some("NaN"));
        assert_eq!(text(&[0, 1, 0]), None);
        assert_eq!(numeric(0, 0, 0, &[10_000]), None);
    }
}
