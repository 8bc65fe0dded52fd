use shared_kernel::text::{Controls, bounded};

use super::verbatim::text_value;

text_value!(
    /// What people want to know of a connection: 1 to 10,000 characters in NFC, trimmed, of several lines if need be.
    Notes,
    NotesError,
    "the text",
    |text| bounded(text, 1..=Notes::MAX, Controls::LineBreaks)
);

impl Notes {
    /// The most characters.
    pub const MAX: usize = 10_000;
}
