//! Names of files in `Content-Disposition` (RFC 6266), safe on every system.

use std::fmt::Write as _;

use actix_web::http::header::HeaderValue;

/// The most letters of a name before its end.
const MOST: usize = 100;
/// The most bytes of them: many systems have 255 for the whole, and letters of up to four.
const MOST_BYTES: usize = 200;
/// What Windows takes for a device, whatever ends follow.
const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "COM", "LPT"];

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
    let stem = &stem[..stem.floor_char_boundary(MOST_BYTES)];
    // None is hidden, and none has an end that some systems cut off.
    let stem = stem.trim_matches(['.', ' ']);
    let stem = if stem.is_empty() { "schema" } else { stem };
    let mark = if is_device(stem) { "_" } else { "" };
    if extension.is_empty() { format!("{mark}{stem}") } else { format!("{mark}{stem}.{extension}") }
}

/// Whether a name is a device's up to its first dot: `NUL`, `con .x`, `COM1`.
fn is_device(stem: &str) -> bool {
    let name = stem.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let without_number = name.trim_end_matches(|last: char| last.is_ascii_digit() || matches!(last, '¹' | '²' | '³'));
    let has_number = without_number.chars().count() + 1 == name.chars().count();
    DEVICES.iter().any(|device| match *device {
        "COM" | "LPT" => has_number && without_number == *device,
        device => name == device,
    })
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
    fn no_name_is_a_device() {
        for (name, expected) in [
            ("CON.svg", "_CON.svg"),
            ("nul.svg", "_nul.svg"),
            ("Aux.tar.svg", "_Aux.tar.svg"),
            ("prn .x.svg", "_prn .x.svg"),
            ("COM1.svg", "_COM1.svg"),
            ("lpt9.svg", "_lpt9.svg"),
            (" con.svg", "_con.svg"),
            ("COM.svg", "COM.svg"),
            ("COM10.svg", "COM10.svg"),
            ("CON1.svg", "CON1.svg"),
            ("console.svg", "console.svg"),
            ("a.con.svg", "a.con.svg"),
        ] {
            assert_eq!(safe(name), expected);
        }
        assert_eq!(safe("COM².svg"), "_COM².svg");
    }

    #[test]
    fn a_name_of_large_letters_is_cut_between_two() {
        let long = safe(&format!("a{}.svg", "𠀀".repeat(100)));
        assert_eq!(long, format!("a{}.svg", "𠀀".repeat(49)));
        assert_eq!(safe(&format!("{}.svg", "é".repeat(100))), format!("{}.svg", "é".repeat(100)));
    }

    #[test]
    fn long_names_keep_their_ends() {
        let name = attachment(&format!("{}.svg", "x".repeat(500)));
        assert_eq!(name.len(), "attachment; filename=\"\"".len() + MOST + 4);
        assert!(name.to_str().expect("ASCII").ends_with("x.svg\""));
    }
}
