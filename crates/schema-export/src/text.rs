//! Texts of others, made fit to be shown.

use std::fmt::Write as _;

use schema_model::ObjectName;

/// A name with nothing in it that is not seen or that changes how its surroundings are seen: control characters, those that
/// change the direction of writing and those that no XML can hold become `\n` or `\u{…}`, and a backslash becomes two. Different
/// names stay different.
pub(crate) fn visible(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            _ if is_unseen(character) => {
                let _ = write!(text, "\\u{{{:x}}}", u32::from(character));
            }
            _ => text.push(character),
        }
    }
    text
}

/// Control characters, and what Unicode has nobody draw (`Default_Ignorable_Code_Point`) but for the choice of a variant, which is seen.
pub(crate) fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(u32::from(character),
            0xAD | 0x34F | 0x61C | 0x115F | 0x1160 | 0x17B4 | 0x17B5 | 0x180E | 0x200B..=0x200F | 0x2028..=0x202E
            | 0x2060..=0x206F | 0x3164 | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB | 0x1BCA0..=0x1BCA3 | 0x1D173..=0x1D17A
            | 0xE0000..=0xE00FF | 0xE01F0..=0xE0FFF)
        || u32::from(character) & 0xFFFE == 0xFFFE
}

/// The name of an object, seen. A dot in a name is told from the one in between.
pub(crate) fn visible_object(name: &ObjectName) -> String {
    format!("{}.{}", visible_part(&name.namespace), visible_part(&name.name))
}

/// One of the two names of an object, seen as it is in [`visible_object`].
pub(crate) fn visible_part(name: &str) -> String {
    visible(name).replace('.', "\\.")
}

/// A text in XML or HTML, between tags or in an attribute. Characters that no XML can hold are shown as in [`visible`].
pub(crate) fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' => escaped.push_str("&#10;"),
            _ if is_unseen(character) => {
                let _ = write!(escaped, "\\u{{{:x}}}", u32::from(character));
            }
            _ => escaped.push(character),
        }
    }
    escaped
}

/// How many columns of a fixed-width font a text takes: letters of East Asia and pictures take two.
pub(crate) fn columns(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

fn columns_of(character: char) -> usize {
    match u32::from(character) {
        0x0300..=0x036F | 0xFE00..=0xFE0F => 0,
        0x1100..=0x115F
        | 0x2E80..=0xA4CF
        | 0xAC00..=0xD7A3
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE6F
        | 0xFF00..=0xFF60
        | 0xFFE0..=0xFFE6
        | 0x1F300..=0x1FAFF
        | 0x20000..=0x3FFFD => 2,
        _ => 1,
    }
}

/// As much of a text as takes no more than `most` columns, with an ellipsis where that is not all.
pub(crate) fn cut(text: &str, most: usize) -> String {
    if columns(text) <= most {
        return text.to_owned();
    }
    let mut taken = 0;
    let fits = |character: &char| {
        taken += columns_of(*character);
        taken < most
    };
    let mut cut: String = text.chars().take_while(fits).collect();
    cut.push('…');
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unseen_is_shown_and_nothing_becomes_the_same() {
        let names = ["a\nb", "a\\nb", "a\u{1}", "a\\u{1}", "a\u{202e}b", "ab", "a\u{fffe}", "a\u{feff}"];
        let mut seen: Vec<String> = names.iter().map(|name| visible(name)).collect();
        assert_eq!(seen[..4], [r"a\nb", r"a\\nb", r"a\u{1}", r"a\\u{1}"]);
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), names.len());
        let (one, other) = (ObjectName::new("a.b", "c"), ObjectName::new("a", "b.c"));
        assert_ne!(visible_object(&one), visible_object(&other));
    }

    #[test]
    fn what_nobody_draws_is_shown_and_what_is_drawn_is_not() {
        let unseen = ['\u{ad}', '\u{34f}', '\u{61c}', '\u{3164}', '\u{e0041}', '\u{e007f}', '\u{2066}'];
        for character in unseen {
            assert_eq!(visible(&character.to_string()), format!("\\u{{{:x}}}", u32::from(character)));
        }
        // The heart is red by a choice of variant.
        for name in ["é", "名前", "😀", "❤\u{fe0f}", "葛\u{e0100}", "\u{a0}"] {
            assert_eq!(visible(name), name);
        }
    }

    #[test]
    fn a_long_text_is_cut_to_its_columns() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdefg", 6), "abcde…");
        assert_eq!((cut("名名名", 5).as_str(), columns("名名名")), ("名名…", 6));
    }
}
