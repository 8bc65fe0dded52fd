//! What is looked at in what a server sends to a driver that believes it.

/// How a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    #[cfg(feature = "mysql")]
    MySql,
    #[cfg(feature = "postgres")]
    Postgres,
}

/// A server announces what no driver should make room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the server announces {0}")]
pub(super) struct Oversized(pub(super) u64);

/// The most columns that a result of MySQL's text protocol has here. The server's own limit is 4096.
#[cfg(feature = "mysql")]
const MOST_COLUMNS: u64 = u16::MAX as u64;

/// The longest packet of MySQL's protocol; what follows one is the rest of it.
#[cfg(feature = "mysql")]
const WHOLE_PACKET: u64 = 0xff_ffff;

/// Follows the messages of one server, looking at their headers.
///
/// The driver of PostgreSQL makes room for a message when its length is known, and that of MySQL for a result's columns when
/// their number is: both up to what 32 and 64 bits hold.
#[derive(Debug)]
pub(super) struct Inspector {
    protocol: Protocol,
    /// The longest message that is let through, in bytes.
    longest: u64,
    header: [u8; 13],
    filled: usize,
    /// What is left of the message whose header was looked at.
    rest: u64,
    /// Until MySQL says that the login is over, packets are other things.
    #[cfg(feature = "mysql")]
    in_login: bool,
    /// The last packet of MySQL's was a whole one.
    #[cfg(feature = "mysql")]
    continues: bool,
}

impl Inspector {
    pub(super) fn new(protocol: Protocol, longest: usize) -> Self {
        Self {
            protocol,
            longest: longest as u64,
            header: [0; 13],
            filled: 0,
            rest: 0,
            #[cfg(feature = "mysql")]
            in_login: true,
            #[cfg(feature = "mysql")]
            continues: false,
        }
    }

    /// Looks at what comes next. An error is final: where the next message begins is not known any more.
    pub(super) fn look(&mut self, mut bytes: &[u8]) -> Result<(), Oversized> {
        loop {
            let skipped = usize::try_from(self.rest).unwrap_or(usize::MAX).min(bytes.len());
            self.rest -= skipped as u64;
            bytes = &bytes[skipped..];
            let Some((first, later)) = bytes.split_first() else { return Ok(()) };
            self.header[self.filled] = *first;
            self.filled += 1;
            bytes = later;
            let rest = match self.protocol {
                #[cfg(feature = "mysql")]
                Protocol::MySql => self.packet()?,
                #[cfg(feature = "postgres")]
                Protocol::Postgres => self.message()?,
            };
            if let Some(rest) = rest {
                (self.rest, self.filled) = (rest, 0);
            }
        }
    }

    /// PostgreSQL's protocol, section 55.2: a letter, and a length that counts itself.
    #[cfg(feature = "postgres")]
    fn message(&self) -> Result<Option<u64>, Oversized> {
        let [_, length @ .., _, _, _, _, _, _, _, _] = self.header;
        let length = u64::from(u32::from_be_bytes(length));
        match self.filled {
            5 if (4..=self.longest).contains(&length) => Ok(Some(length - 4)),
            5 => Err(Oversized(length)),
            _ => Ok(None),
        }
    }

    /// A packet of MySQL: three bytes of length, a number, and what it holds. Its first bytes may be the number of a result's
    /// columns. A row of the text protocol begins in the same way; one whose first value is as long as that does not pass.
    #[cfg(feature = "mysql")]
    fn packet(&mut self) -> Result<Option<u64>, Oversized> {
        const HEADER: usize = 4;
        if self.filled < HEADER {
            return Ok(None);
        }
        let length = u64::from(u32::from_le_bytes([self.header[0], self.header[1], self.header[2], 0]));
        let shown = usize::try_from(length).unwrap_or(usize::MAX).min(self.header.len() - HEADER);
        if self.filled < HEADER + shown {
            return Ok(None);
        }
        let begins = !std::mem::replace(&mut self.continues, length == WHOLE_PACKET);
        let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        match &self.header[HEADER..HEADER + shown] {
            [0, ..] if begins => self.in_login = false,
            _ if self.in_login || !begins => {}
            [0xfd, count @ ..] if count.len() >= 3 && number(&count[..3]) > MOST_COLUMNS => {
                return Err(Oversized(number(&count[..3])));
            }
            // A shorter one is the end of a result.
            [0xfe, count @ ..] if count.len() == 8 && number(count) > MOST_COLUMNS => {
                return Err(Oversized(number(count)));
            }
            _ => {}
        }
        Ok(Some(length - shown as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// However the bytes are cut, the verdict is the same.
    fn judged(protocol: Protocol, bytes: &[u8]) -> Result<(), Oversized> {
        let whole = Inspector::new(protocol, 1 << 20).look(bytes);
        for size in [1, 2, 3, 7] {
            let mut inspector = Inspector::new(protocol, 1 << 20);
            let cut = bytes.chunks(size).try_for_each(|part| inspector.look(part));
            assert_eq!(cut, whole, "in parts of {size}");
        }
        whole
    }

    #[cfg(feature = "postgres")]
    #[test]
    fn a_message_of_postgres_is_no_longer_than_allowed() {
        let message = |length: u32, body: usize| [&[b'D'][..], &length.to_be_bytes(), &vec![b'D'; body]].concat();
        let two = [message(4, 0), message(24, 20), message(1 << 20, (1 << 20) - 4)].concat();
        assert_eq!(judged(Protocol::Postgres, &two), Ok(()));
        for length in [0, 3, (1 << 20) + 1, u32::MAX] {
            let bytes = [message(24, 20), message(length, 0)].concat();
            assert_eq!(judged(Protocol::Postgres, &bytes), Err(Oversized(length.into())));
        }
    }

    #[cfg(feature = "mysql")]
    #[test]
    fn a_result_of_mysql_has_no_more_columns_than_make_sense() {
        let packet = |payload: &[u8]| {
            let length = u32::try_from(payload.len()).unwrap().to_le_bytes();
            [&length[..3], &[1], payload].concat()
        };
        let switch = packet(b"\xfemysql_native_password\0salt");
        let end = packet(&[0xfe, 0, 0, 2, 0, 0, 0]);
        let fine = [switch, packet(&[0, 0, 0]), packet(&[2]), packet(&[0xfc, 0xff, 0xff]), end, packet(&[])].concat();
        assert_eq!(judged(Protocol::MySql, &fine), Ok(()));
        for (count, number) in [
            (&[0xfd, 0, 0, 1][..], 1 << 16),
            (&[0xfe, 0, 0, 0, 0, 1, 0, 0, 0], 1 << 32),
            (&[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], u64::MAX),
        ] {
            assert_eq!(judged(Protocol::MySql, &[&fine[..], &packet(count)].concat()), Err(Oversized(number)));
        }
        // The rest of a packet that is longer than one can be is not the beginning of another.
        let mut long = vec![1; 0xff_ffff];
        long[0] = 0xfc;
        let parts = [packet(&[0, 0, 0]), packet(&long), packet(&[0xfe; 20])].concat();
        assert_eq!(Inspector::new(Protocol::MySql, 1 << 20).look(&parts), Ok(()));
    }
}
