//! Reading bytes that a client sent: every read is bounded by what is there.

use tds_protocol::codec;

/// A message that breaks the protocol; the server answers by closing the connection.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("malformed {what}")]
pub struct Malformed {
    /// The structure that could not be read.
    pub what: &'static str,
}

pub(super) const fn malformed(what: &'static str) -> Malformed {
    Malformed { what }
}

/// A position in a message. Reading past its end is an error, never a panic.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn take(&mut self, length: usize, what: &'static str) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(malformed(what))?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self.rest.split_first_chunk::<N>().ok_or(malformed(what))?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(super) fn u8(&mut self, what: &'static str) -> Result<u8, Malformed> {
        self.array::<1>(what).map(|[byte]| byte)
    }

    pub(super) fn u16(&mut self, what: &'static str) -> Result<u16, Malformed> {
        self.array(what).map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self, what: &'static str) -> Result<u32, Malformed> {
        self.array(what).map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self, what: &'static str) -> Result<u64, Malformed> {
        self.array(what).map(u64::from_le_bytes)
    }

    /// A text behind one byte with its number of UTF-16 units (`B_VARCHAR`).
    pub(super) fn b_varchar(&mut self, what: &'static str) -> Result<String, Malformed> {
        codec::read_b_varchar(&mut self.rest).ok_or(malformed(what))
    }

    /// A text of `units` UTF-16 units.
    pub(super) fn utf16(&mut self, units: usize, what: &'static str) -> Result<String, Malformed> {
        decode_utf16(self.take(units.saturating_mul(2), what)?, what)
    }

    /// All that is left, as UTF-16.
    pub(super) fn rest_as_utf16(&mut self, what: &'static str) -> Result<String, Malformed> {
        decode_utf16(std::mem::take(&mut self.rest), what)
    }
}

/// Strict UTF-16, little endian: a lone surrogate or an odd length is an error, so that no test passes on mangled text.
pub(super) fn decode_utf16(bytes: &[u8], what: &'static str) -> Result<String, Malformed> {
    if !bytes.len().is_multiple_of(2) {
        return Err(malformed(what));
    }
    let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    char::decode_utf16(units).collect::<Result<_, _>>().map_err(|_| malformed(what))
}
