//! Writers that keep next to nothing of what sea-query writes: enough to read a private field back.

use std::fmt::{self, Debug, Display, Write};

use sea_query::{QueryBuilder, SqlWriter, Value};

/// What a [`Recorder`] has been told, as far as anybody asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    Limit,
    Offset,
    Descending,
    NullsFirst,
    NullsLast,
    Range,
    Of,
    Behaviour,
    Other,
}

impl Word {
    fn of(text: &str) -> Self {
        match text {
            " LIMIT " => Self::Limit,
            " OFFSET " => Self::Offset,
            " DESC" => Self::Descending,
            " NULLS FIRST" => Self::NullsFirst,
            " NULLS LAST" => Self::NullsLast,
            " RANGE " => Self::Range,
            " OF " => Self::Of,
            " NOWAIT" | " SKIP LOCKED" => Self::Behaviour,
            _ => Self::Other,
        }
    }
}

/// Takes sea-query's words without storing them.
#[derive(Debug, Default)]
pub(super) struct Recorder {
    pub(super) last: Option<Word>,
    pub(super) limit: Option<Value>,
    pub(super) offset: Option<Value>,
    pub(super) range: bool,
    pub(super) of: bool,
    pub(super) behaviour: bool,
}

impl Recorder {
    pub(super) fn wrote(&self) -> bool {
        self.last.is_some()
    }
}

impl Write for Recorder {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let word = Word::of(text);
        match word {
            Word::Range => self.range = true,
            Word::Of => self.of = true,
            Word::Behaviour => self.behaviour = true,
            _ => {}
        }
        self.last = Some(word);
        Ok(())
    }

    fn write_char(&mut self, _: char) -> fmt::Result {
        self.last = Some(Word::Other);
        Ok(())
    }
}

impl Display for Recorder {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl SqlWriter for Recorder {
    fn push_param<T: QueryBuilder>(&mut self, value: Value, _: &T) {
        match self.last {
            Some(Word::Offset) => self.offset = Some(value),
            _ => self.limit = Some(value),
        }
    }

    fn as_writer(&mut self) -> &mut dyn Write {
        self
    }
}

/// The first `longest` bytes, or a little more, of a value's debug text. Stops the formatter there.
pub(super) fn debug_head(value: &dyn Debug, longest: usize) -> String {
    struct Head {
        text: String,
        longest: usize,
    }

    impl Write for Head {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.text.push_str(text);
            if self.text.len() < self.longest { Ok(()) } else { Err(fmt::Error) }
        }
    }

    let mut head = Head { text: String::with_capacity(longest + 16), longest };
    // The error is how the formatter is told that this is enough.
    let _ = write!(head, "{value:?}");
    head.text
}

/// Whether a value's debug text ends with `tail`, which has at most 32 bytes.
pub(super) fn debug_ends_with(value: &dyn Debug, tail: &str) -> bool {
    struct Tail {
        text: [u8; 32],
    }

    impl Write for Tail {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            let size = self.text.len();
            let new = text.as_bytes();
            if new.len() >= size {
                self.text.copy_from_slice(&new[new.len() - size..]);
            } else {
                self.text.copy_within(new.len().., 0);
                self.text[size - new.len()..].copy_from_slice(new);
            }
            Ok(())
        }
    }

    let mut end = Tail { text: [0; 32] };
    let _ = write!(end, "{value:?}");
    end.text.ends_with(tail.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_of_a_debug_text_stops_early() {
        assert!(debug_head(&vec![1; 1000], 10).starts_with("[1, 1, 1,"));
        assert!(debug_head(&vec![1; 1000], 10).len() < 20);
        assert_eq!(debug_head(&Some(1), 100), "Some(1)");
    }

    #[test]
    fn the_tail_of_a_debug_text_is_the_last_words() {
        let long = "x".repeat(100);
        assert!(debug_ends_with(&(long.as_str(), None::<u8>), "x\", None)"));
        assert!(!debug_ends_with(&(long.as_str(), Some(1)), "None)"));
        assert!(debug_ends_with(&Some(1), "Some(1)"));
    }
}
