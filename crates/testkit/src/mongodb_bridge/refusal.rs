//! What a client is told when something is refused: MongoDB's number, its name and a text.

use bson::{Bson, Document, doc};

/// A refusal, as MongoDB numbers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: i32,
    pub(super) text: String,
}

/// The numbers that the bridge itself refuses with, and those that it translates the engine's own into.
const NAMES: [(i32, &str); 17] = [
    (1, "InternalError"),
    (2, "BadValue"),
    (8, "UnknownError"),
    (13, "Unauthorized"),
    (14, "TypeMismatch"),
    (18, "AuthenticationFailed"),
    (26, "NamespaceNotFound"),
    (31, "RoleNotFound"),
    (43, "CursorNotFound"),
    (48, "NamespaceExists"),
    (50, "MaxTimeMSExpired"),
    (59, "CommandNotFound"),
    (115, "CommandNotSupported"),
    (121, "DocumentValidationFailure"),
    (11000, "DuplicateKey"),
    (40324, "Location40324"),
    (51003, "Location51003"),
];

/// The states of PostgreSQL in which the engine hides its numbers, as far as tests have met them. Its own begin with `M`.
const STATES: [(&str, i32); 12] = [
    ("M0001", 2),
    ("M0008", 26),
    ("M000B", 31),
    ("M000U", 115),
    ("M001C", 11000),
    ("M007U", 40324),
    ("M00CO", 121),
    ("42501", 13),
    ("42704", 11),
    ("42710", 51003),
    ("23505", 11000),
    ("57014", 50),
];

impl Refusal {
    pub(super) fn new(code: i32, text: impl Into<String>) -> Self {
        Self { code, text: text.into() }
    }

    pub(super) fn internal(text: impl Into<String>) -> Self {
        Self::new(1, text)
    }

    /// A failure of the engine. A state without a number of MongoDB's is told in the text.
    pub(super) fn of_state(state: &str, text: &str) -> Self {
        match STATES.iter().find(|(known, _)| *known == state) {
            Some((_, code)) => Self::new(*code, text),
            None => Self::new(8, format!("{text} (the engine's state {state})")),
        }
    }

    /// The same of a state that the engine has packed into a number.
    pub(super) fn of_packed(packed: i32, text: &str) -> Self {
        Self::of_state(&unpacked(packed), text)
    }

    pub(super) fn answer(&self) -> Document {
        let name = NAMES.iter().find(|(code, _)| *code == self.code);
        let name = name.map_or_else(|| format!("Location{}", self.code), |(_, name)| (*name).to_owned());
        doc! { "ok": 0.0, "errmsg": &self.text, "code": self.code, "codeName": name }
    }
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(cause) => Self::of_state(&cause.code().unwrap_or_default(), cause.message()),
            _ => Self::internal(error.to_string()),
        }
    }
}

/// The engine numbers the failures of single writes by PostgreSQL's states too, packed into six bits a letter.
pub(super) fn translate_write_errors(answer: &mut Document) {
    let Ok(errors) = answer.get_array_mut("writeErrors") else { return };
    for error in errors.iter_mut().filter_map(Bson::as_document_mut) {
        if let Ok(packed) = error.get_i32("code") {
            let text = error.get_str("errmsg").unwrap_or_default();
            let refusal = Refusal::of_packed(packed, text);
            error.insert("code", refusal.code);
            error.insert("errmsg", refusal.text);
        }
    }
}

fn unpacked(packed: i32) -> String {
    let letter = |place: u32| char::from(b'0' + u8::try_from((packed >> (6 * place)) & 0x3f).unwrap_or_default());
    (0..5).map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_failed_write_is_mongodb_s() {
        let error = doc! { "index": 0, "code": 0x1304_001d, "errmsg": "Duplicate key" };
        let mut answer = doc! { "n": 0, "writeErrors": [error] };
        translate_write_errors(&mut answer);
        assert_eq!(answer, doc! { "n": 0, "writeErrors": [{ "index": 0, "code": 11000, "errmsg": "Duplicate key" }] });
    }

    #[test]
    fn a_state_that_nobody_has_met_is_told_as_it_is() {
        let refusal = Refusal::of_state("M00ZZ", "no");
        assert_eq!((refusal.code, refusal.text.as_str()), (8, "no (the engine's state M00ZZ)"));
        assert_eq!(refusal.answer().get_str("codeName").unwrap(), "UnknownError");
    }
}
