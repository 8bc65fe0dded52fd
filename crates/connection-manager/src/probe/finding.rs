use chrono::{DateTime, Utc};

/// The longest text of a server's that is passed on.
const MAX: usize = 200;

/// What a stage has found, in parts. What a server says of itself is cut and holds no control characters; it is the server's word.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// Of `ping`.
    Server {
        /// The version that the server tells.
        version: Option<String>,
    },
    /// Of `TLS`, where there was a handshake, whether the certificate passed or not.
    Tls {
        /// Such as `TLSv1_3`.
        version: String,
        /// Such as `TLS13_AES_256_GCM_SHA384`.
        cipher: String,
        /// Until when the server's certificate holds.
        expires_at: Option<DateTime<Utc>>,
    },
    /// Of `privileges`. `None` where it cannot be told.
    Privileges {
        /// Whether the user reads what is there: the catalog, and any table or key.
        reads: Option<bool>,
        /// Whether the user writes to any table or key, or makes tables.
        writes: Option<bool>,
        /// Whether the user may do everything.
        superuser: Option<bool>,
    },
}

impl Finding {
    pub(super) fn server(version: Option<String>) -> Self {
        let clean = |text: String| text.chars().filter(|character| !character.is_control()).take(MAX).collect();
        Self::Server { version: version.map(clean) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_is_cut() {
        let long = format!("8.4\n\u{1b}[31m{}", "x".repeat(1_000));
        let Finding::Server { version: Some(version) } = Finding::server(Some(long)) else { panic!("a version") };
        assert!(version.starts_with("8.4[31mx"), "{version}");
        assert_eq!(version.chars().count(), MAX);
    }
}
