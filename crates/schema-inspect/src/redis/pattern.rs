//! What a key is made of: names, what stands between them, and parts that are data.

use std::fmt::Write as _;

use schema_model::MapKeys;

use crate::sampling::kind_of;

/// How many bytes of a key are looked at, and how many pieces of it.
const LONGEST: usize = 512;
const MOST_PIECES: usize = 48;

/// How many words, with what stands between them, may be one value, and how many bytes.
const WIDEST: usize = 12;
const LONGEST_VALUE: usize = 128;

/// The longest word that is one.
const LONGEST_WORD: usize = 40;

/// So many digits after letters are a number; fewer may be part of a name, as in `sha256`.
const NUMBER: usize = 4;

/// What keys are divided by first of all.
const DIVIDERS: [char; 3] = [':', '/', '|'];

/// A piece of a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Piece {
    /// What stands between words.
    Mark(String),
    /// A word that is a name.
    Name(String),
    /// Something that is data, of which only the looks are kept.
    Data(Data),
}

/// What data looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Data {
    /// Text.
    Kind(MapKeys),
    /// Bytes that are no text.
    Binary,
}

impl Data {
    fn word(self) -> &'static str {
        match self {
            Self::Kind(MapKeys::ObjectId) => "object_id",
            Self::Kind(MapKeys::Uuid) => "uuid",
            Self::Kind(MapKeys::Number) => "number",
            Self::Kind(MapKeys::Date) => "date",
            Self::Kind(MapKeys::Email) => "email",
            Self::Kind(MapKeys::Address) => "address",
            Self::Kind(MapKeys::Hexadecimal) => "hexadecimal",
            Self::Kind(MapKeys::Text) => "text",
            Self::Binary => "binary",
        }
    }
}

pub(super) const TEXT: Piece = Piece::Data(Data::Kind(MapKeys::Text));
pub(super) const NUMBERS: Piece = Piece::Data(Data::Kind(MapKeys::Number));

/// The pieces of a key. What is too long ends with a text.
pub(super) fn pieces(key: &[u8]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let head = key.get(..LONGEST).unwrap_or(key);
    if let Ok(text) = str::from_utf8(head) {
        text_pieces(text, &mut pieces);
    } else {
        let is_divider = |byte: &u8| DIVIDERS.contains(&char::from(*byte));
        for part in head.chunk_by(|one, other| is_divider(one) == is_divider(other)) {
            match str::from_utf8(part) {
                Ok(text) => text_pieces(text, &mut pieces),
                Err(_) => pieces.push(no_text(part)),
            }
        }
    }
    if head.len() < key.len() || pieces.len() > MOST_PIECES {
        pieces.truncate(MOST_PIECES);
        pieces.push(TEXT);
    }
    pieces
}

/// Letters of an old encoding among others of ASCII may be a name; other bytes are none.
fn no_text(part: &[u8]) -> Piece {
    let letters = part.iter().filter(|byte| byte.is_ascii_graphic()).count();
    if letters * 2 <= part.len() || part.len() > LONGEST_WORD {
        return Piece::Data(Data::Binary);
    }
    let mut name = String::new();
    for chunk in part.utf8_chunks() {
        escape(chunk.valid(), &mut name);
        bytes(chunk.invalid(), &mut name);
    }
    Piece::Name(name)
}

fn text_pieces(text: &str, pieces: &mut Vec<Piece>) {
    // What an address of the web leads to is data to its end.
    if let Some(at) = text.find("://") {
        let is_scheme = |character: char| character.is_ascii_alphanumeric() || character == '+';
        let begins = text[..at].trim_end_matches(is_scheme).len();
        text_pieces(&text[..begins], pieces);
        pieces.push(TEXT);
        return;
    }
    let words = words(text);
    let mut at = 0;
    while at < words.len() && pieces.len() <= MOST_PIECES {
        let (word, is_word) = words[at];
        if !is_word {
            mark(word, pieces);
            at += 1;
        } else if let Some((count, kind)) = value(&words[at..]) {
            pieces.push(Piece::Data(Data::Kind(kind)));
            at += count;
        } else {
            name(word, pieces);
            at += 1;
        }
    }
}

