use std::fmt;
use std::io::{self, Write};

use serde::Serialize;

use crate::Finding;

/// What rules have found, up to a size.
#[derive(Debug)]
pub struct Findings {
    found: Vec<Finding>,
    /// How many more bytes of JSON there is room for; `None` for any number.
    room: Option<usize>,
}

/// There is no room for all that is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany(());

impl Findings {
    /// With room for all.
    pub fn unbounded() -> Self {
        Self { found: Vec::new(), room: None }
    }

    /// With room for so many bytes of JSON: what is kept comes to no more as an array without spaces.
    pub fn within(bytes: usize) -> Self {
        // The array's own.
        Self { found: Vec::new(), room: Some(bytes.saturating_sub("[]".len())) }
    }

    /// Adds one.
    ///
    /// # Errors
    /// There is no room for it.
    pub fn push(&mut self, finding: Finding) -> Result<(), TooMany> {
        if let Some(room) = &mut self.room {
            let comma = usize::from(!self.found.is_empty());
            let length = json_length(&finding, room.saturating_sub(comma)).ok_or(TooMany(()))?;
            *room -= (length + comma).min(*room);
        }
        self.found.push(finding);
        Ok(())
    }

    /// Adds several, one after the other as they are made.
    ///
    /// # Errors
    /// There is no room for one of them; no other is made then.
    pub fn extend(&mut self, findings: impl IntoIterator<Item = Finding>) -> Result<(), TooMany> {
        findings.into_iter().try_for_each(|finding| self.push(finding))
    }

    /// What was added, in that order.
    pub fn into_vec(self) -> Vec<Finding> {
        self.found
    }
}

impl fmt::Display for TooMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there are too many findings")
    }
}

impl std::error::Error for TooMany {}

/// How many bytes of JSON something is, where that is no more than `most`. It costs no more than these.
pub(crate) fn json_length(value: &impl Serialize, most: usize) -> Option<usize> {
    let mut room = Room(most);
    serde_json::to_writer(&mut room, value).ok()?;
    Some(most - room.0)
}

struct Room(usize);

impl Write for Room {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
