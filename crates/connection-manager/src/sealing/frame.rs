//! Byte strings one behind the other, each with its length in front, so that no two rows of them read the same.

/// Appends a text behind its length. `None` when it is longer than 64 KiB.
pub(crate) fn put(bytes: &mut Vec<u8>, text: &[u8]) -> Option<()> {
    let length = u16::try_from(text.len()).ok()?;
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(text);
    Some(())
}

/// The next `length` bytes.
pub(crate) fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(length)?;
    *rest = left;
    Some(taken)
}

/// The next text that [`put`] has written.
pub(crate) fn take_text<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = take(rest, 2)?.try_into().map(u16::from_be_bytes).ok()?;
    take(rest, length.into())
}