/// A text in words and the signs between them, each by itself.
fn words(text: &str) -> Vec<(&str, bool)> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = if first.is_alphanumeric() {
            rest.find(|character: char| !character.is_alphanumeric()).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (word, further) = rest.split_at(end);
        words.push((word, first.is_alphanumeric()));
        rest = further;
    }
    words
}

fn mark(sign: &str, pieces: &mut Vec<Piece>) {
    let mut escaped = String::new();
    escape(sign, &mut escaped);
    match pieces.last_mut() {
        Some(Piece::Mark(before)) => before.push_str(&escaped),
        _ => pieces.push(Piece::Mark(escaped)),
    }
}

/// The longest value that begins here, and of how many words and signs it is.
fn value(words: &[(&str, bool)]) -> Option<(usize, MapKeys)> {
    let mut text = String::new();
    let mut found = None;
    for (count, (word, is_word)) in (1..).zip(words.iter().take(2 * WIDEST)) {
        text.push_str(word);
        if text.len() > LONGEST_VALUE {
            break;
        }
        if *is_word && let Some(kind) = kind_of_run(&text) {
            found = Some((count, kind));
        }
    }
    found.or_else(|| mixed(words).map(|count| (count, MapKeys::Text)))
}

/// What a run of words looks like. Across dividers it may be an instant, a day or an address of the internet.
fn kind_of_run(text: &str) -> Option<MapKeys> {
    let kind = kind_of(text)?;
    let has = |sign: char| text.contains(sign);
    let fits = match kind {
        MapKeys::Date => !has('|') && (!has(':') || has('T') || has(' ')),
        MapKeys::Address => {
            !has(':') || (text.matches(':').count() >= 3 && text.contains(|c: char| c.is_ascii_digit()))
        }
        _ => !text.contains(DIVIDERS),
    };
    fits.then_some(kind)
}

/// Of how many words and signs something is that nobody has made up: letters and digits in no order, as in a token.
fn mixed(words: &[(&str, bool)]) -> Option<usize> {
    let belongs = |(word, is_word): &&(&str, bool)| *is_word || matches!(*word, "-" | "_" | "=");
    let run: Vec<&str> = words.iter().take_while(belongs).map(|(word, _)| *word).collect();
    let whole: usize = run.iter().map(|word| word.len()).sum();
    if run.len() > 1 && whole >= 16 && is_mixed(run.iter().copied()) {
        return Some(run.len());
    }
    let (word, _) = words.first()?;
    (is_mixed(std::iter::once(*word)) || word.len() > LONGEST_WORD).then_some(1)
}

fn is_mixed<'a>(words: impl Iterator<Item = &'a str>) -> bool {
    let (mut letters, mut parts, mut has_digits) = (0_usize, 0_usize, false);
    for word in words {
        let mut before = None;
        for character in word.chars() {
            if !character.is_ascii_alphanumeric() {
                // Alphabets without capitals say nothing.
                if character.is_alphanumeric() {
                    return false;
                }
                continue;
            }
            letters += 1;
            has_digits |= character.is_ascii_digit();
            let begins = before.is_none_or(|before: char| {
                before.is_ascii_digit() != character.is_ascii_digit()
                    || (before.is_ascii_lowercase() && character.is_ascii_uppercase())
            });
            parts += usize::from(begins);
            before = Some(character);
        }
    }
    // Words of people's have more than two letters and a half.
    let least = if has_digits { 6 } else { 12 };
    letters >= least && parts >= 5 && letters * 2 < parts * 5
}

/// A word that is a name, but for the number that it may end with.
fn name(word: &str, pieces: &mut Vec<Piece>) {
    let letters = word.trim_end_matches(|character: char| character.is_ascii_digit());
    let digits = &word[letters.len()..];
    if !letters.is_empty() {
        pieces.push(Piece::Name(letters.to_owned()));
    }
    if digits.len() >= NUMBER {
        pieces.push(NUMBERS);
    } else if !digits.is_empty() {
        pieces.push(Piece::Name(digits.to_owned()));
    }
}

/// Braces stand for data, and what nobody can see is written out.
fn escape(text: &str, escaped: &mut String) {
    for character in text.chars() {
        match character {
            '{' | '}' | '\\' => escaped.extend([character, character]),
            _ if character.is_control() => bytes(character.encode_utf8(&mut [0; 4]).as_bytes(), escaped),
            _ => escaped.push(character),
        }
    }
}

