//! What MySQL does to expressions on their way into `information_schema`, undone.

/// An expression as it was written. MySQL shows it escaped as within a literal, and the bytes of its UTF-8 as so many characters of
/// `latin1`.
pub(super) fn written(shown: &str) -> String {
    let text = unescaped(shown);
    misread(&text).unwrap_or(text)
}

fn unescaped(shown: &str) -> String {
    let mut text = String::with_capacity(shown.len());
    let mut characters = shown.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            text.push(character);
            continue;
        }
        match characters.next() {
            Some('0') => text.push('\0'),
            Some('n') => text.push('\n'),
            Some('r') => text.push('\r'),
            Some('Z') => text.push('\u{1a}'),
            Some(other) => text.push(other),
            None => text.push('\\'),
        }
    }
    text
}

/// What MySQL's `latin1` has from 0x80 to 0x9F where that is no control character: Windows-1252.
const UPPER: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘', '’',
    '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// The text whose UTF-8 was taken for `latin1`; `None` where that cannot have happened.
fn misread(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let byte = |character: char| match u32::from(character) {
        code @ 0..=0xff => u8::try_from(code).ok(),
        _ => UPPER.iter().position(|upper| *upper == character).and_then(|place| u8::try_from(0x80 + place).ok()),
    };
    String::from_utf8(text.chars().map(byte).collect::<Option<_>>()?).ok()
}

/// A literal's text as an expression.
pub(super) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_told_as_it_was_written() {
        assert_eq!(written("(`b` > 0)"), "(`b` > 0)");
        assert_eq!(written(r"concat(_utf8mb4\'it\\\'s \\\\ \\n\')"), r"concat(_utf8mb4'it\'s \\ \n')");
        assert_eq!(written("Ã© ðŸ˜€ å\u{90}\u{8d}"), "é 😀 名");
        assert_eq!(written("ð\u{9f}\u{98}\u{80}"), "😀", "with control characters");
        assert_eq!(written("é"), "é", "no UTF-8 as latin1");
        assert_eq!(written("名"), "名", "none either");
    }

    #[test]
    fn a_literal_can_be_sent_back() {
        assert_eq!(literal(r"it's \ a"), r"'it''s \\ a'");
    }
}
