//! The two messages before the first statement: PRELOGIN and LOGIN7.

use bytes::BytesMut;
use secrecy::SecretString;
use tds_protocol::{EncryptionLevel, PreLogin, TdsVersion};

use super::cursor::{Cursor, Malformed, decode_utf16, malformed};
use super::tls::Tls;

/// What becomes of the connection after the PRELOGIN exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encryption {
    /// Plain text all along.
    None,
    /// TLS for the login alone.
    LoginOnly,
    /// TLS from here on.
    Full,
    /// The two cannot agree: the server answers and hangs up.
    Refused,
}

/// Reads the client's PRELOGIN and makes the answer to it.
pub(super) fn negotiate(payload: &[u8], tls: Tls) -> Result<(Encryption, BytesMut), Malformed> {
    let wish = PreLogin::decode(payload).map_err(|_| malformed("PRELOGIN"))?.encryption;
    let client_cannot = wish == EncryptionLevel::NotSupported;
    let client_would_rather_not = wish == EncryptionLevel::Off;
    // The table of MS-TDS section 2.2.6.5, without client certificates.
    let (outcome, answer) = match tls {
        Tls::NotSupported if client_cannot || client_would_rather_not => {
            (Encryption::None, EncryptionLevel::NotSupported)
        }
        Tls::NotSupported => (Encryption::Refused, EncryptionLevel::NotSupported),
        Tls::Optional if client_cannot => (Encryption::None, EncryptionLevel::NotSupported),
        Tls::Optional if client_would_rather_not => (Encryption::LoginOnly, EncryptionLevel::Off),
        Tls::Optional => (Encryption::Full, EncryptionLevel::On),
        Tls::Required if client_cannot => (Encryption::Refused, EncryptionLevel::Required),
        Tls::Required => (Encryption::Full, EncryptionLevel::Required),
        // TLS is there already when a strict client gets here; nothing else is let in.
        Tls::Strict => (Encryption::None, EncryptionLevel::NotSupported),
    };
    // Version 16.0.1000: SQL Server 2022.
    let answer = PreLogin::new().with_version(TdsVersion::new(0x1000_03E8)).with_encryption(answer);
    Ok((outcome, BytesMut::from(&answer.encode()[..])))
}

/// What a client says of itself when it logs in.
#[derive(Debug, Clone)]
pub struct Login {
    /// The user's name.
    pub user: String,
    pub(super) password: SecretString,
    /// The database asked for; empty for the user's default.
    pub database: String,
    /// The application's name.
    pub application: String,
    /// The host name by which the client calls this server.
    pub server: String,
    /// Whether the client promises only to read.
    pub read_only: bool,
    pub(super) packet_size: u16,
}

impl Login {
    /// Reads LOGIN7 (MS-TDS section 2.2.6.4).
    pub(super) fn parse(payload: &[u8]) -> Result<Self, Malformed> {
        const WHAT: &str = "LOGIN7";
        let field = |position: usize| -> Result<&[u8], Malformed> {
            let mut head = Cursor::new(payload.get(position..).ok_or(malformed(WHAT))?);
            let offset = usize::from(head.u16(WHAT)?);
            let length = usize::from(head.u16(WHAT)?) * 2;
            payload.get(offset..offset + length).ok_or(malformed(WHAT))
        };
        let text = |position| decode_utf16(field(position)?, WHAT);
        let password: Vec<u8> = field(44)?.iter().map(|byte| (byte ^ 0xA5).rotate_left(4)).collect();
        let packet_size = Cursor::new(payload.get(8..).ok_or(malformed(WHAT))?).u32(WHAT)?;
        let type_flags = *payload.get(26).ok_or(malformed(WHAT))?;
        Ok(Self {
            user: text(40)?,
            password: decode_utf16(&password, WHAT)?.into(),
            database: text(68)?,
            application: text(48)?,
            server: text(52)?,
            read_only: type_flags & 0x20 != 0,
            packet_size: u16::try_from(packet_size.clamp(512, 32_767)).unwrap_or(4096),
        })
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;
    use tds_protocol::Login7;

    use super::*;

    #[test]
    fn a_login_is_read_as_it_was_written() {
        let sent = Login7::new()
            .with_sql_auth("sa", "pä$$ 🔑")
            .with_database("books")
            .with_app_name("bindery")
            .with_packet_size(8000)
            .with_read_only_intent(true)
            .encode();
        let login = Login::parse(&sent).unwrap();
        assert_eq!((login.user.as_str(), login.password.expose_secret()), ("sa", "pä$$ 🔑"));
        assert_eq!((login.database.as_str(), login.application.as_str()), ("books", "bindery"));
        assert_eq!((login.packet_size, login.read_only), (8000, true));
        assert!(!format!("{login:?}").contains("🔑"));
    }

    #[test]
    fn a_login_cut_short_anywhere_is_refused_and_never_panics() {
        let sent = Login7::new().with_sql_auth("sa", "secret").with_database("books").encode();
        for length in 0..94 {
            assert!(Login::parse(&sent[..length]).is_err(), "{length} bytes");
        }
        for length in 94..sent.len() {
            // May lack nothing but the tail that this server does not read.
            let _ = Login::parse(&sent[..length]);
        }
    }

    #[track_caller]
    fn check(tls: Tls, wish: EncryptionLevel, outcome: Encryption, answer: EncryptionLevel) {
        let sent = PreLogin::new().with_encryption(wish).encode();
        let (decided, reply) = negotiate(&sent, tls).unwrap();
        assert_eq!(decided, outcome);
        assert_eq!(PreLogin::decode(&reply[..]).unwrap().encryption, answer);
    }

    #[test]
    fn encryption_follows_the_table_of_the_standard() {
        use EncryptionLevel as Level;
        check(Tls::NotSupported, Level::NotSupported, Encryption::None, Level::NotSupported);
        check(Tls::NotSupported, Level::On, Encryption::Refused, Level::NotSupported);
        check(Tls::Optional, Level::NotSupported, Encryption::None, Level::NotSupported);
        check(Tls::Optional, Level::Off, Encryption::LoginOnly, Level::Off);
        check(Tls::Optional, Level::Required, Encryption::Full, Level::On);
        check(Tls::Required, Level::NotSupported, Encryption::Refused, Level::Required);
        check(Tls::Required, Level::On, Encryption::Full, Level::Required);
    }

    #[test]
    fn an_unreadable_prelogin_is_refused() {
        assert!(negotiate(&[0, 0, 1], Tls::Optional).is_err());
    }
}