fn bytes(bytes: &[u8], escaped: &mut String) {
    for byte in bytes {
        let _ = write!(escaped, "\\x{byte:02x}");
    }
}

/// Pieces as they are told. Two of data side by side are one text.
pub(super) fn told<'a>(pieces: impl IntoIterator<Item = &'a Piece>) -> String {
    let mut told = String::new();
    let mut data: Option<Data> = None;
    for piece in pieces {
        match piece {
            Piece::Data(next) => {
                data = Some(if data.is_some() { Data::Kind(MapKeys::Text) } else { *next });
            }
            Piece::Mark(text) | Piece::Name(text) => {
                place(data.take(), &mut told);
                told.push_str(text);
            }
        }
    }
    place(data, &mut told);
    told
}

fn place(data: Option<Data>, told: &mut String) {
    if let Some(data) = data {
        let _ = write!(told, "{{{}}}", data.word());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn is_told(key: impl AsRef<[u8]>, expected: &str) {
        assert_eq!(told(&pieces(key.as_ref())), expected);
    }

    #[test]
    fn what_is_data_is_known_by_its_looks() {
        for (key, expected) in [
            ("", ""),
            ("config", "config"),
            ("user:1", "user:{number}"),
            ("user:12:34", "user:{number}:{number}"),
            ("session:0190163d-8694-739b-aea5-966c26f8ad90", "session:{uuid}"),
            ("session:0190163d-8694-739b-aea5-966c26f8ad90:cart", "session:{uuid}:cart"),
            ("stats-2024-01-31", "stats-{date}"),
            ("logs/2024/01/31/errors", "logs/{date}/errors"),
            ("seen:2024-01-31T12:05:07.123Z", "seen:{date}"),
            ("mail:ann.b+c@example.com:sent", "mail:{email}:sent"),
            ("user-ann@example.com", "{email}"),
            ("limit:10.0.0.1:2024-01-31", "limit:{address}:{date}"),
            ("limit:2001:db8:0:0:0:0:0:1", "limit:{address}"),
            ("page:https://example.com/a?b=c", "page:{text}"),
            ("doc:65f0c1d2e3a4b5c6d7e8f901", "doc:{object_id}"),
            ("md5:d41d8cd98f00b204e9800998ecf8427e", "md5:{hexadecimal}"),
            ("sess:Xk9dL2mQpR7vT1bN", "sess:{text}"),
            ("sess:a1b2c3d4", "sess:{text}"),
            ("sess:3q2-7wAB_c9dEf-Gh1J", "sess:{text}"),
            ("jwt:eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", "jwt:{text}"),
            ("order12345", "order{number}"),
            ("{user1000}.following", "{{user{number}}}.following"),
            ("a::b", "a::b"),
            ("queue:emails", "queue:emails"),
            ("getUserByEmail", "getUserByEmail"),
            ("rate_limit:v2:utf8mb4", "rate_limit:v2:utf8mb4"),
            ("x86_64", "x86_{number}"),
            ("名前:é", "名前:é"),
            ("a b\\c", "a b\\\\c"),
            ("a\nb\0", "a\\x0ab\\x00"),
        ] {
            is_told(key, expected);
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_written_out_or_told_as_such() {
        is_told(b"pi\xf1a:menu", "pi\\xf1a:menu");
        is_told(b"blob:\xff\xfe\x00\x01", "blob:{binary}");
        is_told(b"\xff", "{binary}");
        is_told([b"\xf0\x9f".as_slice(), &[b'a'; 50]].concat(), "{binary}");
    }

    #[test]
    fn what_is_too_long_ends_with_a_text() {
        is_told("a".repeat(41), "{text}");
        is_told("x:".repeat(100), &format!("{}{{text}}", "x:".repeat(24)));
        is_told(format!("a:{}", "b".repeat(100_000)), "a:{text}");
        is_told(":".repeat(100_000), &format!("{}{{text}}", ":".repeat(512)));
        is_told("é".repeat(600), "{text}");
        // A letter is cut in two.
        is_told(format!("x{}", "é".repeat(600)), "{text}");
    }
}
