use std::io;

/// What a row takes besides what the server has sent for it, in bytes; about what the costliest of the drivers makes of it.
const ROW: usize = 256;
/// The same of each value.
const VALUE: usize = 64;
/// An answer may take so many times as much memory as it may have bytes.
const FACTOR: usize = 4;

/// What there is for the values of one answer. A server can say in one bit that a value is NULL, for which a driver keeps
/// dozens of bytes.
#[derive(Debug)]
pub(crate) struct Room {
    whole: usize,
    left: usize,
}

impl Room {
    /// For a server that may answer with so many bytes.
    pub(crate) const fn new(answer: usize) -> Self {
        let whole = answer.saturating_mul(FACTOR);
        Self { whole, left: whole }
    }

    /// Takes a row of so many values in.
    ///
    /// # Errors
    /// When there is no room for it.
    #[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite", feature = "sqlserver"))]
    pub(crate) fn row(&mut self, values: usize) -> io::Result<()> {
        self.take(values.saturating_mul(VALUE).saturating_add(ROW))
    }

    /// Takes so many values in that are in no row.
    ///
    /// # Errors
    /// When there is no room for them.
    #[cfg(feature = "redis")]
    pub(crate) fn values(&mut self, count: usize) -> io::Result<()> {
        self.take(count.saturating_mul(VALUE))
    }

    /// Takes so many bytes in that nobody has counted on their way.
    ///
    /// # Errors
    /// When there is no room for them.
    #[cfg(feature = "sqlite")]
    pub(crate) fn bytes(&mut self, count: usize) -> io::Result<()> {
        self.take(count)
    }

    /// What there is when nothing is kept, in bytes.
    #[cfg(feature = "sqlite")]
    pub(crate) const fn whole(&self) -> usize {
        self.whole
    }

    /// Nothing is kept any more.
    #[cfg(feature = "redis")]
    pub(crate) const fn clear(&mut self) {
        self.left = self.whole;
    }

    fn take(&mut self, cost: usize) -> io::Result<()> {
        self.left = self.left.checked_sub(cost).ok_or_else(|| {
            tracing::warn!(event = "egress.too_long", room = self.whole, "a server's answer takes too much memory");
            io::Error::new(io::ErrorKind::InvalidData, "the answer takes more memory than there is for it")
        })?;
        Ok(())
    }
}

#[cfg(all(test, any(feature = "mysql", feature = "postgres", feature = "sqlite", feature = "sqlserver")))]
mod tests {
    use super::*;

    #[test]
    fn rows_and_their_values_take_room() {
        for (values, rows) in [(0, 16), (4, 8), (60, 1), (61, 0), (usize::MAX, 0)] {
            let mut room = Room::new(1 << 10);
            assert_eq!((0..100).take_while(|_| room.row(values).is_ok()).count(), rows, "{values} values");
        }
    }
}
