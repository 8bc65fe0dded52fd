use std::sync::Arc;

use shared_kernel::database::{Expiry, KeyAnswer, KeyQuestion, KeyStructure};

/// How many names of fields are asked for of a hash, and about how many bytes they may be, values counted with them.
const FIELDS: u64 = 100;
const FIELD_BYTES: u64 = 1024 * 1024;

/// The longest word of a server's that is one, in bytes, and what another is called.
const LONGEST_WORD: usize = 40;
const OTHER: &str = "other";

const HASH: &str = "hash";

/// What can be told the length of, by the engine's word for it.
const STRUCTURES: [(&str, KeyStructure); 6] = [
    (HASH, KeyStructure::Hash),
    ("list", KeyStructure::List),
    ("set", KeyStructure::Set),
    ("stream", KeyStructure::Stream),
    ("string", KeyStructure::String),
    ("zset", KeyStructure::SortedSet),
];

/// A key, and what was seen of it.
#[derive(Debug)]
pub(super) struct Seen {
    /// The number of the place where it was met.
    pub(super) place: usize,
    pub(super) key: Arc<[u8]>,
    pub(super) kind: Option<String>,
    pub(super) expiry: Option<Expiry>,
    pub(super) encoding: Option<String>,
    pub(super) length: Option<u64>,
    pub(super) memory: Option<u64>,
    pub(super) fields: Option<Vec<Vec<u8>>>,
}

impl Seen {
    pub(super) fn new(place: usize, key: Arc<[u8]>) -> Self {
        Self { place, key, kind: None, expiry: None, encoding: None, length: None, memory: None, fields: None }
    }

    /// The key, to be sent.
    pub(super) fn key(&self) -> Vec<u8> {
        self.key.to_vec()
    }

    /// What there is to ask of every key.
    pub(super) fn about_key(&self) -> Vec<KeyQuestion> {
        vec![KeyQuestion::Type(self.key()), KeyQuestion::TimeToLive(self.key())]
    }

    /// What there is to ask about what is under the key.
    pub(super) fn about_value(&self) -> Vec<KeyQuestion> {
        let mut questions = vec![KeyQuestion::Encoding(self.key()), KeyQuestion::Memory(self.key())];
        let structure = STRUCTURES.iter().find(|(word, _)| Some(*word) == self.kind.as_deref());
        questions.extend(structure.map(|(_, structure)| KeyQuestion::Length(self.key(), *structure)));
        questions
    }

    /// What there is to ask about its fields, where it has any.
    pub(super) fn about_fields(&self) -> Vec<KeyQuestion> {
        if self.kind.as_deref() != Some(HASH) {
            return Vec::new();
        }
        let count = (FIELD_BYTES / self.average().max(1)).clamp(1, FIELDS);
        vec![KeyQuestion::Fields { key: self.key(), count: u32::try_from(count).unwrap_or(1) }]
    }

    /// How many bytes of memory each of its elements takes up, as far as it is known.
    fn average(&self) -> u64 {
        match (self.memory, self.length) {
            (Some(memory), Some(length)) => memory / length.max(1),
            _ => 0,
        }
    }

    /// About how many bytes a question about it and the answer are.
    pub(super) fn weight(&self) -> u64 {
        let names = if self.kind.as_deref() == Some(HASH) { self.average().saturating_mul(FIELDS) } else { 0 };
        names.min(FIELD_BYTES).saturating_add(self.key.len() as u64)
    }

    /// Whether it has fields that were not looked at.
    pub(super) fn is_partial(&self) -> bool {
        let fields = self.fields.as_ref().map_or(0, Vec::len) as u64;
        self.length.map_or(fields >= FIELDS, |length| fields < length)
    }

    pub(super) fn take(&mut self, question: &KeyQuestion, answer: KeyAnswer) {
        match (question, answer) {
            (KeyQuestion::Type(_), KeyAnswer::Text(word)) => self.kind = Some(own(word)),
            (KeyQuestion::Encoding(_), KeyAnswer::Text(word)) => self.encoding = Some(own(word)),
            (KeyQuestion::TimeToLive(_), KeyAnswer::Expiry(expiry)) => self.expiry = Some(expiry),
            (KeyQuestion::Length(..), KeyAnswer::Number(length)) => self.length = Some(length),
            (KeyQuestion::Memory(_), KeyAnswer::Number(bytes)) => self.memory = Some(bytes),
            (KeyQuestion::Fields { count, .. }, KeyAnswer::Names(mut names)) => {
                names.truncate(*count as usize);
                self.fields = Some(names);
            }
            // It went meanwhile.
            _ => {}
        }
    }
}

/// A word of the server's, if it is one.
fn own(word: String) -> String {
    let is_word = (1..=LONGEST_WORD).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_graphic());
    if is_word { word } else { OTHER.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(memory: Option<u64>, length: Option<u64>) -> Seen {
        Seen { kind: Some(HASH.to_owned()), memory, length, ..Seen::new(0, Arc::from(&b"k"[..])) }
    }

    #[test]
    fn of_hashes_with_much_in_them_few_fields_are_asked_for() {
        for (memory, length, expected) in [
            (Some(1_000), Some(10), 100),
            (Some(1 << 30), Some(1 << 25), 100),
            (Some(1 << 30), Some(1 << 12), 4),
            (Some(1 << 40), Some(2), 1),
            (Some(u64::MAX), Some(0), 1),
            (None, Some(5), 100),
            (Some(5), None, 100),
        ] {
            let question = KeyQuestion::Fields { key: b"k".to_vec(), count: expected };
            assert_eq!(hash(memory, length).about_fields(), [question], "{memory:?} {length:?}");
        }
        assert_eq!(Seen::new(0, Arc::default()).about_fields(), []);
    }

    #[test]
    fn what_a_server_says_is_bounded() {
        let mut seen = Seen::new(0, Arc::from(&b"k"[..]));
        for (word, expected) in [("hash", "hash"), ("ReJSON-RL", "ReJSON-RL"), ("", "other"), ("a b", "other")] {
            seen.take(&KeyQuestion::Type(Vec::new()), KeyAnswer::Text(word.to_owned()));
            assert_eq!(seen.kind.as_deref(), Some(expected));
        }
        seen.take(&KeyQuestion::Encoding(Vec::new()), KeyAnswer::Text("x".repeat(41)));
        assert_eq!(seen.encoding.as_deref(), Some(OTHER));
        let names = vec![b"n".to_vec(); 1_000];
        seen.take(&KeyQuestion::Fields { key: Vec::new(), count: 3 }, KeyAnswer::Names(names));
        assert_eq!(seen.fields.as_ref().map(Vec::len), Some(3));
        seen.take(&KeyQuestion::Memory(Vec::new()), KeyAnswer::Missing);
        seen.take(&KeyQuestion::Memory(Vec::new()), KeyAnswer::Text("much".to_owned()));
        assert_eq!(seen.memory, None);
    }
}
