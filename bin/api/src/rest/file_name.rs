//! Names of files in `Content-Disposition` (RFC 6266), safe on every system.

use std::fmt::Write as _;

use actix_web::http::header::HeaderValue;

/// The most letters of a name.
const MOST: usize = 100;

/// Has a browser save what is sent under a name: as nearly that one as is safe, and in plain letters for who knows no others.
pub(crate) fn attachment(name: &str) -> HeaderValue {
    let name = safe(name);
    let plain: String = name.chars().map(|character| if is_plain(character) { character } else { '_' }).collect();
    let mut value = format!("attachment; filename=\"{plain}\"");
    if plain != name {
        // RFC 8187: bytes of UTF-8, all but letters and digits as `%XX`.
        value.push_str("; filename*=UTF-8''");
        for byte in name.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_') {
                value.push(char::from(byte));
            } else {
                let _ = write!(value, "%{byte:02X}");
            }
        }
    }
    HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static("attachment"))
}

fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '.' | '_' | ' ')
}

/// A name without what leads elsewhere, hides something, or means something to a system: the end of the name says what the file
/// is, so that a long one is cut before it.
fn safe(name: &str) -> String {
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let is_kept = |character: char| character.is_alphanumeric() || matches!(character, '-' | '_' | ' ' | '.');
    let stem: String =
        stem.chars().map(|character| if is_kept(character) { character } else { '_' }).take(MOST).collect();
    // None is hidden, and none has an end that some systems cut off.
    let stem = stem.trim_matches(['.', ' ']);
    let stem = if stem.is_empty() { "schema" } else { stem };
    if extension.is_empty() { stem.to_owned() } else { format!("{stem}.{extension}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: &str) {
        assert_eq!(attachment(name).to_str().expect("ASCII"), expected);
    }

    #[test]
    fn plain_names_stay_as_they_are() {
        check("Sales 2026.svg", "attachment; filename=\"Sales 2026.svg\"");
    }

    #[test]
    fn no_name_ends_the_header_or_leads_elsewhere() {
        check("../../etc/passwd.sql", "attachment; filename=\"_.._etc_passwd.sql\"");
        check("a\"; x=\"\r\nb\\c%41:.md", "attachment; filename=\"a__ x____b_c_41_.md\"");
        check("..svg", "attachment; filename=\"schema.svg\"");
        check(".hidden .svg", "attachment; filename=\"hidden.svg\"");
    }

    #[test]
    fn other_letters_are_for_who_knows_them() {
        let value = "attachment; filename=\"B_cher.svg\"; filename*=UTF-8''B%C3%BCcher.svg";
        check("Bücher.svg", value);
        // What turns the direction of writing would have `gvs.exe` look like a picture.
        check("a\u{202e}gvs.exe.svg", "attachment; filename=\"a_gvs.exe.svg\"");
    }

    #[test]
    fn long_names_keep_their_ends() {
        let name = attachment(&format!("{}.svg", "x".repeat(500)));
        assert_eq!(name.len(), "attachment; filename=\"\"".len() + MOST + 4);
        assert!(name.to_str().expect("ASCII").ends_with("x.svg\""));
    }
}
