//! Texts of others on a terminal: names, and what a server says.

use std::fmt::Write as _;

/// A text in one line, with nothing in it that a terminal would obey.
pub fn visible(text: &str) -> String {
    visible_lines(text).replace('\n', "\\n")
}

/// A text with nothing in it that a terminal would obey but the ends of its lines.
pub fn visible_lines(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        let turns = matches!(u32::from(character), 0x200E | 0x200F | 0x202A..=0x202E | 0x2066..=0x2069);
        if (character.is_control() && !matches!(character, '\n' | '\t')) || turns {
            let _ = write!(shown, "\\u{{{:x}}}", u32::from(character));
        } else {
            shown.push(character);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_obeys_nothing_of_a_name() {
        assert_eq!(visible("a\u{1b}[2Jb\r\n\u{202e}c\u{9b}"), "a\\u{1b}[2Jb\\u{d}\\n\\u{202e}c\\u{9b}");
        assert_eq!(visible_lines("CREATE\tTABLE a\n\u{7}"), "CREATE\tTABLE a\n\\u{7}");
    }
}
